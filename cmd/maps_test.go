package cmd_test

import (
	"net/http"
	"slices"
	"syscall"
	"testing"

	"github.com/getto-systems/psycher/internal/sandbox/fakegitlab"
)

// The next target map, as a rolling change of settings brings it: one channel
// more, and another ref and timeout everywhere.
func nextMap() string {
	return targets(func(string) (string, string) { return "group/app", `, "ref": "stable", "timeout": "2h"` })
}

// lastMap is the one before it, in which two channels have another project.
func lastMap() string {
	return targets(func(channel string) (string, string) {
		switch channel {
		case channelLong:
			return "", ""
		case channelQuiet, "C0APP2":
			return "group/other", ""
		}
		return "group/app", ""
	})
}

// twoMaps: whoever takes a mention up goes by its own map, and what it deploys
// is what it shows.
func twoMaps(t *testing.T) *site {
	s := openSite(t)
	for range 2 {
		s.start(s.add("psycher", nextMap()))
		s.start(s.add("psycher", lastMap()))
	}
	s.ready()
	s.underLoad(func() {
		for range 8 { // each socket's turn
			s.say(channelLong)
		}
	})
	s.settles(s.mentions...)
	refs := map[string]int{}
	for _, m := range s.mentions {
		made := s.pipelines(m)
		if len(made) == 0 {
			refs["told"]++
			if m.channel != channelLong {
				t.Errorf("%v deployed nothing: %v", m, s.texts(m))
			}
			continue
		}
		refs[made[0].Ref]++
		s.shows(m, made[0].Ref)
		if project := made[0].Project; project != "group/app" && (made[0].Ref != "master" || m.channel != channelQuiet && m.channel != "C0APP2") {
			t.Errorf("%v deployed %s of %s, which no map says", m, made[0].Ref, project)
		}
	}
	if refs["master"] == 0 || refs["stable"] == 0 || refs["told"] == 0 {
		t.Errorf("not every map had its turn: %v", refs)
	}
	s.deploysAgain()
	return s
}

// shows: the ref that is deployed is the one that the person reads, and no other.
func (s *site) shows(m mention, ref string) {
	s.t.Helper()
	other := map[string]string{"master": "stable", "stable": "master"}[ref]
	if !s.reads(m, ref) || s.reads(m, other) {
		s.t.Errorf("%v deployed %s: %v", m, ref, s.texts(m))
	}
}

// otherMap: who takes a record over goes by what is frozen in it. What it would
// have to start now, and does not have in its map as it is, is not started.
func otherMap(t *testing.T) *site {
	s := openSite(t)
	next, last := s.add("psycher", nextMap()), s.add("psycher", lastMap())
	s.start(next)
	s.ready()

	running := []mention{s.say(channelLong), s.say(channelQuiet)}
	for _, m := range running {
		s.marked(m, "thumbsup")
	}
	s.gitlab.Heal()
	s.gitlab.Answer(-1, fakegitlab.Fault{Status: http.StatusTooManyRequests, Body: "Retry later", Header: map[string]string{"Retry-After": "10"}})
	waiting := s.say("C0APP1")
	gone := []mention{s.say("C0APP2"), s.say(channelLong)}
	for _, m := range append(gone, waiting) {
		s.waited[m] = true
		s.marked(m, "hourglass_flowing_sand")
	}
	s.end(next, syscall.SIGKILL)
	s.gitlab.Heal()
	s.start(last)
	s.ready()

	for _, m := range append(running, waiting) {
		s.once(m)
		for _, p := range s.pipelines(m) {
			if p.Ref != "stable" || p.Project != "group/app" {
				t.Errorf("%v deployed %s of %s", m, p.Ref, p.Project)
			}
		}
		s.shows(m, "stable")
	}
	for _, m := range gone {
		s.settles(m)
		if len(s.pipelines(m)) > 0 || !s.reads(m, "Nothing was started. While this waited") {
			t.Errorf("%v: %v, %v", m, s.pipelines(m), s.texts(m))
		}
	}
	s.deploysAgain()
	return s
}

// marked waits for a reaction.
func (s *site) marked(m mention, mark string) {
	s.t.Helper()
	if err := s.slack.Until(s.ctx, func() bool { return slices.Contains(s.slack.Reactions(m.channel, m.ts), mark) }); err != nil {
		s.t.Errorf("%v: %v, want %s", m, s.slack.Reactions(m.channel, m.ts), mark)
	}
}
