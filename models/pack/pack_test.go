package pack_test

import (
	"archive/zip"
	"bytes"
	"context"
	"crypto/ed25519"
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"io"
	"maps"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"countinghouse/models"
	"countinghouse/models/pack"
)

func key(seed string) ed25519.PrivateKey {
	sum := sha256.Sum256([]byte(seed))
	return ed25519.NewKeyFromSeed(sum[:])
}

var house = key("the merchant")

// file is a payout that one person made, another approved, the provider refused to answer for and then settled.
func file() *models.CaseFile {
	const at = models.Micros(1_790_000_000_000_000)
	t := models.Transaction{ID: "0199-t", Environment: models.Sandbox, Kind: models.Payout, Provider: "onekey", CredentialID: "c-1", Method: "br_pix_cpf", Reference: "CH0000000001",
		ProviderRef: "77\x1b[31m", State: models.Succeeded, Amount: models.Money{Minor: 184000, Asset: "BRL"}, Party: "João <b>Álvares</b>", CreatedAt: at, UpdatedAt: at.Add(9e9),
		CreatedByName: "Ada"}
	d := models.TransactionDetail{Values: map[string]string{"beneficiary_name": "João <b>Álvares</b>", "document_id": "52998224725"}}
	t.Digest = models.PayloadOf(&t, &d).Digest()
	f := &models.CaseFile{MadeAt: at.Add(1e12), MadeBy: "Ivy", Figures: map[string]models.Figures{"e1": {Amount: t.Amount}}, ExchangeIDs: []string{"x1"}, DeliveryIDs: []string{"d1"}}
	f.Story = models.TransactionPage{Transaction: t, Detail: d, Events: []models.Event{{ID: "e1", At: at, What: "created", Sentence: "Created by Ada"}},
		Attempts: []models.Attempt{{Number: 1, Operation: models.OpSend, Reference: t.Reference, Digest: t.Digest, State: models.AttemptUnknown, StartedAt: at, Deadline: at.Add(1e9)}},
		Evidence: []models.Evidence{{At: at, Source: "reply", Result: "lost", Says: "timeout", ExchangeID: "x1"}},
		Notes:    []models.Note{{At: at, Name: "Ada", Body: "Asked them by phone."}},
		Approvals: []models.ApprovalRequest{{Subject: "transaction", Title: "payout", Digest: t.Digest, Payload: string(models.PayloadOf(&t, &d).Bytes()), Rule: "one approver", Needed: 1, State: "approved",
			CreatedAt: at, Decisions: []models.Decision{{UserID: "u2", Name: "Bea", Decision: "approve", Digest: t.Digest, At: at}}}}}
	prev := ""
	for i, action := range []string{"payout.create", "approval.approve", "", "transaction.note"} { // the third is about something else
		e := models.AuditEntry{Seq: int64(i + 1), At: at, ActorName: "Ada", Action: action, Noun: "transaction", NounID: t.ID, Sentence: "…"}
		sum := sha256.Sum256(e.Link(prev))
		e.Hash = hex.EncodeToString(sum[:])
		if action != "" {
			a := models.AuditAnchor{Seq: e.Seq, Hash: e.Hash, At: e.At, KeyID: "k"}
			a.Signature = base64.StdEncoding.EncodeToString(ed25519.Sign(house, a.Text()))
			f.Audit = append(f.Audit, models.AuditLink{Prev: prev, Entry: e, Anchor: a})
		}
		prev = e.Hash
	}
	return f
}

func source() pack.Source {
	return pack.Source{Key: house.Public().(ed25519.PublicKey), KeyID: "k",
		Sign: func(m []byte) ([]byte, error) { return ed25519.Sign(house, m), nil },
		Exchange: func(_ context.Context, id string) (models.ExchangeRecord, error) {
			return models.ExchangeRecord{ID: id, Operation: "../../create payout", Method: "POST", URL: "https://x.example", RequestBody: []byte(`{"a":1}`), ResponseBody: []byte{0xff, 0}, Sent: true}, nil
		},
		Delivery: func(_ context.Context, id string) (models.Delivery, error) {
			body := []byte("status=1\x00")
			sum := sha256.Sum256(body)
			return models.Delivery{ID: id, Topic: "cashout", Body: body, Digest: hex.EncodeToString(sum[:]), Trust: "verified", Sentence: "The signature is right."}, nil
		}}
}

func write(t *testing.T, f *models.CaseFile) []byte {
	t.Helper()
	var b bytes.Buffer
	if err := pack.Write(t.Context(), &b, f, source()); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

// unzip reads a pack into its files, in order.
func unzip(t *testing.T, b []byte) (names []string, files map[string][]byte) {
	t.Helper()
	z, err := zip.NewReader(bytes.NewReader(b), int64(len(b)))
	if err != nil {
		t.Fatal(err)
	}
	files = map[string][]byte{}
	for _, f := range z.File {
		r, err := f.Open()
		if err != nil {
			t.Fatal(err)
		}
		if files[f.Name], err = io.ReadAll(r); err != nil {
			t.Fatal(err)
		}
		names = append(names, f.Name)
	}
	return names, files
}

// rezip packs files again, as a forger would.
func rezip(t *testing.T, files map[string][]byte) []byte {
	t.Helper()
	var b bytes.Buffer
	z := zip.NewWriter(&b)
	for _, name := range slices.Sorted(maps.Keys(files)) {
		w, err := z.Create(name)
		if err == nil {
			_, err = w.Write(files[name])
		}
		if err != nil {
			t.Fatal(err)
		}
	}
	if err := z.Close(); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

func check(t *testing.T, b []byte, k ed25519.PublicKey) *pack.Report {
	t.Helper()
	rep, err := pack.Check(bytes.NewReader(b), int64(len(b)), k)
	if err != nil {
		t.Fatal(err)
	}
	return rep
}

func TestAWholePackIsWhole(t *testing.T) {
	b := write(t, file())
	rep := check(t, b, house.Public().(ed25519.PublicKey))
	if !rep.Whole() || !rep.KeyGiven || rep.Entries != 3 || rep.Linked != 1 || rep.Payloads != 1 {
		t.Errorf("%+v", rep)
	}
	names, files := unzip(t, b)
	want := []string{"README.txt", "public-key.pem", "transaction.json", "timeline.json", "attempts.json", "evidence.json", "ledger.json", "notes.json", "related.json",
		"approvals/001-payload.json", "approvals.json", "audit/000000001.txt", "audit/000000002.txt", "audit/000000004.txt", "audit/anchors.jsonl",
		"exchanges/001-------create-payout.json", "webhooks/001-cashout.json", "webhooks/001-cashout.body", "SHA256SUMS", "manifest.json", "manifest.sig"}
	if diff := cmp.Diff(want, names); diff != "" {
		t.Errorf("files (-want +got):\n%s", diff)
	}
	if strings.Contains(string(files["README.txt"]), "\x1b") {
		t.Error("a provider's reference writes to the terminal of whoever reads the README")
	}
	if !strings.Contains(string(files["README.txt"]), "No real money moved.") {
		t.Error("the README of a sandbox pack does not say so")
	}
	if rep = check(t, b, nil); !rep.Whole() || rep.KeyGiven {
		t.Errorf("with the key inside: %+v", rep)
	}
}

func TestTheSameStateGivesTheSamePack(t *testing.T) {
	one, two := file(), file()
	if !bytes.Equal(write(t, one), write(t, two)) {
		t.Error("two packs of one case file differ")
	}
	two.MadeAt, two.MadeBy = two.MadeAt+1, "Somebody else"
	_, a := unzip(t, write(t, one))
	_, b := unzip(t, write(t, two))
	for name := range a {
		if differ := !bytes.Equal(a[name], b[name]); differ != (name == pack.ManifestName || name == pack.SignatureName) {
			t.Errorf("made at another moment, %s differs: %v", name, differ)
		}
	}
}

// resign lets a forger put a whole list of their own into a pack, signed with a key.
func resign(t *testing.T, files map[string][]byte, k ed25519.PrivateKey) {
	t.Helper()
	var m pack.Manifest
	if err := json.Unmarshal(files[pack.ManifestName], &m); err != nil {
		t.Fatal(err)
	}
	m.PublicKey = base64.StdEncoding.EncodeToString(k.Public().(ed25519.PublicKey))
	m.Files = nil
	var sums string
	for _, name := range slices.Sorted(maps.Keys(files)) {
		if name == pack.ManifestName || name == pack.SignatureName || name == "SHA256SUMS" {
			continue
		}
		sum := sha256.Sum256(files[name])
		m.Files = append(m.Files, pack.File{Name: name, Size: int64(len(files[name])), SHA256: hex.EncodeToString(sum[:])})
		sums += hex.EncodeToString(sum[:]) + "  " + name + "\n"
	}
	files["SHA256SUMS"] = []byte(sums)
	sum := sha256.Sum256([]byte(sums))
	m.Files = append(m.Files, pack.File{Name: "SHA256SUMS", Size: int64(len(sums)), SHA256: hex.EncodeToString(sum[:])})
	b, err := json.Marshal(m)
	if err != nil {
		t.Fatal(err)
	}
	files[pack.ManifestName], files[pack.SignatureName] = b, ed25519.Sign(k, b)
}

func TestEveryForgeryIsFoundAndNamed(t *testing.T) {
	replace := func(name, old, with string) func(*testing.T, map[string][]byte) {
		return func(t *testing.T, files map[string][]byte) {
			changed := bytes.Replace(files[name], []byte(old), []byte(with), 1)
			if bytes.Equal(changed, files[name]) {
				t.Fatalf("%s does not hold %q:\n%s", name, old, files[name])
			}
			files[name] = changed
		}
	}
	insider := func(change func(*testing.T, map[string][]byte)) func(*testing.T, map[string][]byte) { // somebody who has the key
		return func(t *testing.T, files map[string][]byte) { change(t, files); resign(t, files, house) }
	}
	cases := map[string]struct {
		forge func(*testing.T, map[string][]byte)
		says  string
	}{
		"an amount":         {replace("transaction.json", "1840.00", "1840.01"), `"transaction.json" was changed`},
		"a file is gone":    {func(_ *testing.T, f map[string][]byte) { delete(f, "notes.json") }, "notes.json is missing"},
		"a file is added":   {func(_ *testing.T, f map[string][]byte) { f["invoice.exe"] = []byte("x") }, `"invoice.exe" is not in the list`},
		"the list":          {replace("manifest.json", `"environment": "sandbox"`, `"environment": "live"`), "signature does not fit"},
		"no signature":      {func(_ *testing.T, f map[string][]byte) { delete(f, "manifest.sig") }, "manifest.sig is missing"},
		"another signature": {func(_ *testing.T, f map[string][]byte) { f["manifest.sig"] = make([]byte, 64) }, "signature does not fit"},
		"a short signature": {func(_ *testing.T, f map[string][]byte) { f["manifest.sig"] = []byte("x") }, "signature does not fit"},
		"the sums":          {replace("SHA256SUMS", "README", "READYOU"), "SHA256SUMS does not say what the list says"},
		"all, with another key": {func(t *testing.T, f map[string][]byte) {
			replace("transaction.json", "1840.00", "9.00")(t, f)
			resign(t, f, key("a forger"))
		}, "not the key that you gave"},
		"what was agreed to": {insider(replace("approvals/001-payload.json", "184000", "999000")), "not what people agreed to"},
		"who saw what": {insider(replace("approvals.json", `"decision": "approve",
        "digest": "`, `"decision": "approve",
        "digest": "00`)), "decided on something else"},
		"an audit entry":   {insider(replace("audit/000000002.txt", "approval.approve", "approval.reject")), "entry 2 is not the one that was signed"},
		"an entry is gone": {insider(func(_ *testing.T, f map[string][]byte) { delete(f, "audit/000000004.txt") }), "2 audit entries stand beside 3 anchors"},
		"an anchor":        {insider(replace("audit/anchors.jsonl", `"seq":1,`, `"seq":3,`)), "anchor of audit entry 3 has a wrong signature"},
	}
	for name, c := range cases {
		t.Run(name, func(t *testing.T) {
			_, files := unzip(t, write(t, file()))
			c.forge(t, files)
			rep := check(t, rezip(t, files), house.Public().(ed25519.PublicKey))
			if !strings.Contains(strings.Join(rep.Problems, "\n"), c.says) {
				t.Errorf("want %q among:\n%s", c.says, strings.Join(rep.Problems, "\n"))
			}
		})
	}
}

// A chain whose links do not hold is found even when the merchant's own key signed both places.
func TestABrokenLinkIsFound(t *testing.T) {
	f := file()
	l := &f.Audit[1]
	l.Prev = strings.Repeat("0", 64)
	sum := sha256.Sum256(l.Entry.Link(l.Prev))
	l.Anchor.Hash = hex.EncodeToString(sum[:])
	l.Anchor.Signature = base64.StdEncoding.EncodeToString(ed25519.Sign(house, l.Anchor.Text()))
	rep := check(t, write(t, f), nil)
	if len(rep.Problems) != 1 || !strings.Contains(rep.Problems[0], "the chain is broken between them") {
		t.Errorf("%q", rep.Problems)
	}
}

func TestWhatIsNoPackIsSaid(t *testing.T) {
	huge := func() []byte {
		var b bytes.Buffer
		z := zip.NewWriter(&b)
		w, _ := z.Create("manifest.json")
		_, _ = w.Write(bytes.Repeat([]byte{' '}, 65<<20))
		_ = z.Close()
		return b.Bytes()
	}
	whole := write(t, file())
	for name, b := range map[string][]byte{"empty": nil, "text": []byte("hello"), "another ZIP": rezip(t, map[string][]byte{"a.txt": nil}), "half": whole[:len(whole)/2],
		"another format": rezip(t, map[string][]byte{"manifest.json": []byte(`{"format":"x"}`)}), "no JSON": rezip(t, map[string][]byte{"manifest.json": []byte(`{`)}), "a bomb": huge()} {
		if rep, err := pack.Check(bytes.NewReader(b), int64(len(b)), nil); err == nil || !models.Is(err, models.Invalid) {
			t.Errorf("%s: %+v, %v", name, rep, err)
		}
	}
}

// The README promises that the tools of every machine suffice; so they are run.
func TestTheReadmesCommandsWork(t *testing.T) {
	for _, tool := range []string{"sha256sum", "openssl"} {
		if _, err := exec.LookPath(tool); err != nil {
			t.Skipf("%s is not on this machine, so the README's commands cannot be tried", tool)
		}
	}
	dir := t.TempDir()
	_, files := unzip(t, write(t, file()))
	for name, b := range files {
		path := filepath.Join(dir, filepath.FromSlash(name))
		if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, b, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	run := func(args ...string) string {
		cmd := exec.CommandContext(t.Context(), args[0], args[1:]...)
		cmd.Dir = dir
		out, err := cmd.CombinedOutput()
		if err != nil {
			t.Errorf("%v: %v\n%s", args, err, out)
		}
		return string(out)
	}
	if out := run("sha256sum", "-c", "SHA256SUMS"); strings.Count(out, ": OK") != len(files)-3 {
		t.Errorf("sha256sum:\n%s", out)
	}
	command := "openssl pkeyutl -verify -pubin -inkey public-key.pem -rawin -in manifest.json -sigfile manifest.sig"
	if !strings.Contains(string(files["README.txt"]), command) {
		t.Error("the README has another command")
	}
	if out := run(strings.Fields(command)...); !strings.Contains(out, "Signature Verified Successfully") {
		t.Errorf("openssl:\n%s", out)
	}
	if out := run("sha256sum", "audit/000000002.txt"); !strings.HasPrefix(out, file().Audit[1].Entry.Hash) {
		t.Errorf("the entry's hash is %s, sha256sum says %s", file().Audit[1].Entry.Hash, out)
	}
}
