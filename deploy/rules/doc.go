// Package rules decides who may deploy what, and when. A rule is a pure function
// of a [Context], in a file of its own, and returns its reason for holding a
// deploy back.
//
// Rules about people refuse, and are judged at each way in and before every POST:
// a person who was taken off a target's list while a deployment waited is refused
// then. Rules about times have the bot ask, once for each mention or press: waiting
// makes nobody's request too old.
//
// All that holds a target is named at once. What is shown is what the button confirms.
//
// To add a rule: a file with its function, a row in the tables of rules.go, and
// the message that it returns, with its line below "also" in package phrases.
package rules
