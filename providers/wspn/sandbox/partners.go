package sandbox

import (
	"encoding/json"
	"fmt"
	"mime"
	"net/url"
	"regexp"
	"strconv"
	"strings"
)

// member is one client of WSPN: the merchant itself or a sub-account.
type member struct {
	id                          int64
	name, country, kind, status string
	remark                      string // what WSPN says beside the status (WSPN-KYB-3)
	user, email                 string
	userID                      int64
	kyb                         []string
}

func (s *Sandbox) countryList(*incoming) reply {
	var list []any
	for _, c := range [][2]string{{"BRA", "Brazil"}, {"DEU", "Germany"}, {"GBR", "United Kingdom"}, {"HKG", "Hong Kong"}, {"JPN", "Japan"}, {"KEN", "Kenya"},
		{"SGP", "Singapore"}, {"USA", "United States of America"}} {
		list = append(list, map[string]any{"codeAlpha3": c[0], "name": c[1]})
	}
	return listing(list, nil)
}

func userRules(batch bool) []rule {
	kind := "integer"
	if batch {
		kind = "string"
	}
	return []rule{{"country", "string", true, 3}, {"clientType", kind, true, 0}, {"email", "string", true, 255}, {"companyFullName", "string", true, 255},
		{"username", "string", true, 255}}
}

var emailShape = regexp.MustCompile(`^[^@\s]+@[^@\s]+\.[^@\s]+$`)

// checkUser holds one new sub-account against P-UC; the client type is an integer there and a string in a batch (8, row 9).
func (s *Sandbox) checkUser(v any, batch bool) (*member, *reply) {
	no := func(code, message string) (*member, *reply) {
		r := refuse(code, message)
		return nil, &r
	}
	o, ok := v.(map[string]any)
	if !ok {
		return no("TEST_ENVELOPE", "a user account must be an object")
	}
	if bad := checkMembers(o, userRules(batch)); bad != nil {
		return nil, bad
	}
	kind := text(o, "clientType")
	if n, ok := o["clientType"].(json.Number); ok {
		kind = n.String()
	}
	names := map[string]string{"1": "Type 1", "2": "Type 2", "3": "Partnership", "4": "Corporate", "5": "Financial Institution", "6": "Exempt Financial Institution"}
	switch {
	case names[kind] == "":
		return no("TEST_CLIENT_TYPE", "clientType is 1 to 6")
	case !emailShape.MatchString(text(o, "email")):
		return no("TEST_FIELD_TYPE", "email is no e-mail address")
	case len(text(o, "country")) != 3:
		return no("TEST_COUNTRY", "country is a codeAlpha3")
	}
	for _, m := range s.members {
		if m.email != "" && strings.EqualFold(m.email, text(o, "email")) || m.user == text(o, "username") {
			return no("TEST_USER_EXISTS", "this e-mail or username is taken")
		}
	}
	return &member{name: text(o, "companyFullName"), country: text(o, "country"), kind: names[kind], status: "Pending KYC", user: text(o, "username"),
		email: text(o, "email")}, nil
}

func (s *Sandbox) admit(m *member) {
	m.id, m.userID = 100201+int64(len(s.members)), 51002+int64(len(s.members))
	s.members = append(s.members, m)
	s.executions["sub-account:"+m.email]++
}

func (s *Sandbox) userCreate(in *incoming) reply {
	v, _, bad := s.envelope(in, false)
	if bad != nil {
		return *bad
	}
	m, bad := s.checkUser(v, false)
	if bad != nil {
		return *bad
	}
	s.admit(m)
	return success(nil)
}

func (s *Sandbox) userBatch(in *incoming) reply {
	v, _, bad := s.envelope(in, false)
	if bad != nil {
		return *bad
	}
	list, ok := v.([]any)
	if !ok || len(list) == 0 {
		return refuse("TEST_ENVELOPE", "query must be an array")
	}
	var made []*member
	seen := map[string]bool{}
	for _, x := range list {
		m, bad := s.checkUser(x, true)
		if bad != nil {
			return *bad
		}
		if seen[strings.ToLower(m.email)] {
			return refuse("TEST_USER_EXISTS", "an e-mail stands twice")
		}
		seen[strings.ToLower(m.email)] = true
		made = append(made, m)
	}
	for _, m := range made {
		s.admit(m)
	}
	return success(nil)
}

func (s *Sandbox) subAccounts(in *incoming) reply {
	v, p, bad := s.envelope(in, true)
	if bad != nil {
		return *bad
	}
	if o, ok := v.(map[string]any); !ok || len(o) > 0 {
		return refuse("TEST_ENVELOPE", "query must be an empty object")
	}
	var list []any
	for _, m := range s.members {
		line := map[string]any{"clientId": m.id, "companyFullName": m.name, "countryOfRegistration": m.country, "companyType": m.kind,
			"clientStatus": m.status, "username": m.user, "userId": m.userID}
		if m.remark != "" {
			line["remark"] = m.remark
		}
		list = append(list, line)
	}
	return listing(cut(list, p), map[string]any{"current": p.current, "size": p.size, "pages": (len(list) + p.size - 1) / p.size, "total": len(list)})
}

// subAccountKeys lists keys, and like the real one may, it gives secrets away: a client must not keep this answer.
func (s *Sandbox) subAccountKeys(in *incoming) reply {
	_, p, bad := s.envelope(in, true)
	if bad != nil {
		return *bad
	}
	var list []any
	for _, m := range s.members[1:] {
		list = append(list, map[string]any{"clientId": m.id, "name": "key of " + m.user, "status": "ACTIVE", "apiKey": fmt.Sprintf("sub-key-%d", m.id),
			"apiSecret": fmt.Sprintf("canary-sub-secret-%d", m.id), "createdTime": s.written(s.clock())})
	}
	return listing(cut(list, p), map[string]any{"current": p.current, "size": p.size, "pages": (len(list) + p.size - 1) / p.size, "total": len(list)})
}

func (s *Sandbox) form(in *incoming) (url.Values, []formFile, *reply) {
	_, attrs, _ := mime.ParseMediaType(in.r.Header.Get("Content-Type"))
	values, files, err := readForm(in.body, attrs["boundary"])
	if err != nil {
		r := refuse("TEST_FORM", "the form cannot be read")
		return nil, nil, &r
	}
	return values, files, nil
}

// fileUpload takes one proof of transfer (4.10).
func (s *Sandbox) fileUpload(in *incoming) reply {
	values, files, bad := s.form(in)
	switch {
	case bad != nil:
		return *bad
	case values.Get("scene") != "4":
		return refuse("TEST_FIELD_MISSING", "scene must be 4")
	case len(files) != 1 || files[0].field != s.setting("file_part_name", "file"):
		return refuse("TEST_FILES", "one part with one file is needed")
	case files[0].size == 0:
		return refuse("TEST_FILES", "the file is empty")
	}
	id := int64(4001 + len(s.files))
	s.files[id] = files[0].name
	return success(map[string]any{"fileId": id})
}

// takeKYB checks the files of one company and files them.
func (s *Sandbox) takeKYB(clientID string, files []formFile) *reply {
	no := func(code, message string) *reply {
		r := refuse(code, message)
		return &r
	}
	id, err := strconv.ParseInt(clientID, 10, 64)
	var to *member
	for _, m := range s.members {
		if m.id == id {
			to = m
		}
	}
	seen := map[string]bool{}
	for _, f := range files {
		if seen[f.name] {
			return no("TEST_FILES", "file names must be unique")
		}
		seen[f.name] = true
	}
	switch {
	case err != nil || to == nil:
		return no("TEST_CLIENT", "there is no such client")
	case len(files) == 0:
		return no("TEST_FILES", "there is no file")
	case len(files) > 20:
		return no("TEST_FILES", "at most 20 files")
	}
	for _, f := range files {
		to.kyb = append(to.kyb, f.name)
	}
	return nil
}

// tooLarge holds all files of a call against the limit of size, whose number is a guess (WSPN-KYB-2).
func (s *Sandbox) tooLarge(files []formFile) *reply {
	mb, _ := strconv.Atoi(s.setting("kyb_total_mb", "40"))
	sum := 0
	for _, f := range files {
		sum += f.size
		if f.size == 0 {
			r := refuse("TEST_FILES", "a file is empty")
			return &r
		}
	}
	if sum > mb<<20 {
		r := refuse("TEST_FILES_TOTAL", "the files are too large together")
		return &r
	}
	return nil
}

func (s *Sandbox) kybSubmit(in *incoming) reply {
	values, files, bad := s.form(in)
	if bad != nil {
		return *bad
	}
	for _, f := range files {
		if f.field != "files" {
			return refuse("TEST_FIELD_UNKNOWN", "files travel as files")
		}
	}
	if bad := s.tooLarge(files); bad != nil {
		return *bad
	}
	if bad := s.takeKYB(values.Get("clientId"), files); bad != nil {
		return *bad
	}
	s.executions["kyb:"+values.Get("clientId")]++
	s.reviewKYB(values.Get("clientId"))
	return success(nil)
}

var kybField = regexp.MustCompile(`^kyb\[([0-9]{1,3})\]\.(clientId|files)$`)

func (s *Sandbox) kybBatch(in *incoming) reply {
	values, files, bad := s.form(in)
	if bad != nil {
		return *bad
	}
	ids, sets := map[string]string{}, map[string][]formFile{}
	for name, v := range values {
		m := kybField.FindStringSubmatch(name)
		if m == nil || m[2] != "clientId" || len(v) != 1 {
			return refuse("TEST_FIELD_UNKNOWN", "fields are kyb[0].clientId and kyb[0].files")
		}
		ids[m[1]] = v[0]
	}
	for _, f := range files {
		m := kybField.FindStringSubmatch(f.field)
		if m == nil || m[2] != "files" {
			return refuse("TEST_FIELD_UNKNOWN", "fields are kyb[0].clientId and kyb[0].files")
		}
		sets[m[1]] = append(sets[m[1]], f)
	}
	if len(ids) == 0 || len(ids) > 25 {
		return refuse("TEST_COMPANIES", "1 to 25 companies")
	}
	if bad := s.tooLarge(files); bad != nil {
		return *bad
	}
	for i := range sets {
		if ids[i] == "" {
			return refuse("TEST_FIELD_MISSING", "a company has no clientId")
		}
	}
	for i, id := range ids {
		if bad := s.takeKYB(id, sets[i]); bad != nil {
			return *bad
		}
	}
	for _, id := range ids {
		s.executions["kyb:"+id]++
		s.reviewKYB(id)
	}
	return success(nil)
}
