package main

import (
	"errors"
	"fmt"
	"go/ast"
	"go/token"
	"strings"
)

// change is how a mutant changes the marked code.
type change func(place) ([]edit, error)

var errNotHere = errors.New("this change cannot be made to the marked code")

// drop skips the statement. It is still compiled, so that no variable or import
// becomes unused.
func drop(p place) ([]edit, error) {
	switch s := p.node.(type) {
	case nil: // Lua
		return []edit{{p.from, p.to, ""}}, nil
	case *ast.AssignStmt:
		if s.Tok == token.DEFINE {
			return nil, errNotHere
		}
	case *ast.ReturnStmt, *ast.CaseClause, *ast.CommClause, *ast.DeclStmt:
		return nil, errNotHere
	case ast.Stmt:
	default:
		return nil, errNotHere
	}
	return []edit{{p.from, p.from, "if false { "}, {p.to, p.to, " }"}}, nil
}

// never makes the condition false, always makes it true. The condition is that of
// an if, a for or a case, the value that is assigned, the first value that is
// returned, or the result of the function that is marked.
func never(p place) ([]edit, error)  { return p.condition("false && (", ")") }
func always(p place) ([]edit, error) { return p.condition("true || (", ")") }

// alsoIf makes the condition true in one more case.
func alsoIf(other string) change {
	return func(p place) ([]edit, error) { return p.condition("(", ") || ("+other+")") }
}

// onlyIf makes the condition true only if other is true, too.
func onlyIf(other string) change {
	return func(p place) ([]edit, error) { return p.condition("(", ") && ("+other+")") }
}

func (p place) condition(before, after string) ([]edit, error) {
	conditions := p.conditions()
	if len(conditions) == 0 {
		return nil, errNotHere
	}
	var edits []edit
	for _, c := range conditions {
		edits = append(edits, p.wrap(c, before, after)...)
	}
	return edits, nil
}

// conditions returns several for a case that has several.
func (p place) conditions() []ast.Expr {
	switch n := p.node.(type) {
	case *ast.IfStmt:
		return []ast.Expr{n.Cond}
	case *ast.ForStmt:
		if n.Cond != nil {
			return []ast.Expr{n.Cond}
		}
	case *ast.CaseClause:
		return n.List
	case *ast.ReturnStmt:
		if len(n.Results) > 0 {
			return n.Results[:1]
		}
	case *ast.AssignStmt:
		if len(n.Rhs) == 1 {
			return n.Rhs
		}
	case *ast.FuncDecl:
		if n.Body != nil && len(n.Body.List) == 1 {
			if r, ok := n.Body.List[0].(*ast.ReturnStmt); ok && len(r.Results) == 1 {
				return r.Results
			}
		}
	}
	return nil
}

// dropTerm leaves out the n-th term of the condition, from 1. Terms are the parts
// between && and ||, and between the commas of a case, from left to right.
func dropTerm(n int) change {
	return func(p place) ([]edit, error) {
		conditions := p.conditions()
		var terms []term
		for _, c := range conditions {
			op := token.ILLEGAL
			if len(conditions) > 1 {
				op = token.LOR
			}
			terms = appendTerms(terms, c, op)
		}
		if n > len(terms) {
			return nil, fmt.Errorf("the condition has %d terms, no number %d", len(terms), n)
		}
		switch t := terms[n-1]; t.op {
		case token.LAND:
			return p.wrap(t.expr, "(true || (", "))"), nil
		case token.LOR:
			return p.wrap(t.expr, "(false && (", "))"), nil
		default:
			return nil, errors.New("the condition has only one term: use never or always")
		}
	}
}

type term struct {
	expr ast.Expr
	op   token.Token // that joins it to another term
}

func appendTerms(terms []term, e ast.Expr, op token.Token) []term {
	switch x := e.(type) {
	case *ast.ParenExpr:
		return appendTerms(terms, x.X, op)
	case *ast.BinaryExpr:
		if x.Op == token.LAND || x.Op == token.LOR {
			return appendTerms(appendTerms(terms, x.X, x.Op), x.Y, x.Op)
		}
	}
	return append(terms, term{e, op})
}

func (p place) wrap(e ast.Expr, before, after string) []edit {
	from, to := p.offset(e.Pos()), p.offset(e.End())
	return []edit{{from, from, before}, {to, to, after}}
}

// offset is where a position of the marked code is in the file's text.
func (p place) offset(at token.Pos) int { return p.from + int(at-p.node.Pos()) }

// keep does not assign the n-th variable, from 1.
func keep(n int) change {
	return func(p place) ([]edit, error) {
		s, ok := p.node.(*ast.AssignStmt)
		if !ok || n > len(s.Lhs) {
			return nil, errNotHere
		}
		left := s.Lhs[n-1]
		return []edit{{p.offset(left.Pos()), p.offset(left.End()), "_"}}, nil
	}
}

// background runs the call that is assigned or returned in a goroutine, with
// other code in place of the statement.
func background(other string) change {
	return func(p place) ([]edit, error) {
		var values []ast.Expr
		switch s := p.node.(type) {
		case *ast.ReturnStmt:
			values = s.Results
		case *ast.AssignStmt:
			values = s.Rhs
		}
		if len(values) != 1 {
			return nil, errNotHere
		}
		call, ok := values[0].(*ast.CallExpr)
		if !ok {
			return nil, errNotHere
		}
		text := p.text[p.offset(call.Pos()):p.offset(call.End())]
		return []edit{{p.from, p.to, "{ ctx := context.WithoutCancel(ctx); go " + text + " }; " + other}}, nil
	}
}

// begin puts a statement at the beginning of the block.
func begin(statement string) change {
	return func(p place) ([]edit, error) {
		var block *ast.BlockStmt
		switch s := p.node.(type) {
		case *ast.RangeStmt:
			block = s.Body
		case *ast.ForStmt:
			block = s.Body
		case *ast.IfStmt:
			block = s.Body
		case *ast.FuncDecl:
			block = s.Body
		}
		if block == nil {
			return nil, errNotHere
		}
		at := p.offset(block.Lbrace) + 1
		return []edit{{at, at, " " + statement + "; "}}, nil
	}
}

// instead puts other code in place of the statement.
func instead(other string) change {
	return func(p place) ([]edit, error) {
		if p.node == nil { // Lua
			return []edit{{p.from, p.to, other + "\n"}}, nil
		}
		if _, ok := p.node.(ast.Stmt); !ok {
			return nil, errNotHere
		}
		return []edit{{p.from, p.to, other}}, nil
	}
}

// replace replaces text that the marked code contains once. It is for changes that
// nothing else here can express.
func replace(old, other string) change {
	return func(p place) ([]edit, error) {
		code := p.text[p.from:p.to]
		if n := strings.Count(code, old); n != 1 {
			return nil, fmt.Errorf("the marked code contains %q %d times, not once", old, n)
		}
		at := p.from + strings.Index(code, old)
		return []edit{{at, at + len(old), other}}, nil
	}
}
