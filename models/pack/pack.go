// Package pack writes evidence packs and checks them: a ZIP of everything that is kept about one transaction, with the SHA-256 of every file
// and one signature over the list, so that it can be checked without this program and without its database.
//
// It imports models only. It is imported by handlers, which hands packs out, and by web, whose command checks them.
package pack

import (
	"archive/zip"
	"compress/flate"
	"context"
	"crypto/ed25519"
	"crypto/sha256"
	"crypto/x509"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"encoding/pem"
	"fmt"
	"io"
	"slices"
	"strings"

	"countinghouse/models"
)

// Format names what the pack is and how it is to be read.
const Format = "countinghouse evidence pack 1"

// The files that every pack has.
const (
	ManifestName  = "manifest.json"
	SignatureName = "manifest.sig" // 64 bytes, Ed25519 over the bytes of the manifest
	keyName       = "public-key.pem"
	sumsName      = "SHA256SUMS"
	readmeName    = "README.txt"
	anchorsName   = "audit/anchors.jsonl"
	approvalsName = "approvals.json"
)

// Manifest is the list that the signature covers.
type Manifest struct {
	Format      string           `json:"format"`
	Environment string           `json:"environment"`
	Transaction string           `json:"transaction"`
	Reference   string           `json:"reference"`
	MadeAt      string           `json:"made_at"`
	MadeBy      string           `json:"made_by"`
	LeftOut     []models.LeftOut `json:"left_out"`
	KeyID       string           `json:"key_id"`
	PublicKey   string           `json:"public_key"` // base64 of the 32 bytes
	Files       []File           `json:"files"`
}

// File is one line of the manifest.
type File struct {
	Name   string `json:"name"`
	Size   int64  `json:"size"`
	SHA256 string `json:"sha256"`
}

// Source is where a pack takes what it needs beyond the case file.
type Source struct {
	Exchange func(ctx context.Context, id string) (models.ExchangeRecord, error)
	Delivery func(ctx context.Context, id string) (models.Delivery, error)
	Sign     func(manifest []byte) ([]byte, error)
	Key      ed25519.PublicKey
	KeyID    string
}

// writer is a ZIP that remembers what it holds.
type writer struct {
	zip   *zip.Writer
	head  zip.FileHeader
	files []File
}

// Write streams the pack. The same case file gives the same bytes, except for the moment of its making. An error leaves a ZIP without its end, which no program
// takes for whole.
func Write(ctx context.Context, w io.Writer, f *models.CaseFile, from Source) error {
	z := &writer{zip: zip.NewWriter(w), head: zip.FileHeader{Method: zip.Deflate, Modified: f.Story.Transaction.UpdatedAt.Time()}}
	z.zip.RegisterCompressor(zip.Deflate, func(out io.Writer) (io.WriteCloser, error) { return flate.NewWriter(out, flate.DefaultCompression) })
	pub, err := PublicPEM(from.Key)
	if err != nil {
		return err
	}
	if err := z.add(readmeName, readme(f, from.KeyID)); err != nil {
		return err
	}
	if err := z.add(keyName, pub); err != nil {
		return err
	}
	for _, part := range []func(context.Context, *models.CaseFile, Source) error{z.story, z.requests, z.trail, z.exchanges, z.deliveries} {
		if err := part(ctx, f, from); err != nil {
			return err
		}
	}
	if err := z.add(sumsName, sums(z.files)); err != nil {
		return err
	}
	return z.close(f, from)
}

func (z *writer) add(name string, content []byte) error {
	if err := z.put(name, content); err != nil {
		return err
	}
	sum := sha256.Sum256(content)
	z.files = append(z.files, File{Name: name, Size: int64(len(content)), SHA256: hex.EncodeToString(sum[:])})
	return nil
}

func (z *writer) put(name string, content []byte) error {
	h := z.head
	h.Name = name
	out, err := z.zip.CreateHeader(&h)
	if err == nil {
		_, err = out.Write(content)
	}
	if err != nil {
		return fmt.Errorf("write %s into the pack: %w", name, err)
	}
	return nil
}

func (z *writer) json(name string, v any) error {
	b, err := json.MarshalIndent(v, "", "  ")
	if err != nil {
		return fmt.Errorf("encode %s: %w", name, err)
	}
	return z.add(name, append(b, '\n'))
}

// close writes the list, its signature and the ZIP's own end.
func (z *writer) close(f *models.CaseFile, from Source) error {
	t := &f.Story.Transaction
	m := Manifest{Format: Format, Environment: string(t.Environment), Transaction: t.ID, Reference: t.Reference, MadeAt: moment(f.MadeAt), MadeBy: f.MadeBy,
		LeftOut: f.LeftOut, KeyID: from.KeyID, PublicKey: base64.StdEncoding.EncodeToString(from.Key), Files: z.files}
	if m.LeftOut == nil {
		m.LeftOut = []models.LeftOut{}
	}
	b, err := json.MarshalIndent(m, "", "  ")
	if err != nil {
		return fmt.Errorf("encode the manifest: %w", err)
	}
	b = append(b, '\n')
	sig, err := from.Sign(b)
	if err != nil {
		return fmt.Errorf("sign the manifest: %w", err)
	}
	if err := z.put(ManifestName, b); err != nil {
		return err
	}
	if err := z.put(SignatureName, sig); err != nil {
		return err
	}
	return z.zip.Close()
}

// sums lists files as sha256sum writes and reads them.
func sums(files []File) []byte {
	var b strings.Builder
	for _, f := range slices.SortedFunc(slices.Values(files), func(a, b File) int { return strings.Compare(a.Name, b.Name) }) {
		b.WriteString(f.SHA256 + "  " + f.Name + "\n")
	}
	return []byte(b.String())
}

// PublicPEM is a public key as it is handed over; ParseKey reads it.
func PublicPEM(key ed25519.PublicKey) ([]byte, error) {
	der, err := x509.MarshalPKIXPublicKey(key)
	if err != nil {
		return nil, fmt.Errorf("encode the public key: %w", err)
	}
	return pem.EncodeToMemory(&pem.Block{Type: "PUBLIC KEY", Bytes: der}), nil
}

// ParseKey reads a public key as it is handed over: a PEM block, or the base64 of its 32 bytes.
func ParseKey(text []byte) (ed25519.PublicKey, error) {
	if block, _ := pem.Decode(text); block != nil {
		k, err := x509.ParsePKIXPublicKey(block.Bytes)
		if pub, ok := k.(ed25519.PublicKey); ok && err == nil {
			return pub, nil
		}
	}
	if raw, err := base64.StdEncoding.DecodeString(strings.TrimSpace(string(text))); err == nil && len(raw) == ed25519.PublicKeySize {
		return ed25519.PublicKey(raw), nil
	}
	return nil, models.Errorf(models.Invalid, "This is no Ed25519 public key: give the PEM that “countinghouse audit key” prints.")
}
