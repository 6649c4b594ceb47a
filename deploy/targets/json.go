package targets

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
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
	inner := []byte(text(data))
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
	if err := json.Unmarshal(data, new(json.RawMessage)); !errors.As(err, &syntax) {
		return ""
	}
	before := data[:min(max(int(syntax.Offset)-1, 0), len(data))]
	line := bytes.Count(before, []byte("\n"))
	column := len(before) - bytes.LastIndexByte(before, '\n')
	return fmt.Sprintf("is not JSON: look at line %d, column %d", line+1, column)
}

// text is the string that a value is; empty if it is none.
func text(value json.RawMessage) string {
	var s string
	if json.Unmarshal(value, &s) != nil {
		return ""
	}
	return s
}
