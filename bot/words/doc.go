// Package words decides what the text of a mention asks for.
//
// [Understand] splits it into clauses, and each of them must match a rule of the
// tables as a whole: they are a closed world, but for a report of finished work,
// which is free in what it names. What they do not have is in doubt, and is asked
// about.
//
//	words.go     the clauses, and what they ask for together
//	grammar.go   the form of the tables, and how a clause is matched
//	text.go      the names in a text: targets, and the ref that goes out
//	ja.txt       what can be said in Japanese
//	en.txt       what can be said in English
//
// The pages on what psycher understands are generated from the tables. Who may
// deploy, and when, is decided by package deploy; quotations, emoji and the like are
// found by package markup.
package words
