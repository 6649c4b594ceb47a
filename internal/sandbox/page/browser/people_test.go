package main

import (
	"slices"
	"testing"
)

// as has a person write, in a message of its own.
func as(name, text string) action {
	return steps(push("#as-"+name), until(`!`+last+` || (`+last+`.dataset.past = true)`), write(text), until(last+` && !`+last+`.dataset.past`))
}

// Who asks while a deploy runs is next, and who asks then goes along with that one.
func TestWhoAsksMeanwhileIsNext(t *testing.T) {
	p := open(t, "en", wide)
	p.does(
		as("yamada", "@psycher release app"), marked("thumbsup"),
		as("sato", "@psycher release app"), says("You're next"), says("@yamada"), until(button("Withdraw")),
		as("yamada", "@psycher release app"), says("Goes out with this deploy"), says("@sato"),
		marked("white_check_mark"), replies(2),
		until(`document.querySelectorAll(".message .one > .body > .reactions [data-mark=white_check_mark]").length === 3`),
	)
	if got := p.pipelines(); !slices.Equal(got, []string{"passed", "passed"}) {
		t.Errorf("the pipelines are %q", got)
	}
}

// Where nobody has pushed anything since, what runs is what is asked for.
func TestWhoAsksForWhatRunsGoesAlong(t *testing.T) {
	p := open(t, "en", wide)
	p.does(as("yamada", "@psycher release admin"), marked("thumbsup"), as("sato", "@psycher release admin"), says("Goes out with this deploy"), says("@yamada"))
	p.once()
}

func TestAnotherPersonApproves(t *testing.T) {
	p := open(t, "en", wide)
	p.does(
		as("yamada", "@psycher release prod"), asked, until(lastButtons+`[0].textContent.startsWith("Approve ")`),
		// Who asked cannot.
		pushed(0), until(last+`.querySelector(".only")`),
		push("#as-sato"), pushed(0),
	)
	p.once()
}

func TestWhoAsksForWhatIsLockedIsAsked(t *testing.T) {
	p := open(t, "en", wide)
	p.does(
		as("sato", "@psycher lock app 2h: DB migration"), marked("lock"), says("DB migration"), until(button("1 hour more")),
		as("yamada", "@psycher release app"), asked, says("DB migration"), says("@sato"), pressed("Deploy app (master) anyway"),
	)
	p.once()
}

func TestAFreezeHoldsBackAllButWhoMayOverrideIt(t *testing.T) {
	p := open(t, "en", wide)
	ready := until(`document.querySelector("#bot .ready")`)
	p.does(
		on("freeze"), ready, as("yamada", "@psycher release app"), says("month-end closing"), says("ask @sato"),
		as("sato", "@psycher release app"), asked, says("month-end closing"), pressed("Deploy app (master) during the freeze"),
	)
	p.once()
	p.does(off("freeze"), ready, as("yamada", "@psycher release admin"), marked("white_check_mark"))
}
