package sim_test

import (
	"context"
	"fmt"
	"slices"
	"sync"
	"time"

	"github.com/getto-systems/psycher/deploy"
	"github.com/getto-systems/psycher/deploy/engine"
)

// fakeSlack keeps reactions and messages. A hook can replace any kind of call
// (react, unreact, post, update).
type fakeSlack struct {
	mu       sync.Mutex
	items    []item
	hooks    map[string]func(call) error
	counts   map[string]int
	whispers []string // who was told what, alone
}

// item is a reaction, which has no ts, or a message.
type item struct {
	on       deploy.Key
	reaction string
	ts       string
	slot     string
	message  deploy.MessageID
}

// call is a call that a hook handles: it takes effect when, and if, do is called.
type call struct {
	ctx context.Context
	nth int // of its kind
	on  deploy.Key
	do  func()
}

// on sets the hook for a kind of call; nil removes it.
func (s *fakeSlack) on(kind string, hook func(c call) error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.hooks[kind] = hook
}

// countCalls counts the calls of a kind, done or not.
func (s *fakeSlack) countCalls(kind string) int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.counts[kind]
}

// reactions are the reactions on a mention, in the order of adding.
func (s *fakeSlack) reactions(k deploy.Key) (reactions []string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, n := range s.items {
		if n.on == k && n.ts == "" {
			reactions = append(reactions, n.reaction)
		}
	}
	return reactions
}

// messages are the messages in a mention's thread as they are now.
func (s *fakeSlack) messages(k deploy.Key) (ids []deploy.MessageID) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, n := range s.items {
		if n.on == k && n.ts != "" {
			ids = append(ids, n.message)
		}
	}
	return ids
}

func (s *fakeSlack) call(ctx context.Context, kind string, on deploy.Key, change func()) error {
	do := func() {
		s.mu.Lock()
		defer s.mu.Unlock()
		change()
	}
	s.mu.Lock()
	s.counts[kind]++
	n, hook := s.counts[kind], s.hooks[kind]
	s.mu.Unlock()
	if hook == nil {
		do()
		return nil
	}
	return hook(call{ctx, n, on, do})
}

func (s *fakeSlack) removeReaction(k deploy.Key, emoji string) {
	s.items = slices.DeleteFunc(s.items, func(n item) bool { return n.on == k && n.ts == "" && n.reaction == emoji })
}

func (s *fakeSlack) React(ctx context.Context, k deploy.Key, emoji string) error {
	return s.call(ctx, "react", k, func() {
		s.removeReaction(k, emoji)
		s.items = append(s.items, item{on: k, reaction: emoji})
	})
}

func (s *fakeSlack) Unreact(ctx context.Context, k deploy.Key, emoji string) error {
	return s.call(ctx, "unreact", k, func() { s.removeReaction(k, emoji) })
}

// Reread returns the mention unchanged: nobody edits it here.
func (s *fakeSlack) Reread(ctx context.Context, m deploy.Request) (deploy.Request, error) {
	return m, s.call(ctx, "reread", m.Key, func() {})
}

func (s *fakeSlack) Post(ctx context.Context, at engine.Place, say deploy.Message) (string, error) {
	ts := fmt.Sprintf("%d.%06d", time.Now().Unix(), s.countCalls("post"))
	err := s.call(ctx, "post", at.Request.Key, func() {
		s.items = append(s.items, item{on: at.Request.Key, ts: ts, slot: at.Slot, message: say.ID})
	})
	if err != nil {
		return "", err
	}
	return ts, nil
}

func (s *fakeSlack) Update(ctx context.Context, k deploy.Key, ts string, say deploy.Message) error {
	return s.call(ctx, "update", k, func() {
		for i := range s.items {
			if s.items[i].on == k && s.items[i].ts == ts {
				s.items[i].message = say.ID
			}
		}
	})
}

func (s *fakeSlack) Whisper(ctx context.Context, channel, _, user string, say deploy.Message) error {
	return s.call(ctx, "whisper", deploy.Key{Channel: channel}, func() { s.whispers = append(s.whispers, user+" "+string(say.ID)) })
}

func (s *fakeSlack) Group(context.Context, string) ([]string, error) { return nil, errSlack }

func (s *fakeSlack) GroupHandles(context.Context) (map[string]string, error) { return nil, errSlack }

func (s *fakeSlack) Find(_ context.Context, at engine.Place) (string, bool, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, n := range s.items {
		if n.on == at.Request.Key && n.slot == at.Slot && n.ts != "" {
			return n.ts, true, nil
		}
	}
	return "", false, nil
}

func (s *fakeSlack) Now() time.Time { return time.Now() }
