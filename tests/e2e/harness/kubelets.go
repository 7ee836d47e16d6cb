package harness

import (
	"context"
	_ "embed"
	"fmt"
	"os"
	"strings"
	"sync"
	"time"

	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
)

// What a pod may be told by its annotations; kubelets.yaml carries it out.
const (
	ReadyKey   = "e2e.muster.dev/ready"    // "false": its container is not ready
	EndKey     = "e2e.muster.dev/end"      // Succeeded or Failed: it ends so at once
	RunsForKey = "e2e.muster.dev/runs-for" // a duration after which it succeeds

	kubeletLabel = "e2e.muster.dev/kubelet" // nodes without it have no kubelet: their pods stay as they are
)

//go:embed kubelets.yaml
var kubeletStages string

// Kubelets is KWOK in the place of all kubelets, and knows which nodes were made to fail.
type Kubelets struct {
	*Process
	mu   sync.Mutex
	dead map[string]bool
}

// StartKubelets returns at once; nodes made before KWOK looks are found by it.
func StartKubelets(c *ControlPlane) (*Kubelets, error) {
	path := c.path("kubelets.yaml")
	if err := os.WriteFile(path, []byte(kubeletStages), 0o600); err != nil {
		return nil, err
	}
	// Leases and heartbeats are left out: no controller here waits for them, and they would cost writes.
	p, err := StartProcess(c.Dir, "kwok", c.self, "kwok", "--kubeconfig="+c.path("admin.kubeconfig"), "--config="+path, "--v=WARN",
		"--manage-nodes-with-label-selector="+kubeletLabel, "--node-lease-duration-seconds=0")
	if err != nil {
		return nil, err
	}
	return &Kubelets{Process: p, dead: map[string]bool{}}, nil
}

// Alive tells whether pods on the node can run, as far as the tests have not made it fail.
func (e *Env) Alive(node string) bool {
	e.Kubelets.mu.Lock()
	defer e.Kubelets.mu.Unlock()
	return !e.Kubelets.dead[node]
}

func (e *Env) mark(node string, dead bool) {
	e.Kubelets.mu.Lock()
	defer e.Kubelets.mu.Unlock()
	e.Kubelets.dead[node] = dead
}

// forget is for when all nodes are gone.
func (k *Kubelets) forget() {
	k.mu.Lock()
	defer k.mu.Unlock()
	k.dead = map[string]bool{}
}

// Live: the pod is bound, not ending, and its node has not been made to fail.
func (e *Env) Live(p *corev1.Pod) bool { return Bound(p) && e.Alive(p.Spec.NodeName) }

// FailNode does to a node what its controller does when the kubelet is not heard any more: Ready is Unknown, and it
// is tainted. Its pods stay in the API as they are.
func (e *Env) FailNode(ctx context.Context, name string) error {
	e.mark(name, true)
	patch := fmt.Sprintf(`{"metadata":{"labels":{%q:null}},"spec":{"taints":[`+
		`{"key":"node.kubernetes.io/unreachable","effect":"NoSchedule"},`+
		`{"key":"node.kubernetes.io/unreachable","effect":"NoExecute"}]}}`, kubeletLabel)
	if err := e.patchNode(ctx, name, patch); err != nil {
		return err
	}
	status := `{"status":{"conditions":[{"type":"Ready","status":"Unknown","reason":"NodeStatusUnknown",` +
		`"lastTransitionTime":"` + metav1.Now().UTC().Format(time.RFC3339) + `"}]}}`
	return e.patchNode(ctx, name, status, "status")
}

// HealNode brings the kubelet back.
func (e *Env) HealNode(ctx context.Context, name string) error {
	e.mark(name, false)
	return e.patchNode(ctx, name, fmt.Sprintf(`{"metadata":{"labels":{%q:"kwok"}},"spec":{"taints":null}}`, kubeletLabel))
}

func (e *Env) patchNode(ctx context.Context, name, patch string, subresource ...string) error {
	_, err := e.Client.CoreV1().Nodes().Patch(ctx, name, types.StrategicMergePatchType, []byte(patch),
		metav1.PatchOptions{}, subresource...)
	return err
}

// DeleteNode removes one node; its pods stay.
func (e *Env) DeleteNode(ctx context.Context, name string) error {
	e.mark(name, true)
	err := e.Client.CoreV1().Nodes().Delete(ctx, name, metav1.DeleteOptions{})
	if apierrors.IsNotFound(err) {
		return nil
	}
	return err
}

// ReviveNode makes a deleted node again, as it was; the pods it had are gone from the API, as they are from the machine.
func (e *Env) ReviveNode(ctx context.Context, node *corev1.Node) error {
	zero := int64(0)
	for _, p := range e.Recorder.Pods("", func(p *corev1.Pod) bool { return p.Spec.NodeName == node.Name }) {
		err := e.Client.CoreV1().Pods(p.Namespace).Delete(ctx, p.Name,
			metav1.DeleteOptions{GracePeriodSeconds: &zero, Preconditions: &metav1.Preconditions{UID: &p.UID}})
		if err != nil && !apierrors.IsNotFound(err) && !apierrors.IsConflict(err) {
			return err
		}
	}
	if err := e.CreateNodes(ctx, []*corev1.Node{node}); err != nil && !apierrors.IsAlreadyExists(err) {
		return err
	}
	e.mark(node.Name, false)
	return nil
}

// Annotate sets annotations of a pod; an empty value removes one. A pod that is gone is no error.
func (c *ControlPlane) Annotate(ctx context.Context, namespace, pod string, values map[string]string) error {
	var parts []string
	for key, value := range values {
		text := "null"
		if value != "" {
			text = fmt.Sprintf("%q", value)
		}
		parts = append(parts, fmt.Sprintf("%q:%s", key, text))
	}
	patch := `{"metadata":{"annotations":{` + strings.Join(parts, ",") + `}}}`
	_, err := c.Client.CoreV1().Pods(namespace).Patch(ctx, pod, types.MergePatchType, []byte(patch), metav1.PatchOptions{})
	if apierrors.IsNotFound(err) {
		return nil
	}
	return err
}
