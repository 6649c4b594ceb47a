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
	"slices"
	"strconv"
	"strings"
)

// source is the code of the program and its demo, without tests.
type source struct {
	files  map[string][]*ast.File         // by folder
	values map[string]map[string]ast.Expr // constants and variables, by their package
}

func readSource(root string) (source, error) {
	s := source{files: map[string][]*ast.File{}, values: map[string]map[string]ast.Expr{}}
	for _, folder := range []string{"bot", "cmd", "dedupe", "deploy", "gitlab", "internal/sandbox"} {
		err := filepath.WalkDir(filepath.Join(root, folder), func(name string, _ fs.DirEntry, err error) error {
			if err != nil || !strings.HasSuffix(name, ".go") || strings.HasSuffix(name, "_test.go") {
				return err
			}
			file, err := parser.ParseFile(token.NewFileSet(), name, nil, parser.ParseComments)
			if err != nil {
				return err
			}
			dir, err := filepath.Rel(root, filepath.Dir(name))
			s.files[dir] = append(s.files[dir], file)
			if s.values[file.Name.Name] == nil {
				s.values[file.Name.Name] = map[string]ast.Expr{}
			}
			for _, decl := range file.Decls {
				if group, ok := decl.(*ast.GenDecl); ok {
					s.keep(file.Name.Name, group)
				}
			}
			return err
		})
		if err != nil {
			return s, fmt.Errorf("reading the code: %w", err)
		}
	}
	return s, nil
}

func (s source) keep(pkg string, group *ast.GenDecl) {
	for _, spec := range group.Specs {
		if v, ok := spec.(*ast.ValueSpec); ok && len(v.Values) == len(v.Names) {
			for i, name := range v.Names {
				s.values[pkg][name.Name] = v.Values[i]
			}
		}
	}
}

// text is the text of an expression of a package, with an ellipsis for each part
// that is only known at run time.
func (s source) text(pkg string, e ast.Expr) string {
	switch e := e.(type) {
	case *ast.BasicLit:
		if said, err := strconv.Unquote(e.Value); err == nil && e.Kind == token.STRING {
			return strings.ReplaceAll(regexp.MustCompile(`%[a-z]`).ReplaceAllString(said, "…"), "%%", "%")
		}
	case *ast.BinaryExpr:
		if e.Op == token.ADD {
			return strings.ReplaceAll(s.text(pkg, e.X)+s.text(pkg, e.Y), "……", "…")
		}
	case *ast.CallExpr:
		if slices.Contains([]string{"Sprintf", "New", "Errorf", "TrimSuffix"}, name(e.Fun)) && len(e.Args) > 0 {
			return s.text(pkg, e.Args[0])
		}
	case *ast.SelectorExpr:
		if value := s.values[name(e.X)][e.Sel.Name]; value != nil {
			return s.text(name(e.X), value)
		}
	case *ast.Ident:
		if value := s.values[pkg][e.Name]; value != nil {
			return s.text(pkg, value)
		}
	}
	return "…"
}

// name is the last name of an expression: that of the called function, or of a type.
func name(e ast.Expr) string {
	switch e := e.(type) {
	case *ast.SelectorExpr:
		return e.Sel.Name
	case *ast.Ident:
		return e.Name
	}
	return ""
}

// names reports whether a piece of code contains one of the wanted names.
func names(n ast.Node, wanted ...string) (found bool) {
	ast.Inspect(n, func(n ast.Node) bool {
		id, ok := n.(*ast.Ident)
		found = found || ok && slices.Contains(wanted, id.Name)
		return !found
	})
	return found
}

// messages are what the program can say to an operator, by the table that they
// belong in. What is logged is found as such, the rest by a comment
// on a declaration:
//
//	//docgen:messages TABLE   what this function returns, this variable holds,
//	                          or a literal of this type says; above "package":
//	                          every error that the file makes
//	//docgen:passed TABLE     what calls of this function pass to it
func (s source) messages(root string) (map[string][]string, error) {
	script, err := os.ReadFile(filepath.Join(root, "examples/notify.sh"))
	if err != nil {
		return nil, fmt.Errorf("reading the script: %w", err)
	}
	r := reader{source: s, said: map[string][]string{}, marks: map[string]string{}}
	for _, m := range regexp.MustCompile(`(?m)(?:^|\s)(?:warn|give_up) "([^"]*)"`).FindAllStringSubmatch(string(script), -1) {
		r.say("script", regexp.MustCompile(`\$\{?\w+(?::-\w*)?\}?|\$\*`).ReplaceAllString(m[1], "…"))
	}
	for _, visit := range []func(string, ast.Decl){r.mark, r.read} {
		for dir, files := range s.files {
			if strings.HasPrefix(dir, "internal") {
				continue // operators do not run the demo
			}
			for _, file := range files {
				r.file = tableOf(file.Doc, "messages")
				for _, decl := range file.Decls {
					visit(file.Name.Name, decl)
				}
			}
		}
	}
	for table := range r.said {
		slices.Sort(r.said[table])
		r.said[table] = slices.Compact(r.said[table])
	}
	return r.said, r.err
}

type reader struct {
	source
	said  map[string][]string
	marks map[string]string // tables, by "KIND PACKAGE.NAME" of a declaration
	file  string            // the table of the file's errors
	err   error
}

// declared is the first name that a declaration declares, and its comment.
func declared(decl ast.Decl) (string, *ast.CommentGroup) {
	switch decl := decl.(type) {
	case *ast.FuncDecl:
		return decl.Name.Name, decl.Doc
	case *ast.GenDecl:
		switch first := append(decl.Specs, nil)[0].(type) {
		case *ast.TypeSpec:
			return first.Name.Name, decl.Doc
		case *ast.ValueSpec:
			return first.Names[0].Name, decl.Doc
		}
	}
	return "", nil
}

// mark notes the comment on a declaration.
func (r *reader) mark(pkg string, decl ast.Decl) {
	of, doc := declared(decl)
	for _, kind := range []string{"messages", "passed"} {
		if table := tableOf(doc, kind); table != "" {
			r.marks[kind+" "+pkg+"."+of] = table
		}
	}
}

func tableOf(doc *ast.CommentGroup, kind string) string {
	if doc != nil {
		for _, c := range doc.List {
			if table, ok := strings.CutPrefix(c.Text, "//docgen:"+kind+" "); ok {
				return table
			}
		}
	}
	return ""
}

// read adds what a declaration says.
func (r *reader) read(pkg string, decl ast.Decl) {
	_, doc := declared(decl)
	table := tableOf(doc, "messages")
	says := func(all []ast.Expr) {
		for _, e := range all {
			r.say(table, r.text(pkg, e))
		}
	}
	ast.Inspect(decl, func(n ast.Node) bool {
		switch n := n.(type) {
		case *ast.ReturnStmt:
			says(n.Results)
		case *ast.ValueSpec:
			says(n.Values)
		case *ast.CaseClause: // of a function that returns the levels of events
			if names(&ast.BlockStmt{List: n.Body}, "WarnLevel", "ErrorLevel") {
				says(n.List)
			}
		case *ast.CallExpr:
			for _, e := range n.Args {
				if text := r.text(pkg, e); strings.Contains(text, " ") {
					r.say(r.marks["passed "+pkg+"."+name(n.Fun)], text)
				}
			}
			switch {
			case name(n.Fun) == "New" || name(n.Fun) == "Errorf":
				r.say(r.file, r.text(pkg, n))
			case name(n.Fun) == "append":
				says(n.Args[1:])
			case name(n.Fun) == "Msg" && names(n.Fun, "Warn", "Error", "WithLevel", "line") && !r.say("log", r.text(pkg, n.Args[0])) && table == "":
				r.err = fmt.Errorf("package %s logs a warning whose words no table has: put //docgen:messages where they are made", pkg)
			case name(n.Fun) == "Msg" && names(n.Fun, "Info", "Debug"):
				r.say("quiet", r.text(pkg, n.Args[0]))
			}
		case *ast.CompositeLit:
			r.literal(pkg, n, name(n.Type))
			for _, e := range values(n) { // in a list or map their type is written once
				if row, ok := e.(*ast.CompositeLit); ok && row.Type == nil {
					r.literal(pkg, row, elements(n.Type))
				}
				if _, ok := decl.(*ast.GenDecl); ok && strings.Contains(r.text(pkg, e), " ") {
					says([]ast.Expr{e})
				}
			}
		}
		return true
	})
}

// values are the values of a literal, with or without field names.
func values(list *ast.CompositeLit) []ast.Expr {
	var all []ast.Expr
	for _, e := range list.Elts {
		if kv, ok := e.(*ast.KeyValueExpr); ok {
			e = kv.Value
		}
		all = append(all, e)
	}
	return all
}

// literal adds all texts of a literal of a type.
func (r *reader) literal(pkg string, list *ast.CompositeLit, of string) {
	var parts []string
	for i, e := range values(list) {
		if text := r.text(pkg, e); e == list.Elts[i] || text != "…" {
			parts = append(parts, text)
		}
	}
	if text := strings.Join(parts, ": "); strings.Contains(text, " ") && !names(list, "StatusOK") {
		r.say(r.marks["messages "+pkg+"."+of], text)
	}
}

// elements is the name of the type of a list's or map's elements.
func elements(e ast.Expr) string {
	switch e := e.(type) {
	case *ast.ArrayType:
		return name(e.Elt)
	case *ast.MapType:
		return name(e.Value)
	}
	return ""
}

// say adds a text that contains a word.
func (r *reader) say(table, text string) bool {
	if table == "" || !regexp.MustCompile(`\pL{2}`).MatchString(text) {
		return false
	}
	r.said[table] = append(r.said[table], text)
	return true
}

// imports are the arrows between the program's folders, and to what is shipped.
func (s source) imports() []string {
	var arrows []string
	for dir, files := range s.files {
		from, _, _ := strings.Cut(strings.TrimPrefix(filepath.ToSlash(dir), "internal/"), "/")
		for _, file := range files {
			for _, i := range file.Imports {
				to, ours := strings.CutPrefix(strings.Trim(i.Path.Value, `"`), "github.com/getto-systems/psycher/")
				if to, _, _ = strings.Cut(strings.TrimPrefix(to, "internal/"), "/"); ours && to != from {
					arrows = append(arrows, from+" --> "+to)
				}
			}
		}
	}
	return slices.Compact(slices.Sorted(slices.Values(arrows)))
}
