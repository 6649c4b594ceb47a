package fakegitlab

import (
	"net/http/httptest"
	"strings"
	"testing"
)

func TestWhatTheRoleOfTheTokenShows(t *testing.T) {
	for role, shows := range map[int]bool{20: false, 30: false, 40: true} {
		g := standIn(t, func(c *Config) { c.Projects[0].Site.Role = role })
		for _, part := range []string{"/triggers", "/runners", "/protected_branches"} {
			if w := get(g, path+part); (w.Code == 200) != shows || !shows && w.Code != 403 {
				t.Errorf("%d %s: %d", role, part, w.Code)
			}
		}
		w := get(g, path)
		for _, key := range []string{"ci_pipeline_variables_minimum_override_role", "restrict_user_defined_variables", "ci_forward_deployment_rollback_allowed"} {
			if strings.Contains(w.Body.String(), key) != shows {
				t.Errorf("%d: %s", role, w.Body)
			}
		}
		if !strings.Contains(w.Body.String(), `"builds_access_level":"enabled"`) {
			t.Errorf("%d: %s", role, w.Body)
		}
	}
}

func TestATriggerTokenIsShownToItsOwnerAlone(t *testing.T) {
	token := standIn(t).conf.Projects[0].Token
	for owner, whole := range map[int64]bool{1: true, 7: false} {
		g := standIn(t, func(c *Config) { c.Projects[0].Site.Owner = Member{ID: owner, Role: 30} })
		w := get(g, path+"/triggers")
		if strings.Contains(w.Body.String(), token) != whole || !strings.Contains(w.Body.String(), `"token":"`) {
			t.Errorf("%d: %s", owner, w.Body)
		}
	}
}

func TestTheVersionNeedsAToken(t *testing.T) {
	w := httptest.NewRecorder()
	standIn(t).ServeHTTP(w, httptest.NewRequest("GET", "/api/v4/version", nil))
	if w.Code != 401 || !strings.Contains(w.Body.String(), "401 Unauthorized") {
		t.Errorf("%d %s", w.Code, w.Body)
	}
}

// GitLab says first whether the token's owner may, then whether there is such a ref.
func TestTheOrderInWhichATriggerIsRefused(t *testing.T) {
	for want, edit := range map[string]func(*Site){
		"Reference not found":      func(*Site) {},
		"Pipelines are disabled":   func(s *Site) { s.NoCI = true },
		"create a new pipeline":    func(s *Site) { s.Owner = Member{ID: 7, Role: 20} },
		"to create a new pipeline": func(s *Site) { s.Owner = Member{ID: 7, Role: 30, State: "blocked"} },
	} {
		g := standIn(t, func(c *Config) { edit(&c.Projects[0].Site) })
		body := `{"token":"` + g.conf.Projects[0].Token + `","ref":"psycher-doctor-none"}`
		if w := send(g, path+"/trigger/pipeline", asJSON, body); w.Code != 400 || !strings.Contains(w.Body.String(), want) {
			t.Errorf("%s: %d %s", want, w.Code, w.Body)
		}
		if n := len(g.Pipelines()); n > 0 {
			t.Errorf("%s: %d pipelines", want, n)
		}
	}
}
