// Package examples holds what a project copies to be deployed by psycher: the
// script that reports how a deploy goes, a sample deploy, and two CI
// configurations that call them; and what psycher itself is run with: an image,
// a compose file, a systemd unit, the Slack app's manifest. It is Go only so that
// the demo can run these very files, and psycher can print them.
package examples

import "embed"

// FS holds the scripts and the app's manifest at its root, and each CI
// configuration in a folder of its own.
//
//go:embed slack-app-manifest.json notify.sh deploy.sh classic/.gitlab-ci.yml modern/.gitlab-ci.yml
var FS embed.FS
