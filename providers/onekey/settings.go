package onekey

import (
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"

	"countinghouse/models"
	"countinghouse/providers"
)

// settings are the switched contract items of a credential, read once.
type settings struct {
	scheme         string // OKP-SIG-2
	window         time.Duration
	timeout        time.Duration
	refusalCodes   []string                // OKP-ERR-3
	refusalBurns   bool                    // OKP-IDEM-2
	sendKey        bool                    // OKP-IDEM-3
	externalID     *regexp.Regexp          // OKP-IDEM-4
	invoiceID      *regexp.Regexp          // OKP-DEP-1
	depositWords   map[string]models.State // OKP-DEP-2
	pixKey         string                  // OKP-DEP-3
	bankCodeNumber bool                    // OKP-CO-1
	idsMustMatch   bool                    // OKP-CO-2
	cancelHeld     bool                    // OKP-CO-4
	bankReference  string                  // OKP-CO-5
	padBanks       bool                    // OKP-BANK-1
	accountArray   bool                    // OKP-VAL-1
	millis         bool                    // OKP-REC-1
	limitRefuses   bool                    // OKP-RATE-1
	proven         bool                    // OKP-SIG-2 is proven by a GET
}

func yesNo() []providers.Option {
	return []providers.Option{{Value: "yes", Label: "Yes"}, {Value: "no", Label: "No"}}
}

// contractSettings are the switches of section 12. Left out, because no code of a self-hosted client would read them: http_status_map,
// invoice_scope, sandbox_check_order (only the stand-in's), deposit_field_names, cashout_transitions, birthdate_format, pix_callback (no
// second reading is known, or nothing is sent), clp_whole_amounts (CLP has no minor unit here), card_cashout_base_url (no card numbers).
func contractSettings() []providers.Setting {
	return append(cashoutSettings(), append(depositSettings(), append(callbackSettings(), otherSettings()...)...)...)
}

func otherSettings() []providers.Setting {
	return []providers.Setting{
		{Name: "auth_scheme", Label: "Scheme word before the signature", Item: "OKP-SIG-2", Default: "D24",
			Options: []providers.Option{{Value: "D24", Label: "D24 (older pages, working integrations)"}, {Value: "OKP", Label: "OKP (newer pages)"}},
			Help:    "OneKey's pages disagree. Test the credential: the right word is accepted, the other is refused with 102. The other word is never tried by itself."},
		{Name: "x_date_window", Label: "Accepted clock difference, seconds", Item: "OKP-SIG-5", Default: "300", Pattern: `^[1-9]\d{0,4}$`,
			Help: "How far our clock may be from OneKey's before it answers 103. Used to explain a refused date."},
		{Name: "request_timeout", Label: "Time allowed for one call, seconds", Item: "OKP-RATE-1", Default: "30", Pattern: `^([1-9]|[1-9]\d|1[01]\d|120)$`},
		{Name: "retry_429", Label: "A 429 answer to a payment means", Item: "OKP-RATE-1", Default: "ask",
			Options: []providers.Option{{Value: "ask", Label: "Unknown: ask before anything else"}, {Value: "refused", Label: "Refused: nothing was created"}}},
		{Name: "bank_list_shape", Label: "Codes in the bank list", Item: "OKP-BANK-1", Default: "padded",
			Options: []providers.Option{{Value: "padded", Label: "Lost leading zeros are put back (3 and 8 digits)"}, {Value: "as_given", Label: "As OneKey writes them"}}},
		{Name: "validation_account_shape", Label: "Account in an account validation", Item: "OKP-VAL-1", Default: "object",
			Options: []providers.Option{{Value: "object", Label: "One object"}, {Value: "array", Label: "A list with one object"}}},
		{Name: "reconciliation_time_unit", Label: "Unit of times in the reconciliation API", Item: "OKP-REC-1", Default: "seconds",
			Options: []providers.Option{{Value: "seconds", Label: "Unix seconds"}, {Value: "milliseconds", Label: "Unix milliseconds"}}},
		{Name: "br_account_types", Label: "Account types in Brazil", Item: "OKP-BR-1", Default: "C",
			Options: []providers.Option{{Value: "C", Label: "Checking (C) only"}, {Value: "C,S", Label: "Checking (C) and savings (S)"}}},
		{Name: "br_account_patterns", Label: "Account patterns in Brazil", Item: "OKP-BR-1", Default: "corrected",
			Options: []providers.Option{{Value: "corrected", Label: "As printed, Mercado Pago corrected"}, {Value: "printed", Label: "Exactly as printed"}, {Value: "off", Label: "Not checked here"}}},
		{Name: "country_rules", Label: "Rules for Mexico, Colombia, Argentina, Peru", Item: "OKP-CTY-1", Default: "sibling",
			Options: []providers.Option{{Value: "sibling", Label: "As on the sister brands' pages"}, {Value: "off", Label: "Only what every country needs"}}},
		{Name: "cbu_check", Label: "Check digits of an Argentine CBU", Item: "OKP-CTY-2", Default: "yes", Options: yesNo()},
	}
}

func cashoutSettings() []providers.Setting {
	return []providers.Setting{
		{Name: "cashout_refusal_codes", Label: "Cashout codes that mean: nothing was created", Item: "OKP-ERR-3", Default: defaultRefusals, Pattern: `^\d{3}(,\d{3})*$`,
			Help: "Every other code leaves the payout unknown until OneKey was asked. 511, 537, 702 and 703 always do."},
		{Name: "refusal_burns_reference", Label: "A refused creation uses up its reference", Item: "OKP-IDEM-2", Default: "no", Options: yesNo()},
		{Name: "external_id_pattern", Label: "Characters of a cashout reference", Item: "OKP-IDEM-4", Default: `^[A-Za-z0-9_-]{1,100}$`,
			Options: []providers.Option{{Value: `^[A-Za-z0-9_-]{1,100}$`, Label: "Letters, digits, - and _"}, {Value: `^[A-Za-z0-9]{1,100}$`, Label: "Letters and digits"}}},
		{Name: "bank_code_as", Label: "Bank code travels as", Item: "OKP-CO-1", Default: "string",
			Options: []providers.Option{{Value: "string", Label: "Text with leading zeros (every sample)"}, {Value: "number", Label: "Number (the tables)"}}},
		{Name: "status_ids_must_match", Label: "OneKey refuses two ids of different cashouts", Item: "OKP-CO-2", Default: "yes", Options: yesNo(),
			Help: "If yes, hold and release first ask with both ids, so that a wrong number from a callback can never hold another cashout."},
		{Name: "cancel_from_on_hold", Label: "A held cashout can be cancelled", Item: "OKP-CO-4", Default: "yes", Options: yesNo(),
			Help: "OneKey's pages disagree. It is never released in order to be cancelled."},
		{Name: "status_bank_reference_field", Label: "Name of the bank's reference in a status", Item: "OKP-CO-5", Default: "bank_reference_id", Pattern: `^[A-Za-z][A-Za-z0-9_]{0,63}$`},
	}
}

func depositSettings() []providers.Setting {
	return []providers.Setting{
		{Name: "idempotency_key_mode", Label: "A used X-Idempotency-Key is answered with", Item: "OKP-IDEM-3", Default: "replay",
			Options: []providers.Option{{Value: "replay", Label: "The first answer again"}, {Value: "error", Label: "Error 104"}, {Value: "omit", Label: "Send no key at all"}}},
		{Name: "invoice_id_pattern", Label: "Characters of an invoice id", Item: "OKP-DEP-1", Default: `^[A-Za-z0-9]{1,128}$`,
			Options: []providers.Option{{Value: `^[A-Za-z0-9]{1,128}$`, Label: "Letters and digits"}, {Value: `^[A-Za-z0-9_-]{1,128}$`, Label: "Letters, digits, - and _"}}},
		{Name: "deposit_status_map", Label: "Further deposit statuses", Item: "OKP-DEP-2", Pattern: `^([A-Z_]{1,40}=(awaiting_payment|expired|cancelled|failed)(,[A-Z_]{1,40}=(awaiting_payment|expired|cancelled|failed))*)?$`,
			Help: "For a word that OneKey starts to use, for example ON_REVIEW=awaiting_payment. Only COMPLETED ever counts as paid."},
		{Name: "pix_metadata_keys", Label: "Name of the PIX text in payment_info.metadata", Item: "OKP-DEP-3", Pattern: `^([A-Za-z][A-Za-z0-9_]{0,63})?$`,
			Help: "Not documented. Empty: everything in metadata is shown as it comes. When set, that text is also shown as a QR code."},
	}
}

func callbackSettings() []providers.Setting {
	auth := []providers.Option{{Value: "if_present", Label: "Checked when it is there"}, {Value: "required", Label: "Required"}}
	return []providers.Setting{
		{Name: "control_formula", Label: "How cashout callbacks are signed", Item: "OKP-WH-1", Default: "be4_bo7",
			Options: []providers.Option{{Value: "be4_bo7", Label: "Field control over Be4 + external_id + Bo7"}, {Value: "payload_signature", Label: "Header Payload-Signature over the body"}}},
		{Name: "control_case", Label: "Letters of the field control", Item: "OKP-WH-2", Default: "upper",
			Options: []providers.Option{{Value: "upper", Label: "Upper case only"}, {Value: "any", Label: "Upper or lower case"}}},
		{Name: "deposit_webhook_auth", Label: "Signature of deposit callbacks", Item: "OKP-WH-3", Default: "if_present", Options: auth},
		{Name: "refund_webhook_auth", Label: "Signature of refund callbacks", Item: "OKP-WH-4", Default: "if_present", Options: auth},
		{Name: "pix_callback_auth", Label: "Signature of PIX-key callbacks", Item: "OKP-WH-5", Default: "token",
			Options: []providers.Option{{Value: "token", Label: "None: bound by the token in its address"}, {Value: "token_and_signature", Label: "The token, and signed like a deposit callback with the cashouts keys"}}},
	}
}

// readSettings checks the chosen settings and turns them into switches. A value that the description does not allow is an error.
func readSettings(cfg providers.Config) (settings, error) {
	chosen := map[string]string{}
	for _, s := range contractSettings() {
		v := s.Default
		if c, ok := cfg.Settings[s.Name]; ok && c != "" {
			v = c
		}
		if len(s.Options) > 0 && !slices.ContainsFunc(s.Options, func(o providers.Option) bool { return o.Value == v }) {
			return settings{}, models.FieldErrorf(s.Name, "%s: this choice is not offered.", s.Label)
		}
		if re := regexp.MustCompile(s.Pattern); v != "" && !re.MatchString(v) {
			return settings{}, models.FieldErrorf(s.Name, "%s: this value is not of the right form.", s.Label)
		}
		chosen[s.Name] = v
	}
	return settingsOf(chosen, cfg.Settings[provenScheme] == "1"), nil
}

func settingsOf(v map[string]string, proven bool) settings {
	s := settings{
		scheme: v["auth_scheme"], window: seconds(v["x_date_window"]), timeout: seconds(v["request_timeout"]),
		refusalCodes: strings.Split(v["cashout_refusal_codes"], ","), refusalBurns: v["refusal_burns_reference"] == "yes",
		sendKey:    v["idempotency_key_mode"] != "omit",
		externalID: regexp.MustCompile(v["external_id_pattern"]), invoiceID: regexp.MustCompile(v["invoice_id_pattern"]),
		depositWords: map[string]models.State{}, pixKey: v["pix_metadata_keys"], bankCodeNumber: v["bank_code_as"] == "number",
		idsMustMatch: v["status_ids_must_match"] == "yes", cancelHeld: v["cancel_from_on_hold"] == "yes",
		bankReference: v["status_bank_reference_field"], padBanks: v["bank_list_shape"] == "padded",
		accountArray: v["validation_account_shape"] == "array", millis: v["reconciliation_time_unit"] == "milliseconds",
		limitRefuses: v["retry_429"] == "refused", proven: proven,
	}
	for pair := range strings.SplitSeq(v["deposit_status_map"], ",") {
		if word, state, ok := strings.Cut(pair, "="); ok {
			s.depositWords[word] = models.State(state)
		}
	}
	return s
}

func seconds(s string) time.Duration {
	n, _ := strconv.Atoi(s)
	return time.Duration(n) * time.Second
}

// provenScheme is the settings key by which the app passes that OKP-SIG-2 was proven by an accepted GET.
const provenScheme = "proven:OKP-SIG-2"

// locked refuses a POST in live until the scheme word is proven (contract, README: locked until confirmed). In sandbox the same is only a
// warning, because that is where it gets proven.
func (c *Client) locked() (providers.Refused, bool) {
	if c.cfg.Environment != models.Live || c.set.proven {
		return providers.Refused{}, false
	}
	return withheld("%s", lockReason), true
}

const lockReason = "OneKey's scheme word (OKP-SIG-2) is not proven yet: test the credential, so that a GET is accepted, and confirm the item."

// locks lists what may not be used with this configuration.
func locks(env models.Environment, values, set map[string]string) []providers.Lock {
	var out []providers.Lock
	if set[provenScheme] != "1" {
		for _, c := range []providers.Capability{providers.CanSendPayouts, providers.CanCreateDeposits, providers.CanRefund, providers.CanTransfer, providers.CanVerifyRecipients} {
			out = append(out, providers.Lock{Operation: string(c), Reason: lockReason, Items: []string{"OKP-SIG-2"}, Warning: env == models.Sandbox})
		}
	}
	out = append(out, providers.Lock{Operation: "br_bank", Items: []string{"OKP-CO-6"}, Warning: true,
		Reason: "The field registered_bank_accounts (the customer's own accounts, see refusal 525) is never sent: whether it is an object or a list is not known."})
	for _, m := range methods() {
		if m.Locked != "" {
			out = append(out, providers.Lock{Operation: m.ID, Reason: m.Locked})
		}
	}
	if env == models.Live && values["base_url"] == "" {
		out = append(out, providers.Lock{Operation: string(providers.CanCheck), Items: []string{"OKP-ENV-1"},
			Reason: "OneKey's production host is not published. It comes with OneKey's hand-over after the tests and is typed in by an admin."})
	}
	return out
}
