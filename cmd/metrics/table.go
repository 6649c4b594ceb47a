package metrics

// Row is one metric, which may have several series.
type Row struct {
	Name, Type, Help string
	Labels           []Label // two at most
	buckets          []float64
}

// Label is a label with its values. The values of the first one can be more than
// are listed: see other.
type Label struct {
	Name   string
	Values []string
}

// other is the value of a label for what is not listed.
const other = "other"

const (
	counter   = "counter"
	gauge     = "gauge"
	histogram = "histogram"
	summary   = "summary"
)

var (
	fast   = []float64{.0005, .001, .0025, .005, .01, .025, .05, .1, .25, .5, 1}                   // a round trip nearby
	reply  = []float64{.0005, .001, .0025, .005, .01, .025, .05, .1, .25, .5, 1, 3, 10, 30, 120}   // what a person waits for
	deploy = []float64{10, 30, 60, 120, 300, 600, 900, 1200, 1800, 2700, 3600, 5400, 7200, 14_400} // a pipeline
)

// Table lists all metrics, in the order in which they are written and documented.
func Table() []Row {
	return []Row{
		{Name: "psycher_build_info", Type: gauge, Help: "1, with the version that runs and the Go that built it.", Labels: []Label{{"version", nil}, {"goversion", nil}}},
		{Name: "psycher_ready", Type: gauge, Help: "1 if this process can do its work, as /readyz says."},
		{Name: "psycher_warnings", Type: gauge, Help: "How many warnings /readyz shows."},
		{Name: "psycher_settings_current", Type: gauge, Help: "0 while settings that were read again are wrong, and those from before are in use."},

		{Name: "psycher_deployments_total", Type: counter, Help: "Deployments that came to a state, by target. Deployments of targets that are not in the map any more, or beyond the first 200, are other.", Labels: []Label{
			{"target", []string{other}},
			{"state", []string{"queued", "triggering", "waiting", "unsure", "running", "silent", "refused", "succeeded", "failed", "canceled"}},
		}},
		{Name: "psycher_deployment_duration_seconds", Type: histogram, Help: "From the trigger of a deployment to its end, whatever the end, by target.", Labels: []Label{{"target", []string{other}}}, buckets: deploy},
		{Name: "psycher_ack_duration_seconds", Type: histogram, Help: "From the arrival of an event of Slack to its ack, which Slack expects within 3 s.", buckets: reply},
		{Name: "psycher_trigger_delay_seconds", Type: histogram, Help: "From the arrival of a mention to the first byte of its trigger, where nothing was asked. Where another process took it up: from when it was written, to the second.", buckets: reply},
		{Name: "psycher_asks_total", Type: counter, Help: "Questions with buttons, by why psycher asks.", Labels: []Label{{"reason", []string{
			"approvals", "busy", "busy-waiting", "confirm", "confirm-unseen", "edited-in", "forgotten", "freeze", "locked", "once-more", "other", "pending", "rollback", "taken-back", "too-late", "too-long", "turn", "unclear", "unknown", "unlock", "which-target",
		}}}},
		{Name: "psycher_events_total", Type: counter, Help: "What happened to records, by the words of its log line.", Labels: []Label{{"event", events}}},
		{Name: "psycher_records_in_work", Type: gauge, Help: "Records that this process works on at this moment, triggers under way included."},
		{Name: "psycher_work_overdue_seconds", Type: gauge, Help: "How late the latest of the records was that were taken up last."},

		{Name: "psycher_slack_sockets", Type: gauge, Help: "Open sockets of this process."},
		{Name: "psycher_slack_other_sockets", Type: gauge, Help: "Sockets of other processes to the same Slack app, by the last hello."},
		{Name: "psycher_slack_token_refused", Type: gauge, Help: "1 while Slack refuses the bot's token or a scope of it."},
		{Name: "psycher_slack_socket_opens_total", Type: counter, Help: "Tries to open a socket."},
		{Name: "psycher_slack_envelopes_total", Type: counter, Help: "Envelopes that came in."},
		{Name: "psycher_slack_lost_acks_total", Type: counter, Help: "Acks that could not be written: Slack delivers again."},
		{Name: "psycher_slack_calls_total", Type: counter, Help: "Calls of Slack's Web API: ok, limited (429), refused, or failed without an answer of Slack's.", Labels: []Label{
			{"method", slackMethods}, {"result", []string{"ok", "limited", "refused", "failed"}},
		}},
		{Name: "psycher_slack_waits_total", Type: counter, Help: "Calls that were put off to stay within Slack's rate limits.", Labels: []Label{{"method", slackMethods}}},

		{Name: "psycher_gitlab_answers_total", Type: counter, Help: "Answers to requests of GitLab: ok (2xx), redirect (3xx), limited (429), refused (another 4xx), failed (5xx or cut), elsewhere (not GitLab's), none (no answer).", Labels: []Label{
			{"method", []string{"GET", "POST", other}},
			{"kind", []string{"ok", "redirect", "limited", "refused", "failed", "elsewhere", "none"}},
		}},
		{Name: "psycher_callbacks_total", Type: counter, Help: "Calls of pipelines to the notify port, by what became of them.", Labels: []Label{
			{"result", []string{"taken", "no-effect", "stop", "unproven", "unknown", "malformed", "not-recorded"}},
		}},

		{Name: "psycher_store_up", Type: gauge, Help: "1 if the store answered its last call."},
		{Name: "psycher_store_call_duration_seconds", Type: histogram, Help: "Calls of Redis, by script, the wait for a connection included.", Labels: []Label{{"script", scripts}}, buckets: fast},
		{Name: "psycher_store_errors_total", Type: counter, Help: "Calls of Redis that failed, by script.", Labels: []Label{{"script", scripts}}},

		{Name: "process_start_time_seconds", Type: gauge, Help: "When the process was started, in Unix time."},
		{Name: "process_cpu_seconds_total", Type: counter, Help: "Processor time that the process has used."},
		{Name: "process_resident_memory_bytes", Type: gauge, Help: "Resident memory."},
		{Name: "process_virtual_memory_bytes", Type: gauge, Help: "Virtual memory."},
		{Name: "process_open_fds", Type: gauge, Help: "Open file descriptors."},
		{Name: "process_max_fds", Type: gauge, Help: "How many file descriptors may be open."},
		{Name: "go_info", Type: gauge, Help: "1, with the version of Go."},
		{Name: "go_goroutines", Type: gauge, Help: "Goroutines."},
		{Name: "go_threads", Type: gauge, Help: "Threads of the operating system."},
		{Name: "go_gc_duration_seconds", Type: summary, Help: "Pauses of the garbage collector."},
		{Name: "go_memstats_alloc_bytes", Type: gauge, Help: "Memory in use on the heap."},
		{Name: "go_memstats_alloc_bytes_total", Type: counter, Help: "Memory allocated on the heap, freed or not."},
		{Name: "go_memstats_heap_inuse_bytes", Type: gauge, Help: "Memory of heap spans in use."},
		{Name: "go_memstats_sys_bytes", Type: gauge, Help: "Memory that Go got from the operating system."},
	}
}

var (
	events = []string{
		"answered", "approved", "asked", "cancel-failed", "canceled", "claimed", "commits-unread", "declined", "edited", "group-unread", "known", "lapsed", "locked",
		"moved", "not-recorded", other, "outcome-ignored", "overrode", "poll-failed", "press-refused", "pressed", "refused", "set-aside",
		"slack-later", "slack-refused", "slack-retry", "slack-thread-closed", "store-down", "store-up", "triggered", "unlocked", "whisper-failed", "withdrawn", "worker-panic",
	}
	slackMethods = []string{
		"apps.connections.open", "auth.test", "chat.postEphemeral", "chat.postMessage", "chat.update",
		"conversations.history", "conversations.replies", "reactions.add", "reactions.remove", "usergroups.list", "usergroups.users.list", other,
	}
	scripts = []string{"active", "birth", "claim", "delay", "edit", "load", "named", "proved", "save", "take", "unprove"}
)
