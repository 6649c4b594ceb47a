package deploy

import "fmt"

// Secret is a string that must never be shown: every way of printing or marshaling
// it yields "[redacted]".
type Secret string

const redacted = "[redacted]"

// Reveal returns the secret itself, for the one call that needs it.
func (s Secret) Reveal() string { return string(s) }

func (s Secret) String() string               { return redacted }
func (s Secret) GoString() string             { return redacted }
func (s Secret) Format(f fmt.State, _ rune)   { fmt.Fprint(f, redacted) }
func (s Secret) MarshalText() ([]byte, error) { return []byte(redacted), nil }
