// Package dedupe keeps the records on Redis, or in the process itself. It makes
// sure that each mention is claimed once, and that one process at a time works
// on what is due. It is [engine.Store], and the only importer of the Redis
// client.
//
// Each operation is one Lua script (scripts/, embedded), so that it happens as a
// whole or not at all, and with these habits it can be sent again after a lost
// answer:
//
//   - A script checks first and writes last, since Lua is not rolled back. The
//     record is the last thing it writes: a script that ends with an error has
//     left the record as it was.
//   - Due times are computed from the server's clock: the clocks of hosts differ.
//   - A save compares the bytes that were read with those that are stored.
//
// All keys share one hash tag, so that they are in one slot of a Cluster:
//
//	{psycher}:record:TEAM:CHANNEL:TS   string, JSON of deploy.Record, for KEEP
//	{psycher}:due                      sorted set of TEAM:CHANNEL:TS by due time (Unix ms, the server's clock)
//	{psycher}:birth                    string, Unix ms by Slack's clock: since when this store remembers; reads without it return now
//	{psycher}:open:TEAM:CHANNEL        sorted set of TEAM:CHANNEL:TS by when it was saved: what is asked for, waits or runs
//	{psycher}:history:TARGET           sorted set of TEAM:CHANNEL:TS by when the deployment was triggered (Unix ms): all that may have run
//	{psycher}:history::::              the same of locks and of requests that came to nothing, by when they were asked for
//	{psycher}:successes:TARGET         the same of those that succeeded, by when they ended
//	{psycher}:active:TARGET            sorted set of TEAM:CHANNEL:TS by when the deployment was triggered: those that go on
//	{psycher}:edits:TEAM               string, Unix ms: when the workspace has all its edits again; expires then
//	{psycher}:rolled-back              string, "1" once a rollback may have run
//	{psycher}:proved:PROJECT           string, "1" once a callback of the project has proved itself; never expires
//
// TARGET is TEAM:PROJECT:REF:KEY, with % and : in them written %25 and %3A. A name
// whose record is gone is removed when it is read, and one that is older than a
// record gets when another is added.
//
// What a record means, and what happens to it, is decided in package deploy.
package dedupe
