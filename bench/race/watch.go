package main

import (
	"context"
	"fmt"
	"sync"
	"time"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/watch"
	"k8s.io/client-go/kubernetes"

	"muster.dev/e2e/harness"
)

// gangLabel names a pod's gang, the same for all arms.
const gangLabel = "race.muster.dev/gang"

// Progress is what has been seen of one gang. All times are those at which the watch showed it.
type Progress struct {
	Exist, Bound              int
	FirstCreated, LastCreated time.Time
	FirstBound, LastBound     time.Time
	// Nodes of the members that are bound.
	Nodes []string
}

// Watch counts the pods of each gang as they appear and are bound. An event costs the same however many there are, so
// that the measuring takes little of the machine that is measured.
type Watch struct {
	mu      sync.Mutex
	changed chan struct{} // closed and replaced at each event
	gangs   map[string]*Progress
	bound   map[string]bool // pods by uid; false: seen, not bound
	err     error
}

// StartWatch begins to watch all pods and returns at once. It ends with ctx.
func StartWatch(ctx context.Context, client kubernetes.Interface) *Watch {
	w := &Watch{changed: make(chan struct{}), gangs: map[string]*Progress{}, bound: map[string]bool{}}
	go w.run(ctx, client)
	return w
}

func (w *Watch) run(ctx context.Context, client kubernetes.Interface) {
	err := harness.FollowPods(ctx, client, metav1.ListOptions{LabelSelector: gangLabel},
		func(kind watch.EventType, pod *corev1.Pod) { w.see(kind, pod, time.Now()) })
	w.mu.Lock()
	defer w.mu.Unlock()
	w.err = err // every later wait fails: moments have been missed
	w.wake()
}

// next is closed at the next event; the error is why none will come.
func (w *Watch) next() (<-chan struct{}, error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.changed, w.err
}

func (w *Watch) wake() {
	close(w.changed)
	w.changed = make(chan struct{})
}

func (w *Watch) see(kind watch.EventType, pod *corev1.Pod, now time.Time) {
	w.mu.Lock()
	defer w.mu.Unlock()
	key := pod.Namespace + "/" + pod.Labels[gangLabel]
	p := w.gangs[key]
	if p == nil {
		p = &Progress{}
		w.gangs[key] = p
	}
	uid := string(pod.UID)
	wasBound, known := w.bound[uid]
	if kind == watch.Deleted {
		delete(w.bound, uid)
		p.Exist--
		if wasBound {
			p.Bound--
		}
		w.wake()
		return
	}
	if !known {
		p.Exist++
		p.LastCreated = now
		if p.FirstCreated.IsZero() {
			p.FirstCreated = now
		}
	}
	isBound := harness.Bound(pod)
	if isBound && !wasBound {
		p.Bound++
		p.LastBound = now
		if p.FirstBound.IsZero() {
			p.FirstBound = now
		}
		p.Nodes = append(p.Nodes, pod.Spec.NodeName)
	}
	// A pod that is being deleted stays what it was: gangs end as a whole here.
	w.bound[uid] = wasBound || isBound
	w.wake()
}

// Gang returns a copy of what has been seen of the gang so far.
func (w *Watch) Gang(g Gang) Progress {
	w.mu.Lock()
	defer w.mu.Unlock()
	if p := w.gangs[g.Namespace+"/"+g.Name]; p != nil {
		return *p
	}
	return Progress{}
}

// Wait returns when done says yes to all of the gangs, or an error after the limit.
func (w *Watch) Wait(ctx context.Context, limit time.Duration, gangs []Gang, done func(Gang, Progress) bool) error {
	timer := time.NewTimer(limit)
	defer timer.Stop()
	first := 0 // all gangs before it are done
	for {
		changed, err := w.next()
		if err != nil {
			return err
		}
		for first < len(gangs) && done(gangs[first], w.Gang(gangs[first])) {
			first++
		}
		if first == len(gangs) {
			return nil
		}
		select {
		case <-changed:
		case <-timer.C:
			return fmt.Errorf("not within %s: gang %s: %+v", limit, gangs[first].Name, w.Gang(gangs[first]).short())
		case <-ctx.Done():
			return ctx.Err()
		}
	}
}

// WaitQuiet returns when no pod has appeared, been bound or gone for so long, or when the limit is over.
func (w *Watch) WaitQuiet(ctx context.Context, quiet, limit time.Duration) error {
	over := time.After(limit)
	for {
		changed, err := w.next()
		if err != nil {
			return err
		}
		select {
		case <-changed:
		case <-time.After(quiet):
			return nil
		case <-over:
			return nil
		case <-ctx.Done():
			return ctx.Err()
		}
	}
}

func (p Progress) short() string { return fmt.Sprintf("%d pods, %d bound", p.Exist, p.Bound) }
