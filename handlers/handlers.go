// Package handlers is HTTP in: one file per noun. A handler reads the request, makes one call, chooses a view.
//
// It imports models, models/store, models/files, views and the descriptions of providers. It is imported by web. It cannot send anything to a
// provider: whatever moves money leaves through handlers/tasks.
package handlers

import (
	"time"

	"countinghouse/models"
)

// Access says who may use a route when no permission does.
type Access string

// The kinds of access.
const (
	Public   Access = "public"    // anybody; no session is looked at
	Halfway  Access = "halfway"   // somebody who has shown a password, and those who are signed in
	SignedIn Access = "signed-in" // everybody who is signed in, whatever their role
	Foreign  Access = "foreign"   // another machine, for example a provider's webhook: no cookies, no page, own proof
)

// Limits of a request body.
const (
	FormLimit    = 256 << 10 // an ordinary form
	WebhookLimit = 1 << 20
	UploadLimit  = 26 << 20  // a document of 25 MiB with the form around it
	ManyLimit    = 210 << 20 // twenty documents of 10 MiB with the form around them; they are read one after the other
)

// Route is one line of the table. Exactly one of Access, Permission and AnyOf says who may use it; a test walks the table with every role.
type Route struct {
	Method string
	Path   string // Fiber's pattern: /people/:id
	Name   string // for logs and tests: "people.suspend"

	Access     Access
	Permission models.Permission
	AnyOf      []models.Permission
	StepUp     bool // the second factor must have been shown within five minutes

	File      bool          // it answers with a file: the browser stays on the page it is on
	Section   string        // the menu item to mark
	BodyLimit int           // FormLimit when zero
	Stream    bool          // the handler reads the body itself, as it comes, with Parts
	Timeout   time.Duration // of the request's context; 15 s when zero
	Handle    func(c *Ctx) error
}

// Needs lists the permissions of which one is enough; nothing when Access decides.
func (r Route) Needs() []models.Permission {
	if r.Permission != "" {
		return []models.Permission{r.Permission}
	}
	return r.AnyOf
}

// Admits reports whether somebody with these roles may use the route, as far as the route can say; the store method has the last word.
func (r Route) Admits(a models.Actor) bool {
	needs := r.Needs()
	if len(needs) == 0 {
		return true
	}
	for _, p := range needs {
		if a.Can(p) {
			return true
		}
	}
	return false
}
