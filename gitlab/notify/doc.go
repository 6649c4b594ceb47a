// Package notify is the notify port: GET or POST /notify, by which a pipeline
// reports its start and its end.
//
// A call is checked in the order in which its caller should fix it: path,
// method, size (handler.go); what it shows as proof (auth.go); its fields, one by
// one (callback.go). Only then is it handed on as a [deploy.Callback], and answered
// once it is recorded.
//
// Anybody may be able to reach the port. So connections (server.go), names per
// call and log lines (handler.go) are bounded, a caller that proves nothing learns
// nothing about any deployment, and nothing that it sent is logged.
//
// Whether a token belongs to a deployment, and what a callback changes, is
// decided in package deploy.
package notify
