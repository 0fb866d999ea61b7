// Package crash holds tests only: the harness that kills the real program while it moves money, and proves that no money moved twice and
// none was lost from sight (safety.md, section 1).
//
// A seed is one life of a small merchant: payouts, deposits, refunds, conversions and orders at the five stand-ins, which lose replies, answer late or with a lie, hold
// requests back and send webhooks early, twice, forged or not at all, while the server is killed by SIGKILL at the step boundaries of a send and at
// random moments and started again. What is proved at the end, and while the server is dead, stands in proof_test.go.
//
//	go test ./e2e/crash                               three seeds, and the self-tests of the harness
//	CRASH_SEEDS=200 CRASH_FROM=1 go test ./e2e/crash  more of them
//	CRASH_POSTGRES=1 …                                on PostgreSQL (TEST_POSTGRES_DSN), two servers over one database
//
// A seed that fails prints the command that replays it. A replay makes the same choices; which goroutine comes first is the machine's.
//
// SIGKILL takes a process, not the machine: what the disk keeps when the power fails is SQLite's and PostgreSQL's promise and not tested here.
package crash
