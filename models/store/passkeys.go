package store

import (
	"context"
	"database/sql"
	"encoding/base64"
	"encoding/json"
	"fmt"

	"github.com/go-webauthn/webauthn/protocol"
	"github.com/go-webauthn/webauthn/webauthn"

	"countinghouse/models"
)

// holder is a person as the library wants them. The user handle is the person's id: random enough, and it says nothing about them.
type holder struct {
	row  userRow
	keys []keyRow
}

type keyRow struct {
	models.Passkey
	record webauthn.Credential
}

// WebAuthnID is the user handle.
func (h holder) WebAuthnID() []byte { return []byte(h.row.ID) }

// WebAuthnName is what the device shows.
func (h holder) WebAuthnName() string { return h.row.Email }

// WebAuthnDisplayName is what the device shows as well.
func (h holder) WebAuthnDisplayName() string { return h.row.Name }

// WebAuthnCredentials are the keys that open something; blocked ones are not among them.
func (h holder) WebAuthnCredentials() (list []webauthn.Credential) {
	for _, k := range h.keys {
		if k.Blocked == 0 {
			list = append(list, k.record)
		}
	}
	return list
}

// party is our side of the ceremonies. Passkeys must be on the device itself, so that they can be offered before anybody said who they are, and
// the device must check the person: possession and a PIN, a finger or a face are the two factors.
func party(site models.PasskeySite) (*webauthn.WebAuthn, error) {
	if site.Why != "" {
		return nil, models.Errorf(models.Conflict, "%s", site.Why)
	}
	w, err := webauthn.New(&webauthn.Config{RPID: site.Name, RPDisplayName: totpIssuer, RPOrigins: []string{site.Origin},
		AttestationPreference:  protocol.PreferNoAttestation,
		AuthenticatorSelection: protocol.AuthenticatorSelection{ResidentKey: protocol.ResidentKeyRequirementRequired, RequireResidentKey: protocol.ResidentKeyRequired(), UserVerification: protocol.VerificationRequired},
		Timeouts: webauthn.TimeoutsConfig{Login: webauthn.TimeoutConfig{Timeout: models.PasskeyCeremony, TimeoutUVD: models.PasskeyCeremony},
			Registration: webauthn.TimeoutConfig{Timeout: models.PasskeyCeremony, TimeoutUVD: models.PasskeyCeremony}}})
	if err != nil {
		return nil, fmt.Errorf("passkeys of %s: %w", site.Name, err)
	}
	return w, nil
}

func (tx *Tx) holder(row userRow) (h holder, err error) {
	h.row = row
	var sealed [][]byte
	if err := tx.Each(func(r *sql.Rows) error {
		var k keyRow
		var s []byte
		err := r.Scan(&k.ID, &k.UserID, &k.Name, &k.Created, &k.Used, &k.Blocked, &s)
		h.keys, sealed = append(h.keys, k), append(sealed, s)
		return err
	}, "SELECT id, user_id, name, created_us, used_us, blocked_us, sealed FROM passkeys WHERE user_id = ? ORDER BY created_us, id", row.ID); err != nil {
		return h, err
	}
	for i, s := range sealed {
		plain, err := tx.Store.unseal(tx.ctx, "passkeys", h.keys[i].ID, "sealed", s)
		if err != nil {
			return h, fmt.Errorf("open the passkey %s: %w", h.keys[i].ID, err)
		}
		if err := json.Unmarshal(plain, &h.keys[i].record); err != nil {
			return h, fmt.Errorf("read the passkey %s: %w", h.keys[i].ID, err)
		}
		h.keys[i].Synced = h.keys[i].record.Flags.BackupState
	}
	return h, nil
}

// Passkeys lists a person's passkeys, the oldest first. Everybody may see their own.
func (s *Store) Passkeys(ctx context.Context, actor models.Actor, userID string) (list []models.Passkey, err error) {
	if actor.UserID != userID || userID == "" {
		if err := actor.Require(models.PeopleRead); err != nil {
			return nil, err
		}
	}
	err = s.View(ctx, func(q *Tx) error {
		h, err := q.holder(userRow{ID: userID})
		list = nil
		for _, k := range h.keys {
			list = append(list, k.Passkey)
		}
		return err
	})
	return list, err
}

// What a ceremony is for.
const (
	keyRegister = "register"
	keySignIn   = "sign-in"
	keyStepUp   = "step-up"
)

// The bounds of what was begun and not answered: anybody may begin to sign in.
const (
	ceremoniesPerAddress = 30
	ceremoniesInAll      = 5000
)

// begin keeps a ceremony until it is answered, once, or its time is over.
func (tx *Tx) begin(kind, userID, sessionID, ip string, data *webauthn.SessionData) (token string, err error) {
	if err := tx.Exec("DELETE FROM passkey_ceremonies WHERE expires_us <= ?", tx.Now); err != nil {
		return "", err
	}
	var here, all int
	if err := tx.QueryRow("SELECT COUNT(*) FROM passkey_ceremonies WHERE ip = ?", ip).Scan(&here); err != nil {
		return "", err
	}
	if err := tx.QueryRow("SELECT COUNT(*) FROM (SELECT 1 FROM passkey_ceremonies LIMIT ?) c", ceremoniesInAll).Scan(&all); err != nil {
		return "", err
	}
	if here >= ceremoniesPerAddress || all >= ceremoniesInAll {
		return "", models.Errorf(models.Throttled, "Too many sign-ins were begun and not finished. Wait five minutes and try again.")
	}
	raw, err := json.Marshal(data)
	if err != nil {
		return "", err
	}
	token, hash := newToken()
	return token, tx.Exec("INSERT INTO passkey_ceremonies (token_hash, kind, user_id, session_id, ip, data, expires_us) VALUES (?,?,?,?,?,?,?)",
		hash, kind, userID, sessionID, ip, string(raw), tx.Now.Add(models.PasskeyCeremony))
}

// errPasskey is the one answer to whatever is wrong with an answer: who tries one out learns nothing.
var errPasskey = models.FieldErrorf("passkey", "This passkey did not open anything. Try again, or use the password and a code.")

var errCeremony = models.FieldErrorf("passkey", "This took too long, or was answered already. Try again.")

// end takes a ceremony: the same answer cannot be used a second time, whatever comes of it.
func (tx *Tx) end(kind, token, userID, sessionID string) (data webauthn.SessionData, err error) {
	var raw, user, session string
	var expires models.Micros
	err = tx.QueryRow("SELECT user_id, session_id, data, expires_us FROM passkey_ceremonies WHERE token_hash = ? AND kind = ?"+tx.ForUpdate(), tokenHash(token), kind).
		Scan(&user, &session, &raw, &expires)
	if IsNoRow(err) {
		return data, errCeremony
	}
	if err != nil {
		return data, err
	}
	if n, err := tx.Change("DELETE FROM passkey_ceremonies WHERE token_hash = ?", tokenHash(token)); err != nil || n != 1 {
		return data, firstError(err, errCeremony)
	}
	if expires <= tx.Now || user != userID || session != sessionID {
		return data, errCeremony
	}
	return data, json.Unmarshal([]byte(raw), &data)
}

func firstError(errs ...error) error {
	for _, err := range errs {
		if err != nil {
			return err
		}
	}
	return nil
}

// BeginPasskey begins to register a passkey of one's own: options are what the browser wants, as JSON. It needs a fresh second factor.
func (s *Store) BeginPasskey(ctx context.Context, actor models.Actor, site models.PasskeySite) (options any, ceremony string, err error) {
	w, err := party(site)
	if err != nil {
		return nil, "", err
	}
	err = s.Update(ctx, func(tx *Tx) error {
		h, err := tx.ownHolder(actor)
		if err != nil {
			return err
		}
		if len(h.keys) >= models.PasskeysEach {
			return models.Errorf(models.Conflict, "You have %d passkeys. Remove one that you do not use first.", len(h.keys))
		}
		var exclude []protocol.CredentialDescriptor
		for _, k := range h.keys {
			exclude = append(exclude, k.record.Descriptor())
		}
		creation, data, err := w.BeginRegistration(h, webauthn.WithExclusions(exclude))
		if err != nil {
			return fmt.Errorf("begin to register a passkey: %w", err)
		}
		options = creation.Response
		ceremony, err = tx.begin(keyRegister, actor.UserID, actor.Sess, clean(actor.IP), data)
		return err
	})
	return options, ceremony, err
}

// ownHolder is the actor with their passkeys, when they have just shown their second factor.
func (tx *Tx) ownHolder(actor models.Actor) (holder, error) {
	if actor.UserID == "" {
		return holder{}, errUnsigned
	}
	if err := actor.RequireStepUp(tx.Now); err != nil {
		return holder{}, err
	}
	row, err := tx.user(actor.UserID)
	if err != nil {
		return holder{}, err
	}
	return tx.holder(row)
}

// FinishPasskey registers the passkey that a device made.
func (s *Store) FinishPasskey(ctx context.Context, actor models.Actor, site models.PasskeySite, ceremony, name string, answer []byte) error {
	w, err := party(site)
	if err != nil {
		return err
	}
	if name, err = models.ParsePasskeyName(name); err != nil {
		return err
	}
	parsed, perr := protocol.ParseCredentialCreationResponseBytes(answer)
	var refused error
	err = s.Update(ctx, func(tx *Tx) error {
		refused = nil
		h, err := tx.ownHolder(actor)
		if err != nil {
			return err
		}
		data, err := tx.end(keyRegister, ceremony, actor.UserID, actor.Sess)
		if err != nil {
			return err
		}
		if perr != nil {
			refused = models.FieldErrorf("passkey", "The browser's answer cannot be read. Nothing was registered.")
			return nil
		}
		record, err := w.CreateCredential(h, data, parsed)
		if err != nil {
			s.Log.Info("a passkey was not registered", "user", actor.UserID, "err", err)
			refused = models.FieldErrorf("passkey", "The device's answer does not fit what was asked. Nothing was registered.")
			return nil
		}
		return tx.keepPasskey(actor, h.row, name, record)
	})
	return firstError(err, refused)
}

func (tx *Tx) keepPasskey(actor models.Actor, row userRow, name string, record *webauthn.Credential) error {
	raw, err := json.Marshal(record)
	if err != nil {
		return err
	}
	id := models.NewID()
	sealed, err := tx.Store.seal(tx.ctx, "passkeys", id, "sealed", raw)
	if err != nil {
		return fmt.Errorf("seal the passkey: %w", err)
	}
	n, err := tx.Change(`INSERT INTO passkeys (id, user_id, credential_id, name, sealed, sign_count, created_us, used_us, blocked_us) VALUES (?,?,?,?,?,?,?,0,0)
		ON CONFLICT (credential_id) DO NOTHING`, id, row.ID, keyID(record.ID), name, sealed, int64(record.Authenticator.SignCount), tx.Now)
	if err != nil {
		return err
	}
	if n == 0 {
		return models.FieldErrorf("passkey", "This passkey is registered already.")
	}
	if err := tx.noteAccess(row.ID); err != nil {
		return err
	}
	return tx.Audit(actor, "passkey.add", "user", row.ID, nil, map[string]any{"passkey": id, "name": name}, fmt.Sprintf("Registered the passkey %s.", name))
}

func keyID(id []byte) string { return base64.RawURLEncoding.EncodeToString(id) }

// RemovePasskey takes a passkey away: one's own, or with people.manage somebody else's. Sessions that it opened go on.
func (s *Store) RemovePasskey(ctx context.Context, actor models.Actor, id string) error {
	return s.Update(ctx, func(tx *Tx) error {
		var userID, name string
		err := tx.QueryRow("SELECT user_id, name FROM passkeys WHERE id = ?", id).Scan(&userID, &name)
		if IsNoRow(err) || (err == nil && userID != actor.UserID && !actor.Can(models.PeopleManage)) {
			return models.Errorf(models.NotFound, "There is no such passkey.")
		}
		if err != nil {
			return err
		}
		if err := actor.RequireStepUp(tx.Now); err != nil {
			return err
		}
		if err := tx.Exec("DELETE FROM passkeys WHERE id = ?", id); err != nil {
			return err
		}
		if err := tx.noteAccess(userID); err != nil {
			return err
		}
		return tx.Audit(actor, "passkey.remove", "user", userID, map[string]any{"passkey": id, "name": name}, nil, fmt.Sprintf("Removed the passkey %s.", name))
	})
}

func (tx *Tx) dropPasskeys(userID string) error {
	return tx.Exec("DELETE FROM passkeys WHERE user_id = ?", userID)
}
