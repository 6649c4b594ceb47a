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

	"github.com/getto-systems/psycher/deploy"
)

// address is what REDIS_URL says: one server, Sentinels (master is set), or a
// Cluster.
type address struct {
	hosts    []string // host:port, or the path of a socket
	secure   bool     // rediss://
	db       int
	user     string
	password string
	cluster  bool

	master                         string // the name that Sentinels know the server by
	sentinelUser, sentinelPassword string
}

// The errors of a URL. None holds a part of it: a sign that ends the password
// too early makes a host, a port or a parameter of what is left of it.
//
//docgen:messages settings
var (
	errURLSigns     = errors.New("cannot be read: write special characters in a password as %XX (/ is %2F, ? is %3F, # is %23, @ is %40, % is %25), as in redis://user:p%2Fw@host:6379/0")
	errURLScheme    = errors.New("must begin with redis:// or, for TLS, with rediss://")
	errURLHost      = errors.New("names no host: write redis://host:6379")
	errURLAddress   = errors.New("has a host or port that is not valid: write host:6379, and write special characters in a password as %XX")
	errURLDatabase  = errors.New("must end with the number of a database, as in redis://host:6379/0; write special characters in a password as %XX")
	errURLSocket    = errors.New("must name a socket, as in unix:///run/redis.sock; write special characters in a password as %XX")
	errURLParameter = errors.New("has a parameter that is unknown or not valid; write special characters in a password as %XX")
	errURLVerify    = errors.New("must be without skip_verify: certificates are always verified; name a private authority in SSL_CERT_FILE")
)

// CheckURL tells what is wrong with a Redis URL, in words that hold no part of it.
func CheckURL(u deploy.Secret) error {
	_, err := parseURL(u)
	return err
}

// What each part of a URL may be. A part that the client would take and that is
// not in here is refused before the client sees it.
var (
	urlUser  = regexp.MustCompile(`^(?:[A-Za-z0-9._~!$&'()*+,;=:@-]|%[0-9A-Fa-f]{2})*$`) // as net/url reads it; the last @ ends it
	urlHost  = regexp.MustCompile(`^[A-Za-z0-9](?:[A-Za-z0-9._-]*[A-Za-z0-9.])?$`)
	urlDB    = regexp.MustCompile(`^/?(?:[0-9]{1,4}/?)?$`)
	urlPath  = regexp.MustCompile(`^/[A-Za-z0-9._~+,=:/-]+$`)
	urlValue = regexp.MustCompile(`^(?:[A-Za-z0-9._~:-]|\[|\]|%[0-9A-Fa-f]{2})*$`) // of a parameter
	urlName  = regexp.MustCompile(`^[A-Za-z0-9._-]+$`)
)

// tuning are the parameters that the client's own URLs know and psycher sets by
// itself: they are taken, so that a URL of elsewhere works, and have no effect.
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
// and net/url's, quote what they cannot read.
func parseURL(secret deploy.Secret) (address, error) {
	scheme, rest, ok := strings.Cut(secret.Reveal(), "://")
	scheme = strings.ToLower(scheme)
	if !ok || !slices.Contains([]string{"redis", "rediss", "unix"}, scheme) {
		return address{}, errURLScheme
	}
	a := address{secure: scheme == "rediss"}
	authority, path, query := rest, "", ""
	if i := strings.IndexAny(rest, "/?#"); i >= 0 {
		authority, path = rest[:i], rest[i:]
	}
	if strings.ContainsAny(path, "@#") { // the password goes on here
		return address{}, errURLSigns
	}
	path, query, _ = strings.Cut(path, "?")
	host := authority
	if i := strings.LastIndexByte(authority, '@'); i >= 0 {
		host = authority[i+1:]
		user, password, _ := strings.Cut(authority[:i], ":")
		if !urlUser.MatchString(authority[:i]) {
			return address{}, errURLSigns
		}
		a.user, a.password = unescape(user), unescape(password)
	}
	if scheme == "unix" {
		if host != "" || !urlPath.MatchString(path) {
			return address{}, errURLSocket
		}
		a.hosts = []string{path}
		return a, a.parameters(query, tuning, "db")
	}
	first, err := readHost(host, "6379")
	if err != nil {
		return address{}, err
	}
	a.hosts = []string{first}
	if !urlDB.MatchString(path) {
		return address{}, errURLDatabase
	}
	a.db, _ = strconv.Atoi(strings.Trim(path, "/"))
	return a, a.parameters(query, tuning, "db", "addr", "master_name", "username", "password", "skip_verify")
}

// parameters reads what stands after the question mark.
func (a *address) parameters(query string, ignored []string, known ...string) error {
	if query == "" {
		return nil
	}
	given := map[string]string{} // the last of each
	for pair := range strings.SplitSeq(query, "&") {
		name, value, _ := strings.Cut(pair, "=")
		if slices.Contains(ignored, name) && urlValue.MatchString(value) {
			continue
		}
		// A + would be a blank in a query, and is itself in a password.
		if !slices.Contains(known, name) || !urlValue.MatchString(value) {
			return errURLParameter
		}
		if given[name] = unescape(value); name == "addr" {
			addr, err := readHost(given[name], "")
			if err != nil {
				return err
			}
			a.hosts = append(a.hosts, addr)
		}
	}
	_, sentinel := given["master_name"]
	a.cluster = len(a.hosts) > 1 && !sentinel
	if db := given["db"]; db != "" {
		n, err := strconv.ParseUint(db, 10, 16)
		if err != nil {
			return errURLDatabase
		}
		a.db = int(n)
	}
	if skip, err := strconv.ParseBool(given["skip_verify"]); given["skip_verify"] != "" && (err != nil || skip) {
		return errURLVerify
	}
	if sentinel {
		if a.master = given["master_name"]; !urlName.MatchString(a.master) {
			return errURLParameter
		}
		// As go-redis has it: the user of the URL is the Sentinels'.
		a.sentinelUser, a.sentinelPassword, a.user, a.password = a.user, a.password, given["username"], given["password"]
	} else if given["username"] != "" || given["password"] != "" {
		return errURLParameter // they stand before the host
	}
	return nil
}

// readHost gives host:port. Without a fallback the port must be named.
func readHost(s, port string) (string, error) {
	host := s
	if i := strings.LastIndexByte(s, ':'); i > strings.LastIndexByte(s, ']') {
		host = s[:i]
		if s[i+1:] != "" {
			port = s[i+1:]
		}
	}
	if host == "" && port != "" {
		if _, err := strconv.ParseUint(port, 10, 16); err != nil {
			return "", errURLSigns
		}
		return "", errURLHost
	}
	if n, err := strconv.ParseUint(port, 10, 16); err != nil || n == 0 {
		return "", errURLAddress
	}
	if strings.HasPrefix(host, "[") && strings.HasSuffix(host, "]") {
		host = host[1 : len(host)-1]
		if ip, err := netip.ParseAddr(unescape(host)); err != nil || !ip.Is6() {
			return "", errURLAddress
		}
		host = unescape(host)
	} else if !urlHost.MatchString(host) {
		return "", errURLAddress
	}
	return net.JoinHostPort(host, port), nil
}

// unescape reads %XX. What comes here was matched before.
func unescape(s string) string {
	if out, err := url.PathUnescape(s); err == nil {
		return out
	}
	return s
}
