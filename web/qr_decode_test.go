package web_test

import (
	"net/url"
	"strings"
	"testing"
)

const (
	tillCode  = "00020101021228220008ke.go.qr01068888805204000053034045406250.005802KE5911UGALI POINT6007NAIROBI63049382"
	wakaKey   = "pk_test_canaryWAKAkey0001"
	wakaProof = "sk_test_canaryWAKAsecret01"
)

func TestAQRCodeOpensAPayoutThatIsFilledIn(t *testing.T) {
	h := openProvider(t, "wakapay", map[string]string{"api_key": wakaKey, "api_secret": wakaProof})
	h.hidden = map[string]string{"api_secret": wakaProof}
	_, at := h.send(h.admin, "/credentials", url.Values{"provider": {"wakapay"}, "environment": {"sandbox"}, "name": {"Waka"}, "do": {"save"}, "f.base_url": {h.sandbox.URL},
		"f.api_key": {wakaKey}, "f.api_secret": {wakaProof}, "s.amount_unit": {"major"}, "s.payout_contract": {"demo"}})
	id := strings.TrimPrefix(at, "/credentials/")
	if id == "" {
		t.Fatal("no credential was made")
	}
	h.send(h.admin, at+"/test", url.Values{"slot": {"current"}})
	d, _ := h.send(h.admin, at+"/ask", url.Values{"kind": {"activate"}, "version": {"1"}})
	h.says(d, "Done: Bring the credential into use")
	h.says(h.see(h.finance, "/payouts/new"), "From a QR code")
	for what, text := range map[string]string{"nothing": " ", "garbage": "garbage", "a long text": strings.Repeat("0", 5000), "control characters": "00\x00", "another checksum": tillCode + "0"} {
		d, at := h.send(h.finance, "/payouts/qr", url.Values{"qr": {text}, "credential": {id}})
		if at != "" || d.Find("#qr .error, #qr .errors").Length() == 0 {
			t.Errorf("%s led to %q", what, at)
		}
	}
	if d, at := h.send(h.finance, "/payouts/qr", url.Values{"qr": {tillCode}, "credential": {"01a202ea-5e0f-75c6-adaa-e1df7ce8d7ac"}}); at != "" {
		t.Errorf("another credential read it: %s", text(d))
	}
	d, at = h.send(h.finance, "/payouts/qr", url.Values{"qr": {tillCode}, "credential": {id}})
	if !strings.HasPrefix(at, "/payouts/new?") {
		t.Fatalf("the code led to %q: %s", at, text(d))
	}
	for name, want := range map[string]string{"v.number": "888880", "v.name": "UGALI POINT", "amount": "250.00"} {
		if got := d.Find("input[name='"+name+"']").AttrOr("value", ""); got != want {
			t.Errorf("%s is %q, want %q", name, got, want)
		}
	}
}
