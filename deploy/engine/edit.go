package engine

import (
	"context"
	"errors"
	"slices"
	"time"

	"github.com/getto-systems/psycher/deploy"
)

// An edit is judged by one question: does the message still ask for this?

// edit takes an edit of a mention that has its record. It is not acked before
// what it changes is saved.
func (l *Engine) edit(ctx context.Context, m deploy.Mention) (ack bool) {
	_, err := l.change(ctx, m.Key, func(r deploy.Record) deploy.Record {
		if r.State == deploy.Accepted && !l.asks(r.Mention, "") { // nobody has read its own words yet
			if l.asks(m, "") {
				return r.Answer(deploy.Message{ID: deploy.MsgEditedIn})
			}
			return r
		}
		return r.Edit(l.asks(m, l.targetOf(r)))
	})
	return err == nil
}

// asks tells whether a message asks for a deploy: of that target, if it names one.
func (l *Engine) asks(m deploy.Mention, target string) bool {
	if m.Unnamed {
		return false
	}
	in := l.Reader.Read(m, l.Targets.In(m.Team, m.Channel))
	return in.Deploys() && (target == "" || in.Target == target)
}

// targetOf is the target that a record will deploy, or may still; empty: none.
func (l *Engine) targetOf(r deploy.Record) string {
	switch r.State {
	case deploy.Accepted:
		return l.Reader.Read(r.Mention, l.Targets.In(r.Mention.Team, r.Mention.Channel)).Target
	case deploy.Triggering, deploy.Waiting:
		return r.Deployment.Target
	}
	return ""
}

// rereadTimeout bounds the look at the message: the POST does not wait for Slack.
const rereadTimeout = 2 * time.Second

// withdrawn tells what becomes of a record that waits, and how the log calls it,
// where its message asks for it no longer; nil: it still does, or this is not
// known. Of an edit that takes the bot's name out, and of a message that is
// deleted, Slack sends no event: so the message is read again. Where the bot may
// not read, a mark tells at least whether it is there: that of waiting can be put
// again without harm, if the record knows it and takes it off later.
func (l *Engine) withdrawn(r deploy.Record) (withdraw func(deploy.Record) deploy.Record, name string) {
	ctx, cancel := context.WithTimeout(l.work, rereadTimeout)
	defer cancel()
	waiting := r.View().Reaction
	m, err := l.Slack.Reread(ctx, r.Mention)
	if err != nil && !errors.Is(err, ErrMentionGone) && slices.Contains(r.Reactions, waiting) {
		err = l.Slack.React(ctx, r.Mention.Key, waiting)
		m = r.Mention
	}
	switch {
	case errors.Is(err, ErrMentionGone):
		return deploy.Record.Gone, "mention-gone"
	// mutant: a message that is not read again before another POST
	case err == nil && m.Edited && !r.Mention.Edited && !l.asks(m, r.Deployment.Target):
		return func(r deploy.Record) deploy.Record { return r.Edit(false) }, "mention-edited"
	}
	return nil, ""
}
