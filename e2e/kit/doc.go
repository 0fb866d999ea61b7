// Package kit looks at the kit in a real browser: axe, widths, keys, print. It
// holds tests only and serves the samples of views without the web layer.
package kit
