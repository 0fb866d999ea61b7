package models

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"strings"
)

// KYBFile is one file of a submission, exactly as it leaves.
type KYBFile struct {
	VersionID, DocumentID string
	Kind                  DocumentKind
	Name                  string // unique within the submission
	Type                  string
	Size                  int64
	SHA256                string
}

// KYBSubmission is a set of files for one account at one provider.
type KYBSubmission struct {
	ID, CaseID, LinkID string
	Environment        Environment
	CredentialID       string
	Provider           string
	Account            string
	Company            string
	State              KYBState
	Digest             string
	Files              []KYBFile
	FileCount          int64
	Bytes              int64
	Note               string
	WordBefore         string // the provider's word when the files left
	RunID, CallID      string
	Message            string // what came of it, in a sentence
	CreatedAt          Micros
	CreatedBy          string
	CreatedName        string
	ApprovedAt         Micros
	ApprovedName       string
	SentAt             Micros
	SentName           string
	EndedAt            Micros
	NextAsk            Micros
	Asks               int64
}

// Digest is what an approval is bound to: to whom, and exactly which files in which order under which names.
func SubmissionDigest(environment Environment, credentialID, account string, files []KYBFile) string {
	h := sha256.New()
	_, _ = fmt.Fprintf(h, "kyb\n%s\n%s\n%s\n", environment, credentialID, account)
	for _, f := range files {
		_, _ = fmt.Fprintf(h, "%s\t%s\t%d\t%s\t%q\n", f.VersionID, f.SHA256, f.Size, f.Kind, f.Name)
	}
	return hex.EncodeToString(h.Sum(nil))
}

// Megabytes writes a size for people.
func Megabytes(n int64) string {
	if n < 1<<20 {
		return fmt.Sprintf("%d KB", (n+1023)>>10)
	}
	return strings.TrimSuffix(fmt.Sprintf("%.1f", float64(n)/(1<<20)), ".0") + " MB"
}

// UniqueNames gives every file a name that the others do not have, because providers want that; the letter case does not count.
func UniqueNames(files []KYBFile) {
	seen := map[string]bool{}
	for i := range files {
		name := files[i].Name
		stem, ext := name, ""
		if at := strings.LastIndexByte(name, '.'); at > 0 {
			stem, ext = name[:at], name[at:]
		}
		for n := 2; seen[strings.ToLower(name)]; n++ {
			name = fmt.Sprintf("%s (%d)%s", stem, n, ext)
		}
		seen[strings.ToLower(name)] = true
		files[i].Name = name
	}
}

// KYBTask is a question that somebody must answer.
type KYBTask struct {
	ID, CaseID, LinkID string
	SubmissionID       string
	Text               string
	State              string // open, done
	CreatedAt          Micros
	Answer             string
	DoneAt             Micros
	DoneName           string
}

// KYBEvent is one line of a case's timeline.
type KYBEvent struct {
	At        Micros
	What      string
	Sentence  string
	ActorName string
}

// KYBRun is the handing over of one or many submissions through one credential.
type KYBRun struct {
	ID           string
	Environment  Environment
	CredentialID string
	Credential   string
	Provider     string
	State        string // running, done
	Total, Done  int64  // companies
	Accepted     int64
	Declined     int64
	Unknown      int64
	NotSent      int64
	CreatedAt    Micros
	CreatedBy    string
	CreatedName  string
	EndedAt      Micros
}

// KYBCall is one call to a provider: the intent that was committed before the first byte left.
type KYBCall struct {
	ID, RunID    string
	CredentialID string
	State        string // open, accepted, declined, not_sent, unknown
	Digest       string
	Companies    int64
	Files        int64
	Bytes        int64
	StartedAt    Micros
	EndedAt      Micros
	Code         string
	Message      string
	ExchangeID   string
}
