package models

import (
	"regexp"
	"slices"
	"strings"
)

// Asset is a currency that can be counted: fiat by ISO 4217, or a crypto asset with the scale this product keeps it in.
type Asset struct {
	Code   string // "BRL", "USDT"
	Number string // ISO 4217 number, empty for crypto
	Scale  int    // digits after the point that one minor unit stands for
	Name   string
	Crypto bool
}

// Unstated is the asset code of a figure whose provider does not say the currency. It is shown as "currency not stated".
const Unstated = "XXX"

// AssetByCode finds an asset by its upper-case code.
func AssetByCode(code string) (Asset, bool) {
	i, ok := slices.BinarySearchFunc(assets, code, func(a Asset, c string) int { return strings.Compare(a.Code, c) })
	if !ok {
		return Asset{}, false
	}
	return assets[i], true
}

// Assets lists every asset by code.
func Assets() []Asset { return slices.Clone(assets) }

var assetCode = regexp.MustCompile(`^[A-Z]{3,5}$`)

// ValidAssetCode reports whether a code has the shape of one, known or not.
func ValidAssetCode(code string) bool { return assetCode.MatchString(code) }

// assets is sorted by code. Fiat: ISO 4217 list one. Crypto: scale 6 for USDT and USDC, 2 for WUSD (what WSPN's API can say,
// WSPN-AMT-1), 8 for BTC, ETH and MATIC.
var assets = []Asset{
	{"AED", "784", 2, "UAE dirham", false},
	{"ARS", "032", 2, "Argentine peso", false},
	{"AUD", "036", 2, "Australian dollar", false},
	{"BHD", "048", 3, "Bahraini dinar", false},
	{"BOB", "068", 2, "Boliviano", false},
	{"BRL", "986", 2, "Brazilian real", false},
	{"BTC", "", 8, "Bitcoin", true},
	{"CAD", "124", 2, "Canadian dollar", false},
	{"CHF", "756", 2, "Swiss franc", false},
	{"CLP", "152", 0, "Chilean peso", false},
	{"CNY", "156", 2, "Yuan renminbi", false},
	{"COP", "170", 2, "Colombian peso", false},
	{"CRC", "188", 2, "Costa Rican colon", false},
	{"CZK", "203", 2, "Czech koruna", false},
	{"DKK", "208", 2, "Danish krone", false},
	{"DOP", "214", 2, "Dominican peso", false},
	{"EGP", "818", 2, "Egyptian pound", false},
	{"ETB", "230", 2, "Ethiopian birr", false},
	{"ETH", "", 8, "Ether", true},
	{"EUR", "978", 2, "Euro", false},
	{"GBP", "826", 2, "Pound sterling", false},
	{"GHS", "936", 2, "Ghana cedi", false},
	{"GTQ", "320", 2, "Quetzal", false},
	{"HKD", "344", 2, "Hong Kong dollar", false},
	{"HNL", "340", 2, "Lempira", false},
	{"HUF", "348", 2, "Forint", false},
	{"IDR", "360", 2, "Rupiah", false},
	{"ILS", "376", 2, "New Israeli sheqel", false},
	{"INR", "356", 2, "Indian rupee", false},
	{"JOD", "400", 3, "Jordanian dinar", false},
	{"JPY", "392", 0, "Yen", false},
	{"KES", "404", 2, "Kenyan shilling", false},
	{"KRW", "410", 0, "Won", false},
	{"KWD", "414", 3, "Kuwaiti dinar", false},
	{"KZT", "398", 2, "Tenge", false},
	{"MATIC", "", 8, "Matic", true},
	{"MXN", "484", 2, "Mexican peso", false},
	{"MYR", "458", 2, "Malaysian ringgit", false},
	{"NGN", "566", 2, "Naira", false},
	{"NIO", "558", 2, "Cordoba oro", false},
	{"NOK", "578", 2, "Norwegian krone", false},
	{"NZD", "554", 2, "New Zealand dollar", false},
	{"OMR", "512", 3, "Rial omani", false},
	{"PAB", "590", 2, "Balboa", false},
	{"PEN", "604", 2, "Sol", false},
	{"PHP", "608", 2, "Philippine peso", false},
	{"PKR", "586", 2, "Pakistan rupee", false},
	{"PLN", "985", 2, "Zloty", false},
	{"PYG", "600", 0, "Guarani", false},
	{"QAR", "634", 2, "Qatari rial", false},
	{"RON", "946", 2, "Romanian leu", false},
	{"RUB", "643", 2, "Russian ruble", false},
	{"RWF", "646", 0, "Rwanda franc", false},
	{"SAR", "682", 2, "Saudi riyal", false},
	{"SEK", "752", 2, "Swedish krona", false},
	{"SGD", "702", 2, "Singapore dollar", false},
	{"THB", "764", 2, "Baht", false},
	{"TND", "788", 3, "Tunisian dinar", false},
	{"TRY", "949", 2, "Turkish lira", false},
	{"TWD", "901", 2, "New Taiwan dollar", false},
	{"TZS", "834", 2, "Tanzanian shilling", false},
	{"UAH", "980", 2, "Hryvnia", false},
	{"UGX", "800", 0, "Uganda shilling", false},
	{"USD", "840", 2, "US dollar", false},
	{"USDC", "", 6, "USD Coin", true},
	{"USDT", "", 6, "Tether USD", true},
	{"UYU", "858", 2, "Peso uruguayo", false},
	{"VND", "704", 0, "Dong", false},
	{"WUSD", "", 2, "Worldwide USD", true},
	{"XAF", "950", 0, "CFA franc BEAC", false},
	{"XOF", "952", 0, "CFA franc BCEAO", false},
	{"XXX", "999", 2, "currency not stated", false},
	{"ZAR", "710", 2, "Rand", false},
	{"ZMW", "967", 2, "Zambian kwacha", false},
}
