package cmd

import (
	"go/ast"
	"go/parser"
	"go/token"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/rs/zerolog"
)

// messages are what the code can say to an operator, by the table of the
// troubleshooting page that they belong to. They are read out of the code, so
// that none is forgotten there; what is put in at run time is an ellipsis.
func messages(t *testing.T) map[string][]string {
	t.Helper()
	said := map[string][]string{}
	add := func(table, text string) {
		if table != "" && regexp.MustCompile(`\pL{2}`).MatchString(text) && !slices.Contains(said[table], text) {
			said[table] = append(said[table], text)
		}
	}
	for _, folder := range []string{"cmd", "bot", "gitlab", "gitlab/notify", "dedupe", "deploy"} {
		files, err := filepath.Glob(filepath.Join("..", folder, "*.go"))
		if err != nil {
			t.Fatal(err)
		}
		folder = filepath.Base(folder)
		for _, name := range files {
			if strings.HasSuffix(name, "_test.go") || filepath.Base(name) == "demo.go" {
				continue
			}
			file, err := parser.ParseFile(token.NewFileSet(), name, nil, 0)
			if err != nil {
				t.Fatal(err)
			}
			for _, decl := range file.Decls {
				if f, ok := decl.(*ast.FuncDecl); ok && f.Body != nil {
					saidIn(folder, f, add)
				}
				if vars, ok := decl.(*ast.GenDecl); ok {
					saidByVars(folder, vars, add)
				}
			}
		}
	}
	for _, line := range scriptSays(t) {
		add("script", line)
	}
	return said
}

// errorsOf are the functions whose errors are shown as they are, and in which table.
var errorsOf = map[string]string{
	"cmd.parseProxy": "settings", "cmd.appendPEM": "settings",
	"cmd.askReady": "start", "cmd.RootCAs": "start", "cmd.listen": "start", "cmd.withHelp": "start",
	"gitlab.parseBase": "start",
	"deploy.Ready":     "ready",
}

// returnedBy are the functions whose texts are shown as they are, and in which table.
var returnedBy = map[string]string{
	"bot.mendOf": "log", "gitlab.Rights": "log", "bot.mend": "refused", "cmd.readDotenv": "settings",
	"deploy.take": "settings", "deploy.takeProject": "settings", "deploy.takeToken": "settings", "deploy.takeAllow": "settings",
	"deploy.syntaxProblem": "settings", "deploy.unwrapJSON": "settings",
}

// saidElsewhere log texts that are read where they are made.
var saidElsewhere = []string{"cmd.event", "cmd.rootCommand", "cmd.checkRights", "bot.refused"}

// saidIn adds what a function says: whatever goes to the log as a warning or an
// error, is found wrong with a setting or a call, or is answered to somebody.
func saidIn(folder string, f *ast.FuncDecl, add func(table, text string)) {
	name := folder + "." + f.Name.Name
	ast.Inspect(f.Body, func(n ast.Node) bool {
		switch n := n.(type) {
		case *ast.CallExpr:
			calls(name, n, add)
		case *ast.CompositeLit:
			switch typeName(n.Type) {
			case "Event":
				if event := rendered(part(n, "Name", 0)); folder == "deploy" && level(event) >= zerolog.WarnLevel {
					add("log", event)
				}
			case "socketRefusal":
				add("log", rendered(part(n, "words", -1)))
			case "reply":
				add("notify", rendered(part(n, "text", -1)))
			case "badField":
				if text := rendered(part(n, "field", 0)) + ": " + rendered(part(n, "why", 1)); text != "…: missing" { // a field of the table
					add("notify", text)
				}
			}
		case *ast.ValueSpec:
			if returnedBy[name] != "" && len(n.Values) == 1 {
				add(returnedBy[name], rendered(n.Values[0]))
			}
		case *ast.ReturnStmt:
			for _, r := range n.Results {
				if called, _ := r.(*ast.CallExpr); called == nil || name == "cmd.readDotenv" || name == "deploy.syntaxProblem" || name == "bot.mend" {
					add(returnedBy[name], rendered(r))
				}
			}
		}
		return true
	})
}

// errorsNamed are the beginnings of the names of errors that are shown as they
// are, and in which table.
var errorsNamed = map[string]string{"dedupe.errURL": "settings", "notify.unproven": "notify"}

func saidByVars(folder string, vars *ast.GenDecl, add func(table, text string)) {
	for _, spec := range vars.Specs {
		v, ok := spec.(*ast.ValueSpec)
		for beginning, table := range errorsNamed {
			if ok && len(v.Values) == 1 && strings.HasPrefix(folder+"."+v.Names[0].Name, beginning) {
				add(table, rendered(v.Values[0]))
			}
		}
		if ok && len(v.Values) == 1 && folder == "notify" {
			saidByTable(v.Names[0].Name, v.Values[0], add)
		}
	}
}

// saidByTable adds what the tables of the notify port answer.
func saidByTable(table string, value ast.Expr, add func(table, text string)) {
	rows, ok := value.(*ast.CompositeLit)
	if !ok {
		return
	}
	for _, row := range rows.Elts {
		if kv, keyed := row.(*ast.KeyValueExpr); keyed {
			row = kv.Value
		}
		r, ok := row.(*ast.CompositeLit)
		switch {
		case ok && table == "replies" && rendered(part(r, "status", -1)) != "StatusOK":
			add("notify", rendered(part(r, "text", -1)))
		case ok && table == "fields" && part(r, "wrong", -1) != nil:
			add("notify", rendered(part(r, "name", -1))+": "+rendered(part(r, "wrong", -1)))
			if part(r, "required", -1) != nil {
				add("notify", rendered(part(r, "name", -1))+": missing")
			}
		}
	}
}

func calls(in string, c *ast.CallExpr, add func(table, text string)) {
	switch method, args := called(c), c.Args; {
	case method == "Msg" && loud(c) && rendered(args[0]) != "…":
		add("log", rendered(args[0]))
	case method == "Msg" && loud(c) && !slices.Contains(saidElsewhere, in):
		add("log", in+" logs what no table knows")
	case method == "bad":
		add("settings", rendered(args[1]))
	case (method == "New" || method == "Errorf") && errorsOf[in] != "":
		add(errorsOf[in], rendered(args[0]))
	case method == "append" && in == "cmd.ready":
		add("ready", rendered(args[1]))
	case method == "append" && in == "cmd.warnOfNames":
		add("settings", rendered(args[1]))
	}
}

// called is the last name of what is called.
func called(c *ast.CallExpr) string {
	switch f := c.Fun.(type) {
	case *ast.SelectorExpr:
		return f.Sel.Name
	case *ast.Ident:
		return f.Name
	}
	return ""
}

// loud tells whether a line of the log may be a warning or an error.
func loud(c *ast.CallExpr) bool {
	for {
		s, ok := c.Fun.(*ast.SelectorExpr)
		if !ok {
			return false
		}
		switch s.Sel.Name {
		case "Warn", "Error", "WithLevel":
			return true
		}
		if c, ok = s.X.(*ast.CallExpr); !ok {
			id, isVar := s.X.(*ast.Ident)
			return isVar && id.Name == "line" // made with WithLevel before
		}
	}
}

func typeName(e ast.Expr) string {
	switch e := e.(type) {
	case *ast.Ident:
		return e.Name
	case *ast.SelectorExpr:
		return e.Sel.Name
	}
	return ""
}

// part gives a field of a composite literal, by its name or its place.
func part(n *ast.CompositeLit, name string, place int) ast.Expr {
	for i, e := range n.Elts {
		kv, keyed := e.(*ast.KeyValueExpr)
		switch {
		case keyed && typeName(kv.Key) == name:
			return kv.Value
		case !keyed && i == place:
			return e
		}
	}
	return nil
}

var verb = regexp.MustCompile(`%[a-z]`)

// rendered is a text with an ellipsis for each part that the code puts in.
func rendered(e ast.Expr) string {
	switch e := e.(type) {
	case *ast.BasicLit:
		s, err := strconv.Unquote(e.Value)
		if err != nil {
			return ""
		}
		return strings.ReplaceAll(verb.ReplaceAllString(s, "…"), "%%", "%")
	case *ast.BinaryExpr:
		return strings.ReplaceAll(rendered(e.X)+rendered(e.Y), "……", "…")
	case *ast.CallExpr:
		if called(e) == "Sprintf" || called(e) == "New" || called(e) == "Errorf" {
			return rendered(e.Args[0])
		}
		if called(e) == "TrimSuffix" {
			return rendered(e.Args[0])
		}
	case *ast.SelectorExpr:
		if strings.HasPrefix(e.Sel.Name, "Status") {
			return e.Sel.Name
		}
	case *ast.Ident:
		if e.Name == "says" { // in mendOf
			return "Slack says …: "
		}
	case nil:
		return ""
	}
	return "…"
}

// scriptSays are the lines with which examples/notify.sh says that something is wrong.
func scriptSays(t *testing.T) []string {
	text, err := os.ReadFile("../examples/notify.sh")
	if err != nil {
		t.Fatal(err)
	}
	var lines []string
	for _, m := range regexp.MustCompile(`(?m)(?:^|\s)(?:warn|give_up) "([^"]*)"`).FindAllStringSubmatch(string(text), -1) {
		line := regexp.MustCompile(`\$\{?\w+(?::-\w*)?\}?|\$\*`).ReplaceAllString(m[1], "…")
		lines = append(lines, line)
	}
	return lines
}
