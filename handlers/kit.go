package handlers

import (
	"github.com/gofiber/fiber/v2"

	"countinghouse/models"
	"countinghouse/views"
)

// Kit shows every piece that pages are made of, with made-up data. It exists in development and in the demonstration only.
type Kit struct{ Served bool }

// Routes are none where the kit is not served, so that its addresses are unknown there.
func (h Kit) Routes() []Route {
	if !h.Served {
		return nil
	}
	get := func(path, name string, f func(*Ctx) error) Route {
		return Route{Method: fiber.MethodGet, Path: path, Name: name, Permission: models.SettingsManage, Handle: f}
	}
	return []Route{
		get(views.KitPath, "kit", h.all),
		get(views.KitPath+"/:sample", "kit.sample", h.sample),
		{Method: fiber.MethodPost, Path: views.KitPath + "/:piece", Name: "kit.post", Permission: models.SettingsManage, Handle: h.post},
	}
}

func (h Kit) all(c *Ctx) error { return c.Render(views.Kit(h.page(c))) }

// page is the real frame; theme shows one view in another light and changes no preference.
func (h Kit) page(c *Ctx) views.Page {
	p := c.Page("Kit")
	switch theme := c.Query("theme"); theme {
	case "light", "dark", "auto":
		p.Theme = theme
	}
	return p
}

// sample shows pieces at work. It is looked up by name; nothing of the address is shown.
func (h Kit) sample(c *Ctx) error {
	draw, ok := views.KitSamples()[c.Param("sample")]
	if !ok {
		return models.Errorf(models.NotFound, "The kit has no such sample.")
	}
	return c.Render(draw(h.page(c)))
}

// post is where the kit's forms lead: nothing happens.
func (h Kit) post(c *Ctx) error {
	return c.Done(views.KitPath, "The kit keeps nothing and does nothing: this was only a form.")
}
