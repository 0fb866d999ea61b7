package models

// BookState is where a destination's entry in a provider's book stands.
type BookState string

// The states of an entry. ToAdd, ToEdit and ToRemove are intents that a task carries out; Sending has an open attempt; Asking lost its answer and
// is settled by listing the book, never by sending again.
const (
	BookPlanned  BookState = "planned" // its destination is not approved yet
	BookToAdd    BookState = "to_add"
	BookToEdit   BookState = "to_edit"
	BookToRemove BookState = "to_remove"
	BookSending  BookState = "sending"
	BookAsking   BookState = "asking"
	BookListed   BookState = "listed"
	BookRefused  BookState = "refused"
	BookMissing  BookState = "missing" // their list does not have it: a person decides
	BookGone     BookState = "gone"
)

// Word is the state as people read it.
func (s BookState) Word() string {
	return map[BookState]string{BookPlanned: "After approval", BookToAdd: "To be added", BookToEdit: "To be changed", BookToRemove: "To be removed", BookSending: "Being sent",
		BookAsking: "Answer lost, looking", BookListed: "Registered", BookRefused: "Refused", BookMissing: "Not in their list", BookGone: "Removed"}[s]
}

// Tone is how the state is coloured.
func (s BookState) Tone() string {
	switch s {
	case BookListed:
		return "ok"
	case BookRefused, BookMissing:
		return "bad"
	case BookAsking:
		return "odd"
	case BookGone:
		return "idle"
	}
	return "wait"
}

// BookOperation is a write to a provider's book.
type BookOperation string

// The operations.
const (
	BookAdd    BookOperation = "add"
	BookEdit   BookOperation = "edit"
	BookRemove BookOperation = "remove"
)

// BookEntry is one destination in the book of one credential.
type BookEntry struct {
	ID            string
	DestinationID string
	CredentialID  string
	Credential    string // its name
	Provider      string
	Environment   Environment
	Book          Book
	EntryID       string // theirs
	State         BookState
	Operation     BookOperation // what is under way or was last
	Usable        bool          // by their word
	Word          string        // theirs
	Says          string        // a sentence: why it was refused, what is missing
	Differs       bool          // their list says something else than we do
	Due           Micros        // when the task looks at it next; zero: not
	SeenAt        Micros        // last time in their list
	ChangedAt     Micros
}

// BookAttempt is one write to a provider's book. It is committed before the first byte leaves; at most one of an entry is open.
type BookAttempt struct {
	ID         string
	EntryID    string
	Number     int
	Operation  BookOperation
	Reference  string // the request id on the wire
	State      AttemptState
	StartedAt  Micros
	FinishedAt Micros
	Code       string
	Message    string
	ByName     string
	ExchangeID string
}

// BookDifference is one field in which the two sides are not the same.
type BookDifference struct{ Label, Ours, Theirs string }

// BookLine is one line of a provider's book as it was last read.
type BookLine struct {
	ID            string
	CredentialID  string
	Credential    string
	Provider      string
	Environment   Environment
	Book          Book
	EntryID       string
	Word          string
	Usable        bool
	Title         string
	Owner         string
	Masked        string
	Fingerprint   string
	DestinationID string // ours, if one is the same place
	Destination   string // its name
	Differs       bool
	Decision      string // "", "ignored", "adopted"
	Note          string
	DecidedBy     string
	FirstSeen     Micros
	LastSeen      Micros
	Values        map[string]string // opened for those who may see
	Lines         []DestinationLine
	Differences   []BookDifference
}

// BookRead is the last reading of one book.
type BookRead struct {
	CredentialID string
	Credential   string
	Provider     string
	Book         Book
	ReadAt       Micros
	Error        string
	Lines        int
}
