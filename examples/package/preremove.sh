#!/bin/sh
# Run by dpkg and rpm before a removal, and before an upgrade, which is no end.
set -e
case $1 in
remove | 0) # dpkg's word, and rpm's: no version is left
	if [ -d "$DPKG_ROOT/run/systemd/system" ]; then
		systemctl disable --now psycher.service
	fi
	;;
esac
