package main

import (
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"

	"github.com/getto-systems/psycher/bot/phrases"
	"github.com/getto-systems/psycher/cmd/metrics"
	"github.com/getto-systems/psycher/cmd/settings"
	"github.com/getto-systems/psycher/deploy"
	"github.com/getto-systems/psycher/internal/messages"
)

// allParts are the parts that pages can have, by name.
func allParts(root string) (map[string]part, error) {
	s, err := readSource(root)
	if err != nil {
		return nil, err
	}
	messages, err := s.messages(root)
	if err != nil {
		return nil, err
	}
	mod, err := os.ReadFile(filepath.Join(root, "go.mod"))
	if err != nil {
		return nil, fmt.Errorf("reading the dependencies: %w", err)
	}
	meanings, err := os.ReadFile(filepath.Join(root, "docs/SETTINGS.ja.md"))
	if err != nil {
		return nil, fmt.Errorf("reading what settings mean in Japanese: %w", err)
	}
	rules, err := os.ReadFile(filepath.Join(root, "examples/prometheus/psycher.rules.yml"))
	if err != nil {
		return nil, fmt.Errorf("reading the alerts: %w", err)
	}
	parts := map[string]part{
		"settings": settingsPart(string(meanings)), "phrases": phrasesPart, "replies": replies, "demo": demo, "states": states, "moves": moves, "metrics": metricsPart, "alerts": alertsPart(string(rules)),
		"packages": func(string, string) (string, error) { return diagram("flowchart TD", s.imports()), nil },
		"dependencies": func(_, now string) (string, error) {
			var modules []string
			for _, m := range regexp.MustCompile(`(?m)^(?:require|\t)\s*(\S+) v\S+$`).FindAllStringSubmatch(string(mod), -1) {
				modules = append(modules, code(m[1]))
			}
			return merge(now, rows(inPlace(now, modules), keep, keep)), nil
		},
	}
	for _, row := range metrics.Table() {
		if row.Name != "psycher_events_total" {
			continue
		}
		for _, event := range row.Labels[0].Values { // logged as information, if not as a warning
			if event != "other" && !slices.Contains(messages["log"], event) {
				messages["quiet"] = append(messages["quiet"], event)
			}
		}
	}
	for table, said := range messages {
		parts["messages "+table] = func(_, now string) (string, error) {
			var keys []string
			for _, text := range said {
				keys = append(keys, code(text))
			}
			return merge(now, rows(inPlace(now, keys), keep)), nil
		}
	}
	maps.Copy(parts, wordParts(root))
	return parts, nil
}

// rows are rows that differ only in their first cell.
func rows(keys []string, cells ...string) [][]string {
	var all [][]string
	for _, key := range keys {
		all = append(all, append([]string{key}, cells...))
	}
	return all
}

// settingsPart is the table of settings. One page has their meaning in Japanese,
// and the others take it from there.
func settingsPart(meanings string) part {
	return func(lang, now string) (string, error) {
		required, none, secret, live := "required", "none", " (secret)", "yes"
		if lang == "ja" {
			required, none, secret, live = "必須", "なし", " （秘密）", "はい"
			_, now, _ = strings.Cut(meanings, partBegin+"settings -->\n")
			now, _, _ = strings.Cut(now, partEnd)
		}
		var all [][]string
		for _, s := range settings.Table() {
			row := []string{code(s.Name), none, "", keep}
			if s.Secret {
				row[0] += secret
			}
			switch {
			case s.Required():
				row[1] = required
			case s.Default != "":
				row[1] = code(s.Default)
			}
			if s.Live {
				row[2] = live
			}
			if lang == "en" {
				row[3] = s.Meaning
			}
			all = append(all, row)
		}
		return merge(now, all), nil
	}
}

// metricsPart is the table of metrics. What HELP says is its meaning in English.
func metricsPart(lang, now string) (string, error) {
	var all [][]string
	for _, m := range metrics.Table() {
		var labels []string
		for _, l := range m.Labels {
			values := ""
			if len(l.Values) > 1 { // else they are not known here
				values = ": " + strings.Join(l.Values, ", ")
			}
			labels = append(labels, code(l.Name)+values)
		}
		row := []string{code(m.Name), m.Type, strings.Join(labels, "; "), keep}
		if lang == "en" {
			row[3] = m.Help
		}
		all = append(all, row)
	}
	return merge(now, all), nil
}

// alertsPart is the table of the alerts that are shipped.
func alertsPart(rules string) part {
	return func(lang, now string) (string, error) {
		words := map[string]string{"page": "page", "ticket": "ticket"}
		if lang == "ja" {
			words = map[string]string{"page": "すぐ", "ticket": "日中"}
		}
		var all [][]string
		for _, m := range regexp.MustCompile(`(?s)- alert: (\w+).*?severity: (\w+)`).FindAllStringSubmatch(rules, -1) {
			all = append(all, []string{code(m[1]), words[m[2]], keep, keep})
		}
		return merge(now, all), nil
	}
}

// states is the table of states, with the reaction of each.
func states(_, now string) (string, error) {
	var keys []string
	for state := range deploy.Moves() {
		keys = append(keys, code(string(state)))
	}
	all := rows(inPlace(now, keys), keep, "", keep)
	for _, row := range all {
		if reaction := (deploy.Record{State: deploy.State(strings.Trim(row[0], "`"))}).View().Reaction; reaction != "" {
			row[2] = ":" + reaction + ":"
		}
	}
	return merge(now, all), nil
}

// moves draws every move of a record between two states.
func moves(string, string) (string, error) {
	arrows, seen := []string{"[*] --> accepted"}, []deploy.State{deploy.Accepted}
	for i := 0; i < len(seen); i++ {
		next := deploy.Moves()[seen[i]]
		if len(next) == 0 {
			arrows = append(arrows, string(seen[i])+" --> [*]")
		}
		for _, to := range next {
			arrows = append(arrows, string(seen[i])+" --> "+string(to))
			if !slices.Contains(seen, to) {
				seen = append(seen, to)
			}
		}
	}
	if len(seen) != len(deploy.Moves()) {
		return "", fmt.Errorf("only %q can be reached of %d states", seen, len(deploy.Moves()))
	}
	return diagram("stateDiagram-v2", arrows), nil
}

func diagram(kind string, arrows []string) string {
	return "```mermaid\n" + kind + "\n    " + strings.Join(arrows, "\n    ") + "\n```\n"
}

// headings are the headings of the page of phrases, by the first message below.
var headings = map[deploy.MessageID]string{
	deploy.MsgGreet:          "## Answers that deploy nothing",
	deploy.MsgStatusStarting: "\n## What comes of a question",
	deploy.MsgPressedBefore:  "\n## What only the person sees who pressed a button",
	deploy.MsgWaitRate:       "\n## Why a deploy waits",
	deploy.MsgRefusedToken:   "\n## Why GitLab refused",
	deploy.MsgStatusRunning:  "\n## The status message, which is edited as things move",
	deploy.MsgSucceeded:      "\n## Lines in the thread of a deploy",
}

// phrasesPart is every wording of every message, in both languages.
func phrasesPart(string, string) (string, error) {
	var b strings.Builder
	for _, id := range messages.IDs() {
		if heading := headings[id]; heading != "" {
			b.WriteString(heading + "\n\n| | 日本語 | English |\n|---|---|---|\n")
		}
		key := code(string(id))
		for _, m := range messages.Samples(id) {
			ja, en := wordings("ja", m), wordings("en", m)
			for i := range max(len(ja), len(en)) {
				row := []string{key, "", ""}
				copy(row[1:2], ja[min(i, len(ja)):])
				copy(row[2:3], en[min(i, len(en)):])
				b.WriteString("| " + strings.Join(row, " | ") + " |\n")
				key = ""
			}
			if ja, en := shown("ja", m), shown("en", m); len(ja) > 0 {
				b.WriteString("| _shown as_ | " + strings.Join(ja, "<br>") + " | " + strings.Join(en, "<br>") + " |\n")
			}
		}
	}
	b.WriteString("\n## Why a job failed, by GitLab's name for it\n\n| | 日本語 | English |\n|---|---|---|\n")
	for i, line := range voice("ja")["reason"] {
		name, ja, _ := strings.Cut(line, " ")
		_, en, _ := strings.Cut(voice("en")["reason"][i], " ")
		b.WriteString("| " + code(name) + " | " + ja + " | " + en + " |\n")
	}
	return b.String(), nil
}

// shown are the paragraphs of a status message; none: it is shown as its text.
func shown(lang string, m deploy.Message) (all []string) {
	parts := voice(lang).Parts(m)
	if len(parts) == 1 {
		return nil
	}
	for _, p := range parts {
		if p.Small {
			p.Text = "(" + p.Text + ")"
		}
		all = append(all, asMarkdown(p.Text))
	}
	return all
}

// replies are what people may read in Slack and search for: the first line of each
// message, in every wording.
func replies(lang, now string) (string, error) {
	var all [][]string
	for _, id := range messages.IDs() {
		m := messages.Samples(id)[0]
		texts := wordings(lang, m)
		if parts := shown(lang, m); len(parts) > 0 {
			texts = parts[:1]
		}
		for i, text := range texts {
			text = regexp.MustCompile(`<br>.*`).ReplaceAllString(text, " …")
			texts[i] = regexp.MustCompile(`\[([^\]]+)\]\([^)]+\)`).ReplaceAllString(text, "$1")
		}
		all = append(all, []string{code(string(id)), strings.Join(texts, "<br>"), keep})
	}
	return merge(now, all), nil
}

// demo is what the demo prints, with one of the possible wordings.
func demo(lang, now string) (string, error) {
	titles := map[string][]string{"ja": {"検索を速くする", "CI のキャッシュを有効に", "問い合わせフォームの文言修正"}, "en": {"Make the search faster", "Cache the build in CI", "Fix typos in the contact form"}}[lang]
	commit := func(sha string, title int, author string) deploy.Commit {
		return deploy.Commit{SHA: sha + strings.Repeat("0", 33), Title: titles[title], Author: author, URL: "http://127.0.0.1/commit"}
	}
	first, second, third := commit("8036e24", 0, "ito"), commit("c9a18b1", 1, "ito"), commit("ad2d0f3", 2, "sato")
	goes := func(c deploy.Commit, titles ...deploy.Commit) *deploy.Progress {
		return &deploy.Progress{Commit: c, Commits: &deploy.Commits{Count: len(titles), First: titles, Compare: "http://127.0.0.1/compare"}, Before: &deploy.Success{Commit: c}}
	}
	begun := func(c deploy.Commit) *deploy.Progress {
		return &deploy.Progress{Commit: deploy.Commit{SHA: c.SHA, URL: c.URL}}
	}
	failed := begun(second)
	failed.Steers = true
	failed.Before = &deploy.Success{Commit: first, By: "U0YAMADA", At: 1700000000}
	failed.Failed = &deploy.Job{Name: "deploy", Stage: "deploy", URL: "http://127.0.0.1:38873/example/app/-/jobs/100302"}
	running := goes(first, first)
	running.Elapsed, running.Stages = 5, []deploy.Stage{{Name: "build", Status: "success"}, {Name: "test", Status: "success"}, {Name: "deploy", Status: "running"}}
	said := []deploy.Message{
		{ID: deploy.MsgStatusRunning, Progress: begun(first)},
		{ID: deploy.MsgStatusRunning, Progress: running},
		{ID: deploy.MsgStatusSucceeded, Progress: goes(first, first), Took: 6},
		{ID: deploy.MsgSucceeded, Seed: 3, Took: 6},
		{ID: deploy.MsgStatusRunning, Progress: begun(second)},
		{ID: deploy.MsgStatusFailed, Progress: failed, Took: 2},
		{ID: deploy.MsgFailed, User: "U0YAMADA", Progress: failed, Took: 2},
		{ID: deploy.MsgUnclear, User: "U0YAMADA", Word: map[string]string{"ja": "明日", "en": "tomorrow"}[lang]},
		{ID: deploy.MsgStatusRunning, Progress: begun(third), By: "U0SATO"},
		{ID: deploy.MsgStatusSucceeded, Progress: goes(third, third, second, first), By: "U0SATO", Took: 2},
		{ID: deploy.MsgSucceeded, Seed: 1, Took: 2},
	}
	// A line of psycher's, and those of the same message below it, without its buttons.
	line := regexp.MustCompile(`(?m)^(    ↳ psycher(?::| ✎) ).+\n((?:      [^ 👍✅❌🤔\[].*\n)*)`)
	lines := line.FindAllStringSubmatch(now, -1)
	if len(lines) != len(said) {
		return "", fmt.Errorf("psycher says %d lines, not %d", len(lines), len(said))
	}
	for i, m := range said {
		m.Target, m.Ref, m.For = "app", "master", "U0YAMADA"
		m.URL = fmt.Sprintf("http://127.0.0.1:38873/example/app/-/pipelines/%d", 1002+min(i/4, 2))
		text := ""
		for _, p := range voice(lang).Parts(m) {
			if p.Small {
				p.Text = "(" + p.Text + ")"
			}
			text += strings.NewReplacer("<@U0YAMADA>", "@yamada", "<@U0SATO>", "@sato", "*", "", "\n", "\n      ").Replace(p.Text) + "\n      "
		}
		text = regexp.MustCompile(`<!date[^>]+>`).ReplaceAllString(text, "22:13")
		text = regexp.MustCompile(`<(http[^|>]+/pipelines/\d+)\|([^>]+)>`).ReplaceAllString(text, "$2 ($1)")
		text = strings.TrimRight(regexp.MustCompile(`<http[^|>]+\|([^>]+)>`).ReplaceAllString(text, "$1"), " ")
		if m.ID == deploy.MsgUnclear { // what ran last is of that moment
			text += lines[i][2]
		}
		now = strings.Replace(now, lines[i][0], lines[i][1]+text, 1)
	}
	return now, nil
}

func voice(lang string) phrases.Voice {
	v, err := phrases.New(lang)
	if err != nil {
		panic(err) // "ja" and "en" are known
	}
	return v
}

// wordings are the texts of a message in the order of a page. The seed counts
// through them.
func wordings(lang string, m deploy.Message) []string {
	var texts []string
	for {
		text := asMarkdown(voice(lang).Text(m))
		if len(texts) > 0 && text == texts[0] {
			return texts
		}
		texts = append(texts, text)
		m.Seed++
	}
}

// asMarkdown is Slack's text as a cell of a page's table.
func asMarkdown(text string) string {
	for _, rule := range [][2]string{
		{`<!date\^[^|]*\|([-0-9: ]+) UTC>`, "$1"}, {`<@U0(\w+)>`, "@$1"}, {`<([^|>]+)\|([^>]+)>`, "[$2]($1)"}, {`\*([^*\n]+)\*`, "**$1**"}, {`\n`, "<br>"}, {`\|`, `\|`},
	} {
		text = regexp.MustCompile(rule[0]).ReplaceAllString(text, rule[1])
	}
	return strings.NewReplacer("@HANAKO", "@hanako", "@SATO", "@sato").Replace(text)
}
