package scenarios

import (
	"fmt"
	"time"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"muster.dev/e2e/harness"
)

// readyAsOne: pods with the group's readiness gate are ready while all of the group is. When one container becomes
// unready the condition is False on all within a second, and the Service has no endpoint that is ready.
func readyAsOne(t *T) {
	t.needsMuster()
	t.Nodes(harness.Shape{Blocks: 1, Racks: 1, Hosts: 5, Kubelets: true})
	group := harness.Group{Name: "serve", Members: 4, Required: "rack", GPUs: 8, Gate: true}
	_, err := t.Client.CoreV1().Services(t.Namespace).Create(t.Ctx, group.Service(), metav1.CreateOptions{})
	t.Must(err)
	t.createReplicaSet(group)
	t.WaitBound("serve", 4, soon)
	t.waitReady("serve", corev1.ConditionTrue, 4, soon)
	t.waitEndpoints("serve", 4)

	for round := range 3 {
		victim := t.Members("serve")[round].Name
		t.Must(t.Annotate(t.Ctx, t.Namespace, victim, map[string]string{harness.ReadyKey: "false"}))
		_, err := t.Recorder.Wait(t.Ctx, t.Namespace, soon, named(victim), func(pods []*corev1.Pod) bool {
			return len(pods) == 1 && condition(pods[0], corev1.ContainersReady) == corev1.ConditionFalse
		})
		t.Must(err)
		unready := time.Now()
		t.waitReady("serve", corev1.ConditionFalse, 4, soon)
		took := time.Since(unready)
		t.waitEndpoints("serve", 0)
		t.Note("False on all %d ms after a container became unready, no endpoint after %d ms",
			took.Milliseconds(), time.Since(unready).Milliseconds())
		if took > time.Second {
			t.Fail("the condition took %s to be False on all members, allowed is 1 s", took.Round(time.Millisecond))
		}
		t.Must(t.Annotate(t.Ctx, t.Namespace, victim, map[string]string{harness.ReadyKey: ""}))
		t.waitReady("serve", corev1.ConditionTrue, 4, soon)
		t.waitEndpoints("serve", 4)
	}

	// A member that is gone makes the rest unready as well; its replacement mends it.
	before := t.Members("serve")
	t.Delete(before[0].Name)
	t.waitReplaced("serve", before, 1, 30*time.Second)
	t.waitReady("serve", corev1.ConditionTrue, 4, soon)
	t.waitEndpoints("serve", 4)
}

func condition(p *corev1.Pod, kind corev1.PodConditionType) corev1.ConditionStatus {
	for _, c := range p.Status.Conditions {
		if c.Type == kind {
			return c.Status
		}
	}
	return corev1.ConditionUnknown
}

// waitReady returns when the group's condition has the status on n members that are not ending.
func (t *T) waitReady(group string, status corev1.ConditionStatus, n int, limit time.Duration) {
	_, err := t.Recorder.Wait(t.Ctx, t.Namespace, limit, inGroup(group), func(pods []*corev1.Pod) bool {
		count := 0
		for _, p := range pods {
			if harness.Bound(p) && condition(p, harness.ReadyGate) == status {
				count++
			}
		}
		return count == n
	})
	if err != nil {
		t.Fail("%s is not %s on %d members %v: %s", harness.ReadyGate, status, n, err, t.conditions(group))
	}
}

// conditions says of each member what there is about readiness, for messages.
func (t *T) conditions(group string) string {
	text := ""
	for _, p := range t.Members(group) {
		text += fmt.Sprintf("%s %s at %q: ContainersReady %s, %s %s, Ready %s; ", p.Name, p.Status.Phase, p.Status.PodIP,
			condition(p, corev1.ContainersReady), harness.ReadyGate, condition(p, harness.ReadyGate), condition(p, corev1.PodReady))
	}
	return text
}

// waitEndpoints returns when the Service has so many endpoints that are ready.
func (t *T) waitEndpoints(service string, n int) {
	t.Must(harness.Poll(t.Ctx, soon, 20*time.Millisecond, func() (bool, string) {
		slices, err := t.Client.DiscoveryV1().EndpointSlices(t.Namespace).List(t.Ctx,
			metav1.ListOptions{LabelSelector: "kubernetes.io/service-name=" + service})
		if err != nil {
			return false, err.Error()
		}
		var ready []string
		for _, slice := range slices.Items {
			for _, endpoint := range slice.Endpoints {
				if endpoint.Conditions.Ready != nil && *endpoint.Conditions.Ready {
					ready = append(ready, endpoint.TargetRef.Name)
				}
			}
		}
		return len(ready) == n, fmt.Sprintf("the Service has the ready endpoints %v in %d slices, not %d endpoints; %s",
			ready, len(slices.Items), n, t.conditions(service))
	}))
}
