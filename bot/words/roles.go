package words

import "github.com/getto-systems/psycher/deploy"

// role is what a clause may be: a rule that matches it, and what it asks for.
type role struct {
	rule  string
	kind  deploy.Kind
	place place
}

// place is where a clause may stand.
type place int

const (
	command place = iota
	direct        // a command: nothing stands before it
	request
	aside // before a request or after it: whatever is requested counts more
	early // the same, but not after it
)

// forms are what a clause may be, by its place: what it is about may stand before a
// command, its target behind it.
var forms = []string{"{about}?{role}{named}?", "{role}{named}?", "{role}", "{role}", "{role}"}

// plain is a request to deploy now.
var plain = &role{"request", deploy.KindDeploy, request}

// roles are in the order in which they count. A deploy comes after all that could
// be meant instead of it.
var roles = []*role{
	{"cancel", deploy.KindCancel, command},
	{"status", deploy.KindStatus, command},
	{"history", deploy.KindHistory, command},
	{"pending", deploy.KindPending, direct},
	{"retry", deploy.KindRetry, direct},
	{"rollback", deploy.KindRollback, command},
	{"unlock", deploy.KindUnlock, command},
	{"lock", deploy.KindLock, command},
	{"help", deploy.KindHelp, direct},
	plain,
	{"bare", deploy.KindDeploy, request},
	{"thanks", deploy.KindThanks, aside},
	{"plea", deploy.KindGreet, aside},
	{"greet", deploy.KindGreet, aside},
	{"sorry", deploy.KindGreet, aside},
	{"notify", deploy.KindUnknown, aside},
	{"praise", deploy.KindThanks, early},
	{"chat", deploy.KindGreet, early},
	{"told", deploy.KindStatus, early},
	{"ended", deploy.KindStatus, early},
}

// report is finished work, whatever it is.
var report = &role{"report", deploy.KindUnknown, early}

// follow returns the role of what was said so far (nil: nothing) with one more
// clause, and whether the two go together.
func follow(before, clause *role) (*role, bool) {
	if before == nil {
		return clause, true
	}
	requested, weak := before.place < aside, clause.place >= aside
	over := before.kind == deploy.KindThanks || before.rule == "ended" // it is about an earlier deploy
	switch {
	case requested && clause.place == early, clause.rule == "praise":
		// mutant: work described after a request
		return before, false
	// mutant: thanks for a deploy that start another
	case before.rule == "bare" && weak:
		return plain, clause.rule == "plea"
	case over && clause.rule == "bare":
		return before, false
	case weak && (requested || over || clause.kind == deploy.KindUnknown):
		return before, true
	}
	return clause, !requested || before.kind == clause.kind
}
