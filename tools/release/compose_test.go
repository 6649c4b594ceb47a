package main

import (
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"sigs.k8s.io/yaml"
)

// readYAML leaves out what into has no field for.
func readYAML(t *testing.T, file string, into any) {
	t.Helper()
	text, err := os.ReadFile(filepath.Join("../../examples", file))
	if err != nil {
		t.Fatal(err)
	}
	if err := yaml.Unmarshal(text, into); err != nil {
		t.Fatal(err)
	}
}

// The Prometheus of compose.yaml finds psycher, and the rules that it names.
func TestComposeScrapesTheAdminPort(t *testing.T) {
	var compose struct {
		Services map[string]struct {
			Environment map[string]string
			Volumes     []string
		}
	}
	readYAML(t, "compose.yaml", &compose)
	var prometheus struct {
		RuleFiles     []string `json:"rule_files"`
		ScrapeConfigs []struct {
			StaticConfigs []struct{ Targets []string } `json:"static_configs"`
		} `json:"scrape_configs"`
	}
	readYAML(t, "prometheus/prometheus.yml", &prometheus)

	want := []string{"psycher" + compose.Services["psycher"].Environment["ADMIN_ADDR"]}
	if got := prometheus.ScrapeConfigs[0].StaticConfigs[0].Targets; !slices.Equal(got, want) {
		t.Errorf("it scrapes %q, and psycher listens on %q", got, want)
	}
	folder, _, mounted := strings.Cut(compose.Services["prometheus"].Volumes[0], ":/etc/prometheus:ro")
	if !mounted || len(prometheus.RuleFiles) == 0 {
		t.Fatalf("it is given %q, with the rules %q", compose.Services["prometheus"].Volumes, prometheus.RuleFiles)
	}
	for _, file := range prometheus.RuleFiles {
		if _, err := os.Stat(filepath.Join("../../examples", folder, file)); err != nil {
			t.Error(err)
		}
	}
}
