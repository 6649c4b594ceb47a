package targets

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"unicode/utf8"
)

// unwrapJSON returns the map's JSON, well-formed, whether it came plain or inside
// a JSON string.
//
//docgen:messages settings
func unwrapJSON(data []byte) (plain []byte, problem string) {
	data = bytes.TrimPrefix(data, []byte("\uFEFF"))
	trimmed := bytes.TrimSpace(data)
	if len(trimmed) == 0 {
		return nil, "is empty"
	}
	if problem := syntaxProblem(data); problem != "" {
		return nil, problem
	}
	if trimmed[0] != '"' {
		return data, ""
	}
	inner := []byte(text(trimmed))
	if problem := syntaxProblem(inner); problem != "" {
		return nil, problem + " of the JSON inside the string"
	}
	return inner, ""
}

// syntaxProblem says where JSON breaks off. encoding/json's own words quote the
// character, which may be a token's.
//
//docgen:messages settings
func syntaxProblem(data []byte) string {
	var syntax *json.SyntaxError
	if json.Valid(data) || !errors.As(json.Unmarshal(data, new(json.RawMessage)), &syntax) {
		return ""
	}
	before := data[:min(max(int(syntax.Offset)-1, 0), len(data))]
	line := bytes.Count(before, []byte("\n"))
	column := len(before) - bytes.LastIndexByte(before, '\n')
	return fmt.Sprintf("is not JSON: look at line %d, column %d", line+1, column)
}

// text is the string that a value is; empty if it is none.
func text(value json.RawMessage) (s string) {
	if value[0] == '"' && bytes.IndexByte(value, '\\') < 0 && utf8.Valid(value) {
		return string(value[1 : len(value)-1]) // most need no decoding
	}
	_ = json.Unmarshal(value, &s)
	return s
}
