package sandbox

import (
	"fmt"
	"strconv"
	"time"

	"github.com/shopspring/decimal"
)

// order is one movement: fiat or crypto, in or out, or a conversion.
type order struct {
	id        int64
	kind      string // fiat-out, fiat-in, crypto-out, crypto-in, mint
	requestID string
	currency  string // sold, for a conversion
	buy       string
	moved     amount
	bought    amount
	rate      string
	quoteID   string
	status    string
	remitID   int64
	reference string
	remark    string
	purpose   string
	network   string
	address   string
	hash      string
	created   time.Time
	completed time.Time
	booked    bool // a deposit's money was credited
	paid      amount
}

// furnish fills the stand-in with what a merchant would find on the first day. Ids lie above 2^53, where a float loses them.
func (s *Sandbox) furnish() {
	s.books = map[string]amount{"USD": decimal.New(25_000_000, 0), "EUR": decimal.New(10_000_000, 0), "JPY": decimal.New(2_000_000_000, 0),
		"WUSD": decimal.New(25_000_000, 0)}
	for i, c := range []string{"USD", "EUR", "JPY"} {
		n := int64(i)
		s.accounts = append(s.accounts, &remitAccount{id: 9007199254740993 + n, currency: c, fields: map[string]any{
			"beneficiaryName": "Meridian Supplies Pte Ltd", "beneficiaryAddress": "8 Marina View, Singapore", "beneficiaryBankCountry": "SGP",
			"beneficiaryBankName": "Lion City Bank", "beneficiaryAccount": "00330" + strconv.Itoa(41177+i), "currency": c, "bankType": "SWIFT",
			"beneficiaryBankSwiftCode": "LCBKSGSG", "beneficiaryBankAddress": "1 Raffles Place, Singapore", "isIntermediaryRequired": false}})
		s.accounts = append(s.accounts, &remitAccount{id: 9007199254741993 + n, currency: c, ours: true, fields: map[string]any{
			"beneficiaryName": "WSPN Client Money " + c, "beneficiaryBankCountry": "SGP", "beneficiaryBankName": "Green Link Digital Bank",
			"beneficiaryAccount": "88001" + strconv.Itoa(70210+i), "currency": c, "bankType": "SWIFT", "beneficiaryBankSwiftCode": "GLDBSGSG"}})
	}
	for i, n := range []string{"Ethereum", "Polygon", "Viction"} {
		s.whitelist = append(s.whitelist, &whiteAddress{id: 9007199254742993 + int64(i), network: n,
			address: "0x52908400098527886E0F7030069857D2E4169EE7", label: "Treasury " + n})
	}
	s.serial = 9007199254750993
	s.members = []*member{{id: s.clientID, name: "Kontor Handels GmbH", country: "DEU", kind: "Master Merchant", status: "Active", user: "kontor", userID: 51001}}
}

func (s *Sandbox) nextID() int64 { s.serial++; return s.serial }

// nextOrderID looks like YYMMDDhhmmss and three digits (4.0).
func (s *Sandbox) nextOrderID() int64 {
	base, _ := strconv.ParseInt(s.clock().In(s.zone()).Format("060102150405")+"000", 10, 64)
	s.lastOrder = max(s.lastOrder+1, base)
	return s.lastOrder
}

// nextMintID looks like YYMMDD and three digits (4.0).
func (s *Sandbox) nextMintID() int64 {
	base, _ := strconv.ParseInt(s.clock().In(s.zone()).Format("060102")+"001", 10, 64)
	s.lastMint = max(s.lastMint+1, base)
	return s.lastMint
}

func (s *Sandbox) zone() *time.Location {
	t, err := time.Parse("-07:00", s.setting("provider_time_zone", "+08:00"))
	if err != nil {
		return time.FixedZone("+08:00", 8*3600)
	}
	_, secs := t.Zone()
	return time.FixedZone("", secs)
}

const layout = "2006-01-02 15:04:05"

func (s *Sandbox) written(t time.Time) any {
	if t.IsZero() {
		return nil
	}
	return t.In(s.zone()).Format(layout)
}

// duplicate refuses a requestId that was used before (WSPN-IDEM-1, WSPN-IDEM-2).
func (s *Sandbox) duplicate(in *incoming, requestID string) *reply {
	if s.requestIDs[s.requestKey(in, requestID)] {
		r := refuse("TEST_DUPLICATE_REQUEST", "this requestId was used before")
		return &r
	}
	return nil
}

func (s *Sandbox) requestKey(in *incoming, requestID string) string {
	if s.setting("request_id_scope", "client") == "endpoint" {
		return in.path + " " + requestID
	}
	return requestID
}

// no refuses for a reason of business; by setting that uses the requestId up (WSPN-IDEM-2).
func (s *Sandbox) no(in *incoming, requestID, code, message string) reply {
	if s.setting("refusal_burns_reference", "no") == "yes" {
		s.requestIDs[s.requestKey(in, requestID)] = true
	}
	return refuse(code, message)
}

// keep books an order in and lets it settle by itself.
func (s *Sandbox) keep(in *incoming, o *order) {
	o.created = s.clock()
	s.requestIDs[s.requestKey(in, o.requestID)] = true
	s.orders = append(s.orders, o)
	s.byRequest[o.requestID] = o
	s.byID[o.id] = o
	s.executions[o.requestID]++
	if o.status != "COMPLETED" && o.kind != "fiat-in" {
		s.settleLater(o)
	}
}

// takeOut moves money out for an order. What leaves is the amount, or in the other reading of WSPN-ALL-1 the whole balance.
func (s *Sandbox) takeOut(currency string, d amount) (amount, *reply) {
	have := s.books[currency]
	switch s.setting("amount_semantics", "amount") {
	case "whole_balance":
		d = have
	case "partial_refused":
		if !d.Equal(have) {
			r := refuse("TEST_PARTIAL", "only the whole balance can be moved")
			return d, &r
		}
	}
	if d.GreaterThan(have) || !d.IsPositive() {
		r := refuse("TEST_FUNDS", "the balance is "+figure(have, currency))
		return d, &r
	}
	s.books[currency] = have.Sub(d)
	return d, nil
}

// readBalance answers all currencies (WSPN-BAL-1).
func (s *Sandbox) readBalance(in *incoming) reply {
	if len(in.body) > 0 {
		return refuse("TEST_BODY", "the balance takes no body")
	}
	var list []any
	for _, c := range []string{"EUR", "JPY", "USD", "WUSD"} {
		line := map[string]any{"currency": c, "balance": figure(s.books[c], c)}
		if s.setting("balance_shape", "both") == "both" {
			line["availableBalance"] = line["balance"]
			line["balance"] = figure(s.books[c].Add(s.onTheWay(c)), c)
		}
		list = append(list, line)
	}
	return listing(list, nil)
}

// onTheWay is what has left the balance and is not paid yet.
func (s *Sandbox) onTheWay(currency string) amount {
	sum := amount{}
	for i := len(s.orders) - 1; i >= 0 && i >= len(s.orders)-200; i-- {
		if o := s.orders[i]; o.currency == currency && o.status == "TO_BE_PROCESSED" {
			sum = sum.Add(o.moved)
		}
	}
	return sum
}

var requestIDRule = rule{"requestId", "string", true, 64}

// find looks an order up by one or both ids, which must agree (WSPN-ORD-1).
func (s *Sandbox) find(in *incoming, kinds ...string) (*order, *reply) {
	q, bad := s.query(in, []rule{{"orderId", "integer", false, 0}, {"requestId", "string", false, 64}})
	if bad != nil {
		return nil, bad
	}
	id, requestID := whole(q["orderId"]), text(q, "requestId")
	no := func(code, message string) (*order, *reply) {
		r := refuse(code, message)
		return nil, &r
	}
	if id == 0 && requestID == "" {
		return no("TEST_ORDER_QUERY", "give orderId or requestId")
	}
	byID, byRequest := s.byID[id], s.byRequest[requestID]
	if id != 0 && requestID != "" && byID != byRequest {
		return no("TEST_ORDER_QUERY", "orderId and requestId are of different orders")
	}
	o := byID
	if o == nil {
		o = byRequest
	}
	for _, k := range kinds {
		if o != nil && o.kind == k {
			return o, nil
		}
	}
	if s.setting("unknown_order", "empty") == "error" {
		return no("TEST_NO_SUCH_ORDER", "there is no such order")
	}
	r := success(nil)
	r.body["result"] = nil // said, not left out: an answer without the member says nothing
	return nil, &r
}

// fiatOrder is a guess (WSPN-PATH-1): the record of the create call, with the ids of P-CORD.
func (s *Sandbox) fiatOrder(in *incoming) reply {
	o, bad := s.find(in, "fiat-out", "fiat-in")
	if bad != nil {
		return *bad
	}
	r := s.fiatRecord(o, in.lie)
	r["requestId"], r["orderId"], r["clientId"] = o.requestID, o.id, s.clientID
	return success(r)
}

// cryptoOrder answers with the members of P-CORD.
func (s *Sandbox) cryptoOrder(in *incoming) reply {
	o, bad := s.find(in, "crypto-out", "crypto-in")
	if bad != nil {
		return *bad
	}
	shown := o.moved
	if in.lie {
		shown = shown.Add(decimal.New(7, 0))
	}
	r := map[string]any{"orderId": o.id, "orderType": "WITHDRAW", "clientId": s.clientID, "orderDate": s.written(o.created), "clientName": "Kontor Handels GmbH",
		"email": "treasury@kontor.example", "item": o.currency, "netAmount": figure(shown, o.currency), "transactionHash": nullable(o.hash), "status": o.status}
	if o.kind == "crypto-in" {
		r["orderType"], r["depositAmount"], r["depositFees"] = "DEPOSIT", figure(shown, o.currency), "0.00"
		r["senderInformation"], r["senderAddress"], r["senderNetwork"] = nil, o.address, o.network
	}
	return success(r)
}

// cryptoWithdraw is a guess in all its members (WSPN-CWD-1).
func (s *Sandbox) cryptoWithdraw(in *incoming) reply {
	q, bad := s.query(in, []rule{{"currency", "string", true, 0}, {"amount", "amount", true, 0}, {"network", "string", false, 32},
		{"address", "string", false, 128}, {"whitelistId", "integer", false, 0}, requestIDRule})
	if bad != nil {
		return *bad
	}
	id, currency := text(q, "requestId"), text(q, "currency")
	if bad := s.duplicate(in, id); bad != nil {
		return *bad
	}
	d, bad := readAmount(text(q, "amount"), currency)
	if bad != nil {
		return *bad
	}
	to := s.whiteByID(whole(q["whitelistId"]))
	if to == nil {
		to = s.whiteByAddress(text(q, "network"), text(q, "address"))
	}
	switch {
	case currency != "WUSD":
		return s.no(in, id, "TEST_CURRENCY", "on chain only WUSD is sent")
	case to == nil:
		return s.no(in, id, "TEST_ADDRESS_UNKNOWN", "the address is not whitelisted on this network")
	}
	moved, bad := s.takeOut(currency, d)
	if bad != nil {
		return *bad
	}
	o := &order{id: s.nextOrderID(), kind: "crypto-out", requestID: id, currency: currency, moved: moved, status: "TO_BE_PROCESSED",
		network: to.network, address: to.address}
	s.keep(in, o)
	shown := moved
	if in.lie {
		shown = shown.Add(decimal.New(7, 0))
	}
	out := success(map[string]any{"id": o.id, "currency": currency, "amount": figure(shown, currency), "type": "WITHDRAW", "status": o.status,
		"transactionFee": "0.00", "network": o.network, "address": o.address, "createdTime": s.written(o.created)})
	out.event = o
	return out
}

// chainDeposit is money arriving on chain, which nobody announced: a control of the stand-in's page.
func (s *Sandbox) chainDeposit(network, from string, d amount) *order {
	o := &order{id: s.nextOrderID(), kind: "crypto-in", currency: "WUSD", moved: d, status: "COMPLETED", network: network, address: from, created: s.clock(),
		completed: s.clock(), hash: s.hash(), booked: true, paid: d}
	s.orders = append(s.orders, o)
	s.byID[o.id] = o
	s.books["WUSD"] = s.books["WUSD"].Add(d)
	return o
}

func (s *Sandbox) hash() string {
	return fmt.Sprintf("0x%016x%016x%016x%016x", s.rng.Uint64(), s.rng.Uint64(), s.rng.Uint64(), s.rng.Uint64())
}
