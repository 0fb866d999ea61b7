// Package all lists the provider folders. The list is generated: adding a provider is adding its folder and running
// go generate ./providers/... . Only main imports this package.
package all

//go:generate go run ./gen
