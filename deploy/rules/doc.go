// Package rules decides who may deploy what, and when. A rule is a pure function
// of a [Context], in a file of its own, and returns its reason for refusing.
//
// All rules are judged once, when a request is taken up. Those in the second
// table are judged again before every later POST, as what they look at may have
// changed while the deployment waited: a person who was taken off a target's
// list is refused then. Whether a request is too old, or came as an edit, is
// judged only once: waiting makes nobody's request too old.
//
// To add a rule: a file with its function, a row in the tables below, and the
// message that it returns.
package rules
