package doctor

import (
	"cmp"
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
	{"notify: address", true, notifyAddress},
	{"notify: port", false, notifyPort},
	{"notify: answer", false, notifyAnswer},
}

// notifyAddress judges NOTIFY_URL as it is.
func notifyAddress(_ context.Context, d *Doctor) []Finding {
	to, err := url.Parse(d.Settings.NotifyURL)
	gitlab, _ := url.Parse(d.Settings.GitLabURL)
	const set = "set NOTIFY_URL to http://HOST:8080/notify, with the name or address of this machine as GitLab's runners reach it"
	switch {
	case err != nil: // settings have checked it
		return nil
	case to.Host == "" && d.Settings.GitLabAPIToken == "":
		return []Finding{unseen("", "neither NOTIFY_URL nor GITLAB_API_TOKEN is set: results arrive only from projects with a CI variable NOTIFY_URL of their own", set+"; or set GITLAB_API_TOKEN")}
	case to.Host == "":
		return []Finding{ok("", "NOTIFY_URL is not set: results are read from GitLab, and come from projects with a CI variable NOTIFY_URL of their own")}
	case isAny(to.Hostname()):
		return []Finding{fault("", to.Hostname()+" in NOTIFY_URL is no machine's address", set)}
	case isLocal(to.Hostname()) && gitlab != nil && !isLocal(gitlab.Hostname()):
		return []Finding{fault("", to.Hostname()+" in NOTIFY_URL is to a runner the runner itself", set)}
	}
	return []Finding{ok("", "a trigger carries "+d.Settings.NotifyURL)}
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
func notifyPort(ctx context.Context, d *Doctor) []Finding {
	switch a := d.get(ctx, d.localNotify()); {
	case a.psycher != "":
		return []Finding{ok("", "the bot runs here, and listens at "+d.Settings.NotifyAddr)}
	case a.err != nil:
		return []Finding{ok("", "nothing listens at "+d.Settings.NotifyAddr+": the bot does not run here")}
	}
	return []Finding{fault("", "another program listens at "+d.Settings.NotifyAddr+": the bot cannot start", "stop it, or set NOTIFY_ADDR to a free port, and NOTIFY_URL to it")}
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
func notifyAnswer(ctx context.Context, d *Doctor) []Finding {
	if d.Settings.NotifyURL == "" || !d.turn(ctx) {
		return nil
	}
	runs := d.botRunsHere(ctx)
	a := d.get(ctx, d.Settings.NotifyURL)
	const down = "start psycher, and run psycher doctor again"
	seen := fmt.Sprintf("something else answers at NOTIFY_URL, with HTTP status %d", a.status)
	switch {
	case a.psycher != "" && a.status == http.StatusUnauthorized:
		return []Finding{ok("", "psycher answers at NOTIFY_URL")}
	case a.psycher != "":
		return []Finding{fault("", fmt.Sprintf("psycher answers at NOTIFY_URL, with HTTP status %d: what stands before it changes the path", a.status), "have it pass calls on as /notify")}
	case a.err != nil:
		return []Finding{d.unreached(a.err, runs)}
	case a.location != "":
		return []Finding{fault("", seen+", a redirect to "+a.location+", which notify.sh does not follow", "set NOTIFY_URL to where psycher itself answers")}
	case a.status >= 502 && a.status <= 504 && !runs:
		return []Finding{unseen("", seen+"; the bot does not run here", down)}
	}
	return []Finding{fault("", seen, "set NOTIFY_URL to the port of NOTIFY_ADDR, or have what answers there (a proxy, a login) pass its calls on to that")}
}

// unreached says what it means that NOTIFY_URL does not answer here.
func (d *Doctor) unreached(err error, runs bool) Finding {
	see := "from a runner's machine, `curl -i " + d.Settings.NotifyURL + "` must show 401"
	var invalid x509.CertificateInvalidError
	switch {
	case errors.As(err, new(tls.RecordHeaderError)):
		return fault("", "what listens at NOTIFY_URL speaks no TLS, as psycher's own port", "write http:// in NOTIFY_URL, or put a proxy with a certificate before the port")
	case errors.As(err, &invalid) && invalid.Reason == x509.Expired:
		return fault("", "the certificate at NOTIFY_URL has expired", "renew it")
	case errors.As(err, new(x509.HostnameError)):
		return fault("", "the certificate at NOTIFY_URL is for another name", "use a name that the certificate has, or a certificate for this one")
	case errors.As(err, new(x509.UnknownAuthorityError)):
		return unseen("", "this machine does not trust the certificate at NOTIFY_URL; runners may", "have runners and their images trust its authority; "+see)
	case !runs:
		return unseen("", "NOTIFY_URL does not answer, and the bot does not run here: "+cause(err), "start psycher, and run psycher doctor again")
	}
	_, listens, _ := net.SplitHostPort(d.Settings.NotifyAddr)
	if to, err := url.Parse(d.Settings.NotifyURL); err == nil && to.Port() != listens {
		see = fmt.Sprintf("correct NOTIFY_URL: NOTIFY_ADDR listens on :%s, NOTIFY_URL names :%s; if only runners reach it: %s",
			listens, cmp.Or(to.Port(), to.Scheme), see)
	}
	return unseen("", "the bot runs here, and this machine does not reach it by NOTIFY_URL: "+cause(err), see)
}

// cause is an error of the network without the addresses before it.
func cause(err error) string {
	if op := (*net.OpError)(nil); errors.As(err, &op) {
		err = op.Err
	}
	return cmp.Or(strings.TrimSpace(err.Error()), "no answer")
}
