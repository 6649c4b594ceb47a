package main

import (
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"strings"
)

// product are the folders in which markers are looked for.
var product = []string{"bot", "cmd", "dedupe", "deploy", "gitlab"}

var markerLine = regexp.MustCompile(`^\s*(//|--) mutant: (.+)$`)

// marker is the line of code below a comment "mutant: NAME", or below several.
type marker struct {
	path string
	line int  // of the code, from 1
	lua  bool // the comment is Lua's
}

// findMarkers returns the markers of the product's files under root, by name.
func findMarkers(root string) (map[string][]marker, error) {
	found := map[string][]marker{}
	for _, folder := range product {
		err := filepath.WalkDir(filepath.Join(root, folder), func(path string, d fs.DirEntry, err error) error {
			if err != nil || d.IsDir() || filepath.Ext(path) != ".go" && filepath.Ext(path) != ".lua" {
				return err
			}
			text, err := os.ReadFile(path)
			if err != nil {
				return err
			}
			var open []string // markers whose line has not come yet
			for i, line := range strings.Split(string(text), "\n") {
				if is := markerLine.FindStringSubmatch(line); is != nil {
					open = append(open, is[1]+is[2])
					continue
				}
				for _, name := range open {
					found[name[2:]] = append(found[name[2:]], marker{path, i + 1, name[:2] == "--"})
				}
				open = nil
			}
			return nil
		})
		if err != nil {
			return nil, err
		}
	}
	return found, nil
}

// place is the marked code: a statement, a case, a function or a field.
type place struct {
	text     string // the whole file's
	from, to int    // the marked code's bytes
	node     ast.Node
}

// place finds what begins in the marked line: in Go the largest node, in Lua
// that line, or the block down to its end.
func (m marker) place() (place, error) {
	bytes, err := os.ReadFile(m.path)
	if err != nil {
		return place{}, err
	}
	text := string(bytes)
	if m.lua {
		from, to := luaStatement(text, m.line)
		return place{text: text, from: from, to: to}, nil
	}
	fset := token.NewFileSet()
	file, err := parser.ParseFile(fset, m.path, bytes, parser.SkipObjectResolution)
	if err != nil {
		return place{}, err
	}
	var found ast.Node
	ast.Inspect(file, func(n ast.Node) bool {
		switch n.(type) {
		case ast.Stmt, ast.Decl, ast.Spec, *ast.Field, *ast.KeyValueExpr:
			if found == nil && fset.Position(n.Pos()).Line == m.line {
				found = n
			}
		}
		return found == nil
	})
	if found == nil {
		return place{}, fmt.Errorf("%s:%d: no statement, case, declaration or field begins here", m.path, m.line)
	}
	return place{text, fset.Position(found.Pos()).Offset, fset.Position(found.End()).Offset, found}, nil
}

// luaStatement is the line, or from it to the "end" that is indented like it.
func luaStatement(text string, line int) (from, to int) {
	lines := strings.SplitAfter(text, "\n")
	from = len(strings.Join(lines[:line-1], ""))
	to = from + len(lines[line-1])
	first := strings.TrimLeft(lines[line-1], " \t")
	indent := lines[line-1][:len(lines[line-1])-len(first)]
	if !strings.HasPrefix(first, "if ") && !strings.HasPrefix(first, "for ") {
		return from, to
	}
	for _, next := range lines[line:] {
		to += len(next)
		if strings.TrimRight(next, "\n") == indent+"end" {
			break
		}
	}
	return from, to
}

// edit is other text in place of some bytes.
type edit struct {
	from, to int
	text     string
}

// apply makes edits that do not overlap and stand in order.
func apply(text string, edits []edit) string {
	var out strings.Builder
	at := 0
	for _, e := range edits {
		out.WriteString(text[at:e.from])
		out.WriteString(e.text)
		at = e.to
	}
	out.WriteString(text[at:])
	return out.String()
}
