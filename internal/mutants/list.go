package main

var (
	store   = []string{"./dedupe"}
	domain  = []string{"./deploy"}
	notify  = []string{"./gitlab"}
	world   = []string{"./internal/sim"}
	sockets = []string{"./bot"}
	showing = []string{"./internal/sim", "-run", "TestNewMarkIsPut|TestWhatFoundNoRoom"}
	hangs   = []string{"./internal/sim", "-run", "Hang|IsLetGo"}
	refused = []string{"./internal/sim", "-run", "TestThreadThat|TestRefusalThat|TestPostThatCannot"}
	crash   = []string{"./internal/sim", "-run", "TestEveryCrashPoint"}
	events  = []string{"./bot", "-short"}
)

// sim are the simulation's tests of these names.
func sim(names string) []string { return []string{"./internal/sim", "-run", names} }

// mutants are the ways to break what psycher promises.
func mutants() []mutant {
	return []mutant{
		{
			"a claim that writes over the record", "dedupe/scripts.go",
			"if there and birth then\n  return {now, birth, there == ARGV[1] and 1 or 0}\nend\nif not birth", "there = false\nif not birth", store,
		},
		{
			"an ack before the claim", "bot/intake.go",
			"return i.Accept(ctx, m, attempt)", "go i.Accept(context.WithoutCancel(ctx), m, attempt)\n\treturn true", crash,
		},
		{
			"a save without the compare", "dedupe/scripts.go",
			"if there and there ~= ARGV[1] and there ~= ARGV[2] then\n  return {now, 0}\nend", "", store,
		},
		{
			"a save without a fresh mark", "deploy/loop.go",
			"next.Layout, next.Revision = Layout, rand.Text()", "next.Layout = Layout\n\t_ = rand.Text", domain,
		},
		{
			"a second POST after a lost answer", "deploy/states.go",
			"return r.MarkUnsure(now, u), true", "r = r.move(Waiting)\n\t\tr.Next = now\n\t\treturn r, true", crash,
		},
		{
			"a second POST by who takes over", "deploy/step.go",
			"return r.MarkUnsure(l.now(), l.Timing)", "r.State = Accepted\n\t\t\treturn r", crash,
		},
		{
			"a callback whose error is swallowed", "deploy/accept.go",
			"case err != nil:\n\t\t\treturn \"\", err", "case err != nil:\n\t\t\treturn CallbackTaken, nil", world,
		},
		{
			"a callback that is not tried again over a change", "deploy/accept.go",
			"!errors.Is(err, ErrChanged) {\n\t\t\treturn true, err", "true {\n\t\t\treturn true, nil", domain,
		},
		{
			"a 2xx before the save", "gitlab/notify.go",
			"a.verdict, a.err = n.hearer.Callback(ctx, word)", "a.verdict = deploy.CallbackTaken\n\tgo n.hearer.Callback(ctx, word)", notify,
		},
		{
			"age not judged", "deploy/step.go",
			"l.Slack.Now().Sub(m.Time()) > l.Timing.MaxAge", "false", world,
		},
		{
			"birth not judged", "deploy/step.go",
			"m.Time().Before(h.Birth)", "false", world,
		},
		{
			"an answer told and then deployed", "deploy/accept.go",
			"Mention: m, State: Answered, Lines", "Mention: m, State: Accepted, Lines", world,
		},
		{
			"a start call granted twice", "deploy/hear.go",
			"case start && (r.toldNothingRuns() || other):", "case start && r.toldNothingRuns():", domain,
		},
		{
			"a start call granted where nothing runs", "deploy/hear.go",
			"case start && (r.toldNothingRuns() || other):", "case start && other:", domain,
		},
		{
			"an id that is not checked", "deploy/hear.go",
			"case w.ID != \"\" && w.ID != r.Mention.ID:", "case false:", domain,
		},
		{
			"a pipeline taken for its deploy job", "deploy/jobs.go",
			"case len(by.succeeded) > 0 && (status == \"success\" || missed == 0):", "case status == \"success\" || len(by.succeeded) > 0 && missed == 0:", domain,
		},
		{
			"a failure of a deploy job that is allowed", "deploy/jobs.go",
			"case len(by.failed) > 0:", "case len(by.failed) > 0 && !by.failed[0].AllowFailure:", domain,
		},
		{
			"a notify job that counts", "deploy/jobs.go",
			"if speaksForPipeline(j.Name, j.Stage) {", "if false {", domain,
		},
		{
			"jobs that cannot be seen taken for good ones", "gitlab/look.go",
			"case err == nil && len(jobs) > 0:", "case err == nil || hidden(err):",
			[]string{"./gitlab"},
		},
		{
			"a failure taken back by another job", "deploy/hear.go",
			" && (!blamed || isBlamed && len(d.FailedBy) == 0)", " && (!blamed || !isBlamed || len(d.FailedBy) == 0)", domain,
		},
		{
			"a job's call believed for all jobs", "deploy/hear.go",
			"w.JobName == \"\" || !canAsk && believed {", "w.JobName == \"\" || believed {", domain,
		},
		{
			"a person called again about what does not run", "deploy/follow.go",
			"if !told {", "if !told || true {", domain,
		},
		{
			"a person called at every look", "deploy/follow.go",
			"return r.addLineOnce(r.message(MsgPerson))", "return r.addLine(r.message(MsgPerson))",
			[]string{"./internal/sim", "-run", "TestWhatDoesNotMoveIsSpokenOf"},
		},
		{
			"a record left due for ever", "deploy/view.go",
			"\t\treturn -1\n", "\t\treturn 0\n", crash,
		},
		{
			"a take that leaves the due time", "dedupe/scripts.go",
			"redis.call('ZADD', KEYS[1], now + ARGV[2], name)", "", store,
		},
		{
			"a probe that does not write what the work writes", "dedupe/scripts.go",
			"  redis.call('ZADD', KEYS[1], now + 1000, 'probe')\n", "", store,
		},
		{
			"TLS that is left out", "dedupe/open.go",
			"if a.secure {", "if false {", store,
		},
		{
			"a certificate that is not verified", "dedupe/tls.go",
			"RootCAs: roots,", "RootCAs: roots, InsecureSkipVerify: true,", store,
		},
		{
			"a trigger that keeps a place in the loop", "deploy/step.go",
			"\tdefer leave()\n\tfree()\n\tif h.Record", "\tdefer leave()\n\tif h.Record", hangs,
		},
		{
			"a look-up that goes on over a word", "deploy/loop.go",
			"was.interrupt()", "_ = was.interrupt", hangs,
		},
		{
			"a record of a newer layout that is not let go", "deploy/step.go",
			"errors.Is(err, ErrUnreadable) || ", "", hangs,
		},
		{
			"a post that is not announced", "deploy/show.go",
			"announced.Posting = step.slot", "", crash,
		},
		{
			"a post by who slept over its announcement", "deploy/show.go",
			" || passed(began) > Lease/3", " || passed(began) < 0", world,
		},
		{
			"a reaction that is not taken off after a crash", "deploy/states.go",
			"r.Reactions = withReaction(r.Reactions, reactionFor(to))", "", crash,
		},
		{
			"the old reaction taken off before the new one stands", "deploy/view.go",
			"if marked && m != v.Reaction", "if m != v.Reaction", showing,
		},
		{
			"a claim on showing that is kept where there is no room to show", "deploy/show.go",
			"s.Until, s.Next = time.Time{}, l.now().Add(d)", "s.Next = l.now().Add(d)", showing,
		},
		{
			"a closed thread that each process tries", "deploy/record.go",
			`json:"in_channel,omitempty"`, `json:"-"`, refused,
		},
		{
			"a passing refusal taken for final", "deploy/retry.go",
			"left := r.Since.Add(retryFor).Sub(now)", "left := time.Duration(0)", refused,
		},
		{
			"a passing refusal tried for ever", "deploy/retry.go",
			"	if r.Tries == 0 || r.What != what {\n", "	if true {\n", refused,
		},
		{
			"an end that has only the rest of the start's hour", "deploy/retry.go",
			"r.Tries == 0 || r.What != what", "r.Tries == 0", refused,
		},
		{
			"a look-up that overrules a call made after it began", "deploy/follow.go",
			"began.Before(d.EndingAt) && p.End != Succeeded", "began.Before(d.EndingAt) && p.ID == 0", domain,
		},
		{
			"an earlier try of a job that counts", "gitlab/look.go",
			"return lastTries(all), nil", "return all, nil",
			[]string{"./gitlab", "-run", "TestOnlyTheLastTry"},
		},
		{
			"a post that is made again for ever", "deploy/retry.go",
			"r.Tries >= postsMost", "false", refused,
		},
		{
			"a graceful refresh that counts as a failure", "bot/connections.go",
			"if cause := k.gone(); cause != nil {", "if cause := k.gone(); cause != nil || !settled {", sockets,
		},
		{
			"a delay that overwrites a word's due time", "dedupe/scripts.go",
			"if redis.call('GET', KEYS[1]) ~= ARGV[1] then\n  return {now, 0}\nend", "", store,
		},
		{
			"a POST without a deadline for its first byte", "gitlab/gate.go",
			"return monotonic >= left || wall >= left", "return false", notify,
		},
		{
			"a pipeline whose age is judged by our clock", "gitlab/find.go",
			"since = date.Add(-age", "since = began.Add(-age", notify,
		},
		{
			"a list that is believed though GitLab's clock was another", "gitlab/find.go",
			"sure = sure && (query.UpdatedAfter == nil || !query.UpdatedAfter.After(since))", "", notify,
		},
		{
			"a pipeline looked for without room between clocks", "gitlab/find.go",
			"- time.Since(began) - clockSlack)", "- time.Since(began))", notify,
		},
		{
			"a listing that decides by the store's clock alone", "deploy/step.go",
			"complete = false // the store's clock was set ahead: the POST may still be under way", "_ = asked",
			[]string{"./internal/sim", "-run", "TestUnsure/a_crash"},
		},
		{
			"a pipeline's age by the store's clock alone", "deploy/step.go",
			"age = max(age, l.Slack.Now().Sub(asked))", "_ = asked",
			[]string{"./internal/sim", "-run", "TestUnsure/Redis"},
		},
		{
			"a foreign UUID in a name taken for another deployment's", "gitlab/find.go",
			"\tfor _, p := range list {\n\t\ttheirs, err", "\tfor _, p := range list {\n\t\tif uuid.MatchString(p.Name) {\n\t\t\tcontinue\n\t\t}\n\t\ttheirs, err", notify,
		},
		{
			"a read that is led to another host", "gitlab/redirect.go",
			"|| !c.isOurs(to.URL)", "", notify,
		},
		{
			"a page taken for GitLab's word", "gitlab/origin.go",
			"\t\treturn fromElsewhere\n\tcase a.status == http.StatusNotFound", "\t\treturn fromGitLab\n\tcase a.status == http.StatusNotFound", notify,
		},
		{
			"a listing that decides too early", "deploy/follow.go",
			"!began.Before(u.sureFrom(d.Triggered)) &&", "", domain,
		},
		{
			"an outcome that counts for any attempt", "deploy/states.go",
			"return r.State == Triggering && r.Deployment.Attempt == attempt", "return r.State == Triggering", domain,
		},
		{
			"an unsure attempt refused by an earlier one's outcome", "deploy/states.go",
			"r.State == Unsure && r.Deployment.Attempt == attempt && !", "r.State == Unsure && !", domain,
		},
		{
			"a refusal after none was seen", "deploy/states.go",
			"r.Deployment.Attempt == attempt && !r.Deployment.NoneSeen", "r.Deployment.Attempt == attempt", domain,
		},
		{
			"a pipeline that is not adopted while it waits", "deploy/states.go",
			"r.State == Triggering, r.State == Waiting, r.State == Unsure, r.State == Silent, r.State == Running && d.Pipeline == 0:", "r.State == Unsure, r.State == Silent:", domain,
		},
		{
			"a POST that keeps what is heard from being shown", "deploy/step.go",
			"l.lend(h.Record.Mention.Key)", "", sim("TestWhatIsHeardDuring"),
		},
		{
			"a look-up of another pipeline that counts", "deploy/follow.go",
			"case p.ID != 0 && own != 0 && p.ID != own:", "case false:", domain,
		},
		{
			"a POST although its save was lost", "deploy/step.go",
			"return h, false // not ours any more, or not known to be saved: nothing is sent", "h.Record = allowed", sim("TestWorkerWhose"),
		},
		{
			"a POST that is taken for over while it may go on", "deploy/states.go",
			"return triggered.Add(WriteWithin + u.RequestTimeout + postGrace)", "return triggered.Add(WriteWithin + u.RequestTimeout + postGrace - 20*time.Second)", domain,
		},
		{
			"nothing was started, said where that is not known", "deploy/accept.go",
			"(attempt == 0 || seen && before >= attempt-1)", "(attempt == 0 || seen || before == 0)", sim("TestNothingStarted"),
		},
		{
			"two deliveries at once, both told", "deploy/accept.go",
			"pass := l.telling[k] || ", "pass := ", sim("TestWarned"),
		},
		{
			"a due time that is not put back", "deploy/step.go",
			"\t\tl.delay(h, due)\n", "", sim("TestRecordThatIsDue"),
		},
		{
			"a word heard while the embedded store ends", "deploy/accept.go",
			"if l.closed.Load() {", "if false {", sim("TestWordAtTheVeryEnd"),
		},
		{
			"a person of another organisation let in", "bot/who.go",
			"if ours(e.UserTeam) {", "if true {", events,
		},
		{
			"a person of whom nothing is told let in", "bot/who.go",
			"(p.TeamID == \"\" || present(p.ExtShared))", "p.TeamID == \"\"", events,
		},
		{
			"an event for another workspace heard", "bot/who.go",
			"return elsewhere\n", "return external\n", events,
		},
		{
			"a kind of message that is no speech heard", "bot/envelope.go",
			"case !slices.Contains(speech, e.Subtype):", "case slices.Contains(speech, \"?\"):", events,
		},
		{
			"struck-through words heard", "bot/richtext.go",
			"case e.Style.strike:", "case false:", events,
		},
		{
			"half a message deployed", "bot/intake.go",
			"if m.Cut {", "if false {", events,
		},
		{
			"an edit that no longer names the bot dropped", "bot/envelope.go",
			"return m, m.Edited, d", "return m, false, d", events,
		},
		{
			"a request taken back during its POST tried again", "deploy/states.go",
			"case r.Deployment.TakenBack:", "case false:", domain,
		},
		{
			"what waits for its turn not shown", "deploy/step.go",
			"due := r.Due(now)\n\tif due == 0", "due := wait\n\tif due == 0", sim("TestWhatWaitsForItsTurnIsShown"),
		},
		{
			"a deleted request tried again", "deploy/step.go",
			"withdraw != nil {", "false {", sim("TestMentionThatIsDeleted"),
		},
		{
			"proof that is not compared", "deploy/proof.go",
			"return found == 1\n", "return len(r.Tokens) > 0 || found == 1\n", domain,
		},
		{
			"the secret of all counts for ever", "deploy/proof.go",
			"return !proved, err", "return true || proved, err", domain,
		},
		{
			"a project that is not known is open to the secret of all", "deploy/proof.go",
			"projects = nil\n", "return true, nil\n", domain,
		},
		{
			"a channel that is not known is open to the secret of all", "deploy/proof.go",
			"if len(projects) == 0 {\n\t\treturn false, nil", "if len(projects) == 0 {\n\t\treturn true, nil", domain,
		},
		{
			"proof that is not kept", "dedupe/scripts.go",
			"redis.call('SET', KEYS[4], '1')", "", store,
		},
		{
			"proof that no record notes", "deploy/proof.go",
			"next.Deployment.TokenShown = true", "_ = proven", domain,
		},
		{
			"who proved nothing learns which deployments there are", "deploy/accept.go",
			"none := CallbackUnproven", "none := CallbackUnknown", sim("TestARefusedCallTellsNothing"),
		},
		{
			"a token without its form is looked up", "gitlab/notify.go",
			"token == \"\" && deploy.IsToken(s)", "token == \"\" && s != \"\"", notify,
		},
		{
			"a call of thousands of guesses", "gitlab/notify.go",
			"c.names+len(bearers) > maxNames", "false", notify,
		},
		{
			"a body whose length is not said is read to its end", "gitlab/notify.go",
			"io.ReadAll(http.MaxBytesReader(w, r.Body, maxCallback))", "io.ReadAll(r.Body)", notify,
		},
		{
			"a stranger keeps the connection", "gitlab/notify.go",
			"header.Set(\"Connection\", \"close\")", "_ = header", notify,
		},
		{
			"guesses that fill the log", "gitlab/notify.go",
			"left = n.strangers.take(time.Now()); !log", "left = n.strangers.take(time.Now()); !log && false", notify,
		},
		{
			"connections without a bound", "gitlab/notify_bounds.go",
			"maxConnections = 128", "maxConnections = 4096",
			[]string{"./cmd", "-run", "TestIdleConnectionsTakeNoDescriptors"},
		},
		{
			"a message that is not read again before another POST", "deploy/edit.go",
			"case err == nil && m.Edited && ", "case false && ", sim("TestEdits"),
		},
		{
			"tokens of the first attempts kept, not of the last", "deploy/token.go",
			"return sums[max(0, len(sums)-tokensKept):]", "return sums[:min(len(sums), tokensKept)]", domain,
		},
	}
}
