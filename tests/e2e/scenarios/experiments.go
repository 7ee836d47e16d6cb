package scenarios

import (
	"fmt"
	"sync"
	"time"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
	extender "k8s.io/kube-scheduler/extender/v1"

	"muster.dev/e2e/harness"
	"muster.dev/e2e/stub"
)

// Experiments measure what kube-scheduler and the API server do; the notes of their lines are
// the results. They run with extenders of their own.
var Experiments = []Scenario{
	{"x1", "one PATCH of pods/status sets nomination and annotations", statusPatchWithAnnotation},
	{"x2", "which writes make kube-scheduler try a refused pod again", whatRequeues},
	{"x3", "a refused pod with a nomination: which nodes filter is asked about", refusedThenNominated},
}

// statusPatchWithAnnotation looks at what is stored after a strategic merge PATCH of the
// status subresource that names metadata.annotations too, as the ServiceAccount of the
// manifests would send it.
func statusPatchWithAnnotation(t *T) {
	t.Nodes(harness.Shape{Blocks: 1, Racks: 1, Hosts: 2})
	t.Create(harness.Group{Name: "x", Members: 2, Min: 3}.Pods()...)
	for i, kind := range []types.PatchType{types.StrategicMergePatchType, types.MergePatchType} {
		name := fmt.Sprintf("x-%d", i)
		before, err := t.Client.CoreV1().Pods(t.Namespace).Get(t.Ctx, name, metav1.GetOptions{})
		t.Must(err)
		patch := `{"metadata":{"annotations":{"muster.dev/plan":"p1"}},"status":{"nominatedNodeName":"b1-r1-h01"}}`
		_, err = t.Client.CoreV1().Pods(t.Namespace).Patch(t.Ctx, name, kind, []byte(patch), metav1.PatchOptions{}, "status")
		t.Must(err)
		after, err := t.Client.CoreV1().Pods(t.Namespace).Get(t.Ctx, name, metav1.GetOptions{})
		t.Must(err)
		t.Note("%s: nominated %q, plan %q, group annotation kept %v, gated still %v, one new version %v", kind,
			after.Status.NominatedNodeName, after.Annotations[harness.PlanKey],
			after.Annotations[harness.GroupKey] == "x", harness.Gated(after), after.ResourceVersion != before.ResourceVersion)
		if !harness.Planned(after) {
			t.Fail("%s does not set both", kind)
		}
	}
}

// refuser refuses all pods and remembers when it was asked about whom.
type refuser struct {
	mu    sync.Mutex
	asked map[string][]time.Time
	names map[string][]int
	pass  map[string]string // pod → node that may pass
}

func (t *T) refuse() *refuser {
	r := &refuser{asked: map[string][]time.Time{}, names: map[string][]int{}, pass: map[string]string{}}
	server, err := stub.Serve(stub.Answers{
		Filter: func(args *extender.ExtenderArgs) *extender.ExtenderFilterResult {
			r.mu.Lock()
			defer r.mu.Unlock()
			r.asked[args.Pod.Name] = append(r.asked[args.Pod.Name], time.Now())
			r.names[args.Pod.Name] = append(r.names[args.Pod.Name], len(*args.NodeNames))
			if node := r.pass[args.Pod.Name]; node != "" {
				return stub.Only(args, node)
			}
			return stub.Refuse(args, "held")
		},
		Bind: func(args *extender.ExtenderBindingArgs) error {
			return t.Client.CoreV1().Pods(args.PodNamespace).Bind(t.Ctx, &corev1.Binding{
				ObjectMeta: metav1.ObjectMeta{Namespace: args.PodNamespace, Name: args.PodName, UID: args.PodUID},
				Target:     corev1.ObjectReference{Kind: "Node", Name: args.Node}}, metav1.CreateOptions{})
		},
	})
	t.Must(err)
	t.Tap.SetTarget(server.URL())
	t.Cleanup(func() {
		server.Stop()
		t.Tap.SetTarget(t.Extender.URL())
	})
	return r
}

func (r *refuser) count(pod string) int {
	r.mu.Lock()
	defer r.mu.Unlock()
	return len(r.asked[pod])
}

func (r *refuser) allow(pod, node string) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.pass[pod] = node
}

// whatRequeues sends each kind of write to a pod that filter has refused, with nothing else
// going on in the cluster, and looks for 4 s whether kube-scheduler asks again.
func whatRequeues(t *T) {
	t.Nodes(harness.Shape{Blocks: 1, Racks: 1, Hosts: 2})
	r := t.refuse()
	time.Sleep(2 * time.Second) // node events are over
	for i, w := range []struct{ name, patch, subresource string }{
		{"nothing", "", ""},
		{"nomination alone", `{"status":{"nominatedNodeName":"b1-r1-h01"}}`, "status"},
		{"a status condition alone", `{"status":{"conditions":[{"type":"example.com/x","status":"True"}]}}`, "status"},
		{"annotation alone", `{"metadata":{"annotations":{"muster.dev/plan":"p1"}}}`, ""},
		{"nomination and annotation in one", `{"metadata":{"annotations":{"muster.dev/plan":"p1"}},"status":{"nominatedNodeName":"b1-r1-h01"}}`, "status"},
		{"label alone", `{"metadata":{"labels":{"muster.dev/plan":"p1"}}}`, ""},
	} {
		pod := fmt.Sprintf("refused-%d", i)
		t.Create(harness.Pod(pod, 1))
		t.Must(harness.Poll(t.Ctx, 10*time.Second, 20*time.Millisecond, func() (bool, string) { return r.count(pod) > 0, "not asked" }))
		time.Sleep(3 * time.Second) // its own status write and the first backoff are over
		before := r.count(pod)
		sent := time.Now()
		if w.patch != "" {
			var sub []string
			if w.subresource != "" {
				sub = []string{w.subresource}
			}
			_, err := t.Client.CoreV1().Pods(t.Namespace).Patch(t.Ctx, pod, types.StrategicMergePatchType, []byte(w.patch), metav1.PatchOptions{}, sub...)
			t.Must(err)
		}
		_ = harness.Poll(t.Ctx, 4*time.Second, 5*time.Millisecond, func() (bool, string) { return r.count(pod) > before, "" })
		if r.count(pod) > before {
			t.Note("%s: asked again after %d ms about %d nodes", w.name, r.asked[pod][before].Sub(sent).Milliseconds(), r.names[pod][before])
		} else {
			t.Note("%s: not asked again within 4 s", w.name)
		}
		t.Delete(pod)
		time.Sleep(500 * time.Millisecond)
	}
}

// refusedThenNominated: the whole way of a member held by refusal.
func refusedThenNominated(t *T) {
	t.Nodes(harness.Shape{Blocks: 1, Racks: 2, Hosts: 5})
	r := t.refuse()
	time.Sleep(time.Second)
	t.Create(harness.Pod("held", 1))
	t.Must(harness.Poll(t.Ctx, 10*time.Second, 20*time.Millisecond, func() (bool, string) { return r.count("held") > 0, "not asked" }))
	time.Sleep(3 * time.Second)
	r.allow("held", "b1-r2-h03")
	before, sent := r.count("held"), time.Now()
	_, err := t.Client.CoreV1().Pods(t.Namespace).Patch(t.Ctx, "held", types.StrategicMergePatchType,
		[]byte(`{"metadata":{"annotations":{"muster.dev/plan":"p1"}},"status":{"nominatedNodeName":"b1-r2-h03"}}`), metav1.PatchOptions{}, "status")
	t.Must(err)
	pods, err := t.Recorder.Wait(t.Ctx, t.Namespace, soon, named("held"), func(pods []*corev1.Pod) bool { return harness.CountBound(pods) == 1 })
	t.Must(err)
	_, last := t.Recorder.BoundAt(pods)
	t.Note("bound on %s %d ms after the write, filter asked about %v nodes", pods[0].Spec.NodeName, last.Sub(sent).Milliseconds(), r.names["held"][before:])
}
