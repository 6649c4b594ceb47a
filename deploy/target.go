package deploy

import "time"

// Target is something that can be deployed from one channel.
type Target struct {
	Team     string
	Channel  string
	Name     string        // PROJECT in the map
	Aliases  []string      // other names by which people call it
	Project  string        // GitLab's project: a number, or a path such as group/app
	Token    Secret        // the trigger token
	Ref      string        // what is deployed; a mention can never choose another
	Key      string        // release_key: the variable that tells the jobs to deploy
	Job      string        // the deploy's own jobs, by name or its beginning; empty: found by their names, see docs/GITLAB.md
	Timeout  time.Duration // no word by then: silent
	Site     string        // "url": where to see what is deployed
	Parallel bool          // its deployments may run side by side
	Announce Announce      // which ends are told in the channel too
	Confirm  bool          // somebody confirms the commit before it is deployed

	// Approvals is how many people have to approve that commit, who do not want the deploy
	// themselves; and only these people may.
	Approvals int
	Approvers []string // nil: everyone who may deploy
	Allow     []string // who may deploy, people and user groups; nil: everyone who can write in the channel
	Freezes   []Freeze // when it is not deployed,
	Override  []string // but by these people, once they have confirmed it
}

// Rules are what a message tells of what a deploy of a target takes.
type Rules struct {
	Target    string   `json:"target"`
	Allow     []string `json:"allow,omitempty"` // some of those who may deploy it, groups by their handles or ids; nil: everybody
	Confirm   bool     `json:"confirm,omitempty"`
	Approvals int      `json:"approvals,omitempty"`
	Approvers []string `json:"approvers,omitempty"` // some of them; nil: everybody who may deploy it
}

// Names are all names of the target.
func (t Target) Names() []string { return append([]string{t.Name}, t.Aliases...) }

// Announce says which ends of deployments are told in the channel itself too.
type Announce string

// The values of "announce".
const (
	AnnounceNever    Announce = "" // "never" in the map
	AnnounceFailures Announce = "failures"
	AnnounceAll      Announce = "all"
)
