package main

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
)

func TestChangesOfMarkedCode(t *testing.T) {
	for _, row := range []struct {
		name   string
		code   string
		change change
		want   string // of the marked code; empty: the change cannot be made
	}{
		{"drop a statement", "f(a)", drop, "if false { f(a) }"},
		{"drop an assignment", "x, y = 1, 2", drop, "if false { x, y = 1, 2 }"},
		{"drop a definition", "x := 1", drop, ""},
		{"drop a return", "return", drop, ""},
		{"if never", "if a := b(); a {\n}", never, "if a := b(); false && (a) {\n}"},
		{"if always", "if a || b {\n}", always, "if true || (a || b) {\n}"},
		{"return always", "return a, nil", always, "return true || (a), nil"},
		{"assign always", "a = b", always, "a = true || (b)"},
		{"call never", "f(a)", never, ""},
		{"also if", "if a && b {\n}", alsoIf("c"), "if (a && b) || (c) {\n}"},
		{"only if", "a := b || c", onlyIf("d"), "a := (b || c) && (d)"},
		{"drop a term of and", "if a && b {\n}", dropTerm(1), "if (true || (a)) && b {\n}"},
		{"drop a term in parentheses", "if a && (b || !c) {\n}", dropTerm(3), "if a && (b || (false && (!c))) {\n}"},
		{"drop the only term", "if a {\n}", dropTerm(1), ""},
		{"drop one term too far", "if a && b {\n}", dropTerm(3), ""},
		{"keep a variable", "a, b.c = 1, 2", keep(2), "a, _ = 1, 2"},
		{"return in the background", "return f(ctx, a)", background("return true"), "{ ctx := context.WithoutCancel(ctx); go f(ctx, a) }; return true"},
		{"begin a loop", "for range a {\n}", begin("break"), "for range a { break; \n}"},
		{"instead of a statement", "a = 1", instead("a = 2"), "a = 2"},
		{"replace", "a = b + c", replace("b + ", ""), "a = c"},
		{"replace what stands there twice", "a = b + b", replace("b", ""), ""},
	} {
		t.Run(row.name, func(t *testing.T) {
			before, after := "package p\n\nfunc _() {\n\t// mutant: x\n", "\n\tg()\n}\n"
			check(t, "code.go", before, row.code, after, row.change, row.want)
		})
	}
}

func TestChangesOfCasesFunctionsAndFields(t *testing.T) {
	const function = "package p\n\nfunc _() {\n\tswitch {\n\t// mutant: x\n"
	check(t, "code.go", function, "case a, b && c:", "\n\t}\n}\n", never, "case false && (a), false && (b && c):")
	check(t, "code.go", function, "case a, b && c:", "\n\t}\n}\n", dropTerm(1), "case (false && (a)), b && c:")
	check(t, "code.go", "package p\n\n// mutant: x\n", "func f() bool { return a }", "\n", never, "func f() bool { return false && (a) }")
	check(t, "code.go", "package p\n\ntype t struct {\n\ta int\n\t// mutant: x\n", "\tb int `json:\"b\"`", "\n}\n", replace(`"b"`, `"-"`), "\tb int `json:\"-\"`")
	check(t, "code.go", "package p\n\nconst (\n\ta = 1\n\t// mutant: x\n", "\tb = 1", "\n)\n", replace("1", "2"), "\tb = 2")
}

func TestChangesOfLua(t *testing.T) {
	before, after := "local a\n-- mutant: x\n", "local b\n"
	check(t, "code.lua", before, "a = 1\n", after, drop, "")
	check(t, "code.lua", before, "if a then\n  if b then\n    c()\n  end\nend\n", after, drop, "")
	check(t, "code.lua", before, "if a then\n  return\nend\n", after, instead("a = 2"), "a = 2\n")
	check(t, "code.go", "package p\n\nconst lua = `\n  -- mutant: x\n", "  a = 1\n", "`\n", drop, "")
}

// check makes a change to the code between two texts. For Go an empty want means
// that the change cannot be made.
func check(t *testing.T, file, before, code, after string, c change, want string) {
	t.Helper()
	_, text, edits, err := mutant{name: "x", change: c}.edits(markersOf(t, file, before+code+after))
	if want == "" && !strings.Contains(before, "-- ") {
		if err == nil {
			t.Errorf("%s: changed to %q, but it cannot be", code, apply(text, edits))
		}
		return
	}
	if err != nil {
		t.Errorf("%s: %v", code, err)
		return
	}
	if got := apply(text, edits); got != before+want+after {
		t.Errorf("%s: got\n%s\nwant\n%s", code, got, before+want+after)
	}
}

func TestSeveralMarkersOfOneLine(t *testing.T) {
	marked := markersOf(t, "code.go", "package p\n\n// mutant: x\n// mutant: y\nfunc f() {}\n")
	for _, name := range []string{"x", "y"} {
		if at := marked[name]; len(at) != 1 || at[0].line != 5 {
			t.Errorf("%s marks %v, not line 5", name, at)
		}
	}
}

// markersOf are the markers of a product that has one file.
func markersOf(t *testing.T, file, text string) map[string][]marker {
	t.Helper()
	dir := t.TempDir()
	for _, folder := range product {
		if err := os.Mkdir(filepath.Join(dir, folder), 0o700); err != nil {
			t.Fatal(err)
		}
	}
	if err := os.WriteFile(filepath.Join(dir, product[0], file), []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	marked, err := findMarkers(dir)
	if err != nil {
		t.Fatal(err)
	}
	return marked
}
