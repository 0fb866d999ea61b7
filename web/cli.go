package web

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"os"
	"strings"
	"time"

	"github.com/alecthomas/kong"

	"countinghouse/models"
	"countinghouse/providers"
)

// FromFiles lets every setting that comes from the environment come from a file instead: COUNTINGHOUSE_VAULT_KEY_FILE names a file whose
// content is the value, without a line end, as container platforms hand secrets over.
func FromFiles() kong.Resolver {
	return kong.ResolverFunc(func(_ *kong.Context, _ *kong.Path, flag *kong.Flag) (any, error) {
		for _, name := range flag.Envs {
			path := os.Getenv(name + "_FILE")
			if path == "" || os.Getenv(name) != "" {
				continue
			}
			b, err := os.ReadFile(path) //nolint:gosec // the operator names the file
			if err != nil {
				return nil, configErrorf("%s_FILE cannot be read: %v.", name, err)
			}
			return strings.TrimRight(string(b), "\r\n"), nil
		}
		return nil, nil
	})
}

// ExitCode says with which code the program ends, and prints the error as one sentence: 2 for a mistake in the configuration, 1 for anything
// else that went wrong, 0 when nothing did.
func ExitCode(err error, errOut io.Writer) int {
	if err == nil {
		return 0
	}
	text, code := err.Error(), 1
	var c *ConfigError
	var m *models.Error
	switch {
	case errors.As(err, &c):
		text, code = c.Sentence, 2
	case errors.As(err, &m):
		text = m.Sentence
	}
	_, _ = fmt.Fprintln(errOut, "countinghouse: "+text)
	return code
}

// Env is what every command is given.
type Env struct {
	context.Context
	Config    Config
	Log       *slog.Logger
	Out       io.Writer
	Providers *providers.Registry
	Sandboxes map[string]func(providers.SandboxOptions) providers.SandboxHandler
}

// ServeCmd runs the server.
type ServeCmd struct{}

// Run implements the command.
func (ServeCmd) Run(e *Env) error { return Serve(e, e.Config, e.Log, e.Out, e.Providers) }

// MigrateCmd brings the database up to date.
type MigrateCmd struct {
	Status bool `help:"Change nothing; end with code 1 when the database is older than this program."`
}

// Run implements the command.
func (c MigrateCmd) Run(e *Env) error { return Migrate(e, e.Config, e.Log, e.Out, c.Status) }

// UserCmd manages people from the machine itself.
type UserCmd struct {
	List   UserListCmd   `cmd:"" help:"List everybody."`
	Invite UserInviteCmd `cmd:"" help:"Invite somebody and print the link."`
	Roles  UserRolesCmd  `cmd:"" help:"Give somebody other roles."`
	Link   UserLinkCmd   `cmd:"" help:"Make a one-time link for somebody who lost something."`
}

// UserListCmd lists everybody.
type UserListCmd struct{}

// Run implements the command.
func (UserListCmd) Run(e *Env) error { return ListUsers(e, e.Config, e.Log, e.Out) }

// UserInviteCmd invites somebody.
type UserInviteCmd struct {
	Email string        `arg:"" help:"E-mail address."`
	Name  string        `required:"" help:"Name as others see it."`
	Role  []models.Role `required:"" help:"finance, compliance, admin or auditor; may be given several times."`
}

// Run implements the command.
func (c UserInviteCmd) Run(e *Env) error {
	return InviteUser(e, e.Config, e.Log, e.Out, c.Email, c.Name, c.Role)
}

// UserRolesCmd gives somebody other roles.
type UserRolesCmd struct {
	Email string        `arg:"" help:"E-mail address."`
	Role  []models.Role `required:"" help:"finance, compliance, admin or auditor; may be given several times."`
}

// Run implements the command.
func (c UserRolesCmd) Run(e *Env) error { return SetRoles(e, e.Config, e.Log, e.Out, c.Email, c.Role) }

// UserLinkCmd makes a one-time link.
type UserLinkCmd struct {
	Email string `arg:"" help:"E-mail address."`
	Kind  string `enum:"invitation,password,factor" default:"invitation" help:"invitation, password (lost password) or factor (lost second factor)."`
}

// Run implements the command.
func (c UserLinkCmd) Run(e *Env) error { return ResetUser(e, e.Config, e.Log, e.Out, c.Email, c.Kind) }

// VaultCmd manages the key that seals secrets.
type VaultCmd struct {
	Init   VaultInitCmd   `cmd:"" help:"Make the key file of an empty house."`
	Rotate VaultRotateCmd `cmd:"" help:"Make a new key and put every stored secret and uploaded file under it, while the server runs."`
	Retire VaultRetireCmd `cmd:"" help:"Delete an older key for good, after making sure that nothing is sealed with it."`
	List   VaultListCmd   `cmd:"" help:"List the keys, not their values."`
}

// VaultInitCmd makes the key file.
type VaultInitCmd struct{}

// Run implements the command.
func (VaultInitCmd) Run(e *Env) error { return VaultInit(e.Config, e.Out) }

// VaultRotateCmd rotates.
type VaultRotateCmd struct {
	Wait   time.Duration `default:"15s" help:"How long to leave a running server to read the new key file."`
	Resume bool          `help:"Make no new key: go on with a rotation that was cut off."`
}

// Run implements the command.
func (c VaultRotateCmd) Run(e *Env) error {
	return VaultRotate(e, e.Config, e.Log, e.Out, c.Wait, c.Resume)
}

// VaultRetireCmd drops an older key.
type VaultRetireCmd struct {
	Key  uint32        `arg:"" help:"The key's number, as vault list prints it."`
	Wait time.Duration `default:"15s" help:"How long to leave a running server to read the key file."`
}

// Run implements the command.
func (c VaultRetireCmd) Run(e *Env) error {
	return VaultRetire(e, e.Config, e.Log, e.Out, c.Key, c.Wait)
}

// VaultListCmd lists the keys.
type VaultListCmd struct{}

// Run implements the command.
func (VaultListCmd) Run(e *Env) error { return VaultList(e.Config, e.Out) }

// BackupCmd copies the database.
type BackupCmd struct {
	To string `arg:"" help:"File to write; it must not exist."`
}

// Run implements the command.
func (c BackupCmd) Run(e *Env) error { return Backup(e, e.Config, e.Log, e.Out, c.To) }

// AuditCmd proves the audit trail.
type AuditCmd struct {
	Verify AuditVerifyCmd `cmd:"" help:"Read the whole chain and name the first entry that does not fit."`
	Anchor AuditAnchorCmd `cmd:"" help:"Sign the end of the chain and print the anchor, to be kept elsewhere."`
	Key    AuditKeyCmd    `cmd:"" help:"Print the public key that anchors and evidence packs are checked with, to be given to those who check."`
	Check  CheckPackCmd   `cmd:"" name:"check-pack" help:"Check an evidence pack. It needs no database and can be done on any machine."`
}

// AuditVerifyCmd verifies.
type AuditVerifyCmd struct {
	Anchors *os.File `help:"File of anchors that were kept elsewhere, one a line."`
}

// Run implements the command.
func (c AuditVerifyCmd) Run(e *Env) error {
	if c.Anchors == nil {
		return AuditVerify(e, e.Config, e.Log, e.Out, nil)
	}
	return AuditVerify(e, e.Config, e.Log, e.Out, c.Anchors)
}

// AuditAnchorCmd signs.
type AuditAnchorCmd struct{}

// Run implements the command.
func (AuditAnchorCmd) Run(e *Env) error { return AuditAnchor(e, e.Config, e.Log, e.Out) }

// AuditKeyCmd prints the public key.
type AuditKeyCmd struct{}

// Run implements the command.
func (AuditKeyCmd) Run(e *Env) error { return AuditKey(e.Config, e.Out) }

// CheckPackCmd checks an evidence pack.
type CheckPackCmd struct {
	File string   `arg:"" type:"existingfile" help:"The ZIP."`
	Key  *os.File `help:"The merchant's public key as “audit key” prints it. Without it the key inside is believed, which shows only that nothing was changed after signing."`
}

// Run implements the command.
func (c CheckPackCmd) Run(e *Env) error {
	if c.Key == nil {
		return CheckPack(e.Out, c.File, nil)
	}
	return CheckPack(e.Out, c.File, c.Key)
}

// DoctorCmd looks at everything.
type DoctorCmd struct {
	Provider string `help:"Print the contract check of the credentials at one provider instead: onekey, wspn, …"`
	Calls    bool   `name:"run" help:"With --provider: make the provider's harmless calls first, and keep what they show."`
}

// Run implements the command.
func (c DoctorCmd) Run(e *Env) error {
	if c.Provider != "" {
		return DoctorProvider(e, c.Provider, c.Calls)
	}
	return Doctor(e, e.Config, e.Log, e.Out)
}
