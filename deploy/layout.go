package deploy

import (
	"cmp"
	"encoding/json"
	"strings"
	"time"
)

// DecodeRecord reads a record as the store keeps it, by this version or the one
// before. Of a newer layout it reads what it knows: see [Layout]. read understands
// the text that layout 2 has in the place of an intent.
func DecodeRecord(raw []byte, read func(k Key, text string) Intent) (Record, error) {
	var r Record
	err := json.Unmarshal(raw, &r)
	switch r.Layout {
	case 1, 2:
		return decodeLayout2(raw, read)
	case 3:
		return decodeLayout3(raw)
	}
	return r, err
}

// decodeLayout3 reads a record of layout 3, whose lines tell of one deployment
// only, by its state.
func decodeLayout3(raw []byte) (Record, error) {
	var old struct {
		Record
		Lines   []oldMessage `json:"lines"`
		Mention struct {
			Request
			Intent struct {
				Intent
				Answer MessageID `json:"answer"` // what the doubt was called before
			} `json:"intent"`
		} `json:"mention"`
	}
	err := json.Unmarshal(raw, &old)
	r := old.Record
	r.Request, r.Request.Intent = old.Mention.Request, old.Mention.Intent.Intent
	if old.Mention.Intent.Answer != "" {
		// mutant: a doubt of an earlier version that is not read
		r.Request.Intent.Doubt = MsgUnclear
	}
	r.Lines = nil
	for _, line := range old.Lines {
		r.Lines = append(r.Lines, line.message())
	}
	return r, err
}

// oldMessage is a message of layout 3 and before.
type oldMessage struct {
	Message
	Last State `json:"last"`
}

// message is the message as it is now: one that is not posted yet.
func (m oldMessage) message() Message {
	now := m.Message
	now.ID = cmp.Or(renamed[now.ID], now.ID)
	if m.Last != "" {
		now.Known = []Known{{Target: now.Target, Ref: now.Ref, State: m.Last, URL: now.URL}}
	}
	return now
}

// decodeLayout2 reads a record of layout 1 or 2, which have names of their own
// and tell only of one status message, by its ts, and of how many lines are
// through.
func decodeLayout2(raw []byte, read func(k Key, text string) Intent) (Record, error) {
	var old struct {
		Record
		Lines   []oldMessage `json:"lines"`
		Mark    string       `json:"mark"`
		Breaks  int          `json:"breaks"`
		Marks   []string     `json:"marks"`
		Mention struct {
			Request
			User     string `json:"user"`
			Stranger bool   `json:"stranger"`
			Cut      bool   `json:"cut"`
			Text     string `json:"text"`
		} `json:"mention"`
		Deployment struct {
			Deployment
			Looks int       `json:"looks"`
			Heard time.Time `json:"heard"`
		} `json:"deployment"`
		Shown struct {
			Shown
			Mark   string `json:"mark"`
			Status string `json:"status"` // "-": Slack will never take one
			Said   int    `json:"said"`
		} `json:"shown"`
	}
	if err := json.Unmarshal(raw, &old); err != nil {
		return Record{}, err
	}
	r := old.Record
	r.Revision, r.Panics, r.Reactions = old.Mark, old.Breaks, old.Marks
	r.Request = old.Mention.Request
	r.Request.By = Person{User: old.Mention.User, External: old.Mention.Stranger}
	r.Request.At, r.Request.Via = r.Request.Time(), ViaMention
	switch {
	case r.State != Accepted: // its words were read
	case old.Mention.Cut:
		r.Request.Intent = Intent{Kind: KindUnknown, Doubt: MsgTooLong}
	case read == nil:
		r.Request.Intent = Intent{Kind: KindUnknown, Doubt: MsgForgotten}
	default:
		r.Request.Intent = read(r.Request.Key, old.Mention.Text)
	}
	r.Lines = nil
	for _, line := range old.Lines {
		r.Lines = append(r.Lines, line.message())
	}
	r.Deployment, r.Deployment.Polls, r.Deployment.LastSeen = old.Deployment.Deployment, old.Deployment.Looks, old.Deployment.Heard
	r.Shown, r.Shown.Reaction = old.Shown.Shown, old.Shown.Mark
	if ts := old.Shown.Status; ts != "" {
		r.Shown.setPosted(SlotStatus, Posted{TS: strings.TrimPrefix(ts, "-")}) // it is edited once
	}
	for n := range old.Shown.Said {
		r.Shown.setPosted(SlotLine(n), Posted{})
	}
	return r, nil
}

// renamed are the messages of earlier layouts that are gone, and what is said
// instead. What a line of them asked is no longer answered by a button.
var renamed = map[MessageID]MessageID{
	"negated": MsgUnclear, "how": MsgUnclear, "later": MsgUnclear, "near-miss": MsgUnclear, "past": MsgStatus,
	"edited-in": MsgEditedLater,
}
