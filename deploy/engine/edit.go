package engine

import (
	"context"
	"errors"
	"slices"
	"time"

	"github.com/getto-systems/psycher/deploy"
)

// An edit is judged by one question: does the message still ask for this?

// acceptEdit takes in an edit of a mention that has its record. It is acked only
// once what it changes is saved.
func (e *Engine) acceptEdit(ctx context.Context, m deploy.Request) (ack bool) {
	_, err := e.change(ctx, m.Key, func(r deploy.Record) deploy.Record {
		if r.State == deploy.Accepted && !r.Request.Intent.Deploys() { // it is not answered yet
			if m.Intent.Deploys() {
				return r.Answer(deploy.Message{ID: deploy.MsgEditedIn})
			}
			return r
		}
		return r.Edit(asks(m.Intent, targetOf(r)))
	})
	return err == nil
}

// asks reports whether a deploy is asked for: of that target, if one is given.
func asks(i deploy.Intent, target string) bool {
	return i.Deploys() && (target == "" || i.Target == target)
}

// targetOf is the target that a record will deploy, or may still; empty: none.
func targetOf(r deploy.Record) string {
	switch r.State {
	case deploy.Accepted:
		return r.Request.Intent.Target
	case deploy.Triggering, deploy.Waiting:
		return r.Deployment.Target
	}
	return ""
}

// rereadTimeout bounds how long a POST waits for Slack.
const rereadTimeout = 2 * time.Second

// withdrawn returns what becomes of a waiting record whose message no longer asks
// for it, and how the log calls that; nil: it still asks, or this is not known.
// Slack sends no event for an edit that takes the bot's name out, nor for a
// deletion: so the message is read again. Where the bot may not read, putting the
// reaction of waiting once more shows whether the message is there, if the record
// has that reaction and so takes it off later.
func (e *Engine) withdrawn(r deploy.Record) (withdraw func(deploy.Record) deploy.Record, name string) {
	ctx, cancel := context.WithTimeout(e.work, rereadTimeout)
	defer cancel()
	m, err := e.Slack.Reread(ctx, r.Request)
	waiting := r.View().Reaction
	if err != nil && !errors.Is(err, ErrMentionGone) && slices.Contains(r.Reactions, waiting) {
		err = e.Slack.React(ctx, r.Request.Key, waiting)
		m = r.Request
	}
	switch {
	case errors.Is(err, ErrMentionGone):
		return deploy.Record.Gone, "mention-gone"
	// mutant: a message that is not read again before another POST
	case err == nil && m.Edited && !r.Request.Edited && !asks(m.Intent, r.Deployment.Target):
		return func(r deploy.Record) deploy.Record { return r.Edit(false) }, "mention-edited"
	}
	return nil, ""
}
