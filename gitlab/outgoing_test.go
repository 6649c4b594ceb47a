package gitlab

import (
	"fmt"
	"strings"
	"testing"
	"testing/synctest"

	"github.com/google/go-cmp/cmp"

	"github.com/getto-systems/psycher/deploy"
	"github.com/getto-systems/psycher/internal/sandbox/fakegitlab"
)

func TestWhatGoesOut(t *testing.T) {
	const nobody = "0123456789abcdef0123456789abcdef01234567"
	synctest.Test(t, func(t *testing.T) {
		c, g, _ := standIn(t, func(conf *fakegitlab.Config) {
			conf.Projects[0].Commits = []fakegitlab.Commit{{Title: "one", Author: "Hanako"}}
			conf.Projects[0].Refs = []string{"master", "feature/x"}
		})
		first := trigger(t, g, testID).SHA
		var all []deploy.Commit // newest first
		for _, title := range []string{"two", "three", "four", "five"} {
			p := g.Push("group/app", "master", title, "Taro")
			all = append([]deploy.Commit{{SHA: p.SHA, Title: title, Author: "Taro", URL: "http://gitlab.test/group/app/-/commit/" + p.SHA}}, all...)
		}
		var named []deploy.Commit // what is shown of them
		for _, one := range all {
			named = append(named, deploy.Commit{Title: one.Title, Author: one.Author})
		}
		oldest := deploy.Commit{SHA: first, Title: "one", Author: "Hanako", URL: "http://gitlab.test/group/app/-/commit/" + first}
		compare := func(since, head string) string {
			return "http://gitlab.test/group/app/-/compare/" + since + "..." + head
		}
		for _, row := range []struct {
			name, since, head string
			out               deploy.Commits
			at                deploy.Commit
		}{
			{"all", first, "master", deploy.Commits{Count: 4, First: named[:3], Compare: compare(first, all[0].SHA)}, all[0]},
			{"all, by its whole ref", first, "refs/heads/master", deploy.Commits{Count: 4, First: named[:3], Compare: compare(first, all[0].SHA)}, all[0]},
			{"up to a commit", first, all[2].SHA, deploy.Commits{Count: 2, First: named[2:], Compare: compare(first, all[2].SHA)}, all[2]},
			{"one", all[1].SHA, all[0].SHA, deploy.Commits{Count: 1, First: named[:1], Compare: compare(all[1].SHA, all[0].SHA)}, all[0]},
			{"nothing new", all[0].SHA, "master", deploy.Commits{}, all[0]},
			{"back", all[0].SHA, all[2].SHA, deploy.Commits{Back: true, Compare: compare(all[0].SHA, all[2].SHA)}, all[2]},
			{"back to another branch", all[0].SHA, "feature/x", deploy.Commits{Back: true, Compare: compare(all[0].SHA, first)}, oldest},
			{"no last success", "", "master", deploy.Commits{}, all[0]},
			{"no last success that is a commit", "master", "master", deploy.Commits{}, all[0]},
			{"a last success that is not there any more", nobody, "master", deploy.Commits{}, all[0]},
		} {
			out, at, err := c.Outgoing(t.Context(), "group/app", row.since, row.head)
			if diff := cmp.Diff(row.out, out) + cmp.Diff(row.at, at); diff != "" || err != nil {
				t.Errorf("%s: %v\n%s", row.name, err, diff)
			}
		}
		for _, head := range []string{"gone", nobody} {
			if out, at, err := c.Outgoing(t.Context(), "group/app", first, head); !refusedWith(err, 404) {
				t.Errorf("%s: %+v, %+v, %v", head, out, at, err)
			}
		}
		if _, _, err := c.Outgoing(t.Context(), "group/none", first, "master"); !hidden(err) {
			t.Errorf("of no project: %v", err)
		}
		for range 120 {
			g.Push("group/app", "master", "more", "Taro")
		}
		if out, _, err := c.Outgoing(t.Context(), "group/app", first, "master"); out.Count != commitsRead || !out.More || err != nil {
			t.Errorf("of many: %+v, %v", out, err)
		}
	})
}

// One call is enough where there are commits.
func TestCommitsAreReadAtOnce(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c, g, asked := counting(t)
		since := trigger(t, g, testID).SHA
		head := g.Push("group/app", "master", "more", "Taro").SHA
		if out, _, err := c.Outgoing(t.Context(), "group/app", since, head); out.Count != 1 || err != nil || asked("") != 1 {
			t.Errorf("%+v, %v, asked %d times", out, err, asked(""))
		}
		if _, at, err := c.Outgoing(t.Context(), "group/app", "", head); at.SHA != head || err != nil || asked("") != 2 {
			t.Errorf("%+v, %v, asked %d times", at, err, asked(""))
		}
	})
}

func TestTitlesAreHarmless(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c, g, _ := standIn(t)
		since := trigger(t, g, testID).SHA
		long := strings.Repeat("あ", 200)
		g.Push("group/app", "master", "Fix <script>x</script>\n\x00"+testAPIToken+" psy_"+strings.Repeat("A7", 16)+long, "<b>"+long)
		_, at, err := c.Outgoing(t.Context(), "group/app", since, "master")
		if err != nil || len([]rune(at.Title)) != titleLimit || len([]rune(at.Author)) != authorLimit || strings.ContainsAny(at.Title+at.Author, "<>\n\x00") {
			t.Errorf("%+v, %v", at, err)
		}
		if strings.Contains(at.Title, "A7A7") || strings.Contains(at.Title, testAPIToken) {
			t.Errorf("a secret: %q", at.Title)
		}
	})
}

func TestBadAnswersAboutCommits(t *testing.T) {
	answers := badAnswers(t)
	for name, body := range map[string]string{
		"no SHA": `[{"title":"x"}]`, "an SHA that is none": `[{"id":"<b>","title":"x"}]`, "nothing": `[{}]`, "one that is null": `[null]`,
	} {
		answers[name] = fakegitlab.Fault{Status: 200, Body: body, Header: isJSON}
	}
	for name, f := range answers {
		for _, part := range []string{"/repository/commits", "/repository/"} {
			synctest.Test(t, func(t *testing.T) {
				c, g, _ := standIn(t)
				since := trigger(t, g, testID).SHA
				g.Push("group/app", "master", "more", "Taro")
				g.FailLookUps(-1, part, f)
				if out, at, err := c.Outgoing(t.Context(), "group/app", since, "master"); err == nil || at.SHA != "" || out.Count != 0 || out.Compare != "" {
					t.Errorf("%s: %+v, %+v, %v", name, out, at, err)
				}
			})
		}
		synctest.Test(t, func(t *testing.T) {
			c, g, _ := standIn(t)
			back := trigger(t, g, testID).SHA
			since := g.Push("group/app", "master", "more", "Taro").SHA
			g.FailLookUps(-1, "/merge_base", f)
			out, at, err := c.Outgoing(t.Context(), "group/app", since, back)
			if out.Back || at.SHA != back || err == nil && name != "a 404" {
				t.Errorf("%s, of the base: %+v, %+v, %v", name, out, at, err)
			}
		})
	}
	for _, address := range []string{"", "javascript:x", "http://user:word@gitlab.test/group/app/-/commit/1", "http://gitlab.test/x"} {
		synctest.Test(t, func(t *testing.T) {
			c, g, _ := standIn(t)
			sha := trigger(t, g, testID).SHA
			g.FailLookUps(1, "/repository/commits", fakegitlab.Fault{Status: 200, Body: fmt.Sprintf(`[{"id":%q,"web_url":%q}]`, sha, address)})
			out, at, err := c.Outgoing(t.Context(), "group/app", strings.Repeat("0", 40), sha)
			if at.SHA != sha || at.URL != "" || out.Compare != "" || out.Count != 1 || err != nil {
				t.Errorf("%q: %+v, %+v, %v", address, out, at, err)
			}
		})
	}
}
