// Package words decides what the text of a mention asks for. [Understand] splits
// it into clauses and looks for a deploy word; the first rule that holds it back
// gives the answer.
//
//	words.go        the decision, and the names of targets
//	text.go         a text folded for comparison, with its way back to the original
//	clause.go       clauses and the words in them
//	rules.go        how a rule is looked for, and what cannot be listed
//	table_hold.go   the rules
//	table_plain.go  deploy words, requests, and words that only look like a rule's
//
// The pages on what psycher understands are generated from the tables. Who may
// deploy, and when, is decided by package deploy.
package words
