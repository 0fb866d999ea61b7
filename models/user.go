package models

import (
	"slices"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"
)

// UserState says whether somebody may come in.
type UserState string

// The states of a user.
const (
	Invited   UserState = "invited"   // has a link, or a password without a second factor
	Active    UserState = "active"    // has shown a password and a second factor
	Suspended UserState = "suspended" // may not come in
)

// User is one person on the merchant's staff.
type User struct {
	ID           string
	Email        string // lower case
	Name         string
	Roles        []Role // in the order of Roles()
	State        UserState
	HasPassword  bool
	HasFactor    bool
	Unproved     string // "password" or "factor": reset by an admin, not yet used together with the other one
	CodesLeft    int    // recovery codes; only filled for one person's own page
	Created      Micros
	LastSignIn   Micros
	OpenSessions int // only filled in the list of people
}

// Is reports whether the person has the role.
func (u User) Is(r Role) bool { return slices.Contains(u.Roles, r) }

// Stage says how far somebody has come with signing in.
type Stage string

// The stages of a session.
const (
	StageSecond Stage = "second" // the password was right, the second factor is asked for
	StageEnrol  Stage = "enrol"  // the password was right, a second factor must be set up first
	StageFull   Stage = "full"   // signed in
)

// How long a session and its parts live.
const (
	SessionIdle     = 20 * time.Minute
	SessionAbsolute = 12 * time.Hour
	HalfwayFor      = 10 * time.Minute // between password and second factor
	StepUpFor       = 5 * time.Minute
)

// Session is one browser of one person. The token is in the cookie only.
type Session struct {
	ID          string
	UserID      string
	Stage       Stage
	Environment Environment
	Created     Micros
	Seen        Micros
	Expires     Micros
	StepUp      Micros
	Ended       Micros
	EndedWhy    string
	IP          string
	Agent       string
	Data        string // what gorilla/sessions keeps, as JSON
}

// Open reports whether the session still counts at a moment.
func (s Session) Open(now Micros) bool {
	idle := SessionIdle
	if s.Stage != StageFull {
		idle = HalfwayFor
	}
	return s.Ended == 0 && now < s.Expires && now < s.Seen.Add(idle)
}

// SignInEntry is one line of the sign-in history.
type SignInEntry struct {
	At      Micros
	Outcome string
	IP      string
	Agent   string
}

// From says where a request comes from.
type From struct {
	IP    string
	Agent string // the browser's own words, cut to 200 characters
}

// Change is something that a second admin must agree to.
type Change struct {
	ID        string
	Kind      string
	Subject   string
	Sentence  string
	Payload   string
	State     string
	Asked     Micros
	AskedBy   string
	AskedName string
	Expires   Micros
	Decided   Micros
	DecidedBy string
	Reason    string
}

// moves and keys are the two sides that never meet in one person.
var (
	moves = []Permission{PayoutsCreate, PayoutsApprove, PayoutsOperate, RefundsCreate, ConversionsCreate, OrdersCreate}
	keys  = []Permission{CredentialsManage, PeopleManage, ChangesApprove, PoliciesManage, AllowlistManage}
)

// CheckRoles refuses unknown roles, none at all, and combinations that let one person both move money and change who may move it.
func CheckRoles(roles []Role) error {
	if len(roles) == 0 {
		return FieldErrorf("roles", "Choose at least one role.")
	}
	a := Actor{Roles: roles}
	for _, r := range roles {
		if !slices.Contains(Roles(), r) {
			return FieldErrorf("roles", "There is no role %q.", r)
		}
	}
	for _, m := range moves {
		for _, k := range keys {
			if a.Can(m) && a.Can(k) {
				return FieldErrorf("roles", "Nobody may be both %s: one person would move money (%s) and also change who may move it (%s).", joinAnd(roles), m, k)
			}
		}
	}
	return nil
}

// SortRoles puts roles in the order that pages show them, each once.
func SortRoles(roles []Role) []Role {
	var out []Role
	for _, r := range Roles() {
		if slices.Contains(roles, r) {
			out = append(out, r)
		}
	}
	return out
}

// RoleText names roles for people: "finance and compliance".
func RoleText(roles []Role) string {
	if len(roles) == 0 {
		return "no role"
	}
	return joinAnd(roles)
}

func joinAnd(roles []Role) string {
	var words []string
	for _, r := range roles {
		words = append(words, string(r))
	}
	if len(words) < 2 {
		return strings.Join(words, "")
	}
	return strings.Join(words[:len(words)-1], ", ") + " and " + words[len(words)-1]
}

// RequireStepUp asks that the second factor was shown in this session within the last five minutes. The command line and tasks have none
// to show: they are not people at a browser.
func (a Actor) RequireStepUp(now Micros) error {
	if a.UserID == "" || (a.StepUp != 0 && now < a.StepUp.Add(StepUpFor)) {
		return nil
	}
	return Errorf(StepUp, "Show your second factor again to do this.")
}

// ParseEmail gives the address in the one spelling we keep. It asks for little: one @, something on both sides, no spaces or controls.
func ParseEmail(text string) (string, error) {
	text = strings.ToLower(strings.TrimSpace(text))
	local, domain, ok := strings.Cut(text, "@")
	odd := strings.ContainsFunc(text, func(r rune) bool {
		return unicode.IsSpace(r) || unicode.IsControl(r) || strings.ContainsRune(`<>()[],;:\"`, r)
	})
	if !ok || local == "" || !strings.Contains(domain, ".") || strings.Contains(domain, "@") || odd || len(text) > 254 || !utf8.ValidString(text) {
		return "", FieldErrorf("email", "This is not an e-mail address. It should look like name@example.com.")
	}
	return text, nil
}

// ParseName checks a person's name: 1 to 100 characters without control characters.
func ParseName(text string) (string, error) {
	text = strings.TrimSpace(text)
	if n := utf8.RuneCountInString(text); n == 0 || n > 100 || !utf8.ValidString(text) || strings.ContainsFunc(text, unicode.IsControl) {
		return "", FieldErrorf("name", "Write a name of 1 to 100 characters.")
	}
	return text, nil
}
