package scenarios

import (
	"path/filepath"
	"strconv"
	"strings"
	"time"

	corev1 "k8s.io/api/core/v1"

	"muster.dev/e2e/harness"
)

// heldByRefusal: without the admission policy members have no gate. kube-scheduler tries
// them, is refused, evicts nobody for them, and binds all when the group is whole.
func heldByRefusal(t *T) {
	t.withoutGates()
	nodes := t.Nodes(harness.Shape{Blocks: 1, Racks: 2, Hosts: 4})
	t.PriorityClass("e2e-high", 100000)
	var low []*corev1.Pod
	for i := range 8 {
		low = append(low, harness.Pod("low-"+strconv.Itoa(i), 4))
	}
	t.Create(low...)
	low, err := t.Recorder.Wait(t.Ctx, t.Namespace, soon, named("low-"),
		func(pods []*corev1.Pod) bool { return harness.CountBound(pods) == 8 })
	t.Must(err)

	// Incomplete, of high priority, and without room unless somebody is evicted.
	t.Create(harness.Group{Name: "f", Members: 3, Min: 4, Required: "rack", GPUs: 8, Priority: "e2e-high"}.Pods()...)
	t.NeverBound("f", 4*time.Second)
	for _, p := range t.Members("f") {
		if harness.Gated(p) {
			t.Fail("%s has the gate; this scenario is without", p.Name)
		}
		if p.Status.NominatedNodeName != "" {
			t.Fail("an incomplete group holds something: %s", harness.Brief(p))
		}
	}
	for _, p := range low {
		t.stillThere(p)
	}

	for _, p := range low {
		t.Delete(p.Name)
	}
	t.NeverBound("f", 2*time.Second)
	filtered := 0
	for _, call := range t.Tap.Calls(t.Namespace) {
		if call.Verb == "filter" && strings.HasPrefix(call.Pod, "f-") {
			filtered++
		}
	}
	if filtered == 0 {
		t.Fail("kube-scheduler has never asked about the members, so nothing was held by refusal")
	}
	t.Create(harness.Group{Name: "f", Members: 1, First: 3, Min: 4, Required: "rack", GPUs: 8, Priority: "e2e-high"}.Pods()...)
	arrived := time.Now()
	pods := t.WaitWhole("f", 4, soon, nodes)
	// The nomination is the release.
	t.writesOfMuster("f", pods, map[string]int{"patch pods/status": 1, "create pods/binding": 1})
	_, last := t.Recorder.BoundAt(pods)
	t.Note("refused %d times, whole %d ms after the fourth came", filtered, last.Sub(arrived).Milliseconds())
}

// withoutGates takes the admission policy's binding away until the scenario is over.
func (t *T) withoutGates() {
	file := filepath.Join(t.Root, "manifests/base/admission-policy.yaml")
	_, err := t.Kubectl(t.Ctx, "delete", "mutatingadmissionpolicybinding", "muster-hold")
	t.Must(err)
	t.Cleanup(func() {
		_, err := t.Kubectl(t.Ctx, "apply", "-f", file)
		t.Must(err)
		t.Must(t.WaitAdmission(t.Ctx, true))
	})
	t.Must(t.WaitAdmission(t.Ctx, false))
}

// indexedJob: the example of the manifests, with the pods made by the real job controller.
// Ranks are the completion indexes.
func indexedJob(t *T) {
	nodes := t.Nodes(harness.Shape{Blocks: 2, Racks: 2, Hosts: 8})
	t.Occupy("b1-r1-h03", 1)
	_, err := t.Kubectl(t.Ctx, "apply", "-n", t.Namespace, "-f", filepath.Join(t.Root, "manifests/examples/indexed-job.yaml"))
	t.Must(err)
	pods := t.WaitWhole("train", 8, soon, nodes)
	for _, p := range pods {
		if index := p.Annotations["batch.kubernetes.io/job-completion-index"]; p.Annotations[harness.RankKey] != index {
			t.Fail("%s: rank %s, completion index %s", p.Name, p.Annotations[harness.RankKey], index)
		}
	}
}

// twoRoleExamples: the members of one group come from two Jobs, of another from two
// Deployments, and differ in what they ask for.
func twoRoleExamples(t *T) {
	nodes := t.Nodes(harness.Shape{Blocks: 1, Racks: 2, Hosts: 4})
	for _, example := range []struct {
		file, group string
		members     int
	}{{"leader-and-workers.yaml", "rl", 5}, {"prefill-decode.yaml", "chat", 6}} {
		_, err := t.Kubectl(t.Ctx, "apply", "-n", t.Namespace, "-f", filepath.Join(t.Root, "manifests/examples", example.file))
		t.Must(err)
		// Preferred level rack, and each fits into one of the two.
		t.WaitWhole(example.group, example.members, soon, nodes)
	}
}

// memberDeletedWhileHeld: a member that goes away before the group is complete does not count.
func memberDeletedWhileHeld(t *T) {
	nodes := t.Nodes(harness.Shape{Blocks: 1, Racks: 1, Hosts: 4})
	group := harness.Group{Name: "h", Members: 3, Min: 4, Required: "rack", GPUs: 8}
	t.Create(group.Pods()...)
	t.Delete("h-1")
	// Four have existed, but never four at a time.
	group.First, group.Members = 3, 1
	t.Create(group.Pods()...)
	t.NeverBound("h", 2*time.Second)
	group.First = 4
	t.Create(group.Pods()...)
	t.WaitWhole("h", 4, soon, nodes)
}

// memberDeletedWhileReserved: a plan that lost a member is given up, the room it held is free
// for another group, and the rest is placed when it is complete again.
func memberDeletedWhileReserved(t *T) {
	nodes := t.Nodes(harness.Shape{Blocks: 1, Racks: 1, Hosts: 4})
	group := harness.Group{Name: "h", Members: 4, Required: "rack", GPUs: 8}
	t.Scheduler.Pause()
	t.Cleanup(t.Scheduler.Resume)
	t.Create(group.Pods()...)
	t.WaitReserved("h", 4)
	t.Delete("h-2")
	t.Scheduler.Resume()
	t.NeverBound("h", 3*time.Second)

	t.Create(harness.Group{Name: "other", Members: 4, Required: "rack", GPUs: 8}.Pods()...)
	t.WaitWhole("other", 4, soon, nodes)
	t.NeverBound("h", 500*time.Millisecond)

	t.DeleteGroup("other")
	group.First, group.Members, group.Min = 4, 1, 4
	t.Create(group.Pods()...)
	t.WaitWhole("h", 4, soon, nodes)
}

// planGivenBack: kube-scheduler does not come to the members within the hold timeout. The plan
// is given up, the group planned anew, and whole once kube-scheduler is back.
func planGivenBack(t *T) {
	nodes := t.Nodes(harness.Shape{Blocks: 1, Racks: 1, Hosts: 4})
	t.Scheduler.Pause()
	t.Cleanup(t.Scheduler.Resume)
	t.Create(harness.Group{Name: "o", Members: 4, Required: "rack", GPUs: 8,
		Extra: map[string]string{harness.Prefix + "hold-timeout": "3s"}}.Pods()...)
	first := t.WaitReserved("o", 4)[0].Annotations[harness.PlanKey]
	reserved := time.Now()
	t.WaitMembers("o", 4, soon, "free of the first plan", func(p *corev1.Pod) bool {
		return p.Annotations[harness.PlanKey] != first || p.Status.NominatedNodeName == ""
	})
	t.Note("given back after %d ms", time.Since(reserved).Milliseconds())
	t.Scheduler.Resume()
	pods := t.WaitWhole("o", 4, 30*time.Second, nodes)
	if pods[0].Annotations[harness.PlanKey] == first {
		t.Fail("bound by the plan that was given back")
	}
}
