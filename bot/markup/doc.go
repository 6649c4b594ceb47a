// Package markup reads what a Slack message says. The same words come in two
// forms, rich text blocks and mrkdwn text; both yield the same text, without
// quotes, preformatted text and struck-through words.
//
// Slack sends more than it documents, and other clients write odd blocks: every
// field is read leniently, and a message that could not be read to its end says so.
//
// What the words ask for is decided by package words.
package markup
