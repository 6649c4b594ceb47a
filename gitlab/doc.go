// Package gitlab talks with GitLab's API. It is [engine.GitLab], and the only
// importer of the GitLab client library.
//
//   - trigger.go makes the one POST that starts a deployment's pipeline. Behind its
//     gate (gate.go) the first byte leaves within a deadline or never. result.go
//     says what became of it: what is not certain counts as unsure.
//   - find.go looks for the pipeline of a POST whose answer was lost, poll.go reads
//     how a pipeline and its jobs are doing, outgoing.go which commits go out. All
//     read through read.go, those that are repeated at the pace of pace.go.
//   - inspect.go reads what a project must be like, and who may run its pipelines,
//     for those who check it.
//   - steer.go cancels a pipeline, and runs a job again: by one POST, behind the gate.
//   - An answer is believed only if it comes from GitLab's API: origin.go tells it
//     from a proxy, a login page or another web server. refusals.go turns GitLab's
//     texts into reasons.
//
// No token leaves this package in a text, and none is sent anywhere but to
// GITLAB_URL (read.go). Nothing is retried here: package engine decides when
// to try again. The calls of pipelines come in at gitlab/notify.
package gitlab
