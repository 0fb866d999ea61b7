package aeterna

import (
	"strings"

	"countinghouse/models"
	"countinghouse/providers"
)

// Names of the settings.
const (
	settingTable      = models.OperationTable
	settingProfile    = "typed_profile"
	settingTransport  = "transport_rules"
	settingEmail      = "email_normalisation"
	settingWindow     = "timestamp_window"
	settingCanonical  = "callback_canonical_form"
	settingHexCase    = "callback_hex_case"
	settingLimit      = "callback_limits"
	settingCallback   = "callback_url_per_merchant"
	settingEscape     = "callback_escape_style"
	settingOverlap    = "callback_secret_overlap"
	settingRetry      = "retry_policy"
	defaultBodyLimit  = "1048576"
	defaultWindowSecs = "60"
)

// settingRows lists the switchable items. sandbox_check_order, callback_reply, unknown_status, error_classes and amount_format of the
// contract are not offered: the first belongs to the provider's side, and of the others there is only one safe reading; amounts are
// written as the operation table says.
func settingRows() []providers.Setting {
	return []providers.Setting{
		{Name: settingProfile, Label: "Typed operations", Item: "AET-OPS-2", Default: "auto",
			Help:    "Aeterna's documentation names no path. Typed operations follow the operation table below, which is an assumption. “Automatic” allows them against a stand-in on this machine only.",
			Options: []providers.Option{{Value: "auto", Label: "Automatic: on against a stand-in, off otherwise"}, {Value: "on", Label: "On: the table has been checked against Aeterna's own list"}, {Value: "off", Label: "Off"}}},
		{Name: settingTable, Label: "Operation table", Item: "AET-L-1", Pattern: `^\s*(\{[\s\S]*\}\s*)?$`,
			Help: "Paths, fields, success rule, refusals and statuses as JSON. Empty means profile L, a guess from comparable providers. A second admin approves every change."},
		{Name: settingTransport, Label: "Body of a call without parameters", Item: "AET-HTTP-2", Default: "braces",
			Help:    "What is sent where an operation has no parameters.",
			Options: []providers.Option{{Value: "braces", Label: "{}"}, {Value: "empty", Label: "nothing"}}},
		{Name: settingEmail, Label: "E-mail address in the signature", Item: "AET-SIG-2", Default: "exact",
			Help:    "The account's e-mail address is signed with every call. It must be typed exactly as it is registered.",
			Options: []providers.Option{{Value: "exact", Label: "Exactly as typed"}, {Value: "lower", Label: "In small letters"}}},
		{Name: settingWindow, Label: "Clock tolerance in seconds", Item: "AET-SIG-3", Pattern: `^[0-9]{1,5}$`, Default: defaultWindowSecs,
			Help: "From which difference between our clock and theirs a refused call is put down to the clock. The stand-in refuses older and newer times. Aeterna's own number is not known."},
		{Name: settingCanonical, Label: "Signed form of a callback", Item: "AET-CB-2", Default: "raw",
			Help:    "Which bytes of a callback the signature covers. Change it only when a real callback has shown it.",
			Options: []providers.Option{{Value: "raw", Label: "The bytes as received"}, {Value: "compact", Label: "The bytes as received, or their compact JSON form"}}},
		{Name: settingHexCase, Label: "Letter case of a callback's signature", Item: "AET-CB-3", Default: "either",
			Options: []providers.Option{{Value: "either", Label: "Small or capital letters"}, {Value: "lower", Label: "Small letters only"}}},
		{Name: settingLimit, Label: "Largest callback in bytes", Item: "AET-CB-4", Pattern: `^[1-9][0-9]{2,6}$`, Default: defaultBodyLimit},
		{Name: settingCallback, Label: "Where the callback address is set", Item: "AET-CB-6", Default: "request",
			Help:    "Each credential has a callback address of its own, which chooses the key that verifies.",
			Options: []providers.Option{{Value: "request", Label: "In every request"}, {Value: "cabinet", Label: "In Aeterna's cabinet: requests carry none"}}},
		{Name: settingEscape, Label: "How the stand-in writes callbacks", Item: "AET-CB-7", Default: "dotnet",
			Help:    "Only the stand-in reads this. The verification takes the bytes as they come.",
			Options: []providers.Option{{Value: "dotnet", Label: "As .NET writes JSON, with \\u escapes"}, {Value: "plain", Label: "Plain UTF-8"}}},
		{Name: settingOverlap, Label: "Callbacks signed with the other key", Item: "AET-KEY-1", Default: "off",
			Help:    "While keys are rotated, callbacks may still be signed with the old secret token.",
			Options: []providers.Option{{Value: "off", Label: "Refused"}, {Value: "on", Label: "Accepted during the overlap"}}},
		{Name: settingRetry, Label: "Repeating harmless questions", Item: "AET-RETRY-1", Default: "reads",
			Help:    "Calls that create or change something are never repeated by themselves, whatever stands here.",
			Options: []providers.Option{{Value: "reads", Label: "Up to two repeats, signed anew"}, {Value: "none", Label: "Never"}}},
	}
}

// chosen gives a setting or its default.
func chosen(settings map[string]string, name string) string {
	d := providers.Description{Settings: settingRows()}
	return providers.Config{Settings: settings}.Setting(&d, name)
}

// checkSettings refuses an operation table that could not be used.
func checkSettings(settings map[string]string) []models.Problem {
	text := settings[settingTable]
	if strings.TrimSpace(text) == "" {
		return nil
	}
	_, problems := ParseTable([]byte(text))
	return problems
}
