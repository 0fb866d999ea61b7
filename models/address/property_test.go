package address

import (
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/btcsuite/btcd/btcutil/base58"
	"github.com/btcsuite/btcd/btcutil/bech32"
	"pgregory.net/rapid"
)

// hash draws 20 or 32 bytes that are not a reserved value.
func hash(t *rapid.T, size int) []byte {
	b := rapid.SliceOfN(rapid.Byte(), size, size).Draw(t, "hash")
	b[0] |= 1
	return b
}

// oneChanged changes one character behind the prefix into another of the alphabet.
func oneChanged(t *rapid.T, text, alphabet string, prefix int) string {
	i := rapid.IntRange(prefix, len(text)-1).Draw(t, "position")
	c := rapid.SampledFrom([]byte(strings.ReplaceAll(alphabet, text[i:i+1], ""))).Draw(t, "character")
	return text[:i] + string(c) + text[i+1:]
}

func mustAccept(t *rapid.T, network, text string) Address {
	a, err := Validate(network, text)
	if err != nil {
		t.Fatalf("%s refused %s: %v", network, text, err)
	}
	return a
}

func mustRefuse(t *rapid.T, network, text string) {
	if a, err := Validate(network, text); err == nil {
		t.Fatalf("%s accepted %s: %+v", network, text, a)
	}
}

func TestOneChangedCharacterOfATronAddressIsRefused(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		text := base58.CheckEncode(hash(t, 20), tronVersion)
		mustAccept(t, "tron", text)
		mustRefuse(t, "tron", oneChanged(t, text, base58Alphabet, 0))
	})
}

func TestOneChangedCharacterOfALegacyBitcoinAddressIsRefused(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		n := rapid.SampledFrom([]struct {
			network string
			version byte
		}{{"bitcoin", p2pkhMain}, {"bitcoin", p2shMain}, {"bitcoin-testnet", p2pkhTest}, {"bitcoin-testnet", p2shTest}}).Draw(t, "network")
		text := base58.CheckEncode(hash(t, 20), n.version)
		mustAccept(t, n.network, text)
		mustRefuse(t, n.network, oneChanged(t, text, base58Alphabet, 0))
	})
}

func TestUpToFourChangedCharactersOfASegwitAddressAreRefused(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		taproot := rapid.Bool().Draw(t, "taproot")
		size := 32
		if !taproot && rapid.Bool().Draw(t, "key hash") {
			size = 20
		}
		data, err := bech32.ConvertBits(hash(t, size), 8, 5, true)
		if err != nil {
			t.Fatal(err)
		}
		var text string
		if taproot {
			text, err = bech32.EncodeM("bc", append([]byte{1}, data...))
		} else {
			text, err = bech32.Encode("bc", append([]byte{0}, data...))
		}
		if err != nil {
			t.Fatal(err)
		}
		mustAccept(t, "bitcoin", text)
		changed := text
		for range rapid.IntRange(1, 4).Draw(t, "changes") {
			changed = oneChanged(t, changed, "qpzry9x8gf2tvdw0s3jn54khce6mua7l", 3)
		}
		if changed != text {
			mustRefuse(t, "bitcoin", changed)
		}
	})
}

func TestOneTurnedCapitalOfAChecksummedAddressIsRefused(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		text := eip55(hash(t, 20))
		mustAccept(t, "ethereum", text)
		i := rapid.IntRange(2, len(text)-1).Draw(t, "position")
		turned := text[:i] + string(text[i]^0x20) + text[i+1:]
		single := turned[2:] == strings.ToLower(turned[2:]) || turned[2:] == strings.ToUpper(turned[2:])
		if text[i] >= 'A' && !single { // a digit has no case; one case alone carries no checksum and is taken with a note
			mustRefuse(t, "ethereum", turned)
		}
	})
}

func TestWhatIsAcceptedIsAcceptedAgainInItsNormalForm(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		raw := hash(t, 20)
		for network, text := range map[string]string{
			"ethereum": strings.ToLower(eip55(raw)), "tron": base58.CheckEncode(raw, tronVersion), "bitcoin": base58.CheckEncode(raw, p2shMain),
		} {
			first := mustAccept(t, network, text)
			again := mustAccept(t, network, first.Normalized)
			if !Same(first, again) || again.Note != "" && network != "ethereum" {
				t.Fatalf("%+v became %+v", first, again)
			}
		}
	})
}

func FuzzValidate(f *testing.F) {
	for _, s := range []string{"", "0x5aAeb6053F3E94C9b9A09f33669435E7Ef1BeAed", "TR7NHqjeKQxGTCi8q8ZY4pL8otSzgjLj6t", "bc1qw508d6qejxtdg4y5r3zarvary0c5xw7kv8f3t4",
		"1A1zP1eP5QGefi2DMPTfTL5SLmv7DivfNa", "bc1", "tb11", "0x", "T", "\x00", "а", "bitcoin:x"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, text string) {
		for _, n := range Networks() {
			a, err := Validate(n.Name, text)
			if err != nil {
				if a != (Address{}) || err.Error() == "" || !utf8.ValidString(err.Error()) || len(err.Error()) > 400 {
					t.Fatalf("%s: %+v, %q", n.Name, a, err)
				}
				continue
			}
			again, err := Validate(n.Name, a.Normalized)
			if err != nil || !Same(a, again) {
				t.Fatalf("%s: %+v is not accepted in its own form: %v", n.Name, a, err)
			}
			if strings.Join(a.Groups(), "") != a.Normalized {
				t.Fatalf("groups lose characters: %v", a.Groups())
			}
		}
	})
}
