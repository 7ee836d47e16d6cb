package scenarios

import (
	"slices"
	"time"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"muster.dev/e2e/harness"
)

// preemptionIsShielded: three of a group run and two have to. kube-scheduler may evict the spare one for a pod of higher
// priority, and for the next such pod nobody.
func preemptionIsShielded(t *T) {
	t.Nodes(harness.Shape{Blocks: 1, Racks: 1, Hosts: 3, Kubelets: true})
	t.PriorityClass("e2e-high", 100000)
	t.Create(harness.Group{Name: "s", Members: 3, Min: 2, GPUs: 8}.Pods()...)
	t.WaitBound("s", 3, soon)

	t.Create(important("first"))
	_, err := t.Recorder.Wait(t.Ctx, t.Namespace, soon, named("first"),
		func(pods []*corev1.Pod) bool { return harness.CountBound(pods) == 1 })
	t.Must(err)
	if call := t.preemption("first"); call.Kept != 3 {
		t.Fail("a spare member may go on each of 3 nodes, Muster left %d", call.Kept)
	}

	t.Create(important("second"))
	if call := t.preemption("second"); call.Victims == 0 || call.Kept != 0 {
		t.Fail("of %d victims nobody may go, Muster left %d nodes", call.Victims, call.Kept)
	}
	pods, err := t.Recorder.Wait(t.Ctx, t.Namespace, 2*time.Second, nil, func([]*corev1.Pod) bool {
		return harness.CountBound(t.Members("s")) < 2
	})
	if err == nil {
		t.Fail("the group was broken for a pod of higher priority: %s", harness.Briefs(pods))
	}
}

func important(name string) *corev1.Pod {
	pod := harness.Pod(name, 8)
	pod.Spec.PriorityClassName = "e2e-high"
	return pod
}

// preemption is kube-scheduler's first call of the verb preempt for this pod.
func (t *T) preemption(pod string) (call harness.Call) {
	t.Must(harness.Poll(t.Ctx, soon, 50*time.Millisecond, func() (bool, string) {
		for _, c := range t.Tap.Calls(t.Namespace) {
			if c.Verb == "preempt" && c.Pod == pod {
				call = c
				return true, ""
			}
		}
		return false, "kube-scheduler has not asked whom it may evict for " + pod
	}))
	return call
}

// budgetRefuses: a group that has lost a member for longer than its grace lets go, and a PodDisruptionBudget refuses the
// evictions. All members stay, each marked, nothing is planned meanwhile and the reason is told; when the budget is gone
// they go, and the group is placed again as a whole.
func budgetRefuses(t *T) {
	t.Nodes(harness.Shape{Blocks: 1, Racks: 1, Hosts: 3, Kubelets: true})
	// A refused eviction is tried again for the hold timeout before it is told.
	group := harness.Group{Name: "p", Members: 3, GPUs: 8,
		Extra: map[string]string{harness.Prefix + "failure-grace": "1s", harness.Prefix + "hold-timeout": "4s"}}
	t.createReplicaSet(group)
	before := t.WaitBound("p", 3, soon)
	budgets := t.Client.PolicyV1().PodDisruptionBudgets(t.Namespace)
	_, err := budgets.Create(t.Ctx, group.Budget(), metav1.CreateOptions{})
	t.Must(err)
	t.Must(harness.Poll(t.Ctx, soon, 50*time.Millisecond, func() (bool, string) {
		budget, err := budgets.Get(t.Ctx, "p", metav1.GetOptions{})
		return err == nil && budget.Status.CurrentHealthy == 3, "the budget does not count the members yet"
	}))

	lost := before[0]
	t.Must(t.cordon(lost.Spec.NodeName, true))
	t.Delete(lost.Name)
	event := t.WaitEvent("p-", "EvictionBlocked", soon)
	t.Note("«%s»", event.Message)
	t.Must(t.cordon(lost.Spec.NodeName, false))
	_, err = t.Recorder.Wait(t.Ctx, t.Namespace, 2*time.Second, inGroup("p"), func(pods []*corev1.Pod) bool {
		return harness.CountBound(pods) != 2
	})
	if err == nil {
		t.Fail("while the budget refuses, two members stay and none joins: %s", harness.Briefs(t.Members("p")))
	}
	for _, p := range t.Members("p") {
		if harness.Bound(p) && p.Annotations[harness.Prefix+"let-go"] != "unwind" {
			t.Fail("%s stays and is not marked", p.Name)
		}
	}

	t.Must(budgets.Delete(t.Ctx, "p", metav1.DeleteOptions{}))
	freed := time.Now()
	t.WaitMembers("p", 3, soon, "new and bound", func(p *corev1.Pod) bool {
		return harness.Bound(p) && !slices.ContainsFunc(before, func(old *corev1.Pod) bool { return old.UID == p.UID })
	})
	t.Note("whole again %d ms after the budget was gone", time.Since(freed).Milliseconds())
}
