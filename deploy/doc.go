// Package deploy is the domain: deployments of software by a GitLab pipeline that
// people ask for in Slack. It is not about manifests.
//
// The words. A person's [Request] has one [Record], which is all that
// is known of it, and which goes through the states that [Moves] lists. A
// [Target] is what can be deployed from a channel. The record of a deploy numbers
// its attempts: each is one POST that triggers a pipeline, and its
// [TriggerResult] counts for that attempt alone. The pipeline reports by a
// [Callback], and GitLab shows a [Pipeline] when it is polled; [Counting] decides
// by its jobs whether the deploy itself succeeded. What is not clear is an [Ask],
// answered by the [Press] of a button. [View] is what Slack should
// show of a record, [Shown] what it does show, and a [Call] brings one nearer to
// the other. A [Message] is said by its [MessageID]; wordings are elsewhere.
//
// What calls what. When something happens to a record (an answer, a callback, a
// press, an edit, a deadline, a panic), one method of Record returns the record as it is
// then, with the time at which it is next due. Package engine calls it and saves
// the result.
//
// What must be pure. All of it: no goroutine, no clock, no context, no input or
// output, nothing imported but the standard library. A method may be called again
// on top of what another process saved meanwhile, so it never changes what its
// receiver shares with a copy.
package deploy
