package page

import (
	"maps"
	"net/http"
	"time"

	"github.com/getto-systems/psycher/internal/sandbox/fakegitlab"
)

// choice is one way for GitLab to answer the next trigger.
type choice struct {
	Name   string `json:"name"`
	Status int    `json:"status"` // 0: none
	Kind   string `json:"kind"`
}

// faults are all choices, by their effect.
func faults() []choice {
	var all []choice
	for _, f := range fakegitlab.All() {
		all = append(all, choice{f.Name, f.Status, kindOf(f)})
	}
	return all
}

func kindOf(f fakegitlab.Fault) string {
	switch {
	case f.Dies:
		return "failed"
	case f.Name == "too many pipelines", f.Status == http.StatusTooManyRequests:
		return "waits"
	case f.Make > 1:
		return "twice"
	case f.Delay > 0:
		return "slow"
	case f.Make > 0:
		return "lost"
	case f.Status == 0, f.Status >= 500, f.Status == 408, f.Status == 409, f.Status == 422, f.Status == 425, f.Status == 499:
		return "unsure"
	}
	return "refused"
}

// fault returns the fault of a name, with times that a person will wait for: the
// bot is told that this GitLab takes no longer than 5 s.
func fault(name string) (fakegitlab.Fault, bool) {
	f, ok := fakegitlab.Named(name)
	f.Delay, f.After = min(f.Delay, 4*time.Second), min(f.After, 4*time.Second)
	if f.Header["Retry-After"] != "" {
		f.Header = maps.Clone(f.Header)
		f.Header["Retry-After"] = "10"
	}
	return f, ok
}
