// Package phrases is psycher's voice: it turns a deploy.Message into Slack's
// mrkdwn, in Japanese (ja.txt) or English (en.txt). To add a wording, add a line
// there and run `go run ./internal/docgen`.
//
// Foreign text is escaped here, and only here. Which message is due is decided by
// package deploy.
package phrases
