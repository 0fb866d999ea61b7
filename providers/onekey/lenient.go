package onekey

import "regexp"

var leadingZero = regexp.MustCompile(`(:\s*)(0\d{1,19})(\s*[,}])`)

// lenient turns numbers with a leading zero, which are no JSON and stand in OneKey's own sample of a PIX callback, into strings. A branch
// is text anyway.
func lenient(body []byte) []byte { return leadingZero.ReplaceAll(body, []byte(`$1"$2"$3`)) }
