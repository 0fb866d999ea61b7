package store

import (
	"context"
	"crypto/rand"
	"crypto/subtle"
	"encoding/base64"
	"fmt"
	"strings"
	"unicode"
	"unicode/utf8"

	"golang.org/x/crypto/argon2"

	"countinghouse/models"
)

// argon2id as OWASP gives it for one pass: 46 MiB, t=1, p=1. Four at a time, so that a flood of sign-ins costs 184 MiB and not the machine.
const (
	argonMemory  = 46 * 1024
	argonTime    = 1
	argonThreads = 1
	argonKey     = 32
	argonAtOnce  = 4
)

// hasher hashes passwords, a few at a time.
type hasher struct {
	turns  chan struct{}
	memory uint32 // KiB
	dummy  string // what an unknown person's password is compared with, so that the answer takes as long
}

func newHasher(memory uint32) *hasher {
	if memory == 0 {
		memory = argonMemory
	}
	h := &hasher{turns: make(chan struct{}, argonAtOnce), memory: memory}
	h.dummy = h.phc(make([]byte, 16), make([]byte, argonKey))
	return h
}

func (h *hasher) phc(salt, key []byte) string {
	b64 := base64.RawStdEncoding
	return fmt.Sprintf("$argon2id$v=%d$m=%d,t=%d,p=%d$%s$%s", argon2.Version, h.memory, argonTime, argonThreads,
		b64.EncodeToString(salt), b64.EncodeToString(key))
}

func (h *hasher) wait(ctx context.Context) error {
	select {
	case h.turns <- struct{}{}:
		return nil
	case <-ctx.Done():
		return &models.Error{Code: models.Unavailable, Sentence: "Too many people are signing in at once. Try again in a moment.", Err: ctx.Err()}
	}
}

// hash makes the PHC string of a password.
func (h *hasher) hash(ctx context.Context, password string) (string, error) {
	if err := h.wait(ctx); err != nil {
		return "", err
	}
	defer func() { <-h.turns }()
	salt := make([]byte, 16)
	_, _ = rand.Read(salt) // never fails since Go 1.24
	return h.phc(salt, argon2.IDKey([]byte(password), salt, argonTime, h.memory, argonThreads, argonKey)), nil
}

// match compares; an empty hash is compared with the dummy and never matches.
func (h *hasher) match(ctx context.Context, encoded, password string) (bool, error) {
	if err := h.wait(ctx); err != nil {
		return false, err
	}
	defer func() { <-h.turns }()
	known := encoded != ""
	if !known {
		encoded = h.dummy
	}
	parts := strings.Split(encoded, "$")
	if len(parts) != 6 {
		return false, fmt.Errorf("a stored password hash has %d parts", len(parts))
	}
	var memory, time uint32
	var threads uint8
	if _, err := fmt.Sscanf(parts[3], "m=%d,t=%d,p=%d", &memory, &time, &threads); err != nil {
		return false, fmt.Errorf("a stored password hash: %w", err)
	}
	salt, err1 := base64.RawStdEncoding.DecodeString(parts[4])
	want, err2 := base64.RawStdEncoding.DecodeString(parts[5])
	if err1 != nil || err2 != nil || len(want) == 0 {
		return false, fmt.Errorf("a stored password hash is not base64")
	}
	got := argon2.IDKey([]byte(password), salt, time, memory, threads, uint32(len(want))) //nolint:gosec // 32
	return subtle.ConstantTimeCompare(got, want) == 1 && known, nil
}

// Limits of a password: NIST 800-63B and ASVS 5 ask for length and for no composition rules.
const (
	passwordMin = 12
	passwordMax = 200
)

// checkPassword says why a password is too easy to guess, as a sentence for its field.
func checkPassword(password, email, name string) error {
	n := utf8.RuneCountInString(password)
	switch {
	case !utf8.ValidString(password) || strings.ContainsRune(password, 0):
		return models.FieldErrorf("password", "The password holds bytes that are not text.")
	case n < passwordMin:
		return models.FieldErrorf("password", "Use at least %d characters. A few words in a row are fine; no digits or signs are required.", passwordMin)
	case n > passwordMax:
		return models.FieldErrorf("password", "Use at most %d characters.", passwordMax)
	}
	plain := letters(password)
	distinct := map[rune]bool{}
	for _, r := range strings.ToLower(password) {
		distinct[r] = true
	}
	if len(distinct) < 5 || sequence(password) {
		return models.FieldErrorf("password", "This is a pattern that is guessed first: repeated or consecutive characters. Choose something else.")
	}
	for _, w := range commonWords {
		if plain == w || plain == w+w || strings.Trim(strings.ReplaceAll(plain, w, ""), " ") == "" {
			return models.FieldErrorf("password", "This is one of the passwords that are guessed first. Choose something else.")
		}
	}
	local, _, _ := strings.Cut(email, "@")
	for _, own := range append(strings.Fields(strings.ToLower(name)), local, "countinghouse") {
		own = letters(own)
		if len(own) >= 4 && len(strings.ReplaceAll(plain, own, "")) < 4 {
			return models.FieldErrorf("password", "This is little more than your name or ours. Choose something else.")
		}
	}
	return nil
}

// letters undoes the usual disguises: case, digits for letters, signs at the ends.
func letters(s string) string {
	swap := strings.NewReplacer("0", "o", "1", "i", "3", "e", "4", "a", "5", "s", "7", "t", "@", "a", "$", "s", "!", "i")
	trimmed := strings.TrimFunc(strings.ToLower(s), func(r rune) bool { return !unicode.IsLetter(r) })
	return strings.Map(func(r rune) rune {
		if unicode.IsLetter(r) {
			return r
		}
		return -1
	}, swap.Replace(trimmed))
}

// sequence reports that nearly the whole password walks along the alphabet, the digits or a keyboard row.
func sequence(s string) bool {
	const walks = "abcdefghijklmnopqrstuvwxyz 01234567890 qwertyuiopasdfghjklzxcvbnm qwertzuiop azertyuiop 1qaz2wsx3edc4rfv5tgb6yhn7ujm"
	s = strings.ToLower(s)
	steps, runes := 0, []rune(s)
	for i := 1; i < len(runes); i++ {
		pair := string(runes[i-1 : i+1])
		back := string([]rune{runes[i], runes[i-1]})
		if strings.Contains(walks, pair) || strings.Contains(walks, back) || runes[i] == runes[i-1] {
			steps++
		}
	}
	return len(runes) > 1 && steps*4 >= (len(runes)-1)*3
}

// commonWords are what is left of the most used passwords of twelve and more characters once digits and signs are off.
var commonWords = []string{"password", "passwort", "motdepasse", "contrasena", "contrasea", "senha", "welcome", "welcometo", "letmein", "letmeinnow",
	"iloveyou", "iloveu", "sunshine", "princess", "football", "baseball", "superman", "batman", "starwars", "trustno", "trustnoi", "trustnoone",
	"changeme", "changemenow", "changeit", "administrator", "admin", "adminadmin", "rootroot", "master", "dragon", "monkey", "shadow", "michael",
	"jennifer", "computer", "internet", "samsung", "google", "facebook", "liverpool", "chelsea", "arsenal", "barcelona", "realmadrid", "pokemon",
	"naruto", "whatever", "freedom", "forever", "nothing", "secret", "secretsecret", "mypassword", "yourpassword", "thepassword", "passwordpassword",
	"passwordone", "correcthorsebatterystaple", "correcthorse", "qwerty", "qwertyqwerty", "azerty", "asdfgh", "zxcvbn", "testtest", "testing",
	"test", "guest", "default", "summer", "winter", "spring", "autumn", "january", "february", "december", "september", "october", "november",
	"monday", "friday", "sunday", "company", "merchant", "payments", "payment", "money", "bitcoin", "finance", "letmeinplease", "abcabc", "abcdef"}
