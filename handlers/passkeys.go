package handlers

import (
	"encoding/json"
	"errors"

	"github.com/gofiber/fiber/v2"

	"countinghouse/models"
	"countinghouse/models/store"
	"countinghouse/views"
	"countinghouse/views/ui"
)

// Passkeys are the ceremonies with people's devices. Each begins with options, as JSON for the page's own script, and ends with an ordinary form,
// so that what comes of it is an ordinary page.
type Passkeys struct {
	Store    *store.Store
	Site     models.PasskeySite
	SignIn   *SignIn
	Settings *Settings
}

// Routes lists them.
func (h *Passkeys) Routes() []Route {
	return []Route{
		{Method: "POST", Path: "/sign-in/passkey/options", Name: "sign-in.passkey-begin", Access: Public, Handle: h.beginSignIn},
		{Method: "POST", Path: "/sign-in/passkey", Name: "sign-in.passkey", Access: Public, Handle: h.signIn},
		{Method: "POST", Path: "/step-up/passkey/options", Name: "step-up.passkey-begin", Access: SignedIn, Handle: h.beginStepUp},
		{Method: "POST", Path: "/step-up/passkey", Name: "step-up.passkey", Access: SignedIn, Handle: h.stepUp},
		{Method: "POST", Path: "/settings/passkeys/options", Name: "settings.passkey-begin", Access: SignedIn, StepUp: true, Handle: h.begin},
		{Method: "POST", Path: "/settings/passkeys", Name: "settings.passkey-add", Access: SignedIn, StepUp: true, Section: "settings", Handle: h.add},
		{Method: "POST", Path: "/settings/passkeys/:id/remove", Name: "settings.passkey-remove", Access: SignedIn, StepUp: true, Handle: h.remove},
		{Method: "POST", Path: "/people/:id/passkeys/:key/remove", Name: "people.passkey-remove", Permission: models.PeopleManage, StepUp: true, Handle: h.removeOther},
	}
}

// options answers what the script asks for; a refusal that people can understand goes there as a sentence.
func options(c *Ctx, publicKey any, ceremony string, err error) error {
	answer := map[string]any{"ceremony": ceremony, "publicKey": publicKey}
	var e *models.Error
	if errors.As(err, &e) && (e.Code == models.Throttled || e.Code == models.Conflict) {
		answer = map[string]any{"error": e.Sentence}
	} else if err != nil {
		return err
	}
	b, err := json.Marshal(answer)
	if err != nil {
		return err
	}
	c.Fiber.Set(fiber.HeaderContentType, "application/json; charset=utf-8")
	return c.Fiber.Send(b)
}

func (h *Passkeys) beginSignIn(c *Ctx) error {
	o, ceremony, err := h.Store.BeginPasskeySignIn(c.Context(), h.Site, c.From)
	return options(c, o, ceremony, err)
}

// answered is the form that the script filled in; without script it comes empty.
func answered(c *Ctx) (ceremony string, answer []byte, err error) {
	ceremony, answer = cutText(c.Form("ceremony"), 100), []byte(c.FormRaw("answer"))
	if len(answer) == 0 {
		err = models.FieldErrorf("passkey", "Passkeys need script in the browser, and it did not run. Use the password and a code.")
	}
	return ceremony, answer, err
}

func (h *Passkeys) signIn(c *Ctx) error {
	back := LocalPath(c.Form("back"), "/")
	ceremony, answer, err := answered(c)
	var token string
	if err == nil {
		token, err = h.Store.SignInWithPasskey(c.Context(), h.Site, ceremony, answer, c.From)
	}
	if errs, ok := Problems(err); ok {
		return c.RenderStatus(fiber.StatusUnprocessableEntity, views.SignIn(c.Page("Sign in"), views.SignInParams{Back: back, PasskeyErrors: errs, Demo: h.SignIn.Demo, Passkeys: h.Site}))
	}
	return h.SignIn.goOn(c, token, back, err)
}

func (h *Passkeys) beginStepUp(c *Ctx) error {
	o, ceremony, err := h.Store.BeginPasskeyStepUp(c.Context(), c.Actor, h.Site)
	return options(c, o, ceremony, err)
}

func (h *Passkeys) stepUp(c *Ctx) error {
	back := LocalPath(c.Form("back"), "/")
	ceremony, answer, err := answered(c)
	if err == nil {
		err = h.Store.StepUpWithPasskey(c.Context(), c.Actor, h.Site, ceremony, answer)
	}
	if errs, ok := Problems(err); ok {
		p, perr := h.SignIn.stepUpParams(c, back, nil)
		if perr != nil {
			return perr
		}
		p.PasskeyErrors = errs
		return c.RenderStatus(fiber.StatusUnprocessableEntity, views.StepUp(c.Page("Second factor"), p))
	}
	if err != nil {
		return err
	}
	return h.SignIn.steppedUp(c, back)
}

func (h *Passkeys) begin(c *Ctx) error {
	o, ceremony, err := h.Store.BeginPasskey(c.Context(), c.Actor, h.Site)
	return options(c, o, ceremony, err)
}

func (h *Passkeys) add(c *Ctx) error {
	name := cutText(c.Form("name"), 100)
	ceremony, answer, err := answered(c)
	if err == nil {
		err = h.Store.FinishPasskey(c.Context(), c.Actor, h.Site, ceremony, name, answer)
	}
	if errs, ok := Problems(err); ok {
		return h.Settings.renderPasskeys(c, name, errs)
	}
	if err != nil {
		return err
	}
	return c.Done("/settings#passkeys", "The passkey is registered. It signs you in from now on.")
}

func (h *Passkeys) remove(c *Ctx) error {
	if err := h.Store.RemovePasskey(c.Context(), c.Actor, c.Param("id")); err != nil {
		return err
	}
	return c.Done("/settings#passkeys", "The passkey opens nothing any more. Delete it on the device too.")
}

func (h *Passkeys) removeOther(c *Ctx) error {
	if err := h.Store.RemovePasskey(c.Context(), c.Actor, c.Param("key")); err != nil {
		return err
	}
	return c.Done("/people/"+c.Param("id"), "The passkey opens nothing any more.")
}

// steppedUp goes on after the second factor was shown.
func (h *SignIn) steppedUp(c *Ctx, back string) error {
	if err := c.Notes.Add(string(ui.Ok), "Your second factor counts until "+c.Now.Add(models.StepUpFor).In(c.Zone).Format("15:04")+". Go on where you were."); err != nil {
		return err
	}
	return c.Redirect(back)
}

// stepUpParams is the page that asks for the second factor again: for a code, and for a passkey from whoever has one.
func (h *SignIn) stepUpParams(c *Ctx, back string, errs []ui.FieldError) (views.CodeParams, error) {
	p := codeParams(c, "/step-up", back, errs)
	for _, d := range h.Demo {
		if d.UserID == c.Actor.UserID {
			p.Demo = withBack(d.Href, p.Back)
		}
	}
	keys, err := h.Store.Passkeys(c.Context(), c.Actor, c.Actor.UserID)
	for _, k := range keys {
		if k.Blocked == 0 {
			p.HasPasskey = true
		}
	}
	p.Passkeys = h.Passkeys
	return p, err
}
