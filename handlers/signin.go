package handlers

import (
	"net/url"
	"time"

	"github.com/gofiber/fiber/v2"

	"countinghouse/models"
	"countinghouse/models/store"
	"countinghouse/views"
	"countinghouse/views/ui"
)

// SignIn is the way in and out: password, second factor, enrolment, one-time links, step-up.
type SignIn struct {
	Store *store.Store
	// Demo are the people of the demonstration; nobody elsewhere. Their links stand on the sign-in page.
	Demo     []views.DemoPerson
	Passkeys models.PasskeySite
}

// Routes lists them. The demo link is there in the demonstration only.
func (h *SignIn) Routes() []Route {
	list := []Route{
		{Method: "GET", Path: "/sign-in", Name: "sign-in", Access: Public, Handle: h.form},
		{Method: "POST", Path: "/sign-in", Name: "sign-in.password", Access: Public, Handle: h.password},
		{Method: "GET", Path: "/second-factor", Name: "second-factor", Access: Halfway, Handle: h.factorForm},
		{Method: "POST", Path: "/second-factor", Name: "second-factor.show", Access: Halfway, Handle: h.factor},
		{Method: "GET", Path: "/enrol", Name: "enrol", Access: Halfway, Handle: h.enrolForm},
		{Method: "POST", Path: "/enrol", Name: "enrol.prove", Access: Halfway, Handle: h.enrol},
		{Method: "GET", Path: "/set-up/:token", Name: "set-up", Access: Public, Handle: h.setUpForm},
		{Method: "POST", Path: "/set-up/:token", Name: "set-up.make", Access: Public, Handle: h.setUp},
		{Method: "GET", Path: "/invitation/:token", Name: "invitation", Access: Public, Handle: h.linkForm("invite")},
		{Method: "POST", Path: "/invitation/:token", Name: "invitation.accept", Access: Public, Handle: h.accept},
		{Method: "GET", Path: "/new-password/:token", Name: "new-password", Access: Public, Handle: h.linkForm("password")},
		{Method: "POST", Path: "/new-password/:token", Name: "new-password.set", Access: Public, Handle: h.newPassword},
		{Method: "GET", Path: "/new-second-factor/:token", Name: "new-second-factor", Access: Public, Handle: h.linkForm("factor")},
		{Method: "POST", Path: "/new-second-factor/:token", Name: "new-second-factor.begin", Access: Public, Handle: h.newFactor},
		{Method: "POST", Path: "/sign-out", Name: "sign-out", Access: Halfway, Handle: h.signOut},
		{Method: "GET", Path: "/step-up", Name: "step-up", Access: SignedIn, Handle: h.stepUpForm},
		{Method: "POST", Path: "/step-up", Name: "step-up.show", Access: SignedIn, Handle: h.stepUp},
	}
	if h.Store.Demo() {
		list = append(list, Route{Method: "GET", Path: "/demo/:token", Name: "demo", Access: Public, Handle: h.demo})
	}
	return list
}

// The notices that a page may be opened with when there is no session to keep one in.
var doneNotices = map[string]string{
	"out":      "You are signed out.",
	"password": "Your new password is set. Sign in with it and your second factor.",
}

// lostNotices say so when a form came from somebody whose session had ended: they would believe that it was sent.
var lostNotices = map[string]string{"ended": "You were not signed in any more, so nothing was done with what you sent. Sign in and send it again."}

func (h *SignIn) form(c *Ctx) error {
	return c.Render(views.SignIn(c.Page("Sign in"), views.SignInParams{Lost: lostNotices[c.Query("done")], Back: LocalPath(c.Query("back"), ""), Done: doneNotices[c.Query("done")], Demo: h.Demo, Passkeys: h.Passkeys}))
}

func (h *SignIn) password(c *Ctx) error {
	email, back := c.Form("email"), LocalPath(c.Form("back"), "/")
	token, stage, err := h.Store.SignIn(c.Context(), email, c.FormRaw("password"), c.From)
	if errs, ok := Problems(err); ok {
		return c.RenderStatus(fiber.StatusUnprocessableEntity, views.SignIn(c.Page("Sign in"), views.SignInParams{Email: cutText(email, 254), Back: back, Errors: errs, Demo: h.Demo, Passkeys: h.Passkeys}))
	}
	if err != nil {
		return err
	}
	if err := c.Seat.Set(token); err != nil {
		return err
	}
	if stage == models.StageEnrol {
		return c.Redirect("/enrol")
	}
	return c.Redirect(withBack("/second-factor", back))
}

func withBack(path, back string) string {
	if back == "" || back == "/" {
		return path
	}
	return path + "?back=" + url.QueryEscape(back)
}

func codeParams(c *Ctx, path, back string, errs []ui.FieldError) views.CodeParams {
	p := views.CodeParams{Back: back, Recovery: c.Query("recovery") != "", Errors: errs}
	p.Other = withBack(path, back)
	if !p.Recovery {
		p.Other = path + "?recovery=1"
		if back != "" && back != "/" {
			p.Other += "&back=" + url.QueryEscape(back)
		}
	}
	return p
}

func (h *SignIn) factorForm(c *Ctx) error {
	if c.Signed.Session.Stage != models.StageSecond {
		return c.Redirect(LocalPath(c.Query("back"), "/"))
	}
	return c.Render(views.SecondFactor(c.Page("Second factor"), codeParams(c, "/second-factor", LocalPath(c.Query("back"), "/"), nil)))
}

func (h *SignIn) factor(c *Ctx) error {
	back := LocalPath(c.Form("back"), "/")
	if c.Signed.Session.Stage == models.StageFull {
		return c.Redirect(back) // a second tab has finished the same sign-in
	}
	token, err := h.Store.SecondFactor(c.Context(), c.Seat.Token(), c.FormRaw("code"), c.From)
	if errs, ok := Problems(err); ok {
		return c.RenderStatus(fiber.StatusUnprocessableEntity, views.SecondFactor(c.Page("Second factor"), codeParams(c, "/second-factor", back, errs)))
	}
	if err != nil {
		return err
	}
	if err := c.Seat.Set(token); err != nil {
		return err
	}
	return c.Redirect(back)
}

func (h *SignIn) enrolForm(c *Ctx) error {
	e, err := h.Store.BeginEnrolment(c.Context(), c.Seat.Token())
	if err != nil {
		return err
	}
	return h.renderEnrol(c, fiber.StatusOK, e, nil)
}

func (h *SignIn) renderEnrol(c *Ctx, status int, e store.Enrolment, errs []ui.FieldError) error {
	return c.RenderStatus(status, views.Enrol(c.Page("Set up your second factor"), views.EnrolParams{Modules: qrModules(e.URL), Secret: e.Secret, Errors: errs}))
}

func (h *SignIn) enrol(c *Ctx) error {
	token, codes, err := h.Store.FinishEnrolment(c.Context(), c.Seat.Token(), c.FormRaw("code"), c.From)
	if errs, ok := Problems(err); ok {
		e, berr := h.Store.BeginEnrolment(c.Context(), c.Seat.Token())
		if berr != nil {
			return berr
		}
		return h.renderEnrol(c, fiber.StatusUnprocessableEntity, e, errs)
	}
	if err != nil {
		return err
	}
	if err := c.Seat.Set(token); err != nil {
		return err
	}
	return c.Render(views.RecoveryCodes(c.Page("Recovery codes"), views.RecoveryCodesParams{Codes: codes, Next: "/"}))
}

func (h *SignIn) setUpForm(c *Ctx) error {
	if _, err := h.Store.LookAtLink(c.Context(), "setup", c.Param("token"), c.From); err != nil {
		return err
	}
	return c.Render(views.SetUp(c.Page("Set up"), views.SetUpParams{Action: c.Fiber.Path()}))
}

func (h *SignIn) setUp(c *Ctx) error {
	token, err := h.Store.SetUp(c.Context(), c.Param("token"), c.Form("email"), c.Form("name"), c.FormRaw("password"), c.From)
	if errs, ok := Problems(err); ok {
		return c.RenderStatus(fiber.StatusUnprocessableEntity, views.SetUp(c.Page("Set up"),
			views.SetUpParams{Action: c.Fiber.Path(), Email: cutText(c.Form("email"), 254), Name: cutText(c.Form("name"), 100), Errors: errs}))
	}
	return h.goOn(c, token, "/enrol", err)
}

// goOn puts a token into the cookie and goes to the next step.
func (h *SignIn) goOn(c *Ctx, token, next string, err error) error {
	if err != nil {
		return err
	}
	if err := c.Seat.Set(token); err != nil {
		return err
	}
	return c.Redirect(next)
}

// linkWords says what each kind of link asks for.
var linkWords = map[string]views.LinkFormParams{
	"invite":   {Title: "Welcome", Text: "Choose the password with which you will sign in. A second factor comes next.", Submit: "Go on to the second factor"},
	"password": {Title: "Choose a new password", Text: "Then sign in with it and your second factor.", Submit: "Set the password"},
	"factor":   {Title: "Set up a new second factor", Text: "Your old second factor does not work any more. Show your password first.", Submit: "Go on", Old: true},
}

func (h *SignIn) linkForm(kind string) func(*Ctx) error {
	return func(c *Ctx) error { return h.renderLink(c, fiber.StatusOK, kind, nil) }
}

func (h *SignIn) renderLink(c *Ctx, status int, kind string, errs []ui.FieldError) error {
	l, err := h.Store.LookAtLink(c.Context(), kind, c.Param("token"), c.From)
	if err != nil {
		return err
	}
	p := linkWords[kind]
	p.Action, p.Email, p.Errors = c.Fiber.Path(), l.User.Email, errs
	if kind == "invite" {
		p.Title += ", " + l.User.Name
	}
	return c.RenderStatus(status, views.LinkForm(c.Page(p.Title), p))
}

func (h *SignIn) accept(c *Ctx) error {
	token, err := h.Store.AcceptInvitation(c.Context(), c.Param("token"), c.FormRaw("password"), c.From)
	if errs, ok := Problems(err); ok {
		return h.renderLink(c, fiber.StatusUnprocessableEntity, "invite", errs)
	}
	return h.goOn(c, token, "/enrol", err)
}

func (h *SignIn) newPassword(c *Ctx) error {
	err := h.Store.SetPasswordByLink(c.Context(), c.Param("token"), c.FormRaw("password"), c.From)
	if errs, ok := Problems(err); ok {
		return h.renderLink(c, fiber.StatusUnprocessableEntity, "password", errs)
	}
	if err != nil {
		return err
	}
	return c.Redirect("/sign-in?done=password")
}

func (h *SignIn) newFactor(c *Ctx) error {
	token, err := h.Store.SignInToEnrol(c.Context(), c.Param("token"), c.FormRaw("password"), c.From)
	if errs, ok := Problems(err); ok {
		return h.renderLink(c, fiber.StatusUnprocessableEntity, "factor", errs)
	}
	return h.goOn(c, token, "/enrol", err)
}

func (h *SignIn) signOut(c *Ctx) error {
	if err := h.Store.SignOut(c.Context(), c.Actor); err != nil {
		return err
	}
	if err := c.Seat.Clear(); err != nil {
		return err
	}
	c.Fiber.Set("Clear-Site-Data", `"cache"`)
	return c.Redirect("/sign-in?done=out")
}

func (h *SignIn) stepUpForm(c *Ctx) error {
	p, err := h.stepUpParams(c, LocalPath(c.Query("back"), "/"), nil)
	if err != nil {
		return err
	}
	return c.Render(views.StepUp(c.Page("Second factor"), p))
}

func (h *SignIn) stepUp(c *Ctx) error {
	back := LocalPath(c.Form("back"), "/")
	err := h.Store.StepUp(c.Context(), c.Actor, c.FormRaw("code"))
	if errs, ok := Problems(err); ok {
		p, perr := h.stepUpParams(c, back, errs)
		if perr != nil {
			return perr
		}
		return c.RenderStatus(fiber.StatusUnprocessableEntity, views.StepUp(c.Page("Second factor"), p))
	}
	if err != nil {
		return err
	}
	return h.steppedUp(c, back)
}

// demo signs a visitor of the demonstration in. It is the one GET that changes something, and exists nowhere else.
func (h *SignIn) demo(c *Ctx) error {
	token, err := h.Store.SignInByDemoLink(c.Context(), c.Param("token"), c.From)
	return h.goOn(c, token, LocalPath(c.Query("back"), "/"), err)
}

// setCookie keeps a preference in the browser for a year. It is no secret and decides nothing but looks.
func setCookie(c *Ctx, name, value string) {
	c.Fiber.Cookie(&fiber.Cookie{Name: name, Value: value, Path: "/", Expires: c.Now.Add(365 * 24 * time.Hour), SameSite: fiber.CookieSameSiteLaxMode, Secure: c.Shell.Secure})
}

func cutText(s string, n int) string {
	if r := []rune(s); len(r) > n {
		return string(r[:n])
	}
	return s
}
