package tasks_test

import (
	"encoding/json"
	"net/http"
	"net/url"
	"strings"
	"testing"

	"countinghouse/models"
	"countinghouse/models/store"
	"countinghouse/models/store/storetest"
)

// came are the names of the files that the stand-in has got for an account, in their order.
func (c *courier) came(account string) string {
	c.Helper()
	res, err := http.Get(c.url + "/_sandbox/kyb-files") //nolint:noctx // a control of a test
	if err != nil {
		c.Fatal(err)
	}
	defer func() { _ = res.Body.Close() }()
	var all map[string][]string
	if err := json.NewDecoder(res.Body).Decode(&all); err != nil {
		c.Fatal(err)
	}
	return strings.Join(all[account], ", ")
}

// refused is a company whose first set of two the stand-in took, looked at, and refused; its passport has a newer version since.
func (c *courier) refused() (k models.KYBCase, l models.KYBLink, incorporation, passport models.KYBDocument) {
	c.Helper()
	c.tell("member", url.Values{"client": {"300001"}, "company": {"Alpha"}})
	k, err := c.store.CreateKYBCase(c.Context(), c.ines, models.Sandbox, models.KYBCaseForm{Company: "Alpha", Country: "SGP", Type: "corporate"})
	if err != nil {
		c.Fatal(err)
	}
	if l, err = c.store.LinkKYB(c.Context(), c.ines, models.Sandbox, k.ID, c.cred.ID, "300001"); err != nil {
		c.Fatal(err)
	}
	incorporation, passport = c.paper(k.ID, "", "incorporation", "%PDF-1.4 one"), c.paper(k.ID, "", "identity", "%PDF-1.4 unreadable")
	sub, err := c.again(k, l, incorporation, passport)
	if err != nil {
		c.Fatal(err)
	}
	if c.send(sub.ID); c.came("300001") != "incorporation.pdf, identity.pdf" {
		c.Fatalf("at first came %q", c.came("300001"))
	}
	c.tell("kyb", url.Values{"client": {"300001"}, "status": {"rejected"}, "remark": {"The passport cannot be read."}})
	c.ask()
	if got := c.page(sub.ID).Submission; got.State != models.SubRefused || got.Message != "The passport cannot be read." {
		c.Fatalf("after the refusal: %+v", got)
	}
	passport = c.paper(k.ID, passport.ID, "identity", "%PDF-1.4 readable")
	return k, l, incorporation, passport
}

// again prepares a set and has it approved.
func (c *courier) again(k models.KYBCase, l models.KYBLink, docs ...models.KYBDocument) (models.KYBSubmission, error) {
	c.Helper()
	var ids []string
	for _, d := range docs {
		ids = append(ids, d.ID)
	}
	sub, err := c.store.PrepareKYB(c.Context(), c.ines, models.Sandbox, k.ID, l.ID, ids, "")
	if err == nil {
		c.agrees(sub.ID)
	}
	return sub, err
}

func TestAfterARefusalOnlyWhatChangedLeavesWhereTheContractAllowsIt(t *testing.T) {
	storetest.Each(t, func(t *testing.T, s *store.Store) {
		c := newCourier(t, s, map[string]string{"kyb_resend": "changed"})
		k, l, incorporation, passport := c.refused()
		if _, err := c.again(k, l, incorporation, passport); !models.Is(err, models.Invalid) || !strings.Contains(err.Error(), "has this version of incorporation.pdf already and wants only what changed") {
			t.Errorf("the whole set: %v", err)
		}
		sub, err := c.again(k, l, passport)
		if err != nil {
			t.Fatal(err)
		}
		c.send(sub.ID)
		if got := c.came("300001"); got != "incorporation.pdf, identity.pdf, identity.pdf" || c.arrived(0) != 2 {
			t.Errorf("in all came %q in %d calls; want the newer passport alone in the second", got, c.arrived(0))
		}
		c.tell("kyb", url.Values{"client": {"300001"}, "status": {"approved"}})
		c.ask()
		if got := c.page(sub.ID).Submission.State; got != models.SubVerified {
			t.Errorf("it is %s", got)
		}
	})
}

func TestAfterARefusalTheWholeSetLeavesWhereTheContractSaysNothing(t *testing.T) {
	eachCourier(t, func(c *courier) {
		k, l, incorporation, passport := c.refused()
		sub, err := c.again(k, l, incorporation, passport)
		if err != nil {
			c.Fatal(err)
		}
		c.send(sub.ID)
		if got := c.came("300001"); got != "incorporation.pdf, identity.pdf, incorporation.pdf, identity.pdf" {
			c.Errorf("in all came %q", got)
		}
	})
}

func TestWhatAProviderDidNotTakeIsNoPartOfWhatItHas(t *testing.T) {
	storetest.Each(t, func(t *testing.T, s *store.Store) {
		c := newCourier(t, s, map[string]string{"kyb_resend": "changed"})
		sub := c.company(0)
		c.tell("fault", url.Values{"operation": {"/kyb/submit"}, "kind": {"drop_before"}, "times": {"1"}})
		c.send(sub.ID)
		omar := c.omar // who sent it may not say that it did not arrive
		if err := c.store.GiveUpKYB(t.Context(), omar, models.Sandbox, sub.ID, "Their support says that nothing came in"); err != nil {
			t.Fatal(err)
		}
		page, err := c.store.KYBCase(t.Context(), c.ines, models.Sandbox, sub.CaseID)
		if err != nil {
			t.Fatal(err)
		}
		again, err := c.again(page.Case, page.Links[0], page.Documents...)
		if err != nil {
			t.Fatalf("the same files, which never arrived: %v", err)
		}
		if c.send(again.ID); c.came("300001") != "incorporation.pdf" {
			t.Errorf("came %q", c.came("300001"))
		}
	})
}
