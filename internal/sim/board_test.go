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

// board is a Slack of which only what stands there counts. Any kind of call
// (react, unreact, post, update) can be spoiled.
type board struct {
	mu    sync.Mutex
	notes []note
	spoil map[string]func(call) error
	nth   map[string]int
}

// note is a reaction, which has no ts, or a message.
type note struct {
	on   deploy.Key
	mark string
	ts   string
	slot string
	say  deploy.MessageID
}

// call is a call that is spoiled: it is done when, and if, do is called.
type call struct {
	ctx context.Context
	nth int // of its kind
	on  deploy.Key
	do  func()
}

// on has each call of a kind go another way; nil: as ever.
func (b *board) on(kind string, spoil func(c call) error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.spoil[kind] = spoil
}

// calls counts the calls of a kind, done or not.
func (b *board) calls(kind string) int {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.nth[kind]
}

// stands are the marks on a mention, in the order in which they were put.
func (b *board) stands(k deploy.Key) (marks []string) {
	b.mu.Lock()
	defer b.mu.Unlock()
	for _, n := range b.notes {
		if n.on == k && n.ts == "" {
			marks = append(marks, n.mark)
		}
	}
	return marks
}

// thread is what the messages in a mention's thread say now.
func (b *board) thread(k deploy.Key) (says []deploy.MessageID) {
	b.mu.Lock()
	defer b.mu.Unlock()
	for _, n := range b.notes {
		if n.on == k && n.ts != "" {
			says = append(says, n.say)
		}
	}
	return says
}

func (b *board) call(ctx context.Context, kind string, on deploy.Key, change func()) error {
	do := func() {
		b.mu.Lock()
		defer b.mu.Unlock()
		change()
	}
	b.mu.Lock()
	b.nth[kind]++
	n, spoil := b.nth[kind], b.spoil[kind]
	b.mu.Unlock()
	if spoil == nil {
		do()
		return nil
	}
	return spoil(call{ctx, n, on, do})
}

func (b *board) off(k deploy.Key, emoji string) {
	b.notes = slices.DeleteFunc(b.notes, func(n note) bool { return n.on == k && n.ts == "" && n.mark == emoji })
}

func (b *board) React(ctx context.Context, k deploy.Key, emoji string) error {
	return b.call(ctx, "react", k, func() {
		b.off(k, emoji)
		b.notes = append(b.notes, note{on: k, mark: emoji})
	})
}

func (b *board) Unreact(ctx context.Context, k deploy.Key, emoji string) error {
	return b.call(ctx, "unreact", k, func() { b.off(k, emoji) })
}

// Reread gives the mention as it was: nobody edits it here.
func (b *board) Reread(ctx context.Context, m deploy.Request) (deploy.Request, error) {
	return m, b.call(ctx, "reread", m.Key, func() {})
}

func (b *board) Post(ctx context.Context, at engine.Place, say deploy.Message) (string, error) {
	ts := fmt.Sprintf("%d.%06d", time.Now().Unix(), b.calls("post"))
	err := b.call(ctx, "post", at.Request.Key, func() {
		b.notes = append(b.notes, note{on: at.Request.Key, ts: ts, slot: at.Slot, say: say.ID})
	})
	if err != nil {
		return "", err
	}
	return ts, nil
}

func (b *board) Update(ctx context.Context, k deploy.Key, ts string, say deploy.Message) error {
	return b.call(ctx, "update", k, func() {
		for i := range b.notes {
			if b.notes[i].on == k && b.notes[i].ts == ts {
				b.notes[i].say = say.ID
			}
		}
	})
}

func (b *board) Find(_ context.Context, at engine.Place) (string, bool, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	for _, n := range b.notes {
		if n.on == at.Request.Key && n.slot == at.Slot && n.ts != "" {
			return n.ts, true, nil
		}
	}
	return "", false, nil
}

func (b *board) Now() time.Time { return time.Now() }
