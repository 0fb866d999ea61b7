package web

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"strings"
	"time"

	"countinghouse/models"
	"countinghouse/models/files"
	"countinghouse/models/vault"
)

// resealer is a store of files that can put a file under the newest key in place.
type resealer interface {
	Reseal(ctx context.Context, key string) (changed bool, err error)
}

// moved counts what was put under the current key.
type moved struct{ secrets, files int }

func (m moved) any() bool { return m != moved{} }

// VaultRotate makes a new key the one that seals, and puts everything stored under it: secrets in the database and uploaded files. It works beside a
// running server, which reads the key file again within ten seconds, and at once when it meets a key that it does not know; wait is how long to leave it
// for that before looking a second time. Cut off, it is begun again with resume, which makes no new key and does what is left.
func VaultRotate(ctx context.Context, cfg Config, log *slog.Logger, out io.Writer, wait time.Duration, resume bool) error {
	if cfg.VaultKey != "" {
		return configErrorf("The vault key comes from the environment: rotate it where it is kept.")
	}
	seals := "The current key"
	if !resume {
		id, err := vault.Rotate(cfg.VaultKeyPath())
		if err != nil {
			return configErrorf("%v.", err)
		}
		seals = fmt.Sprintf("Key %d", id)
	}
	return with(ctx, cfg, log, func(rt *Runtime) error {
		n, err := rt.moveAll(ctx, wait)
		if err != nil {
			return err
		}
		_, err = fmt.Fprintf(out, "%s seals from now on; %d stored secrets and %d uploaded files were put under it. The older keys stay in the file: backups from before need them. "+
			"When those are gone, vault list shows the keys and vault retire deletes one.\n", seals, n.secrets, n.files)
		return err
	})
}

// VaultRetire deletes an older key. It looks first that nothing stored needs it.
func VaultRetire(ctx context.Context, cfg Config, log *slog.Logger, out io.Writer, id uint32, wait time.Duration) error {
	if cfg.VaultKey != "" {
		return configErrorf("The vault key comes from the environment: change it where it is kept.")
	}
	return with(ctx, cfg, log, func(rt *Runtime) error {
		n, err := rt.moveAll(ctx, wait)
		if err != nil {
			return err
		}
		if n.any() {
			if n, err = rt.move(ctx); err != nil {
				return err
			}
		}
		if n.any() {
			return models.Errorf(models.Conflict, "Something still seals with an older key: is there a server that does not read %s? Nothing was deleted.", cfg.VaultKeyPath())
		}
		if err := vault.Retire(cfg.VaultKeyPath(), id); err != nil {
			return configErrorf("%v.", err)
		}
		_, err = fmt.Fprintf(out, "Key %d is deleted. What this house holds opens without it; a backup from before the rotation does not.\n", id)
		return err
	})
}

// moveAll moves twice: what a running server sealed with the old key meanwhile is found by the second look.
func (rt *Runtime) moveAll(ctx context.Context, wait time.Duration) (moved, error) {
	n, err := rt.move(ctx)
	if err != nil {
		return n, err
	}
	rt.Log.Info("put under the current key; a running server may just have sealed something with the older one, so there is a second look", "secrets", n.secrets, "files", n.files, "after", wait)
	timer := time.NewTimer(wait)
	defer timer.Stop()
	select {
	case <-ctx.Done():
		return n, ctx.Err()
	case <-timer.C:
	}
	more, err := rt.move(ctx)
	return moved{n.secrets + more.secrets, n.files + more.files}, err
}

// move puts everything under the current key that is not.
func (rt *Runtime) move(ctx context.Context) (n moved, err error) {
	if n.secrets, err = rt.Store.Rewrap(ctx); err != nil {
		return n, err
	}
	n.files, err = rt.reseal(ctx)
	return n, err
}

// reseal puts every uploaded file under the current key, each in place, so that whoever reads it meanwhile has the old form or the new. A file that will
// not open does not hold the others up; it stays as it is, and is named at the end.
func (rt *Runtime) reseal(ctx context.Context) (changed int, err error) {
	in, ok := rt.Files.(resealer)
	if !ok {
		return 0, errors.New("the store of documents cannot seal anew")
	}
	var stuck []string
	for info, err := range rt.Files.All(ctx) {
		if err != nil {
			return changed, err
		}
		did, err := in.Reseal(ctx, info.Key)
		switch {
		case errors.Is(err, files.ErrNotFound): // deleted meanwhile
			continue
		case ctx.Err() != nil:
			return changed, ctx.Err()
		case err != nil:
			rt.Log.Error("a file was not sealed anew", "key", info.Key, "error", err)
			stuck = append(stuck, info.Key)
			continue
		case !did:
			continue
		}
		changed++
		if err := rt.stayDeleted(ctx, info.Key); err != nil {
			return changed, err
		}
	}
	if len(stuck) > 0 {
		return changed, models.Errorf(models.Conflict, "%d uploaded files could not be sealed anew and stay as they are: %s. Keep the older keys; the log says why.", len(stuck),
			strings.Join(stuck[:min(5, len(stuck))], ", "))
	}
	return changed, nil
}

// stayDeleted removes a file again whose deletion two people agreed to while it was being sealed anew: putting the new form in place would have brought it
// back.
func (rt *Runtime) stayDeleted(ctx context.Context, key string) error {
	if !strings.HasPrefix(key, "kyb/") {
		return nil
	}
	gone, err := rt.Store.KYBKeyGone(ctx, key)
	if err != nil || !gone {
		return err
	}
	if err := rt.Files.Delete(ctx, key); err != nil && !errors.Is(err, files.ErrNotFound) {
		return err
	}
	return nil
}
