package doctor

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/netip"
	"net/url"
	"strings"
	"time"
)

var notifyChecks = []check{
	{"notify: address", true, nil, one(notifyAddress)},
	{"notify: port", false, nil, one(notifyPort)},
	{"notify: answer", false, (*Doctor).isCalled, one(notifyAnswer)},
}

// isCalled tells whether there is an address to call.
func (d *Doctor) isCalled() bool { return d.Settings.NotifyURL != "" }

// notifyAddress judges NOTIFY_URL as it is.
func notifyAddress(_ context.Context, d *Doctor) Finding {
	to, err := url.Parse(d.Settings.NotifyURL)
	at, unread := url.Parse(d.Settings.GitLabURL)
	if errors.Join(err, unread) != nil { // settings have checked them
		return Finding{}
	}
	const set = "set NOTIFY_URL to http://HOST:8080/notify, with the name or address of this machine as GitLab's runners reach it"
	return first([]when{
		{to.Host == "" && d.Settings.GitLabAPIToken == "", unseen("neither NOTIFY_URL nor GITLAB_API_TOKEN is set: results arrive only from projects with a CI variable NOTIFY_URL of their own",
			set+"; or set GITLAB_API_TOKEN")},
		{to.Host == "", ok("NOTIFY_URL is not set: results are read from GitLab, and come from projects with a CI variable NOTIFY_URL of their own")},
		{isAny(to.Hostname()), fault(to.Hostname()+" in NOTIFY_URL is no machine's address", set)},
		{isLocal(to.Hostname()) && !isLocal(at.Hostname()), fault(to.Hostname()+" in NOTIFY_URL is to a runner the runner itself", set)},
		{true, ok("a trigger carries " + d.Settings.NotifyURL)},
	})
}

func isAny(host string) bool {
	ip, err := netip.ParseAddr(host)
	return err == nil && ip.IsUnspecified()
}

func isLocal(host string) bool {
	ip, err := netip.ParseAddr(host)
	return err == nil && ip.IsLoopback() || host == "localhost"
}

// notifyPort looks at NOTIFY_ADDR on this machine.
func notifyPort(ctx context.Context, d *Doctor) Finding {
	a, at := d.get(ctx, d.localNotify()), d.Settings.NotifyAddr
	return first([]when{
		{a.psycher != "", ok("the bot runs here, and listens at " + at)},
		{a.err != nil, ok("nothing listens at " + at + ": the bot does not run here")},
		{true, fault("another program listens at "+at+": the bot cannot start", "stop it, or set NOTIFY_ADDR to a free port, and NOTIFY_URL to it")},
	})
}

func (d *Doctor) botRunsHere(ctx context.Context) bool {
	return d.get(ctx, d.localNotify()).psycher != ""
}

// localNotify is the notify port as this machine reaches it. It answers calls of
// another path than its own too, without a line in the bot's log.
func (d *Doctor) localNotify() string {
	host, port, _ := net.SplitHostPort(d.Settings.NotifyAddr)
	if host == "" || isAny(host) {
		host = "localhost"
	}
	return "http://" + net.JoinHostPort(host, port)
}

// answer is what answers in place of the notify port.
type answer struct {
	status   int
	psycher  string // the version of its answers; empty: it is something else
	location string // of a redirect, without its path
	err      error
}

// get makes a call that proves nothing, which changes nothing.
func (d *Doctor) get(ctx context.Context, address string) (a answer) {
	ctx, cancel := context.WithTimeout(ctx, 5*time.Second)
	defer cancel()
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, address, nil)
	if err != nil {
		return answer{err: err}
	}
	// No proxy, and no redirect followed: runners call it directly, with curl.
	resp, err := (&http.Transport{DialContext: d.Dial, DisableKeepAlives: true}).RoundTrip(req)
	if err != nil {
		return answer{err: err}
	}
	defer resp.Body.Close()
	var said struct {
		Psycher string `json:"psycher"`
	}
	_ = json.NewDecoder(io.LimitReader(resp.Body, 64<<10)).Decode(&said) // a page for people is not psycher's
	a = answer{status: resp.StatusCode, psycher: said.Psycher}
	if to, err := resp.Location(); err == nil {
		a.location = to.Scheme + "://" + to.Host
	}
	return a
}

// notifyAnswer calls NOTIFY_URL. That this machine cannot reach it does not say that
// runners cannot.
func notifyAnswer(ctx context.Context, d *Doctor) Finding {
	if !d.turn(ctx) {
		return Finding{}
	}
	runs, a := d.botRunsHere(ctx), d.get(ctx, d.Settings.NotifyURL)
	const start = "start psycher, and run psycher doctor again"
	seen := fmt.Sprintf("something else answers at NOTIFY_URL, with HTTP status %d", a.status)
	see := "from a runner's machine, `curl -i " + d.Settings.NotifyURL + "` must show 401"
	why := cause(a.err)
	var invalid x509.CertificateInvalidError
	return first([]when{
		{a.psycher != "" && a.status == http.StatusUnauthorized, ok("psycher answers at NOTIFY_URL")},
		{a.psycher != "", fault(fmt.Sprintf("psycher answers at NOTIFY_URL, with HTTP status %d: what stands before it changes the path", a.status),
			"have it pass calls on as /notify")},
		{errors.As(a.err, new(tls.RecordHeaderError)), fault("what listens at NOTIFY_URL speaks no TLS, as psycher's own port",
			"write http:// in NOTIFY_URL, or put a proxy with a certificate before the port")},
		{errors.As(a.err, &invalid) && invalid.Reason == x509.Expired, fault("the certificate at NOTIFY_URL has expired", "renew it")},
		{errors.As(a.err, new(x509.HostnameError)), fault("the certificate at NOTIFY_URL is for another name", "use a name that the certificate has, or a certificate for this one")},
		{errors.As(a.err, new(x509.UnknownAuthorityError)), unseen("this machine does not trust the certificate at NOTIFY_URL; runners may",
			"have runners and their images trust its authority; "+see)},
		{a.err != nil && !runs, unseen("NOTIFY_URL does not answer, and the bot does not run here: "+why, start)},
		{a.err != nil, unseen("the bot runs here at NOTIFY_ADDR "+d.Settings.NotifyAddr+", and this machine does not reach it by NOTIFY_URL: "+why,
			see+"; if it does not, correct NOTIFY_URL")},
		{a.location != "", fault(seen+", a redirect to "+a.location+", which notify.sh does not follow", "set NOTIFY_URL to where psycher itself answers")},
		{a.status >= 502 && a.status <= 504 && !runs, unseen(seen+"; the bot does not run here", start)},
		{true, fault(seen, "set NOTIFY_URL to the port of NOTIFY_ADDR, or have what answers there (a proxy, a login) pass its calls on to that")},
	})
}

// cause is an error of the network without the addresses before it.
func cause(err error) string {
	if op, is := errors.AsType[*net.OpError](err); is {
		err = op.Err
	}
	return strings.TrimSpace(fmt.Sprint(err))
}
