package scenarios

import (
	"time"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"muster.dev/e2e/harness"
)

// gangConformance is KAR-0053, the gang scheduling requirement of the Kubernetes AI Conformance programme: with room
// for all members all run and the workload completes; with room for fewer none of them runs; and what was there
// leaves nothing behind.
func gangConformance(t *T) {
	t.needsMuster()
	nodes := t.Nodes(harness.Shape{Blocks: 1, Racks: 1, Hosts: 4, Kubelets: true})
	room := harness.Group{Name: "fits", Members: 4, Required: "rack", GPUs: 8, Extra: map[string]string{harness.RunsForKey: "2s"}}
	t.createJob(room)
	pods := t.WaitBound("fits", 4, soon)
	t.InOneRack(pods, nodes)
	begin := time.Now()
	t.WaitMembers("fits", 4, soon, "running or completed", func(p *corev1.Pod) bool {
		return p.Status.Phase == corev1.PodRunning || p.Status.Phase == corev1.PodSucceeded
	})
	t.waitJobComplete("fits", 30*time.Second)
	t.Note("positive: all four ran, the Job was complete %.1f s later", time.Since(begin).Seconds())
	t.Must(t.quietBooks(soon))

	// One host is taken: room for three of four.
	t.Occupy(nodes[0].Name, 8)
	short := harness.Group{Name: "short", Members: 4, Required: "rack", GPUs: 8}
	t.createJob(short)
	t.NeverBound("short", 8*time.Second)
	for _, p := range t.Members("short") {
		if p.Status.Phase != corev1.PodPending || !unreserved(p) {
			t.Fail("a member of a group without room: %s, %s", p.Status.Phase, harness.Brief(p))
		}
	}
	t.Note("negative: nobody ran for 8 s, «%s»", t.WaitEvent("short-", "NoRoom", time.Second).Message)

	background := metav1.DeletePropagationBackground
	for _, job := range []string{"fits", "short"} {
		t.Must(t.Client.BatchV1().Jobs(t.Namespace).Delete(t.Ctx, job, metav1.DeleteOptions{PropagationPolicy: &background}))
	}
	t.Delete("on-" + nodes[0].Name)
	_, err := t.Recorder.Wait(t.Ctx, t.Namespace, 30*time.Second, nil, func(pods []*corev1.Pod) bool { return len(pods) == 0 })
	t.Must(err)
	t.Must(t.quietBooks(soon))
	t.Must(t.roomIsThere(nodes))
}

func (t *T) createJob(g harness.Group) {
	_, err := t.Client.BatchV1().Jobs(t.Namespace).Create(t.Ctx, g.Job(), metav1.CreateOptions{})
	t.Must(err)
}

func (t *T) createReplicaSet(g harness.Group) {
	_, err := t.Client.AppsV1().ReplicaSets(t.Namespace).Create(t.Ctx, g.ReplicaSet(), metav1.CreateOptions{})
	t.Must(err)
}

func (t *T) waitJobComplete(name string, limit time.Duration) {
	t.Must(harness.Poll(t.Ctx, limit, 100*time.Millisecond, func() (bool, string) {
		job, err := t.Client.BatchV1().Jobs(t.Namespace).Get(t.Ctx, name, metav1.GetOptions{})
		if err != nil {
			return false, err.Error()
		}
		for _, condition := range job.Status.Conditions {
			if condition.Type == "Complete" && condition.Status == corev1.ConditionTrue {
				return true, ""
			}
		}
		return false, "Job " + name + " is not complete: " + harness.Briefs(t.Members(name))
	}))
}
