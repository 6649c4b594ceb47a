// Package engine does what is due. Package deploy says what a record becomes;
// this package takes the records that are due, does one step for each, and saves
// what came of it.
//
// The words. A mention is claimed: its record is made, due after a lease. Who
// takes a due record holds it for a lease, so that nobody else is handed it
// meanwhile; a process that dies gives its records back by letting their leases
// pass. Every save compares what is stored with what was read and writes a fresh
// random revision, so of two workers with the same record one save is accepted,
// and only that worker may act on the record. Delivery brings Slack from what it
// shows of a record to what it should show.
//
// What runs when. [Engine.Run] asks the [Store] what is due, at least once a
// second, and each record is worked on in a goroutine of its own: a step for the
// state it is in (begin, trigger, poll GitLab, expire), then its delivery.
// [Engine.Accept] claims a mention before it is acked and returns the work on it;
// [Engine.Callback] and [Engine.Press] change a record and make it due. A crash, a rate limit, a
// lost answer, a deadline or a message that Slack did not take needs no path of
// its own: the record becomes due again.
//
// What must be true. The save that allows a POST precedes the POST, and so does
// the save that announces a message to be posted. Whoever finds such a save
// looks up what became of it, and does not make the call again. What is saved is
// computed by the pure functions of package deploy, as it may be computed again
// on top of another save. Due times and deadlines are by the store's clock, ages
// of mentions by Slack's.
//
// How Slack, GitLab and Redis are spoken to is behind the interfaces [Slack],
// [GitLab] and [Store].
package engine
