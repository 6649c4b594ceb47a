package dedupe

import (
	"context"
	"errors"
	"io/fs"
	"path"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/alicebob/miniredis/v2"

	"github.com/getto-systems/psycher/deploy"
	"github.com/getto-systems/psycher/deploy/engine"
)

// limited returns a store whose user has these rights on a real server, on which
// an administrator has created the keys.
func limited(t *testing.T, rights ...string) *Store {
	t.Helper()
	return limitedAt(t, redisServer(t, "--port", "PORT"), "", rights...)
}

func limitedAt(t *testing.T, port, query string, rights ...string) *Store {
	t.Helper()
	admin := open(t, "redis://127.0.0.1:"+port+query)
	claim(t, admin, deploy.Record{Layout: deploy.Layout, Revision: "a", State: deploy.Accepted, Request: mention("1.0")}, time.Hour)
	args := []any{"ACL", "SETUSER", "bot", "on", ">pw"}
	for _, r := range rights {
		args = append(args, r)
	}
	if err := admin.client.Do(t.Context(), args...).Err(); err != nil {
		t.Fatal(err)
	}
	return open(t, "redis://bot:pw@127.0.0.1:"+port+query)
}

// takes returns the error of a Take, which comes before anybody asks for a deploy.
func takes(t *testing.T, s *Store) error {
	t.Helper()
	return patiently(func() error {
		_, _, err := s.Take(t.Context(), 1, engine.Lease)
		return err
	})
}

// A store that answers may still refuse work. Readiness depends on Take, which must
// fail for whatever the work would fail for.
func TestTakeFailsIfAnythingThatScriptsDoIsForbidden(t *testing.T) {
	for right := range strings.FieldsSeq(rights) {
		t.Run(right, func(t *testing.T) {
			t.Parallel()
			s := limited(t, "~{psycher}:*", "+@all", "-"+right[1:])
			for range 2 { // the second one fails too
				if err := takes(t, s); !errors.Is(err, engine.ErrRefused) || !strings.Contains(err.Error(), "ACL SETUSER its name ~{psycher}:* "+rights) {
					t.Errorf("%v, want a refusal that names the rights", err)
				}
			}
		})
	}
	kinds := []string{"record:*", "due", "birth", "open:*", "history:*", "successes:*", "edits:*", "active:*"}
	for i, kind := range kinds {
		t.Run(kind, func(t *testing.T) {
			t.Parallel()
			allowed := []string{"+@all"}
			for _, other := range slices.Delete(slices.Clone(kinds), i, i+1) {
				allowed = append(allowed, "~{psycher}:"+other)
			}
			if err := takes(t, limited(t, allowed...)); !errors.Is(err, engine.ErrRefused) {
				t.Errorf("%v, want a refusal", err)
			}
		})
	}
}

func TestTheNamedRightsAreEnough(t *testing.T) {
	cluster := redisServer(t, "--port", "PORT", "--cluster-enabled", "yes", "--cluster-port", freePort(t))
	slots(t, open(t, "redis://127.0.0.1:"+cluster))
	for _, c := range []struct{ name, port, query, more string }{
		{"one server", redisServer(t, "--port", "PORT"), "", ""},
		{"another database", redisServer(t, "--port", "PORT"), "?db=1", "+select"},
		{"Cluster", cluster, "?addr=127.0.0.1:" + cluster, "+cluster +command"},
	} {
		t.Run(c.name, func(t *testing.T) {
			works(t, limitedAt(t, c.port, c.query, append([]string{"~{psycher}:*"}, strings.Fields(rights+" "+c.more)...)...))
		})
	}
}

// works does everything that a store does.
func works(t *testing.T, s *Store) {
	t.Helper()
	ctx := t.Context()
	if err := takes(t, s); err != nil {
		t.Fatal(err)
	}
	h, made := claim(t, s, deploy.Record{Layout: deploy.Layout, Revision: "a", State: deploy.Accepted, Request: mention("2.0")}, 0)
	next := *h.Record
	next.Revision, next.State, next.Deployment = "b", deploy.Succeeded, deployed("2.0", deploy.Succeeded, time.Hour, 0).Deployment
	saved, saving := s.Save(ctx, h, &next, 0)
	_, loaded, loading := s.Load(ctx, h.Record.Request.Key)
	history, past := s.History(ctx, app.ID(), false, 0, 1)
	successes, well := s.History(ctx, app.ID(), true, 0, 1)
	wait, editing := s.EditSlot(ctx, "T1", false)
	pending, reading := s.Pending(ctx, 10)
	going, listing := s.Open(ctx, "T1", "C1")
	_, birth := s.Birth(ctx, time.Now())
	if err := errors.Join(saving, s.Delay(ctx, saved, -1), s.Delay(ctx, saved, 0), loading, past, well, editing, reading, listing, birth, takes(t, s)); err != nil || !made || !loaded ||
		len(history) != 1 || len(successes) != 1 || wait != 0 || len(pending) != 2 || len(going) != 1 {
		t.Errorf("made %v, loaded %v, history %d, successes %d, an edit in %v, pending %d, open %d: %v", made, loaded, len(history), len(successes), wait, len(pending), len(going), err)
	}
}

// A refusal in the middle of a script is as certain as one before it, because the
// record is written last. The person is told that nothing was started.
func TestRefusalInTheMiddleOfAScriptIsCertain(t *testing.T) {
	for _, c := range []struct {
		name   string
		rights []string
	}{
		{"a command", []string{"~{psycher}:*", "+@all", "-zadd"}},
		{"a key", []string{"~{psycher}:record:*", "~{psycher}:birth", "+@all"}},
	} {
		t.Run(c.name, func(t *testing.T) {
			s := limited(t, c.rights...)
			r := deploy.Record{Revision: "a", State: deploy.Accepted, Request: mention("2.0")}
			if _, _, err := s.Claim(t.Context(), &r, time.Minute, time.Now(), deploy.TargetID{}); !errors.Is(err, engine.ErrRefused) {
				t.Errorf("%v, want a refusal", err)
			}
			if _, ok, err := s.Load(t.Context(), r.Request.Key); ok || err != nil {
				t.Errorf("the record exists: %v %v", ok, err)
			}
		})
	}
}

func TestKeyOfAWrongTypeIsARefusal(t *testing.T) {
	onBoth(t, func(t *testing.T, s *Store) {
		if err := s.client.Set(t.Context(), s.due(), "no sorted set", 0).Err(); err != nil {
			t.Fatal(err)
		}
		if err := takes(t, s); err == nil {
			t.Error("a take went through")
		}
		r := deploy.Record{Revision: "a", State: deploy.Accepted, Request: mention("1.0")}
		_, _, err := s.Claim(t.Context(), &r, time.Minute, time.Now(), deploy.TargetID{})
		if err == nil || s.embedded == nil && !errors.Is(err, engine.ErrRefused) {
			t.Errorf("%v, want a refusal", err)
		}
		if _, ok, err := s.Load(t.Context(), r.Request.Key); ok || err != nil {
			t.Errorf("the record exists: %v %v", ok, err)
		}
	})
}

// Redis 5 and 6 report an error in a script in a way of their own, 7.2 and Valkey
// that of an ACL.
func TestRefusalsInScriptsOfOtherVersions(t *testing.T) {
	for says, acl := range map[string]bool{
		"ERR Error running script (call to f_4a8c): @user_script:9: @user_script: 9: The user executing the script can't run this command or subcommand": true,
		"ERR ACL failure in script: User bot has no permissions to run the 'zadd' command script: 4a8c, on @user_script:9.":                              true,
		"NOPERM User bot has no permissions to run the 'evalsha' command":                                                                                true,
		"WRONGTYPE Operation against a key holding the wrong kind of value script: 4a8c, on @user_script:9.":                                             false,
		"ERR unknown command 'EVALSHA', with args beginning with: ":                                                                                      false,
	} {
		m := miniredis.RunT(t)
		s := open(t, "redis://"+m.Addr())
		m.SetError(says)
		err := takes(t, s)
		if !errors.Is(err, engine.ErrRefused) || strings.Contains(err.Error(), "ACL SETUSER") != acl {
			t.Errorf("%s: %v", says, err)
		}
	}
}

// commands returns the commands that a script calls, each with its options.
func commands(script string) []string {
	var all []string
	for _, m := range regexp.MustCompile(`redis\.call\('([A-Z]+)'([^)\n]*)`).FindAllStringSubmatch(script, -1) {
		all = append(all, m[1])
		for _, option := range regexp.MustCompile(`'([A-Z]+)'`).FindAllStringSubmatch(m[2], -1) {
			all = append(all, m[1]+" "+option[1])
		}
	}
	return all
}

func TestTheProbeDoesAllThatScriptsDo(t *testing.T) {
	all := sources(t)
	probe := regexp.MustCompile(`(?s)\nlocal function probe\(\)\n(.*?)\nend\n`).FindString(all["take"])
	probed := append(commands(probe), "TIME") // every script begins with it
	for name, script := range all {
		for _, c := range commands(script) {
			if !slices.Contains(probed, c) {
				t.Errorf("%s calls %s, and the probe does not", name, c)
			}
			if command, _, _ := strings.Cut(c, " "); !slices.Contains(strings.Fields(rights), "+"+strings.ToLower(command)) {
				t.Errorf("%s calls %s, which is not among the rights that are named", name, command)
			}
		}
	}
}

func TestEveryScriptWritesTheRecordLast(t *testing.T) {
	calls := regexp.MustCompile(`redis\.call\('(SET|ZADD|ZREM|DEL|HSET|SADD|INCR|[A-Z]*PUSH)', (KEYS\[\d\])`)
	for name, script := range sources(t) {
		if name != "claim" && name != "save" {
			continue
		}
		all := calls.FindAllStringSubmatch(script, -1)
		if len(all) < 3 {
			t.Fatalf("%s: too few writes were found: %v", name, all)
		}
		seen := false
		for _, m := range all {
			record := m[1] == "SET" && m[2] == "KEYS[1]"
			if seen && !record {
				t.Errorf("%s writes %s after the record", name, m[0])
			}
			seen = seen || record
		}
		if !seen {
			t.Errorf("%s does not write the record", name)
		}
	}
}

// The probe has no lasting effect: no due time, no record.
func TestTheProbeLeavesNothing(t *testing.T) {
	onBoth(t, func(t *testing.T, s *Store) {
		ctx := context.Background()
		claim(t, s, deploy.Record{Layout: deploy.Layout, Revision: "a", State: deploy.Accepted, Request: mention("1.0")}, time.Hour)
		s.unproved.Store(true)
		if got := take(t, s, 10); len(got) != 0 {
			t.Errorf("took %v", got)
		}
		if pending, err := s.Pending(ctx, 10); err != nil || len(pending) != 1 {
			t.Errorf("pending: %d %v", len(pending), err)
		}
		if n := s.client.ZCard(ctx, s.due()).Val(); n != 1 {
			t.Errorf("%d due times, want the one", n)
		}
		for _, key := range s.client.Keys(ctx, "*probe*").Val() {
			if ttl := s.client.PTTL(ctx, key).Val(); ttl > time.Second || ttl == -1 {
				t.Errorf("%s stays for %v", key, ttl)
			}
		}
	})
}

// sources are the scripts, by name.
func sources(t *testing.T) map[string]string {
	t.Helper()
	files, err := fs.Glob(scripts, "scripts/*.lua")
	if err != nil || len(files) < 8 {
		t.Fatalf("%d scripts, %v", len(files), err)
	}
	all := map[string]string{}
	for _, file := range files {
		text, err := scripts.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		all[strings.TrimSuffix(path.Base(file), ".lua")] = string(text)
	}
	return all
}
