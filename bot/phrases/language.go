package phrases

import (
	"embed"
	"fmt"
	"strings"

	"github.com/getto-systems/psycher/deploy"
)

//go:embed ja.txt en.txt
var files embed.FS

// language is what a language's file holds.
type language struct {
	release string                        // the word that deploys, as a person writes it
	to      string                        // between a person's name and what is said to them
	name    string                        // in place of a target's name, where one must be written
	last    map[deploy.State]string       // {last}
	says    map[deploy.MessageID][]string // the wordings
}

// New returns the voice of a language: "ja" or "en".
func New(lang string) (*Voice, error) {
	file, err := files.ReadFile(lang + ".txt")
	if err != nil {
		return nil, fmt.Errorf("no phrases for language %q: use \"ja\" or \"en\"", lang)
	}
	return &Voice{parse(string(file))}, nil
}

// parse reads a language's file: a name on a line of its own, and what belongs to
// it below, each line indented by one tab.
func parse(file string) language {
	l := language{last: map[deploy.State]string{}, says: map[deploy.MessageID][]string{}}
	name := ""
	for line := range strings.SplitSeq(file, "\n") {
		text, indented := strings.CutPrefix(line, "\t")
		text = strings.ReplaceAll(text, `\n`, "\n")
		switch {
		case !indented:
			name = text // or a comment, or nothing
		case name == "release":
			l.release = text
		case name == "to":
			l.to = text
		case name == "name":
			l.name = text
		case name == "last":
			state, words, _ := strings.Cut(text, " ")
			l.last[deploy.State(state)] = words
		default:
			l.says[deploy.MessageID(name)] = append(l.says[deploy.MessageID(name)], text)
		}
	}
	return l
}
