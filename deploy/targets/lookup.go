package targets

import (
	"iter"
	"maps"
	"slices"
	"strings"

	"github.com/getto-systems/psycher/deploy"
)

// Map is the target map. It is read once, at start, and does not change. A nil
// one is empty.
type Map struct {
	teams map[string]*team
}

// team is behind a pointer, which is all that fmt prints of it: in unexported
// fields it would print the tokens, whatever [deploy.Secret] says.
type team struct {
	channels map[string][]deploy.Target // sorted by name
	names    map[string]int             // how many channels have a target of that lower-case name
}

func (m *Map) all() map[string]*team {
	if m == nil {
		return nil
	}
	return m.teams
}

// In returns the targets of a channel, sorted by name. They are not to be changed.
func (m *Map) In(team, channel string) []deploy.Target {
	if t := m.all()[team]; t != nil {
		return slices.Clip(t.channels[channel])
	}
	return nil
}

// Find returns the target of a channel with exactly that name.
func (m *Map) Find(team, channel, name string) (deploy.Target, bool) {
	for _, t := range m.In(team, channel) {
		if t.Name == name {
			return t, true
		}
	}
	return deploy.Target{}, false
}

// Teams returns the teams of the map, sorted.
func (m *Map) Teams() []string { return slices.Sorted(maps.Keys(m.all())) }

// Elsewhere reports whether another channel of the team has a target of that
// name, in whatever case. It takes as long for a hundred thousand channels as for
// one.
func (m *Map) Elsewhere(team, channel, name string) bool {
	t := m.all()[team]
	if t == nil {
		return false
	}
	lower := strings.ToLower(name)
	n := t.names[lower]
	for _, here := range t.channels[channel] {
		for _, name := range here.Names() {
			if strings.ToLower(name) == lower {
				n--
			}
		}
	}
	return n > 0
}

// All are the targets of all channels, sorted by team, channel and name: one after the
// other, since a list of them would be most of what a start allocates.
func (m *Map) All() iter.Seq[deploy.Target] {
	return func(yield func(deploy.Target) bool) {
		for _, team := range m.Teams() {
			channels := m.teams[team].channels
			for _, channel := range slices.Sorted(maps.Keys(channels)) {
				for _, t := range channels[channel] {
					if !yield(t) {
						return
					}
				}
			}
		}
	}
}

// Confirming is the path of the first "confirm" or "approvals" in the map; empty: there is
// none.
func (m *Map) Confirming() string {
	for t := range m.All() {
		switch {
		case t.Approvals > 0:
			return pathOf(&t) + ".approvals"
		case t.Confirm:
			return pathOf(&t) + ".confirm"
		}
	}
	return ""
}

// Projects returns the distinct GitLab projects, as the map writes them, sorted.
func (m *Map) Projects() []string {
	projects := map[string]bool{}
	for t := range m.All() {
		projects[t.Project] = true
	}
	return slices.Sorted(maps.Keys(projects))
}

// Groups returns the distinct user groups that may deploy, sorted.
func (m *Map) Groups() []string {
	groups := map[string]bool{}
	for t := range m.All() {
		for _, id := range t.Allow {
			if deploy.IsGroup(id) {
				groups[id] = true
			}
		}
	}
	return slices.Sorted(maps.Keys(groups))
}

// Len counts the channels that have targets, and the targets.
func (m *Map) Len() (channels, targets int) {
	for _, t := range m.all() {
		for _, here := range t.channels {
			channels++
			targets += len(here)
		}
	}
	return channels, targets
}
