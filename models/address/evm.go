package address

import (
	"encoding/hex"
	"strings"

	"golang.org/x/crypto/sha3"
)

const (
	hexDigits   = "0123456789abcdefABCDEF"
	noCaseNote  = "It is written in %s letters only, so it carries no checksum: a typing mistake cannot be noticed. Compare it with its source."
	evmLength   = 42
	tronHexSize = 42
)

// checkEVM checks an address of the Ethereum family by EIP-55. A mixed-case address must match its checksum; one in a single case is
// taken with a note, because it has none.
func checkEVM(n Network, text string) (Address, *Error) {
	if !strings.HasPrefix(text, "0x") {
		return Address{}, evmPrefix(n, text)
	}
	digits := text[2:]
	hints := map[byte]string{'O': "the digit 0", 'o': "the digit 0", 'l': "the digit 1", 'I': "the digit 1"}
	if e := onlyFrom(digits, hexDigits, "such an address", hints); e != nil {
		e.Sentence = shiftPosition(digits, text, e)
		return Address{}, e
	}
	if len(text) != evmLength {
		if len(text) == 66 {
			return Address{}, faultf(WrongLength, "This has 66 characters: it is a transaction hash or a private key, not an address. If it is a key, tell nobody and move the funds.")
		}
		return Address{}, faultf(WrongLength, "%s addresses have 42 characters with “0x”; this has %d. %s", n.Title, len(text), moreOrLess(len(text), evmLength))
	}
	raw, err := hex.DecodeString(digits)
	if err != nil {
		return Address{}, faultf(Character, "This is not readable as hexadecimal digits.")
	}
	if isAllZero(raw[:18]) {
		return Address{}, faultf(Unspendable, "This is a reserved address of the network itself. Nobody holds its key: money sent to it is lost.")
	}
	want := eip55(raw)
	a := Address{Kind: EVMAccount, Normalized: want}
	switch {
	case text == want:
	case digits == strings.ToLower(digits):
		a.Note = strings.Replace(noCaseNote, "%s", "small", 1)
	case digits == strings.ToUpper(digits):
		a.Note = strings.Replace(noCaseNote, "%s", "capital", 1)
	default:
		return Address{}, faultf(WrongChecksum, "The checksum does not match: at least one character of this address is wrong, or its capitals were changed. Copy it again from where it came.")
	}
	return a, nil
}

// shiftPosition counts positions from the start of the whole text, as a person would.
func shiftPosition(digits, text string, e *Error) string {
	for i := range len(digits) {
		if strings.IndexByte(hexDigits, digits[i]) < 0 {
			return strings.Replace(e.Sentence, "Character "+itoa(i+1), "Character "+itoa(i+1+len(text)-len(digits)), 1)
		}
	}
	return e.Sentence
}

func evmPrefix(n Network, text string) *Error {
	switch {
	case strings.HasPrefix(text, "0X"):
		return faultf(WrongPrefix, "Write the beginning as “0x”, with a small x.")
	case len(text) == evmLength-2 && strings.Trim(text, hexDigits) == "":
		return faultf(WrongPrefix, "The “0x” at the beginning is missing.")
	case len(text) > 2 && strings.ContainsAny(text[:1], "Oo") && strings.ContainsAny(text[1:2], "xX"):
		return faultf(LookAlike, "It begins with the letter “%c” where the digit 0 belongs.", text[0])
	}
	return faultf(WrongPrefix, "%s addresses begin with “0x” and have 42 characters; this one does not.", n.Title)
}

// eip55 writes 20 bytes with the checksum in the case of the letters.
func eip55(raw []byte) string {
	lower := hex.EncodeToString(raw)
	h := sha3.NewLegacyKeccak256()
	_, _ = h.Write([]byte(lower)) // a hash never fails
	sum := hex.EncodeToString(h.Sum(nil))
	out := []byte("0x" + lower)
	for i := range len(lower) {
		if lower[i] >= 'a' && sum[i] >= '8' {
			out[i+2] -= 'a' - 'A'
		}
	}
	return string(out)
}
