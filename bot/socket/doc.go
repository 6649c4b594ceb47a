// Package socket holds Slack's Socket Mode connections. [Pool] keeps a number of
// websockets open, replaces each before Slack closes it, and hands every envelope
// to a handler; the socket that received an envelope acks it if the handler
// returns true.
//
//	pool.go     how many connections, and when each is replaced
//	open.go     apps.connections.open, the handshake, and the budget for both
//	conn.go     one connection: frames, acks, pings, its end
//	refusal.go  why Slack gave no socket, and how to fix it
//
// What an envelope means is not decided here, and the Web API is only reached
// through Pool.Open. slack-go's own loop is not used: `go test ./bot/... -run
// TestSlackGo -v` shows what it loses.
package socket
