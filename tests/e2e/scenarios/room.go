package scenarios

import (
	"fmt"
	"time"

	corev1 "k8s.io/api/core/v1"

	"muster.dev/e2e/harness"
)

// noRoomThenRoom: a pod of low priority sits in the only rack. The group, of high priority,
// waits and says why; nobody is evicted for it. When the pod goes, the group is placed.
func noRoomThenRoom(t *T) {
	nodes := t.Nodes(harness.Shape{Blocks: 1, Racks: 1, Hosts: 4})
	t.PriorityClass("e2e-high", 100000)
	t.Create(harness.Pod("low", 8))
	low, err := t.Recorder.Wait(t.Ctx, t.Namespace, soon, named("low"),
		func(pods []*corev1.Pod) bool { return harness.CountBound(pods) == 1 })
	t.Must(err)

	t.Create(harness.Group{Name: "c", Members: 4, Required: "rack", GPUs: 8, Priority: "e2e-high"}.Pods()...)
	event := t.WaitEvent("c-", "NoRoom", 5*time.Second)
	t.Note("«%s»", event.Message)
	t.NeverBound("c", 4*time.Second)
	for _, p := range t.Members("c") {
		if !unreserved(p) {
			t.Fail("a group without room holds something: %s", harness.Brief(p))
		}
	}
	t.stillThere(low[0])

	t.Delete("low")
	gone := time.Now()
	pods := t.WaitWhole("c", 4, soon, nodes)
	_, last := t.Recorder.BoundAt(pods)
	t.Note("whole %d ms after room appeared", last.Sub(gone).Milliseconds())
}

// stillThere fails when the pod was evicted, or made again under its name.
func (t *T) stillThere(pod *corev1.Pod) {
	for _, p := range t.Recorder.Pods(t.Namespace, named(pod.Name)) {
		if p.UID == pod.UID && p.DeletionTimestamp == nil && harness.Bound(p) {
			return
		}
	}
	t.Fail("%s was evicted", pod.Name)
}

// twoGroupsRoomForOne: submitted together, member by member in turn, there is always one
// whole group and one that holds nothing.
func twoGroupsRoomForOne(t *T) {
	const rounds = 20
	nodes := t.Nodes(harness.Shape{Blocks: 1, Racks: 1, Hosts: 4})
	won := map[string]int{}
	for round := range rounds {
		names := []string{fmt.Sprintf("x%d", round), fmt.Sprintf("y%d", round)}
		x := harness.Group{Name: names[0], Members: 4, Required: "rack", GPUs: 8}.Pods()
		y := harness.Group{Name: names[1], Members: 4, Required: "rack", GPUs: 8}.Pods()
		t.Must(harness.Parallel(8, 8, func(i int) error {
			pod := x[i/2]
			if i%2 == 1 {
				pod = y[i/2]
			}
			return t.TryCreate(pod)
		}))
		winner, loser := t.oneWins(names)
		won[winner[:1]]++
		t.WaitWhole(winner, 4, 0, nodes)
		// A moment in which a loser that still reaches for room would be seen to.
		t.NeverBound(loser, 200*time.Millisecond)
		for _, p := range t.Members(loser) {
			if !unreserved(p) {
				t.Fail("round %d: %s is whole, %s holds something: %s", round, winner, loser, harness.Brief(p))
			}
		}
		if round%5 == 4 {
			// The loser's turn: it gets all the room at once.
			t.DeleteGroup(winner)
			t.WaitWhole(loser, 4, soon, nodes)
			t.DeleteGroup(loser)
			continue
		}
		t.DeleteGroup(loser)
		t.DeleteGroup(winner)
	}
	t.Note("x won %d, y %d", won["x"], won["y"])
}

// oneWins returns when one of the two groups is whole.
func (t *T) oneWins(names []string) (winner, loser string) {
	pods, err := t.Recorder.Wait(t.Ctx, t.Namespace, soon, nil, func(pods []*corev1.Pod) bool {
		for i, name := range names {
			bound := 0
			for _, p := range pods {
				if p.Annotations[harness.GroupKey] == name && harness.Bound(p) {
					bound++
				}
			}
			if bound == 4 {
				winner, loser = name, names[1-i]
				return true
			}
		}
		return false
	})
	if err != nil {
		t.Fail("neither group is whole %v: %s", err, harness.Briefs(pods))
	}
	return winner, loser
}
