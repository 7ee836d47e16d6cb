package scenarios

import (
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"

	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	networkingv1 "k8s.io/api/networking/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/labels"
	"k8s.io/apimachinery/pkg/util/yaml"
)

var placeholder = regexp.MustCompile(`[A-Z-]*CONTROL-PLANE-NODE`)

// overlayAdmitted: the overlay with the nodes' names filled in. Unfilled it must not pass: a pod
// on a node that does not exist would just be taken away again.
func (t *T) overlayAdmitted(name string, replicas int) {
	overlay := filepath.Join(t.Root, "manifests/overlays", name)
	if out, err := t.Kubectl(t.Ctx, "apply", "--dry-run=server", "-k", overlay); err == nil || !strings.Contains(err.Error(), "nodeName") {
		t.Fail("the overlay %s with its placeholders left in should fail for its nodeName: %s %v", name, out, err)
	}
	text, err := t.Kubectl(t.Ctx, "kustomize", overlay)
	t.Must(err)
	filled := filepath.Join(t.Dir, name+".yaml")
	t.Must(os.WriteFile(filled, []byte(placeholder.ReplaceAllStringFunc(text, strings.ToLower)), 0o644))
	out, err := t.Kubectl(t.Ctx, "apply", "--dry-run=server", "-f", filled)
	t.Must(err)
	if strings.Contains(out, "Warning") {
		t.Fail("the overlay %s: %s", name, out)
	}
	for _, gone := range []string{"  name: system:kube-scheduler", "image: registry.k8s.io/kube-scheduler"} {
		if strings.Contains(text, gone) {
			t.Fail("the overlay %s still has %s", name, gone)
		}
	}
	if !strings.Contains(text, "clientNames: ['system:kube-scheduler', ") {
		t.Fail("the overlay %s does not name whom Muster listens to", name)
	}
	t.replicasNeedNoScheduler(name, text, replicas)
}

// replicasNeedNoScheduler: each Muster is a Deployment with a node of its own, that may be rolled
// whether its pod is Ready or not, and is behind the one Service and NetworkPolicy.
func (t *T) replicasNeedNoScheduler(overlay, text string, replicas int) {
	deployments := documents[appsv1.Deployment](t, text, "Deployment")
	if len(deployments) != replicas {
		t.Fail("the overlay %s has %d Deployments, expected %d", overlay, len(deployments), replicas)
	}
	service := documents[corev1.Service](t, text, "Service")[0]
	policy := documents[networkingv1.NetworkPolicy](t, text, "NetworkPolicy")[0]
	nodes := map[string]bool{}
	for i, d := range deployments {
		pod := d.Spec.Template
		if *d.Spec.Replicas != 1 || d.Spec.Strategy.Type != appsv1.RecreateDeploymentStrategyType {
			t.Fail("the overlay %s: %s is to have one replica and to be recreated", overlay, d.Name)
		}
		if pod.Spec.NodeName == "" || nodes[pod.Spec.NodeName] {
			t.Fail("the overlay %s: %s has no node of its own: «%s»", overlay, d.Name, pod.Spec.NodeName)
		}
		nodes[pod.Spec.NodeName] = true
		if elects := slices.Contains(pod.Spec.Containers[0].Args, "--leader-elect"); elects != (replicas > 1) {
			t.Fail("the overlay %s: %s elects a leader: %v", overlay, d.Name, elects)
		}
		for name, selector := range map[string]*metav1.LabelSelector{
			"Service": {MatchLabels: service.Spec.Selector}, "NetworkPolicy": &policy.Spec.PodSelector} {
			if !t.selects(selector, pod.Labels) {
				t.Fail("the overlay %s: the %s does not select the pods of %s", overlay, name, d.Name)
			}
		}
		for j, other := range deployments {
			if t.selects(d.Spec.Selector, other.Spec.Template.Labels) != (i == j) {
				t.Fail("the overlay %s: %s does not select its own pods alone", overlay, d.Name)
			}
		}
	}
}

func (t *T) selects(selector *metav1.LabelSelector, pod map[string]string) bool {
	s, err := metav1.LabelSelectorAsSelector(selector)
	t.Must(err)
	return s.Matches(labels.Set(pod))
}

// documents of this kind in a text of many.
func documents[Object any](t *T, text, kind string) (out []Object) {
	for _, document := range strings.Split(text, "\n---\n") {
		var meta metav1.TypeMeta
		t.Must(yaml.Unmarshal([]byte(document), &meta))
		if meta.Kind == kind {
			var object Object
			t.Must(yaml.Unmarshal([]byte(document), &object))
			out = append(out, object)
		}
	}
	return out
}
