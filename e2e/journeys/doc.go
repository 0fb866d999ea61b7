// Package journeys walks through the real program in a real browser, as the people of a finance department do: the binary is built, the
// demonstration started, and everything else happens through pages, by clicking and typing. It holds tests only; nothing may import it.
package journeys
