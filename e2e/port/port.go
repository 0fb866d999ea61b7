// Package port finds addresses for servers that tests start, kill and start again. It is test support and in no program.
package port

import (
	"context"
	"fmt"
	"math/rand/v2"
	"net"
	"testing"
)

// Ports of servers lie below those that systems hand out by themselves (from 32768 on Linux, 49152 elsewhere): a port that a closed listener gave
// back could be anybody's by the time the server asks for it, and a call to it would be answered by somebody else.
const lowest, highest = 15000, 32000

// Free is a loopback address that nobody listens on.
func Free(t testing.TB) string {
	t.Helper()
	for range 100 {
		address := fmt.Sprintf("127.0.0.1:%d", lowest+rand.IntN(highest-lowest)) //nolint:gosec // any will do
		if l, err := (&net.ListenConfig{}).Listen(context.Background(), "tcp", address); err == nil {
			_ = l.Close()
			return address
		}
	}
	t.Fatal("no port is free")
	return ""
}
