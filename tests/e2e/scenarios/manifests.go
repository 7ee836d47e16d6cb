package scenarios

import (
	"path/filepath"
	"strings"
	"time"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/labels"

	"muster.dev/e2e/harness"
)

// manifestsAdmitted: what the other scenarios do not touch of the manifests. Nothing is run
// from an image here, there is no kubelet.
func manifestsAdmitted(t *T) {
	// The Deployment's pod got through «restricted» Pod Security.
	err := harness.Poll(t.Ctx, soon, 100*time.Millisecond, func() (bool, string) {
		pods := t.Recorder.Pods("muster-system", named("muster-"))
		events, _ := t.Events(t.Ctx, "muster-system", func(e *corev1.Event) bool { return e.Type == corev1.EventTypeWarning })
		why := "no pod of the Deployment muster"
		for _, e := range events {
			why += "; " + e.Reason + ": " + e.Message
		}
		return len(pods) == 1, why
	})
	t.Must(err)

	t.closedToCallers()
	t.overlayAdmitted("cluster-scheduler", 1)
	t.overlayAdmitted("two-replicas", 2)
	_, err = t.Kubectl(t.Ctx, "apply", "--dry-run=server", "-n", t.Namespace, "-f", filepath.Join(t.Root, "manifests/examples"))
	t.Must(err)

	// The gate: for members of ours, and once.
	for _, c := range []struct {
		what  string
		pod   *corev1.Pod
		gates int
	}{
		{"a member", member(nil), 1},
		{"a member that has it", member(func(p *corev1.Pod) {
			p.Spec.SchedulingGates = []corev1.PodSchedulingGate{{Name: harness.HoldGate}}
		}), 1},
		{"a member with another gate", member(func(p *corev1.Pod) {
			p.Spec.SchedulingGates = []corev1.PodSchedulingGate{{Name: "example.com/quota"}}
		}), 2},
		{"a member of another scheduler", member(func(p *corev1.Pod) { p.Spec.SchedulerName = "other" }), 0},
		{"a member with a node", member(func(p *corev1.Pod) { p.Spec.NodeName = "somewhere" }), 0},
		{"a pod of no group", harness.Pod("foreign", 1), 0},
	} {
		got, err := t.Client.CoreV1().Pods(t.Namespace).Create(t.Ctx, c.pod, metav1.CreateOptions{DryRun: []string{metav1.DryRunAll}})
		t.Must(err)
		if len(got.Spec.SchedulingGates) != c.gates {
			t.Fail("%s has gates %v, expected %d", c.what, got.Spec.SchedulingGates, c.gates)
		}
	}
	t.probes()
}

// closedToCallers: the NetworkPolicy is in the API, and selects the Deployment's pods.
func (t *T) closedToCallers() {
	policies, err := t.Client.NetworkingV1().NetworkPolicies("muster-system").List(t.Ctx, metav1.ListOptions{})
	t.Must(err)
	if len(policies.Items) != 1 || len(policies.Items[0].Spec.Ingress) != 0 || len(policies.Items[0].Spec.PolicyTypes) != 2 {
		t.Fail("one NetworkPolicy is to close the pod to all callers: %v", policies.Items)
	}
	deployment, err := t.Client.AppsV1().Deployments("muster-system").Get(t.Ctx, "muster", metav1.GetOptions{})
	t.Must(err)
	selector, err := metav1.LabelSelectorAsSelector(&policies.Items[0].Spec.PodSelector)
	t.Must(err)
	if !selector.Matches(labels.Set(deployment.Spec.Template.Labels)) {
		t.Fail("the NetworkPolicy selects %s, the Deployment's pods are %v", selector, deployment.Spec.Template.Labels)
	}
}

func member(change func(*corev1.Pod)) *corev1.Pod {
	pod := harness.Group{Name: "m", Members: 1}.Pods()[0]
	if change != nil {
		change(pod)
	}
	return pod
}

// probes runs the commands that a kubelet would, and one that must fail.
func (t *T) probes() {
	if t.Muster == nil {
		return
	}
	for _, path := range []string{"/healthz", "/readyz"} {
		if status, out := t.Muster.Probe(t.Ctx, path); status != 0 {
			t.Fail("--probe=%s: status %d: %s", path, status, out)
		}
	}
	if status, _ := t.Muster.Probe(t.Ctx, "/nothing-here"); status == 0 {
		t.Fail("--probe=/nothing-here: status 0")
	}
}

// unknownLevel: a required level that is not configured is never dropped silently.
func unknownLevel(t *T) {
	t.Nodes(harness.Shape{Blocks: 1, Racks: 1, Hosts: 4})
	t.Create(harness.Group{Name: "l", Members: 2, Required: "rock", GPUs: 1}.Pods()...)
	event := t.WaitEvent("l-", "Rejected", 5*time.Second)
	if !strings.Contains(event.Message, "rock") || !strings.Contains(event.Message, "topology-required") {
		t.Fail("the event names neither field nor value: %s", event.Message)
	}
	t.Note("«%s»", event.Message)
	t.NeverBound("l", 2*time.Second)
}
