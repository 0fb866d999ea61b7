package wspn

import "countinghouse/providers"

const (
	codeListPattern = `^([A-Za-z0-9_.:-]{1,64}(\s*,\s*[A-Za-z0-9_.:-]{1,64})*)?$`
	pairListPattern = `^([A-Za-z0-9_.-]{1,64}=[A-Za-z0-9_./ -]{1,128}(\s*,\s*[A-Za-z0-9_.-]{1,64}=[A-Za-z0-9_./ -]{1,128})*)?$`
)

func yesNo(yes, no string) []providers.Option {
	return []providers.Option{{Value: "yes", Label: yes}, {Value: "no", Label: no}}
}

func fields(pattern string) string { return `^` + pattern + `$` }

// settingList is every switch of the contract. Defaults are the contract's safest readings.
//
// Left out because nothing in a client hangs on them: request_id_scope and refusal_burns_reference (we never use a reference twice),
// webhook_reply and webhook_data_decode (the reply is always the strict one and data is always read both ways), guided_flows.
// The stand-in has them where they matter.
func settingList() []providers.Setting {
	out := append(signatureSettings(), answerSettings()...)
	return append(append(append(out, bookSettings()...), kybSettings()...), moneySettings()...)
}

func signatureSettings() []providers.Setting {
	return []providers.Setting{
		{Name: "signature_profile_confirmed", Label: "Signature confirmed", Item: "WSPN-SIG-1", Default: "no",
			Help:    "Say yes only after WSPN's code example (page 5743931m0) was read and a signed call was accepted in WSPN's test environment. Until then nothing is sent in live.",
			Options: []providers.Option{{Value: "no", Label: "No: nothing is sent in live"}, {Value: "yes", Label: "Yes: read and tried"}}},
		{Name: "signature_profile", Label: "How requests are signed", Item: "WSPN-SIG-1", Default: assumedProfile, Pattern: profilePattern,
			Help: "separator/hash/key/encoding, for example none/hmac-sha256/api_secret/hex. Separators: none, newline, ampersand. Hashes: hmac-sha256, hmac-sha512, sha256-appended. Keys: api_secret, api_key. Encodings: hex, HEX, base64."},
		{Name: "timestamp_offset", Label: "Timestamp of the signature", Item: "WSPN-SIG-2", Default: "0",
			Help:    "The page says “Singapore timezone” of a count of milliseconds, which has no zone. Try +8 h only if WSPN complains about timestamps.",
			Options: []providers.Option{{Value: "0", Label: "Plain Unix milliseconds"}, {Value: "+8h", Label: "8 hours added"}}},
		{Name: "sign_path_includes_query", Label: "Query in the signed path", Item: "WSPN-SIG-3", Default: "no",
			Help: "Whether the signed URL component holds the query as well.", Options: yesNo("Path and query", "Path only")},
		{Name: "sign_multipart_body", Label: "Signature of file uploads", Item: "WSPN-SIG-4", Default: "empty",
			Help:    "The page says only “string-based” bodies are signed.",
			Options: []providers.Option{{Value: "empty", Label: "As if the body were empty"}, {Value: "raw", Label: "Over the raw bytes"}}},
		{Name: "sign_scope", Label: "Which calls are signed", Item: "WSPN-SIG-5", Default: "all-but-token",
			Help:    "Whether the token call is signed too.",
			Options: []providers.Option{{Value: "all-but-token", Label: "All but the token call"}, {Value: "all", Label: "All"}}},
		{Name: "response_signature_mode", Label: "Signatures of answers", Item: "WSPN-SIG-6", Default: "auto",
			Help: "A mismatch on a money call means: outcome unknown.",
			Options: []providers.Option{{Value: "auto", Label: "Required once the signature is confirmed, else verified if present"},
				{Value: "required", Label: "Required"}, {Value: "verify-if-present", Label: "Verified if present"}, {Value: "off", Label: "Not looked at"}}},
		{Name: "token_params_in", Label: "Where token parameters travel", Item: "WSPN-TOK-1", Default: "query",
			Help:    "The page contradicts itself; its samples use the query string.",
			Options: []providers.Option{{Value: "query", Label: "Query string"}, {Value: "form", Label: "Multipart form"}}},
		{Name: "token_response_at", Label: "Where the token stands in the answer", Item: "WSPN-TOK-2", Default: "auto",
			Help: "Automatic looks in result, then at the top, then in retdata.",
			Options: []providers.Option{{Value: "auto", Label: "Automatic"}, {Value: "result", Label: "result"}, {Value: "top", Label: "Top level"},
				{Value: "retdata", Label: "retdata"}}},
		{Name: "token_single_live", Label: "One live token", Item: "WSPN-TOK-3", Default: "yes",
			Help:    "WSPN keeps one token alive per client. Yes shares one token between everything that uses these keys.",
			Options: yesNo("Share one token", "Each client may hold its own")},
		{Name: "content_type_mode", Label: "Content type of JSON calls", Item: "WSPN-CT-1", Default: "json",
			Help:    "Some pages print text/plain for JSON.",
			Options: []providers.Option{{Value: "json", Label: "application/json everywhere"}, {Value: "page", Label: "Exactly as each page shows"}}},
		{Name: "webhook_signature_profile", Label: "Signature of webhooks", Item: "WSPN-WH-3", Default: "as-requests",
			Help: "WSPN's verification example is not in the documentation we have. A wrong signature is always refused unless this is off.",
			Options: []providers.Option{{Value: "as-requests", Label: "Like a request; unsigned ones are only a hint"},
				{Value: "as-requests-required", Label: "Like a request; unsigned ones are forged"}, {Value: "off", Label: "Not looked at: every webhook is only a hint"}}},
		{Name: "webhook_max_age", Label: "Oldest webhook accepted, in seconds", Item: "WSPN-WH-4", Default: "0", Pattern: `^[0-9]{1,5}$`,
			Help: "0 accepts any age. Retries come up to 16 minutes later, and it is not known whether each is signed afresh."},
	}
}

func answerSettings() []providers.Setting {
	return []providers.Setting{
		{Name: "error_fields", Label: "Names of code and message in an error", Item: "WSPN-ERR-1", Default: "code,errorCode;message,errorMessage,msg",
			Pattern: `^[A-Za-z0-9_,]{1,80};[A-Za-z0-9_,]{1,80}$`, Help: "Names for the code, a semicolon, names for the message."},
		{Name: "auth_error_codes", Label: "What says that a token is refused", Item: "WSPN-ERR-1", Default: "401", Pattern: codeListPattern,
			Help: "HTTP statuses and error codes, with commas. On these a new token is fetched and the call is made once more."},
		{Name: "refusal_codes", Label: "Error codes that mean: nothing was created", Item: "WSPN-ERR-1", Default: "", Pattern: codeListPattern,
			Help: "None is documented, so every error of a money call is “outcome unknown”. Type codes here only from WSPN's Appendix. Never put the code of a repeated requestId here."},
		{Name: "not_found_codes", Label: "Error codes that mean: no such order", Item: "WSPN-ERR-1", Default: "", Pattern: codeListPattern,
			Help: "None is documented. Type codes here only from WSPN's Appendix."},
		{Name: "status_words", Label: "What WSPN's status words mean", Item: "WSPN-ERR-1", Default: "", Pattern: pairListPattern,
			Help: "For example payout.COMPLETED=succeeded, payout.FAILED=failed, deposit.COMPLETED=succeeded, address.ACTIVE=usable. Empty means: " +
				"against a stand-in on this machine its words; at WSPN, in test and in live, only the three documented words, so that no payout is called done on a guess."},
		{Name: "provider_time_zone", Label: "Zone of WSPN's times", Item: "WSPN-TIME-1", Default: "+08:00", Pattern: `^[+-](0[0-9]|1[0-4]):[0-5][0-9]$`,
			Help: "Offset from UTC; Singapore is +08:00."},
		{Name: "paths", Label: "Paths that are not documented", Item: "WSPN-PATH-1", Default: "", Pattern: pairListPattern,
			Help: "name=path pairs for deposit_address, deposit_accounts, whitelist_search, whitelist_delete, remit_search, fiat_order, conversion_order, " +
				"crypto_receipt, fiat_receipt, conversion_receipt, countries. In live a path is used only when it stands here."},
		{Name: "networks", Label: "WSPN's codes of the networks", Item: "WSPN-ADDR-1", Default: "Ethereum=Ethereum, Polygon=Polygon, Viction=Viction",
			Pattern: pairListPattern, Help: "name=code pairs; WSPN's codes are not documented."},
		{Name: "response_shapes", Label: "Answers of the bank-account calls", Item: "WSPN-RESP-1", Default: "record",
			Help: "Whether Add and Edit answer with the record.",
			Options: []providers.Option{{Value: "record", Label: "With the record and its id"},
				{Value: "header-only", Label: "Header only: the id is found by listing"}}},
		{Name: "order_query_ids", Label: "Which ids an order query carries", Item: "WSPN-ORD-1", Default: "request-id",
			Help: "With both, WSPN wants them to match the same order.",
			Options: []providers.Option{{Value: "request-id", Label: "Our reference"}, {Value: "order-id", Label: "WSPN's id where known"},
				{Value: "both", Label: "Both"}}},
		{Name: "history_page_object", Label: "Name of the paging object", Item: "WSPN-MINT-1", Default: "pagination",
			Help: "The table says page, the samples say pagination.", Options: []providers.Option{{Value: "pagination", Label: "pagination"}, {Value: "page", Label: "page"}}},
	}
}

func bookSettings() []providers.Setting {
	return []providers.Setting{
		{Name: "whitelist_fields", Label: "Names of the whitelist fields", Item: "WSPN-ADDR-1", Default: "address,network,label",
			Pattern: fields(`[A-Za-z0-9_]{1,32},[A-Za-z0-9_]{1,32},[A-Za-z0-9_]{1,32}`), Help: "Address, network, label."},
		{Name: "remit_add_wrapped", Label: "Add bank account: wrapped in query", Item: "WSPN-REM-1", Default: "yes",
			Help: "The page shows the fields flat; every other call wraps them.", Options: yesNo("Wrapped", "Flat")},
		{Name: "remit_edit_sends_name", Label: "Edit bank account: send the name", Item: "WSPN-REM-1", Default: "yes",
			Help: "The name stands in the sample, not in the table.", Options: yesNo("Send it unchanged", "Leave it out")},
		{Name: "intermediary_required", Label: "Fields of an intermediary bank", Item: "WSPN-REM-1", Default: "all-but-city",
			Help: "Which become required when there is one.",
			Options: []providers.Option{{Value: "all-but-city", Label: "All but the city"}, {Value: "all", Label: "All"},
				{Value: "none", Label: "None"}}},
		{Name: "bank_country_format", Label: "Country of a bank", Item: "WSPN-CTRY-1", Default: "alpha-3",
			Help: "The field takes three characters, the sample has two.", Options: []providers.Option{{Value: "alpha-3", Label: "Three letters"}, {Value: "alpha-2", Label: "Two letters"}}},
		{Name: "file_part_name", Label: "Name of the file part of a proof", Item: "WSPN-FILE-1", Default: "file", Pattern: fields(`[A-Za-z0-9_\[\].]{1,32}`), Help: "A form field name."},
		{Name: "client_type_values", Label: "Client types of sub-accounts", Item: "WSPN-ACC-1", Default: "1,2,3,4,5,6", Pattern: fields(`[0-9]{1,3}(,[0-9]{1,3})*`),
			Help: "3 Partnership, 4 Corporate, 5 Financial Institution, 6 Exempt Financial Institution; the labels of 1 and 2 are not known."},
		{Name: "kyb_fields", Label: "Form fields of a KYB submission", Item: "WSPN-KYB-1", Default: "clientId,files", Pattern: fields(`[A-Za-z0-9_]{1,32},[A-Za-z0-9_]{1,32}`),
			Help: "The client's id, the files."},
	}
}

func moneySettings() []providers.Setting {
	return []providers.Setting{
		{Name: "amount_semantics", Label: "What the amount of a withdrawal means", Item: "WSPN-ALL-1", Default: "amount",
			Help: "The pages speak of moving all the balance although an amount is required. With “whole balance” a payout is refused here unless it equals the balance.",
			Options: []providers.Option{{Value: "amount", Label: "The amount to move"}, {Value: "whole_balance",
				Label: "Only the whole balance can be moved"}}},
		{Name: "amount_rules", Label: "How amounts are written", Item: "WSPN-AMT-1", Default: "padded", Help: "Both are allowed by the pages.",
			Options: []providers.Option{{Value: "padded", Label: "With all decimals: 1.00"}, {Value: "trimmed", Label: "Without trailing zeros: 1"}}},
		{Name: "fiat_withdraw_minimum", Label: "Smallest fiat withdrawal", Item: "WSPN-FWD-1", Default: "100", Pattern: `^[0-9]{1,12}(\.[0-9]{1,2})?$`,
			Help: "100 on the newest page; the currency is not stated."},
		{Name: "green_link_send_proof", Label: "Proof with a Green Link account", Item: "WSPN-FDEP-1", Default: "yes",
			Help: "With Green Link, reference and proof are not required; sending them anyway should be harmless.", Options: yesNo("Send what there is", "Leave it out")},
		{Name: "crypto_withdraw_contract", Label: "Fields of a crypto withdrawal", Item: "WSPN-CWD-1", Default: "assumed-address",
			Help: "All fields are a guess. In live a crypto withdrawal is possible only when page 248515600e0 was read and this says so.",
			Options: []providers.Option{{Value: "assumed-address", Label: "Guess: network and address"},
				{Value: "assumed-whitelist-id", Label: "Guess: id of the whitelist entry"}, {Value: "confirmed-address", Label: "Read: network and address"},
				{Value: "confirmed-whitelist-id", Label: "Read: id of the whitelist entry"}}},
		{Name: "balance_fields", Label: "Names of the balance fields", Item: "WSPN-BAL-1", Default: "currency,balance,availableBalance",
			Pattern: fields(`[A-Za-z0-9_]{1,32},[A-Za-z0-9_]{1,32},[A-Za-z0-9_]{1,32}`), Help: "Currency, total, available."},
		{Name: "rate_fields", Label: "Names of the quote fields", Item: "WSPN-FX-1", Default: "rate,quoteId,rateExpiryTime,sellBalance",
			Pattern: fields(`[A-Za-z0-9_]{1,32},[A-Za-z0-9_]{1,32},[A-Za-z0-9_]{1,32},[A-Za-z0-9_]{1,32}`), Help: "Rate, quote id, expiry, balance."},
		{Name: "quote_pair_enforced", Label: "A quote serves its own pair only", Item: "WSPN-FX-2", Default: "yes",
			Help: "Yes refuses another pair here, before anything is sent.", Options: yesNo("Refuse another pair here", "Let WSPN decide")},
	}
}
