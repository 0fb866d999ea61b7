package address

import (
	"errors"
	"strings"

	"github.com/btcsuite/btcd/btcutil/bech32"
)

// checkBitcoin checks an address of Bitcoin's main or test network, of any kind.
func checkBitcoin(n Network, text string) (Address, *Error) {
	lower := strings.ToLower(text)
	hrp, example := "bc", "“bc1”, “1” or “3”"
	if n.Test {
		hrp, example = "tb", "“tb1”, “m”, “n” or “2”"
	}
	switch {
	case strings.HasPrefix(lower, hrp+"1"):
		return checkSegwit(n, hrp, text)
	case strings.HasPrefix(lower, "bcrt1"):
		return Address{}, faultf(WrongNetwork, "This is an address of a private test network (“bcrt1”), where coins are worth nothing.")
	case strings.HasPrefix(lower, "ltc1"):
		return Address{}, faultf(WrongNetwork, "This is a Litecoin address, not %s.", n.Title)
	case strings.HasPrefix(lower, "xpub"), strings.HasPrefix(lower, "ypub"), strings.HasPrefix(lower, "zpub"):
		return Address{}, faultf(NotAnAddress, "This is the public key of a whole wallet, not an address. Ask for one address.")
	case n.Test && strings.ContainsAny(text[:1], "mn2"), !n.Test && strings.ContainsAny(text[:1], "13"):
		return checkLegacy(n, text)
	}
	return Address{}, faultf(WrongPrefix, "%s addresses begin with %s; this one does not.", n.Title, example)
}

// checkSegwit checks a native segregated witness address (BIP-173, BIP-350) of one network.
func checkSegwit(n Network, hrp, text string) (Address, *Error) {
	got, version, program, e := decodeSegwit(text)
	if e != nil {
		return Address{}, e
	}
	if got != hrp {
		return Address{}, faultf(WrongNetwork, "This address is not one of %s: it begins with “%s1”.", n.Title, clip(got))
	}
	a := Address{Normalized: strings.ToLower(text)}
	switch {
	case version == 0 && len(program) == 20:
		a.Kind = P2WPKH
	case version == 0:
		a.Kind = P2WSH
	case version == 1 && len(program) == 32:
		a.Kind = P2TR
	default:
		// BIP-350 asks wallets to send to future versions as well. A merchant's console must not: until such a version is defined,
		// anybody can take coins sent to it.
		return Address{}, faultf(Unspendable, "The checksum is right, but no wallet makes addresses of this kind (version %d, %d bytes): anybody could take what is sent there. Ask the owner for another address.", version, len(program))
	}
	if isAllZero(program) {
		return Address{}, unspendable()
	}
	return a, nil
}

// decodeSegwit decodes by the rules of BIP-173 and BIP-350 and nothing more: any prefix, versions 0 to 16, programs of 2 to 40 bytes.
func decodeSegwit(text string) (hrp string, version byte, program []byte, e *Error) {
	if len(text) > 90 {
		return "", 0, nil, faultf(WrongLength, "Bitcoin addresses have at most 90 characters; this has %d.", len(text))
	}
	hrp, data, encoding, err := bech32.DecodeGeneric(text)
	if err != nil {
		return "", 0, nil, bech32Fault(text, err)
	}
	if len(data) == 0 {
		return "", 0, nil, faultf(WrongLength, "The address ends right after its beginning: most of it is missing.")
	}
	version = data[0]
	if version > 16 {
		return "", 0, nil, faultf(Character, "The character after the first “1” is wrong: there is no such version of Bitcoin addresses.")
	}
	if want := bech32.VersionM; (version == 0) == (encoding == want) {
		return "", 0, nil, faultf(WrongChecksum, "The checksum is of the wrong kind for this address: one of its characters was changed, or a faulty program made it.")
	}
	program, err = bech32.ConvertBits(data[1:], 5, 8, false)
	switch {
	case err != nil:
		return "", 0, nil, faultf(WrongLength, "The address does not come out even: a character is missing or too many.")
	case len(program) < 2 || len(program) > 40, version == 0 && len(program) != 20 && len(program) != 32:
		return "", 0, nil, faultf(WrongLength, "The address holds %d bytes, which no Bitcoin address of its version does. Characters are missing or too many.", len(program))
	}
	return hrp, version, program, nil
}

// bech32Fault turns the decoder's complaint into a sentence. The expected checksum is never shown: BIP-173 forbids offering a mend.
func bech32Fault(text string, err error) *Error {
	var mixed bech32.ErrMixedCase
	var char bech32.ErrNonCharsetChar
	var sum bech32.ErrInvalidChecksum
	switch {
	case errors.As(err, &mixed):
		return faultf(MixedCase, "Addresses of this kind are written in small letters only (or capitals only); this one mixes them. Copy it again from where it came.")
	case errors.As(err, &sum):
		return faultf(WrongChecksum, "The checksum does not match: at least one character of this address is wrong. Copy it again from where it came.")
	case errors.As(err, &char):
		return bech32Character(text, rune(char))
	}
	return faultf(WrongLength, "This is too short to be an address.")
}

func bech32Character(text string, c rune) *Error {
	at := strings.LastIndexByte(strings.ToLower(text), byte(c)) + 1
	hint := map[rune]string{'b': "8 or 6", 'i': "l or j", 'o': "0", '1': "l"}[c]
	if hint == "" {
		return faultf(Character, "Character %d is “%c”, which such an address never contains.", at, c)
	}
	return faultf(LookAlike, "Character %d is “%c”, which such an address never contains after its beginning: it is easily mistaken for %s. Copy the address again instead of typing it.", at, c, hint)
}
