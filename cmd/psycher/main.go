// Command psycher is the deploy bot: see README.md.
package main

import (
	"os"

	"github.com/getto-systems/psycher/cmd"
)

func main() {
	os.Exit(cmd.Main())
}
