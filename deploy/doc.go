// Package deploy is the domain: what a mention is, what may be deployed from
// where, the record that is kept of each mention, its states, and what Slack
// should show of it. It is about deployments of software by a GitLab pipeline;
// it is not about manifests.
//
// Everything here is pure: no goroutine, no clock, no context, no input or
// output, and nothing imported but the standard library. The functions of
// [Record] say what a record becomes when something happens to it; package
// engine does what is due, and saves what came of it.
package deploy
