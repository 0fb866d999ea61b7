package demo

import (
	"cmp"
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"

	"countinghouse/models"
	"countinghouse/providers"
)

// recipient gives the values of somebody who is paid or pays by the method; most are regulars.
func (h *Historian) recipient(m providers.Method) map[string]string {
	known := h.parties[m.ID]
	if len(known) > 0 && (len(known) > 180 || h.rnd.Float64() < 0.85) {
		return known[h.rnd.IntN(len(known))]
	}
	v := map[string]string{}
	first, last := firstNames[h.rnd.IntN(len(firstNames))], lastNames[h.rnd.IntN(len(lastNames))]
	split := slices.ContainsFunc(m.Fields, func(f providers.Field) bool { return f.Role == providers.RoleLastName })
	for _, f := range m.Fields {
		switch {
		case len(f.Examples) > 0:
			v[f.Name] = f.Examples[h.rnd.IntN(len(f.Examples))]
		case f.Role == providers.RoleOwner && split:
			v[f.Name] = first
		case f.Role == providers.RoleOwner:
			v[f.Name] = first + " " + last
		case f.Role == providers.RoleLastName:
			v[f.Name] = last
		case f.Kind == providers.Email:
			v[f.Name] = strings.ToLower(plain(first)+"."+plain(last)) + "@example.com"
		case len(f.Options) > 0:
			v[f.Name] = f.Options[h.rnd.IntN(len(f.Options))].Value
		case f.Role == providers.RoleDocument && m.Country == "BR":
			v[f.Name] = cpf(h.digits(9))
		case f.Role == providers.RoleDocument:
			v[f.Name] = h.digits(11)
		case f.Kind == providers.Phone:
			v[f.Name] = "+55119" + h.digits(8)
		case f.Role == providers.RoleAccount:
			v[f.Name] = h.digits(cmp.Or(min(f.MaxLen, 12), 10))
		case f.Default != "":
			v[f.Name] = f.Default
		}
	}
	h.parties[m.ID] = append(known, v)
	return v
}

// cpf completes nine digits with the two check digits of a Brazilian tax number: without them no payout of today could be made.
func cpf(nine string) string {
	for len(nine) < 11 {
		sum := 0
		for i, d := range nine {
			sum += int(d-'0') * (len(nine) + 1 - i)
		}
		nine += string(rune('0' + sum*10%11%10))
	}
	return nine
}

func (h *Historian) digits(n int) string {
	b := make([]byte, n)
	for i := range b {
		b[i] = byte('0' + h.rnd.IntN(10))
	}
	if b[0] == '0' {
		b[0] = '7'
	}
	return string(b)
}

func (h *Historian) reference() string {
	const letters = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"
	b := []byte("CH000000000000")
	for i := 2; i < len(b); i++ {
		b[i] = letters[h.rnd.IntN(len(letters))]
	}
	return string(b)
}

// idAt makes a version 7 UUID of a moment in the past, so that ids sort like the history.
func idAt(r *rand.Rand, at models.Micros) string {
	ms := uint64(at / 1000) //nolint:gosec // positive
	a, b := r.Uint64(), r.Uint64()
	return fmt.Sprintf("%08x-%04x-7%03x-%04x-%012x", ms>>16, ms&0xffff, a&0xfff, 0x8000|(a>>12)&0x3fff, b&0xffffffffffff)
}

func plain(s string) string {
	return strings.NewReplacer("ã", "a", "á", "a", "é", "e", "í", "i", "ó", "o", "ô", "o", "ú", "u", "ç", "c", "ñ", "n", "ö", "o", "É", "E", "Í", "I", "Á", "A").Replace(s)
}

var firstNames = []string{"João", "Maria", "Ana", "Pedro", "Lucas", "Beatriz", "Camila", "Rafael", "Sofía", "Valentina", "Mateo", "Diego", "Lucía", "Martín", "Amina",
	"Wanjiru", "Joseph", "Grace", "Otieno", "Fatuma", "Neema", "Thabo", "Lerato", "Irina", "Dmitri", "Oksana", "Wei", "Mei", "Hiroshi", "Elena", "Tomás", "Carla",
	"Felipe", "Gabriela", "Bruno", "Isabela", "Núria", "Íris", "Álvaro", "Conceição"}

var lastNames = []string{"Silva", "Souza", "Pereira", "Oliveira", "Costa", "Almeida", "Ferreira", "Gómez", "Rodríguez", "Fernández", "Rojas", "Muñoz", "Soto", "Mwangi",
	"Odhiambo", "Kamau", "Njoroge", "Dlamini", "Nkosi", "Petrova", "Ivanov", "Tan", "Lim", "Sato", "Moreira", "Araújo", "Vieira", "Cardoso", "Teixeira", "Barbosa",
	"Castro", "Molina", "Herrera", "Vega", "Ibáñez", "Quispe", "Flores", "Santos", "Ribeiro", "Carvalho"}

// Party is somebody who can be paid by a form, and what for.
type Party struct {
	Values        map[string]string
	Name, Purpose string
}

// Payee makes up somebody new for a form of destinations, with what they are called and paid for.
func (h *Historian) Payee(f providers.DestinationForm) Party {
	m := providers.Method{ID: "payee " + f.ID, Country: f.Country, Fields: f.Fields}
	delete(h.parties, m.ID) // everybody only once
	p := Party{Values: h.recipient(m), Purpose: purposes[h.rnd.IntN(len(purposes))]}
	if p.Name = providers.DestinationOf(m, p.Values).Owner; p.Name == "" {
		p.Name = firstNames[h.rnd.IntN(len(firstNames))] + " " + lastNames[h.rnd.IntN(len(lastNames))]
		if h.rnd.Float64() < 0.45 {
			p.Name = lastNames[h.rnd.IntN(len(lastNames))] + " " + trades[h.rnd.IntN(len(trades))]
		}
	}
	if _, ok := p.Values["network"]; ok {
		p.Values["address"] = "0x" + h.hex(40)
	}
	return p
}

func (h *Historian) hex(n int) string {
	out := make([]byte, n)
	for i := range out {
		out[i] = "0123456789abcdef"[h.rnd.IntN(16)]
	}
	return string(out)
}

var purposes = []string{"Supplier of packaging", "Rent of the warehouse", "Freelance design", "Courier runs", "Own wallet", "Refunds to customers", "Salary", "Web hosting", "Printing", "Cleaning", "Commission",
	"Spare parts", "Translation", "Accounting", "Affiliate programme", "Security deposit"}

var trades = []string{"Ltda.", "Logistics", "& Filhos", "Trading", "Services", "Print House", "Foods", "Studio", "Holdings", "Transport"}
