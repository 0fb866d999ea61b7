package vault

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/base64"
	"encoding/binary"
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"sync"

	"github.com/tink-crypto/tink-go/v2/aead"
	"github.com/tink-crypto/tink-go/v2/insecurecleartextkeyset"
	"github.com/tink-crypto/tink-go/v2/keyset"
	"github.com/tink-crypto/tink-go/v2/prf"
	tinkpb "github.com/tink-crypto/tink-go/v2/proto/tink_go_proto"
	"github.com/tink-crypto/tink-go/v2/tink"
)

// keyDocument is the text of a key file: two Tink keysets IN CLEARTEXT. Nothing protects them but the mode of the file
// and whoever guards the machine. A merchant who wants more puts a KMS behind KeyEncryption.
type keyDocument struct {
	About       string          `json:"about"`
	Version     int             `json:"version"`
	Sealing     json.RawMessage `json:"sealing"`     // wraps data keys; one primary, older ones still open
	Fingerprint json.RawMessage `json:"fingerprint"` // apart from the above, so that fingerprints outlive rotations
}

const aboutKeys = "Countinghouse sealing keys, in cleartext. Whoever has this file and the database can read every provider secret. " +
	"Keep it at mode 0600, back it up apart from the database, never commit it."

const maxDocument = 256 << 10

// keys is one reading of a document.
type keys struct {
	digest  [32]byte
	sealing *keyset.Handle
	finger  *keyset.Handle
	aead    tink.AEAD
	prf     *prf.Set
	primary uint32
	known   map[uint32]bool
}

// Keyset is a KeyEncryption over a key document. It can be reloaded while in use.
type Keyset struct {
	read func() ([]byte, error)
	mu   sync.RWMutex
	now  *keys
}

// FromString reads a document from a string, as it stands in the environment: JSON as written by NewDocument, or that in
// standard base64.
func FromString(document string) (*Keyset, error) {
	return open(func() ([]byte, error) { return []byte(document), nil })
}

func open(read func() ([]byte, error)) (*Keyset, error) {
	k := &Keyset{read: read}
	if _, err := k.Reload(); err != nil {
		return nil, err
	}
	return k, nil
}

// Reload reads the document again. On an error the keys in use stay. changed says whether they are new.
func (k *Keyset) Reload() (changed bool, err error) {
	raw, err := k.read()
	if err != nil {
		return false, err
	}
	next, err := parseDocument(raw)
	if err != nil {
		return false, err
	}
	k.mu.Lock()
	defer k.mu.Unlock()
	if k.now != nil && k.now.digest == next.digest {
		return false, nil
	}
	if k.now != nil {
		// Another fingerprint key would make every known secret look new.
		if a, b := k.now.finger.KeysetInfo().GetPrimaryKeyId(), next.finger.KeysetInfo().GetPrimaryKeyId(); a != b {
			return false, errors.New("vault: the key file was replaced by an unrelated one; the keys in use stay")
		}
	}
	k.now = next
	return true, nil
}

func (k *Keyset) current() *keys {
	k.mu.RLock()
	defer k.mu.RUnlock()
	return k.now
}

// Wrap encrypts under the primary key.
func (k *Keyset) Wrap(_ context.Context, key, aad []byte) ([]byte, error) {
	return k.current().aead.Encrypt(key, aad)
}

// Unwrap decrypts with whichever key it was. For a key it does not know it reads the document once more: another process
// may just have rotated.
func (k *Keyset) Unwrap(_ context.Context, wrapped, aad []byte) ([]byte, error) {
	id, ok := wrappingKey(wrapped)
	if !ok {
		return nil, ErrWillNotOpen
	}
	set := k.current()
	if !set.known[id] {
		if changed, err := k.Reload(); err != nil || !changed {
			return nil, ErrUnknownKey
		}
		if set = k.current(); !set.known[id] {
			return nil, ErrUnknownKey
		}
	}
	plain, err := set.aead.Decrypt(wrapped, aad)
	if err != nil || len(plain) != dataKeySize {
		return nil, ErrWillNotOpen
	}
	return plain, nil
}

// Current reports whether wrapped was made with the primary key.
func (k *Keyset) Current(wrapped []byte) bool {
	id, ok := wrappingKey(wrapped)
	return ok && id == k.current().primary
}

// Fingerprint is the pseudo-random function of the fingerprint key.
func (k *Keyset) Fingerprint(plaintext []byte) ([]byte, error) {
	return k.current().prf.ComputePrimaryPRF(append([]byte("countinghouse/fingerprint/v1\x00"), plaintext...), 16)
}

// wrappingKey reads Tink's output prefix: 0x01, then the key id in four bytes, big endian.
func wrappingKey(wrapped []byte) (uint32, bool) {
	if len(wrapped) < 5 || wrapped[0] != 1 {
		return 0, false
	}
	return binary.BigEndian.Uint32(wrapped[1:5]), true
}

// NewDocument makes fresh keys and returns them as the text of a key file or environment variable.
func NewDocument() (string, error) {
	sealing, err := keyset.NewHandle(aead.AES256GCMKeyTemplate())
	if err != nil {
		return "", fmt.Errorf("vault: new key: %w", err)
	}
	finger, err := keyset.NewHandle(prf.HMACSHA256PRFKeyTemplate())
	if err != nil {
		return "", fmt.Errorf("vault: new key: %w", err)
	}
	return writeDocument(sealing, finger)
}

func writeDocument(sealing, finger *keyset.Handle) (string, error) {
	doc := keyDocument{About: aboutKeys, Version: 1}
	for _, part := range []struct {
		from *keyset.Handle
		to   *json.RawMessage
	}{{sealing, &doc.Sealing}, {finger, &doc.Fingerprint}} {
		var buf bytes.Buffer
		if err := insecurecleartextkeyset.Write(part.from, keyset.NewJSONWriter(&buf)); err != nil {
			return "", fmt.Errorf("vault: write keys: %w", err)
		}
		*part.to = buf.Bytes()
	}
	out, err := json.MarshalIndent(doc, "", "  ")
	if err != nil {
		return "", fmt.Errorf("vault: write keys: %w", err)
	}
	return string(out) + "\n", nil
}

// parseDocument never puts a byte of the document into an error.
func parseDocument(raw []byte) (*keys, error) {
	text := strings.TrimSpace(string(raw))
	switch {
	case text == "":
		return nil, errors.New("vault: the key is empty")
	case len(text) > maxDocument:
		return nil, errors.New("vault: the key is far too long to be one")
	case text[0] != '{':
		decoded, err := base64.StdEncoding.DecodeString(text)
		if err != nil {
			return nil, errors.New("vault: the key is neither JSON nor base64 of it")
		}
		text = string(decoded)
	}
	var doc keyDocument
	if err := json.Unmarshal([]byte(text), &doc); err != nil || doc.Version != 1 || len(doc.Sealing) == 0 || len(doc.Fingerprint) == 0 {
		return nil, errors.New("vault: this is not a Countinghouse key; make one with \"countinghouse vault create\"")
	}
	return loadKeys(doc, sha256.Sum256([]byte(text)))
}

func loadKeys(doc keyDocument, digest [32]byte) (*keys, error) {
	out := &keys{digest: digest, known: map[uint32]bool{}}
	broken := errors.New("vault: the key is damaged: one of its keysets cannot be used")
	var err error
	if out.sealing, err = insecurecleartextkeyset.Read(keyset.NewJSONReader(bytes.NewReader(doc.Sealing))); err != nil {
		return nil, broken
	}
	if out.finger, err = insecurecleartextkeyset.Read(keyset.NewJSONReader(bytes.NewReader(doc.Fingerprint))); err != nil {
		return nil, broken
	}
	if out.aead, err = aead.New(out.sealing); err != nil {
		return nil, broken
	}
	if out.prf, err = prf.NewPRFSet(out.finger); err != nil {
		return nil, broken
	}
	info := out.sealing.KeysetInfo()
	out.primary = info.GetPrimaryKeyId()
	for _, key := range info.GetKeyInfo() {
		if key.GetOutputPrefixType() != tinkpb.OutputPrefixType_TINK {
			return nil, broken
		}
		out.known[key.GetKeyId()] = key.GetStatus() == tinkpb.KeyStatusType_ENABLED
	}
	return out, nil
}
