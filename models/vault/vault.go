// Package vault seals secrets: provider keys, gift-card codes, files at rest. Each secret gets a data key of its own;
// the data key is wrapped by a key-encryption key that lives outside the database (envelope encryption, with Tink).
//
// Imported by web, models/store and handlers/tasks, never by handlers or views. It imports nothing of ours.
//
// What is promised: without the key nothing opens; a sealed value moved to another table, row or field does not open;
// rotating the key re-wraps data keys and never touches or reveals a secret. What is not: who holds the key file and the
// database holds everything. Keep their backups apart.
package vault

import (
	"context"
	"crypto/rand"
	"encoding/binary"
	"encoding/hex"
	"errors"
	"fmt"

	"github.com/tink-crypto/tink-go/v2/aead/subtle"
)

// The reasons why something does not open. Callers compare with errors.Is.
var (
	// ErrUnknownKey: wrapped by a key which the keyset does not hold, or holds no more.
	ErrUnknownKey = errors.New("the key that sealed this is not in the key file")
	// ErrWillNotOpen: damaged, forged, or sealed for another table, row or field.
	ErrWillNotOpen = errors.New("the sealed value is damaged or belongs elsewhere")
)

// AAD is where a secret lives. A value sealed for one place opens in no other, so a copied row gives nothing away.
type AAD struct{ Table, Row, Field string }

// bytes is unambiguous: every part is preceded by its length.
func (a AAD) bytes() []byte {
	out := []byte("countinghouse/vault/v1")
	for _, part := range []string{a.Table, a.Row, a.Field} {
		out = binary.BigEndian.AppendUint32(out, uint32(len(part)))
		out = append(out, part...)
	}
	return out
}

// KeyEncryption wraps data keys. Keyset is the one from a file or the environment; a cloud KMS fits behind it too.
type KeyEncryption interface {
	// Wrap encrypts a data key, bound to aad, under the current key.
	Wrap(ctx context.Context, key, aad []byte) ([]byte, error)
	// Unwrap undoes Wrap for the current and for every older key. An error is ErrUnknownKey or ErrWillNotOpen, or says
	// why the key service could not be asked.
	Unwrap(ctx context.Context, wrapped, aad []byte) ([]byte, error)
	// Current reports whether wrapped was made with the current key.
	Current(wrapped []byte) bool
	// Fingerprint is a keyed digest of at least 16 bytes that never changes with rotation.
	Fingerprint(plaintext []byte) ([]byte, error)
}

// Vault seals and opens. Safe for concurrent use.
type Vault struct{ kek KeyEncryption }

// New makes a vault over a key-encryption key.
func New(kek KeyEncryption) *Vault { return &Vault{kek: kek} }

// A sealed value is: mark (4), length of the wrapped key (2, big endian), wrapped key, nonce and ciphertext.
var (
	sealedMark = [4]byte{'c', 'h', 'v', 1}
	streamMark = [4]byte{'c', 'h', 's', 1}
)

const dataKeySize = 32

// Seal encrypts plaintext for the place that aad names. Sealing the same value twice gives different bytes.
func (v *Vault) Seal(ctx context.Context, plaintext []byte, aad AAD) ([]byte, error) {
	if aad.Table == "" || aad.Row == "" || aad.Field == "" {
		return nil, errors.New("vault: table, row and field must all be named")
	}
	key, out, err := v.newDataKey(ctx, sealedMark, aad.bytes())
	if err != nil {
		return nil, err
	}
	defer clear(key)
	cipher, err := subtle.NewXChaCha20Poly1305(key)
	if err != nil {
		return nil, fmt.Errorf("vault: seal: %w", err)
	}
	sealed, err := cipher.Encrypt(plaintext, aad.bytes())
	if err != nil {
		return nil, fmt.Errorf("vault: seal: %w", err)
	}
	return append(out, sealed...), nil
}

// Open decrypts what Seal made for the same place.
func (v *Vault) Open(ctx context.Context, sealed []byte, aad AAD) ([]byte, error) {
	wrapped, rest, err := splitHeader(sealed, sealedMark)
	if err != nil {
		return nil, err
	}
	key, err := v.kek.Unwrap(ctx, wrapped, aad.bytes())
	if err != nil {
		return nil, fmt.Errorf("vault: open: %w", err)
	}
	defer clear(key)
	cipher, err := subtle.NewXChaCha20Poly1305(key)
	if err != nil {
		return nil, fmt.Errorf("vault: open: %w", ErrWillNotOpen)
	}
	plaintext, err := cipher.Decrypt(rest, aad.bytes())
	if err != nil {
		return nil, fmt.Errorf("vault: open: %w", ErrWillNotOpen)
	}
	return plaintext, nil
}

// Rewrap puts the data key of a sealed value under the current key. The secret itself is not decrypted. changed is false,
// and the value the same, when it is under the current key already.
func (v *Vault) Rewrap(ctx context.Context, sealed []byte, aad AAD) (out []byte, changed bool, err error) {
	wrapped, rest, err := splitHeader(sealed, sealedMark)
	if err != nil {
		return nil, false, err
	}
	if v.kek.Current(wrapped) {
		return sealed, false, nil
	}
	key, err := v.kek.Unwrap(ctx, wrapped, aad.bytes())
	if err != nil {
		return nil, false, fmt.Errorf("vault: rewrap: %w", err)
	}
	defer clear(key)
	again, err := v.kek.Wrap(ctx, key, aad.bytes())
	if err != nil {
		return nil, false, fmt.Errorf("vault: rewrap: %w", err)
	}
	return append(header(sealedMark, again), rest...), true, nil
}

// SealSecret is Seal for a Secret.
func (v *Vault) SealSecret(ctx context.Context, s Secret, aad AAD) ([]byte, error) {
	return v.Seal(ctx, []byte(s.Reveal()), aad)
}

// OpenSecret is Open into a Secret.
func (v *Vault) OpenSecret(ctx context.Context, sealed []byte, aad AAD) (Secret, error) {
	b, err := v.Open(ctx, sealed, aad)
	if err != nil {
		return Secret{}, err
	}
	return NewSecret(string(b)), nil
}

// Fingerprint is 32 hex digits by which equal secrets are recognised, across rotations and restarts. It is keyed: without
// the key file nobody can try guesses against it.
func (v *Vault) Fingerprint(plaintext []byte) (string, error) {
	sum, err := v.kek.Fingerprint(plaintext)
	if err != nil {
		return "", fmt.Errorf("vault: fingerprint: %w", err)
	}
	if len(sum) < 16 {
		return "", fmt.Errorf("vault: fingerprint: %d bytes where 16 are needed", len(sum))
	}
	return hex.EncodeToString(sum[:16]), nil
}

// newDataKey draws a data key and begins a sealed value with its wrapping.
func (v *Vault) newDataKey(ctx context.Context, mark [4]byte, aad []byte) (key, head []byte, err error) {
	key = make([]byte, dataKeySize)
	if _, err := rand.Read(key); err != nil {
		return nil, nil, fmt.Errorf("vault: seal: %w", err)
	}
	wrapped, err := v.kek.Wrap(ctx, key, aad)
	if err != nil {
		return nil, nil, fmt.Errorf("vault: seal: %w", err)
	}
	if len(wrapped) == 0 || len(wrapped) > maxWrapped {
		return nil, nil, fmt.Errorf("vault: seal: the wrapped key has %d bytes", len(wrapped))
	}
	return key, header(mark, wrapped), nil
}

const maxWrapped = 4096

func header(mark [4]byte, wrapped []byte) []byte {
	out := append([]byte{}, mark[:]...)
	out = binary.BigEndian.AppendUint16(out, uint16(len(wrapped))) // #nosec G115 -- bounded by maxWrapped
	return append(out, wrapped...)
}

func splitHeader(sealed []byte, mark [4]byte) (wrapped, rest []byte, err error) {
	if len(sealed) < 6 || [4]byte(sealed[:4]) != mark {
		return nil, nil, fmt.Errorf("vault: %w", ErrWillNotOpen)
	}
	n := int(binary.BigEndian.Uint16(sealed[4:6]))
	if n == 0 || n > maxWrapped || len(sealed) < 6+n {
		return nil, nil, fmt.Errorf("vault: %w", ErrWillNotOpen)
	}
	return sealed[6 : 6+n], sealed[6+n:], nil
}
