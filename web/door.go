package web

import (
	"net"
	"sync"
	"sync/atomic"
	"time"
)

// door is the listener, which remembers who came in and has not said anything yet. Browsers open connections ahead of time, and load balancers keep
// some in store: the server below counts them as busy, and a stop would wait for them until its grace is over.
type door struct {
	net.Listener
	mu     sync.Mutex
	shut   bool
	inside map[*visitor]struct{}
}

func newDoor(l net.Listener) *door { return &door{Listener: l, inside: map[*visitor]struct{}{}} }

// visitor is a connection that came through the door.
type visitor struct {
	net.Conn
	door  *door
	spoke atomic.Bool
}

// Accept lets the next one in.
func (d *door) Accept() (net.Conn, error) {
	c, err := d.Listener.Accept()
	if err != nil {
		return nil, err
	}
	v := &visitor{Conn: c, door: d}
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.shut { // came in while the door was being closed
		_ = c.Close()
		return nil, net.ErrClosed
	}
	d.inside[v] = struct{}{}
	return v, nil
}

// Close closes the door. It may be closed twice: we do it first, then the server below.
func (d *door) Close() error {
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.shut {
		return nil
	}
	d.shut = true
	return d.Listener.Close()
}

// Read notes that something was said.
func (v *visitor) Read(b []byte) (int, error) {
	n, err := v.Conn.Read(b)
	if n > 0 && !v.spoke.Load() {
		v.spoke.Store(true)
	}
	return n, err
}

// Close forgets the visitor.
func (v *visitor) Close() error {
	v.door.mu.Lock()
	delete(v.door.inside, v)
	v.door.mu.Unlock()
	return v.Conn.Close()
}

// halfSaid is how long the rest of a request may take that was arriving when the stop began.
const halfSaid = 3 * time.Second

// clear shows those out who never said anything, and gives half a request a moment for its other half. A request that arrived whole is not touched: its
// answer goes out. The door must be closed before, so that nobody comes in behind.
func (d *door) clear(now time.Time) {
	d.mu.Lock()
	var all []*visitor
	for v := range d.inside {
		all = append(all, v)
	}
	d.mu.Unlock()
	for _, v := range all {
		if !v.spoke.Load() {
			_ = v.Conn.Close() // the server below notices and forgets it
			continue
		}
		_ = v.SetReadDeadline(now.Add(halfSaid))
	}
}
