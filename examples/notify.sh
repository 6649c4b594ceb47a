#!/bin/sh
# Tells psycher how a deploy goes.
#
#   bin/notify.sh start       before anything is deployed: may this pipeline deploy?
#   bin/notify.sh success     it is deployed (also: failure, canceled)
#   bin/notify.sh "$CI_JOB_STATUS"      from after_script
#
# psycher sends channel, timestamp, PSYCHER_ID and PSYCHER_TOKEN with the
# trigger, and NOTIFY_URL where it is one of psycher's own settings. Else set in
# GitLab (Settings > CI/CD > Variables):
#   NOTIFY_URL      psycher's notify port: http://HOST:8080/notify
# PSYCHER_TOKEN proves this one deployment. Where none came, as from an older
# psycher, NOTIFY_TOKEN is shown in its place: the bot's own, masked.
# A child pipeline needs all of them too, and PSYCHER_PIPELINE, its parent's
# CI_PIPELINE_ID.
#
# A start ends with an error only if psycher itself says that this pipeline must
# not deploy: a bot that cannot be reached, or something else that answers in its
# place, stops no deploy. Any other result ends with an error if psycher could
# not be told.
#
# NOTIFY_TRIES (8; 3 for start) and NOTIFY_PAUSE (1 second, doubled each time
# up to 16) say how long it tries. It needs sh, sed, tr and curl 7.18 or newer.
set -eu

# The token must be in no command's arguments and in no trace of this script.

warn() { printf 'notify.sh: %s\n' "$*" >&2; }

# give_up says what is wrong, and exits: after a start without an error.
give_up() {
	warn "$*"
	if [ "$result" = start ]; then
		warn "psycher could not be asked; the deploy goes on"
		exit 0
	fi
	warn "psycher was not told of the $result; it shows no end of this deploy yet. Fix it and run this job again"
	exit 1
}

# call prints the answer's body and, in a last line of its own, its HTTP status
# and curl's exit code. A token that the answer repeats is redacted.
call() {
	sed 's/[\\"]/\\&/g; s/.*/header = "Authorization: Bearer &"/; q' <<TOKEN | {
${PSYCHER_TOKEN:-$NOTIFY_TOKEN}
TOKEN
		curl --silent --show-error --globoff --connect-timeout 5 --max-time 15 \
			--write-out '\n%{http_code}' --config - \
			--data-urlencode "source=gitlab" \
			--data-urlencode "result=$result" \
			--data-urlencode "channel=${channel:-}" \
			--data-urlencode "timestamp=${timestamp:-}" \
			--data-urlencode "id=$PSYCHER_ID" \
			--data-urlencode "pipeline=${PSYCHER_PIPELINE:-${CI_PIPELINE_ID:-}}" \
			--data-urlencode "job=${CI_JOB_ID:-}" \
			--data-urlencode "job_name=${CI_JOB_NAME:-}" \
			--data-urlencode "job_stage=${CI_JOB_STAGE:-}" \
			--data-urlencode "sha=${CI_COMMIT_SHA:-}" \
			--url "$NOTIFY_URL" && printf ' 0\n' || printf ' %s\n' "$?"
	} | sed 's/psy_[A-Z2-7]\{32\}/[redacted]/g; s/[Bb]earer [^ "<,]*/Bearer [redacted]/g'
}

# excerpt prints the beginning of an answer in one line.
excerpt() {
	printf '%.300s' "$(printf '%s' "$1" | tr '\t\r\n' '   ' | tr -d '\000-\037\177')"
}

# warn_of_proxy says what to do if the call goes through the runner's proxy.
warn_of_proxy() {
	host=${NOTIFY_URL#*://}
	host=${host%%/*}
	host=${host##*@}
	host=${host%:*}
	# As curl reads it: the lower case first; a name stands for its domain too.
	list=${no_proxy:-${NO_PROXY:-}}
	[ "$list" != '*' ] || return 0
	list=$(printf '%s' "$list" | tr ' \t' ',,'),
	while [ -n "$list" ]; do
		entry=${list%%,*}
		entry=${entry#.}
		list=${list#*,}
		[ -n "$entry" ] || continue
		case $host in
		"$entry" | *."$entry") return 0 ;;
		esac
	done
	case $NOTIFY_URL in
	https:*) set -- "${https_proxy:-}${HTTPS_PROXY:-}${all_proxy:-}${ALL_PROXY:-}" ;;
	*) set -- "${http_proxy:-}${all_proxy:-}${ALL_PROXY:-}" ;;
	esac
	[ -z "$1" ] || warn "this runner has a proxy, and the call goes through it: if psycher is inside, add $host to NO_PROXY (and no_proxy)"
}

case ${1-} in
start | success | failure | canceled) result=$1 ;;
failed | timedout) result=failure ;;
*)
	case ${1-none} in
	'' | running) warn "CI_JOB_STATUS is '$1', which is no end: call this from after_script. If it is called from there, the runner is too old: GitLab Runner 13.5 or newer says how the job ended, 17.1 or newer also where it was canceled. The two notify jobs of the classic CI file need neither" ;;
	*) warn "usage: notify.sh start|success|failure|canceled, or one of CI_JOB_STATUS: success, failed, canceled, timedout" ;;
	esac
	exit 1
	;;
esac

if [ -z "${PSYCHER_ID:-}" ]; then
	echo "notify.sh: no PSYCHER_ID: psycher did not start this pipeline, nobody is told"
	exit 0
fi
[ -n "${NOTIFY_URL:-}" ] || give_up "NOTIFY_URL is not set: set it in psycher's own settings, and it comes with the trigger; or add it in Settings > CI/CD > Variables (a protected variable is only there on protected refs)"
[ -n "${PSYCHER_TOKEN:+set}${NOTIFY_TOKEN:+set}" ] || give_up "there is no PSYCHER_TOKEN, which comes with psycher's trigger: a child pipeline must be handed it (forward: pipeline_variables: true). For a psycher that sends none, NOTIFY_TOKEN is not set: add it in Settings > CI/CD > Variables"
command -v curl >/dev/null || give_up "there is no curl: use an image that has it, or install it in before_script"

# is_count accepts a number that every shell reads alike.
is_count() {
	case $1 in
	'' | *[!0-9]* | 0?* | ???*) return 1 ;;
	esac
}

usual=8
[ "$result" != start ] || usual=3
tries=${NOTIFY_TRIES:-$usual}
is_count "$tries" || {
	warn "NOTIFY_TRIES is not a number from 0 to 99: it tries $usual times"
	tries=$usual
}
pause=${NOTIFY_PAUSE:-1}
is_count "$pause" || {
	warn "NOTIFY_PAUSE is not a whole number of seconds from 0 to 99: it waits 1 second"
	pause=1
}
while :; do
	answer=$(call) || true # curl says on stderr what it could not do
	last=${answer##*
}
	says=$(printf '%s' "${answer%
*}")
	http=${last%% *}
	code=${last##* }
	# psycher's answers are JSON that names it. Anything else is not from psycher.
	case $says in
	'{'*'"psycher":'*'}' | '{'*'"psycher" :'*'}') from=psycher ;;
	*) from=another ;;
	esac
	case $from$http in
	psycher200)
		echo "notify.sh: psycher was told: $result"
		exit 0
		;;
	*000 | psycher | another | *408 | *429 | *5?? | another404) ;; # it may recover
	*) break ;;
	esac
	case $code in 1 | 2 | 3) break ;; esac # it never will
	tries=$((tries - 1))
	[ "$tries" -gt 0 ] || break
	warn "no luck (HTTP ${http:-000}), trying again in $pause s"
	sleep "$pause"
	[ "$pause" -ge 16 ] || pause=$((pause * 2))
done

says=$(excerpt "$says")
case $from$http in
another000 | another)
	case $code in
	1 | 3) give_up "NOTIFY_URL cannot be called: it must look like http://HOST:8080/notify" ;;
	2) give_up "this curl cannot make the call: it must be 7.18 or newer" ;;
	35 | 51 | 58 | 59 | 60 | 77 | 83) give_up "TLS with NOTIFY_URL fails: psycher's own port speaks plain HTTP, so write http:// unless something in front of it speaks TLS. If it does, see that its certificate is good for that name, and name your own certificate authority in CURL_CA_BUNDLE" ;;
	esac
	warn_of_proxy
	give_up "psycher cannot be reached at NOTIFY_URL: see that the address is right, that the bot runs, and that this runner may connect to it"
	;;
another3??)
	warn_of_proxy
	give_up "something else answers at NOTIFY_URL (HTTP $http): it leads elsewhere, as to a login page. Give it the address of psycher's own port, which ends in /notify"
	;;
another*)
	warn_of_proxy
	give_up "something else answers at NOTIFY_URL (HTTP $http), not psycher: give it the address of psycher's own port, which ends in /notify, past any login. The answer begins: $says"
	;;
psycher409)
	if [ "$result" = start ]; then
		warn "STOPPED: psycher says that this pipeline must not deploy: another pipeline has this deployment, it is of another commit than was confirmed, or it was given up. Ask for a new deploy in Slack. $says"
		exit 1
	fi
	give_up "psycher refused it (HTTP 409). $says"
	;;
psycher401)
	if [ -n "${PSYCHER_TOKEN:+set}" ]; then
		give_up "psycher does not take this PSYCHER_TOKEN (HTTP 401): pass on all that came with the trigger, together, and to the bot that sent it. $says"
	fi
	give_up "psycher does not take this NOTIFY_TOKEN (HTTP 401): hand on the PSYCHER_TOKEN that came with the trigger, or give the variable the bot's own NOTIFY_TOKEN. $says"
	;;
psycher400) give_up "psycher cannot read the call (HTTP 400): pass on channel, timestamp and PSYCHER_ID as they came with the trigger. $says" ;;
psycher404) give_up "psycher has no such deployment (HTTP 404): see that NOTIFY_URL ends in /notify and belongs to the bot that started this pipeline. $says" ;;
*) give_up "psycher could not take it (HTTP $http): see its log. $says" ;;
esac
