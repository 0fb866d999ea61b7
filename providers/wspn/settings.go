package wspn

import (
	"regexp"
	"slices"
	"strings"
	"time"

	"github.com/shopspring/decimal"

	"countinghouse/models"
	"countinghouse/providers"
)

// settings are the contract items that can be switched, made ready for use. See settingList for what each means to people.
type settings struct {
	confirmed        bool // signature_profile_confirmed: nothing at all leaves in live without it
	profile          profile
	timestampOffset  time.Duration
	pathWithQuery    bool
	signMultipart    bool
	signToken        bool
	responseMode     string // off, verify-if-present, required
	contentTypes     string // json, page
	tokenParamsIn    string // query, form
	tokenResponseAt  []string
	tokenShared      bool
	errorCodes       []string // names of the members that may hold a code
	errorTexts       []string
	authErrors       []string // HTTP statuses and codes that mean: token refused
	refusals         []string // codes that are known to mean: nothing was created
	notFound         []string // codes that are known to mean: no such order
	statusWords      map[string]string
	zone             *time.Location
	paths            map[string]string // explicitly typed paths by name
	pathsConfirmed   bool              // two admins have confirmed the guessed paths
	networks         map[string]string // the name people choose → WSPN's code
	whitelistFields  []string          // address, network, label
	remitWrapped     bool
	remitSendsName   bool
	intermediary     string // all-but-city, all, none
	recordAnswers    bool
	balanceFields    []string // currency, balance, available
	greenLinkProof   bool
	minimum          decimal.Decimal
	cryptoContract   string // address, whitelist-id
	cryptoConfirmed  bool
	wholeBalance     bool
	orderIDs         string // request-id, order-id, both
	rateFields       []string
	pairEnforced     bool
	pageObject       string
	filePart         string
	clientTypes      []string
	kybFields        []string
	webhookSigned    string // as-requests, as-requests-required, off
	webhookMaxAge    time.Duration
	trimmedAmounts   bool
	countriesAlpha2  bool
	statusWordsTyped bool
}

// standInWords are the status words taken for granted against a stand-in on this machine only (see newClient). WSPN's own list is not in the
// documentation we have, so at WSPN itself a word counts only when somebody has typed it from WSPN's Appendix (contract 6.5).
const standInWords = "payout.PROCESSING=pending, payout.COMPLETED=succeeded, payout.FAILED=failed, payout.CANCELLED=cancelled, " +
	"payout.RETURNED=returned, deposit.COMPLETED=succeeded, deposit.FAILED=failed, deposit.EXPIRED=expired, " +
	"deposit.CANCELLED=cancelled, conversion.PROCESSING=pending, conversion.FAILED=failed, conversion.CANCELLED=cancelled, " +
	"address.ACTIVE=usable, account.ACTIVE=usable"

// documentedWords are on WSPN's pages (contract 6.5) and hold everywhere.
const documentedWords = "deposit.TO_BE_CONFIRMED=awaiting_payment, payout.TO_BE_PROCESSED=pending, conversion.COMPLETED=succeeded"

// readSettings turns the chosen texts into settings. A text that does not fit is an error that names its setting.
func readSettings(env models.Environment, chosen map[string]string) (settings, error) {
	var s settings
	values := map[string]string{}
	for _, x := range settingList() {
		values[x.Name] = x.Default
		v := strings.TrimSpace(chosen[x.Name])
		if v == "" || v == x.Default {
			continue
		}
		if err := checkSetting(x, v); err != nil {
			return s, err
		}
		values[x.Name] = v
	}
	get := func(name string) string { return values[name] }
	// What two admins have confirmed on the contract-check page reaches us as confirmed:ITEM and unlocks as the setting does.
	confirmed := func(item string) bool { return chosen["confirmed:"+item] == "1" }
	s.confirmed = get("signature_profile_confirmed") == "yes" || confirmed("WSPN-SIG-1")
	s.pathsConfirmed = confirmed("WSPN-PATH-1")
	s.profile, _ = parseProfile(get("signature_profile"))
	if get("timestamp_offset") == "+8h" {
		s.timestampOffset = 8 * time.Hour
	}
	s.pathWithQuery, s.signMultipart = get("sign_path_includes_query") == "yes", get("sign_multipart_body") == "raw"
	s.signToken = get("sign_scope") == "all"
	if s.responseMode = get("response_signature_mode"); s.responseMode == "auto" {
		s.responseMode = "verify-if-present"
		if s.confirmed {
			s.responseMode = "required"
		}
	}
	s.contentTypes, s.tokenParamsIn, s.tokenShared = get("content_type_mode"), get("token_params_in"), get("token_single_live") == "yes"
	s.tokenResponseAt = map[string][]string{"auto": {"result", "", "retdata"}, "result": {"result"}, "top": {""},
		"retdata": {"retdata"}}[get("token_response_at")]
	codes, texts, _ := strings.Cut(get("error_fields"), ";")
	s.errorCodes, s.errorTexts = words(codes), words(texts)
	s.authErrors, s.refusals, s.notFound = words(get("auth_error_codes")), words(get("refusal_codes")), words(get("not_found_codes"))
	s.statusWordsTyped = strings.TrimSpace(chosen["status_words"]) != ""
	s.statusWords = pairs(documentedWords)
	typed := get("status_words")
	if !s.statusWordsTyped && env == models.Sandbox {
		typed = standInWords
	}
	for k, v := range pairs(typed) {
		s.statusWords[k] = v
	}
	s.zone = zoneOf(get("provider_time_zone"))
	s.paths, s.networks = pairs(get("paths")), pairs(get("networks"))
	s.readBooks(get)
	s.readMoney(get)
	s.cryptoConfirmed = s.cryptoConfirmed || confirmed("WSPN-CWD-1")
	if s.webhookSigned == "as-requests" && confirmed("WSPN-WH-3") { // unsigned calls are refused once it is confirmed (contract 5)
		s.webhookSigned = "as-requests-required"
	}
	return s, nil
}

func (s *settings) readBooks(get func(string) string) {
	s.whitelistFields = words(get("whitelist_fields"))
	s.remitWrapped, s.remitSendsName = get("remit_add_wrapped") == "yes", get("remit_edit_sends_name") == "yes"
	s.intermediary, s.recordAnswers = get("intermediary_required"), get("response_shapes") == "record"
	s.filePart, s.clientTypes, s.kybFields = get("file_part_name"), words(get("client_type_values")), words(get("kyb_fields"))
	s.countriesAlpha2 = get("bank_country_format") == "alpha-2"
	s.webhookSigned = get("webhook_signature_profile")
	if n := parseID(get("webhook_max_age")); n > 0 {
		s.webhookMaxAge = time.Duration(min(n, 86400)) * time.Second
	}
}

func (s *settings) readMoney(get func(string) string) {
	s.balanceFields, s.rateFields = words(get("balance_fields")), words(get("rate_fields"))
	s.greenLinkProof = get("green_link_send_proof") == "yes"
	s.minimum, _ = models.ParseDecimal(get("fiat_withdraw_minimum"))
	contract := get("crypto_withdraw_contract")
	s.cryptoConfirmed = strings.HasPrefix(contract, "confirmed-")
	s.cryptoContract = strings.TrimPrefix(strings.TrimPrefix(contract, "confirmed-"), "assumed-")
	s.wholeBalance, s.orderIDs = get("amount_semantics") == "whole_balance", get("order_query_ids")
	s.pairEnforced, s.pageObject = get("quote_pair_enforced") == "yes", get("history_page_object")
	s.trimmedAmounts = get("amount_rules") == "trimmed"
}

// checkSetting holds a value against the setting's options or pattern.
func checkSetting(s providers.Setting, value string) error {
	if len(value) > 4000 {
		return models.FieldErrorf(s.Name, "%s is too long.", s.Label)
	}
	if len(s.Options) > 0 {
		if !slices.ContainsFunc(s.Options, func(o providers.Option) bool { return o.Value == value }) {
			return models.FieldErrorf(s.Name, "%s cannot be %s.", s.Label, quote(value))
		}
		return nil
	}
	if s.Pattern != "" && !regexp.MustCompile(s.Pattern).MatchString(value) {
		return models.FieldErrorf(s.Name, "%s does not have the expected form: %s", s.Label, s.Help)
	}
	return nil
}

// words splits a list at commas.
func words(s string) []string {
	var out []string
	for w := range strings.SplitSeq(s, ",") {
		if w = strings.TrimSpace(w); w != "" {
			out = append(out, w)
		}
	}
	return out
}

// pairs reads "name=value, name=value".
func pairs(s string) map[string]string {
	out := map[string]string{}
	for _, w := range words(s) {
		if k, v, ok := strings.Cut(w, "="); ok {
			out[strings.TrimSpace(k)] = strings.TrimSpace(v)
		}
	}
	return out
}

// zoneOf turns "+08:00" into a zone. A fixed offset needs no zone database, and Singapore has no summer time.
func zoneOf(offset string) *time.Location {
	t, err := time.Parse("-07:00", offset)
	if err != nil {
		return time.FixedZone("+08:00", 8*3600)
	}
	_, secs := t.Zone()
	return time.FixedZone(offset, secs)
}

const timeLayout = "2006-01-02 15:04:05"

// moment reads WSPN's time without a zone (WSPN-TIME-1); zero when it is none.
func (s *settings) moment(text string) time.Time {
	t, err := time.ParseInLocation(timeLayout, text, s.zone)
	if err != nil {
		return time.Time{}
	}
	return t
}

func (s *settings) written(t time.Time) string { return t.In(s.zone).Format(timeLayout) }
