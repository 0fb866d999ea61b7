package handlers

import (
	"bytes"
	"context"
	"io"
	"strings"

	"github.com/gofiber/fiber/v2"

	"countinghouse/models"
	"countinghouse/models/pack"
	"countinghouse/models/store"
	"countinghouse/views/receipt"
)

// evidence hands out everything that is kept about one transaction, signed. It is streamed: exchanges and webhooks are read one by one.
func (h *Transactions) evidence(c *Ctx) error {
	f, err := h.Store.CaseFile(c.Context(), c.Actor, c.Env, c.Param("id"))
	if err != nil {
		return err
	}
	attachment(c, "application/zip", "evidence-"+fileName(f.Story.Transaction.Reference)+".zip")
	actor, key := c.Actor, h.Store.AuditPublicKey()
	from := pack.Source{Sign: h.Store.SignManifest, Key: key, KeyID: store.AuditKeyID(key),
		Exchange: func(ctx context.Context, id string) (models.ExchangeRecord, error) {
			return h.Store.Exchange(ctx, actor, id)
		},
		Delivery: func(ctx context.Context, id string) (models.Delivery, error) { return h.Store.Delivery(ctx, actor, id) }}
	return c.Stream(func(ctx context.Context, w io.Writer) error { return pack.Write(ctx, w, f, from) })
}

// receipt hands out a page for somebody outside: what moved, where to (masked), both references, the status in words.
func (h *Transactions) receipt(c *Ctx) error {
	story, err := h.Store.TakeReceipt(c.Context(), c.Actor, c.Env, c.Param("id"))
	if err != nil {
		return err
	}
	t := &story.Transaction
	var pdf bytes.Buffer // one page: small, and an error must not come after half of it
	if err := receipt.Write(&pdf, receipt.Params{Merchant: h.Merchant, Provider: h.description(t.Provider).Short, Story: story, Zone: c.Zone, MadeAt: c.Now, MadeBy: c.Actor.Name}); err != nil {
		return err
	}
	attachment(c, "application/pdf", "receipt-"+fileName(t.Reference)+".pdf")
	return c.Fiber.Send(pdf.Bytes())
}

// attachment says that the answer is a file to be kept under a name, and by nobody on the way.
func attachment(c *Ctx, kind, name string) {
	c.Fiber.Set(fiber.HeaderContentType, kind)
	c.Fiber.Set(fiber.HeaderContentDisposition, `attachment; filename="`+name+`"`)
	c.Fiber.Set(fiber.HeaderCacheControl, "no-store")
}

// fileName keeps of a reference what may stand in a file's name.
func fileName(reference string) string {
	return strings.Map(func(r rune) rune {
		if (r >= 'a' && r <= 'z') || (r >= 'A' && r <= 'Z') || (r >= '0' && r <= '9') || r == '-' {
			return r
		}
		return '_'
	}, reference)
}
