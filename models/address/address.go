// Package address checks crypto addresses as people type and paste them, by network, and says in words what is wrong.
//
// It is pure and imports nothing of ours; models, store, handlers and provider checks may import it. A right checksum proves that an
// address was copied whole, never that it belongs to the person one means to pay.
package address

import "strings"

// Kind is what an address stands for on its network.
type Kind string

// The kinds.
const (
	EVMAccount  Kind = "evm"    // account or contract, 20 bytes
	TronAccount Kind = "tron"   // account or contract, 20 bytes behind 0x41
	P2PKH       Kind = "p2pkh"  // Bitcoin, "1…"
	P2SH        Kind = "p2sh"   // Bitcoin, "3…"
	P2WPKH      Kind = "p2wpkh" // Bitcoin, "bc1q…", 20 bytes
	P2WSH       Kind = "p2wsh"  // Bitcoin, "bc1q…", 32 bytes
	P2TR        Kind = "p2tr"   // Bitcoin taproot, "bc1p…"
)

// Address is a checked address.
type Address struct {
	Network    string // name of the network as Networks gives it
	Kind       Kind
	Normalized string // the one way this product writes it: EIP-55 for EVM, lower case for bech32, as typed for base58
	Note       string // a sentence for people where the typed form could not be proved; empty otherwise
}

// Fault sorts what can be wrong, so that a caller may react; people read the sentence.
type Fault string

// The faults.
const (
	UnknownNetwork Fault = "unknown_network"
	Empty          Fault = "empty"
	Whitespace     Fault = "whitespace"
	LookAlike      Fault = "look_alike"   // another script's letter, an invisible one, or 0/O and 1/l/I mistaken
	Character      Fault = "character"    // a character that no such address contains
	NotAnAddress   Fault = "not_address"  // a payment link, a name, a public key
	WrongNetwork   Fault = "wrong_net"    // a good address, of another network
	WrongPrefix    Fault = "wrong_prefix" // does not begin as addresses of this network do
	WrongLength    Fault = "wrong_length"
	MixedCase      Fault = "mixed_case"
	WrongChecksum  Fault = "wrong_checksum"
	Unspendable    Fault = "unspendable" // nobody can hold its key, or no wallet makes this kind
)

// Error says what is wrong with an address.
type Error struct {
	Fault    Fault
	Sentence string // for people; quotes at most single characters of what was typed
}

func (e *Error) Error() string { return e.Sentence }

// family is the rule set of a network.
type family int

const (
	evm family = iota
	tron
	bitcoin
)

// Network is one network whose addresses can be checked.
type Network struct {
	Name  string // as stored: "ethereum"
	Title string // as shown: "Ethereum"
	Test  bool   // coins on it are worth nothing
	family
}

// Networks lists the networks in the order that a form offers them. Addresses of the EVM networks look the same on all of them, so
// the address alone can never show that the wrong one of them was chosen.
func Networks() []Network {
	return []Network{
		{"ethereum", "Ethereum", false, evm},
		{"polygon", "Polygon", false, evm},
		{"viction", "Viction", false, evm},
		{"tron", "Tron", false, tron},
		{"bitcoin", "Bitcoin", false, bitcoin},
		{"bitcoin-testnet", "Bitcoin testnet", true, bitcoin},
	}
}

// NetworkByName finds a network by name or title, without regard to case.
func NetworkByName(name string) (Network, bool) {
	for _, n := range Networks() {
		if strings.EqualFold(n.Name, name) || strings.EqualFold(n.Title, name) {
			return n, true
		}
	}
	return Network{}, false
}

// Validate checks one address of one network. The error is always an *Error; its sentence names the first fault that a person would
// mend first: stray spaces and foreign letters before the wrong network, that before length, and the checksum last.
func Validate(network, text string) (Address, error) {
	n, ok := NetworkByName(network)
	if !ok {
		return Address{}, faultf(UnknownNetwork, "Addresses of this network cannot be checked here. Choose one of: %s.", titles())
	}
	a, err := n.check(text)
	if err != nil {
		return Address{}, err
	}
	a.Network = n.Name
	return a, nil
}

// check returns a plain *Error, so that nil stays nil.
func (n Network) check(text string) (Address, *Error) {
	if e := checkText(text); e != nil {
		return Address{}, e
	}
	if e := notAnAddress(text); e != nil {
		return Address{}, e
	}
	if e := n.otherNetwork(text); e != nil {
		return Address{}, e
	}
	switch n.family {
	case evm:
		return checkEVM(n, text)
	case tron:
		return checkTron(text)
	}
	return checkBitcoin(n, text)
}

// Same reports whether two checked addresses are one destination: the same network and the same place on it. The same EVM account on
// two networks is two destinations.
func Same(a, b Address) bool {
	return a.Network == b.Network && a.Normalized == b.Normalized && a.Normalized != ""
}

// Groups cuts the address into groups of four characters, as people compare it aloud. "0x" stays with the first group.
func (a Address) Groups() []string {
	var out []string
	rest := a.Normalized
	if a.Kind == EVMAccount && len(rest) > 6 {
		out, rest = append(out, rest[:6]), rest[6:]
	}
	for len(rest) > 4 {
		out, rest = append(out, rest[:4]), rest[4:]
	}
	if rest != "" {
		out = append(out, rest)
	}
	return out
}

// otherNetwork recognises a good address of another network, which is the mistake that loses money.
func (n Network) otherNetwork(text string) *Error {
	for _, other := range Networks() {
		if other.family == n.family && other.Test == n.Test {
			continue
		}
		var err *Error
		switch other.family {
		case evm:
			_, err = checkEVM(other, text)
		case tron:
			_, err = checkTron(text)
		case bitcoin:
			_, err = checkBitcoin(other, text)
		}
		if err == nil {
			return faultf(WrongNetwork, "This is %s address, but the network chosen is %s. Money sent to it there would be lost.",
				article(other), n.Title)
		}
	}
	return nil
}

func article(n Network) string {
	if n.family == evm {
		return "an Ethereum-style"
	}
	return "a " + n.Title
}

func titles() string {
	var out []string
	for _, n := range Networks() {
		out = append(out, n.Title)
	}
	return strings.Join(out, ", ")
}
