// Package settings reads and checks everything that can be set.
//
// The function table has one row a setting: its name, its default, what it
// means, and how its text becomes a checked value in a field of [Settings]. The
// documents print that table, so a new setting is a field, a row, a line in
// .env.example and, where no check of checks.go fits, one more check.
//
// Where a text comes from is the matter of env.go: the environment, a file that
// NAME_FILE names, .env, or a secret of AWS (aws.go). [Load] reports all problems at
// once, in the order of the table, and never the text itself: what was put into a
// variable may be a secret that belongs in another one. A [Loader] reads them again.
//
// What a setting does is not decided here, and neither are proxies and
// certificate authorities: they are Go's own, see [Settings.Export].
package settings
