package storetest

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"encoding/binary"
	"encoding/json"
	"testing"

	"countinghouse/models"
)

// Site is the name and address that passkeys of tests are bound to.
var Site = models.PasskeySite{Name: "pay.example.com", Origin: "https://pay.example.com"}

// Device is an authenticator in software with one ES256 passkey on it, as in WebAuthn Level 3, sections 6 and 8.7 (attestation "none"). Its
// fields can be turned to lie.
type Device struct {
	Origin     string // what the browser says where it was asked
	Name       string // the relying party's id
	Unverified bool   // it did not check the person
	Counter    uint32 // of the last answer; a device that counts adds one each time
	Still      bool   // it does not count
	Handle     []byte // the person, as it was told when the passkey was made

	id  []byte
	key *ecdsa.PrivateKey
}

// NewDevice makes one for Site.
func NewDevice(t testing.TB) *Device {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	id := make([]byte, 32)
	_, _ = rand.Read(id)
	return &Device{Origin: Site.Origin, Name: Site.Name, id: id, key: key}
}

// Copy is what somebody has who copied the device.
func (d *Device) Copy() *Device {
	c := *d
	return &c
}

func b64(b []byte) string { return base64.RawURLEncoding.EncodeToString(b) }

// asked reads the parts of the options that a device looks at.
func asked(t testing.TB, options any) (challenge string, handle []byte) {
	t.Helper()
	raw, err := json.Marshal(options)
	if err != nil {
		t.Fatal(err)
	}
	var o struct {
		Challenge string
		User      struct{ ID string }
	}
	if err := json.Unmarshal(raw, &o); err != nil {
		t.Fatal(err)
	}
	if handle, err = base64.RawURLEncoding.DecodeString(o.User.ID); err != nil {
		t.Fatal(err)
	}
	return o.Challenge, handle
}

func (d *Device) clientData(kind, challenge string) []byte {
	b, err := json.Marshal(map[string]any{"type": kind, "challenge": challenge, "origin": d.Origin, "crossOrigin": false})
	if err != nil {
		panic(err) // strings only
	}
	return b
}

func (d *Device) authData(attested []byte) []byte {
	sum := sha256.Sum256([]byte(d.Name))
	flags := byte(0x01) // the person is there
	if !d.Unverified {
		flags |= 0x04
	}
	if attested != nil {
		flags |= 0x40
	}
	if !d.Still {
		d.Counter++
	}
	out := binary.BigEndian.AppendUint32(append(sum[:], flags), d.Counter)
	return append(out, attested...)
}

// cborBytes and cborText write a string's head for lengths below 65536.
func cborBytes(b []byte) []byte {
	return append(binary.BigEndian.AppendUint16([]byte{0x59}, uint16(len(b))), b...) //nolint:gosec // short
}
func cborText(s string) []byte { return append([]byte{0x60 + byte(len(s))}, s...) }

// Create answers navigator.credentials.create.
func (d *Device) Create(t testing.TB, options any) []byte {
	t.Helper()
	challenge, handle := asked(t, options)
	d.Handle = handle
	point, err := d.key.PublicKey.Bytes() // 0x04, x, y
	if err != nil {
		t.Fatal(err)
	}
	cose := []byte{0xa5, 0x01, 0x02, 0x03, 0x26, 0x20, 0x01, 0x21, 0x58, 0x20}
	cose = append(append(append(cose, point[1:33]...), 0x22, 0x58, 0x20), point[33:]...)
	attested := append(make([]byte, 16), binary.BigEndian.AppendUint16(nil, uint16(len(d.id)))...) //nolint:gosec // 32
	attested = append(append(attested, d.id...), cose...)
	object := append([]byte{0xa3}, cborText("fmt")...)
	object = append(append(append(object, cborText("none")...), cborText("attStmt")...), 0xa0)
	object = append(append(object, cborText("authData")...), cborBytes(d.authData(attested))...)
	return d.answer(t, map[string]any{"clientDataJSON": b64(d.clientData("webauthn.create", challenge)), "attestationObject": b64(object), "transports": []string{"internal"}})
}

// Get answers navigator.credentials.get.
func (d *Device) Get(t testing.TB, options any) []byte {
	t.Helper()
	challenge, _ := asked(t, options)
	client, auth := d.clientData("webauthn.get", challenge), d.authData(nil)
	hash := sha256.Sum256(client)
	sum := sha256.Sum256(append(append([]byte{}, auth...), hash[:]...))
	sig, err := ecdsa.SignASN1(rand.Reader, d.key, sum[:])
	if err != nil {
		t.Fatal(err)
	}
	return d.answer(t, map[string]any{"clientDataJSON": b64(client), "authenticatorData": b64(auth), "signature": b64(sig), "userHandle": b64(d.Handle)})
}

func (d *Device) answer(t testing.TB, response map[string]any) []byte {
	t.Helper()
	b, err := json.Marshal(map[string]any{"id": b64(d.id), "rawId": b64(d.id), "type": "public-key", "clientExtensionResults": map[string]any{}, "response": response})
	if err != nil {
		t.Fatal(err)
	}
	return b
}
