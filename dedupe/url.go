package dedupe

import (
	"errors"
	"net"
	"net/netip"
	"net/url"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"github.com/redis/go-redis/v9"

	"github.com/getto-systems/psycher/deploy"
)

// address is where REDIS_URL leads: to one server, to Sentinels (with a
// MasterName) or to a Cluster. Addrs are host:port, or the path of a socket.
type address struct {
	redis.UniversalOptions
	secure bool // rediss://
}

// The errors of a URL. None quotes a part of it: after a character that ends the
// password too early, the rest of it is read as a host, a port or a parameter.
//
//docgen:messages settings
var (
	errURL = errors.New("cannot be read: write special characters in a password as %XX (/ is %2F, ? is %3F, # is %23, @ is %40, + is %2B, % is %25), " +
		"and the rest as in redis://user:p%2Fw@host:6379/0 or unix:///run/redis.sock, with no parameters but go-redis's")
	errURLScheme = errors.New("must begin with redis://, with rediss:// for TLS, or with unix:// for a socket")
	errURLVerify = errors.New("must be without skip_verify: certificates are always verified; name a private authority in SSL_CERT_FILE")
)

// CheckURL returns what is wrong with a Redis URL. The error quotes no part of it.
func CheckURL(u deploy.Secret) error {
	_, err := parseURL(u)
	return err
}

var (
	urlPassword = regexp.MustCompile(`(?s)#|[/?].*@|\?.*\+`) // a password that goes on where it should have ended; + would be a blank
	urlName     = regexp.MustCompile(`^[A-Za-z0-9](?:[A-Za-z0-9._-]*[A-Za-z0-9.])?$`)
	urlPath     = regexp.MustCompile(`^/[A-Za-z0-9._~+,=:/-]+$`)
)

// parseURL reads the forms of a Redis URL that go-redis has: with master_name it
// is Sentinel, with addr a Cluster, else one server. Only where it leads is taken
// from it: what tunes the client is psycher's own. go-redis's errors quote what
// they cannot read, so none of them is passed on.
func parseURL(secret deploy.Secret) (address, error) {
	raw := secret.Reveal()
	scheme, rest, _ := strings.Cut(raw, "://")
	if !slices.Contains([]string{"redis", "rediss", "unix"}, strings.ToLower(scheme)) {
		return address{}, errURLScheme
	}
	u, err := url.Parse(raw)
	if err != nil || urlPassword.MatchString(rest) || (u.Hostname() == "") != (u.Scheme == "unix") {
		return address{}, errURL
	}
	query, err := url.ParseQuery(u.RawQuery)
	if err != nil {
		return address{}, errURL
	}
	if query.Has("skip_verify") && query.Get("skip_verify") != "false" {
		return address{}, errURLVerify
	}
	a := address{secure: u.Scheme == "rediss"}
	switch {
	case query.Has("master_name"):
		var o *redis.FailoverOptions
		if o, err = redis.ParseFailoverURL(raw); err == nil {
			a.Addrs, a.MasterName, a.SentinelUsername, a.SentinelPassword = o.SentinelAddrs, o.MasterName, o.SentinelUsername, o.SentinelPassword
			a.DB, a.Username, a.Password = o.DB, o.Username, o.Password
		}
	case query.Has("addr"):
		var o *redis.ClusterOptions
		if o, err = redis.ParseClusterURL(raw); err == nil {
			a.Addrs, a.Username, a.Password = o.Addrs, o.Username, o.Password
		}
	default:
		var o *redis.Options
		if o, err = redis.ParseURL(raw); err == nil {
			a.Addrs, a.DB, a.Username, a.Password = []string{o.Addr}, o.DB, o.Username, o.Password
		}
	}
	if err != nil || a.DB < 0 || query.Has("master_name") && !urlName.MatchString(a.MasterName) || slices.ContainsFunc(a.Addrs, isBadAddr) {
		return address{}, errURL
	}
	return a, nil
}

// isBadAddr tells whether go-redis must not dial what it has read: a host may be a part
// of a password, and would be looked up.
func isBadAddr(addr string) bool {
	host, port, _ := net.SplitHostPort(addr)
	n, err := strconv.ParseUint(port, 10, 16)
	ip, _ := netip.ParseAddr(host)
	return !urlPath.MatchString(addr) && (err != nil || n == 0 || !urlName.MatchString(host) && !ip.Is6())
}
