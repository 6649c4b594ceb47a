// Package cmd is the program psycher: its command line, and the wiring of the
// packages into one bot.
//
// Each command has a file: run.go, demo.go, ready.go, history.go, unprove.go;
// root.go joins them and decides exit codes. [Run] is the whole bot, given its settings, the
// network and a log, so that tests run it in one process: it waits until Slack and
// the store answer, and ends in order. app.go builds the bot out of the packages,
// reload.go changes the settings of one that runs,
// serve.go has the two ports, log.go turns what the loop reports into log lines, and
// measure.go into metrics. The settings and the metrics are packages of their own.
//
// What the bot does is not decided here: a mention is understood and answered in
// package bot, carried through its states in package deploy, triggered in
// package gitlab and kept in package dedupe. This package is the only one that
// imports them all.
package cmd
