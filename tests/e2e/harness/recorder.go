package harness

import (
	"context"
	"fmt"
	"sort"
	"strconv"
	"sync"
	"time"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/watch"
	"k8s.io/client-go/kubernetes"
)

// PartialAllowed is how long a group may be seen with some, but too few, members bound. All
// bindings of a group are posted together, but each is a write of its own: the API server
// shows them one after another. A burst of 200 takes well under a second; 3 s leave room
// for a busy machine and are far below any deadline after which a half-bound group would be
// given up, so a group that is half bound for a reason is still caught.
const PartialAllowed = 3 * time.Second

// Recorder watches all pods from the first to the last moment of a run. It keeps the latest
// state and checks, at each change, what must hold at every moment.
type Recorder struct {
	mu         sync.Mutex
	changed    chan struct{} // closed and replaced at each event
	pods       map[string]*corev1.Pod
	boundAt    map[string]time.Time
	plannedAt  map[string]time.Time
	releasedAt map[string]time.Time
	rooms      map[string]corev1.ResourceList
	used       map[string]map[corev1.ResourceName]int64 // milli-units
	charged    map[string]charge
	partial    map[groupID]time.Time // since when 0 < bound < min, on the way up
	whole      map[groupID]bool      // has been whole since it last held nothing
	longest    map[string]time.Duration
	allowed    map[string]time.Duration // by namespace
	violations map[string][]string
	err        error
}

type groupID struct{ namespace, name string }

type charge struct {
	node   string
	amount map[corev1.ResourceName]int64
}

// StartRecorder begins to watch and returns at once.
func StartRecorder(ctx context.Context, client kubernetes.Interface) (*Recorder, error) {
	r := &Recorder{
		changed: make(chan struct{}), pods: map[string]*corev1.Pod{}, boundAt: map[string]time.Time{},
		plannedAt: map[string]time.Time{}, releasedAt: map[string]time.Time{},
		rooms: map[string]corev1.ResourceList{}, used: map[string]map[corev1.ResourceName]int64{},
		charged: map[string]charge{}, partial: map[groupID]time.Time{}, whole: map[groupID]bool{}, longest: map[string]time.Duration{},
		allowed: map[string]time.Duration{}, violations: map[string][]string{},
	}
	list, err := client.CoreV1().Pods("").List(ctx, metav1.ListOptions{})
	if err != nil {
		return nil, err
	}
	for i := range list.Items {
		r.see(watch.Added, &list.Items[i], time.Now())
	}
	go r.run(ctx, client, list.ResourceVersion)
	return r, nil
}

func (r *Recorder) run(ctx context.Context, client kubernetes.Interface, version string) {
	err := FollowPods(ctx, client, metav1.ListOptions{ResourceVersion: version},
		func(kind watch.EventType, pod *corev1.Pod) { r.see(kind, pod, time.Now()) })
	r.mu.Lock()
	defer r.mu.Unlock()
	r.err = err // every later check fails: with moments missed, «never» can not be claimed
}

func (r *Recorder) see(kind watch.EventType, pod *corev1.Pod, now time.Time) {
	r.mu.Lock()
	defer r.mu.Unlock()
	key := string(pod.UID)
	if kind == watch.Deleted {
		delete(r.pods, key)
	} else {
		r.pods[key] = pod
	}
	holds := kind != watch.Deleted && Bound(pod)
	note(r.plannedAt, key, now, Planned(pod))
	note(r.releasedAt, key, now, Planned(pod) && !Gated(pod))
	note(r.boundAt, key, now, holds)
	r.account(key, pod, holds)
	if group := pod.Annotations[GroupKey]; group != "" {
		r.checkWhole(groupID{pod.Namespace, group}, now)
	}
	close(r.changed)
	r.changed = make(chan struct{})
}

// note remembers when something was first true.
func note(at map[string]time.Time, key string, now time.Time, is bool) {
	if _, seen := at[key]; is && !seen {
		at[key] = now
	}
}

// account keeps what each node gives, and notes the moment when it gives more than it has.
func (r *Recorder) account(key string, pod *corev1.Pod, holds bool) {
	was, had := r.charged[key]
	if had == holds {
		return
	}
	if had {
		for name, amount := range was.amount {
			r.used[was.node][name] -= amount
		}
		delete(r.charged, key)
		return
	}
	c := charge{node: pod.Spec.NodeName, amount: demand(pod)}
	r.charged[key] = c
	if r.used[c.node] == nil {
		r.used[c.node] = map[corev1.ResourceName]int64{}
	}
	room, known := r.rooms[c.node]
	for name, amount := range c.amount {
		r.used[c.node][name] += amount
		if limit := room.Name(name, "").MilliValue(); known && r.used[c.node][name] > limit {
			r.violate(pod.Namespace, fmt.Sprintf("node %s gives %d milli-%s of %d with pod %s",
				c.node, r.used[c.node][name], name, limit, pod.Name))
		}
	}
}

func demand(pod *corev1.Pod) map[corev1.ResourceName]int64 {
	sum := map[corev1.ResourceName]int64{corev1.ResourcePods: 1000}
	for _, container := range pod.Spec.Containers {
		for name, quantity := range container.Resources.Requests {
			sum[name] += quantity.MilliValue()
		}
	}
	return sum
}

func (r *Recorder) checkWhole(id groupID, now time.Time) {
	bound, least := 0, 0
	for _, p := range r.pods {
		if p.Namespace != id.namespace || p.Annotations[GroupKey] != id.name {
			continue
		}
		least, _ = strconv.Atoi(p.Annotations[MinMemberKey])
		if Bound(p) {
			bound++
		}
	}
	switch {
	case bound == 0:
		delete(r.whole, id)
	case bound >= least:
		r.whole[id] = true
	}
	since, was := r.partial[id]
	// A whole group that loses members was not bound in part: scenarios delete pods.
	is := 0 < bound && bound < least && !r.whole[id]
	switch {
	case is && !was:
		r.partial[id] = now
	case !is && was:
		delete(r.partial, id)
		r.endPartial(id, now.Sub(since))
	}
}

func (r *Recorder) endPartial(id groupID, took time.Duration) {
	if took > r.longest[id.namespace] {
		r.longest[id.namespace] = took
	}
	allowed := r.allowed[id.namespace]
	if allowed == 0 {
		allowed = PartialAllowed
	}
	if took > allowed {
		r.violate(id.namespace, fmt.Sprintf("group %s was partly bound for %s, allowed are %s",
			id.name, took.Round(time.Millisecond), allowed))
	}
}

func (r *Recorder) violate(namespace, text string) {
	r.violations[namespace] = append(r.violations[namespace], text)
}

// AllowPartial raises the limit for a namespace, for a scenario that keeps Muster down
// between two bindings.
func (r *Recorder) AllowPartial(namespace string, limit time.Duration) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.allowed[namespace] = limit
}

// SetNodes tells the recorder what the nodes have.
func (r *Recorder) SetNodes(nodes []*corev1.Node) {
	r.mu.Lock()
	defer r.mu.Unlock()
	for _, node := range nodes {
		r.rooms[node.Name] = node.Status.Allocatable
	}
}

// ForgetNodes is for when all nodes are gone.
func (r *Recorder) ForgetNodes() {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.rooms = map[string]corev1.ResourceList{}
}

// Pods returns the namespace's pods (all when it is empty) that keep says yes to, by name.
func (r *Recorder) Pods(namespace string, keep func(*corev1.Pod) bool) []*corev1.Pod {
	pods, _ := r.snapshot(namespace, keep)
	return pods
}

func (r *Recorder) snapshot(namespace string, keep func(*corev1.Pod) bool) ([]*corev1.Pod, <-chan struct{}) {
	r.mu.Lock()
	defer r.mu.Unlock()
	var out []*corev1.Pod
	for _, p := range r.pods {
		if (namespace == "" || p.Namespace == namespace) && (keep == nil || keep(p)) {
			out = append(out, p)
		}
	}
	sort.Slice(out, func(i, j int) bool { return out[i].Name < out[j].Name })
	return out, r.changed
}

// Wait returns when done says yes to the namespace's pods, or the error after the limit.
func (r *Recorder) Wait(ctx context.Context, namespace string, limit time.Duration, keep func(*corev1.Pod) bool, done func([]*corev1.Pod) bool) ([]*corev1.Pod, error) {
	timer := time.NewTimer(limit)
	defer timer.Stop()
	for {
		pods, changed := r.snapshot(namespace, keep)
		if done(pods) {
			return pods, nil
		}
		select {
		case <-changed:
		case <-timer.C:
			return pods, fmt.Errorf("not within %s", limit)
		case <-ctx.Done():
			return pods, ctx.Err()
		}
	}
}

// BoundAt is when the recorder saw the first and the last of the given pods bound.
func (r *Recorder) BoundAt(pods []*corev1.Pod) (first, last time.Time) {
	return r.span(r.boundAt, pods)
}

// PlannedAt is the same for nomination and plan id.
func (r *Recorder) PlannedAt(pods []*corev1.Pod) (first, last time.Time) {
	return r.span(r.plannedAt, pods)
}

// ReleasedAt is the same for the gate's removal.
func (r *Recorder) ReleasedAt(pods []*corev1.Pod) (first, last time.Time) {
	return r.span(r.releasedAt, pods)
}

func (r *Recorder) span(times map[string]time.Time, pods []*corev1.Pod) (first, last time.Time) {
	r.mu.Lock()
	defer r.mu.Unlock()
	for _, p := range pods {
		at, ok := times[string(p.UID)]
		if !ok {
			continue
		}
		if first.IsZero() || at.Before(first) {
			first = at
		}
		if at.After(last) {
			last = at
		}
	}
	return first, last
}

// Close ends the watch over a namespace: what went wrong there, and for how long a group was
// partly bound at most. What happens there later (pods deleted by the tests) is not judged.
func (r *Recorder) Close(namespace string) (violations []string, longest time.Duration) {
	r.mu.Lock()
	defer r.mu.Unlock()
	now := time.Now()
	for id, since := range r.partial {
		if id.namespace == namespace {
			delete(r.partial, id)
			r.endPartial(id, now.Sub(since))
		}
	}
	violations = r.violations[namespace]
	if r.err != nil {
		violations = append(violations, "the watch of pods broke: "+r.err.Error())
	}
	return violations, r.longest[namespace]
}
