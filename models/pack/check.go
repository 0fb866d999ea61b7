package pack

import (
	"archive/zip"
	"bytes"
	"crypto/ed25519"
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"io"
	"strconv"
	"strings"

	"countinghouse/models"
)

// What a pack may hold. A file that claims to be a pack and is larger is not read: it may be made to fill the memory.
const (
	maxFiles = 50_000
	maxFile  = 64 << 20
	maxAll   = 2 << 30
)

// Report is what checking a pack found.
type Report struct {
	Manifest Manifest
	KeyGiven bool // the signature was checked against a key from outside, not only against the one inside
	Files    int
	Entries  int // audit entries whose hash and place hold
	Linked   int // of them, those that follow directly on another one in the pack
	Payloads int // texts that people agreed to whose digest holds
	Problems []string
}

// Whole reports that nothing is missing, added or changed.
func (r *Report) Whole() bool { return len(r.Problems) == 0 }

func (r *Report) fault(format string, args ...any) {
	if len(r.Problems) < 50 {
		r.Problems = append(r.Problems, fmt.Sprintf(format, args...))
	}
}

// checker holds an opened pack. Only small files are kept: those that the second part of the check looks into.
type checker struct {
	*Report
	files map[string]*zip.File
	sums  map[string]string // name → SHA-256 as found
	key   ed25519.PublicKey
}

// Check reads a pack and says everything that is wrong with it. key is the merchant's public key, obtained some other way than with the
// pack; nil trusts the key inside, which proves only that nothing was changed after that key signed. An error means that this is no pack.
func Check(r io.ReaderAt, size int64, key ed25519.PublicKey) (*Report, error) {
	z, err := zip.NewReader(r, size)
	if err != nil {
		return nil, models.Errorf(models.Invalid, "This is not a whole ZIP file: %v.", err)
	}
	if len(z.File) > maxFiles {
		return nil, models.Errorf(models.Invalid, "The ZIP holds %d files; no evidence pack has more than %d.", len(z.File), maxFiles)
	}
	c := &checker{Report: &Report{KeyGiven: key != nil}, files: map[string]*zip.File{}, sums: map[string]string{}, key: key}
	var all uint64
	for _, f := range z.File {
		if c.files[f.Name] != nil {
			c.fault("The file %q is in the ZIP twice.", f.Name)
		}
		c.files[f.Name] = f
		all += f.UncompressedSize64
	}
	if all > maxAll {
		return nil, models.Errorf(models.Invalid, "The ZIP would unpack to more than %d MiB; no evidence pack does.", maxAll>>20)
	}
	if err := c.signature(); err != nil {
		return nil, err
	}
	c.contents()
	c.trail()
	c.agreements()
	return c.Report, nil
}

func (c *checker) read(name string) ([]byte, error) {
	f := c.files[name]
	if f == nil {
		return nil, models.Errorf(models.Invalid, "The file %s is missing.", name)
	}
	r, err := f.Open()
	if err != nil {
		return nil, models.Errorf(models.Invalid, "The file %q cannot be read: %v.", name, err)
	}
	defer r.Close() //nolint:errcheck // only read
	b, err := io.ReadAll(io.LimitReader(r, maxFile+1))
	if err != nil {
		return nil, models.Errorf(models.Invalid, "The file %q cannot be read: %v.", name, err)
	}
	if len(b) > maxFile {
		return nil, models.Errorf(models.Invalid, "The file %q is larger than %d MiB.", name, maxFile>>20)
	}
	return b, nil
}

// signature reads the list and holds it against the key.
func (c *checker) signature() error {
	b, err := c.read(ManifestName)
	if err != nil {
		return models.Errorf(models.Invalid, "This is no evidence pack: it has no %s.", ManifestName)
	}
	if err := json.Unmarshal(b, &c.Manifest); err != nil || c.Manifest.Format != Format {
		return models.Errorf(models.Invalid, "This is no evidence pack that this program can read: its format is %q.", c.Manifest.Format)
	}
	inside, err := base64.StdEncoding.DecodeString(c.Manifest.PublicKey)
	if err != nil || len(inside) != ed25519.PublicKeySize {
		c.fault("The public key in %s is none.", ManifestName)
		inside = make([]byte, ed25519.PublicKeySize)
	}
	if c.key == nil {
		c.key = inside
	} else if !bytes.Equal(c.key, inside) {
		c.fault("It was signed with the key %s, which is not the key that you gave.", c.Manifest.KeyID)
	}
	sig, err := c.read(SignatureName)
	if err != nil {
		c.fault("%v", err)
	} else if !ed25519.Verify(c.key, b, sig) {
		c.fault("The signature does not fit %s: the list was changed, or signed with another key.", ManifestName)
	}
	return nil
}

// contents compares every file with the list, both ways.
func (c *checker) contents() {
	listed := map[string]bool{ManifestName: true, SignatureName: true}
	for _, f := range c.Manifest.Files {
		if listed[f.Name] {
			c.fault("The list names %q twice.", f.Name)
			continue
		}
		listed[f.Name] = true
		b, err := c.read(f.Name)
		if err != nil {
			c.fault("%v", err)
			continue
		}
		sum := sha256.Sum256(b)
		c.sums[f.Name] = hex.EncodeToString(sum[:])
		if c.sums[f.Name] != f.SHA256 || int64(len(b)) != f.Size {
			c.fault("The file %q was changed: its SHA-256 is %s, the list says %s.", f.Name, c.sums[f.Name], f.SHA256)
			continue
		}
		c.Files++
	}
	for name := range c.files {
		if !listed[name] {
			c.fault("The file %q is not in the list: it was added.", name)
		}
	}
	var rest []File
	for _, f := range c.Manifest.Files {
		if f.Name != sumsName {
			rest = append(rest, f)
		}
	}
	if b, err := c.read(sumsName); err != nil || !bytes.Equal(b, sums(rest)) {
		c.fault("%s does not say what the list says.", sumsName)
	}
	if b, err := c.read(keyName); err == nil {
		if k, err := ParseKey(b); err != nil || base64.StdEncoding.EncodeToString(k) != c.Manifest.PublicKey {
			c.fault("%s is not the key that the list names.", keyName)
		}
	}
}

// trail holds each audit entry against the signed anchor of its place, and against the entry before it where that is in the pack too.
func (c *checker) trail() {
	hashes := map[int64]string{}
	if b, err := c.read(anchorsName); err == nil {
		d := json.NewDecoder(bytes.NewReader(b))
		for d.More() {
			var a models.AuditAnchor
			if err := d.Decode(&a); err != nil {
				c.fault("%s cannot be read: %v.", anchorsName, err)
				break
			}
			sig, err := base64.StdEncoding.DecodeString(a.Signature)
			if err != nil || !ed25519.Verify(c.key, a.Text(), sig) {
				c.fault("The anchor of audit entry %d has a wrong signature.", a.Seq)
				continue
			}
			hashes[a.Seq] = a.Hash
		}
	}
	seen := 0
	for _, f := range c.Manifest.Files {
		text, ok := strings.CutPrefix(f.Name, "audit/")
		if ok && f.Name != anchorsName {
			seen++
			c.entry(f.Name, strings.TrimSuffix(text, ".txt"), hashes)
		}
	}
	if seen != len(hashes) {
		c.fault("%d audit entries stand beside %d anchors.", seen, len(hashes))
	}
}

func (c *checker) entry(name, number string, hashes map[int64]string) {
	seq, err := strconv.ParseInt(number, 10, 64)
	b, rerr := c.read(name)
	if err != nil || rerr != nil {
		c.fault("The file %q is no audit entry.", name)
		return
	}
	prev, text, ok := bytes.Cut(b, []byte{'\n'})
	var e models.AuditEntry
	if !ok || json.Unmarshal(text, &e) != nil || e.Seq != seq {
		c.fault("The file %q is not the audit entry %d.", name, seq)
		return
	}
	if hashes[seq] != c.sums[name] {
		c.fault("Audit entry %d is not the one that was signed at its place.", seq)
		return
	}
	if e.NounID != c.Manifest.Transaction {
		c.fault("Audit entry %d is about something else.", seq)
	}
	if before, ok := hashes[seq-1]; ok {
		if before != string(prev) {
			c.fault("Audit entry %d does not follow on entry %d: the chain is broken between them.", seq, seq-1)
			return
		}
		c.Linked++
	}
	c.Entries++
}

// agreements holds what people agreed to against the digests that they were bound to.
func (c *checker) agreements() {
	b, err := c.read(approvalsName)
	if err != nil {
		return // said already: the list names it
	}
	var list []request
	if err := json.Unmarshal(b, &list); err != nil {
		c.fault("%s cannot be read: %v.", approvalsName, err)
		return
	}
	for _, r := range list {
		for _, d := range r.Decisions {
			if d.Digest != r.Digest {
				c.fault("%s decided on something else than %q: the digests differ.", d.Name, r.Title)
			}
		}
		if r.PayloadFile == "" {
			continue
		}
		if c.sums[r.PayloadFile] != r.Digest {
			c.fault("What is kept of the request %q is not what people agreed to: its digest is %s, theirs was %s.", r.Title, c.sums[r.PayloadFile], r.Digest)
			continue
		}
		c.Payloads++
	}
}
