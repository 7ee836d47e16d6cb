package scenarios

import (
	"bufio"
	"fmt"
	"net/http"
	"strconv"
	"strings"
	"time"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"muster.dev/e2e/harness"
)

// metrics reads Muster's numbers; with labels as in muster_groups{state="Bound"}.
func (t *T) metrics() (map[string]float64, error) {
	response, err := http.Get(t.Muster.URL() + "/metrics")
	if err != nil {
		return nil, err
	}
	defer response.Body.Close()
	values := map[string]float64{}
	lines := bufio.NewScanner(response.Body)
	for lines.Scan() {
		name, text, found := strings.Cut(lines.Text(), " ")
		if value, err := strconv.ParseFloat(text, 64); found && err == nil && !strings.HasPrefix(name, "#") {
			values[name] = value
		}
	}
	return values, lines.Err()
}

// quietBooks returns when Muster promises nothing to anybody, has nothing under way, and knows as many nodes as there are.
func (t *T) quietBooks(limit time.Duration) error {
	return harness.Poll(t.Ctx, limit, 100*time.Millisecond, func() (bool, string) {
		nodes, err := t.Client.CoreV1().Nodes().List(t.Ctx, metav1.ListOptions{ResourceVersion: "0"})
		if err != nil {
			return false, err.Error()
		}
		values, err := t.metrics()
		if err != nil {
			return false, err.Error()
		}
		for name, want := range map[string]float64{"muster_reservations": 0, "muster_bind_calls_waiting": 0,
			"muster_api_writes_waiting": 0, "muster_nodes": float64(len(nodes.Items))} {
			if value, known := values[name]; !known || value != want {
				return false, fmt.Sprintf("%s is %g, not %g", name, value, want)
			}
		}
		return true, ""
	})
}

// freeHosts are the nodes that can be used and that no bound pod is on.
func (t *T) freeHosts(nodes []*corev1.Node) map[string]int {
	taken := map[string]bool{}
	for _, p := range t.Recorder.Pods("", func(p *corev1.Pod) bool {
		return p.Spec.NodeName != "" && p.Status.Phase != corev1.PodSucceeded && p.Status.Phase != corev1.PodFailed
	}) {
		taken[p.Spec.NodeName] = true
	}
	free := map[string]int{}
	for _, node := range nodes {
		if !taken[node.Name] && t.Alive(node.Name) {
			free[node.Labels[harness.BlockLabel]]++
		}
	}
	return free
}

// roomIsThere fills all hosts that are free by the API with one group per block: if Muster's books hid any of it, that
// group would not fit. The groups are gone afterwards.
func (t *T) roomIsThere(nodes []*corev1.Node) error {
	want := 0
	for block, hosts := range t.freeHosts(nodes) {
		name := "room-" + block
		for _, pod := range (harness.Group{Name: name, Members: hosts, Required: "block", GPUs: 8, Block: block}).Pods() {
			if err := t.TryCreate(pod); err != nil {
				return err
			}
			want++
		}
	}
	pods, err := t.Recorder.Wait(t.Ctx, t.Namespace, 20*time.Second, named("room-"),
		func(pods []*corev1.Pod) bool { return harness.CountBound(pods) == want })
	if err != nil {
		var waiting []*corev1.Pod
		for _, p := range pods {
			if !harness.Bound(p) {
				waiting = append(waiting, p)
			}
		}
		return fmt.Errorf("room that is free in the API can not be used: %s", harness.Briefs(waiting))
	}
	return t.deletePods(named("room-"))
}

// deletePods removes pods at once and returns when they are gone.
func (t *T) deletePods(keep func(*corev1.Pod) bool) error {
	zero := int64(0)
	pods := t.Recorder.Pods(t.Namespace, keep)
	if err := harness.Parallel(len(pods), 8, func(i int) error {
		return ignoreGone(t.Client.CoreV1().Pods(t.Namespace).Delete(t.Ctx, pods[i].Name,
			metav1.DeleteOptions{GracePeriodSeconds: &zero}))
	}); err != nil {
		return err
	}
	_, err := t.Recorder.Wait(t.Ctx, t.Namespace, soon, keep, func(pods []*corev1.Pod) bool { return len(pods) == 0 })
	return err
}
