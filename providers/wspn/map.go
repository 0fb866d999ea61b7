package wspn

import (
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/shopspring/decimal"

	"countinghouse/models"
	"countinghouse/providers"
)

// outcomeOf turns an error of a call that could create something into its one outcome.
//
// WSPN documents no error code (contract 6.1), so an error answer is "outcome unknown" unless staff have typed its code as a definite
// refusal. Two refusals stand on documented ground: a request that is not authenticated fails (P-KEYS), and what never left us.
func (c *client) outcomeOf(e *callError) providers.Outcome {
	switch {
	case e.notSent && e.stage == stageLocked:
		return providers.Refused{Code: providers.NotSent, Message: e.sentence}
	case e.notSent:
		return providers.Refused{Code: providers.NotSent, Message: sentence(e.sentence), Retryable: true}
	case e.kind == kindAuth && e.status >= 400:
		return providers.Refused{Code: orElse(e.code, fmt.Sprintf("HTTP %d", e.status)), Message: sentence(e.sentence), Retryable: true, Raw: e.raw}
	case e.kind == kindSaidNo && e.saidByThem() && e.code != "" && slices.Contains(c.set.refusals, e.code):
		return providers.Refused{Code: e.code, Message: sentence(e.sentence), Raw: e.raw}
	case e.kind == kindSaidNo:
		return providers.Unknown{Cause: sentence(e.sentence + ". WSPN's documentation does not say what its errors mean, so it must be asked whether anything was created"), Raw: e.raw}
	}
	return providers.Unknown{Cause: sentence(e.sentence), Raw: e.raw}
}

// readError turns an error of a reading call into one for people.
func readError(what string, e *callError) error {
	if e.stage == stageLocked {
		return &models.Error{Code: models.Conflict, Sentence: e.sentence, Err: e}
	}
	return &models.Error{Code: models.Unavailable, Sentence: what + " could not be read: " + strings.TrimSuffix(e.sentence, ".") + ".", Err: e}
}

// notSent is a refusal of ours, before anything left this machine.
func notSent(format string, args ...any) providers.Outcome {
	return providers.Refused{Code: providers.NotSent, Message: fmt.Sprintf(format, args...)}
}

// refuseProblems joins what CheckRequest found into one refusal; nil when there is nothing.
func refuseProblems(ps []models.Problem) providers.Outcome {
	if len(ps) == 0 {
		return nil
	}
	var all []string
	for _, p := range ps {
		all = append(all, p.Sentence)
	}
	return notSent("%s", strings.Join(all, " "))
}

func unknown(a answer, format string, args ...any) providers.Outcome {
	return providers.Unknown{Cause: sentence(fmt.Sprintf(format, args...)), Raw: a.raw}
}

// sentence makes a text one sentence: a capital first, a full stop last.
func sentence(s string) string {
	s = strings.TrimSpace(s)
	if s == "" {
		return s
	}
	if s[0] >= 'a' && s[0] <= 'z' {
		s = strings.ToUpper(s[:1]) + s[1:]
	}
	if !strings.HasSuffix(s, ".") && !strings.HasSuffix(s, "?") {
		s += "."
	}
	return s
}

func orElse(s, other string) string {
	if s == "" {
		return other
	}
	return s
}

// stateOf looks a status word up in the allow-list. A word that is not in it gives the empty state: nothing changes, a person is called.
func (c *client) stateOf(kind models.Kind, word string) models.State {
	state := models.State(c.set.statusWords[string(kind)+"."+word])
	allowed := map[models.Kind][]models.State{
		models.Payout:     {models.Pending, models.Held, models.Succeeded, models.Failed, models.Cancelled, models.Returned},
		models.Deposit:    {models.AwaitingPayment, models.PartiallyPaid, models.Succeeded, models.Failed, models.Cancelled, models.Expired},
		models.Conversion: {models.Pending, models.Succeeded, models.Failed, models.Cancelled},
	}
	if !slices.Contains(allowed[kind], state) {
		return ""
	}
	return state
}

// usable says whether an entry of a book can be paid to: what the allow-list calls usable, and what carries no status at all, because
// the pages say that a listed id can be used (P-FWD).
func (c *client) usable(book, word string) bool {
	return word == "" || c.set.statusWords[book+"."+word] == "usable"
}

// maxWire is the longest amount that WSPN takes, in characters (contract 6.8).
const maxWire = 20

// wireAmount writes an amount as WSPN takes it: a string with at most 2 decimals, JPY none (WSPN-AMT-1).
func wireAmount(s *settings, m models.Money) (string, error) {
	places := int32(2)
	if m.Scale() < 2 {
		places = int32(m.Scale()) //nolint:gosec // 0 or 1
	}
	d := m.Decimal()
	switch {
	case m.Minor <= 0:
		return "", models.Errorf(models.Invalid, "The amount must be above zero.")
	case !d.Equal(d.Truncate(places)) && places == 0:
		return "", models.Errorf(models.Invalid, "WSPN takes %s without decimals.", m.Asset)
	case !d.Equal(d.Truncate(places)):
		return "", models.Errorf(models.Invalid, "WSPN takes at most %d decimals.", places)
	}
	text := d.StringFixed(places)
	if s.trimmedAmounts {
		text = d.String()
	}
	if len(text) > maxWire {
		return "", models.Errorf(models.Invalid, "WSPN takes amounts of at most %d characters.", maxWire)
	}
	return text, nil
}

// money reads an amount of theirs; the zero Money when it is not stated or cannot be kept exactly. The raw answer keeps their text.
func money(o object, key, asset string) models.Money {
	d, ok := o.amount(key)
	if !ok || !models.ValidAssetCode(asset) {
		return models.Money{}
	}
	m, err := models.MoneyOf(d, asset)
	if err != nil {
		return models.Money{}
	}
	return m
}

// sameAmount compares as decimals: a request of "1" comes back as "1.00" (P-FDEP), a rate of 0.9000 as 0.9 (P-MRH).
func sameAmount(o object, key string, want decimal.Decimal) bool {
	d, ok := o.amount(key)
	return ok && d.Equal(want)
}

// echoed reports the first member that came back different from what was sent, or nothing. A member that is absent is skipped, because the
// ends of several answers are not documented (WSPN-RESP-1); must names those that have to be there.
func echoed(o object, must []string, sent map[string]string) string {
	for _, k := range must {
		if o.words(k) == "" {
			return k + " is missing"
		}
	}
	for _, k := range sortedKeys(sent) {
		if have, present := o[k]; present && have != nil && o.words(k) != sent[k] {
			return fmt.Sprintf("%s is %s, not %s", k, quote(o.words(k)), quote(sent[k]))
		}
	}
	return ""
}

func sortedKeys(m map[string]string) []string {
	var ks []string
	for k := range m {
		ks = append(ks, k)
	}
	slices.Sort(ks)
	return ks
}

// asCallError finds the failed call behind an error for people.
func asCallError(err error, into **callError) bool { return errors.As(err, into) }

// sentenceOf gives the sentence of an error for people.
func sentenceOf(err error) string {
	var e *models.Error
	if errors.As(err, &e) {
		return e.Sentence
	}
	return "The answer cannot be read."
}
