//go:build linux || darwin || freebsd || netbsd || openbsd || dragonfly

package web

import (
	"os"
	"syscall"
)

// holdAlone takes the lock without waiting. The kernel gives it back when the process ends, by SIGKILL too.
func holdAlone(f *os.File) (held bool, err error) {
	if err := syscall.Flock(int(f.Fd()), syscall.LOCK_EX|syscall.LOCK_NB); err != nil { //nolint:gosec // a descriptor fits an int
		return false, err
	}
	return true, nil
}
