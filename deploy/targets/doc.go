// Package targets is the target map: what can be deployed, from which channel.
// [Parse] reads it from JSON and reports everything that is wrong with it, each
// with its path, and never a value: it may be a secret in the wrong place.
package targets
