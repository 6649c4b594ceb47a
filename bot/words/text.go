package words

import (
	"cmp"
	"slices"
	"strings"

	"github.com/getto-systems/psycher/bot/markup"
	"github.com/getto-systems/psycher/deploy"
)

// Signs that stand for names, beside those of markup.
const (
	signTarget = "\uE000" // a target of the channel
	signRef    = "\uE001" // the ref that the channel's targets deploy
)

// signs are the rules that match a sign.
var signs = map[string]string{
	"target": signTarget, "ref": signRef, "thing": markup.SignThing, "person": markup.SignPerson, "no": markup.SignNo, "cheers": markup.SignCheers,
}

// text is what a person wrote, with signs for the names in it.
type text struct {
	markup.Folded
	named []int // the targets that are named
	also  []int // those whose name is a deploy word, which stays one
}

// readText folds the words of a message. A name counts where it stands alone, in
// code or quotation marks too; the longest wins.
func readText(said []markup.Segment, here []deploy.Target) (t text) {
	names := namesOf(here)
	t.Folded = markup.Fold(said, func(inside string) string {
		name := markup.FoldName(inside)
		if target, known := names[name]; known && !reserved(name) {
			t.note(target)
			return signOf(target)
		}
		return markup.SignThing
	})
	var found []string
	for name := range names {
		if strings.Contains(t.Text, name) {
			found = append(found, name)
		}
	}
	slices.SortFunc(found, func(a, b string) int { return cmp.Or(len(b)-len(a), strings.Compare(a, b)) })
	for _, name := range found {
		switch target := names[name]; {
		case target != ofRef && (&match{text: name}).whole("deploy", 0):
			t.also = with(t.also, target)
		case !reserved(name) && t.Replace(name, signOf(target)):
			t.note(target)
		}
	}
	return t
}

// ofRef is in the place of a target for the name of the ref.
const ofRef = -1

func signOf(target int) string {
	if target == ofRef {
		return signRef
	}
	return signTarget
}

// note notes that a target is named.
func (t *text) note(target int) {
	if target != ofRef {
		t.named = with(t.named, target)
	}
}

// namesOf are the names that count in a channel, folded: its targets by number, and
// the ref that all of them deploy.
func namesOf(here []deploy.Target) map[string]int {
	names := map[string]int{}
	// mutant: the branch of one target taken for that of all
	if len(here) > 0 && !slices.ContainsFunc(here, func(t deploy.Target) bool { return t.Ref != here[0].Ref }) {
		names[markup.FoldName(here[0].Ref)] = ofRef
	}
	for i, t := range here {
		for _, name := range t.Names() {
			names[markup.FoldName(name)] = i
		}
	}
	delete(names, "")
	return names
}

// reserved reports whether a name is a word that says something by itself, and so
// names nothing.
func reserved(name string) bool {
	m := match{text: name}
	return m.whole("doubtful", 0) || slices.ContainsFunc(roles, func(r *role) bool { return m.whole(r.rule, 0) })
}

// only is the target that a message names; if it names none, the only one that there
// is. It is empty unless exactly one is meant.
func (t *text) only(here []deploy.Target) (name string, several bool) {
	named := t.named
	if len(named) == 0 {
		named = t.also
	}
	if len(named) == 0 && len(here) == 1 {
		named = []int{0}
	}
	if len(named) != 1 {
		return "", len(named) > 1
	}
	return here[named[0]].Name, false
}
