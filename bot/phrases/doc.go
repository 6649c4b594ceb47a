// Package phrases is psycher's voice: it turns a deploy.Message into Slack's
// mrkdwn, in Japanese (ja.go) or English (en.go). To add a wording, add a string
// there and run `go run ./internal/docgen`.
//
// Foreign text is escaped here, and only here. Which message is due is decided by
// package deploy.
package phrases
