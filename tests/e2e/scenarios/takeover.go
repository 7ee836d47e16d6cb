package scenarios

import (
	"context"
	"fmt"
	"strings"
	"time"

	"muster.dev/e2e/harness"
)

// pair is two Musters of which one leads, behind a Service.
type pair struct {
	leader, standby *harness.Muster
}

// startPair ends the scenario's single Muster and starts two, with the settings that are the
// defaults: 15, 10 and 2 s.
func startPair(t *T) pair {
	t.needsMuster()
	t.Muster.Stop()
	first, err := t.StartReplica("muster-1")
	t.Must(err)
	t.Must(first.WaitReady(t.Ctx))
	second, err := t.StartReplica("muster-2")
	t.Must(err)
	t.Extender = second // who has to be alive at the end
	ctx, cancel := context.WithCancel(t.Ctx)
	go t.FollowReady(ctx, first, second)
	t.Cleanup(func() {
		cancel()
		first.Stop()
		second.Stop()
		t.Must(t.StartExtender(t.Ctx))
	})
	t.Must(harness.Poll(t.Ctx, soon, 50*time.Millisecond, func() (bool, string) {
		_, words := second.Ready()
		return strings.HasPrefix(words, "standby: ") && strings.HasSuffix(words, " leads"), "the standby says: " + words
	}))
	t.Must(harness.Poll(t.Ctx, soon, 50*time.Millisecond, func() (bool, string) {
		ready, words := first.Ready()
		return ready, words
	}))
	return pair{leader: first, standby: second}
}

// arrivals creates a group of four every half second until it is ended, and returns their
// names then.
func arrivals(t *T) (end func() []string) {
	stop, names := make(chan struct{}), make(chan []string)
	go func() {
		var made []string
		for {
			select {
			case <-stop:
				names <- made
				return
			case <-time.After(500 * time.Millisecond):
			}
			if len(made) == 60 {
				continue
			}
			name := fmt.Sprintf("t%d", len(made))
			for _, pod := range (harness.Group{Name: name, Members: 4, Required: "rack", GPUs: 4}).Pods() {
				_ = t.TryCreate(pod)
			}
			made = append(made, name)
		}
	}()
	return func() []string { close(stop); return <-names }
}

// takeover: groups arrive all the time; what ends the leader is done to it; the other one
// must lead before the limit, and every group be whole in the end.
func takeover(t *T, end func(*harness.Muster), limit time.Duration) {
	t.Nodes(harness.Shape{Blocks: 2, Racks: 4, Hosts: 16})
	t.Recorder.AllowPartial(t.Namespace, limit+10*time.Second)
	p := startPair(t)
	stop := arrivals(t)
	time.Sleep(4 * time.Second)
	begin := time.Now()
	end(p.leader)
	t.Must(harness.Poll(t.Ctx, 40*time.Second, 20*time.Millisecond, func() (bool, string) {
		ready, words := p.standby.Ready()
		return ready, "the standby says: " + words
	}))
	ready := time.Since(begin)
	time.Sleep(2 * time.Second)
	names := stop()
	var first time.Time
	for _, name := range names {
		pods := t.WaitBound(name, 4, 40*time.Second)
		at, _ := t.Recorder.BoundAt(pods)
		if at.After(begin.Add(ready)) && (first.IsZero() || at.Before(first)) {
			first = at
		}
	}
	t.Note("the other one was ready after %d ms, first binding after %d ms, %d groups whole",
		ready.Milliseconds(), first.Sub(begin).Milliseconds(), len(names))
	if ready >= limit {
		t.Fail("taken over after %v, allowed are %v", ready, limit)
	}
}

func takeoverAfterKill(t *T) {
	takeover(t, func(m *harness.Muster) { m.Kill() }, 20*time.Second)
}

// takeoverOnStop: SIGTERM; the lease is handed over.
func takeoverOnStop(t *T) {
	takeover(t, func(m *harness.Muster) { go m.Stop() }, 3*time.Second)
}

// pausedLeader: the leader is stopped with a plan in memory and wakes up when another one
// leads. It must do nothing more and end with status 1.
func pausedLeader(t *T) {
	nodes := t.Nodes(harness.Shape{Blocks: 1, Racks: 2, Hosts: 4})
	p := startPair(t)
	t.Scheduler.Pause()
	t.Cleanup(t.Scheduler.Resume)
	t.Create(harness.Group{Name: "p", Members: 4, Required: "rack", GPUs: 8}.Pods()...)
	planned := t.WaitReserved("p", 4)
	p.leader.Pause()
	paused := time.Now()
	t.Must(harness.Poll(t.Ctx, 40*time.Second, 20*time.Millisecond, func() (bool, string) {
		ready, words := p.standby.Ready()
		return ready, "the standby says: " + words
	}))
	taken := time.Since(paused)
	p.leader.Resume()
	woken := time.Now()
	t.Must(harness.Poll(t.Ctx, 10*time.Second, 10*time.Millisecond, func() (bool, string) {
		_, gone := p.leader.Ended()
		return gone, "the paused leader still runs"
	}))
	if status, _ := p.leader.Ended(); status != "exit status 1" {
		t.Fail("the paused leader ended with %q, not with status 1", status)
	}
	ended := time.Since(woken)
	t.NeverBound("p", 500*time.Millisecond)
	t.Scheduler.Resume()
	pods := t.WaitWhole("p", 4, 40*time.Second, nodes)
	kept := 0
	for i, pod := range pods {
		if pod.Spec.NodeName == planned[i].Status.NominatedNodeName {
			kept++
		}
	}
	t.Note("taken over after %d ms; the old leader ended %d ms after it woke up; %d of 4 on the node it had planned",
		taken.Milliseconds(), ended.Milliseconds(), kept)
	if taken >= 20*time.Second {
		t.Fail("taken over after %v", taken)
	}
}
