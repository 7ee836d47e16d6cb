package scenarios

import (
	"time"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"muster.dev/e2e/harness"
)

// replacementStays (U15): a lost member is replaced in the rack of the others, although the other rack has more room;
// and while the rack has none, nowhere.
func replacementStays(t *T) {
	nodes := t.Nodes(harness.Shape{Blocks: 1, Racks: 2, Hosts: 5, Kubelets: true})
	t.createReplicaSet(harness.Group{Name: "u15", Members: 4, Required: "rack", GPUs: 8})
	before := t.WaitBound("u15", 4, soon)
	rack := t.InOneRack(before, nodes)

	lost := before[2]
	t.Delete(lost.Name)
	deleted := time.Now()
	pods := t.waitReplaced("u15", before, 1, soon)
	t.Note("replaced in the rack after %d ms", time.Since(deleted).Milliseconds())
	if t.InOneRack(pods, nodes) != rack {
		t.Fail("the group has moved from %s: %s", rack, harness.Briefs(pods))
	}

	// The only spare host is taken, then another member is lost.
	spare := t.spareHost(nodes, rack)
	t.Occupy(spare, 8)
	before = pods
	t.Must(t.cordon(before[0].Spec.NodeName, true))
	t.Delete(before[0].Name)
	event := t.WaitEvent("u15-", "NoRoom", soon)
	_, err := t.Recorder.Wait(t.Ctx, t.Namespace, 4*time.Second, inGroup("u15"),
		func(pods []*corev1.Pod) bool { return harness.CountBound(pods) > 3 })
	if err == nil {
		t.Fail("a replacement was bound although the rack has no room: %s", harness.Briefs(t.Members("u15")))
	}
	t.Note("without room: «%s»", event.Message)
	t.Delete("on-" + spare)
	pods = t.waitReplaced("u15", before, 1, 30*time.Second)
	if t.InOneRack(pods, nodes) != rack {
		t.Fail("the group has moved from %s: %s", rack, harness.Briefs(pods))
	}
}

func (t *T) spareHost(nodes []*corev1.Node, rack string) string {
	for _, n := range nodes {
		if rackOf(n) == rack && len(t.Recorder.Pods(t.Namespace, func(p *corev1.Pod) bool { return p.Spec.NodeName == n.Name })) == 0 {
			return n.Name
		}
	}
	t.Fail("rack %s has no spare host", rack)
	return ""
}

// waitReplaced returns the members when as many as before are there, with so many new ones; it fails when any other
// one is not the pod it was, where it was.
func (t *T) waitReplaced(group string, before []*corev1.Pod, lost int, limit time.Duration) []*corev1.Pod {
	old := map[string]string{}
	for _, p := range before {
		old[string(p.UID)] = p.Spec.NodeName
	}
	var members []*corev1.Pod
	kept := 0
	pods, err := t.Recorder.Wait(t.Ctx, t.Namespace, limit, inGroup(group), func(pods []*corev1.Pod) bool {
		members, kept = nil, 0
		for _, p := range pods {
			if !t.Live(p) {
				continue
			}
			members = append(members, p)
			if old[string(p.UID)] == p.Spec.NodeName {
				kept++
			}
		}
		return len(members) == len(before) && kept <= len(before)-lost
	})
	if err != nil {
		t.Fail("group %s: the %d lost members are not replaced %v: %s", group, lost, err, harness.Briefs(pods))
	}
	if kept != len(before)-lost {
		t.Fail("group %s: %d of %d untouched members are where they were", group, kept, len(before)-lost)
	}
	return members
}

// completedCount (U16): one member of an indexed Job has completed and one is lost. The replacement of the lost one is
// placed although only three of four run; nobody is restarted, and the Job completes.
func completedCount(t *T) {
	nodes := t.Nodes(harness.Shape{Blocks: 1, Racks: 1, Hosts: 5, Kubelets: true})
	t.createJob(harness.Group{Name: "u16", Members: 4, Required: "rack", GPUs: 8,
		Extra: map[string]string{harness.Prefix + "failure-policy": "Restart"}})
	before := t.WaitBound("u16", 4, soon)
	t.InOneRack(before, nodes)
	t.Must(t.Annotate(t.Ctx, t.Namespace, before[0].Name, map[string]string{harness.EndKey: "Succeeded"}))
	_, err := t.Recorder.Wait(t.Ctx, t.Namespace, soon, inGroup("u16"),
		func(pods []*corev1.Pod) bool { return countPhase(pods, corev1.PodSucceeded) == 1 })
	t.Must(err)

	t.Delete(before[1].Name)
	deleted := time.Now()
	// The job controller waits 10 s before it makes a new pod.
	pods := t.waitReplaced("u16", before[1:], 1, 40*time.Second)
	t.Note("replaced after %.1f s", time.Since(deleted).Seconds())
	for _, p := range pods {
		t.Must(t.Annotate(t.Ctx, t.Namespace, p.Name, map[string]string{harness.EndKey: "Succeeded"}))
	}
	t.waitJobComplete("u16", 30*time.Second)
	job, err := t.Client.BatchV1().Jobs(t.Namespace).Get(t.Ctx, "u16", metav1.GetOptions{})
	t.Must(err)
	if job.Status.Failed > 1 {
		t.Fail("%d pods of the Job have failed, one was deleted", job.Status.Failed)
	}
}

// twoOfFiveHundred (U18): two nodes under a group of 500 go away together. Two members are replaced in the block of the
// others, and the 498 stay as they are.
func twoOfFiveHundred(t *T) {
	t.needsMuster()
	nodes := t.Nodes(harness.Shape{Blocks: 2, Racks: 51, Hosts: 10, Kubelets: true})
	t.Recorder.AllowPartial(t.Namespace, 20*time.Second) // 500 bindings are posted together, and two nodes go later
	t.createReplicaSet(harness.Group{Name: "u18", Members: 500, Required: "block", GPUs: 8})
	begin := time.Now()
	before := t.WaitBound("u18", 500, 2*time.Minute)
	t.Note("500 bound after %.1f s", time.Since(begin).Seconds())
	block := nodeOf(nodes, before[0].Spec.NodeName).Labels[harness.BlockLabel]

	lost := []string{before[17].Spec.NodeName, before[401].Spec.NodeName}
	for _, node := range lost {
		t.Must(t.DeleteNode(t.Ctx, node))
	}
	gone := time.Now()
	pods := t.waitReplaced("u18", before, 2, time.Minute)
	t.Note("2 replaced after %.1f s, 498 untouched", time.Since(gone).Seconds())
	for _, p := range pods {
		if node := nodeOf(nodes, p.Spec.NodeName); node.Labels[harness.BlockLabel] != block {
			t.Fail("%s is not in block %s", harness.Brief(p), block)
		}
	}
}
