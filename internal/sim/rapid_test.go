package sim_test

import (
	"flag"
	"slices"
	"strconv"
	"testing"
)

func sortStrings(s []string) { slices.Sort(s) }

// setChecks has rapid run so many sequences.
func setChecks(t *testing.T, n int) {
	if err := flag.Set("rapid.checks", strconv.Itoa(n)); err != nil {
		t.Fatal(err)
	}
}
