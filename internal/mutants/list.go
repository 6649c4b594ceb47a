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

// mutants are the ways to break what psycher promises.
func mutants() []mutant {
	return []mutant{
		{"a claim that writes over the record", instead("existing = false"), store},
		{"an ack before the claim", background("return true"), crash},
		{"a save without the compare", drop, store},
		{"a save without a fresh mark", keep(2), domain},
		{"a second POST after a lost answer", instead("r = r.move(Waiting); r.Next = now; return r, true"), crash},
		{"a second POST by who takes over", instead("r.State = deploy.Accepted; return r"), crash},
		{"a callback whose error is swallowed", instead("return deploy.CallbackTaken, nil"), world},
		{"a callback that is not tried again over a change", always, domain},
		{"a 2xx before the save", background("return deploy.CallbackTaken, nil"), notify},
		{"age not judged", never, world},
		{"birth not judged", never, world},
		{"an answer told and then deployed", replace("Answered", "Accepted"), world},
		{"a start call granted twice", dropTerm(3), domain},
		{"a start call granted where nothing runs", dropTerm(2), domain},
		{"an id that is not checked", never, domain},
		{"a pipeline taken for its deploy job", alsoIf(`status == "success"`), domain},
		{"a failure of a deploy job that is allowed", onlyIf("!by[`failed`][0].AllowFailure"), domain},
		{"a notify job that counts", replace("!speaksForPipeline(j.Name, j.Stage)", "true"), domain},
		{"jobs that cannot be seen taken for good ones", alsoIf("err == nil || hidden(err)"), notify},
		{"a failure taken back by another job", replace("isBlamed &&", "!isBlamed ||"), domain},
		{"a job's call believed for all jobs", dropTerm(2), domain},
		{"a person called again about what does not run", always, domain},
		{"a person called at every look", replace("addLineOnce(", "addLine("), sim("TestStuckPipelineIsReported")},
		{"a record left due for ever", instead("return 0"), crash},
		{"a take that leaves the due time", drop, store},
		{"a probe that does not write what the work writes", drop, store},
		{"TLS that is left out", never, store},
		{"a certificate that is not verified", replace("ServerName: host", "ServerName: host, InsecureSkipVerify: true"), store},
		{"a trigger that keeps a place in the loop", drop, hangs},
		{"a look-up that goes on over a word", drop, hangs},
		{"a record of a newer layout that is not let go", dropTerm(1), hangs},
		{"a post that is not announced", drop, crash},
		{"a post by who slept over its announcement", dropTerm(3), world},
		{"a reaction that is not taken off after a crash", drop, crash},
		{"the old reaction taken off before the new one stands", dropTerm(1), showing},
		{"a claim on showing that is kept where there is no room to show", drop, showing},
		{"a closed thread that each process tries", replace("in_channel,omitempty", "-"), refused},
		{"a passing refusal taken for final", always, refused},
		{"a passing refusal tried for ever", always, refused},
		{"an end that has only the rest of the start's hour", dropTerm(2), refused},
		{"a look-up that overrules a call made after it began", onlyIf("p.ID == 0"), domain},
		{"an earlier try of a job that counts", replace("lastTries(all)", "all"), []string{"./gitlab", "-run", "TestOnlyTheLastTry"}},
		{"a post that is made again for ever", never, refused},
		{"a graceful refresh that counts as a failure", alsoIf("!settled"), sockets},
		{"a delay that overwrites a word's due time", drop, store},
		{"a POST without a deadline for its first byte", never, notify},
		{"a pipeline whose age is judged by our clock", replace("date.Add", "began.Add"), notify},
		{"a list that is believed though GitLab's clock was another", drop, notify},
		{"a pipeline looked for without room between clocks", replace(" - clockSlack", ""), notify},
		{"a listing that decides by the store's clock alone", drop, sim("TestUnsure/a_crash")},
		{"a pipeline's age by the store's clock alone", drop, sim("TestUnsure/Redis")},
		{"a foreign UUID in a name taken for another deployment's", begin("if uuid.MatchString(p.Name) { continue }"), notify},
		{"a read that is led to another host", dropTerm(3), notify},
		{"a page taken for GitLab's word", instead("return fromGitLab"), notify},
		{"a listing that decides too early", dropTerm(4), domain},
		{"an outcome that counts for any attempt", dropTerm(2), domain},
		{"an unsure attempt refused by an earlier one's outcome", dropTerm(2), domain},
		{"a refusal after none was seen", dropTerm(3), domain},
		{"a pipeline that is not adopted while it waits", dropTerm(2), domain},
		{"a POST that keeps what is heard from being shown", drop, sim("TestNewsDuring")},
		{"a look-up of another pipeline that counts", never, domain},
		{"a POST although its save was lost", instead("s.Record = allowed"), sim("TestNoPOSTAfter")},
		{"a POST that is taken for over while it may go on", replace("postGrace", "postGrace - 20*time.Second"), domain},
		{"nothing was started, said where that is not known", replace("u.refused >= attempt", "true"), sim("TestNothingStarted")},
		{"two deliveries at once, both told", dropTerm(1), sim("TestPersonIsWarned")},
		{"a due time that is not put back", drop, sim("TestRecordDueEarly")},
		{"a word heard while the embedded store ends", never, sim("TestCallbackAfterTheEmbedded")},
		{"a person of another organisation let in", always, events},
		{"a person of whom nothing is told let in", dropTerm(3), events},
		{"an event for another workspace heard", instead("return external"), events},
		{"a kind of message that is no speech heard", never, events},
		{"struck-through words heard", never, events},
		{"half a message deployed", never, events},
		{"thanks for a deploy that start another", replace("bare", "no such rule"), understood},
		{"a clause that is not understood passed over", replace("deploy.MsgUnclear", `""`), understood},
		{"work that is told after a request", instead("return before, true"), understood},
		{"a doubtful word in what was done before", replace("!barred", "(!barred || true)"), understood},
		{"an edit that no longer names the bot dropped", instead("return m, said, false, d"), events},
		{"a request taken back during its POST tried again", never, domain},
		{"an edit of a message that Slack never took", replace("posted.TS != \"\" && ", ""), domain},
		{"what waits for its turn not shown", never, sim("TestQueuedDeployIsShown")},
		{"a deleted request tried again", never, sim("TestDeletedMention")},
		{"proof that is not compared", alsoIf("len(r.Tokens) > 0"), domain},
		{"the secret of all counts for ever", always, domain},
		{"a project that is not known is open to the secret of all", instead("return true, nil"), domain},
		{"a channel that is not known is open to the secret of all", always, domain},
		{"proof that is not kept", drop, store},
		{"proof that no record notes", drop, domain},
		{"who proved nothing learns which deployments there are", replace("CallbackUnproven", "CallbackUnknown"), sim("TestRefusedCallRevealsNothing")},
		{"a token without its form is looked up", dropTerm(2), notify},
		{"a call of thousands of guesses", never, notify},
		{"a body whose length is not said is read to its end", replace("http.MaxBytesReader(w, req.Body, maxCall)", "req.Body"), notify},
		{"a stranger keeps the connection", drop, notify},
		{"guesses that fill the log", never, notify},
		{"connections without a bound", replace("128", "4096"), []string{"./cmd", "-run", "TestIdleConnectionsTakeNoDescriptors"}},
		{"a message that is not read again before another POST", never, sim("TestEdits")},
		{"tokens of the first attempts kept, not of the last", replace("sums[max(0, len(sums)-tokensKept):]", "sums[:min(len(sums), tokensKept)]"), domain},
	}
}
