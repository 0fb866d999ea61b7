package wspn

import (
	"strconv"
	"strings"

	"countinghouse/models"
	"countinghouse/providers"
)

// documentedClientWords is the one word of a client's status on WSPN's pages (P-SUB). It means that nothing was approved yet.
const documentedClientWords = "Pending KYC=none"

// standInClientWords are taken for granted in the sandbox environment only: WSPN's own list is not in the documentation we have, so in live a
// word counts only when somebody has typed it (WSPN-KYB-3).
const standInClientWords = "KYC In Review=review, Additional Information Required=question, KYC Approved=verified, KYC Rejected=refused"

// requirements is what WSPN is likely to want by type of company. No list is in the documentation we have: this is the usual one for a business
// account at a licensed institution, marked as assumed wherever it is shown (WSPN-KYB-2). P-KYB and P-KYBB give the limits of files and companies.
func requirements() []models.KYBRequirement {
	corporate, partnership, financial, exempt := models.CompanyType("corporate"), models.CompanyType("partnership"), models.CompanyType("financial"), models.CompanyType("exempt_financial")
	return []models.KYBRequirement{
		{ID: "incorporation", Title: "Proof that the company exists", Help: "Certificate of incorporation; of a partnership its registration.", Kinds: []models.DocumentKind{"incorporation", "register"}},
		{ID: "articles", Title: "Articles or partnership agreement", Kinds: []models.DocumentKind{"articles"}},
		{ID: "shareholders", Title: "Owners, down to people", Help: "Everybody who holds a quarter or more.", Kinds: []models.DocumentKind{"shareholders"},
			Types: []models.CompanyType{corporate, financial, exempt}},
		{ID: "directors", Title: "Directors or partners", Kinds: []models.DocumentKind{"directors", "register"}},
		{ID: "identity", Title: "Passport of a director", Help: "It must say until when it is valid.", Kinds: []models.DocumentKind{"identity"}, Expires: true},
		{ID: "address", Title: "Proof of the company's address", Help: "Issued within the last twelve months.", Kinds: []models.DocumentKind{"address_company", "bank"}, MaxAgeDays: 365},
		{ID: "licence", Title: "Licence of the supervisor", Kinds: []models.DocumentKind{"licence"}, Types: []models.CompanyType{financial}, Expires: true},
		{ID: "exemption", Title: "Letter of exemption", Kinds: []models.DocumentKind{"exemption"}, Types: []models.CompanyType{exempt}},
		{ID: "aml", Title: "Policy against money laundering", Kinds: []models.DocumentKind{"aml"}, Types: []models.CompanyType{financial, exempt}},
		{ID: "agreement", Title: "Resolution who may act", Kinds: []models.DocumentKind{"resolution"}, Types: []models.CompanyType{partnership}},
		{ID: "accounts", Title: "Annual accounts", Help: "Of the last closed year, within 90 days.", Kinds: []models.DocumentKind{"accounts"}, DueDays: 90, MaxAgeDays: 550,
			Types: []models.CompanyType{corporate, financial}},
		{ID: "tax", Title: "Tax certificate", Help: "Within 180 days.", Kinds: []models.DocumentKind{"tax"}, DueDays: 180},
	}
}

func kybRules(env models.Environment, chosen map[string]string) models.KYBRules {
	r := models.KYBRules{Provider: "wspn", Title: "WSPN", Requirements: requirements(), MaxFiles: kybFiles, MaxCompanies: kybCompanies, MaxFileBytes: 10 << 20, MaxBytes: 40 << 20,
		Resend: models.ResendWhole, States: map[string]models.KYBStanding{}, Assumed: true, Items: []string{"WSPN-KYB-1", "WSPN-KYB-2", "WSPN-KYB-3"},
		Note: "WSPN limits a submission to 20 files and a batch to 25 companies. Its list of documents and its limit of size are not in the documentation we have: these are the usual ones."}
	typed := strings.TrimSpace(chosen["kyb_words"])
	words := documentedClientWords
	if typed == "" && env == models.Sandbox {
		typed = standInClientWords
	}
	if typed != "" {
		words += ", " + typed
	}
	for pair := range strings.SplitSeq(words, ",") {
		if word, standing, ok := strings.Cut(pair, "="); ok {
			r.States[strings.ToLower(strings.Join(strings.Fields(word), " "))] = models.KYBStanding(strings.TrimSpace(standing))
		}
	}
	if n, err := strconv.Atoi(strings.TrimSpace(chosen["kyb_total_mb"])); err == nil && n >= 1 && n <= 500 {
		r.MaxBytes = int64(n) << 20
	}
	r.MaxFileBytes, r.BatchBytes = min(r.MaxFileBytes, r.MaxBytes), r.MaxBytes
	if chosen["kyb_resend"] == string(models.ResendChanged) {
		r.Resend = models.ResendChanged
	}
	return r
}

func kybSettings() []providers.Setting {
	return []providers.Setting{
		{Name: "kyb_total_mb", Label: "Largest KYB submission, in megabytes", Item: "WSPN-KYB-2", Default: "40", Pattern: `^[1-9][0-9]{0,2}$`,
			Help: "WSPN's page says that there is a limit; the number is not known. It counts for one company and for a batch."},
		{Name: "kyb_words", Label: "What the words of a client's status mean", Item: "WSPN-KYB-3", Pattern: `^([^=,;]{1,60}=(none|review|question|verified|refused)(, *|$))*$`,
			Help: "Word=meaning, with commas between; meanings: none, review, question, verified, refused. Only Pending KYC is documented. In the sandbox, empty means the stand-in's words."},
		{Name: "kyb_resend", Label: "Documents after a refusal or a question", Item: "WSPN-KYB-1", Default: "whole",
			Help: "Whether WSPN keeps what it had is not documented.", Options: []providers.Option{{Value: "whole", Label: "The whole set again"}, {Value: "changed", Label: "Only what changed"}}},
	}
}
