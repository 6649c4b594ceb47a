package main

import (
	"os"
	"path"
	"path/filepath"
	"slices"
	"testing"

	apps "k8s.io/api/apps/v1"
	core "k8s.io/api/core/v1"
	networking "k8s.io/api/networking/v1"
	policy "k8s.io/api/policy/v1"
	meta "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/labels"
	"k8s.io/apimachinery/pkg/util/intstr"
	"sigs.k8s.io/kustomize/api/krusty"
	"sigs.k8s.io/kustomize/kyaml/filesys"
	"sigs.k8s.io/yaml"
)

const kubernetes = "../../examples/kubernetes"

var secrets = []string{"slack-app-token", "slack-bot-token", "gitlab-trigger-tokens", "redis-url"}

// manifests are what kubectl apply -k would send, each kind once.
type manifests struct {
	Namespace           core.Namespace
	Deployment          apps.Deployment
	Service             core.Service
	ConfigMap           core.ConfigMap
	Secret              core.Secret
	PodDisruptionBudget policy.PodDisruptionBudget
	NetworkPolicy       networking.NetworkPolicy
}

// build fails on a field that Kubernetes does not have.
func build(t *testing.T) manifests {
	t.Helper()
	disk := filesys.MakeFsInMemory()
	files, err := filepath.Glob(filepath.Join(kubernetes, "*.yaml"))
	if err != nil {
		t.Fatal(err)
	}
	for _, file := range files {
		text, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		if err := disk.WriteFile(path.Join("/k", filepath.Base(file)), text); err != nil {
			t.Fatal(err)
		}
	}
	for _, name := range secrets {
		if err := disk.WriteFile(path.Join("/k/secrets", name), []byte("secret")); err != nil {
			t.Fatal(err)
		}
	}
	built, err := krusty.MakeKustomizer(krusty.MakeDefaultOptions()).Run(disk, "/k")
	if err != nil {
		t.Fatal(err)
	}

	var all manifests
	into := map[string]any{
		"Namespace": &all.Namespace, "Deployment": &all.Deployment, "Service": &all.Service,
		"ConfigMap": &all.ConfigMap, "Secret": &all.Secret,
		"PodDisruptionBudget": &all.PodDisruptionBudget, "NetworkPolicy": &all.NetworkPolicy,
	}
	for _, r := range built.Resources() {
		kind := into[r.GetKind()]
		if kind == nil {
			t.Fatalf("%s: a second one, or of no kind that this test knows", r.CurId())
		}
		delete(into, r.GetKind())
		text, err := r.AsYAML()
		if err != nil {
			t.Fatal(err)
		}
		if err := yaml.UnmarshalStrict(text, kind); err != nil {
			t.Errorf("%s: %v", r.CurId(), err)
		}
	}
	for kind := range into {
		t.Errorf("there is no %s", kind)
	}
	return all
}

// What the values are, the tests of cmd say.
func TestKubernetesGivesThePodItsSettings(t *testing.T) {
	all := build(t)
	pod := all.Deployment.Spec.Template.Spec
	box, volume := pod.Containers[0], pod.Volumes[0]
	if volume.Secret.SecretName != all.Secret.Name || box.EnvFrom[0].ConfigMapRef.Name != all.ConfigMap.Name {
		t.Errorf("the pod takes secret %s and settings %s", volume.Secret.SecretName, box.EnvFrom[0].ConfigMapRef.Name)
	}
	mounted := box.VolumeMounts[0]
	if mounted.Name != volume.Name || !mounted.ReadOnly {
		t.Errorf("the secrets are mounted as %+v", mounted)
	}
	for name := range all.Secret.Data {
		if !slices.ContainsFunc(box.Env, func(v core.EnvVar) bool { return v.Value == path.Join(mounted.MountPath, name) }) {
			t.Errorf("no setting names the file %s", name)
		}
	}
	port := portOf(box, "notify")
	want := "http://" + all.Service.Name + "." + all.Namespace.Name + ".svc:" + port.String() + "/notify"
	if got := all.ConfigMap.Data["NOTIFY_URL"]; got != want {
		t.Errorf("NOTIFY_URL is %s, the service %s", got, want)
	}
	if port := portOf(box, "admin"); !slices.Contains(box.Env, core.EnvVar{Name: "ADMIN_ADDR", Value: ":" + port.String()}) {
		t.Errorf("psycher does not listen on the port admin, %s", port.String())
	}
}

func portOf(box core.Container, name string) intstr.IntOrString {
	i := slices.IndexFunc(box.Ports, func(p core.ContainerPort) bool { return p.Name == name })
	if i < 0 {
		return intstr.FromString("missing")
	}
	return intstr.FromInt32(box.Ports[i].ContainerPort)
}

func TestKubernetesSelectsThePods(t *testing.T) {
	all := build(t)
	pods := labels.Set(all.Deployment.Spec.Template.Labels)
	for name, selector := range map[string]*meta.LabelSelector{
		"Deployment":          all.Deployment.Spec.Selector,
		"spread":              all.Deployment.Spec.Template.Spec.TopologySpreadConstraints[0].LabelSelector,
		"Service":             {MatchLabels: all.Service.Spec.Selector},
		"PodDisruptionBudget": all.PodDisruptionBudget.Spec.Selector,
		"NetworkPolicy":       &all.NetworkPolicy.Spec.PodSelector,
	} {
		s, err := meta.LabelSelectorAsSelector(selector)
		if err != nil || s.Empty() || !s.Matches(pods) {
			t.Errorf("%s selects %q of pods with %v: %v", name, s, pods, err)
		}
	}
}

func TestKubernetesAsksTheAdminPort(t *testing.T) {
	box := build(t).Deployment.Spec.Template.Spec.Containers[0]
	for path, probe := range map[string]*core.Probe{"/healthz": box.LivenessProbe, "/readyz": box.ReadinessProbe} {
		if probe == nil || probe.HTTPGet == nil || probe.HTTPGet.Path != path || probe.HTTPGet.Port.String() != "admin" {
			t.Errorf("nobody asks %s at the admin port: %v", path, probe)
		}
	}
	if service := build(t).Service.Spec.Ports; len(service) != 1 || service[0].TargetPort.String() != "notify" {
		t.Errorf("the service shows %v, not the notify port alone", service)
	}
}

func TestKubernetesKeepsOnePodAndConfinesIt(t *testing.T) {
	all := build(t)
	if n := *all.Deployment.Spec.Replicas; n != 2 || all.PodDisruptionBudget.Spec.MaxUnavailable.IntValue() != 1 {
		t.Errorf("%d pods, of which %s may be evicted", n, all.PodDisruptionBudget.Spec.MaxUnavailable)
	}
	pod := all.Deployment.Spec.Template.Spec
	box := pod.Containers[0]
	may := box.SecurityContext
	if !*pod.SecurityContext.RunAsNonRoot || !*may.ReadOnlyRootFilesystem || *may.AllowPrivilegeEscalation ||
		!slices.Equal(may.Capabilities.Drop, []core.Capability{"ALL"}) || *pod.AutomountServiceAccountToken {
		t.Errorf("the pod may %+v, %+v", pod.SecurityContext, may)
	}
	if box.Resources.Limits.Memory().IsZero() || box.Resources.Requests.Cpu().IsZero() {
		t.Errorf("its resources are %+v", box.Resources)
	}
	if kinds := all.NetworkPolicy.Spec.PolicyTypes; len(kinds) != 2 || len(all.NetworkPolicy.Spec.Egress) == 0 {
		t.Errorf("the network policy is for %v", kinds)
	}
}
