package main

var (
	store   = []string{"./dedupe/..."}
	domain  = []string{"./deploy/..."}
	notify  = []string{"./gitlab/..."}
	world   = []string{"./internal/sim"}
	sockets = []string{"./bot/socket"}
	showing = []string{"./internal/sim", "-run", "TestNewReactionIsAdded|TestDeliveryWithoutRoom"}
	hangs   = []string{"./internal/sim", "-run", "Hang|IsReleased"}
	refused = []string{"./internal/sim", "-run", "TestClosedThread|TestTemporaryRefusal|TestPostWithoutLookUp"}
	crash   = []string{"./internal/sim", "-run", "TestEveryCrashPoint"}
	events  = []string{"./bot/...", "-short"}

	understood = []string{"./bot/words", "-short"}
)

// sim are the simulation's tests of these names.
func sim(names string) []string { return []string{"./internal/sim", "-run", names} }

// mutants are the ways to break psycher's promises.
func mutants() []mutant {
	return []mutant{
		{"a claim that writes over the record", instead("existing = false"), store},
		{"an ack before the claim", background("return true"), crash},
		{"a save without the compare", drop, store},
		{"a save without a new revision", keep(2), domain},
		{"a second POST after a lost answer", instead("r = r.move(Waiting); r.Next = now; return r, true"), crash},
		{"a second POST by the worker that takes over", instead("r.State = deploy.Accepted; return r"), crash},
		{"a callback whose error is swallowed", instead("return deploy.CallbackTaken, nil"), world},
		{"a callback that is not retried after a concurrent change", always, domain},
		{"a 2xx before the save", background("return deploy.CallbackTaken, nil"), notify},
		{"age not judged", never, world},
		{"birth not judged", never, world},
		{"a person told that nothing was started, and then a deploy", replace("Answered", "Accepted"), world},
		{"a start call granted twice", dropTerm(3), domain},
		{"a start call granted for a deployment that does not run", dropTerm(2), domain},
		{"an id that is not checked", never, domain},
		{"a pipeline's status taken for its deploy job's", alsoIf(`status == "success"`), domain},
		{"an allowed failure of a deploy job", onlyIf("!by[`failed`][0].AllowFailure"), domain},
		{"a notify job that counts", replace("!speaksForPipeline(j.Name, j.Stage)", "true"), domain},
		{"jobs that cannot be read taken for successful ones", alsoIf("err == nil || hidden(err)"), notify},
		{"a failure cleared by another job", replace("isBlamed &&", "!isBlamed ||"), domain},
		{"a job's call believed for all jobs", dropTerm(2), domain},
		{"a person told again about a pipeline that does not run", always, domain},
		{"a person told at every poll", replace("addLineOnce(", "addLine("), sim("TestStuckPipelineIsReported")},
		{"a record left due forever", instead("return 0"), crash},
		{"a take that leaves the due time", drop, store},
		{"a probe that writes nothing", drop, store},
		{"TLS that is left out", never, store},
		{"a certificate that is not verified", replace("ServerName: host", "ServerName: host, InsecureSkipVerify: true"), store},
		{"a trigger that keeps its place while it hangs", drop, hangs},
		{"a poll that is not canceled by a callback", drop, hangs},
		{"a record of a newer layout that is not released", dropTerm(1), hangs},
		{"a post that is not announced", drop, crash},
		{"a post after its announcement has expired", dropTerm(3), world},
		{"a reaction that is not removed after a crash", drop, crash},
		{"the old reaction removed before the new one is added", dropTerm(1), showing},
		{"a claim on a delivery that is kept without room to deliver", drop, showing},
		{"a closed thread that each process tries", replace("in_channel,omitempty", "-"), refused},
		{"a temporary refusal taken for final", always, refused},
		{"a temporary refusal retried forever", always, refused},
		{"an end that gets only the rest of the start's hour", dropTerm(2), refused},
		{"a look-up that overrules a call made after it began", onlyIf("p.ID == 0"), domain},
		{"an earlier run of a job that counts", replace("lastTries(all)", "all"), []string{"./gitlab", "-run", "TestOnlyTheLastTry"}},
		{"a post that is made again forever", never, refused},
		{"a graceful refresh that counts as a failure", alsoIf("!settled"), sockets},
		{"a delay that overwrites a callback's due time", drop, store},
		{"a POST without a deadline for its first byte", never, notify},
		{"a pipeline whose age is judged by our clock", replace("date.Add", "began.Add"), notify},
		{"a listing believed although GitLab's clock differs", drop, notify},
		{"a pipeline searched without allowing for clock skew", replace(" - clockSlack", ""), notify},
		{"a listing that decides by the store's clock alone", drop, sim("TestUnsure/a_crash")},
		{"a pipeline's age judged by the store's clock alone", drop, sim("TestUnsure/Redis")},
		{"another tool's UUID in a name taken for a deployment's", begin("if uuid.MatchString(p.Name) { continue }"), notify},
		{"a read that is redirected to another host", dropTerm(3), notify},
		{"a page taken for GitLab's answer", instead("return fromGitLab"), notify},
		{"a listing that decides too early", dropTerm(4), domain},
		{"an outcome that counts for every attempt", dropTerm(2), domain},
		{"an unsure attempt refused by an earlier one's outcome", dropTerm(2), domain},
		{"a late refusal after no pipeline was seen", dropTerm(3), domain},
		{"a pipeline that is not adopted while it waits", dropTerm(2), domain},
		{"a POST that delays what is shown", drop, sim("TestNewsDuring")},
		{"a look-up of another pipeline that counts", never, domain},
		{"a POST although its save was lost", instead("s.Record = allowed"), sim("TestNoPOSTAfter")},
		{"a POST taken for finished while it may still run", replace("postGrace", "postGrace - 20*time.Second"), domain},
		{"a person told that nothing was started when that is not certain", replace("u.refused >= attempt", "true"), sim("TestNothingStarted")},
		{"a person told twice by two deliveries at once", dropTerm(1), sim("TestPersonIsWarned")},
		{"a due time that is not put back", drop, sim("TestRecordDueEarly")},
		{"a callback taken after the embedded store has ended", never, sim("TestCallbackAfterTheEmbedded")},
		{"a person of another organisation allowed", always, events},
		{"a person without a known organisation allowed", dropTerm(3), events},
		{"an event for another workspace accepted", instead("return external"), events},
		{"a message that no person wrote accepted", never, events},
		{"struck-through words read", never, events},
		{"half a message deployed", never, events},
		{"thanks for a deploy that start another", replace("bare", "no such rule"), understood},
		{"a clause that is not understood ignored", replace("deploy.MsgUnclear", `""`), understood},
		{"work described after a request", instead("return before, true"), understood},
		{"a doubtful word in a clause about the past", replace(`!m.has("bar") && `, ""), understood},
		{"the branch of one target taken for that of all", dropTerm(3), understood},
		{"an edit acked although it is not saved", replace("err == nil", "err == nil || true"), domain},
		{"a repeated delivery that keeps its place", never, domain},
		{"a list of jobs that is cut off judged as a whole", instead("return all, nil"), notify},
		{"an edit that no longer names the bot dropped", instead("return m, said, false, d"), events},
		{"a request withdrawn during its POST retried", never, domain},
		{"an edit of a message that Slack never accepted", replace("p.Editable && posted.TS != \"\"", "p.Editable"), domain},
		{"a queued deploy not shown", replace("r.Due(now)", "next.Sub(now)"), sim("TestQueuedDeployIsShown")},
		{"a deleted request retried", never, sim("TestDeletedMention")},
		{"a proof that is not compared", alsoIf("len(r.Tokens) > 0"), domain},
		{"the shared secret accepted forever", always, domain},
		{"an unknown project open to the shared secret", instead("return true, nil"), domain},
		{"an unknown channel open to the shared secret", always, domain},
		{"a proof that is not kept", drop, store},
		{"a proof that no record notes", drop, domain},
		{"a caller without proof learns which deployments exist", replace("CallbackUnproven", "CallbackUnknown"), sim("TestRefusedCallRevealsNothing")},
		{"a malformed token looked up", dropTerm(2), notify},
		{"a call with thousands of tokens", never, notify},
		{"a body of unknown length read to its end", replace("http.MaxBytesReader(w, req.Body, maxCall)", "req.Body"), notify},
		{"an unauthenticated caller keeps the connection", drop, notify},
		{"guesses that fill the log", never, notify},
		{"connections without a limit", replace("128", "4096"), []string{"./cmd", "-run", "TestIdleConnectionsTakeNoDescriptors"}},
		{"a message that is not read again before another POST", never, sim("TestEdits")},
		{"tokens of the first attempts kept, not of the last", replace("sums[max(0, len(sums)-maxTokens):]", "sums[:min(len(sums), maxTokens)]"), domain},
	}
}
