// Package metrics is what psycher counts and measures, as Prometheus scrapes it.
// Each metric is a row of [Table]: what is registered, what HELP says and
// docs/METRICS.md come from there. Every series that can be named in advance is
// there from the start, as zero, so that the first of a kind shows as a rise.
//
// No label names a person, a channel, a mention or an address: their values are
// lists in the table, and the names of targets, of which there are at most
// [maxTargets]. What other values come are counted as "other".
//
// Where things happen is not known here: see measure.go of package cmd.
package metrics
