package targets

import (
	"fmt"
	"strings"
	"testing"
	"time"
)

func BenchmarkParse(b *testing.B) {
	var s strings.Builder
	s.WriteString(`{"T1":{`)
	for i := range 1000 {
		if i > 0 {
			s.WriteString(",")
		}
		fmt.Fprintf(&s, `"C%05d":{"app":{"project_id":%d,"token":"glptt-%020d"}}`, i, i+1, i)
	}
	s.WriteString("}}")
	b.ReportAllocs()
	for b.Loop() {
		if _, err := Parse([]byte(s.String()), "master", time.Hour); err != nil {
			b.Fatal(err)
		}
	}
}
