#!/bin/sh
# Run by dpkg and rpm after an installation or upgrade. It does not start psycher,
# which has no settings yet; a running one is replaced.
set -e
if [ -d "$DPKG_ROOT/run/systemd/system" ]; then
	systemctl daemon-reload
	systemctl try-restart psycher.service
fi
