package address

import (
	"errors"
	"strconv"
	"strings"

	"github.com/btcsuite/btcd/btcutil/base58"
)

const base58Alphabet = "123456789ABCDEFGHJKLMNPQRSTUVWXYZabcdefghijkmnopqrstuvwxyz"

// Version bytes: Tron's documentation, and the Bitcoin developer reference, "Address conversion".
const (
	tronVersion     = 0x41
	p2pkhMain       = 0x00
	p2shMain        = 0x05
	p2pkhTest       = 0x6f
	p2shTest        = 0xc4
	tronLength      = 34
	legacyMinLength = 26
	legacyMaxLength = 35
)

// checkTron checks a Tron address: base58check of 21 bytes that begin with 0x41, which always has 34 characters and begins with "T".
func checkTron(text string) (Address, *Error) {
	if !strings.HasPrefix(text, "T") {
		switch {
		case len(text) == tronHexSize && strings.HasPrefix(text, "41") && strings.Trim(text, hexDigits) == "":
			return Address{}, faultf(WrongPrefix, "This is the hexadecimal form that only programs use. Paste the form that begins with “T”.")
		case strings.HasPrefix(text, "t"):
			return Address{}, faultf(WrongPrefix, "Tron addresses begin with a capital “T”, and capitals matter in all of it. Copy it again from where it came.")
		}
		return Address{}, faultf(WrongPrefix, "Tron addresses begin with “T” and have 34 characters; this one does not.")
	}
	if e := base58Characters(text, "a Tron address"); e != nil {
		return Address{}, e
	}
	if len(text) != tronLength {
		return Address{}, faultf(WrongLength, "Tron addresses have 34 characters; this has %d. %s", len(text), moreOrLess(len(text), tronLength))
	}
	payload, version, e := base58Check(text)
	if e != nil {
		return Address{}, e
	}
	if version != tronVersion || len(payload) != 20 {
		return Address{}, faultf(WrongPrefix, "The checksum is right, but this is not an address of the Tron network.")
	}
	if isAllZero(payload) {
		return Address{}, unspendable()
	}
	return Address{Kind: TronAccount, Normalized: text}, nil
}

// checkLegacy checks a Bitcoin address of the older kinds, "1…" and "3…" (main), "m…", "n…" and "2…" (test).
func checkLegacy(n Network, text string) (Address, *Error) {
	if e := base58Characters(text, "a Bitcoin address of this kind"); e != nil {
		return Address{}, e
	}
	if len(text) < legacyMinLength || len(text) > legacyMaxLength {
		return Address{}, faultf(WrongLength, "Bitcoin addresses of this kind have 26 to 35 characters; this has %d.", len(text))
	}
	payload, version, e := base58Check(text)
	if e != nil {
		return Address{}, e
	}
	if len(payload) != 20 {
		return Address{}, faultf(WrongLength, "The checksum is right, but it holds %d bytes where a Bitcoin address holds 20.", len(payload))
	}
	kinds := map[byte]Kind{p2pkhMain: P2PKH, p2shMain: P2SH}
	if n.Test {
		kinds = map[byte]Kind{p2pkhTest: P2PKH, p2shTest: P2SH}
	}
	kind, ok := kinds[version]
	if !ok {
		return Address{}, faultf(WrongPrefix, "The checksum is right, but this is not an address of %s.", n.Title)
	}
	if isAllZero(payload) {
		return Address{}, unspendable()
	}
	return Address{Kind: kind, Normalized: text}, nil
}

func base58Characters(text, what string) *Error {
	return onlyFrom(text, base58Alphabet, what, map[byte]string{
		'0': "“o” or “Q”", 'O': "“Q” or “o”", 'I': "“1” or “i”", 'l': "“1” or “i”",
	})
}

// base58Check decodes and checks the four checksum bytes. The caller has checked the characters and the length.
func base58Check(text string) ([]byte, byte, *Error) {
	payload, version, err := base58.CheckDecode(text)
	if errors.Is(err, base58.ErrChecksum) {
		return nil, 0, faultf(WrongChecksum, "The checksum does not match: at least one character of this address is wrong. Copy it again from where it came.")
	}
	if err != nil {
		return nil, 0, faultf(WrongLength, "This is too short to be an address.")
	}
	return payload, version, nil
}

func unspendable() *Error {
	return faultf(Unspendable, "This address stands for nobody. Money sent to it is lost.")
}

func moreOrLess(have, want int) string {
	switch d := have - want; {
	case d == 1:
		return "One character is too many."
	case d > 1:
		return itoa(d) + " characters are too many."
	case d == -1:
		return "One character is missing."
	default:
		return itoa(-d) + " characters are missing."
	}
}

func itoa(n int) string { return strconv.Itoa(n) }
