package dedupe

import (
	"cmp"
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
	errURLSigns     = errors.New("cannot be read: write special characters in a password as %XX (/ is %2F, ? is %3F, # is %23, @ is %40, % is %25), as in redis://user:p%2Fw@host:6379/0")
	errURLScheme    = errors.New("must begin with redis://, with rediss:// for TLS, or with unix:// for a socket")
	errURLHost      = errors.New("names no host: write redis://host:6379")
	errURLAddress   = errors.New("has a host or port that is not valid: write host:6379, and write special characters in a password as %XX")
	errURLDatabase  = errors.New("must end with the number of a database, as in redis://host:6379/0; write special characters in a password as %XX")
	errURLSocket    = errors.New("must name a socket, as in unix:///run/redis.sock; write special characters in a password as %XX")
	errURLParameter = errors.New("has a parameter that is unknown or not valid; write special characters in a password as %XX")
	errURLVerify    = errors.New("must be without skip_verify: certificates are always verified; name a private authority in SSL_CERT_FILE")
)

// CheckURL returns what is wrong with a Redis URL. The error quotes no part of it.
func CheckURL(u deploy.Secret) error {
	_, err := parseURL(u)
	return err
}

// What each part of a URL may be. Whatever the client would accept beyond that is
// refused before the client sees it, since it may be a part of a password.
var (
	urlPassword = regexp.MustCompile(`(?s)#|[/?].*@`) // a password that goes on where the host should have ended
	urlHost     = regexp.MustCompile(`^[A-Za-z0-9](?:[A-Za-z0-9._-]*[A-Za-z0-9.])?:[0-9]+$`)
	urlDB       = regexp.MustCompile(`^/?(?:[0-9]{1,4}/?)?$`)
	urlPath     = regexp.MustCompile(`^/[A-Za-z0-9._~+,=:/-]+$`)
	urlQuery    = regexp.MustCompile(`^(?:[A-Za-z0-9._~:&=-]|\[|\]|%[0-9A-Fa-f]{2})*$`) // no +: it would be a blank, but is itself in a password
	urlName     = regexp.MustCompile(`^[A-Za-z0-9._-]+$`)
)

// tuning are parameters that the client's own URLs have and psycher sets itself.
// They are accepted, so that a URL from elsewhere works, and have no effect.
var tuning = []string{
	"client_name", "protocol", "max_retries", "min_retry_backoff", "max_retry_backoff", "max_redirects", "read_only",
	"dial_timeout", "dialer_retries", "dialer_retry_timeout", "read_timeout", "write_timeout", "context_timeout_enabled",
	"pool_fifo", "pool_size", "pool_timeout", "min_idle_conns", "max_idle_conns", "max_active_conns", "max_concurrent_dials",
	"pipeline_pool_size", "pipeline_read_buffer_size", "pipeline_write_buffer_size",
	"conn_max_idle_time", "idle_timeout", "conn_max_lifetime", "max_conn_age", "conn_max_lifetime_jitter",
	"route_by_latency", "route_by_latency_tolerance", "route_randomly", "replica_only", "use_disconnected_replicas",
	"disableIdentity", "identitySuffix", "unstable_resp3", "failing_timeout_seconds",
}

// parseURL reads the forms of a Redis URL that go-redis has: with master_name it
// is Sentinel, with addr a Cluster, else one server. go-redis's own functions,
// and the errors of net/url, quote what they cannot read.
func parseURL(secret deploy.Secret) (address, error) {
	scheme, rest, ok := strings.Cut(secret.Reveal(), "://")
	if !ok || !slices.Contains([]string{"redis", "rediss", "unix"}, strings.ToLower(scheme)) {
		return address{}, errURLScheme
	}
	u, err := url.Parse(secret.Reveal())
	switch {
	case urlPassword.MatchString(rest), err != nil && strings.Contains(rest, "@"):
		return address{}, errURLSigns
	case err != nil:
		return address{}, errURLAddress
	}
	a, path := address{secure: u.Scheme == "rediss"}, u.EscapedPath()
	a.Username = u.User.Username()
	a.Password, _ = u.User.Password()
	switch {
	case u.Scheme == "unix" && (u.Host != "" || !urlPath.MatchString(path)):
		return address{}, errURLSocket
	case u.Scheme == "unix":
		a.Addrs = []string{path}
		return a, a.parameters(u, "db")
	case !urlDB.MatchString(path):
		return address{}, errURLDatabase
	case u.Port() == "":
		u.Host = strings.TrimSuffix(u.Host, ":") + ":6379"
	}
	a.DB, _ = strconv.Atoi(strings.Trim(path, "/"))
	a.Addrs = append([]string{u.Host}, u.Query()["addr"]...)
	for _, addr := range a.Addrs {
		if err := checkAddr(addr); err != nil {
			return address{}, err
		}
	}
	return a, a.parameters(u, "db", "addr", "master_name", "username", "password", "skip_verify")
}

// parameters reads the query. Of a parameter that is given several times the
// last one counts, but for addr.
func (a *address) parameters(u *url.URL, known ...string) error {
	if !urlQuery.MatchString(u.RawQuery) {
		return errURLParameter
	}
	last := map[string]string{}
	for name, values := range u.Query() {
		if !slices.Contains(known, name) && !slices.Contains(tuning, name) {
			return errURLParameter
		}
		last[name] = values[len(values)-1]
	}
	db, err := strconv.ParseUint(cmp.Or(last["db"], strconv.Itoa(a.DB)), 10, 16)
	if err != nil {
		return errURLDatabase
	}
	a.DB = int(db)
	if skip, err := strconv.ParseBool(cmp.Or(last["skip_verify"], "false")); err != nil || skip {
		return errURLVerify
	}
	master, sentinel := last["master_name"]
	switch {
	case sentinel && !urlName.MatchString(master), !sentinel && last["username"]+last["password"] != "": // without Sentinels these are in front of the host
		return errURLParameter
	case sentinel: // as go-redis has it: the URL's user is the Sentinels'
		a.MasterName, a.SentinelUsername, a.SentinelPassword = master, a.Username, a.Password
		a.Username, a.Password = last["username"], last["password"]
	}
	return nil
}

// checkAddr checks a host with its port.
func checkAddr(addr string) error {
	host, port, _ := net.SplitHostPort(addr)
	n, err := strconv.ParseUint(port, 10, 16)
	ip, _ := netip.ParseAddrPort(addr)
	switch {
	case host == "" && err == nil:
		return errURLHost
	case err != nil || n == 0 || !urlHost.MatchString(addr) && !ip.Addr().Is6():
		return errURLAddress
	}
	return nil
}
