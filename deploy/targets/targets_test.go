package targets

import (
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/getto-systems/psycher/deploy"
)

func parse(t *testing.T, data string) *Map {
	t.Helper()
	targets, err := Parse([]byte(data), "master", time.Hour, nil)
	if err != nil {
		t.Fatal(err)
	}
	return targets
}

func TestTargetKeepsItsOwnRulesAndTakesDefaults(t *testing.T) {
	targets := parse(t, `{"TEAM-ID": {"CHANNEL-ID": {
		"web": {"project_id": "PROJECT-ID", "token": "TRIGGER-TOKEN"},
		"api": {"project_id": 42, "token": "glptt-test", "ref": "release/1", "release_key": "GO_API", "timeout": "90m", "allow": ["W02", "S03", "U01", "U01"], "aliases": ["エーピーアイ", "backend"], "url": "https://api.example/", "announce": "failures", "approvals": 1, "approvers": ["U02", "U01"]},
		"アプリ": {"project_id": "group/sub.group/app", "token": "0123456789abcdef0123456789abcd"}
	}}}`)
	want := []deploy.Target{
		{
			Team: "TEAM-ID", Channel: "CHANNEL-ID", Name: "api", Project: "42", Token: "glptt-test",
			Ref: "release/1", Key: "GO_API", Timeout: 90 * time.Minute, Allow: []string{"S03", "U01", "W02"}, Aliases: []string{"エーピーアイ", "backend"}, Site: "https://api.example/", Announce: deploy.AnnounceFailures, Confirm: true, Approvals: 1, Approvers: []string{"U01", "U02"},
		},
		{
			Team: "TEAM-ID", Channel: "CHANNEL-ID", Name: "web", Project: "PROJECT-ID", Token: "TRIGGER-TOKEN",
			Ref: "master", Key: "RELEASE", Timeout: time.Hour,
		},
		{
			Team: "TEAM-ID", Channel: "CHANNEL-ID", Name: "アプリ", Project: "group/sub.group/app", Token: "0123456789abcdef0123456789abcd",
			Ref: "master", Key: "RELEASE", Timeout: time.Hour,
		},
	}
	reveal := cmp.Comparer(func(a, b deploy.Secret) bool { return a.Reveal() == b.Reveal() })
	if diff := cmp.Diff(want, targets.In("TEAM-ID", "CHANNEL-ID"), reveal); diff != "" {
		t.Error(diff)
	}
}

func TestMapMayStandInsideAJSONString(t *testing.T) {
	plain := `{"T1": {"C1": {"app": {"project_id": 1, "token": "glptt-test"}}}}`
	for name, data := range map[string]string{
		"plain":           plain,
		"string":          strconv.Quote(plain),
		"blanks":          "\n " + plain + "\r\n",
		"byte order mark": "\uFEFF" + plain,
	} {
		if _, ok := parse(t, data).Find("T1", "C1", "app"); !ok {
			t.Errorf("%s: target is not found", name)
		}
	}
}

func TestLookUpsOfTheMap(t *testing.T) {
	targets := parse(t, `{
		"T2": {"C1": {"shared": {"project_id": 3, "token": "glptt-test"}}, "C9": {}},
		"T1": {
			"C1": {"App": {"project_id": 1, "token": "glptt-test"}, "both": {"project_id": 2, "token": "glptt-test"}},
			"C2": {"api": {"project_id": 10, "token": "glptt-test"}, "BOTH": {"project_id": 2, "token": "glptt-test"}}
		},
		"T3": {}, "T4": {"C1": {}}}`)

	if c, n := targets.Len(); c != 3 || n != 5 {
		t.Errorf("Len: %d channels, %d targets; want 3, 5", c, n)
	}
	var all []string
	for t := range targets.All() {
		all = append(all, t.Team+" "+t.Channel+" "+t.Name)
	}
	if diff := cmp.Diff([]string{"T1 C1 App", "T1 C1 both", "T1 C2 BOTH", "T1 C2 api", "T2 C1 shared"}, all); diff != "" {
		t.Error("All:", diff)
	}
	if diff := cmp.Diff([]string{"1", "10", "2", "3"}, targets.Projects()); diff != "" {
		t.Error("Projects:", diff)
	}
	if diff := cmp.Diff([]string{"T1", "T2"}, targets.Teams()); diff != "" {
		t.Error("Teams:", diff)
	}
	for _, row := range []struct {
		team, channel, name string
		found               bool
	}{
		{"T1", "C1", "App", true},
		{"T1", "C1", "app", false},
		{"T1", "C1", "api", false},
		{"T1", "C3", "App", false},
		{"T3", "C1", "App", false},
	} {
		got, ok := targets.Find(row.team, row.channel, row.name)
		if ok != row.found || ok && got.Name != row.name {
			t.Errorf("Find(%s, %s, %s): %v, want %v", row.team, row.channel, row.name, ok, row.found)
		}
	}
	for _, row := range []struct {
		team, channel, name string
		elsewhere           bool
	}{
		{"T1", "C1", "api", true},
		{"T1", "C1", "API", true},
		{"T1", "C2", "app", true},
		{"T1", "C1", "app", false},
		{"T1", "C1", "both", true},
		{"T1", "C2", "both", true},
		{"T1", "C1", "shared", false}, // another team's
		{"T1", "C1", "nothing", false},
		{"T1", "C7", "app", true},
		{"T9", "C1", "app", false},
	} {
		if got := targets.Elsewhere(row.team, row.channel, row.name); got != row.elsewhere {
			t.Errorf("Elsewhere(%s, %s, %s): %v, want %v", row.team, row.channel, row.name, got, row.elsewhere)
		}
	}
}

func TestNoMapIsAnEmptyMap(t *testing.T) {
	var none *Map
	_, found := none.Find("T1", "C1", "app")
	channels, targets := none.Len()
	if none.In("T1", "C1") != nil || found || none.Teams() != nil || none.Elsewhere("T1", "C1", "app") ||
		slices.Collect(none.All()) != nil || none.Projects() != nil || channels+targets != 0 {
		t.Error("a nil map holds something")
	}
}

func TestWrongMapIsRefusedWithThePath(t *testing.T) {
	target := func(keys string) string { return `{"T1": {"C1": {"app": {` + keys + `}}}}` }
	with := func(key string) string { return target(`"project_id": 1, "token": "glptt-test", ` + key) }
	named := func(names ...string) string {
		var all []string
		for _, name := range names {
			all = append(all, name+`: {"project_id": 1, "token": "glptt-test"}`)
		}
		return `{"T1": {"C1": {` + strings.Join(all, ",") + `}}}`
	}
	for _, row := range []struct{ name, data, want string }{
		{"nothing", " ", "is empty"},
		{"no team", "{}", "holds no target"},
		{"no target", `{"T1": {"C1": {}}}`, "holds no target"},
		{"broken", "{\n  \"T1\": x", "is not JSON: look at line 2, column 9"},
		{"cut short", `{"T1": {`, "is not JSON: look at line 1, column 8"},
		{"trailing garbage", target("") + " x", "is not JSON: look at line 1, column 29"},
		{"two maps", target("") + target(""), "is not JSON: look at line 1, column 28"},
		{"broken in a string", `"{\"T1\""`, "is not JSON: look at line 1, column 5 of the JSON inside the string"},
		{"a string in a string", `"\"x\""`, "must be an object ({...}) with teams"},
		{"a list", `[{"T1": 1}, 2]`, "must be an object ({...}) with teams"},
		{"null", `null`, "must be an object ({...}) with teams"},
		{"team is no object", `{"T1": 1}`, "T1: must be an object ({...}) with channels"},
		{"channel is no object", `{"T1": {"C1": [[1], {}]}}`, "T1.C1: must be an object ({...}) with targets"},
		{"target is no object", `{"T1": {"C1": {"app": "glptt-test"}}}`, "T1.C1.app: must be an object ({...}) with project_id, token,"},
		{"team id", `{"T 1": {}}`, `"T 1": must be a team's id`},
		{"channel id", `{"T1": {"#dev": {}}}`, `T1."#dev": must be a channel's id`},
		{"ids swapped", `{"C1": {"T1": {}}}`, "C1.T1: the two ids are swapped: the workspace (T...) is outside, the channel (C...) inside"},
		{"ids swapped in an organisation", `{"G1": {"E1": {}}}`, "G1.E1: the two ids are swapped"},
		{"a token left out", target(`"project_id": 1, "token": "glptt-..."`), "T1.C1.app.token: is the placeholder of the documents: put the real token in its place"},
		{"empty channel id", `{"T1": {"": {}}}`, `T1."": must be a channel's id`},
		{"team twice", `{"T1": {}, "T1": {}}`, "T1: is a duplicate key"},
		{"channel twice", `{"T1": {"C1": {}, "C1": {}}}`, "T1.C1: is a duplicate key"},
		{"target twice", named(`"app"`, `"app"`), "T1.C1.app: is a duplicate key"},
		{"key twice", with(`"token": "glptt-test"`), "T1.C1.app.token: is a duplicate key"},
		{"a page with a user", `{"T1": {"C1": {"app": {"project_id": 1, "token": "glptt-test", "url": "https://me:pw@app.example/"}}}}`, "T1.C1.app.url: must be the address of a web page, https:// or http://, without a user, in quotes"},
		{"a page that is none", `{"T1": {"C1": {"app": {"project_id": 1, "token": "glptt-test", "url": "javascript:alert(1)"}}}}`, "T1.C1.app.url: must be the address of a web page, https:// or http://, without a user, in quotes"},
		{"an unknown announcement", `{"T1": {"C1": {"app": {"project_id": 1, "token": "glptt-test", "announce": "always"}}}}`, `T1.C1.app.announce: must be "never", "failures" or "all"`},
		{"no approval", with(`"approvals": 0`), "T1.C1.app.approvals: must be a whole number from 1 to 9, without quotes"},
		{"half an approval", with(`"approvals": 1.5`), "T1.C1.app.approvals: must be a whole number from 1 to 9, without quotes"},
		{"more approvals than approvers", with(`"approvals": 2, "approvers": ["U1", "U1"]`), "T1.C1.app.approvals: needs more people than approvers names"},
		{"as many approvals as people", with(`"approvals": 2, "allow": ["U1", "U2"]`), "T1.C1.app.approvals: needs more people than allow names, and who asks does not count"},
		{"a confirmation that is null", with(`"confirm": null`), "T1.C1.app.confirm: must be true or false, without quotes"},
		{"approvers without approvals", with(`"approvers": ["U1"]`), "T1.C1.app.approvers: says who may approve: say how many have to, in approvals"},
		{"approvers of a wrong form", with(`"approvals": 1, "approvers": "U1"`), `T1.C1.app.approvers: must be a list of user ids such as ["U01ABC"]`},
		{"no approvers", with(`"approvals": 1, "approvers": []`), `T1.C1.app.approvers: must be a list of user ids such as ["U01ABC"]`},
		{"a confirmation in quotes", `{"T1": {"C1": {"app": {"project_id": 1, "token": "glptt-test", "confirm": "yes"}}}}`, "T1.C1.app.confirm: must be true or false, without quotes"},
		{"no aliases", `{"T1": {"C1": {"app": {"project_id": 1, "token": "glptt-test", "aliases": []}}}}`, `T1.C1.app.aliases: must be a list of names such as ["front", "フロント"]`},
		{"an alias that is another target's name", `{"T1": {"C1": {"app": {"project_id": 1, "token": "glptt-test", "aliases": ["API"]}, "api": {"project_id": 1, "token": "glptt-test"}}}}`, "T1.C1.api: has the name api, which app has too"},
		{"an alias that is its own name", `{"T1": {"C1": {"app": {"project_id": 1, "token": "glptt-test", "aliases": ["app"]}}}}`, "T1.C1.app.aliases: differs from app only in upper and lower case"},
		{"an empty alias", `{"T1": {"C1": {"app": {"project_id": 1, "token": "glptt-test", "aliases": [""]}}}}`, "T1.C1.app.aliases: a target's name must have 1 to 80 characters"},
		{"names that differ in case", named(`"app"`, `"APP"`), "T1.C1.APP: differs from app only in upper and lower case"},
		{"empty name", named(`""`), `T1.C1."": a target's name must have 1 to 80 characters`},
		{"long name", named(`"` + strings.Repeat("あ", 81) + `"`), "a target's name must have 1 to 80 characters"},
		{"control character", named(`"a\u0007b"`), `T1.C1."a\ab": a target's name must have no control characters`},
		{"line end in a name", named(`"a\nb"`), `T1.C1."a\nb": a target's name must have no control characters`},
		{"no UTF-8", named("\"a\xffb\""), "a target's name must have no control characters"},
		{"blank before a name", named(`" app"`), `T1.C1." app": a target's name must not begin or end with a blank`},
		{"unknown key", with(`"reff": "main"`), "T1.C1.app.reff: is not a key of a target; these are: project_id, token, ref"},
		{"no project", target(`"token": "glptt-test"`), "T1.C1.app.project_id: is missing"},
		{"no token", target(`"project_id": 1`), "T1.C1.app.token: is missing"},
		{"the name of a token", with(`"token_env": "APP"`), "T1.C1.app.token_env: is a key of TARGETS_FILE"},
		{"path of a name with a dot", `{"T1": {"C1": {"web.app": {}}}}`, `T1.C1."web.app".token: is missing`},
		{"ref blank", with(`"ref": " "`), "T1.C1.app.ref: must be the name of a branch"},
		{"ref empty", with(`"ref": ""`), "T1.C1.app.ref: must be the name of a branch"},
		{"ref null", with(`"ref": null`), "T1.C1.app.ref: must be the name of a branch"},
		{"release_key", with(`"release_key": "2ND"`), "T1.C1.app.release_key: must be the name of a CI variable"},
		{"release_key with a dash", with(`"release_key": "GO-API"`), "T1.C1.app.release_key: must be the name of a CI variable"},
		{"release_key channel", with(`"release_key": "channel"`), "T1.C1.app.release_key: must be another name"},
		{"release_key timestamp", with(`"release_key": "timestamp"`), "T1.C1.app.release_key: must be another name"},
		{"release_key PSYCHER_ID", with(`"release_key": "PSYCHER_ID"`), "T1.C1.app.release_key: must be another name"},
		{"release_key PSYCHER_TOKEN", with(`"release_key": "PSYCHER_TOKEN"`), "T1.C1.app.release_key: must be another name"},
		{"release_key of psycher's", with(`"release_key": "PSYCHER_GO"`), "T1.C1.app.release_key: must be another name"},
		{"release_key NOTIFY_URL", with(`"release_key": "NOTIFY_URL"`), "T1.C1.app.release_key: must be another name"},
		{"timeout without unit", with(`"timeout": "60"`), "T1.C1.app.timeout: must be a duration"},
		{"timeout as a number", with(`"timeout": 60`), "T1.C1.app.timeout: must be a duration"},
		{"timeout zero", with(`"timeout": "0s"`), "T1.C1.app.timeout: must be a duration"},
		{"timeout negative", with(`"timeout": "-1h"`), "T1.C1.app.timeout: must be a duration"},
		{"allow is no list", with(`"allow": "U01"`), "T1.C1.app.allow: must be a list of user ids"},
		{"allow a name", with(`"allow": ["@alice"]`), "T1.C1.app.allow: must be a list of user ids"},
		{"allow a number", with(`"allow": [1]`), "T1.C1.app.allow: must be a list of user ids"},
		{"allow nobody", with(`"allow": []`), "T1.C1.app.allow: is empty"},
	} {
		t.Run(row.name, func(t *testing.T) {
			_, err := Parse([]byte(row.data), "master", time.Hour, nil)
			if err == nil {
				t.Fatal("is taken")
			}
			if !strings.Contains(err.Error(), row.want) {
				t.Errorf("got  %s\nwant %s", err, row.want)
			}
		})
	}
}

func TestTargetsThatAreTheSameForGitLabAgree(t *testing.T) {
	target := func(keys string) string { return `{"project_id": "group/app", "token": "glptt-test"` + keys + `}` }
	one := target("")
	for _, row := range []struct{ first, second, want string }{
		{one, target(`, "url": "https://app.example/", "announce": "all", "allow": ["U01"]`), ""},
		{one, target(`, "parallel": false, "confirm": false`), ""},
		{one, target(`, "parallel": true`), "T1.C2.web.parallel: differs from that of T1.C1.app, which deploys the same project, ref and release_key: give both the same"},
		{target(`, "confirm": true`), one, "T1.C2.web.confirm: differs from that of T1.C1.app"},
		{target(`, "approvals": 2`), target(`, "confirm": true`), "T1.C2.web.approvals: differs from that of T1.C1.app"},
		{target(`, "approvals": 1`), target(`, "approvals": 2`), "T1.C2.web.approvals: differs from that of T1.C1.app"},
		{target(`, "parallel": true, "ref": "master"`), target(`, "release_key": "RELEASE"`), "T1.C2.web.parallel: differs from that of T1.C1.app"},
		{one, target(`, "parallel": true, "ref": "other"`), ""},
		{one, target(`, "parallel": true, "release_key": "OTHER"`), ""},
	} {
		_, err := Parse([]byte(`{"T1": {"C1": {"app": `+row.first+`}, "C2": {"web": `+row.second+`}}}`), "master", time.Hour, nil)
		if got := fmt.Sprint(err); row.want == "" && err != nil || row.want != "" && (!strings.HasPrefix(got, row.want) || strings.Contains(got, "\n")) {
			t.Errorf("%s and %s:\ngot  %s\nwant %s", row.first, row.second, got, row.want)
		}
	}
	// Of two teams, they are no one target.
	parse(t, `{"T1": {"C1": {"app": `+one+`}}, "T2": {"C1": {"app": `+target(`, "parallel": true`)+`}}}`)
}

// reviewed reads a map that holds no tokens: the variable APP and the file app hold
// one each, WRONG another kind of one.
func reviewed(data string) (*Map, error) {
	return Parse([]byte(data), "master", time.Hour, func(key, name string) (string, error) {
		token, known := map[string]string{"token_env APP": "glptt-env", "token_file app": "glptt-file", "token_env WRONG": "glpat-marker-marker"}[key+" "+name]
		if !known {
			return "", errors.New("is not there")
		}
		return token, nil
	})
}

func TestAReviewedMapNamesItsTokens(t *testing.T) {
	m, err := reviewed(`{"T1": {"C1": {
		"app": {"project_id": 1, "token_env": "APP", "ref": "main"}, "web": {"project_id": 2, "token_file": "app"}}}}`)
	if err != nil {
		t.Fatal(err)
	}
	app, _ := m.Find("T1", "C1", "app")
	web, _ := m.Find("T1", "C1", "web")
	if app.Token.Reveal() != "glptt-env" || app.Ref != "main" || web.Token.Reveal() != "glptt-file" {
		t.Errorf("%+v %+v", app, web)
	}
}

func TestAReviewedMapHoldsNoTokens(t *testing.T) {
	for target, want := range map[string]string{
		`"token": "glptt-marker"`:                     "token: is a secret, which does not belong in this file",
		`"token_env": "glptt-marker"`:                 "token_env: must be the name of a variable",
		`"token_env": "marker marker"`:                "token_env: must be the name of a variable",
		`"token_env": ["marker"]`:                     "token_env: must be the name of a variable",
		`"token_file": ""`:                            "token_file: must be the name of a variable (token_env) or the path of a file",
		`"token_file": "glptt-marker"`:                "token_file: must be the name of a variable (token_env) or the path of a file",
		`"token_env": "MARKER"`:                       "token_env: is not there",
		`"token_file": "/marker"`:                     "token_file: is not there",
		`"token_env": "WRONG"`:                        "token_env: what it names is a GitLab access token",
		`"token_env": "APP", "token_file": "app"`:     "token_file: is a second token",
		`"token_env": "APP", "token": "glptt-marker"`: "token: is a secret, which does not belong in this file",
		`"ref": "main"`:                               "token_env: is missing",
	} {
		_, err := reviewed(`{"T1": {"C1": {"app": {"project_id": 1, ` + target + `}}}}`)
		if err == nil || !strings.HasPrefix(err.Error(), "T1.C1.app."+want) {
			t.Errorf("%s: %v", target, err)
		}
		if strings.Contains(strings.ToLower(fmt.Sprint(err)), "marker") {
			t.Errorf("%s: shown: %v", target, err)
		}
	}
}

func TestProjectIsANumberOrAPath(t *testing.T) {
	for value, good := range map[string]bool{
		`1`: true, `"1"`: true, `"group/app"`: true, `"グループ/app"`: true, `"PROJECT-ID"`: true,
		`0`: false, `-1`: false, `1.5`: false, `1e3`: false, `"0"`: false, `"007"`: false, `""`: false, `" 1"`: false,
		`"/group/app"`: false, `"group/app/"`: false, `"group//app"`: false, `"group%2Fapp"`: false,
		`"https://gitlab.com/group/app"`: false, `null`: false, `true`: false, `[1]`: false, `{"a": 1}`: false,
	} {
		_, err := Parse([]byte(`{"T1": {"C1": {"app": {"token": "glptt-test", "project_id": `+value+`}}}}`), "master", time.Hour, nil)
		if (err == nil) != good {
			t.Errorf("%s: %v", value, err)
		}
		if err != nil && !strings.HasPrefix(err.Error(), "T1.C1.app.project_id: must be the project's number") {
			t.Errorf("%s: %v", value, err)
		}
	}
}

func TestTokenThatCannotBeOneIsRefused(t *testing.T) {
	for value, want := range map[string]string{
		`"glpat-test-test-test"`: "is a GitLab access token (glpat-): make a trigger token",
		`"gldt-test-test-test"`:  "is a GitLab deploy token (gldt-)",
		`"xoxb-test-test-test"`:  "is a Slack bot token",
		`"xapp-test-test-test"`:  "is a Slack app-level token",
		`"abcd"`:                 "is too short",
		`"two words here"`:       "has a blank",
		`"line\nend-of-token"`:   "has a blank",
		`"とーくん-for-test"`:        "has a blank or another character",
		`""`:                     "must be a trigger token, in quotes",
		`12345678`:               "must be a trigger token, in quotes",
		`null`:                   "must be a trigger token, in quotes",
	} {
		_, err := Parse([]byte(`{"T1": {"C1": {"app": {"project_id": 1, "token": `+value+`}}}}`), "master", time.Hour, nil)
		if err == nil || !strings.HasPrefix(err.Error(), "T1.C1.app.token: "+want) {
			t.Errorf("%s: %v", value, err)
		}
	}
}

func TestAllThatIsWrongWithTheMapIsSaidAtOnce(t *testing.T) {
	_, err := Parse([]byte(`{"T1": {"C1": {
		"one": {"project_id": 0, "token": "glpat-test-test", "tokn": "x"},
		"two": {"project_id": 1, "token": "glptt-test", "timeout": "soon"},
		"three": 3}, "C 2": {"app": {}}}}`), "master", time.Hour, nil)
	var wrong *Error
	if !errors.As(err, &wrong) {
		t.Fatalf("%T", err)
	}
	var paths []string
	for _, problem := range wrong.Problems {
		path, _, _ := strings.Cut(problem, ": ")
		paths = append(paths, path)
	}
	want := []string{
		"T1.C1.one.project_id", "T1.C1.one.token", "T1.C1.one.tokn", "T1.C1.two.timeout", "T1.C1.three",
		`T1."C 2"`, `T1."C 2".app.project_id`, `T1."C 2".app.token`,
	}
	if diff := cmp.Diff(want, paths); diff != "" {
		t.Error(diff)
	}
	if lines := strings.Count(err.Error(), "\n") + 1; lines != len(want) {
		t.Errorf("%d lines for %d problems", lines, len(want))
	}
}

func TestTokenIsNeverShown(t *testing.T) {
	const token = "glptt-marker"
	targets := parse(t, `{"T1": {"C1": {"app": {"project_id": 1, "token": "`+token+`"}}}}`)
	app, _ := targets.Find("T1", "C1", "app")
	holder := struct {
		Targets *Map
		App     deploy.Target
	}{targets, app}
	asJSON, err := json.Marshal(holder)
	if err != nil {
		t.Fatal(err)
	}
	for _, shown := range []string{
		fmt.Sprintf("%v %+v %#v", targets, targets, targets),
		fmt.Sprintf("%v %+v %#v", *targets, *targets, *targets),
		fmt.Sprintf("%v %+v %#v", holder, holder, holder),
		fmt.Sprintf("%v %+v %#v", app, app, app),
		string(asJSON),
	} {
		if strings.Contains(shown, "marker") {
			t.Error(shown)
		}
	}
	for _, data := range []string{
		`{"T1": {"C1": {"app": {"project_id": "glptt-marker!", "token": "glpat-marker"}}}}`,
		`{"T1": {"C1": {"app": "glptt-marker"}}}`,
		`{"T1": {"C1": {"glptt-marker": {}}}}`,
		`{"T1": {"C1": {"app": {"glptt-marker": 1, "ref": "glptt-marker here", "timeout": "glptt-marker", "allow": ["glptt-marker"]}}}}`,
		`{"T1": {"C1": {"app": {"project_id": 1, "token": "mar" "marker"}}}}`,
		`glptt-marker`,
		`"glptt-marker"`,
	} {
		_, err := Parse([]byte(data), "master", time.Hour, nil)
		if err == nil || strings.Contains(err.Error(), "marker") {
			t.Errorf("%s: %v", data, err)
		}
	}
}

func FuzzParseTargets(f *testing.F) {
	for _, seed := range []string{
		`{"TEAM-ID": {"CHANNEL-ID": {"PROJECT": {"project_id": "PROJECT-ID", "token": "TRIGGER-TOKEN"}}}}`,
		`{"T1": {"C1": {"app": {"project_id": 1, "token": "glptt-test", "ref": "main", "release_key": "R", "timeout": "1h", "allow": ["U1"]}}}}`,
		`"{\"T1\": {\"C1\": {\"app\": {\"project_id\": 1, \"token\": \"glptt-test\"}}}}"`,
		`{"T1": {"C1": {"a": {}, "A": [], "a": [{}]}}}`, `[[], {}]`, `{`, ``, `"`, "glpat-test-test-test", "\x00\xff",
	} {
		f.Add([]byte(seed))
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		check(t, data)

		// Whatever stands in a token's place, an error does not show it.
		token, err := json.Marshal("secret>" + string(data))
		if err != nil {
			t.Fatal(err)
		}
		_, err = Parse([]byte(`{"T1": {"C1": {"app": {"project_id": 0, "token": `+string(token)+`}}}}`), "master", time.Hour, nil)
		if err == nil || strings.Contains(err.Error(), "secret>") {
			t.Errorf("%q", err)
		}
	})
}

// check holds what is true of every map, or of every error.
func check(t *testing.T, data []byte) {
	targets, err := Parse(data, "master", time.Hour, nil)
	if err != nil {
		var wrong *Error
		if !errors.As(err, &wrong) || len(wrong.Problems) == 0 {
			t.Fatalf("error without a problem: %q", err)
		}
		if slices.ContainsFunc(wrong.Problems, func(s string) bool { return s == "" || strings.Contains(s, "\n") }) {
			t.Errorf("not one line each: %q", wrong.Problems)
		}
		return
	}
	channels, count := 0, 0
	for teamID, team := range targets.teams {
		for channelID := range team.channels {
			channels++
			here := targets.In(teamID, channelID)
			count += len(here)
			if !slices.IsSortedFunc(here, func(a, b deploy.Target) int { return strings.Compare(a.Name, b.Name) }) {
				t.Errorf("not sorted: %v", here)
			}
			for _, target := range here {
				if got, ok := targets.Find(teamID, channelID, target.Name); !ok || got.Name != target.Name {
					t.Errorf("%q is not found", target.Name)
				}
				if target.Ref == "" || target.Key == "" || target.Timeout <= 0 || target.Project == "" || target.Token == "" {
					t.Errorf("not whole: %+v", target)
				}
				if !targets.Elsewhere(teamID, "another", target.Name) {
					t.Errorf("%q is not known elsewhere", target.Name)
				}
			}
		}
	}
	if c, n := targets.Len(); c != channels || n != count || n == 0 {
		t.Errorf("Len: %d, %d; counted %d, %d", c, n, channels, count)
	}
}

func BenchmarkParseTargetsOf100000Channels(b *testing.B) {
	var data strings.Builder
	data.WriteString(`{"T1": {`)
	for i := range 100_000 {
		if i > 0 {
			data.WriteString(",")
		}
		fmt.Fprintf(&data, `"C%06d": {"app-%d": {"project_id": %d, "token": "glptt-test-%d"}}`, i, i, i+1, i)
	}
	data.WriteString(`}}`)
	doc := []byte(data.String())
	b.SetBytes(int64(len(doc)))
	for b.Loop() {
		if _, err := Parse(doc, "master", time.Hour, nil); err != nil {
			b.Fatal(err)
		}
	}
}
