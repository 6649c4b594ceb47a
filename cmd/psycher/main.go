// Command psycher is the deploy bot: see README.md.
package main

import (
	"os"

	"github.com/getto-systems/psycher/cmd"
)

func main() {
	os.Exit(cmd.Main(os.Args[1:], os.Environ(), os.Stdin, os.Stdout, os.Stderr))
}
