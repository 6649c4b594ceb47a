package sim_test

import (
	"fmt"
	"os"
	"strconv"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"pgregory.net/rapid"

	"github.com/getto-systems/psycher/internal/sandbox/fakegitlab"
	"github.com/getto-systems/psycher/internal/sandbox/fakeslack"
	"github.com/getto-systems/psycher/internal/sim"
)

// deed is one thing that happens in a story, after a while.
type deed struct {
	After time.Duration
	Do    string
	Who   string // a or b, where it is about a process
}

func (d deed) String() string { return fmt.Sprintf("%v: %s %s", d.After, d.Do, d.Who) }

// deeds are what can happen, by name.
func deeds() map[string]func(y *play, d deed) {
	answer := func(name string) func(*play, deed) {
		return func(y *play, _ deed) {
			f, ok := fakegitlab.Named(name)
			if !ok {
				panic("no fault " + name)
			}
			y.w.GitLab.Answer(1, f)
		}
	}
	slack := func(method string, f fakeslack.Fault) func(*play, deed) {
		return func(y *play, _ deed) { y.w.Slack.Fail(method, 1, f) }
	}
	return map[string]func(y *play, d deed){
		"ask":              func(y *play, _ deed) { y.ask("release") },
		"ask again":        func(y *play, _ deed) { y.ask("リリースお願いします") },
		"hold back":        func(y *play, _ deed) { y.ask("release しないで") },
		"greet":            func(y *play, _ deed) { y.ask("よろしく") },
		"deliver again":    func(y *play, _ deed) { y.w.Slack.Redeliver(sim.Channel, y.last()) },
		"edit to stop":     func(y *play, _ deed) { y.w.Slack.Edit(sim.Channel, y.last(), sim.Bot+" よろしく") },
		"edit to ask":      func(y *play, _ deed) { y.w.Slack.Edit(sim.Channel, y.last(), sim.Bot+" release, please") },
		"next one fails":   func(y *play, _ deed) { y.next(func() { y.result = "failure" }) },
		"next one starts":  func(y *play, _ deed) { y.next(func() { y.starts = true }) },
		"nobody calls":     func(y *play, _ deed) { y.next(func() { y.mute = true }) },
		"calls twice":      func(y *play, _ deed) { y.next(func() { y.twice = true }) },
		"another calls":    func(y *play, _ deed) { y.stray(y.last()) },
		"GitLab cuts":      answer("cut"),
		"GitLab makes+cut": answer("made and cut"),
		"GitLab makes late": func(y *play, d deed) {
			answer("made late and hang")(y, d)
		},
		"GitLab 500":       answer("500"),
		"GitLab limits":    answer("rate limit of a proxy"),
		"GitLab refuses":   answer("reference not found"),
		"GitLab slow":      answer("slow"),
		"Slack 429":        slack("chat.postMessage", fakeslack.RateLimited(3*time.Second)),
		"Slack loses post": slack("chat.postMessage", fakeslack.LoseAnswer()),
		"Slack cuts post":  slack("chat.postMessage", fakeslack.Cut()),
		"Slack 503":        slack("reactions.add", fakeslack.Unavailable()),
		"Slack loses mark": slack("reactions.add", fakeslack.LoseAnswer()),
		"sockets drop":     func(y *play, _ deed) { y.drop() },
		"kill":             func(y *play, d deed) { y.kill(d.Who) },
		"stop":             func(y *play, d deed) { y.stop(d.Who) },
		"start":            func(y *play, d deed) { y.start(d.Who) },
		"suspend":          func(y *play, d deed) { y.suspend(d.Who) },
		"Redis away":       func(y *play, _ deed) { y.w.RedisAway(8 * time.Second) },
		"Redis refuses":    func(y *play, _ deed) { y.w.RedisSays("LOADING Redis is loading the dataset in memory", 8*time.Second) },
		"Redis forgets":    func(y *play, _ deed) { y.w.Redis.FlushAll(); y.forgot = time.Now() },
	}
}

// play is a story as it runs.
type play struct {
	w                   *sim.World
	alive               map[string]*sim.Process
	said                []string
	mu                  sync.Mutex // of what the next pipeline does
	result              string
	starts, mute, twice bool
	forgot              time.Time
	when                map[string]time.Time
}

// next changes what the next pipeline does.
func (y *play) next(change func()) {
	y.mu.Lock()
	defer y.mu.Unlock()
	change()
}

func (y *play) ask(words string) {
	ts := y.w.Slack.Say(sim.User, sim.Channel, sim.Bot+" "+words)
	y.said = append(y.said, ts)
	y.when[ts] = time.Now()
}

func (y *play) last() string {
	if len(y.said) == 0 {
		return "1.000000"
	}
	return y.said[len(y.said)-1]
}

func (y *play) stray(ts string) {
	for _, name := range []string{"a", "b"} {
		y.w.Notify(name, "success", sim.Channel, ts, "id=0f8fad5b-d9cb-469f-a165-70867728950e", "pipeline=99999")
	}
}

func (y *play) drop() {
	for _, n := range y.w.Slack.Sockets() {
		y.w.Slack.Drop(n)
	}
}

func (y *play) kill(who string) {
	if p := y.alive[who]; p != nil {
		p.Kill()
		delete(y.alive, who)
	}
}

func (y *play) stop(who string) {
	if p := y.alive[who]; p != nil {
		delete(y.alive, who)
		if err := p.Stop(); err != nil {
			y.w.T.Errorf("%s ended with %v", who, err)
		}
	}
}

func (y *play) start(who string) {
	if y.alive[who] == nil {
		y.w.Net.CutAll(who)
		y.alive[who] = y.w.Start(who)
	}
}

func (y *play) suspend(who string) {
	if p := y.alive[who]; p != nil {
		p.Suspend(90 * time.Second)
	}
}

// pipeline is what a pipeline of the story does.
func (y *play) pipeline(p fakegitlab.Pipeline) {
	y.mu.Lock()
	result, starts, mute, twice := y.result, y.starts, y.mute, y.twice
	y.result, y.starts, y.mute, y.twice = "success", false, false, false
	y.mu.Unlock()
	if starts && !y.w.Report(p, "start") {
		y.w.GitLab.Finish(p.ID, "failed")
		return
	}
	time.Sleep(7 * time.Second)
	y.w.GitLab.Finish(p.ID, map[string]string{"success": "success", "failure": "failed"}[result])
	if mute {
		return
	}
	y.w.Report(p, result)
	if twice {
		y.w.Report(p, result)
	}
}

// broken holds the world to what may be seen from outside.
func (y *play) broken() (broken []string) {
	made := map[string][]fakegitlab.Pipeline{}
	for _, p := range y.w.GitLab.Pipelines() {
		made[p.Variables["timestamp"]] = append(made[p.Variables["timestamp"]], p)
	}
	lost := strings.Join(y.w.Slack.Lost(), " ")
	for _, ts := range y.said {
		bad := func(format string, args ...any) {
			broken = append(broken, ts+": "+fmt.Sprintf(format, args...))
		}
		marks := strings.Join(y.w.Slack.Reactions(sim.Channel, ts), " ")
		texts := y.w.Texts(sim.Channel, ts)
		if len(made[ts]) > 1 {
			bad("%d pipelines", len(made[ts]))
		}
		forgot := y.when[ts].Before(y.forgot)
		if len(made[ts]) == 0 && len(texts) == 0 && !strings.Contains(lost, ts) && !forgot {
			bad("no pipeline, and nobody was told")
		}
		if len(made[ts]) == 1 && !forgot {
			want, ended := map[string]string{"success": "white_check_mark", "failed": "x"}[made[ts][0].Status]
			if marks != want || !ended {
				bad("reactions %q where the pipeline is %s", marks, made[ts][0].Status)
			}
		}
		if len(strings.Fields(marks)) > 1 && !forgot || strings.Contains(marks, "hourglass") && !forgot {
			bad("reactions %q", marks)
		}
	}
	return broken
}

// runStory plays the deeds with two replicas, then heals everything, and tells
// what was broken in the end.
func runStory(t *testing.T, story []deed) (broken []string) {
	synctest.Test(t, func(t *testing.T) {
		w := sim.New(t)
		y := &play{w: w, alive: map[string]*sim.Process{}, result: "success", when: map[string]time.Time{}}
		w.Pipeline = y.pipeline
		y.start("a")
		y.start("b")
		time.Sleep(5 * time.Second)
		all := deeds()
		for _, d := range story {
			time.Sleep(d.After)
			all[d.Do](y, d)
		}
		w.GitLab.Heal()
		time.Sleep(10 * time.Second)
		y.start("a")
		y.start("b")
		for end := time.Now().Add(9 * time.Minute); time.Now().Before(end); time.Sleep(2 * time.Second) {
			if len(y.broken()) == 0 {
				break
			}
		}
		time.Sleep(15 * time.Second) // for what should not come
		broken = y.broken()
	})
	return broken
}

// TestStories throws stories at two replicas. STORIES=n runs n of them.
func TestStories(t *testing.T) {
	var names []string
	for name := range deeds() {
		names = append(names, name)
	}
	sortStrings(names)
	n := 60
	if s, err := strconv.Atoi(os.Getenv("STORIES")); err == nil {
		n = s
	}
	setChecks(t, n)
	gen := rapid.SliceOfN(rapid.Custom(func(r *rapid.T) deed {
		return deed{
			After: time.Duration(rapid.IntRange(0, 40).Draw(r, "tenths")) * 100 * time.Millisecond,
			Do:    rapid.SampledFrom(names).Draw(r, "do"),
			Who:   rapid.SampledFrom([]string{"a", "b"}).Draw(r, "who"),
		}
	}), 1, 14)
	stories := 0
	rapid.Check(t, func(r *rapid.T) {
		story := append([]deed{{Do: "ask"}}, gen.Draw(r, "story")...)
		stories++
		if broken := runStory(t, story); len(broken) > 0 {
			r.Fatalf("%s\nafter %v", strings.Join(broken, "\n"), story)
		}
	})
	t.Logf("%d stories", stories)
}
