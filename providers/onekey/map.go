package onekey

import (
	"strings"

	"countinghouse/models"
	"countinghouse/providers"
)

// cashoutState maps their number (contract 6.1). Only the number decides, never the description. An unknown number gives no state: the
// payout stays as it is and people are told (OKP-CO-7). 3 after 1 is the late return: the reader knows what it was before.
func cashoutState(number string) models.State {
	return map[string]models.State{
		"0": models.Pending, "1": models.Succeeded, "2": models.Cancelled, "3": models.Failed, "4": models.Pending, "5": models.Held,
	}[number]
}

// rejectionCodes are the bank's reasons (contract 6.3): 800 to 814 from OneKey's pages, the rest from a sister brand.
func rejectionCodes() map[string]string {
	return map[string]string{
		"800": "the account is incorrect", "801": "the account is closed", "802": "the amount is incorrect", "803": "the bank is invalid",
		"804": "the bank branch is incorrect", "805": "the beneficiary's document is invalid", "806": "the beneficiary's name is incorrect",
		"807": "rejected by the bank", "808": "other error", "809": "the withdrawal expired", "810": "a limit was exceeded", "811": "risk policy",
		"812": "the account is blocked or frozen", "813": "the document does not belong to the account", "814": "the PIX key is invalid",
		"815": "the IFSC code is invalid", "816": "the account or IFSC code is invalid", "817": "the NBIN is invalid",
		"818": "the account cannot be used", "819": "the account type is invalid", "820": "rejected at the merchant's request",
		"821": "the user's monthly limit was exceeded", "822": "the account name must be in Katakana", "823": "the e-mail is empty",
		"824": "rejected by a third party's control", "826": "the withdrawal was reversed",
	}
}

// depositState maps their word (OKP-DEP-2, sibling). Money is credited on COMPLETED only; EARLY_RELEASED is not paid yet, whatever it
// sounds like. settings may map words that nobody has seen.
func (s settings) depositState(word string) models.State {
	if st, ok := s.depositWords[word]; ok {
		return st
	}
	return map[string]models.State{
		"CREATED": models.AwaitingPayment, "INITIATED": models.AwaitingPayment, "PENDING": models.AwaitingPayment,
		"EARLY_RELEASED": models.AwaitingPayment, "EARLY_RELEASE": models.AwaitingPayment, "FOR_REVIEW": models.AwaitingPayment,
		"APPROVED": models.AwaitingPayment, "EXPIRED": models.Expired, "CANCELLED": models.Cancelled, "COMPLETED": models.Succeeded,
		"DECLINED": models.Failed, "REJECTED": models.Failed,
	}[word]
}

// refundState maps their word (contract 3.9; the finality is sibling).
func refundState(word string) models.State {
	return map[string]models.State{
		"PENDING": models.Pending, "INCORRECT_DETAILS": models.Pending, "DELIVERED": models.Pending,
		"COMPLETED": models.Succeeded, "REJECTED": models.Failed, "CANCELLED": models.Cancelled,
	}[word]
}

// statusSentence explains their own word.
func statusSentence(kind models.Kind, status string) string {
	payout := map[string]string{
		"0": "PENDING: accepted and not yet sent to the bank. It can still be cancelled or held.",
		"1": "COMPLETED: the money reached the beneficiary. In rare cases the beneficiary's bank returns it days later.",
		"2": "CANCELLED: cancelled by us, through the API or in OneKey's panel.",
		"3": "REJECTED: refused or returned by the bank.",
		"4": "DELIVERED: sent to the bank. It cannot be cancelled any more.",
		"5": "ON HOLD: held by us. The funds stay reserved and nothing is paid.",
	}
	deposit := map[string]string{
		"CREATED": "The payer has not opened the link.", "INITIATED": "The payer opened the link and has not finished.",
		"EARLY_RELEASED": "OneKey released it early. It is not paid yet.", "EARLY_RELEASE": "OneKey released it early. It is not paid yet.",
		"PENDING": "OneKey awaits the payment.", "FOR_REVIEW": "OneKey's fraud team reviews it.",
		"EXPIRED":   "It was not paid in time. A late payment can still complete it.",
		"CANCELLED": "Cancelled by the payer, or 7 days after it expired. A late payment can still complete it.",
		"APPROVED":  "Crypto: paid and not arrived.", "COMPLETED": "Paid and credited.", "DECLINED": "OneKey refused to create it.",
		"REJECTED": "Rejected.", "ONE_SHOT": "Created: the payer can pay at once.", "HOSTED": "Created: the payer is sent to OneKey's page.",
		"SUCCESS": "The card was charged; it counts as paid once the status says so.", "PENDING_AUTHENTICATION": "The payer's bank wants to know the payer first.",
	}
	refund := map[string]string{
		"PENDING": "OneKey has it. It can still be cancelled there.", "INCORRECT_DETAILS": "OneKey needs more data of the payer: see its panel.",
		"DELIVERED": "Sent to the bank.", "COMPLETED": "Given back.", "REJECTED": "The bank refused it.", "CANCELLED": "Called off.",
	}
	switch kind {
	case models.Payout:
		return payout[status]
	case models.Deposit:
		return deposit[status]
	case models.Refund:
		return refund[status]
	}
	return ""
}

// cashoutStatus turns an answer with a cashout_status into ours. ok is false when there is no number in it.
func (c *Client) cashoutStatus(o object) (s providers.Status, ok bool) {
	word := o.text("cashout_status")
	if !theirCode.MatchString(word) {
		return s, false
	}
	s = providers.Status{State: cashoutState(word), Word: word, BankRef: c.clean(o.text(c.set.bankReference)), ProviderRef: o.id("cashout_id")}
	if word == "3" {
		s.ReasonCode = c.clean(o.text("rejection_code"))
		s.Reason = c.clean(o.text("rejection_reason"))
		if known := rejectionCodes()[s.ReasonCode]; known != "" {
			s.Reason = strings.TrimSpace(sentence(known) + ". " + s.Reason)
		}
	}
	return s, true
}
