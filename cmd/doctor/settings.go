package doctor

import (
	"context"
	"net/http"
	"net/url"
)

var settingsChecks = []check{
	{"settings: names", false, nil, misspelt}, // at the start they are logged at once
	{"settings: proxies", false, nil, proxies},
}

// Rename is what to do about a warning of the settings.
const Rename = "rename the variable, or unset it"

// misspelt tells of variables that are not settings and nearly are.
func misspelt(_ context.Context, d *Doctor, found report) {
	for _, w := range d.Warnings {
		found("", fault(w, Rename))
	}
	if d.Warnings == nil {
		found("", ok("no name is misspelt"))
	}
}

// proxies tells how Slack and GitLab are reached. A proxy's URL may hold a password.
func proxies(_ context.Context, d *Doctor, found report) {
	for _, base := range []string{d.Settings.SlackAPIURL, d.Settings.GitLabURL} {
		to, err := url.Parse(base)
		if err != nil || d.Proxy == nil { // settings have checked it
			continue
		}
		how := "is called directly"
		if proxy, err := d.Proxy(&http.Request{URL: to}); err == nil && proxy != nil {
			how = "is called through the proxy " + proxy.Host
		}
		found(to.Host, ok(how))
	}
}
