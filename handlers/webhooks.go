package handlers

import (
	"bytes"
	"context"
	"net/http"

	"github.com/gofiber/fiber/v2"

	"countinghouse/models"
	"countinghouse/models/store"
	"countinghouse/providers"
	"countinghouse/views"
	"countinghouse/views/ui"
)

// Gate verifies inbound calls. The keys stay on its side.
type Gate interface {
	Judge(ctx context.Context, credentialID string, in providers.Delivery, from string) (d models.Delivery, reply providers.Reply, discard bool, err error)
}

// Inbox stores inbound calls durably before it answers.
type Inbox interface {
	Keep(ctx context.Context, d models.Delivery) store.Kept
}

// Webhooks are the inbound calls of providers: the door they come in by, and the pages about them.
type Webhooks struct {
	Store    *store.Store
	Registry *providers.Registry
	Gate     Gate
	Inbox    Inbox
	// Enqueue puts the job that reads deliveries into a transaction.
	Enqueue func(tx *store.Tx, ids []string) error
}

// Routes lists them. Providers post; some of them probe the address with another method first.
func (h *Webhooks) Routes() []Route {
	routes := []Route{
		{Method: "GET", Path: "/webhooks", Name: "webhooks.list", Permission: models.WebhooksRead, Section: "webhooks", Handle: h.list},
		{Method: "GET", Path: "/webhooks/:id", Name: "webhooks.show", Permission: models.WebhooksRead, Section: "webhooks", Handle: h.show},
		{Method: "POST", Path: "/webhooks/:id/replay", Name: "webhooks.replay", Permission: models.WebhooksReplay, Section: "webhooks", Handle: h.replay},
	}
	for _, m := range []string{"POST", "PUT", "GET"} {
		routes = append(routes, Route{Method: m, Path: "/hooks/:credential/:topic", Name: "hooks." + m, Access: Foreign, BodyLimit: WebhookLimit, Handle: h.receive})
	}
	return routes
}

// receive takes one inbound call: verify over the raw bytes, store, and only then answer. Nothing is read here.
func (h *Webhooks) receive(c *Ctx) error {
	f := c.Fiber
	f.Set(fiber.HeaderCacheControl, "no-store")
	// Fiber's own Body() would unpack a compressed body; the signature is over what came. The copy outlives the request's buffers.
	body := bytes.Clone(f.Request().Body())
	if len(body) > models.MaxWebhookBody {
		return f.Status(fiber.StatusRequestEntityTooLarge).SendString("too large: at most 1 MiB is taken")
	}
	in := providers.Delivery{Topic: c.Param("topic"), Method: f.Method(), Path: string(bytes.Clone(f.Request().URI().PathOriginal())),
		Query: string(bytes.Clone(f.Request().URI().QueryString())), Header: http.Header{}, Body: body}
	for k, v := range f.Request().Header.All() {
		in.Header.Add(string(k), string(v))
	}
	d, reply, discard, err := h.Gate.Judge(c.Context(), c.Param("credential"), in, c.From.IP)
	switch {
	case models.Is(err, models.NotFound):
		return f.Status(fiber.StatusNotFound).SendString("not found")
	case models.Is(err, models.Forbidden):
		return f.Status(fiber.StatusForbidden).SendString("this address may not call here")
	case err != nil:
		return h.later(c, err)
	}
	if !discard {
		if k := h.Inbox.Keep(c.Context(), d); k.Err != nil {
			return h.later(c, k.Err)
		}
	}
	if d.State == models.DeliveryRefused {
		return f.Status(fiber.StatusUnauthorized).SendString("the signature is wrong or missing")
	}
	if reply.ContentType != "" {
		f.Set(fiber.HeaderContentType, reply.ContentType)
	}
	return f.Status(reply.Status).Send(reply.Body)
}

// later asks the provider to send again: what could not be stored was not received.
func (h *Webhooks) later(c *Ctx, err error) error {
	h.Store.Log.Error("a webhook could not be taken", "request_id", c.RequestID, "error", err)
	c.Fiber.Set(fiber.HeaderRetryAfter, "30")
	return c.Fiber.Status(fiber.StatusServiceUnavailable).SendString("not stored, please send it again")
}

const webhookPage = 50

func (h *Webhooks) list(c *Ctx) error {
	f := models.DeliveryFilter{Environment: c.Env, State: models.DeliveryState(c.Query("state")), Provider: c.Query("provider"), CredentialID: c.Query("credential"),
		Topic: c.Query("topic"), Trust: c.Query("trust"), Reference: c.Query("reference"), TransactionID: c.Query("transaction"), Before: c.Query("before"), Limit: webhookPage + 1}
	if f.State != "" && !f.State.Valid() {
		f.State = ""
	}
	s := views.WebhooksParams{Filter: f, Clock: c.clock(), Me: c.Actor, Credentials: map[string]models.Credential{}}
	var err error
	if s.List, err = h.Store.Deliveries(c.Context(), c.Actor, f); err != nil {
		return err
	}
	if len(s.List) > webhookPage {
		s.List = s.List[:webhookPage]
		s.Older = views.WebhooksHref(f, s.List[webhookPage-1].ID)
	}
	if f.Before != "" {
		s.Newest = views.WebhooksHref(f, "")
	}
	if s.Failed, err = h.Store.CountDeliveries(c.Context(), c.Actor, c.Env, models.DeliveryFailed); err != nil {
		return err
	}
	if s.Dead, err = h.Store.CountDeliveries(c.Context(), c.Actor, c.Env, models.DeliveryDead); err != nil {
		return err
	}
	creds, err := h.Store.Credentials(c.Context(), c.Actor, c.Env)
	if err != nil {
		return err
	}
	for _, cred := range creds {
		s.Credentials[cred.ID] = cred
	}
	for _, p := range h.Registry.All() {
		if p.Webhooks != nil {
			s.Providers = append(s.Providers, &p.Description)
		}
	}
	return c.Render(views.Webhooks(c.Page("Webhooks"), s))
}

func (h *Webhooks) delivery(c *Ctx) (models.Delivery, error) {
	d, err := h.Store.Delivery(c.Context(), c.Actor, c.Param("id"))
	if err == nil && d.Environment != c.Env {
		return d, models.Errorf(models.NotFound, "This webhook belongs to %s. Switch the environment to see it.", d.Environment)
	}
	return d, err
}

func (h *Webhooks) show(c *Ctx) error {
	d, err := h.delivery(c)
	if err != nil {
		return err
	}
	s := views.WebhookParams{D: d, Clock: c.clock(), Me: c.Actor}
	if s.Credential, err = h.Store.Credential(c.Context(), c.Actor, d.CredentialID); err != nil && !models.Is(err, models.NotFound) {
		return err
	}
	page := c.Page("Webhook " + d.Topic)
	page.Breadcrumbs = []ui.Crumb{{Label: "Webhooks", Href: views.WebhooksPath}, {Label: d.Topic}}
	return c.Render(views.Webhook(page, s))
}

func (h *Webhooks) replay(c *Ctx) error {
	d, err := h.delivery(c)
	if err != nil {
		return err
	}
	if err := h.Store.ReplayDelivery(c.Context(), c.Actor, d.ID, h.Enqueue); err != nil {
		return c.Refused(views.WebhookPath(d.ID), err)
	}
	return c.Done(views.WebhookPath(d.ID), "It is read again in a moment.")
}
