#!/bin/sh
# A sample: put what deploys your project here. It ends with an error if it
# did not work; that is how psycher finds out.
set -eu

echo "deploy.sh: would deploy ${CI_PROJECT_PATH:-this project} at ${CI_COMMIT_SHORT_SHA:-its newest commit}"
if [ -n "${DEMO_FAIL:-}" ]; then
	echo "deploy.sh: failed, as DEMO_FAIL asks" >&2
	exit 1
fi
echo "deploy.sh: done"
