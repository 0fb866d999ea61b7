package tasks

import (
	"context"
	"net/url"
	"slices"
	"time"

	"countinghouse/models"
	"countinghouse/models/store"
	"countinghouse/providers"
)

// callerEvery is how often the same word about our address is written down at most.
const callerEvery = 10 * time.Minute

// callers reads from answers whether a provider knows the address that we call from. It works in the recorder's one writer, behind the backs of
// those who pay, and writes only what is new.
type callers struct {
	registry *providers.Registry
	address  string // the configured one; empty: not known
	last     map[callerPlace]models.CallerSeen
}

type callerPlace struct{ credential, list string }

// WatchCallers makes the recorder read what answers show about the address that we call from. Call it before the first exchange.
func (r *Recorder) WatchCallers(registry *providers.Registry, address string) {
	r.callers = &callers{registry: registry, address: address, last: map[callerPlace]models.CallerSeen{}}
}

// note keeps what a group of exchanges showed: of each list the newest word, and that only if it says something new or is old enough.
func (c *callers) note(ctx context.Context, s *store.Store, group []models.ExchangeRecord) error {
	if c == nil {
		return nil
	}
	var news []models.CallerSeen
	for _, x := range group {
		seen, ok := c.read(x)
		if !ok {
			continue
		}
		at := callerPlace{seen.CredentialID, seen.List}
		old, known := c.last[at]
		if known && (seen.At < old.At || (seen.Refused == old.Refused && seen.Address == old.Address && seen.At < old.At.Add(callerEvery))) {
			continue
		}
		c.last[at] = seen
		news = slices.DeleteFunc(news, func(n models.CallerSeen) bool { return n.CredentialID == seen.CredentialID && n.List == seen.List })
		news = append(news, seen)
	}
	if len(news) == 0 {
		return nil
	}
	if err := s.NoteCallers(ctx, news, c.address); err != nil {
		for _, n := range news {
			delete(c.last, callerPlace{n.CredentialID, n.List}) // it will be tried again with the next answer
		}
		return err
	}
	return nil
}

func (c *callers) read(x models.ExchangeRecord) (seen models.CallerSeen, ok bool) {
	p, known := c.registry.Get(x.Provider)
	if !known || p.Description.ReadAddress == nil || x.Err != "" || x.Status == 0 {
		return seen, false
	}
	u, err := url.Parse(x.URL)
	if err != nil {
		return seen, false
	}
	list, word, address := p.Description.ReadAddress(providers.Answered{Operation: x.Operation, Path: u.Path, Status: x.Status, Body: x.ResponseBody})
	if word == "" {
		return seen, false
	}
	return models.CallerSeen{CredentialID: x.CredentialID, List: list, Refused: word == providers.AddressRefused, Address: address,
		At: x.StartedAt.Add(time.Duration(x.DurationUS) * time.Microsecond), ExchangeID: x.ID}, true
}
