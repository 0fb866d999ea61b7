package models

// CaseFile is everything that is kept about one transaction, read in one snapshot, as an evidence pack hands it over. What is large and never
// changes (exchanges and webhooks) is named here and read one by one.
type CaseFile struct {
	Story       TransactionPage    // the requests to people carry their payloads; codes are masked
	Figures     map[string]Figures // of each event that states them, by the event's id
	ExchangeIDs []string           // in the order of time
	DeliveryIDs []string
	Audit       []AuditLink
	LeftOut     []LeftOut
	MadeAt      Micros
	MadeBy      string
}

// AuditLink is an entry of the audit trail with the hash of the one before it, and our signature of the place where it stands.
type AuditLink struct {
	Prev   string
	Entry  AuditEntry
	Anchor AuditAnchor // of exactly this entry, at its own moment
}

// LeftOut is a part that a case file does not hold, and why.
type LeftOut struct {
	Part string `json:"part"`
	Why  string `json:"why"`
}

// Leave notes that a part is not in the file, or not whole.
func (f *CaseFile) Leave(part, why string) {
	f.LeftOut = append(f.LeftOut, LeftOut{Part: part, Why: why})
}
