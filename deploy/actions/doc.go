// Package actions decides what comes of a request: what deploys, and what is only answered. An action is
// a pure function of a [Request]; package engine carries the [Decision] out.
package actions
