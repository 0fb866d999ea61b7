package pack

import (
	"context"
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"strings"
	"unicode/utf8"

	"countinghouse/models"
)

// The shapes of the files. Names are part of the format: they are added to and never change their meaning.
type (
	money struct {
		Amount string `json:"amount"`
		Asset  string `json:"asset"`
	}
	event struct {
		At       string           `json:"at"`
		What     string           `json:"what"`
		From     models.State     `json:"from,omitempty"`
		To       models.State     `json:"to,omitempty"`
		Cause    models.Cause     `json:"cause,omitempty"`
		By       string           `json:"by,omitempty"`
		Sentence string           `json:"sentence"`
		Amounts  map[string]money `json:"amounts,omitempty"`
	}
	attempt struct {
		Number    int                 `json:"number"`
		Operation models.Operation    `json:"operation"`
		Reference string              `json:"reference"`
		Digest    string              `json:"payload_digest"`
		State     models.AttemptState `json:"outcome"`
		Started   string              `json:"started"`
		Deadline  string              `json:"counts_as_lost_after"`
		Finished  string              `json:"finished,omitempty"`
		Code      string              `json:"code,omitempty"`
		Message   string              `json:"message,omitempty"`
		Process   string              `json:"process"`
		AskedBy   string              `json:"asked_by,omitempty"`
	}
	statement struct {
		At       string `json:"at"`
		Source   string `json:"source"`
		Result   string `json:"result"`
		Says     string `json:"says"`
		Exchange string `json:"exchange,omitempty"`
	}
	request struct {
		Subject     string          `json:"subject"`
		Title       string          `json:"title"`
		Digest      string          `json:"digest"`
		PayloadFile string          `json:"payload_file,omitempty"`
		PolicyID    string          `json:"policy,omitempty"`
		Rule        string          `json:"rule"`
		Needed      int             `json:"needed"`
		Role        models.Role     `json:"role"`
		State       string          `json:"state"`
		Asked       string          `json:"asked"`
		AskedBy     string          `json:"asked_by"`
		Reason      string          `json:"reason,omitempty"`
		Expires     string          `json:"expires"`
		Decided     string          `json:"decided,omitempty"`
		Decisions   []decision      `json:"decisions"`
		payload     json.RawMessage // the file's content
	}
	decision struct {
		At       string `json:"at"`
		Name     string `json:"name"`
		UserID   string `json:"user"`
		Decision string `json:"decision"`
		Reason   string `json:"reason,omitempty"`
		Digest   string `json:"digest"` // of what was in front of that person
	}
)

func moment(m models.Micros) string {
	if m == 0 {
		return ""
	}
	return m.Time().Format("2006-01-02T15:04:05.000000Z")
}

func moneyOf(m models.Money) *money {
	if m.Asset == "" {
		return nil
	}
	return &money{m.Plain(), m.Asset}
}

// story writes the files about the transaction itself.
func (z *writer) story(_ context.Context, f *models.CaseFile, _ Source) error {
	for _, x := range []struct {
		name string
		v    any
	}{
		{"transaction.json", transactionOf(f)}, {"timeline.json", timelineOf(f)}, {"attempts.json", attemptsOf(f)}, {"evidence.json", evidenceOf(f)},
		{"ledger.json", ledgerOf(f)}, {"notes.json", notesOf(f)}, {"related.json", relatedOf(f)},
	} {
		if err := z.json(x.name, x.v); err != nil {
			return err
		}
	}
	if len(f.Story.Papers) > 0 {
		if err := z.json("papers.json", papersOf(f)); err != nil {
			return err
		}
	}
	if f.Story.Transaction.Kind == models.Order {
		return z.json("codes.json", codesOf(f))
	}
	return nil
}

// transactionOf is a map, so that what the provider never said is left away; encoding/json sorts its keys.
func transactionOf(f *models.CaseFile) map[string]any {
	t, d := &f.Story.Transaction, &f.Story.Detail
	out := map[string]any{"id": t.ID, "environment": t.Environment, "kind": t.Kind, "provider": t.Provider, "credential": map[string]any{"id": t.CredentialID,
		"name": f.Story.Credential.Name, "version": t.CredentialVersion}, "reference": t.Reference, "state": t.State, "status": t.State.Word(), "amount": moneyOf(t.Amount),
		"payload_digest": t.Digest, "created": moment(t.CreatedAt), "changed": moment(t.UpdatedAt)}
	for k, v := range map[string]string{"method": t.Method, "provider_reference": t.ProviderRef, "bank_reference": t.BankRef, "provider_status": t.Word,
		"reason_code": t.ReasonCode, "reason": t.Reason, "rate": t.Rate, "destination_or_payer": t.Party, "destination_id": t.DestinationID,
		"destination_digest": t.DestinationDigest, "sub_account": t.SubAccount, "batch": t.BatchID, "of": t.OfID, "made_by": t.CreatedByName, "made_by_id": t.CreatedBy,
		"sent": moment(t.SentAt), "settled_at": moment(t.SettledAt), "waits_for": t.Waits, "alert": t.Alert, "comment": d.Note, "makers_reason": d.Why,
		"recipient_as_verified": d.Verified, "verification": d.VerifySays, "sku": d.SKU, "from_asset": d.From, "to_asset": d.To} {
		if v != "" {
			out[k] = v
		}
	}
	for k, v := range map[string]*money{"settled": moneyOf(t.Settled), "fee": moneyOf(t.Fee)} {
		if v != nil {
			out[k] = v
		}
	}
	if t.Counter.Minor != 0 {
		out["bought"] = moneyOf(t.Counter)
	}
	if len(d.Values) > 0 {
		out["fields_as_typed"] = d.Values
	}
	if d.Quantity > 0 {
		out["quantity"] = d.Quantity
	}
	for k, text := range map[string]string{"instructions": d.Instructions, "quote": d.QuoteJSON} {
		if json.Valid([]byte(text)) {
			out[k] = json.RawMessage(text)
		}
	}
	return out
}

func timelineOf(f *models.CaseFile) []event {
	out := make([]event, 0, len(f.Story.Events))
	for _, e := range f.Story.Events {
		x := event{At: moment(e.At), What: e.What, From: e.From, To: e.To, Cause: e.By, By: e.ActorName, Sentence: e.Sentence}
		if fig, ok := f.Figures[e.ID]; ok {
			x.Amounts = map[string]money{}
			for k, m := range map[string]models.Money{"amount": fig.Amount, "settled": fig.Settled, "fee": fig.Fee, "bought": fig.Counter} {
				if v := moneyOf(m); v != nil && (k != "bought" || m.Minor != 0) {
					x.Amounts[k] = *v
				}
			}
		}
		out = append(out, x)
	}
	return out
}

func attemptsOf(f *models.CaseFile) []attempt {
	out := make([]attempt, 0, len(f.Story.Attempts))
	for _, a := range f.Story.Attempts {
		out = append(out, attempt{Number: a.Number, Operation: a.Operation, Reference: a.Reference, Digest: a.Digest, State: a.State, Started: moment(a.StartedAt),
			Deadline: moment(a.Deadline), Finished: moment(a.FinishedAt), Code: a.Code, Message: a.Message, Process: a.Instance, AskedBy: a.ByName})
	}
	return out
}

func evidenceOf(f *models.CaseFile) []statement {
	out := make([]statement, 0, len(f.Story.Evidence))
	for _, e := range f.Story.Evidence {
		out = append(out, statement{At: moment(e.At), Source: e.Source, Result: e.Result, Says: e.Says, Exchange: e.ExchangeID})
	}
	return out
}

func ledgerOf(f *models.CaseFile) []map[string]any {
	out := make([]map[string]any, 0, len(f.Story.Ledger))
	for _, e := range f.Story.Ledger {
		out = append(out, map[string]any{"at": moment(e.At), "account": e.Account, "amount": e.Money.Plain(), "asset": e.Money.Asset})
	}
	return out
}

func notesOf(f *models.CaseFile) []map[string]string {
	out := make([]map[string]string, 0, len(f.Story.Notes))
	for _, n := range f.Story.Notes {
		out = append(out, map[string]string{"at": moment(n.At), "by": n.Name, "note": n.Body})
	}
	return out
}

// papersOf lists the files that staff keep with it, by their hashes: the files themselves stay in the file store.
func papersOf(f *models.CaseFile) []map[string]any {
	out := make([]map[string]any, 0, len(f.Story.Papers))
	for _, p := range f.Story.Papers {
		out = append(out, map[string]any{"id": p.ID, "name": p.Name, "type": p.Type, "size": p.Size, "sha256": p.SHA256, "dispute_attempt": p.AttemptID, "kept": moment(p.AddedAt), "by": p.AddedBy})
	}
	return out
}

func relatedOf(f *models.CaseFile) []map[string]any {
	out := make([]map[string]any, 0, len(f.Story.Related))
	for i := range f.Story.Related {
		x := &f.Story.Related[i]
		out = append(out, map[string]any{"id": x.ID, "kind": x.Kind, "reference": x.Reference, "provider_reference": x.ProviderRef, "state": x.State, "amount": moneyOf(x.Amount),
			"created": moment(x.CreatedAt)})
	}
	return out
}

// codesOf lists delivered codes as pages show them: masked. The codes themselves are bearer money and in no file.
func codesOf(f *models.CaseFile) []map[string]any {
	out := make([]map[string]any, 0, len(f.Story.Codes))
	for _, c := range f.Story.Codes {
		out = append(out, map[string]any{"position": c.Position, "sku": c.SKU, "serial": c.Serial, "code": c.Masked(), "expiry": c.Expiry, "arrived": moment(c.ArrivedAt), "reveals": c.Reveals})
	}
	return out
}

// requests writes what people were asked to agree to. The oldest comes first.
func (z *writer) requests(_ context.Context, f *models.CaseFile, _ Source) error {
	list := make([]request, 0, len(f.Story.Approvals))
	for i := len(f.Story.Approvals) - 1; i >= 0; i-- {
		r := requestOf(f, &f.Story.Approvals[i])
		if r.payload != nil {
			r.PayloadFile = fmt.Sprintf("approvals/%03d-payload.json", len(list)+1)
			if err := z.add(r.PayloadFile, r.payload); err != nil {
				return err
			}
		}
		list = append(list, r)
	}
	return z.json(approvalsName, list)
}

func requestOf(f *models.CaseFile, r *models.ApprovalRequest) request {
	out := request{Subject: r.Subject, Title: r.Title, Digest: r.Digest, PolicyID: r.PolicyID, Rule: r.Rule, Needed: r.Needed, Role: r.Role, State: r.State,
		Asked: moment(r.CreatedAt), AskedBy: r.CreatedByName, Reason: r.Reason, Expires: moment(r.ExpiresAt), Decided: moment(r.DecidedAt), Decisions: []decision{}}
	for _, d := range r.Decisions {
		out.Decisions = append(out.Decisions, decision{At: moment(d.At), Name: d.Name, UserID: d.UserID, Decision: d.Decision, Reason: d.Reason, Digest: d.Digest})
	}
	if r.Subject == "transaction" {
		out.payload = payloadOf(f, r)
	}
	return out
}

// payloadOf gives the bytes whose SHA-256 is the digest of the request. Where only a different text was kept, that is handed over, so that
// the check shows the difference.
func payloadOf(f *models.CaseFile, r *models.ApprovalRequest) []byte {
	now := models.PayloadOf(&f.Story.Transaction, &f.Story.Detail)
	candidates := [][]byte{[]byte(r.Payload)}
	var kept models.Payload
	if json.Unmarshal([]byte(r.Payload), &kept) == nil {
		candidates = append(candidates, kept.Bytes())
	}
	for _, c := range append(candidates, now.Bytes()) {
		if digestOf(c) == r.Digest {
			return c
		}
	}
	if len(r.Payload) > len("{}") {
		return []byte(r.Payload)
	}
	return nil
}

func digestOf(b []byte) string {
	sum := sha256.Sum256(b)
	return hex.EncodeToString(sum[:])
}

// trail writes the audit entries as the texts that their hashes are made of.
func (z *writer) trail(_ context.Context, f *models.CaseFile, _ Source) error {
	if len(f.Audit) == 0 {
		return nil
	}
	var anchors []byte
	for _, l := range f.Audit {
		if err := z.add(fmt.Sprintf("audit/%09d.txt", l.Entry.Seq), l.Entry.Link(l.Prev)); err != nil {
			return err
		}
		b, err := json.Marshal(l.Anchor)
		if err != nil {
			return fmt.Errorf("encode an anchor: %w", err)
		}
		anchors = append(append(anchors, b...), '\n')
	}
	return z.add(anchorsName, anchors)
}

// exchanges writes each request to the provider with its answer.
func (z *writer) exchanges(ctx context.Context, f *models.CaseFile, from Source) error {
	for i, id := range f.ExchangeIDs {
		x, err := from.Exchange(ctx, id)
		if err != nil {
			return fmt.Errorf("read the exchange %s: %w", id, err)
		}
		if err := z.json(fmt.Sprintf("exchanges/%03d-%s.json", i+1, plain(x.Operation)), map[string]any{
			"id": x.ID, "operation": x.Operation, "started": moment(x.StartedAt), "took_us": x.DurationUS, "was_sent": x.Sent, "error": x.Err, "about": x.SubjectKind,
			"attempt":  x.AttemptID,
			"request":  map[string]any{"method": x.Method, "url": x.URL, "headers": x.RequestHeader, "body": body(x.RequestBody), "body_sha256_before_blotting": x.BodyDigest},
			"response": map[string]any{"status": x.Status, "headers": x.ResponseHeader, "body": body(x.ResponseBody)},
		}); err != nil {
			return err
		}
	}
	return nil
}

// deliveries writes each webhook, its verification, and its body as a file of its own: where nothing was blanked its SHA-256 is the digest.
func (z *writer) deliveries(ctx context.Context, f *models.CaseFile, from Source) error {
	for i, id := range f.DeliveryIDs {
		d, err := from.Delivery(ctx, id)
		if err != nil {
			return fmt.Errorf("read the webhook %s: %w", id, err)
		}
		name := fmt.Sprintf("webhooks/%03d-%s", i+1, plain(d.Topic))
		if err := z.json(name+".json", map[string]any{
			"id": d.ID, "topic": d.Topic, "received": moment(d.ReceivedAt), "from_address": d.From, "method": d.Method, "path": d.Path, "query": d.Query, "headers": d.Header,
			"verification": map[string]any{"result": d.Trust, "sentence": d.Sentence, "items": d.Items}, "body_file": name + ".body", "body_size": d.Size, "body_sha256": d.Digest,
			"body_as_it_came": digestOf(d.Body) == d.Digest, "says": map[string]any{"reference": d.Reference, "provider_reference": d.ProviderRef, "status": d.Word, "event": d.Event},
			"reading": d.State, "reading_error": d.Error, "read": moment(d.ProcessedAt), "came_again": d.Repeats, "came_again_last": moment(d.RepeatedAt),
		}); err != nil {
			return err
		}
		if err := z.add(name+".body", d.Body); err != nil {
			return err
		}
	}
	return nil
}

// body is text where it is text, and base64 with a word before it where it is not.
func body(b []byte) string {
	if utf8.Valid(b) {
		return string(b)
	}
	return "base64:" + base64.StdEncoding.EncodeToString(b)
}

// plain makes a part of a file name of a provider's or our own word.
func plain(s string) string {
	out := strings.Map(func(r rune) rune {
		switch {
		case r >= 'a' && r <= 'z', r >= 'A' && r <= 'Z', r >= '0' && r <= '9', r == '_', r == '-':
			return r
		}
		return '-'
	}, s)
	if out = out[:min(len(out), 40)]; out == "" {
		return "call"
	}
	return out
}
