package dedupe

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/redis/go-redis/v9"
	"github.com/rs/zerolog"

	"github.com/getto-systems/psycher/deploy"
)

func TestParseURL(t *testing.T) {
	for _, c := range []struct {
		url  string
		want address
	}{
		{"redis://h", address{redis.UniversalOptions{Addrs: []string{"h:6379"}}, false}},
		{"REDIS://h:1/", address{redis.UniversalOptions{Addrs: []string{"h:1"}}, false}},
		{"redis://[::1]:6380/2", address{redis.UniversalOptions{Addrs: []string{"[::1]:6380"}, DB: 2}, false}},
		{"redis://[::1]", address{redis.UniversalOptions{Addrs: []string{"[::1]:6379"}}, false}},
		{"redis://h/1?db=3&pool_size=5", address{redis.UniversalOptions{Addrs: []string{"h:6379"}, DB: 3}, false}},
		{"rediss://u:p%2Fw%40%25@h.example.com:6380/0", address{redis.UniversalOptions{Addrs: []string{"h.example.com:6380"}, Username: "u", Password: "p/w@%"}, true}},
		{"redis://:p@ss:word@h", address{redis.UniversalOptions{Addrs: []string{"h:6379"}, Password: "p@ss:word"}, false}},
		{"rediss://h?skip_verify=false", address{redis.UniversalOptions{Addrs: []string{"h:6379"}}, true}},
		{"redis://u:p@h:1?addr=h2:2&addr=%5B::1%5D:3", address{redis.UniversalOptions{Addrs: []string{"h:1", "h2:2", "[::1]:3"}, Username: "u", Password: "p"}, false}},
		{"redis://su:sp@h:1?master_name=main&addr=h2:2&username=u&password=p%2Bw", address{redis.UniversalOptions{
			Addrs: []string{"h:1", "h2:2"}, MasterName: "main", SentinelUsername: "su", SentinelPassword: "sp", Username: "u", Password: "p+w",
		}, false}},
		{"unix://u:p@/run/redis.sock?db=1", address{redis.UniversalOptions{Addrs: []string{"/run/redis.sock"}, DB: 1, Username: "u", Password: "p"}, false}},
	} {
		got, err := parseURL(deploy.Secret(c.url))
		if diff := cmp.Diff(c.want, got, cmp.AllowUnexported(address{})); diff != "" || err != nil {
			t.Errorf("%s: %v\n%s", c.url, err, diff)
		}
	}
}

func TestInvalidURLs(t *testing.T) {
	for raw, want := range map[string]error{
		"":                                   errURLScheme,
		"h:6379":                             errURLScheme,
		"http://h":                           errURLScheme,
		"redis+sentinel://h":                 errURLScheme,
		"redis://":                           errURL,
		"redis://:6379":                      errURL,
		"redis://u:p@":                       errURL,
		"redis://h:0":                        errURL,
		"redis://h:65536":                    errURL,
		"redis://h:port":                     errURL,
		"redis://a b":                        errURL,
		"redis://[::1":                       errURL,
		"redis://[h]:1":                      errURL,
		"redis://-h":                         errURL,
		"redis://h/x":                        errURL,
		"redis://h/1/2":                      errURL,
		"redis://h?db=-1":                    errURL,
		"redis://u:p%zz@h":                   errURL,
		"redis://u:p w@h":                    errURL,
		"redis://u:p#w@h":                    errURL,
		"redis://u:p/w@h":                    errURL,
		"redis://u:p?w@h":                    errURL,
		"redis://u:p/w":                      errURL,
		"redis://h#1":                        errURL,
		"redis://h?addr=h2":                  errURL,
		"redis://h?addr=:1":                  errURL,
		"redis://h?pool_siz=5":               errURL,
		"redis://h?pool_size=5;x":            errURL,
		"redis://h?password=p":               errURL,
		"redis://h?master_name=m&password=+": errURL,
		"redis://h?master_name=":             errURL,
		"rediss://h?skip_verify=true":        errURLVerify,
		"rediss://h?skip_verify=yes":         errURLVerify,
		"unix://h/run/redis.sock":            errURL,
		"unix://":                            errURL,
		"unix:///":                           errURL,
	} {
		if err := CheckURL(deploy.Secret(raw)); !errors.Is(err, want) {
			t.Errorf("%q: %v, want %v", raw, err, want)
		}
	}
}

// The forms of a URL, with a password at %s.
var forms = []string{
	"redis://%s@redis.test:6379/0", "redis://user:%s@redis.test:6379", "rediss://:%s@redis.test",
	"redis://:%s@redis.test?addr=redis2.test:6379", "redis://:%s@redis.test?master_name=main",
	"redis://redis.test?master_name=main&password=%s", "redis://redis.test?master_name=main&password=%s&addr=redis2.test:6379",
	"unix://:%s@/run/redis.sock",
}

// The halves of a password, neither of which may be shown anywhere.
const front, back = "Xq7Zw9", "Vk3Jh8"

// leaks returns the first three letters in a row of either half that a text has.
func leaks(text string) string {
	for _, half := range []string{front, back} {
		for i := range len(half) - 2 {
			if strings.Contains(strings.ToLower(text), strings.ToLower(half[i:i+3])) {
				return half[i : i+3]
			}
		}
	}
	return ""
}

// shown is everything that comes out of a store with a URL: what is dialed (and
// so looked up), and what is said.
func shown(t testing.TB, raw string) string {
	t.Helper()
	var out strings.Builder
	s, err := Open(Config{URL: deploy.Secret(raw), Prefix: "psycher", Log: zerolog.New(&out), Dial: func(_ context.Context, network, addr string) (net.Conn, error) {
		return nil, &net.OpError{Op: "dial", Net: network, Err: &net.DNSError{Err: "no such host", Name: addr}}
	}})
	if err != nil {
		return err.Error()
	}
	defer s.Close()
	ctx, cancel := context.WithTimeout(context.Background(), time.Second)
	defer cancel()
	_, _, err = s.Claim(ctx, &deploy.Record{Request: mention("1.0")}, time.Minute, time.Now(), deploy.TargetID{})
	return fmt.Sprint(err, " ", out.String())
}

// After a character that ends a password too early, its rest is read as a host, a
// port, a path or a parameter: none of that is looked up or shown.
func TestNoPartOfAPasswordIsShown(t *testing.T) {
	middles := []string{"", "//", "://", "?addr=", "?master_name=", "&password=", "&addr=", ":1/", ":1?db=", "@redis.test:6379/", "@redis.test/", "%", "%2", "%zz", "あ"}
	for r := rune(1); r < 0x80; r++ {
		middles = append(middles, string(r), "12"+string(r), string(r)+string(r))
	}
	for _, form := range forms {
		for _, middle := range middles {
			for _, password := range []string{front + middle + back, middle + front, front + middle, "6379" + middle + front} {
				raw := fmt.Sprintf(form, password)
				if got := shown(t, raw); leaks(got) != "" {
					t.Errorf("%q shows %q: %s", raw, leaks(got), got)
				}
			}
		}
	}
}

// Any password is accepted if it is written as the errors say.
func TestEveryPasswordCanBeWritten(t *testing.T) {
	for r := rune(1); r < 0x250; r++ {
		password := front + string(r) + back
		for _, form := range forms[1:] {
			a, err := parseURL(deploy.Secret(fmt.Sprintf(form, url.QueryEscape(strings.ReplaceAll(password, " ", "\x00")))))
			got := a.Password + a.SentinelPassword
			if strings.ReplaceAll(got, "\x00", " ") != password || err != nil {
				t.Errorf("%q: %q %v", password, got, err)
			}
		}
	}
}

func FuzzNoPartOfAPasswordIsShown(f *testing.F) {
	for i, middle := range []string{"", "/", "?", "#", "@", ":1/", "?addr=", "@redis.test:1/", "%zz", "?skip_verify=1&db="} {
		f.Add(i, middle)
	}
	f.Fuzz(func(t *testing.T, form int, middle string) {
		if leaks(middle) != "" {
			return
		}
		raw := fmt.Sprintf(forms[(form%len(forms)+len(forms))%len(forms)], front+middle+back)
		if _, err := parseURL(deploy.Secret(raw)); err != nil {
			if leaks(err.Error()) != "" {
				t.Errorf("%q: %v", raw, err)
			}
			return
		}
		if got := shown(t, raw); leaks(got) != "" {
			t.Errorf("%q shows %q: %s", raw, leaks(got), got)
		}
	})
}
