package scenarios

import (
	"fmt"
	"sort"
	"strconv"
	"strings"
	"time"

	corev1 "k8s.io/api/core/v1"
	schedulingv1 "k8s.io/api/scheduling/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"muster.dev/e2e/harness"
)

// Bound in good time: generous, since machines that run tests are busy. What is measured is
// printed, not judged.
const soon = 15 * time.Second

// Nodes creates nodes and tells the recorder what they have.
func (t *T) Nodes(shape harness.Shape) []*corev1.Node {
	nodes := shape.Nodes()
	t.Recorder.SetNodes(nodes)
	t.Must(t.CreateNodes(t.Ctx, nodes))
	return nodes
}

// Occupy puts a pod of no group straight on a node, past any scheduler.
func (t *T) Occupy(node string, gpus int) *corev1.Pod {
	pod := harness.Pod("on-"+node, gpus)
	pod.Spec.NodeName = node
	t.Create(pod)
	return pod
}

// Create creates the pods one after another, so that their order is the order of creation.
func (t *T) Create(pods ...*corev1.Pod) {
	for _, pod := range pods {
		_, err := t.Client.CoreV1().Pods(t.Namespace).Create(t.Ctx, pod, metav1.CreateOptions{})
		t.Must(err)
	}
}

// Delete removes pods at once.
func (t *T) Delete(names ...string) {
	zero := int64(0)
	for _, name := range names {
		err := t.Client.CoreV1().Pods(t.Namespace).Delete(t.Ctx, name, metav1.DeleteOptions{GracePeriodSeconds: &zero})
		t.Must(err)
	}
}

// DeleteGroup removes all members and returns when they are gone.
func (t *T) DeleteGroup(name string) {
	for _, pod := range t.Members(name) {
		t.Delete(pod.Name)
	}
	_, err := t.Recorder.Wait(t.Ctx, t.Namespace, soon, inGroup(name), func(pods []*corev1.Pod) bool { return len(pods) == 0 })
	t.Must(err)
}

// PriorityClass makes sure that one exists.
func (t *T) PriorityClass(name string, value int32) {
	_, err := t.Client.SchedulingV1().PriorityClasses().Create(t.Ctx, &schedulingv1.PriorityClass{
		ObjectMeta: metav1.ObjectMeta{Name: name}, Value: value}, metav1.CreateOptions{})
	if !apierrors.IsAlreadyExists(err) {
		t.Must(err)
	}
}

// Members are the group's pods as last seen, by name.
func (t *T) Members(group string) []*corev1.Pod {
	return t.Recorder.Pods(t.Namespace, inGroup(group))
}

func inGroup(name string) func(*corev1.Pod) bool {
	return func(p *corev1.Pod) bool { return p.Annotations[harness.GroupKey] == name }
}

func named(prefix string) func(*corev1.Pod) bool {
	return func(p *corev1.Pod) bool { return strings.HasPrefix(p.Name, prefix) }
}

// WaitBound returns when n members are bound.
func (t *T) WaitBound(group string, n int, limit time.Duration) []*corev1.Pod {
	pods, err := t.Recorder.Wait(t.Ctx, t.Namespace, limit, inGroup(group),
		func(pods []*corev1.Pod) bool { return harness.CountBound(pods) >= n })
	if err != nil {
		t.Fail("group %s: %d of %d members bound %v: %s", group, harness.CountBound(pods), n, err, harness.Briefs(pods))
	}
	return pods
}

// WaitWhole returns when the n members of a group with the level rack required are bound, and
// judges all there is to judge about a whole group.
func (t *T) WaitWhole(group string, n int, limit time.Duration, nodes []*corev1.Node) []*corev1.Pod {
	pods := t.WaitBound(group, n, limit)
	t.InOneRack(pods, nodes)
	t.WellMarked(pods, nodes)
	t.BarrierKept(pods)
	return pods
}

// BarrierKept fails when a member was bound before kube-scheduler had asked to bind every one
// (promise 1). A call is noted before Muster hears of it, a pod is seen bound after, so there
// is no tolerance here.
func (t *T) BarrierKept(pods []*corev1.Pod) {
	asked := map[string]time.Time{}
	for _, call := range t.Tap.Calls(t.Namespace) {
		if _, seen := asked[call.Pod]; call.Verb == "bind" && !seen {
			asked[call.Pod] = call.At
		}
	}
	first, _ := t.Recorder.BoundAt(pods)
	for _, p := range pods {
		at, seen := asked[p.Name]
		if !seen {
			t.Fail("%s is bound, and kube-scheduler has not asked for it", p.Name)
		}
		if at.After(first) {
			t.Fail("a member was bound %s before kube-scheduler asked to bind %s", at.Sub(first).Round(time.Microsecond), p.Name)
		}
	}
}

// WaitMembers returns when all n members satisfy each.
func (t *T) WaitMembers(group string, n int, limit time.Duration, what string, each func(*corev1.Pod) bool) []*corev1.Pod {
	pods, err := t.Recorder.Wait(t.Ctx, t.Namespace, limit, inGroup(group), func(pods []*corev1.Pod) bool {
		count := 0
		for _, p := range pods {
			if each(p) {
				count++
			}
		}
		return count == n
	})
	if err != nil {
		t.Fail("group %s: not all %d members are %s %v: %s", group, n, what, err, harness.Briefs(pods))
	}
	return pods
}

// WaitReserved returns when the n members are planned and released.
func (t *T) WaitReserved(group string, n int) []*corev1.Pod {
	return t.WaitMembers(group, n, soon, "planned and released",
		func(p *corev1.Pod) bool { return harness.Planned(p) && !harness.Gated(p) })
}

// NeverBound fails as soon as a member of the group is bound within the time.
func (t *T) NeverBound(group string, d time.Duration) {
	pods, err := t.Recorder.Wait(t.Ctx, t.Namespace, d, inGroup(group),
		func(pods []*corev1.Pod) bool { return harness.CountBound(pods) > 0 })
	if err == nil {
		t.Fail("group %s: members are bound that must not be: %s", group, harness.Briefs(pods))
	}
}

// WaitEvent returns the first event with the reason about a pod whose name begins so, from
// Muster.
func (t *T) WaitEvent(prefix, reason string, limit time.Duration) corev1.Event {
	var found corev1.Event
	err := harness.Poll(t.Ctx, limit, 100*time.Millisecond, func() (bool, string) {
		var seen []string
		events, err := t.Events(t.Ctx, t.Namespace, func(e *corev1.Event) bool {
			return strings.HasPrefix(e.InvolvedObject.Name, prefix) && fromMuster(e)
		})
		if err != nil {
			return false, err.Error()
		}
		for _, e := range events {
			if e.Reason == reason {
				found = e
				return true, ""
			}
			seen = append(seen, e.Reason+" «"+e.Message+"»")
		}
		return false, fmt.Sprintf("no event %s of Muster on %s*, only: %s", reason, prefix, strings.Join(seen, ", "))
	})
	t.Must(err)
	return found
}

// fromMuster tells Muster's events from kube-scheduler's: that one reports under the name of
// its profile, which is muster, and names no source.
func fromMuster(e *corev1.Event) bool { return e.Source.Component == "muster-extender" }

// Node finds a node among those created.
func nodeOf(nodes []*corev1.Node, name string) *corev1.Node {
	for _, n := range nodes {
		if n.Name == name {
			return n
		}
	}
	return nil
}

func rackOf(n *corev1.Node) string {
	return n.Labels[harness.BlockLabel] + "/" + n.Labels[harness.RackLabel]
}

// domainOf is the value of the domain annotation for a pod on the node.
func domainOf(n *corev1.Node) string {
	return fmt.Sprintf("block=%s,rack=%s", n.Labels[harness.BlockLabel], rackOf(n))
}

// InOneRack fails when the bound pods are not in one rack, and returns it.
func (t *T) InOneRack(pods []*corev1.Pod, nodes []*corev1.Node) string {
	rack := ""
	for _, p := range pods {
		node := nodeOf(nodes, p.Spec.NodeName)
		if node == nil {
			t.Fail("%s is on %q, which is no node of this scenario", p.Name, p.Spec.NodeName)
		}
		if rack != "" && rackOf(node) != rack {
			t.Fail("not in one rack: %s", harness.Briefs(pods))
		}
		rack = rackOf(node)
	}
	return rack
}

// WellMarked fails unless the bound members carry ranks 0 … n-1, the domain of their node and
// one plan, and sit where they were nominated.
func (t *T) WellMarked(pods []*corev1.Pod, nodes []*corev1.Node) {
	plan := pods[0].Annotations[harness.PlanKey]
	seen := map[int]string{}
	for _, p := range pods {
		rank, err := strconv.Atoi(p.Annotations[harness.RankKey])
		if err != nil || rank < 0 || rank >= len(pods) || seen[rank] != "" {
			t.Fail("%s: rank %q; of %d members each has one of 0 … %d", p.Name, p.Annotations[harness.RankKey], len(pods), len(pods)-1)
		}
		seen[rank] = p.Name
		if want := domainOf(nodeOf(nodes, p.Spec.NodeName)); p.Annotations[harness.DomainKey] != want {
			t.Fail("%s on %s: domain %q, not %q", p.Name, p.Spec.NodeName, p.Annotations[harness.DomainKey], want)
		}
		if p.Annotations[harness.PlanKey] == "" || p.Annotations[harness.PlanKey] != plan {
			t.Fail("%s: plan %q, another member has %q", p.Name, p.Annotations[harness.PlanKey], plan)
		}
		if harness.Gated(p) {
			t.Fail("%s is bound and gated", p.Name)
		}
	}
}

// Unreserved tells whether a pod holds nothing: no node, no nomination.
func unreserved(p *corev1.Pod) bool {
	return p.Spec.NodeName == "" && p.Status.NominatedNodeName == ""
}

// TryCreate is Create for many at a time: it returns the error, since only the scenario's own
// goroutine may Fail.
func (t *T) TryCreate(pod *corev1.Pod) error {
	_, err := t.Client.CoreV1().Pods(t.Namespace).Create(t.Ctx, pod, metav1.CreateOptions{})
	return err
}

func median(d []time.Duration) time.Duration {
	sort.Slice(d, func(i, j int) bool { return d[i] < d[j] })
	return d[len(d)/2]
}
