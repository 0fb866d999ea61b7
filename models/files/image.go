package files

import (
	"bytes"
	"encoding/binary"
	"image/jpeg"
	"image/png"
)

// inspectImage reads the header, never the picture: the claimed size is checked before anybody decodes it.
func inspectImage(mime string, body []byte, limits Limits) ([]Finding, error) {
	var w, h int
	var ok bool
	switch mime {
	case PNG:
		c, err := png.DecodeConfig(bytes.NewReader(body))
		w, h, ok = c.Width, c.Height, err == nil
	case JPEG:
		c, err := jpeg.DecodeConfig(bytes.NewReader(body))
		w, h, ok = c.Width, c.Height, err == nil
	case WEBP:
		w, h, ok = webpSize(body)
	}
	if !ok || w < 1 || h < 1 {
		return nil, &Refusal{CodeDamaged, "The picture is damaged: its size cannot be read."}
	}
	if w > limits.MaxSide || h > limits.MaxSide || w*h > limits.MaxPixels {
		return nil, &Refusal{CodePixels, "The picture has too many pixels. Save it smaller and try again."}
	}
	end, ok := imageEnd(mime, body)
	if !ok {
		return nil, &Refusal{CodeDamaged, "The picture is cut off: its end is missing."}
	}
	var out []Finding
	if len(bytes.Trim(body[end:], "\x00\r\n ")) > 0 {
		out = append(out, Finding{FindTrailing, "Something else follows the picture in this file."})
	}
	lower := bytes.ToLower(body)
	for _, tag := range []string{"<script", "<!doctype html", "<html", "<svg", "<?php", "<iframe"} {
		if bytes.Contains(lower, []byte(tag)) {
			return append(out, Finding{FindMarkup, "The picture contains the code of a web page."}), nil
		}
	}
	return out, nil
}

// imageEnd is the index behind the last byte that belongs to the picture.
func imageEnd(mime string, body []byte) (int, bool) {
	switch mime {
	case PNG:
		for i := 8; i+12 <= len(body); {
			n := int64(binary.BigEndian.Uint32(body[i:]))
			next := int64(i) + 12 + n
			if next > int64(len(body)) {
				return 0, false
			}
			if string(body[i+4:i+8]) == "IEND" {
				return int(next), true
			}
			i = int(next)
		}
	case JPEG:
		// Thumbnails have end marks of their own, so the last one counts.
		if i := bytes.LastIndex(body, []byte{0xff, 0xd9}); i >= 0 {
			return i + 2, true
		}
	case WEBP:
		n := int64(binary.LittleEndian.Uint32(body[4:])) + 8
		return int(min(n, int64(len(body)))), n <= int64(len(body))
	}
	return 0, false
}

// webpSize reads the first chunk of a WebP container (RFC 9649): VP8 (lossy), VP8L (lossless) or VP8X (extended).
func webpSize(b []byte) (w, h int, ok bool) {
	if len(b) < 30 || string(b[8:12]) != "WEBP" {
		return 0, 0, false
	}
	switch string(b[12:16]) {
	case "VP8 ":
		if b[23] != 0x9d || b[24] != 0x01 || b[25] != 0x2a {
			return 0, 0, false
		}
		return int(binary.LittleEndian.Uint16(b[26:]) & 0x3fff), int(binary.LittleEndian.Uint16(b[28:]) & 0x3fff), true
	case "VP8L":
		if b[20] != 0x2f {
			return 0, 0, false
		}
		bits := binary.LittleEndian.Uint32(b[21:])
		return int(bits&0x3fff) + 1, int(bits>>14&0x3fff) + 1, true
	case "VP8X":
		u24 := func(i int) int { return int(b[i]) | int(b[i+1])<<8 | int(b[i+2])<<16 }
		return u24(24) + 1, u24(27) + 1, true
	}
	return 0, 0, false
}
