//go:build !harness

package web

import (
	"time"

	"countinghouse/handlers/tasks"
	"countinghouse/models"
)

// The places where the build for the crash harness (harness.go, e2e/crash) takes hold. In every other build they are what stands here.

func wallClock() models.Clock { return time.Now }

// providersClock is what clients sign by; nil is the store's clock.
func providersClock() models.Clock { return nil }

func rig(*Runtime, *tasks.Money) {}
