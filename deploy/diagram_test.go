package deploy

import (
	"os"
	"regexp"
	"slices"
	"strings"
	"testing"
)

func architecture(t *testing.T) string {
	t.Helper()
	text, err := os.ReadFile("../docs/ARCHITECTURE.md")
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

func TestDiagramDrawsEveryMoveAndNoOther(t *testing.T) {
	_, diagram, ok := strings.Cut(architecture(t), "\nstateDiagram-v2\n")
	diagram, _, closed := strings.Cut(diagram, "```")
	if !ok || !closed {
		t.Fatal("docs/ARCHITECTURE.md has no stateDiagram-v2")
	}
	type arrow struct{ from, to State }
	var drawn []arrow
	for _, m := range regexp.MustCompile(`(?m)^ *(\w+) --> (\w+)$`).FindAllStringSubmatch(diagram, -1) {
		a := arrow{State(m[1]), State(m[2])}
		if slices.Contains(drawn, a) {
			t.Errorf("%s --> %s is drawn twice", a.from, a.to)
		}
		if !slices.Contains(Moves()[a.from], a.to) {
			t.Errorf("%s --> %s is drawn, and there is no such move", a.from, a.to)
		}
		drawn = append(drawn, a)
	}
	for from, all := range Moves() {
		for _, to := range all {
			if !slices.Contains(drawn, arrow{from, to}) {
				t.Errorf("%s --> %s is not drawn", from, to)
			}
		}
		if end := strings.Contains(diagram, " "+string(from)+" --> [*]\n"); end != (len(all) == 0) {
			t.Errorf("%s: drawn as an end: %t", from, end)
		}
	}
}

func TestTableOfStatesTellsEveryMark(t *testing.T) {
	var told []State
	for _, row := range regexp.MustCompile("(?m)^\\| `(\\w+)` \\|[^|]*\\| (?::(\\w+): )?\\|[^|]*\\|$").FindAllStringSubmatch(architecture(t), -1) {
		state := State(row[1])
		if _, ok := Moves()[state]; !ok {
			continue // a row of another table
		}
		told = append(told, state)
		if reactionFor(state) != row[2] {
			t.Errorf("%s: the table tells %q, Slack shows %q", state, row[2], reactionFor(state))
		}
	}
	var all []State
	for state := range Moves() {
		all = append(all, state)
	}
	slices.Sort(all)
	slices.Sort(told)
	if !slices.Equal(all, told) {
		t.Errorf("the table has %q, the states are %q", told, all)
	}
}
