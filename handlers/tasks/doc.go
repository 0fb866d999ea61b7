// Package tasks is everything that happens outside of a request: the jobs, and the desk through which providers are asked.
//
// It is the only package that opens sealed secrets and builds provider clients. What moves money leaves through one function, in send.go; all
// other calls made here only read. It imports models, models/store, models/jobs, models/vault, models/files and providers. It is imported by
// web, which starts it and hands parts of it to the handlers as narrow interfaces.
package tasks
