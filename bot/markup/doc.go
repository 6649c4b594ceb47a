// Package markup reads what a Slack message says. The same words come in two
// forms, rich text blocks (blocks.go) and mrkdwn text (segment.go); both yield the
// same segments: plain words, code, a quote, a link, a user, and so on.
// To be compared, words are folded: case, width, emoji and the like (fold.go).
//
// Slack sends more than it documents, and other clients write odd blocks: every
// field is read leniently, and a message that could not be read to its end says so.
//
// What the words ask for is decided by package words.
package markup
