package handlers

import (
	"errors"

	"rsc.io/qr"

	"countinghouse/models"
)

// qrModules gives the dark modules of a text's QR code; nil when there is no text or it does not fit into one.
func qrModules(text string) [][]bool {
	if text == "" {
		return nil
	}
	code, err := qr.Encode(text, qr.M)
	if err != nil {
		return nil
	}
	rows := make([][]bool, code.Size)
	for y := range rows {
		rows[y] = make([]bool, code.Size)
		for x := range rows[y] {
			rows[y][x] = code.Black(x, y)
		}
	}
	return rows
}

// sentence is what people may read of an error.
func sentence(err error) string {
	var e *models.Error
	if errors.As(err, &e) {
		return e.Sentence
	}
	return "Something went wrong."
}
