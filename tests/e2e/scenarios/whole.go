package scenarios

import (
	"maps"
	"time"

	corev1 "k8s.io/api/core/v1"

	"muster.dev/e2e/harness"
)

// fourMembersOneRack: four racks have ten free hosts, one of them has four. The members go
// there, with as few writes as can be.
func fourMembersOneRack(t *T) {
	nodes := t.Nodes(harness.Shape{Blocks: 2, Racks: 2, Hosts: 4})
	for _, node := range []string{"b1-r1-h02", "b1-r2-h01", "b1-r2-h04", "b2-r2-h01", "b2-r2-h02", "b2-r2-h03"} {
		t.Occupy(node, 8)
	}
	t.Create(harness.Group{Name: "a", Members: 4, Required: "rack", GPUs: 8}.Pods()...)
	pods := t.WaitWhole("a", 4, soon, nodes)

	for i, p := range harness.ByRank(pods) {
		if p.Name != pods[i].Name {
			t.Fail("rank %d is %s; created in the order of names: %s", i, p.Name, harness.Briefs(pods))
		}
		if p.Status.NominatedNodeName != p.Spec.NodeName && p.Status.NominatedNodeName != "" {
			t.Fail("%s was nominated elsewhere", harness.Brief(p))
		}
	}
	t.WaitEvent("a-", "Planned", 5*time.Second)
	t.oneFilterNameEach(pods)
	t.writesOfMuster("a", pods, map[string]int{"patch pods/status": 1, "patch pods": 1, "create pods/binding": 1})
}

// oneFilterNameEach: nominated members are tried on their node alone, and only once.
func (t *T) oneFilterNameEach(pods []*corev1.Pod) {
	count := map[string]int{}
	for _, call := range t.Tap.Calls(t.Namespace) {
		if call.Verb != "filter" {
			continue
		}
		count[call.Pod]++
		if call.Offered != 1 {
			t.Fail("filter for %s was offered %d nodes, not just the nominated one", call.Pod, call.Offered)
		}
	}
	for _, p := range pods {
		if count[p.Name] != 1 {
			t.Fail("kube-scheduler tried %s %d times", p.Name, count[p.Name])
		}
	}
}

// writesOfMuster: Muster writes to each pod so often and not more.
func (t *T) writesOfMuster(group string, pods []*corev1.Pod, want map[string]int) {
	writes, err := t.Writes(t.Namespace)
	t.Must(err)
	for _, p := range pods {
		var mine []harness.Write
		for _, w := range writes {
			if w.Name == p.Name && !w.ByScheduler() {
				mine = append(mine, w)
			}
		}
		if _, count := harness.CountWrites(mine); !maps.Equal(count, want) {
			t.Fail("group %s: Muster's writes to %s are %v, expected %v", group, p.Name, count, want)
		}
	}
}

// incompleteGroupWaits: three of four members are left alone, by Muster and by kube-scheduler.
func incompleteGroupWaits(t *T) {
	nodes := t.Nodes(harness.Shape{Blocks: 1, Racks: 2, Hosts: 4})
	// The hold timeout is also how long a group may gather before it says what it waits for.
	b := harness.Group{Name: "b", Members: 3, Min: 4, Required: "rack", GPUs: 8,
		Extra: map[string]string{harness.Prefix + "hold-timeout": "8s"}}
	t.Create(b.Pods()...)
	t.NeverBound("b", 10*time.Second)

	for _, p := range t.Members("b") {
		if !harness.Gated(p) || !unreserved(p) {
			t.Fail("an incomplete group was touched: %s", harness.Brief(p))
		}
	}
	if calls := t.Tap.Calls(t.Namespace); len(calls) != 0 {
		t.Fail("kube-scheduler has tried members of an incomplete group: %+v", calls[0])
	}
	t.noSchedulerEvents()
	t.Note("«%s»", t.WaitEvent("b-", "Gathering", time.Second).Message)

	b.First, b.Members = 3, 1
	t.Create(b.Pods()...)
	arrived := time.Now()
	pods := t.WaitWhole("b", 4, soon, nodes)
	_, last := t.Recorder.BoundAt(pods)
	t.Note("whole %d ms after the fourth came", last.Sub(arrived).Milliseconds())
}

// noSchedulerEvents: kube-scheduler has said nothing about any pod of this namespace.
func (t *T) noSchedulerEvents() {
	events, err := t.Events(t.Ctx, t.Namespace, func(e *corev1.Event) bool { return !fromMuster(e) })
	t.Must(err)
	if len(events) > 0 {
		t.Fail("event %s on %s: %s", events[0].Reason, events[0].InvolvedObject.Name, events[0].Message)
	}
}

// foreignPods: pods of no group are bound beside a group that waits and one that is placed,
// and get none of Muster's marks.
func foreignPods(t *T) {
	nodes := t.Nodes(harness.Shape{Blocks: 1, Racks: 2, Hosts: 4})
	t.Create(harness.Group{Name: "waits", Members: 1, Min: 2, GPUs: 8}.Pods()...)
	// Half a host each: kube-scheduler spreads the others over all hosts.
	group := harness.Group{Name: "e", Members: 4, Required: "rack", GPUs: 4}.Pods()
	for i := range 8 {
		t.Create(harness.Pod("foreign-"+string(rune('a'+i)), 1))
		if i%2 == 1 {
			t.Create(group[i/2])
		}
	}
	t.WaitWhole("e", 4, soon, nodes)

	foreign, err := t.Recorder.Wait(t.Ctx, t.Namespace, soon, named("foreign-"),
		func(pods []*corev1.Pod) bool { return harness.CountBound(pods) == 8 })
	if err != nil {
		t.Fail("pods of no group are not bound %v: %s", err, harness.Briefs(foreign))
	}
	for _, p := range foreign {
		for _, key := range []string{harness.PlanKey, harness.RankKey, harness.DomainKey} {
			if p.Annotations[key] != "" {
				t.Fail("%s is of no group and has %s", p.Name, key)
			}
		}
	}
	for _, p := range t.Members("waits") {
		if harness.Bound(p) || !harness.Gated(p) {
			t.Fail("an incomplete group was touched: %s", harness.Brief(p))
		}
	}
}
