package web

import (
	"crypto/ed25519"
	"errors"
	"fmt"
	"io"
	"os"
	"strings"

	"countinghouse/models"
	"countinghouse/models/pack"
	"countinghouse/models/store"
)

// ErrBadPack is an evidence pack that does not hold; the command ends with code 1.
var ErrBadPack = errors.New("the evidence pack does not hold")

// AuditKey prints the public half of the audit key. It opens no database.
func AuditKey(cfg Config, out io.Writer) error {
	key, err := cfg.auditKey(false)
	if err != nil {
		return err
	}
	pub, ok := key.Public().(ed25519.PublicKey)
	if !ok {
		return errors.New("the audit key is not an Ed25519 key")
	}
	text, err := pack.PublicPEM(pub)
	if err != nil {
		return err
	}
	_, err = fmt.Fprintf(out, "%s%s\n", text, "key "+store.AuditKeyID(pub))
	return err
}

// CheckPack reads an evidence pack and prints what holds and what does not. It needs neither configuration nor database. key is the
// merchant's public key, or nil.
func CheckPack(out io.Writer, path string, key io.Reader) error {
	var pub ed25519.PublicKey
	if key != nil {
		text, err := io.ReadAll(io.LimitReader(key, 64<<10))
		if err != nil {
			return configErrorf("The key cannot be read: %v.", err)
		}
		if pub, err = pack.ParseKey(text); err != nil {
			return err
		}
	}
	file, err := os.Open(path) //nolint:gosec // whoever runs the command names the file
	if err != nil {
		return configErrorf("%v.", err)
	}
	defer func() { _ = file.Close() }()
	info, err := file.Stat()
	if err != nil {
		return configErrorf("%v.", err)
	}
	rep, err := pack.Check(file, info.Size(), pub)
	if err != nil {
		return err
	}
	return printPack(out, rep)
}

// printPack says what was found. What comes out of the pack is a stranger's text and cannot steer the terminal.
func printPack(out io.Writer, rep *pack.Report) error {
	var b strings.Builder
	line := func(format string, args ...any) { fmt.Fprintf(&b, format+"\n", args...) }
	m := &rep.Manifest
	safe := func(s string) string { return models.Safe(s, 200) }
	line("Evidence about %s (%s, %s), made %s by %s.", safe(m.Reference), safe(m.Environment), safe(m.Transaction), safe(m.MadeAt), safe(m.MadeBy))
	for _, l := range m.LeftOut {
		line("Left out: %s. %s", safe(l.Part), safe(l.Why))
	}
	if !rep.Whole() {
		line("")
		line("THIS PACK DOES NOT HOLD.")
		for _, p := range rep.Problems {
			line("  - %s", models.Safe(p, 600))
		}
		if _, err := io.WriteString(out, b.String()); err != nil {
			return err
		}
		return ErrBadPack
	}
	line("%d files are as they were when the list was signed.", rep.Files)
	line("%d audit entries have their hash and a signed place in the chain; %d follow directly on another one of the pack.", rep.Entries, rep.Linked)
	line("%d payloads are exactly what people agreed to.", rep.Payloads)
	if rep.KeyGiven {
		line("The signature is by the key that you gave (%s).", safe(m.KeyID))
	} else {
		line("The signature is by the key inside the pack (%s). Compare it with the merchant's own: --key FILE.", safe(m.KeyID))
	}
	line("The pack holds.")
	_, err := io.WriteString(out, b.String())
	return err
}
