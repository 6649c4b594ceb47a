// Package targets reads the target map: what can be deployed, from which channel.
package targets

import (
	"cmp"
	"fmt"
	"maps"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"

	"github.com/getto-systems/psycher/deploy"
)

// Targets is the target map: what can be deployed, from which channel. It is
// read once, at start, and does not change. A nil one is empty.
type Map struct {
	teams    map[string]*team
	projects []string // distinct, sorted
	channels int
	targets  int
}

// team stands behind a pointer, which is all that fmt prints of it: in
// unexported fields it would print the tokens, past what [Secret] says.
type team struct {
	channels map[string][]deploy.Target // sorted by name
	owners   map[string]owner           // by the target's lower-cased name
}

// owner is the first channel found to have a target of some name, and whether
// another has one as well.
type owner struct {
	channel string
	shared  bool
}

// ParseTargets reads the target map from its JSON, which may also stand inside
// a JSON string. Targets without a ref or timeout of their own get the ones
// given. An error is a [*TargetsError] with everything that is wrong.
func Parse(data []byte, ref string, timeout time.Duration) (*Map, error) {
	data, problem := unwrapJSON(data)
	if problem != "" {
		return nil, &Error{Problems: []string{problem}}
	}
	r := mapReader{cursor: cursor{data: data}, ref: ref, timeout: timeout}
	t := r.read()
	if len(r.problems) > 0 {
		return nil, &Error{Problems: r.problems}
	}
	return t, nil
}

// TargetsError is what is wrong with a target map, one line each, with the
// path of the key that it is about. No line holds a value of the map.
type Error struct{ Problems []string }

func (e *Error) Error() string { return strings.Join(e.Problems, "\n") }

// In gives the targets of a channel, sorted by name. They are not to be changed.
func (t *Map) In(team, channel string) []deploy.Target {
	if t == nil || t.teams[team] == nil {
		return nil
	}
	return slices.Clip(t.teams[team].channels[channel])
}

// Find gives the target of a channel with exactly that name.
func (t *Map) Find(team, channel, name string) (deploy.Target, bool) {
	here := t.In(team, channel)
	i, ok := slices.BinarySearchFunc(here, name, func(t deploy.Target, name string) int { return cmp.Compare(t.Name, name) })
	if !ok {
		return deploy.Target{}, false
	}
	return here[i], true
}

// AllTeams are the teams of the map, sorted.
func (t *Map) AllTeams() []string {
	if t == nil {
		return nil
	}
	return slices.Sorted(maps.Keys(t.teams))
}

// Teams gives the teams that have targets in that channel, sorted. In a channel
// that workspaces share there may be several.
func (t *Map) Teams(channel string) []string {
	if t == nil {
		return nil
	}
	var teams []string
	for id, team := range t.teams {
		if len(team.channels[channel]) > 0 {
			teams = append(teams, id)
		}
	}
	slices.Sort(teams)
	return teams
}

// Elsewhere tells whether another channel of the team has a target of that
// name, whatever the case of its letters. It takes the same time for a hundred
// thousand channels as for one.
func (t *Map) Elsewhere(team, channel, name string) bool {
	if t == nil || t.teams[team] == nil {
		return false
	}
	o, ok := t.teams[team].owners[strings.ToLower(name)]
	return ok && (o.shared || o.channel != channel)
}

// Projects gives the distinct GitLab projects, as the map writes them, sorted.
func (t *Map) Projects() []string {
	if t == nil {
		return nil
	}
	return slices.Clone(t.projects)
}

// Len counts the channels that have targets, and the targets.
func (t *Map) Len() (channels, targets int) {
	if t == nil {
		return 0, 0
	}
	return t.channels, t.targets
}

// mapReader walks the map's JSON and gathers what is wrong with it.
type mapReader struct {
	cursor
	ref      string
	timeout  time.Duration
	problems []string
}

var slackID = regexp.MustCompile(`^[A-Za-z0-9_-]+$`)

func (r *mapReader) read() *Map {
	t := &Map{teams: make(map[string]*team)}
	projects := make(map[string]struct{})
	r.object("", "teams", func(teamID, path string) {
		r.checkID(teamID, path, "a team's id, such as T01ABC")
		team := &team{channels: make(map[string][]deploy.Target), owners: make(map[string]owner)}
		t.teams[teamID] = team
		r.object(path, "channels", func(channelID, path string) {
			r.checkID(channelID, path, "a channel's id, such as C01ABC")
			here := r.channel(teamID, channelID, path)
			if len(here) == 0 {
				return
			}
			team.add(channelID, here)
			t.channels++
			t.targets += len(here)
			for _, target := range here {
				projects[target.Project] = struct{}{}
			}
		})
	})
	if len(r.problems) == 0 && t.targets == 0 {
		r.bad("", "holds no target")
	}
	t.projects = slices.Sorted(maps.Keys(projects))
	return t
}

func (t *team) add(channel string, here []deploy.Target) {
	t.channels[channel] = here
	for _, target := range here {
		name := strings.ToLower(target.Name)
		if o, ok := t.owners[name]; ok {
			t.owners[name] = owner{channel: o.channel, shared: true}
		} else {
			t.owners[name] = owner{channel: channel}
		}
	}
}

func (r *mapReader) channel(teamID, channelID, path string) []deploy.Target {
	var here []deploy.Target
	folded := make(map[string]string)
	r.object(path, "targets", func(name, path string) {
		lower := strings.ToLower(name)
		if other, ok := folded[lower]; ok {
			r.bad(path, "differs from %s only in upper and lower case", segment(other))
		}
		folded[lower] = name
		r.checkName(name, path)
		t := deploy.Target{Team: teamID, Channel: channelID, Name: name, Ref: r.ref, Key: "RELEASE", Timeout: r.timeout}
		r.target(&t, path)
		here = append(here, t)
	})
	slices.SortFunc(here, func(a, b deploy.Target) int { return cmp.Compare(a.Name, b.Name) })
	return here
}

func (r *mapReader) target(t *deploy.Target, path string) {
	var project, token bool
	whole := r.object(path, targetKeys, func(key, path string) {
		project = project || key == "project_id"
		token = token || key == "token"
		if problem := setKey(t, key, r.value()); problem != "" {
			r.bad(path, "%s", problem)
		}
	})
	if whole && !project {
		r.bad(path+".project_id", "is missing: the project's number, or its path such as group/app")
	}
	if whole && !token {
		r.bad(path+".token", "is missing: the project's trigger token")
	}
}

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

// object reads an object and hands each key to each, which must read its value.
// It gives false where something else stands there.
func (r *mapReader) object(path, holds string, each func(key, path string)) bool {
	if r.peek() != '{' {
		r.raw()
		r.bad(path, "must be an object ({...}) with %s", holds)
		return false
	}
	r.at++
	seen := make(map[string]struct{})
	for r.peek() != '}' {
		key := r.text()
		at := segment(key)
		if path != "" {
			at = path + "." + at
		}
		if _, ok := seen[key]; ok {
			r.bad(at, "is there twice: keep one")
			r.raw()
			continue
		}
		seen[key] = struct{}{}
		each(key, at)
	}
	r.at++
	return true
}

//docgen:passed settings
func (r *mapReader) bad(path, format string, args ...any) {
	problem := fmt.Sprintf(format, args...)
	if path != "" {
		problem = path + ": " + problem
	}
	r.problems = append(r.problems, problem)
}

// segment is a key as part of a path: on one line, not too long, and not a
// token that was put in a key's place.
func segment(key string) string {
	if tokenKind(key) != "" {
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
