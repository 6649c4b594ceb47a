package targets

import (
	"bytes"
	"cmp"
	"encoding/json"
	"fmt"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"

	"github.com/getto-systems/psycher/deploy"
)

// Parse reads the target map from its JSON, which may also be inside a JSON
// string. Targets without a ref or timeout of their own get the ones given. An
// error is an [*Error] with everything that is wrong.
//
// With look, the map is one that holds no token, so that it can be reviewed like
// code: each target names a variable in token_env, or a file in token_file, and
// look returns what is in it.
func Parse(data []byte, ref string, timeout time.Duration, look func(key, name string) (string, error)) (*Map, error) {
	r := mapReader{ref: ref, timeout: timeout, look: look}
	var problem string
	if r.rest, problem = unwrapJSON(data); problem != "" {
		return nil, &Error{Problems: []string{problem}}
	}
	t := r.read()
	if len(r.problems) > 0 {
		return nil, &Error{Problems: r.problems}
	}
	return t, nil
}

// Error is what is wrong with a target map, one line each, with the
// path of the key that it is about. No line holds a value of the map.
type Error struct{ Problems []string }

func (e *Error) Error() string { return strings.Join(e.Problems, "\n") }

// mapReader walks the map's JSON and collects what is wrong with it.
type mapReader struct {
	rest     []byte // the JSON still to be read, well-formed
	ref      string
	timeout  time.Duration
	look     func(key, name string) (string, error) // finds a token that the map names; nil: the map holds them
	problems []string
}

var slackID = regexp.MustCompile(`^[A-Za-z0-9_-]+$`)

func (r *mapReader) read() *Map {
	m := &Map{teams: make(map[string]*team)}
	r.object("", "teams", func(teamID, path string) {
		r.checkID(teamID, path, "a team's id, such as T01ABC")
		t := &team{channels: make(map[string][]deploy.Target), names: make(map[string]int)}
		same := make(map[[3]string]*deploy.Target)
		r.object(path, "channels", func(channelID, path string) {
			r.checkID(channelID, path, "a channel's id, such as C01ABC")
			if strings.IndexAny(teamID, "CGD") == 0 && strings.IndexAny(channelID, "TE") == 0 {
				r.bad(path, "the two ids are swapped: the workspace (T...) is outside, the channel (C...) inside")
			}
			here := r.channel(teamID, channelID, path)
			if len(here) > 0 {
				t.channels[channelID] = here
			}
			for i := range here {
				for _, name := range here[i].Names() {
					t.names[strings.ToLower(name)]++
				}
				r.agree(&here[i], same)
			}
		})
		if len(t.channels) > 0 { // else nobody can deploy anything there
			m.teams[teamID] = t
		}
	})
	if _, n := m.Len(); n == 0 && len(r.problems) == 0 {
		r.bad("", "holds no target")
	}
	return m
}

func (r *mapReader) channel(teamID, channelID, path string) []deploy.Target {
	var here []deploy.Target
	taken := make(map[string]string) // names in lower case, and whose they are
	take := func(name, of, path string) {
		r.checkName(name, path)
		if other, ok := taken[strings.ToLower(name)]; ok && strings.EqualFold(other, name) {
			r.bad(path, "differs from %s only in upper and lower case", segment(other))
		} else if ok {
			r.bad(path, "has the name %s, which %s has too", segment(name), segment(other))
		}
		taken[strings.ToLower(name)] = of
	}
	r.object(path, "targets", func(name, path string) {
		take(name, name, path)
		here = append(here, deploy.Target{Team: teamID, Channel: channelID, Name: name, Ref: r.ref, Key: "RELEASE", Timeout: r.timeout})
		t := &here[len(here)-1]
		r.target(t, path)
		for _, alias := range t.Aliases {
			take(alias, name, path+".aliases")
		}
	})
	slices.SortFunc(here, func(a, b deploy.Target) int { return cmp.Compare(a.Name, b.Name) })
	return here
}

func (r *mapReader) target(t *deploy.Target, path string) {
	var project, token, freeze bool
	whole := r.object(path, targetKeys, func(key, path string) {
		project = project || key == "project_id"
		token = token || strings.HasPrefix(key, "token")
		if key == "freeze" {
			freeze = true
			r.freeze(t, path)
			return
		}
		if problem := r.setKey(t, key, r.value()); problem != "" {
			r.bad(path, "%s", problem)
		}
	})
	if whole && !project {
		r.bad(path+".project_id", "is missing: the project's number, or its path such as group/app")
	}
	if len(t.Override) > 0 && !freeze {
		r.bad(path+".override", "says who may deploy during a freeze: name its windows in freeze")
	}
	isList := len(t.Allow) > 0 && !slices.ContainsFunc(t.Allow, deploy.IsGroup)
	switch n := len(t.Approvers); {
	case n > 0 && t.Approvals == 0:
		r.bad(path+".approvers", "says who may approve: say how many have to, in approvals")
	case n > 0 && n < t.Approvals:
		r.bad(path+".approvals", "needs more people than approvers names")
	case n == 0 && isList && len(t.Allow) <= t.Approvals:
		r.bad(path+".approvals", "needs more people than allow names, and who asks does not count")
	}
	t.Confirm = t.Confirm || t.Approvals > 0
	switch {
	case !whole || token:
	case r.look == nil:
		r.bad(path+".token", "is missing: the project's trigger token")
	default:
		r.bad(path+".token_env", "is missing: the variable that holds the project's trigger token; or token_file, a file that holds it")
	}
}

// agree says in what a target differs that is the same for GitLab as one before it. Both are
// one deploy: rules of one alone could be walked around through the other.
func (r *mapReader) agree(t *deploy.Target, same map[[3]string]*deploy.Target) {
	is := [3]string{t.Project, t.Ref, t.Key}
	other := same[is]
	if other == nil {
		same[is] = t
		return
	}
	for _, rule := range []struct {
		key     string
		differs bool
	}{
		{"parallel", t.Parallel != other.Parallel},
		{"approvals", t.Approvals != other.Approvals},
		{"confirm", t.Confirm != other.Confirm && t.Approvals == other.Approvals},
	} {
		if t.Project != "" && rule.differs {
			r.bad(pathOf(t)+"."+rule.key, "differs from that of %s, which deploys the same project, ref and release_key: "+
				"give both the same", pathOf(other))
		}
	}
}

func pathOf(t *deploy.Target) string { return t.Team + "." + t.Channel + "." + segment(t.Name) }

func (r *mapReader) checkID(id, path, what string) {
	if !slackID.MatchString(id) {
		r.bad(path, "must be %s", what)
	}
}

func (r *mapReader) checkName(name, path string) {
	switch n := utf8.RuneCountInString(name); {
	case n < 1 || n > 80:
		r.bad(path, "a target's name must have 1 to 80 characters")
	case strings.ContainsFunc(name, func(r rune) bool { return unicode.IsControl(r) || r == unicode.ReplacementChar }):
		r.bad(path, "a target's name must have no control characters")
	case strings.TrimSpace(name) != name:
		r.bad(path, "a target's name must not begin or end with a blank")
	}
}

// object calls each for every member of the object that comes next, to read its
// value, but for keys that are there twice. It returns false if no object comes.
func (r *mapReader) object(path, holds string, each func(key, path string)) bool {
	if r.peek() != '{' {
		r.bad(path, "must be an object ({...}) with %s", holds)
		r.value()
		return false
	}
	seen := make(map[string]bool)
	for r.rest = r.rest[1:]; r.peek() != '}'; {
		key := text(r.value())
		at := strings.TrimPrefix(path+"."+segment(key), ".")
		if seen[key] {
			r.bad(at, "is a duplicate key: keep one")
			r.value()
			continue
		}
		seen[key] = true
		each(key, at)
	}
	r.rest = r.rest[1:]
	return true
}

// peek returns the first byte of what comes next.
func (r *mapReader) peek() byte {
	r.rest = bytes.TrimLeft(r.rest, " \t\r\n,:")
	return r.rest[0]
}

// value takes the value that comes next. json.Decoder would make so much garbage of
// a large map that the process stays larger.
func (r *mapReader) value() json.RawMessage {
	first, from, n := r.peek(), r.rest, 1
	switch first {
	case '{', '[':
		for r.rest = r.rest[1:]; r.peek() != first+2; { // its closing bracket in ASCII
			r.value()
		}
	case '"':
		for escaped := false; escaped || from[n] != '"'; n++ {
			escaped = !escaped && from[n] == '\\'
		}
		n++
	default:
		n = len(from) - len(bytes.TrimLeft(from, "+-.0123456789Eaeflnrstu"))
	}
	r.rest = r.rest[n:]
	return from[:len(from)-len(r.rest)]
}

//docgen:passed settings
func (r *mapReader) bad(path, format string, args ...any) {
	r.problems = append(r.problems, strings.TrimPrefix(path+": "+fmt.Sprintf(format, args...), ": "))
}

// segment is a key as part of a path: on one line, not too long, and not a
// token that was put in a key's place.
func segment(key string) string {
	if TokenKind(key) != "" {
		return deploy.Secret(key).String()
	}
	if runes := []rune(key); len(runes) > 80 {
		key = string(runes[:80]) + "…"
	}
	odd := func(r rune) bool { return !unicode.IsLetter(r) && !unicode.IsNumber(r) && r != '-' && r != '_' }
	if key == "" || strings.ContainsFunc(key, odd) {
		return strconv.Quote(key)
	}
	return key
}
