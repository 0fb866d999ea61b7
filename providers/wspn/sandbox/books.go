package sandbox

import (
	"regexp"
	"strings"
)

// remitAccount is one bank account: the merchant's, or one of WSPN's own that receives deposits (ours).
type remitAccount struct {
	id       int64
	currency string
	ours     bool
	fields   map[string]any
}

// whiteAddress is one whitelisted address.
type whiteAddress struct {
	id                      int64
	network, address, label string
}

func (s *Sandbox) account(id int64, ours bool) *remitAccount {
	for _, a := range s.accounts {
		if a.id == id && a.ours == ours {
			return a
		}
	}
	return nil
}

func (s *Sandbox) whiteByID(id int64) *whiteAddress {
	for _, a := range s.whitelist {
		if a.id == id && id != 0 {
			return a
		}
	}
	return nil
}

func (s *Sandbox) whiteByAddress(network, address string) *whiteAddress {
	for _, a := range s.whitelist {
		if a.network == network && strings.EqualFold(a.address, address) {
			return a
		}
	}
	return nil
}

// remitRules are the members of P-RADD and P-REDIT.
func remitRules(edit bool) []rule {
	rules := []rule{requestIDRule, {"beneficiaryName", "string", !edit, 255}, {"beneficiaryAddress", "string", true, 255},
		{"beneficiaryBankCountry", "string", true, 3}, {"beneficiaryBankName", "string", true, 255}, {"beneficiaryAccount", "string", true, 255},
		{"currency", "string", true, 0}, {"bankType", "string", true, 32}, {"beneficiaryBankSwiftCode", "string", true, 11},
		{"beneficiaryBankCity", "string", false, 255}, {"beneficiaryBankAddress", "string", true, 255}, {"isIntermediaryRequired", "boolean", true, 0},
		{"intermediaryBankCountry", "string", false, 3}, {"intermediaryBankName", "string", false, 255}, {"intermediaryBankAccount", "string", false, 255},
		{"intermediaryBankSwiftCode", "string", false, 11}, {"intermediaryBankCity", "string", false, 255}, {"intermediaryBankAddress", "string", false, 255}}
	if edit {
		rules = append(rules, rule{"id", "integer", true, 0})
	}
	return rules
}

var swiftShape = regexp.MustCompile(`^[A-Za-z0-9]{8,11}$`)

// readRemit opens and checks a bank account.
func (s *Sandbox) readRemit(in *incoming, edit bool) (map[string]any, *reply) {
	no := func(code, message string) (map[string]any, *reply) {
		r := refuse(code, message)
		return nil, &r
	}
	var o map[string]any
	if !edit && s.setting("remit_add_wrapped", "yes") == "no" {
		v, err := decode(in.body)
		flat, ok := v.(map[string]any)
		if err != nil || !ok {
			return no("TEST_JSON", "the body is not a JSON object")
		}
		if bad := s.checkQuery(flat, remitRules(edit)); bad != nil {
			return nil, bad
		}
		o = flat
	} else {
		q, bad := s.query(in, remitRules(edit))
		if bad != nil {
			return nil, bad
		}
		o = q
	}
	if o["isIntermediaryRequired"] == true {
		for _, f := range []string{"Country", "Name", "Account", "SwiftCode", "Address"} { // all but the city (WSPN-REM-1)
			if text(o, "intermediaryBank"+f) == "" {
				return no("TEST_FIELD_MISSING", "intermediaryBank"+f+" is missing")
			}
		}
	}
	for _, f := range []string{"beneficiaryBankSwiftCode", "intermediaryBankSwiftCode"} {
		if v := text(o, f); v != "" && !swiftShape.MatchString(v) {
			return no("TEST_FIELD_TYPE", f+" is letters and digits only")
		}
	}
	if text(o, "bankType") != "SWIFT" {
		return no("TEST_FIELD_TYPE", "bankType is SWIFT")
	}
	if bad := s.duplicate(in, text(o, "requestId")); bad != nil {
		return nil, bad
	}
	return o, nil
}

func (s *Sandbox) remitAdd(in *incoming) reply {
	o, bad := s.readRemit(in, false)
	if bad != nil {
		return *bad
	}
	id := text(o, "requestId")
	delete(o, "requestId")
	a := &remitAccount{id: s.nextID(), currency: text(o, "currency"), fields: o}
	s.accounts = append(s.accounts, a)
	s.requestIDs[s.requestKey(in, id)] = true
	s.executions[id]++
	return success(a.record())
}

func (s *Sandbox) remitEdit(in *incoming) reply {
	o, bad := s.readRemit(in, true)
	if bad != nil {
		return *bad
	}
	a, id := s.account(whole(o["id"]), false), text(o, "requestId")
	if a == nil {
		return s.no(in, id, "TEST_REMIT_INFO", "there is no such bank account")
	}
	if name := text(o, "beneficiaryName"); name != "" && name != text(a.fields, "beneficiaryName") {
		return s.no(in, id, "TEST_NAME", "the name cannot be changed")
	}
	delete(o, "requestId")
	delete(o, "id")
	o["beneficiaryName"] = a.fields["beneficiaryName"]
	a.fields, a.currency = o, text(o, "currency")
	s.requestIDs[s.requestKey(in, id)] = true
	s.executions[id]++
	return success(a.record())
}

func (a *remitAccount) record() map[string]any {
	r := map[string]any{"id": a.id}
	for k, v := range a.fields {
		r[k] = v
	}
	return r
}

func (s *Sandbox) remitSearch(in *incoming) reply {
	_, p, bad := s.envelope(in, true)
	if bad != nil {
		return *bad
	}
	var list []any
	for _, a := range s.accounts {
		if !a.ours {
			list = append(list, a.record())
		}
	}
	return listing(cut(list, p), map[string]any{"current": p.current, "size": p.size, "pages": (len(list) + p.size - 1) / p.size, "total": len(list)})
}

func (s *Sandbox) remitDelete(in *incoming) reply {
	q, bad := s.query(in, []rule{{"id", "integer", true, 0}, requestIDRule})
	if bad != nil {
		return *bad
	}
	id := text(q, "requestId")
	if bad := s.duplicate(in, id); bad != nil {
		return *bad
	}
	for i, a := range s.accounts {
		if a.id == whole(q["id"]) && !a.ours {
			s.accounts = append(s.accounts[:i:i], s.accounts[i+1:]...)
			s.requestIDs[s.requestKey(in, id)] = true
			s.executions[id]++
			return success(nil)
		}
	}
	return s.no(in, id, "TEST_REMIT_INFO", "there is no such bank account")
}

// remitDeposit lists WSPN's receiving accounts.
func (s *Sandbox) remitDeposit(in *incoming) reply {
	want := in.r.URL.Query().Get("currency")
	var list []any
	for _, a := range s.accounts {
		if a.ours && (want == "" || a.currency == want) {
			list = append(list, a.record())
		}
	}
	return listing(list, nil)
}

// depositAddress gives the address of a network: the same one every time.
func (s *Sandbox) depositAddress(in *incoming) reply {
	network, currency := in.r.URL.Query().Get("network"), in.r.URL.Query().Get("currency")
	address, ok := map[string]string{"Ethereum": "0x8617E340B3D01FA5F11F306F4090FD50E238070D", "Polygon": "0xde709f2102306220921060314715629080e2fb77",
		"Viction": "0x27b1fdb04752bbc536007a920d24acb045561c26"}[network]
	switch {
	case !ok:
		return refuse("TEST_NETWORK", "there is no such network")
	case currency != "WUSD":
		return refuse("TEST_CURRENCY", "only WUSD is taken on chain")
	}
	return success(map[string]any{"currency": currency, "network": network, "address": address})
}

func (s *Sandbox) whitelistNames() (address, network, label string) {
	n := strings.Split(s.setting("whitelist_fields", "address,network,label"), ",")
	if len(n) != 3 {
		return "address", "network", "label"
	}
	return n[0], n[1], n[2]
}

var evmShape = regexp.MustCompile(`^0x[0-9a-fA-F]{40}$`)

// whitelistAdd registers an address after a risk scan. Addresses that end in dead are high-risk here.
func (s *Sandbox) whitelistAdd(in *incoming) reply {
	address, network, label := s.whitelistNames()
	q, bad := s.query(in, []rule{requestIDRule, {address, "string", true, 128}, {network, "string", true, 32}, {label, "string", false, 64}})
	if bad != nil {
		return *bad
	}
	id := text(q, "requestId")
	if bad := s.duplicate(in, id); bad != nil {
		return *bad
	}
	a := &whiteAddress{network: text(q, network), address: text(q, address), label: text(q, label)}
	switch {
	case !evmShape.MatchString(a.address):
		return s.no(in, id, "TEST_ADDRESS", "this is no address")
	case a.network != "Ethereum" && a.network != "Polygon" && a.network != "Viction":
		return s.no(in, id, "TEST_NETWORK", "there is no such network")
	case s.whiteByAddress(a.network, a.address) != nil:
		return s.no(in, id, "TEST_ADDRESS_DUPLICATE", "this address is whitelisted on this network already")
	case strings.HasSuffix(strings.ToLower(a.address), "dead"):
		return s.no(in, id, "TEST_ADDRESS_RISK", "the risk of this address is too high")
	}
	a.id = s.nextID()
	s.whitelist = append(s.whitelist, a)
	s.requestIDs[s.requestKey(in, id)] = true
	s.executions[id]++
	return success(s.whiteRecord(a))
}

func (s *Sandbox) whiteRecord(a *whiteAddress) map[string]any {
	address, network, label := s.whitelistNames()
	return map[string]any{"id": a.id, address: a.address, network: a.network, label: nullable(a.label), "status": "ACTIVE"}
}

func (s *Sandbox) whitelistSearch(in *incoming) reply {
	_, p, bad := s.envelope(in, true)
	if bad != nil {
		return *bad
	}
	var list []any
	for _, a := range s.whitelist {
		list = append(list, s.whiteRecord(a))
	}
	return listing(cut(list, p), nil)
}

func (s *Sandbox) whitelistDelete(in *incoming) reply {
	q, bad := s.query(in, []rule{{"id", "integer", true, 0}, requestIDRule})
	if bad != nil {
		return *bad
	}
	id := text(q, "requestId")
	if bad := s.duplicate(in, id); bad != nil {
		return *bad
	}
	for i, a := range s.whitelist {
		if a.id == whole(q["id"]) {
			s.whitelist = append(s.whitelist[:i:i], s.whitelist[i+1:]...)
			s.requestIDs[s.requestKey(in, id)] = true
			s.executions[id]++
			return success(nil)
		}
	}
	return s.no(in, id, "TEST_ADDRESS_UNKNOWN", "there is no such entry")
}
