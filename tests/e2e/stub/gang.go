package stub

import (
	"context"
	"encoding/json"
	"fmt"
	"sort"
	"strconv"
	"strings"
	"sync"
	"time"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
	extender "k8s.io/kube-scheduler/extender/v1"

	"muster.dev/e2e/harness"
)

// Gang is a gang scheduler that lists all pods and nodes ten times a second. It knows GPUs
// and equal members only, keeps nothing over a restart and gives no plan up.
type Gang struct {
	*Server
	env    *harness.Env
	broken string
	cancel context.CancelFunc

	mu      sync.Mutex
	plans   map[string]*plan // by namespace/group
	members map[string]*plan // by namespace/pod
	next    int
}

type plan struct {
	id     string
	nodes  map[string]string // by pod
	ranks  map[string]int
	domain map[string]string
	asked  map[string]bool
	open   chan struct{}
}

// NewGang starts one. broken is empty, or what it does wrong: «barrier» (binds each member at
// once), «topology» (any nodes), «early» (plans groups that are not complete), «overcommit».
func NewGang(env *harness.Env, broken string) (harness.Extender, error) {
	g := &Gang{env: env, broken: broken, plans: map[string]*plan{}, members: map[string]*plan{}}
	server, err := Serve(Answers{Filter: g.filter, Bind: g.bind,
		Preempt: func(args *extender.ExtenderPreemptionArgs) *extender.ExtenderPreemptionResult {
			return &extender.ExtenderPreemptionResult{NodeNameToMetaVictims: map[string]*extender.MetaVictims{}}
		}})
	if err != nil {
		return nil, err
	}
	g.Server = server
	ctx, cancel := context.WithCancel(context.Background())
	g.cancel = cancel
	go g.run(ctx)
	return g, nil
}

func (g *Gang) Stop() {
	g.cancel()
	g.Server.Stop()
}

func (g *Gang) run(ctx context.Context) {
	for ctx.Err() == nil {
		g.round(ctx)
		select {
		case <-ctx.Done():
		case <-time.After(100 * time.Millisecond):
		}
	}
}

func (g *Gang) round(ctx context.Context) {
	pods, err := g.env.Client.CoreV1().Pods("").List(ctx, metav1.ListOptions{})
	if err != nil {
		return
	}
	nodes, err := g.env.Client.CoreV1().Nodes().List(ctx, metav1.ListOptions{})
	if err != nil {
		return
	}
	free := map[string]int64{}
	for _, n := range nodes.Items {
		if !n.Spec.Unschedulable {
			free[n.Name] = gpus(n.Status.Allocatable)
		}
	}
	groups := map[string][]*corev1.Pod{}
	for i := range pods.Items {
		p := &pods.Items[i]
		node := p.Spec.NodeName
		if node == "" {
			node = p.Status.NominatedNodeName
		}
		if node != "" && g.broken != "overcommit" {
			free[node] -= gpus(p.Spec.Containers[0].Resources.Requests)
		}
		if name := p.Annotations[harness.GroupKey]; name != "" && p.Spec.NodeName == "" && p.DeletionTimestamp == nil {
			groups[p.Namespace+"/"+name] = append(groups[p.Namespace+"/"+name], p)
		}
	}
	for key, members := range groups {
		least, _ := strconv.Atoi(members[0].Annotations[harness.MinMemberKey])
		if g.broken == "early" {
			least = 1
		}
		g.mu.Lock()
		_, planned := g.plans[key]
		g.mu.Unlock()
		if planned || len(members) < least {
			continue
		}
		if p := g.place(members, nodes.Items, free); p != nil {
			g.release(ctx, key, members, p)
		} else {
			g.event(ctx, members[0], "NoRoom", "no domain has room for the group")
		}
		return // the next group with fresh books
	}
}

func gpus(list corev1.ResourceList) int64 {
	q := list[harness.GPU]
	return q.Value()
}

func (g *Gang) place(members []*corev1.Pod, nodes []corev1.Node, free map[string]int64) *plan {
	sort.Slice(members, func(i, j int) bool { return rankKey(members[i]) < rankKey(members[j]) })
	sort.Slice(nodes, func(i, j int) bool { return nodes[i].Name < nodes[j].Name })
	level := members[0].Annotations[harness.RequiredKey]
	if g.broken == "topology" {
		level = ""
	}
	domains := map[string][]corev1.Node{}
	var order []string
	for _, n := range nodes {
		d := ""
		switch level {
		case "block":
			d = n.Labels[harness.BlockLabel]
		case "rack":
			d = n.Labels[harness.BlockLabel] + "/" + n.Labels[harness.RackLabel]
		}
		if domains[d] == nil {
			order = append(order, d)
		}
		domains[d] = append(domains[d], n)
	}
	for _, d := range order {
		p := &plan{nodes: map[string]string{}, ranks: map[string]int{}, domain: map[string]string{}, asked: map[string]bool{}, open: make(chan struct{})}
		i := 0
		for _, n := range domains[d] {
			left := free[n.Name]
			for i < len(members) && gpus(members[i].Spec.Containers[0].Resources.Requests) <= left {
				m := members[i]
				left -= gpus(m.Spec.Containers[0].Resources.Requests)
				p.nodes[m.Name] = n.Name
				p.ranks[m.Name] = i
				p.domain[m.Name] = fmt.Sprintf("block=%s,rack=%s/%s", n.Labels[harness.BlockLabel], n.Labels[harness.BlockLabel], n.Labels[harness.RackLabel])
				i++
			}
		}
		if i == len(members) {
			return p
		}
	}
	return nil
}

func rankKey(p *corev1.Pod) string {
	if n, err := strconv.Atoi(p.Annotations["batch.kubernetes.io/job-completion-index"]); err == nil {
		return fmt.Sprintf("%08d", n)
	}
	return p.CreationTimestamp.UTC().Format(time.RFC3339) + p.Name
}

func (g *Gang) release(ctx context.Context, key string, members []*corev1.Pod, p *plan) {
	g.mu.Lock()
	g.next++
	p.id = fmt.Sprintf("stub-%d", g.next)
	g.plans[key] = p
	for _, m := range members {
		g.members[m.Namespace+"/"+m.Name] = p
	}
	g.mu.Unlock()
	api := g.env.Client.CoreV1()
	_ = harness.Parallel(len(members), 8, func(i int) error {
		m := members[i]
		patch := fmt.Sprintf(`{"metadata":{"annotations":{%q:%q}},"status":{"nominatedNodeName":%q}}`, harness.PlanKey, p.id, p.nodes[m.Name])
		_, err := api.Pods(m.Namespace).Patch(ctx, m.Name, types.StrategicMergePatchType, []byte(patch), metav1.PatchOptions{}, "status")
		return err
	})
	_ = harness.Parallel(len(members), 8, func(i int) error {
		m := members[i]
		patch, _ := json.Marshal(map[string]any{"spec": map[string]any{"schedulingGates": []map[string]string{{"$patch": "delete", "name": harness.HoldGate}}}})
		_, err := api.Pods(m.Namespace).Patch(ctx, m.Name, types.StrategicMergePatchType, patch, metav1.PatchOptions{})
		return err
	})
	g.event(ctx, members[0], "Planned", "planned")
}

func (g *Gang) event(ctx context.Context, p *corev1.Pod, reason, message string) {
	_, _ = g.env.Client.CoreV1().Events(p.Namespace).Create(ctx, &corev1.Event{
		ObjectMeta:     metav1.ObjectMeta{Name: p.Name + "." + strings.ToLower(reason)},
		InvolvedObject: corev1.ObjectReference{APIVersion: "v1", Kind: "Pod", Namespace: p.Namespace, Name: p.Name, UID: p.UID},
		Reason:         reason, Message: message, Type: "Normal", Source: corev1.EventSource{Component: "muster-extender"},
		FirstTimestamp: metav1.Now(), LastTimestamp: metav1.Now(), Count: 1,
	}, metav1.CreateOptions{})
}

func (g *Gang) filter(args *extender.ExtenderArgs) *extender.ExtenderFilterResult {
	if args.Pod.Annotations[harness.GroupKey] == "" {
		return &extender.ExtenderFilterResult{NodeNames: args.NodeNames}
	}
	g.mu.Lock()
	p := g.members[args.Pod.Namespace+"/"+args.Pod.Name]
	g.mu.Unlock()
	if p == nil {
		return Refuse(args, "held: its group is not planned")
	}
	return Only(args, p.nodes[args.Pod.Name])
}

func (g *Gang) bind(args *extender.ExtenderBindingArgs) error {
	g.mu.Lock()
	p := g.members[args.PodNamespace+"/"+args.PodName]
	if p != nil {
		p.asked[args.PodName] = true
		if len(p.asked) == len(p.nodes) {
			select {
			case <-p.open:
			default:
				close(p.open)
			}
		}
	}
	g.mu.Unlock()
	binding := &corev1.Binding{
		ObjectMeta: metav1.ObjectMeta{Namespace: args.PodNamespace, Name: args.PodName, UID: args.PodUID},
		Target:     corev1.ObjectReference{Kind: "Node", Name: args.Node},
	}
	if p != nil {
		if g.broken != "barrier" {
			select {
			case <-p.open:
			case <-time.After(20 * time.Second):
				return fmt.Errorf("the other members did not come")
			}
		}
		binding.Annotations = map[string]string{
			harness.PlanKey: p.id, harness.RankKey: strconv.Itoa(p.ranks[args.PodName]), harness.DomainKey: p.domain[args.PodName],
		}
	}
	return g.env.Client.CoreV1().Pods(args.PodNamespace).Bind(context.Background(), binding, metav1.CreateOptions{})
}
