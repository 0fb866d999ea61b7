package address

import (
	"encoding/hex"
	"errors"
	"strings"
	"testing"
	"unicode"
	"unicode/utf8"

	"github.com/google/go-cmp/cmp"
)

func fault(t *testing.T, network, text string) *Error {
	t.Helper()
	a, err := Validate(network, text)
	if err == nil {
		t.Fatalf("%s accepted %q as %+v", network, text, a)
	}
	var e *Error
	if !errors.As(err, &e) {
		t.Fatalf("the error is a %T, not ours", err)
	}
	return e
}

// The published vectors of EIP-55: four in mixed case that must match, two in capitals and two in small letters.
func TestTheVectorsOfEIP55AreAccepted(t *testing.T) {
	for _, text := range []string{
		"0x5aAeb6053F3E94C9b9A09f33669435E7Ef1BeAed", "0xfB6916095ca1df60bB79Ce92cE3Ea74c37c5d359",
		"0xdbF03B407c01E7cD3CBea99509d93f8DDDC8C6FB", "0xD1220A0cf47c7B9Be7A2E6BA89F429762e7b9aDb",
		"0x52908400098527886E0F7030069857D2E4169EE7", "0x8617E340B3D01FA5F11F306F4090FD50E238070D",
		"0xde709f2102306220921060314715629080e2fb77", "0x27b1fdb04752bbc536007a920d24acb045561c26",
	} {
		got, err := Validate("ethereum", text)
		if err != nil {
			t.Fatalf("%s: %v", text, err)
		}
		// Every vector is its own checksummed form, the single-case ones included.
		if diff := cmp.Diff(Address{Network: "ethereum", Kind: EVMAccount, Normalized: text}, got); diff != "" {
			t.Errorf("%s: (-want +got)\n%s", text, diff)
		}
	}
}

func TestASingleCaseAddressIsTakenWithANoteAndWrittenWithItsChecksum(t *testing.T) {
	const right = "0x5aAeb6053F3E94C9b9A09f33669435E7Ef1BeAed"
	for word, text := range map[string]string{"small": strings.ToLower(right), "capital": "0x" + strings.ToUpper(right[2:])} {
		got, err := Validate("Polygon", text)
		if err != nil {
			t.Fatal(err)
		}
		if got.Normalized != right || got.Network != "polygon" || !strings.Contains(got.Note, word+" letters only") {
			t.Errorf("%s: %+v", text, got)
		}
	}
}

// Changing any one digit of a checksummed address to any other digit or case is refused, for every vector of EIP-55 with mixed case.
func TestEveryChangedDigitOfAChecksummedAddressIsRefused(t *testing.T) {
	tried := 0
	for _, text := range []string{"0x5aAeb6053F3E94C9b9A09f33669435E7Ef1BeAed", "0xfB6916095ca1df60bB79Ce92cE3Ea74c37c5d359",
		"0xdbF03B407c01E7cD3CBea99509d93f8DDDC8C6FB", "0xD1220A0cf47c7B9Be7A2E6BA89F429762e7b9aDb"} {
		for i := 2; i < len(text); i++ {
			for _, c := range []byte(hexDigits) {
				if c == text[i] {
					continue
				}
				tried++
				changed := text[:i] + string(c) + text[i+1:]
				if a, err := Validate("viction", changed); err == nil {
					t.Errorf("%s was accepted: %+v", changed, a)
				}
			}
		}
	}
	if tried < 3000 {
		t.Fatalf("only %d changes were tried", tried)
	}
}

// The valid segwit addresses of BIP-173 (version 0) and BIP-350, with the scripts that they stand for.
func TestTheSegwitVectorsDecodeToTheirScripts(t *testing.T) {
	for text, script := range map[string]string{
		"BC1QW508D6QEJXTDG4Y5R3ZARVARY0C5XW7KV8F3T4":                                 "0014751e76e8199196d454941c45d1b3a323f1433bd6",
		"tb1qrp33g0q5c5txsp9arysrx4k6zdkfs4nce4xj0gdcccefvpysxf3q0sl5k7":             "00201863143c14c5166804bd19203356da136c985678cd4d27a1b8c6329604903262",
		"bc1pw508d6qejxtdg4y5r3zarvary0c5xw7kw508d6qejxtdg4y5r3zarvary0c5xw7kt5nd6y": "5128751e76e8199196d454941c45d1b3a323f1433bd6751e76e8199196d454941c45d1b3a323f1433bd6",
		"BC1SW50QGDZ25J":                       "6002751e",
		"bc1zw508d6qejxtdg4y5r3zarvaryvaxxpcs": "5210751e76e8199196d454941c45d1b3a323",
		"tb1qqqqqp399et2xygdj5xreqhjjvcmzhxw4aywxecjdzew6hylgvsesrxh6hy": "0020000000c4a5cad46221b2a187905e5266362b99d5e91c6ce24d165dab93e86433",
		"tb1pqqqqp399et2xygdj5xreqhjjvcmzhxw4aywxecjdzew6hylgvsesf3hn0c": "5120000000c4a5cad46221b2a187905e5266362b99d5e91c6ce24d165dab93e86433",
		"bc1p0xlxvlhemja6c4dqv22uapctqupfhlxm9h8z3k2e72q4k9hcz7vqzk5jj0": "512079be667ef9dcbbac55a06295ce870b07029bfcdb2dce28d959f2815b16f81798",
	} {
		_, version, program, e := decodeSegwit(text)
		if e != nil {
			t.Errorf("%s: %v", text, e)
			continue
		}
		op := version
		if version > 0 {
			op += 0x50
		}
		if got := hex.EncodeToString(append([]byte{op, byte(len(program))}, program...)); got != script {
			t.Errorf("%s: script %s, want %s", text, got, script)
		}
	}
}

// The invalid segwit addresses of BIP-173 and BIP-350, each with the fault that the BIP gives as its reason.
func TestTheInvalidSegwitVectorsAreRefusedForTheirReason(t *testing.T) {
	for text, want := range map[string]Fault{
		"bc1qw508d6qejxtdg4y5r3zarvary0c5xw7kv8f3t5": WrongChecksum,
		"BC13W508D6QEJXTDG4Y5R3ZARVARY0C5XW7KN40WF2": Character, // version 17
		"bc1rw5uspcuf": WrongChecksum, // bech32 where BIP-350 asks for bech32m
		"bc10w508d6qejxtdg4y5r3zarvary0c5xw7kw508d6qejxtdg4y5r3zarvary0c5xw7kw5rljs90": WrongChecksum,
		"BC1QR508D6QEJXTDG4Y5R3ZARVARYV98GJ9P":                                         WrongLength,
		"bc1zw508d6qejxtdg4y5r3zarvaryvqyzf3du":                                        WrongChecksum,
		"bc1gmk9yu":                                                                    WrongLength,
		"tc1qw508d6qejxtdg4y5r3zarvary0c5xw7kg3g4ty":                                   WrongPrefix,
		"bc1p0xlxvlhemja6c4dqv22uapctqupfhlxm9h8z3k2e72q4k9hcz7vqh2y7hd":               WrongChecksum,
		"BC1S0XLXVLHEMJA6C4DQV22UAPCTQUPFHLXM9H8Z3K2E72Q4K9HCZ7VQ54WELL":               WrongChecksum,
		"bc1qw508d6qejxtdg4y5r3zarvary0c5xw7kemeawh":                                   WrongChecksum,
		"bc1p38j9r5y49hruaue7wxjce0updqjuyyx0kh56v8s25huc6995vvpql3jow4":               LookAlike, // an "o" in the checksum
		"BC130XLXVLHEMJA6C4DQV22UAPCTQUPFHLXM9H8Z3K2E72Q4K9HCZ7VQ7ZWS8R":               Character,
		"bc1pw5dgrnzv": WrongLength, // one byte
		"bc1p0xlxvlhemja6c4dqv22uapctqupfhlxm9h8z3k2e72q4k9hcz7v8n0nx0muaewav253zgeav": WrongLength, // 41 bytes
		"bc1p0xlxvlhemja6c4dqv22uapctqupfhlxm9h8z3k2e72q4k9hcz7v07qwwzcrf":             WrongLength, // padding
	} {
		if got := fault(t, "bitcoin", text); got.Fault != want {
			t.Errorf("%s: %s (%s), want %s", text, got.Fault, got.Sentence, want)
		}
	}
	for text, want := range map[string]Fault{
		"tb1qrp33g0q5c5txsp9arysrx4k6zdkfs4nce4xj0gdcccefvpysxf3q0sL5k7": MixedCase,
		"tb1qrp33g0q5c5txsp9arysrx4k6zdkfs4nce4xj0gdcccefvpysxf3pjxtptv": WrongLength, // padding is not zero
		"tb1z0xlxvlhemja6c4dqv22uapctqupfhlxm9h8z3k2e72q4k9hcz7vqglt7rf": WrongChecksum,
		"tb1q0xlxvlhemja6c4dqv22uapctqupfhlxm9h8z3k2e72q4k9hcz7vq24jc47": WrongChecksum,
		"tb1p0xlxvlhemja6c4dqv22uapctqupfhlxm9h8z3k2e72q4k9hcz7vq47Zagq": MixedCase,
		"tb1p0xlxvlhemja6c4dqv22uapctqupfhlxm9h8z3k2e72q4k9hcz7vpggkg4j": WrongLength,
	} {
		if got := fault(t, "bitcoin-testnet", text); got.Fault != want {
			t.Errorf("%s: %s (%s), want %s", text, got.Fault, got.Sentence, want)
		}
	}
}

func TestGoodAddressesOfEveryKind(t *testing.T) {
	for _, c := range []struct {
		network, text string
		want          Address
	}{
		{"Bitcoin", "1A1zP1eP5QGefi2DMPTfTL5SLmv7DivfNa", Address{Network: "bitcoin", Kind: P2PKH, Normalized: "1A1zP1eP5QGefi2DMPTfTL5SLmv7DivfNa"}},
		{"bitcoin", "3P14159f73E4gFr7JterCCQh9QjiTjiZrG", Address{Network: "bitcoin", Kind: P2SH, Normalized: "3P14159f73E4gFr7JterCCQh9QjiTjiZrG"}},
		{"bitcoin", "BC1QW508D6QEJXTDG4Y5R3ZARVARY0C5XW7KV8F3T4", Address{Network: "bitcoin", Kind: P2WPKH, Normalized: "bc1qw508d6qejxtdg4y5r3zarvary0c5xw7kv8f3t4"}},
		{"bitcoin", "bc1qrp33g0q5c5txsp9arysrx4k6zdkfs4nce4xj0gdcccefvpysxf3qccfmv3", Address{Network: "bitcoin", Kind: P2WSH, Normalized: "bc1qrp33g0q5c5txsp9arysrx4k6zdkfs4nce4xj0gdcccefvpysxf3qccfmv3"}},
		{"bitcoin", "bc1p0xlxvlhemja6c4dqv22uapctqupfhlxm9h8z3k2e72q4k9hcz7vqzk5jj0", Address{Network: "bitcoin", Kind: P2TR, Normalized: "bc1p0xlxvlhemja6c4dqv22uapctqupfhlxm9h8z3k2e72q4k9hcz7vqzk5jj0"}},
		{"bitcoin-testnet", "mipcBbFg9gMiCh81Kj8tqqdgoZub1ZJRfn", Address{Network: "bitcoin-testnet", Kind: P2PKH, Normalized: "mipcBbFg9gMiCh81Kj8tqqdgoZub1ZJRfn"}},
		{"bitcoin-testnet", "2MzQwSSnBHWHqSAqtTVQ6v47XtaisrJa1Vc", Address{Network: "bitcoin-testnet", Kind: P2SH, Normalized: "2MzQwSSnBHWHqSAqtTVQ6v47XtaisrJa1Vc"}},
		{"Bitcoin testnet", "tb1qw508d6qejxtdg4y5r3zarvary0c5xw7kxpjzsx", Address{Network: "bitcoin-testnet", Kind: P2WPKH, Normalized: "tb1qw508d6qejxtdg4y5r3zarvary0c5xw7kxpjzsx"}},
		{"tron", "TR7NHqjeKQxGTCi8q8ZY4pL8otSzgjLj6t", Address{Network: "tron", Kind: TronAccount, Normalized: "TR7NHqjeKQxGTCi8q8ZY4pL8otSzgjLj6t"}},
	} {
		got, err := Validate(c.network, c.text)
		if err != nil {
			t.Errorf("%s: %v", c.text, err)
		} else if diff := cmp.Diff(c.want, got); diff != "" {
			t.Errorf("%s (-want +got)\n%s", c.text, diff)
		}
	}
}

// Every fault has a sentence that says what to do about it.
func TestEachFaultIsSaidInWords(t *testing.T) {
	const eth, trx, btc = "0x5aAeb6053F3E94C9b9A09f33669435E7Ef1BeAed", "TR7NHqjeKQxGTCi8q8ZY4pL8otSzgjLj6t", "1A1zP1eP5QGefi2DMPTfTL5SLmv7DivfNa"
	for _, c := range []struct {
		what, network, text string
		fault               Fault
		words               string
	}{
		{"no such network", "dogecoin", eth, UnknownNetwork, "Ethereum, Polygon, Viction, Tron, Bitcoin"},
		{"nothing", "ethereum", "", Empty, "missing"},
		{"only spaces", "ethereum", " \t", Empty, "missing"},
		{"a space before", "tron", " " + trx, Whitespace, "before the address"},
		{"a line break after", "tron", trx + "\n", Whitespace, "after the address"},
		{"a space inside", "tron", trx[:10] + " " + trx[10:], Whitespace, "at character 11"},
		{"a no-break space inside", "tron", trx[:10] + "\u00a0" + trx[10:], Whitespace, "at character 11"},
		{"a zero-width space", "ethereum", eth[:8] + "\u200b" + eth[8:], LookAlike, "Character 9 is invisible (U+200B)"},
		{"a byte-order mark", "bitcoin", "\ufeff" + btc, LookAlike, "Character 1 is invisible"},
		{"text turned around", "bitcoin", btc + "\u202e", LookAlike, "U+202E"},
		{"a NUL", "bitcoin", "1A1\x00zP", LookAlike, "U+0000"},
		{"a Cyrillic letter", "ethereum", "0x5аAeb6053F3E94C9b9A09f33669435E7Ef1BeAed", LookAlike, "Character 4 is a Cyrillic letter or sign that only looks like “a”"},
		{"a full-width digit", "ethereum", "０x5aAeb6053F3E94C9b9A09f33669435E7Ef1BeAed", LookAlike, "full-width"},
		{"Arabic digits", "tron", "T٣7NHqjeKQxGTCi8q8ZY4pL8otSzgjLj6t", LookAlike, "only looks like “3”"},
		{"an emoji", "tron", "T🙂7NHqjeKQxGTCi8q8ZY4pL8otSzgjLj6t", Character, "no address contains"},
		{"broken text", "tron", "T\xff\xfe", Character, "not readable"},
		{"a book", "tron", strings.Repeat("T", 5000), WrongLength, "5000 bytes"},
		{"a payment link", "bitcoin", "bitcoin:" + btc + "?amount=1", NotAnAddress, "payment link"},
		{"an e-mail address", "ethereum", "anna@example.com", NotAnAddress, "e-mail"},
		{"a name", "ethereum", "anna.eth", NotAnAddress, "what a name points to can change"},
		{"a wallet's key", "bitcoin", "xpub6CUGRUonZSQ4TWtTMmzXdrXDtypWKiKrhko4egpiMZbpiaQL2jkwSB1icqYh2cfDfVxdx4df189oLKnC5fSwqPfgyP3hooxujYzAu3fDVmz", NotAnAddress, "whole wallet"},
		{"Tron for Ethereum", "ethereum", trx, WrongNetwork, "This is a Tron address, but the network chosen is Ethereum"},
		{"Ethereum for Tron", "tron", eth, WrongNetwork, "an Ethereum-style address, but the network chosen is Tron"},
		{"Bitcoin for Polygon", "polygon", btc, WrongNetwork, "a Bitcoin address, but the network chosen is Polygon"},
		{"test for main", "bitcoin", "tb1qw508d6qejxtdg4y5r3zarvary0c5xw7kxpjzsx", WrongNetwork, "a Bitcoin testnet address"},
		{"main for test", "bitcoin-testnet", btc, WrongNetwork, "a Bitcoin address"},
		{"a private test network", "bitcoin", "bcrt1qw508d6qejxtdg4y5r3zarvary0c5xw7kygt080", WrongNetwork, "private test network"},
		{"Litecoin", "bitcoin", "ltc1qw508d6qejxtdg4y5r3zarvary0c5xw7kgmn4n9", WrongNetwork, "Litecoin"},
		{"no 0x", "ethereum", eth[2:], WrongPrefix, "“0x” at the beginning is missing"},
		{"0X", "ethereum", "0X" + eth[2:], WrongPrefix, "small x"},
		{"letter O before x", "ethereum", "O" + eth[1:], LookAlike, "where the digit 0 belongs"},
		{"something else", "ethereum", "hello", WrongPrefix, "begin with “0x”"},
		{"an O later", "ethereum", "0x5aAeb6O53F3E94C9b9A09f33669435E7Ef1BeAed", LookAlike, "Character 9 is “O”"},
		{"a G among hex digits", "ethereum", "0x5aAeb6G53F3E94C9b9A09f33669435E7Ef1BeAed", Character, "Character 9 is “G”"},
		{"one digit short", "ethereum", eth[:41], WrongLength, "this has 41. One character is missing."},
		{"three digits long", "polygon", eth + "abc", WrongLength, "3 characters are too many"},
		{"a private key", "ethereum", "0x" + strings.Repeat("ab", 32), WrongLength, "private key"},
		{"a wrong checksum", "ethereum", eth[:41] + "D", WrongChecksum, "checksum does not match"},
		{"the zero address", "ethereum", "0x" + strings.Repeat("0", 40), Unspendable, "Nobody holds its key"},
		{"a precompiled contract", "ethereum", "0x" + strings.Repeat("0", 38) + "05", Unspendable, "reserved"},
		{"Tron in hex", "tron", "41a614f803b6fd780986a42c78ec9c7f77e6ded13c", WrongPrefix, "begins with “T”"},
		{"Tron in small letters", "tron", strings.ToLower(trx), WrongPrefix, "capital “T”"},
		{"Tron short", "tron", trx[:33], WrongLength, "One character is missing"},
		{"Tron with a zero", "tron", "TR7NHqjeKQxGTCi8q8ZY4pL80tSzgjLj6t", LookAlike, "Character 25 is “0”"},
		{"Tron with a wrong checksum", "tron", trx[:33] + "u", WrongChecksum, "checksum does not match"},
		{"Tron's nobody", "tron", "T9yD14Nj9j7xAB4dbGeiX9h8unkKHxuWwb", Unspendable, "nobody"},
		{"Bitcoin with an l", "bitcoin", "1A1zP1eP5QGefi2DMPTfTLlSLmv7DivfNa", LookAlike, "Character 23 is “l”"},
		{"Bitcoin cut off", "bitcoin", btc[:20], WrongLength, "26 to 35"},
		{"Bitcoin with a wrong checksum", "bitcoin", btc[:33] + "b", WrongChecksum, "checksum does not match"},
		{"Bitcoin's nobody", "bitcoin", "1111111111111111111114oLvT2", Unspendable, "nobody"},
		{"a Bitcoin version of the future", "bitcoin", "bc1zw508d6qejxtdg4y5r3zarvaryvaxxpcs", Unspendable, "version 2, 16 bytes"},
		{"bech32 with an o", "bitcoin", "bc1qw508d6qejxtdg4y5r3zarvaryoc5xw7kv8f3t4", LookAlike, "easily mistaken for 0"},
	} {
		t.Run(c.what, func(t *testing.T) {
			got := fault(t, c.network, c.text)
			if got.Fault != c.fault || !strings.Contains(got.Sentence, c.words) {
				t.Errorf("%s: %s\nwant %s with %q", got.Fault, got.Sentence, c.fault, c.words)
			}
		})
	}
}

func TestSameIsOneDestination(t *testing.T) {
	checked := func(network, text string) Address {
		a, err := Validate(network, text)
		if err != nil {
			t.Fatal(err)
		}
		return a
	}
	const text = "0x5aAeb6053F3E94C9b9A09f33669435E7Ef1BeAed"
	if !Same(checked("ethereum", text), checked("Ethereum", strings.ToLower(text))) {
		t.Error("two spellings of one address are two destinations")
	}
	if Same(checked("ethereum", text), checked("polygon", text)) {
		t.Error("one account on two networks is one destination")
	}
	if Same(checked("ethereum", text), checked("ethereum", "0xfB6916095ca1df60bB79Ce92cE3Ea74c37c5d359")) || Same(Address{}, Address{}) {
		t.Error("different or empty addresses are the same")
	}
}

func TestGroupsOfFourForReadingAloud(t *testing.T) {
	a, err := Validate("ethereum", "0x5aAeb6053F3E94C9b9A09f33669435E7Ef1BeAed")
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff([]string{"0x5aAe", "b605", "3F3E", "94C9", "b9A0", "9f33", "6694", "35E7", "Ef1B", "eAed"}, a.Groups()); diff != "" {
		t.Error(diff)
	}
	b := Address{Kind: TronAccount, Normalized: "TR7NHqjeKQxGTCi8q8ZY4pL8otSzgjLj6t"}
	if got := strings.Join(b.Groups(), ""); got != b.Normalized || len(b.Groups()) != 9 {
		t.Errorf("%v", b.Groups())
	}
}

func TestEveryLookAlikeIsPairedWithAnASCIICharacter(t *testing.T) {
	seen := 0
	for r := rune(0x80); r < 0x10000; r++ {
		if latin, script, ok := twin(r); ok {
			seen++
			if latin <= ' ' || latin > '~' || script == "" || !utf8.ValidRune(latin) || unicode.IsSpace(latin) {
				t.Errorf("U+%04X is paired with %q (%s)", r, latin, script)
			}
		}
	}
	if seen < 300 {
		t.Fatalf("only %d look-alikes are known", seen)
	}
}
