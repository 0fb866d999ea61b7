package pack

import (
	"fmt"
	"strings"

	"countinghouse/models"
)

// readme says what is in the pack and how to check it with tools that everybody has. It holds no moment of making, so that it is the same in
// every pack of the same state.
func readme(f *models.CaseFile, keyID string) []byte {
	t := &f.Story.Transaction
	var b strings.Builder
	line := func(format string, args ...any) { fmt.Fprintf(&b, format+"\n", args...) }
	line("EVIDENCE PACK")
	line("")
	line("%s %s, %s, %s.", t.Kind, t.Reference, t.Amount, t.State.Word())
	line("Environment: %s.%s", t.Environment, map[bool]string{true: " No real money moved."}[t.Environment == models.Sandbox])
	line("Provider: %s. Its reference: %s.", t.Provider, orDash(models.Safe(t.ProviderRef, 200)))
	line("")
	line("WHAT IS IN IT")
	line("")
	for _, x := range [][2]string{
		{"transaction.json", "the transaction as it stands, and the request as it was typed"},
		{"timeline.json", "every event, with the amounts after it"},
		{"attempts.json", "every try to send, cancel, hold or release"},
		{"evidence.json", "what each source said about the outcome; source \"statement\" is a line of the provider's statement"},
		{"approvals.json", "the rule that fired, who was asked, who decided, and the digest of what they saw"},
		{"approvals/", "what they saw: the SHA-256 of such a file is the digest in approvals.json"},
		{"ledger.json", "the entries in the books"},
		{"notes.json, related.json", "remarks of people; refunds of a deposit or the deposit of a refund"},
		{"papers.json", "files that people put on record, by name and SHA-256, where there are any; the files stay in the house"},
		{"exchanges/", "requests to the provider and its answers; secrets were blotted out before anything was stored"},
		{"webhooks/", "calls of the provider, what their verification found, and the body"},
		{"audit/", "entries of the audit trail about this transaction"},
		{"manifest.json, manifest.sig", "the SHA-256 of every file, and the signature"},
	} {
		line("  %-28s %s", x[0], x[1])
	}
	line("")
	if len(f.LeftOut) > 0 {
		line("WHAT IS NOT IN IT")
		line("")
		for _, x := range f.LeftOut {
			line("  %-28s %s", x.Part, x.Why)
		}
		line("")
	}
	b.WriteString(howToCheck)
	line("The key of this pack is %s.", keyID)
	return []byte(b.String())
}

const howToCheck = `HOW TO CHECK IT WITHOUT US

1. Unpack it. Nothing was changed in a file if this prints only OK:

     sha256sum -c SHA256SUMS

2. The list itself was signed by the merchant's audit key if this prints "Signature Verified Successfully":

     openssl pkeyutl -verify -pubin -inkey public-key.pem -rawin -in manifest.json -sigfile manifest.sig

   manifest.json carries the same sums, that of SHA256SUMS too. Compare public-key.pem with the key that the merchant gave
   you some other way: a forger would put a key of their own here.

3. Each file audit/NNN.txt is one entry of the audit trail: the hash of the entry before it, a line end, the entry as JSON.
   Its SHA-256 is the entry's own hash, which the next entry begins with. audit/anchors.jsonl signs each place: Ed25519 over
   "countinghouse audit anchor", the number, the hash and the time in microseconds, each on a line of its own and no line end
   after the last.

4. Whoever has the merchant's database proves that these entries still stand in the whole trail with:

     countinghouse audit verify --anchors audit/anchors.jsonl

Steps 1 to 3 are one command with the program, on any machine and without a database:

     countinghouse audit check-pack FILE.zip --key their-key.pem

Who took evidence packs stands in the audit trail but not in a pack, so that two packs of the same state are the same
except for the moment of their making.

`

func orDash(s string) string {
	if s == "" {
		return "none"
	}
	return s
}
