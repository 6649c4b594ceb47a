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
	_, psycher, err := d.get(ctx, d.localNotify())
	at := d.Settings.NotifyAddr
	return first([]when{
		{psycher != "", ok("the bot runs here, and listens at " + at)},
		{err != nil, ok("nothing listens at " + at + ": the bot does not run here")},
		{true, fault("another program listens at "+at+": the bot cannot start", "stop it, or set NOTIFY_ADDR to a free port, and NOTIFY_URL to it")},
	})
}

func (d *Doctor) botRunsHere(ctx context.Context) bool {
	_, psycher, _ := d.get(ctx, d.localNotify())
	return psycher != ""
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

// get makes a call that proves nothing, which changes nothing. psycher is the version of
// psycher's answers; empty: something else answers.
func (d *Doctor) get(ctx context.Context, address string) (status int, psycher string, err error) {
	ctx, cancel := context.WithTimeout(ctx, 5*time.Second)
	defer cancel()
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, address, nil)
	if err != nil {
		return 0, "", err
	}
	// No proxy, and no redirect followed: runners call it directly, with curl.
	resp, err := (&http.Transport{DialContext: d.Dial, DisableKeepAlives: true}).RoundTrip(req)
	if err != nil {
		return 0, "", err
	}
	defer resp.Body.Close()
	var said struct{ Psycher string }
	_ = json.NewDecoder(io.LimitReader(resp.Body, 64<<10)).Decode(&said) // a page for people is not psycher's
	return resp.StatusCode, said.Psycher, nil
}

// notifyAnswer calls NOTIFY_URL. That this machine cannot reach it does not say that
// runners cannot.
func notifyAnswer(ctx context.Context, d *Doctor) Finding {
	runs := d.botRunsHere(ctx)
	status, psycher, err := d.get(ctx, d.Settings.NotifyURL)
	const start = "start psycher, and run psycher doctor again"
	seen := fmt.Sprintf("something else answers at NOTIFY_URL, with HTTP status %d", status)
	see := "from a runner's machine, `curl -i " + d.Settings.NotifyURL + "` must show 401"
	why := cause(err)
	return first([]when{
		{psycher != "" && status == http.StatusUnauthorized, ok("psycher answers at NOTIFY_URL")},
		{psycher != "", fault(fmt.Sprintf("psycher answers at NOTIFY_URL, with HTTP status %d: what stands before it changes the path", status),
			"have it pass calls on as /notify")},
		{errors.As(err, new(tls.RecordHeaderError)), fault("what listens at NOTIFY_URL speaks no TLS, as psycher's own port",
			"write http:// in NOTIFY_URL, or put a proxy with a certificate before the port")},
		{errors.As(err, new(x509.UnknownAuthorityError)), unseen("this machine does not trust the certificate at NOTIFY_URL; runners may",
			"have runners and their images trust its authority; "+see)},
		{errors.As(err, new(*tls.CertificateVerificationError)), fault("at NOTIFY_URL: "+why,
			"renew the certificate if it has expired; if it is for another name, use a name that it has, or one for this name")},
		{err != nil && !runs, unseen("NOTIFY_URL does not answer, and the bot does not run here: "+why, start)},
		{err != nil, unseen("the bot runs here at NOTIFY_ADDR "+d.Settings.NotifyAddr+", and this machine does not reach it by NOTIFY_URL: "+why,
			see+"; if it does not, correct NOTIFY_URL")},
		{status/100 == 3, fault(seen+", a redirect, which notify.sh does not follow", "set NOTIFY_URL to where psycher itself answers")},
		{status >= 502 && status <= 504 && !runs, unseen(seen+"; the bot does not run here", start)},
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
