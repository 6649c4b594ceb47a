package cmd

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"
	"text/tabwriter"
	"time"
	"unicode"

	"github.com/spf13/cobra"

	"github.com/getto-systems/psycher/dedupe"
	"github.com/getto-systems/psycher/deploy"
)

// historyCommand tells what was deployed, to people and to programs.
func historyCommand() *cobra.Command {
	var q historyQuery
	c := &cobra.Command{
		Use:   "history",
		Short: "Print what was deployed, the newest first",
		Long: `Prints the deployments of the targets in the target map, the newest first: those
that may have run, for as long as KEEP says. With --json it says who decided what.
It reads the settings of the bot, and may run while the bot does.`,
		Args: noArgs,
		RunE: func(cmd *cobra.Command, _ []string) error { return history(cmd, q) },
	}
	c.Flags().StringVar(&q.target, "target", "", "only those of the target with this name or alias")
	c.Flags().StringVar(&q.since, "since", "", "only those triggered, or else asked for, since then: 24h, 2026-11-28 or 2026-11-28T09:00:00Z")
	c.Flags().IntVar(&q.limit, "limit", 20, "how many at most")
	c.Flags().BoolVar(&q.all, "all", false, "also locks, and requests that came to nothing: refused, declined, withdrawn, lapsed")
	c.Flags().BoolVar(&q.json, "json", false, "print one JSON object a line")
	return c
}

type historyQuery struct {
	target, since string
	limit         int
	all, json     bool
}

func history(cmd *cobra.Command, q historyQuery) error {
	since, err := sinceTime(q.since, time.Now())
	if err == nil && q.limit < 1 {
		err = errors.New("--limit must be 1 or more")
	}
	if err != nil {
		return withHelp(cmd, err)
	}
	s, store, err := openStore(cmd, "what was deployed is known to the bot's own process alone: ask it in Slack")
	if err != nil {
		return err
	}
	defer store.Close()
	targets := slices.Collect(s.Targets.All())
	if q.target != "" {
		var names []string
		targets = slices.DeleteFunc(targets, func(t deploy.Target) bool {
			names = append(names, t.Name)
			return !slices.ContainsFunc(t.Names(), func(name string) bool { return strings.EqualFold(name, q.target) })
		})
		if len(targets) == 0 {
			slices.Sort(names)
			return fmt.Errorf("no target is called %q; the target map has: %s", q.target, strings.Join(slices.Compact(names), ", "))
		}
	}
	isOf := func(r deploy.Record) bool {
		t, _ := s.Targets.Find(r.Request.Team, r.Request.Channel, r.About())
		return q.target == "" || slices.ContainsFunc(targets, func(of deploy.Target) bool { return of.ID() == t.ID() || of.ID() == r.TargetID() })
	}
	read := targets
	if q.all {
		read = append(slices.Clone(targets), deploy.Target{}) // see [dedupe.Store.History]
	}
	records, err := newest(cmd.Context(), store, read, isOf, since, q.limit)
	if err != nil {
		return fmt.Errorf("REDIS_URL: %w", err)
	}
	lines := newLines(cmd.OutOrStdout())
	zone := time.FixedZone(time.Now().Zone()) // one for all, also those of the other half of the year
	rows := [][]string{{"WHEN (" + zone.String() + ")", "TARGET", "REF", "COMMIT", "STATE", "WHO", "TOOK", "PIPELINE"}}
	for _, r := range records {
		e, took := newHistoryEntry(r), ""
		if q.json {
			err = errors.Join(err, lines.Encode(e))
		}
		if !e.EndedAt.IsZero() {
			took = (time.Duration(e.TookSeconds) * time.Second).String()
		}
		rows = append(rows, []string{r.Begun().In(zone).Format("2006-01-02 15:04"), e.Target, e.Ref, fmt.Sprintf("%.7s", e.SHA), e.State, e.By, took, e.URL})
	}
	switch {
	case q.json:
	case len(records) == 0:
		_, err = fmt.Fprintln(cmd.ErrOrStderr(), "nothing was deployed")
	default:
		err = printTable(cmd.OutOrStdout(), rows)
	}
	return err
}

// newLines writes JSON, an object a line.
func newLines(out io.Writer) *json.Encoder {
	lines := json.NewEncoder(out)
	lines.SetEscapeHTML(false)
	return lines
}

// sinceTime reads a duration before now, a date or a time; empty is ever since.
func sinceTime(text string, now time.Time) (time.Time, error) {
	if text == "" {
		return time.Time{}, nil
	}
	if d, err := time.ParseDuration(text); err == nil {
		return now.Add(-d), nil
	}
	for _, form := range []string{time.DateOnly, time.RFC3339} {
		if t, err := time.ParseInLocation(form, text, time.Local); err == nil {
			return t, nil
		}
	}
	return time.Time{}, errors.New("--since must be a duration such as 24h, a date such as 2026-11-28 or a time such as 2026-11-28T09:00:00Z")
}

// newest reads the newest deployments of the targets, of which several can be the same
// in different channels: in small parts, as Redis does nothing else meanwhile. As others
// are added while it reads, a part can begin with the end of the one before.
func newest(ctx context.Context, store *dedupe.Store, targets []deploy.Target, isOf func(deploy.Record) bool, since time.Time, limit int) (all []deploy.Record, err error) {
	read := map[deploy.TargetID]bool{}
	for _, t := range targets {
		for skip, found, more := 0, 0, !read[t.ID()]; more; {
			part, err := store.History(ctx, t.ID(), false, skip, min(limit, 100))
			if err != nil {
				return nil, err
			}
			more, skip = len(part) > 0 && !part[len(part)-1].Begun().Before(since), skip+len(part)
			part = slices.DeleteFunc(part, func(r deploy.Record) bool { return !isOf(r) })
			all, found = append(all, part...), found+len(part)
			more = more && found < limit
		}
		read[t.ID()] = true
		all = slices.DeleteFunc(all, func(r deploy.Record) bool { return r.Begun().Before(since) })
		slices.SortStableFunc(all, func(a, b deploy.Record) int { return b.Begun().Compare(a.Begun()) })
		all = slices.CompactFunc(all, func(a, b deploy.Record) bool { return a.Request.Key == b.Request.Key })
		all = all[:min(len(all), limit)]
	}
	return all, nil
}

// historyEntry is a line of the JSON, see docs/INSTALL.md. What is not known is
// left out.
type historyEntry struct {
	Key         string    `json:"key"`
	Target      string    `json:"target,omitempty"`
	Project     string    `json:"project,omitempty"`
	Ref         string    `json:"ref,omitempty"`
	SHA         string    `json:"sha,omitempty"`
	Title       string    `json:"title,omitempty"`
	State       string    `json:"state"`
	By          string    `json:"by"`
	AskedAt     time.Time `json:"asked_at,omitzero"`
	TriggeredAt time.Time `json:"triggered_at,omitzero"`
	EndedAt     time.Time `json:"ended_at,omitzero"`
	TookSeconds int64     `json:"took_seconds,omitempty"`
	Pipeline    int64     `json:"pipeline,omitempty"`
	URL         string    `json:"url,omitempty"`
	Via         string    `json:"via,omitempty"`

	Decisions []deploy.Decision `json:"decisions"`
}

func newHistoryEntry(r deploy.Record) historyEntry {
	d, asked := r.Deployment, r.Asked()
	if r.Chosen().Do == "" { // No asks for nothing
		asked = r.Request
	}
	e := historyEntry{
		Key: r.Request.Key.String(), Target: oneLine(r.About()), Project: oneLine(d.Project), Ref: oneLine(d.Ref),
		State: string(r.State), By: oneLine(asked.By.User), Via: string(asked.Via), Pipeline: d.Pipeline, URL: oneLine(d.Link()),
		AskedAt: asked.At.UTC(), TriggeredAt: d.Triggered.UTC(), Decisions: r.Decisions(),
	}
	if p := d.Progress; p != nil {
		e.SHA, e.Title = oneLine(p.Commit.SHA), oneLine(p.Commit.Title)
	}
	if r.State.Ended() && !d.Ended.IsZero() {
		e.EndedAt, e.TookSeconds = d.Ended.UTC(), int64(d.Ended.Sub(d.Triggered).Round(time.Second).Seconds())
	}
	return e
}

// oneLine removes from a foreign text what a terminal takes for a command, and
// whatever has the form of a token.
func oneLine(text string) string {
	return deploy.ScrubTokens(strings.Map(func(r rune) rune {
		if !unicode.IsGraphic(r) {
			return -1
		}
		return r
	}, text))
}

// printTable prints rows of cells in columns.
func printTable(out io.Writer, rows [][]string) error {
	table := tabwriter.NewWriter(out, 0, 0, 2, ' ', 0)
	for _, cells := range rows {
		for i, cell := range cells {
			cells[i] = cmp.Or(oneLine(cell), "-")
		}
		fmt.Fprintln(table, strings.Join(cells, "\t"))
	}
	return table.Flush()
}
