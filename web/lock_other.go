//go:build !(linux || darwin || freebsd || netbsd || openbsd || dragonfly)

package web

import "os"

// holdAlone has no lock to take on this system. Two programs on one folder are then not refused, but neither believes to be alone: what the
// other has in the air is left to its deadline.
func holdAlone(*os.File) (held bool, err error) { return false, nil }
