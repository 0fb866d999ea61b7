package storetest

import (
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/pquerna/otp/totp"

	"countinghouse/models"
	"countinghouse/models/store"
	"countinghouse/models/vault"
)

// Password is what every person of a test signs in with.
const Password = "plum anchor velvet 9"

// Here is where every person of a test comes from.
var Here = models.From{IP: "192.0.2.10", Agent: "storetest"}

// Vault is a vault with a key of its own.
func Vault(t testing.TB) *vault.Vault {
	t.Helper()
	doc, err := vault.NewDocument()
	if err != nil {
		t.Fatalf("make a key: %v", err)
	}
	keys, err := vault.FromString(doc)
	if err != nil {
		t.Fatalf("read the key: %v", err)
	}
	return vault.New(keys)
}

// Person is somebody who has come in: with a password, a second factor and an open session.
type Person struct {
	models.User
	Secret string   // of the second factor, as an authenticator app keeps it
	Codes  []string // recovery codes
	Token  string   // of the session, as the cookie carries it
}

// Code is what the person's authenticator shows at a moment.
func (p Person) Code(t testing.TB, at time.Time) string {
	t.Helper()
	code, err := totp.GenerateCode(p.Secret, at)
	if err != nil {
		t.Fatalf("code of %s: %v", p.Email, err)
	}
	return code
}

// Actor is the person as store methods want them, with a step-up of this moment.
func (p Person) Actor(s *store.Store) models.Actor {
	return models.Actor{UserID: p.ID, Name: p.Name, Roles: p.Roles, IP: Here.IP, StepUp: s.Now()}
}

// SetUp brings the first admin in by the set-up link.
func SetUp(t testing.TB, s *store.Store) Person {
	t.Helper()
	link, err := s.SetupLink(t.Context())
	if err != nil || link == "" {
		t.Fatalf("set-up link: %q, %v", link, err)
	}
	token, err := s.SetUp(t.Context(), link, "ada@example.com", "Ada Admin", Password, Here)
	if err != nil {
		t.Fatalf("set up: %v", err)
	}
	return enrol(t, s, token)
}

// Add brings somebody in by invitation. The operator at the command line invites, so that no second admin is needed.
func Add(t testing.TB, s *store.Store, email, name string, roles ...models.Role) Person {
	t.Helper()
	u, link, _, err := s.Invite(t.Context(), models.Operator(), email, name, roles)
	if err != nil {
		t.Fatalf("invite %s: %v", email, err)
	}
	if err := s.GrantByOperator(t.Context(), u.ID, roles); err != nil {
		t.Fatalf("roles of %s: %v", email, err)
	}
	token, err := s.AcceptInvitation(t.Context(), link, Password, Here)
	if err != nil {
		t.Fatalf("accept %s: %v", email, err)
	}
	return enrol(t, s, token)
}

func enrol(t testing.TB, s *store.Store, halfway string) Person {
	t.Helper()
	e, err := s.BeginEnrolment(t.Context(), halfway)
	if err != nil {
		t.Fatalf("begin enrolment: %v", err)
	}
	p := Person{Secret: SecretOf(t, e.URL)}
	code, err := totp.GenerateCode(p.Secret, s.Clock())
	if err != nil {
		t.Fatal(err)
	}
	if p.Token, p.Codes, err = s.FinishEnrolment(t.Context(), halfway, code, Here); err != nil {
		t.Fatalf("finish enrolment: %v", err)
	}
	signed, err := s.SessionByToken(t.Context(), p.Token, Here)
	if err != nil {
		t.Fatalf("session: %v", err)
	}
	p.User = signed.User
	return p
}

// SecretOf reads the secret from an otpauth URL, as an authenticator app does.
func SecretOf(t testing.TB, otpauth string) string {
	t.Helper()
	u, err := url.Parse(otpauth)
	if err != nil || u.Scheme != "otpauth" || !strings.HasPrefix(u.Path, "/Countinghouse:") {
		t.Fatalf("not an otpauth URL: %q (%v)", otpauth, err)
	}
	return u.Query().Get("secret")
}
