package sandbox

import (
	"bytes"
	"errors"
	"io"
	"mime/multipart"
	"net/url"
)

// formFile is one file of a form.
type formFile struct {
	field, name string
	size        int
}

func readForm(body []byte, boundary string) (url.Values, []formFile, error) {
	values, files := url.Values{}, []formFile(nil)
	r := multipart.NewReader(bytes.NewReader(body), boundary)
	for {
		p, err := r.NextPart()
		if errors.Is(err, io.EOF) {
			return values, files, nil
		}
		if err != nil {
			return nil, nil, err
		}
		b, err := io.ReadAll(p)
		if err != nil {
			return nil, nil, err
		}
		if p.FileName() == "" {
			values.Add(p.FormName(), string(b))
			continue
		}
		files = append(files, formFile{p.FormName(), p.FileName(), len(b)})
	}
}
