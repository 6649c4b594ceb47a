// Package web makes the calls of Slack's Web API. [Client] implements
// engine.Slack: each call is one try and never sleeps, and its error says what
// another try would do.
//
//	client.go   the calls
//	answer.go   one HTTP exchange, read in slack-go's place, and what it means for another try
//	reasons.go  Slack's error codes, and what an operator must fix
//	blocks.go   a message with buttons, as Slack takes it
//	limits.go   Slack's rate limits, kept before each call
//	clock.go    Slack's clock, by which ages are judged
//
// When a failed call is tried again is decided by package engine.
package web
