package engine

import (
	"context"
	"slices"
	"sync"
	"time"

	"github.com/getto-systems/psycher/deploy"
	"github.com/getto-systems/psycher/deploy/rules"
)

// groups knows who is in Slack's user groups.
type groups struct {
	mu      sync.Mutex
	reads   map[string]*groupRead
	handles map[string]string // by which people know the groups, as far as is known
}

// groupRead is one reading of a group, which all share who ask meanwhile.
type groupRead struct {
	at   time.Time
	done chan struct{} // closed once the rest is there
	is   rules.Group
	err  error
}

const (
	groupsWithin = 1500 * time.Millisecond // how long somebody waits for Slack to tell
	groupsKept   = 3 * time.Minute         // how long it is believed
)

// groupsOf are the groups that decide whether people may deploy the targets. One that
// cannot be read now is not among them.
func (e *Engine) groupsOf(ctx context.Context, people []deploy.Person, of ...deploy.Target) map[string]rules.Group {
	reads := map[string]*groupRead{}
	for _, t := range of {
		if !slices.ContainsFunc(people, func(by deploy.Person) bool { return !by.External && !slices.Contains(t.Allow, by.User) }) {
			continue
		}
		for _, id := range t.Allow {
			if deploy.IsGroup(id) {
				reads[id] = e.readGroup(id)
			}
		}
	}
	if len(reads) == 0 {
		return nil
	}
	known := map[string]rules.Group{}
	ctx, cancel := context.WithTimeout(ctx, groupsWithin)
	defer cancel()
	for id, read := range reads {
		select {
		case <-read.done:
			// mutant: a group that cannot be read taken for empty
			if read.err == nil {
				known[id] = e.groups.named(id, read.is)
			}
		case <-ctx.Done():
		}
	}
	return known
}

// readGroup is the reading of a group that is under way, or was made not long ago, or
// else begins now.
func (e *Engine) readGroup(id string) *groupRead {
	e.groups.mu.Lock()
	defer e.groups.mu.Unlock()
	read := e.groups.reads[id]
	if read != nil {
		select {
		case <-read.done:
			// mutant: who left a group believed to be in it
			if read.err == nil && time.Since(read.at) < groupsKept {
				return read
			}
		default:
			return read
		}
	}
	read = &groupRead{at: time.Now(), done: make(chan struct{})}
	e.groups.reads[id] = read
	e.workers.Go(func() {
		ctx, cancel := context.WithTimeout(e.work, callTimeout)
		defer cancel()
		if read.is.Members, read.err = e.Slack.Group(ctx, id); read.err != nil {
			e.log(Event{Name: "group-unread", Err: read.err, Detail: id})
		}
		close(read.done)
		if read.err == nil && e.groups.named(id, read.is).Handle == "" {
			if handles, err := e.Slack.GroupHandles(ctx); err == nil {
				e.groups.mu.Lock()
				defer e.groups.mu.Unlock()
				e.groups.handles = handles
			}
		}
	})
	return read
}

// named is a group with its handle.
func (g *groups) named(id string, is rules.Group) rules.Group {
	g.mu.Lock()
	defer g.mu.Unlock()
	is.Handle = g.handles[id]
	return is
}
