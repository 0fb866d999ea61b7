package wspn

import (
	"bytes"
	"mime/multipart"
	"net/textproto"
	"strings"

	"countinghouse/providers"
)

// filePart is one file of a form.
type filePart struct {
	field string
	doc   providers.Document
}

// multipartBody writes a form. Field and file names are escaped as browsers do, so that no name can add a header of its own.
func multipartBody(params [][2]string, files []filePart) ([]byte, string, error) {
	var b bytes.Buffer
	w := multipart.NewWriter(&b)
	for _, p := range params {
		if err := w.WriteField(p[0], p[1]); err != nil {
			return nil, "", err
		}
	}
	for _, f := range files {
		head := textproto.MIMEHeader{}
		head.Set("Content-Disposition", `form-data; name="`+formName(f.field)+`"; filename="`+formName(f.doc.Name)+`"`)
		head.Set("Content-Type", orElse(clean(f.doc.Type, 100), "application/octet-stream"))
		part, err := w.CreatePart(head)
		if err != nil {
			return nil, "", err
		}
		if _, err := part.Write(f.doc.Body); err != nil {
			return nil, "", err
		}
	}
	if err := w.Close(); err != nil {
		return nil, "", err
	}
	return b.Bytes(), w.FormDataContentType(), nil
}

func formName(s string) string {
	return strings.NewReplacer(`\`, `\\`, `"`, `\"`, "\r", "_", "\n", "_", "\x00", "_").Replace(s)
}
