package onekey

import (
	"slices"
	"strings"
)

// cashoutCodes are the internal codes of the cashouts API (contract 6.2), complete as printed, and 503 of a sister brand.
func cashoutCodes() map[string]string {
	return map[string]string{
		"300": "invalid parameters", "302": "invalid signature", "303": "invalid bank code",
		"401": "invalid credentials", "402": "unregistered IP address",
		"502": "malformed JSON", "503": "regulatory limit of the beneficiary's account",
		"504": "beneficiary not authorised (cadastral situation)", "508": "limit exceeded", "509": "cashout not found",
		"510": "invalid status transition", "511": "external id already used", "514": "insufficient funds",
		"515": "beneficiary blacklisted, blocked or suspended", "518": "country not available", "519": "merchant not enabled",
		"521": "status not supported", "524": "invalid credentials, contact OneKey", "525": "close-loop rejection",
		"526": "invalid currency", "533": "amount below the minimum", "537": "could not make the cashout",
		"538": "account blacklisted", "539": "payout method not available for this country or bank",
		"540": "e-mail or phone required", "541": "e-mail used by another beneficiary",
		"542": "phone used by another beneficiary", "543": "invalid phone", "565": "bank not licensed",
		"702": "could not cancel", "703": "could not make the cashout",
	}
}

// depositCodes are the numbered codes of the deposits API (contract 6.4); everything else of that table is not in the documentation.
func depositCodes() map[string]string {
	return map[string]string{
		"100": "invalid credentials", "101": "a required header is missing", "102": "invalid signature",
		"103": "date outside the accepted window", "104": "idempotency key already used", "105": "a header was sent empty",
		"200": "method not allowed", "201": "a field is not valid", "208": "not found", "418": "required fields are missing",
		"420": "subscription not found", "421": "subscription already cancelled", "426": "subscription terminated", "501": "general error",
	}
}

// validationCodes are the codes of account and PIX-key validation (contract 6.5).
func validationCodes() map[string]string {
	return map[string]string{
		"100": "invalid credentials", "101": "a required header is missing", "102": "invalid signature", "103": "date outside the accepted window",
		"200": "method not allowed", "201": "unregistered IP address", "202": "invalid request body", "203": "this merchant may not validate",
		"300": "invalid document", "301": "invalid bank code", "302": "invalid bank account", "303": "invalid bank branch",
		"305": "required fields are missing", "306": "invalid PIX key", "307": "country not available", "308": "invalid amount",
		"309": "invalid currency", "310": "limit exceeded", "311": "user limit exceeded",
		"400": "bank account blocked", "401": "bank account closed", "402": "invalid beneficiary name",
		"404": "invalid account type", "405": "transfer type not supported",
	}
}

func meaningOf(f family, code string) string {
	switch f {
	case cashouts:
		return cashoutCodes()[code]
	case validations:
		return validationCodes()[code]
	}
	return depositCodes()[code]
}

// defaultRefusals is OKP-ERR-3: the cashout codes after which, as we read the contract, nothing was created.
const defaultRefusals = "300,302,303,401,402,502,503,504,508,514,515,518,519,524,525,526,533,538,539,540,541,542,543,565"

// neverRefusals may not be called a refusal by any setting: 511 says that something exists, 537, 702 and 703 say that something broke.
func neverRefusals() []string { return []string{"511", "537", "702", "703"} }

// refusesCashout reads a creation error by OKP-ERR-3.
func (c *Client) refusesCashout(p problem) bool {
	return slices.Contains(c.set.refusalCodes, p.Code) && !slices.Contains(neverRefusals(), p.Code)
}

// refusesChange reads an error of hold, release and cancel. 509 and 510 say that nothing was changed.
func refusesChange(p problem) bool {
	return slices.Contains([]string{"300", "302", "401", "402", "502", "509", "510", "521", "524"}, p.Code)
}

// refusesDeposit reads a creation error of the deposits family: the numbered ones are refusals of header or fields. 104 says that the key
// was used, so something exists; a 201 about the invoice id, or one that names no field in its details as the contract has it, may be the
// duplicate, whose number nobody documents (OKP-IDEM-4).
func refusesDeposit(p problem) bool {
	if p.Code == "201" && (len(p.Details) == 0 || aboutReference(p)) {
		return false
	}
	if slices.Contains([]string{"USER_REJECTED_KYC_CHECK", "DEPOSIT_REJECTED_FRAUD_CHECK"}, p.Type) {
		return true
	}
	return slices.Contains([]string{"100", "101", "102", "103", "105", "200", "201", "208", "418"}, p.Code)
}

func aboutReference(p problem) bool {
	text := strings.ToLower(p.Text)
	for _, word := range []string{"invoice", "already", "exist", "duplicat", "used", "unique", "repeat", "twice"} {
		if strings.Contains(text, word) {
			return true
		}
	}
	return false
}

// refusal is the sentence for a refused request.
func refusal(f family, p problem) string {
	advice := map[string]string{
		"302": "Check the API signature of the cashouts keys.",
		"401": "Check the API key and passphrase of the cashouts keys.",
		"402": "Add our outgoing address in OneKey's panel, Settings, API Access, Cashouts IP Address.",
		"514": "Fund the balance at OneKey; the same payout can then be sent again.",
		"519": "Ask OneKey's account manager to enable cashouts.",
		"524": "OneKey asks to be contacted about these keys.",
		"565": "OneKey pays to licensed banks only: the bank codes show which are.",
	}
	if f != cashouts {
		advice = map[string]string{
			"100": "Check the API key of the deposit keys.",
			"102": "Check the API signature and the scheme word (OKP-SIG-2).",
			"103": "Check the clock of this machine.",
		}
	}
	s := "OneKey refused it: " + p.says(f) + "."
	if a := advice[p.Code]; a != "" {
		s += " " + a
	}
	return s
}
