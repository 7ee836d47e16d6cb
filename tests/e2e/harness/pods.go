package harness

import (
	"fmt"
	"sort"
	"strconv"
	"strings"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/resource"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
)

// Muster's words in the API.
const (
	Prefix       = "muster.dev/"
	GroupKey     = Prefix + "group-name"
	MinMemberKey = Prefix + "min-member"
	RequiredKey  = Prefix + "topology-required"
	PreferredKey = Prefix + "topology-preferred"
	RankKey      = Prefix + "rank"
	DomainKey    = Prefix + "domain"
	PlanKey      = Prefix + "plan"
	HoldGate     = Prefix + "hold"
	Scheduler    = "muster"
)

// Group describes members of one group that are alike. Two of them with one name are a
// group of two roles.
type Group struct {
	Name      string
	Members   int
	First     int // number of the first member, for members that come later
	Min       int // Members when 0
	Required  string
	Preferred string
	GPUs      int
	Priority  string // name of a PriorityClass
	Extra     map[string]string
	Role      string // part of the pods' names, for a second role
	Block     string // only nodes of this block
	Gate      bool   // with the readiness gate of the group
}

// Pods builds the members, named <group>-<number>.
func (g Group) Pods() []*corev1.Pod {
	if g.Min == 0 {
		g.Min = g.Members
	}
	annotations := map[string]string{GroupKey: g.Name, MinMemberKey: strconv.Itoa(g.Min)}
	if g.Required != "" {
		annotations[RequiredKey] = g.Required
	}
	if g.Preferred != "" {
		annotations[PreferredKey] = g.Preferred
	}
	for key, value := range g.Extra {
		annotations[key] = value
	}
	name := g.Name
	if g.Role != "" {
		name += "-" + g.Role
	}
	var pods []*corev1.Pod
	for i := g.First; i < g.First+g.Members; i++ {
		pod := Pod(fmt.Sprintf("%s-%d", name, i), g.GPUs)
		pod.Annotations = annotations
		pod.Spec.PriorityClassName = g.Priority
		if g.Block != "" {
			pod.Spec.NodeSelector = map[string]string{BlockLabel: g.Block}
		}
		if g.Gate {
			pod.Spec.ReadinessGates = []corev1.PodReadinessGate{{ConditionType: ReadyGate}}
		}
		pods = append(pods, pod)
	}
	return pods
}

// Pod is a pod of no group for the scheduler of the manifests.
func Pod(name string, gpus int) *corev1.Pod {
	requests := corev1.ResourceList{
		corev1.ResourceCPU:    resource.MustParse("1"),
		corev1.ResourceMemory: resource.MustParse("1Gi"),
	}
	limits := corev1.ResourceList{}
	if gpus > 0 {
		limits[GPU] = *resource.NewQuantity(int64(gpus), resource.DecimalSI)
		requests[GPU] = limits[GPU]
	}
	return &corev1.Pod{
		ObjectMeta: metav1.ObjectMeta{Name: name},
		Spec: corev1.PodSpec{
			SchedulerName: Scheduler,
			Containers: []corev1.Container{{
				Name: "main", Image: "registry.example.com/none:1",
				Resources: corev1.ResourceRequirements{Requests: requests, Limits: limits},
			}},
		},
	}
}

// Bound: the pod has a node and still counts there.
func Bound(p *corev1.Pod) bool {
	return p.Spec.NodeName != "" && p.DeletionTimestamp == nil &&
		p.Status.Phase != corev1.PodSucceeded && p.Status.Phase != corev1.PodFailed
}

// Gated: the pod still carries Muster's gate.
func Gated(p *corev1.Pod) bool {
	for _, gate := range p.Spec.SchedulingGates {
		if gate.Name == HoldGate {
			return true
		}
	}
	return false
}

// Planned: the pod is nominated and carries the id of its plan.
func Planned(p *corev1.Pod) bool {
	return p.Status.NominatedNodeName != "" && p.Annotations[PlanKey] != ""
}

// CountBound counts the bound ones.
func CountBound(pods []*corev1.Pod) int {
	n := 0
	for _, p := range pods {
		if Bound(p) {
			n++
		}
	}
	return n
}

// ByRank sorts by the rank annotation, as a number.
func ByRank(pods []*corev1.Pod) []*corev1.Pod {
	out := append([]*corev1.Pod(nil), pods...)
	rank := func(p *corev1.Pod) int { n, _ := strconv.Atoi(p.Annotations[RankKey]); return n }
	sort.SliceStable(out, func(i, j int) bool { return rank(out[i]) < rank(out[j]) })
	return out
}

// Brief is one line about a pod for messages.
func Brief(p *corev1.Pod) string {
	var s []string
	if p.Spec.NodeName != "" {
		s = append(s, "on "+p.Spec.NodeName)
	}
	if Gated(p) {
		s = append(s, "gated")
	}
	if p.Status.NominatedNodeName != "" {
		s = append(s, "nominated "+p.Status.NominatedNodeName)
	}
	if plan := p.Annotations[PlanKey]; plan != "" {
		s = append(s, "plan "+plan)
	}
	for _, c := range p.Status.Conditions {
		if c.Type == corev1.PodScheduled && c.Status != corev1.ConditionTrue {
			s = append(s, c.Reason+" «"+c.Message+"»")
		}
	}
	return p.Name + " (" + strings.Join(s, ", ") + ")"
}

// Briefs is Brief for many.
func Briefs(pods []*corev1.Pod) string {
	var s []string
	for _, p := range pods {
		s = append(s, Brief(p))
	}
	if len(s) > 12 {
		s = append(s[:12], fmt.Sprintf("… %d more", len(s)-12))
	}
	return strings.Join(s, "; ")
}
