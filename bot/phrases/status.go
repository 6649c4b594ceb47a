package phrases

import (
	"cmp"
	"strings"

	"github.com/getto-systems/psycher/deploy"
)

// Part is a paragraph of a message, in mrkdwn.
type Part struct {
	Text  string
	Small bool // it is small and grey
}

// Parts returns a message as it is shown above its buttons, paragraph by paragraph.
// Of a status message, what is not known is left out.
func (v Voice) Parts(m deploy.Message) (parts []Part) {
	add := func(text string, small bool) {
		if text != "" {
			parts = append(parts, Part{text, small})
		}
	}
	shown := v[string(m.ID)+" shown"]
	if len(shown) == 0 {
		add(v.Text(m), false)
		for _, more := range v.also(m) {
			add(more, false)
		}
		add(v.note(m), true)
		return parts
	}
	of := v.of(m)
	value := func(name string) string {
		if name == "text" {
			return v.Text(m)
		}
		return of(name)
	}
	add(v.addressed(m, apart(expand(v.withPresser(m, shown[0]), value))), false)
	for _, line := range shown[1:] {
		words, small := strings.CutPrefix(line, "(")
		if small {
			words = strings.TrimSuffix(words, ")")
		}
		add(strings.TrimPrefix(apart(expand(words, value)), " · "), small)
	}
	return parts
}

// Label is what a button says, as plain text.
type Label struct {
	Text    string
	Reader  string   // what a screen reader says in its place; empty: the text
	URL     string   // where it leads; empty: it is pressed
	Confirm []string // what is to be confirmed: title, text, yes and no; nil: nothing
}

// Label returns the label of a button of a message. now is for how old something is.
func (v Voice) Label(m deploy.Message, b deploy.Button, now int64) Label {
	values := map[string]string{
		"target": plain(b.Target, buttonTarget), "ref": plain(b.Ref, buttonRef), "sha": shortSHA(b.SHA),
	}
	ref := b.Ref
	if b.Do != deploy.KindDeploy {
		ref = m.Ref
		if b.Target == "" {
			values["target"] = plain(m.Target, buttonTarget)
		}
	}
	values["what"] = values["target"]
	if ref != "" {
		values["what"] += " (" + plain(ref, buttonRef) + ")"
	}
	if p := m.Progress; p != nil && p.Before != nil && p.Before.Commit.SHA == b.SHA {
		s := p.Before
		values["title"], values["author"] = plain(s.Commit.Title, titleLimit), plain(s.Commit.Author, authorLimit)
		if age := v.took(roughly(now - s.At)); s.At > 0 && age != "" {
			values["age"] = expand(v.word("ago"), in(map[string]string{"took": age}))
		}
	}
	say := func(wording string, limit int) string {
		return middle(strings.TrimSpace(expand(wording, in(values))), limit)
	}
	key, ask := string(cmp.Or(b.Do, "none")), !IsStatus(m)
	label := Label{Text: cmp.Or(say(v.entry("button", key), maxLabel), key), Reader: say(v.entry("reader", key), maxLabel)}
	if b.Do == deploy.KindOpen {
		label.URL = unescape.Replace(address(b.URL))
	}
	if ask {
		label.Text = cmp.Or(say(v.entry("button", "ask-"+key), maxLabel), label.Text)
	}
	if b.Do == deploy.KindDeploy {
		label.Text = cmp.Or(say(v.entry("button", overriding(m, b)), maxLabel), label.Text)
	}
	// An ask is a confirmation itself. But it may be about something else than what
	// it offers to cancel.
	// mutant: a cancel that is not to be confirmed
	if !ask || b.Do == deploy.KindCancel {
		for i, wording := range v["confirm-"+key] {
			label.Confirm = append(label.Confirm, say(wording, maxConfirm[i]))
		}
	}
	return label
}

// overriding is which label a button has that deploys: it says that it goes against a rule.
func overriding(m deploy.Message, b deploy.Button) string {
	isFreeze := m.Names(deploy.MsgFreeze)
	switch goes := isFreeze || m.Names(deploy.MsgLocked) || m.NamesBeside() && b.Over != ""; {
	case b.SHA != "" && (goes || m.Names(deploy.MsgTakenBack)):
		return "commit-over"
	case b.SHA != "":
		return "commit"
	case b.Over != "":
		return "over"
	case isFreeze:
		return "freeze"
	}
	return ""
}

// How many characters of a name are on a button.
const (
	buttonTarget = 36
	buttonRef    = 20
)

// How many characters of a label Slack takes, and of the parts of a confirmation.
const maxLabel = 75

var maxConfirm = [4]int{100, 300, 30, 30}

// Choose returns the label of a menu of targets.
func (v Voice) Choose() string { return v.word("choose") }

// plain is foreign text as plain text shows it.
func plain(s string, limit int) string {
	return middle(unescape.Replace(harmless(s, nameLimit)), limit)
}

// middle leaves a long text without its middle: many names differ at their end alone.
func middle(s string, limit int) string {
	if r := []rune(s); len(r) > limit {
		return string(r[:limit/2]) + "…" + string(r[len(r)-limit/2+1:])
	}
	return s
}

var unescape = strings.NewReplacer("&lt;", "<", "&gt;", ">", "&amp;", "&")
