package scenarios

import (
	"fmt"
	"time"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"

	"muster.dev/e2e/harness"
)

// killedBeforeFirstBind: everything is planned and released, nothing is bound, Muster dies.
// What a new Muster needs stands on the pods.
func killedBeforeFirstBind(t *T) {
	t.needsMuster()
	nodes := t.Nodes(harness.Shape{Blocks: 2, Racks: 2, Hosts: 4})
	t.Scheduler.Pause()
	t.Cleanup(t.Scheduler.Resume)
	t.Create(harness.Group{Name: "i", Members: 4, Required: "rack", GPUs: 8}.Pods()...)
	planned := t.WaitReserved("i", 4)
	t.Muster.Kill()
	t.Scheduler.Resume()
	t.NeverBound("i", time.Second)

	t.Must(t.StartExtender(t.Ctx))
	ready := time.Now()
	pods := t.WaitWhole("i", 4, 30*time.Second, nodes)
	_, last := t.Recorder.BoundAt(pods)
	t.Note("whole %d ms after the restart", last.Sub(ready).Milliseconds())
	kept := 0
	for i, p := range pods {
		if p.Spec.NodeName == planned[i].Status.NominatedNodeName {
			kept++
		}
	}
	t.Note("%d of 4 on the node planned before", kept)
}

// killedBetweenBindings: of four bindings one reaches the API server, then Muster dies. The
// new one finishes the group in the rack where it began.
func killedBetweenBindings(t *T) {
	t.needsMuster()
	nodes := t.Nodes(harness.Shape{Blocks: 2, Racks: 2, Hosts: 4})
	proxy, err := harness.StartProxy(t.ControlPlane, "proxy")
	t.Must(err)
	t.Cleanup(proxy.Stop)
	t.Muster.Stop()
	t.Must(t.StartMuster(t.Ctx, proxy.URL))
	t.Cleanup(func() {
		t.Muster.Stop()
		t.Must(t.StartExtender(t.Ctx))
	})
	t.Recorder.AllowPartial(t.Namespace, 30*time.Second)

	answered := make(chan struct{})
	killed := make(chan struct{})
	proxy.Add(&harness.Rule{Match: harness.IsBinding, Times: 1, Do: func(x *harness.Exchange) {
		x.PassUnheard()
		close(answered)
		x.Hold(killed)
		x.Cut()
	}})
	proxy.Add(&harness.Rule{Match: harness.IsBinding, Do: func(x *harness.Exchange) {
		x.Hold(killed) // the others wait, unheard, until their sender is dead
		x.Cut()
	}})
	t.Create(harness.Group{Name: "i", Members: 4, Required: "rack", GPUs: 8}.Pods()...)
	select {
	case <-answered:
	case <-time.After(soon):
		close(killed)
		t.Fail("no binding came by: %s", harness.Briefs(t.Members("i")))
	}
	t.Muster.Kill()
	close(killed)
	before := t.WaitBound("i", 1, soon)
	if n := harness.CountBound(before); n != 1 {
		t.Fail("%d members are bound, the scenario wants one: %s", n, harness.Briefs(before))
	}
	time.Sleep(500 * time.Millisecond) // kube-scheduler notices that its bind calls failed

	t.Must(t.StartMuster(t.Ctx, t.ControlPlane.URL))
	ready := time.Now()
	pods := t.WaitBound("i", 4, 30*time.Second)
	_, last := t.Recorder.BoundAt(pods)
	t.Note("whole %d ms after the restart", last.Sub(ready).Milliseconds())
	t.InOneRack(pods, nodes)
	t.ranksAndDomains(pods, nodes)
}

// ranksAndDomains is WellMarked without «one plan»: a group finished after a crash may carry
// the old plan on some members and a new one on the rest.
func (t *T) ranksAndDomains(pods []*corev1.Pod, nodes []*corev1.Node) {
	ranks := map[string]bool{}
	for _, p := range pods {
		if want := domainOf(nodeOf(nodes, p.Spec.NodeName)); p.Annotations[harness.DomainKey] != want {
			t.Fail("%s on %s: domain %q, not %q", p.Name, p.Spec.NodeName, p.Annotations[harness.DomainKey], want)
		}
		if rank := p.Annotations[harness.RankKey]; rank == "" || ranks[rank] {
			t.Fail("%s: rank %q, which is missing or taken", p.Name, rank)
		} else {
			ranks[rank] = true
		}
	}
}

func (t *T) needsMuster() {
	if t.Muster == nil {
		t.Fail("this scenario needs muster-extender, not the stub")
	}
}

// cordonedAfterPlan: the node planned for a member can no longer be used when kube-scheduler
// comes to it. The rack has a spare host.
func cordonedAfterPlan(t *T) {
	nodes := t.Nodes(harness.Shape{Blocks: 1, Racks: 2, Hosts: 5})
	t.Scheduler.Pause()
	t.Cleanup(t.Scheduler.Resume)
	t.Create(harness.Group{Name: "j", Members: 4, Required: "rack", GPUs: 8}.Pods()...)
	planned := t.WaitReserved("j", 4)
	lost := planned[1].Status.NominatedNodeName
	t.Must(t.cordon(lost, true))
	t.Scheduler.Resume()
	resumed := time.Now()
	pods := t.WaitWhole("j", 4, 30*time.Second, nodes)
	_, last := t.Recorder.BoundAt(pods)
	moved := 0
	for i, p := range pods {
		if p.Spec.NodeName == lost {
			t.Fail("%s is on the cordoned node", harness.Brief(p))
		}
		if p.Spec.NodeName != planned[i].Status.NominatedNodeName {
			moved++
		}
	}
	t.Note("whole after %d ms, %d of 4 moved", last.Sub(resumed).Milliseconds(), moved)
}

// cordon makes a node unschedulable, or schedulable again.
func (t *T) cordon(node string, yes bool) error {
	_, err := t.Client.CoreV1().Nodes().Patch(t.Ctx, node, types.StrategicMergePatchType,
		[]byte(fmt.Sprintf(`{"spec":{"unschedulable":%t}}`, yes)), metav1.PatchOptions{})
	return err
}

// twoHundredMembers: one block of ten is just large enough.
func twoHundredMembers(t *T) {
	nodes := t.Nodes(harness.Shape{Blocks: 10, Racks: 10, Hosts: 10})
	pods := harness.Group{Name: "k", Members: 200, Required: "block", GPUs: 4}.Pods()
	t.Must(harness.Parallel(len(pods), 16, func(i int) error { return t.TryCreate(pods[i]) }))
	created := time.Now()
	bound := t.WaitBound("k", 200, time.Minute)
	_, planned := t.Recorder.PlannedAt(bound)
	_, released := t.Recorder.ReleasedAt(bound)
	first, last := t.Recorder.BoundAt(bound)
	t.Note("all bound %d ms after the last was created (all planned %d, released %d, first bound %d)",
		last.Sub(created).Milliseconds(), planned.Sub(created).Milliseconds(),
		released.Sub(created).Milliseconds(), first.Sub(created).Milliseconds())
	block := ""
	for _, p := range bound {
		b := nodeOf(nodes, p.Spec.NodeName).Labels[harness.BlockLabel]
		if block != "" && b != block {
			t.Fail("not in one block")
		}
		block = b
	}
	t.WellMarked(bound, nodes)
	t.BarrierKept(bound)
	t.noteWrites(len(bound))
	t.noteFilter()
	if t.Muster != nil {
		now, peak := t.Muster.Memory()
		t.Note("Muster has %s, had %s", now, peak)
		if peak >= 60 {
			t.Fail("Muster had %s resident, allowed are 60", peak)
		}
	}
}

// noteWrites: how many writes to the API a member costs.
func (t *T) noteWrites(members int) {
	all, err := t.Writes(t.Namespace)
	t.Must(err)
	var muster, scheduler int
	var mine []harness.Write
	for _, w := range all {
		if w.ByScheduler() {
			scheduler++
		} else {
			muster++
			mine = append(mine, w)
		}
	}
	kinds, count := harness.CountWrites(mine)
	text := ""
	for _, kind := range kinds {
		text += fmt.Sprintf(", %s %d", kind, count[kind])
	}
	t.Note("writes per member: Muster %.2f, kube-scheduler %.2f%s",
		float64(muster)/float64(members), float64(scheduler)/float64(members), text)
}

// noteFilter: how long filter calls took, the tap's own way included.
func (t *T) noteFilter() {
	var took []time.Duration
	offered := 0
	for _, call := range t.Tap.Calls(t.Namespace) {
		if call.Verb == "filter" {
			took = append(took, call.Took)
			offered += call.Offered
		}
	}
	if len(took) == 0 {
		return
	}
	t.Note("%d filter calls for %d names, median %d µs", len(took), offered, median(took).Microseconds())
}
