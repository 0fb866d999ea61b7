// Package providers is the contract between Countinghouse and a payment provider: what a provider describes, what it can be asked to
// do, and the only shapes in which it may answer.
//
// It imports models and providers/httpx. A provider's folder imports this package, httpx and models, and nothing else of ours: it
// cannot reach the database, another provider or the clock. A description is data; a capability is a small interface that the
// provider's client implements AND that its description lists. providertest fails when the two differ.
package providers
