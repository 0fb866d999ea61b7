// Package models is the domain of Countinghouse: its words, money, states, permissions and rules.
//
// It is pure: no SQL, no HTTP, no Fiber, no clock of its own. Everything of ours may import it; it imports nothing of ours.
package models
