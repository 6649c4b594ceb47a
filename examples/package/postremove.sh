#!/bin/sh
# Run by dpkg and rpm after a removal or upgrade.
set -e
if [ -d "$DPKG_ROOT/run/systemd/system" ]; then
	systemctl daemon-reload
fi
if [ "$1" = purge ]; then # by dpkg alone
	rm -rf "$DPKG_ROOT/etc/psycher"
fi
