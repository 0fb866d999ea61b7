package handlers

import (
	"bytes"
	"errors"
	"io"
	"mime"

	"github.com/gofiber/fiber/v2"

	"countinghouse/models"
	"countinghouse/models/files"
	"countinghouse/views"
	"countinghouse/views/ui"
)

// frameCSP lets a page show a file of ours in a frame, and nothing else that other pages may not.
const frameCSP = "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; font-src 'self'; connect-src 'self'; frame-src 'self'; " +
	"form-action 'self'; frame-ancestors 'none'; base-uri 'none'"

// fileCSP is for the files themselves: a world of its own that may run nothing, load nothing, send nothing, and stand only in our own frame. Styles
// are the browser's own, with which it shows a bare picture.
const fileCSP = "default-src 'none'; img-src 'self'; style-src 'unsafe-inline'; object-src 'none'; form-action 'none'; base-uri 'none'; frame-ancestors 'self'; sandbox"

func (h *KYB) document(c *Ctx) error {
	return h.renderDocument(c, fiber.StatusOK, views.KYBDocumentParams{})
}

func (h *KYB) renderDocument(c *Ctx, status int, p views.KYBDocumentParams) error {
	page, err := h.Store.KYBDocument(c.Context(), c.Actor, c.Env, c.Param("id"))
	if err != nil {
		return err
	}
	p.KYBDocumentPage, p.Me, p.Clock, p.Today = page, c.Actor, c.Clock(), models.DateOf(models.At(c.Now))
	if p.Form == nil {
		d := page.Document
		p.Form = &models.KYBDocumentForm{Kind: string(d.Kind), Holder: d.Holder, Issuer: d.Issuer, Issued: string(d.Issued), Expires: string(d.Expires)}
	}
	p.MaxBytes = maxDocument
	p.Page = c.Page(page.Document.Title())
	p.Page.Breadcrumbs = []ui.Crumb{{Label: "KYB", Href: views.KYBPath}, {Label: page.Case.Company, Href: views.KYBCasePath(page.Case.ID)}, {Label: page.Document.Title()}}
	c.Fiber.Set(fiber.HeaderContentSecurityPolicy, frameCSP)
	return c.RenderStatus(status, views.KYBDocument(p))
}

func (h *KYB) describe(c *Ctx) error {
	form := models.KYBDocumentForm{Kind: c.Form("kind"), Holder: c.Form("holder"), Issuer: c.Form("issuer"), Number: c.Form("number"), Issued: c.Form("issued"), Expires: c.Form("expires")}
	err := h.Store.DescribeKYBDocument(c.Context(), c.Actor, c.Env, c.Param("id"), versionOf(c), form)
	if errs, ok := Problems(err); ok {
		return h.renderDocument(c, fiber.StatusUnprocessableEntity, views.KYBDocumentParams{Form: &form, Errors: errs})
	}
	if err != nil {
		return c.Refused(views.KYBDocumentPath(c.Param("id")), err)
	}
	return c.Done(views.KYBDocumentPath(c.Param("id")), "Written down.")
}

// number shows a document's number on the page, once, without an address that could be kept.
func (h *KYB) number(c *Ctx) error {
	number, err := h.Store.ShowKYBNumber(c.Context(), c.Actor, c.Env, c.Param("id"))
	if err != nil {
		return c.Refused(views.KYBDocumentPath(c.Param("id")), err)
	}
	c.Fiber.Set(fiber.HeaderCacheControl, "no-store")
	return h.renderDocument(c, fiber.StatusOK, views.KYBDocumentParams{Number: number})
}

func (h *KYB) remove(c *Ctx) error {
	err := h.Store.AskKYBDeletion(c.Context(), c.Actor, c.Env, c.Param("id"), c.Form("reason"))
	if errs, ok := Problems(err); ok {
		return h.renderDocument(c, fiber.StatusUnprocessableEntity, views.KYBDocumentParams{Errors: errs, Reason: c.Form("reason")})
	}
	if err != nil {
		return c.Refused(views.KYBDocumentPath(c.Param("id")), err)
	}
	return c.Done(views.KYBDocumentPath(c.Param("id")), "Asked. The files go when a second person from compliance agrees.")
}

// version takes a new version of one document.
func (h *KYB) version(c *Ctx) error {
	page, err := h.Store.KYBDocument(c.Context(), c.Actor, c.Env, c.Param("id"))
	if err != nil {
		return err
	}
	done, err := h.Intake.take(c, page.Case.ID, page.Document.ID)
	if errs, ok := Problems(err); ok {
		return h.renderDocument(c, fiber.StatusUnprocessableEntity, views.KYBDocumentParams{Errors: errs})
	}
	if err != nil {
		return c.Refused(views.KYBDocumentPath(page.Document.ID), err)
	}
	if !done[0].OK {
		return h.renderDocument(c, fiber.StatusUnprocessableEntity, views.KYBDocumentParams{Errors: []ui.FieldError{{Field: "files", Message: done[0].Name + ": " + done[0].Text}}})
	}
	return c.Done(views.KYBDocumentPath(page.Document.ID), done[0].Name+": "+done[0].Text)
}

// file gives a document's file back: for a frame of ours, or to be kept. What is given was held against its hash first.
func (h *KYB) file(how string) func(*Ctx) error {
	return func(c *Ctx) error {
		v, err := h.Store.OpenKYBFile(c.Context(), c.Actor, c.Env, c.Param("id"), how)
		if err != nil {
			return err
		}
		return giveFile(c, h.Files, keptFile{Key: v.Key, Name: v.Name, Type: v.Type, SHA256: v.SHA256, Size: v.Size}, how)
	}
}

// keptFile is where a file lies in the file store, and what it must be.
type keptFile struct {
	Key, Name, Type, SHA256 string
	Size                    int64
}

// giveFile answers with a file out of the file store, for a frame of ours ("view") or to be kept. Nothing is given that is not what was kept.
func giveFile(c *Ctx, from files.Store, v keptFile, how string) error {
	if from == nil {
		return errNoFiles
	}
	rc, err := from.Open(c.Context(), v.Key)
	if err != nil {
		return &models.Error{Code: models.Unavailable, Sentence: "The file cannot be read from the file store.", Err: err}
	}
	body, err := io.ReadAll(io.LimitReader(files.Verified(rc, v.SHA256), v.Size+1))
	if err = errors.Join(err, rc.Close()); err != nil {
		return &models.Error{Code: models.Unavailable, Sentence: "The file is not the one that was uploaded, or cannot be read. It is not shown.", Err: err}
	}
	head := &c.Fiber.Response().Header
	head.Set(fiber.HeaderContentSecurityPolicy, fileCSP)
	head.Set(fiber.HeaderXContentTypeOptions, "nosniff")
	head.Set(fiber.HeaderXFrameOptions, "SAMEORIGIN")
	head.Set(fiber.HeaderCacheControl, "no-store")
	disposition := "attachment"
	if how == "view" {
		disposition = "inline"
	}
	head.Set(fiber.HeaderContentDisposition, mime.FormatMediaType(disposition, map[string]string{"filename": v.Name}))
	head.Set(fiber.HeaderContentType, v.Type)
	_, err = io.Copy(c.Fiber.Response().BodyWriter(), bytes.NewReader(body))
	return err
}
