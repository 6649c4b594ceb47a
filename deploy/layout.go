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
	if r.Layout == 1 || r.Layout == 2 {
		return decodeLayout2(raw, read)
	}
	return r, err
}

// decodeLayout2 reads a record of layout 1 or 2, which have names of their own
// and tell only of one status message, by its ts, and of how many lines are
// through.
func decodeLayout2(raw []byte, read func(k Key, text string) Intent) (Record, error) {
	var old struct {
		Record
		Mark    string   `json:"mark"`
		Breaks  int      `json:"breaks"`
		Marks   []string `json:"marks"`
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
	for i := range r.Lines { // one that is not posted yet
		r.Lines[i].ID = cmp.Or(renamed[r.Lines[i].ID], r.Lines[i].ID)
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

// renamed are the messages of layout 2 that are gone, and what is said instead.
var renamed = map[MessageID]MessageID{
	"negated": MsgUnclear, "how": MsgUnclear, "later": MsgUnclear, "near-miss": MsgUnclear, "past": MsgStatus,
}
