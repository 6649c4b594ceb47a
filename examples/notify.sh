#!/bin/sh
# Tells psycher how a deploy goes.
#
#   bin/notify.sh start       before anything is deployed: may this pipeline deploy?
#   bin/notify.sh success     it is deployed (also: failure, canceled)
#   bin/notify.sh "$CI_JOB_STATUS"      from after_script
#
# Set these two in GitLab (Settings > CI/CD > Variables):
#   NOTIFY_URL      psycher's notify port: http://HOST:8080/notify
#   NOTIFY_TOKEN    the bot's NOTIFY_TOKEN (masked; protected if the deployed ref is)
# psycher sends channel, timestamp and PSYCHER_ID with the trigger. A child
# pipeline needs them too, and PSYCHER_PIPELINE, its parent's CI_PIPELINE_ID.
#
# A start ends with an error only if psycher says that this pipeline must not
# deploy: a bot that cannot be reached stops no deploy. Any other result ends
# with an error if psycher could not be told.
#
# NOTIFY_TRIES (8; 3 for start) and NOTIFY_PAUSE (1 second, doubled each time
# up to 16) say how long it tries. It needs curl 7.55 or newer.
set -eu

# The token stands in no command's arguments and in no trace of this script.

warn() { printf 'notify.sh: %s\n' "$*" >&2; }

# give_up says what is wrong, and ends: a start passes all the same.
give_up() {
	if [ "$result" = start ]; then
		warn "$*"
		warn "psycher could not be asked; the deploy goes on"
		exit 0
	fi
	warn "$*"
	warn "psycher was not told of the $result; it shows no end of this deploy yet. Mend it and run this job again"
	exit 1
}

# call gives the answer's body and, in a last line of its own, its status.
call() {
	curl --silent --show-error --globoff --connect-timeout 5 --max-time 15 \
		--write-out '\n%{http_code}' --header @- \
		--data-urlencode "source=gitlab" \
		--data-urlencode "result=$result" \
		--data-urlencode "channel=${channel:-}" \
		--data-urlencode "timestamp=${timestamp:-}" \
		--data-urlencode "id=$PSYCHER_ID" \
		--data-urlencode "pipeline=${PSYCHER_PIPELINE:-${CI_PIPELINE_ID:-}}" \
		--data-urlencode "job=${CI_JOB_ID:-}" \
		--url "$NOTIFY_URL" <<HEADER
Authorization: Bearer $NOTIFY_TOKEN
HEADER
}

case ${1:-} in
start | success | failure | canceled) result=$1 ;;
failed | timedout) result=failure ;;
*)
	warn "usage: notify.sh start|success|failure|canceled, or one of CI_JOB_STATUS: success, failed, canceled, timedout"
	exit 1
	;;
esac

if [ -z "${PSYCHER_ID:-}" ]; then
	echo "notify.sh: no PSYCHER_ID: psycher did not start this pipeline, nobody is told"
	exit 0
fi
[ -n "${NOTIFY_URL:-}" ] || give_up "NOTIFY_URL is not set: add it in Settings > CI/CD > Variables"
[ -n "${NOTIFY_TOKEN:+set}" ] || give_up "NOTIFY_TOKEN is not set: add it in Settings > CI/CD > Variables (a protected variable is only there on protected refs)"
command -v curl >/dev/null || give_up "there is no curl: use an image that has it, or install it in before_script"

tries=${NOTIFY_TRIES:-8}
[ "$result" != start ] || tries=${NOTIFY_TRIES:-3}
pause=${NOTIFY_PAUSE:-1}
while :; do
	answer=$(call) || true # curl says on stderr what it could not do
	status=${answer##*
}
	says=${answer%
*}
	case $status in
	2??)
		echo "notify.sh: psycher was told: $result"
		exit 0
		;;
	000 | "" | 408 | 429 | 5??) ;; # it may come to itself
	*) break ;;
	esac
	tries=$((tries - 1))
	[ "$tries" -gt 0 ] || break
	warn "no luck (HTTP ${status:-000}), trying again in $pause s"
	sleep "$pause"
	[ "$pause" -ge 16 ] || pause=$((pause * 2))
done

case $status in
409)
	if [ "$result" = start ]; then
		warn "STOPPED: psycher says that this pipeline must not deploy: another pipeline has this deployment, or it was given up. Ask for a new deploy in Slack. $says"
		exit 1
	fi
	give_up "psycher refused it (HTTP 409). $says"
	;;
000 | "") give_up "psycher cannot be reached at NOTIFY_URL: see that the address is right, that the bot runs, and that this runner may connect to it" ;;
401) give_up "psycher does not know this NOTIFY_TOKEN (HTTP 401): give the variable the bot's own NOTIFY_TOKEN" ;;
400) give_up "psycher cannot read the call (HTTP 400): pass on channel, timestamp and PSYCHER_ID as they came with the trigger. $says" ;;
404) give_up "psycher has no such deployment (HTTP 404): see that NOTIFY_URL ends in /notify and belongs to the bot that started this pipeline. $says" ;;
3??) give_up "NOTIFY_URL leads elsewhere (HTTP $status): give it the address that it leads to" ;;
*) give_up "psycher could not take it (HTTP $status): see its log. $says" ;;
esac
