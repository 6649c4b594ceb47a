// Package bot turns what Slack sends into work for the engine. [Intake] takes an
// envelope of Socket Mode, reads the mention in it, decides whether a person of
// the bot's own workspace wrote it, and passes it on, as it does with the press of
// a button; the return value decides whether the envelope is acked.
//
// Its rooms:
//
//   - socket: the websockets that envelopes arrive on
//   - web: the Web API calls that show a record in Slack
//   - markup: what a message says, from rich text blocks or mrkdwn
//   - words: what a text asks for
//   - phrases: every wording, in Japanese and English
//
// Whether a mention becomes a deploy is not decided here: package deploy and its
// engine do that.
package bot
