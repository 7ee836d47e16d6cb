package main

import (
	"context"
	"fmt"
	"slices"
	"time"

	batchv1 "k8s.io/api/batch/v1"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"muster.dev/e2e/harness"
)

const (
	bindLimit = 3 * time.Minute // what is not bound by then counts as not bound
	// What an arm still writes after the last binding (events, status) belongs to the work too.
	settleTime = 500 * time.Millisecond
	// Longer than kube-scheduler's and Muster's pauses between two tries, and than harness.PartialAllowed.
	quietTime = 5 * time.Second
	creators  = 16 // pods that are created at the same time
)

// Result is one Work done once by one arm.
type Result struct {
	Arm   string `json:"arm"`
	Round int    `json:"round"`
	Work
	// Per gang, in milliseconds: from the last member created, and from the first thing submitted, to all bound.
	Created   []float64 `json:"createdToBoundMs"`
	Submitted []float64 `json:"submittedToBoundMs"`
	// Bindings a second, from the first thing submitted to the last binding.
	PodsPerSecond float64 `json:"podsPerSecond"`
	// Writes of the arm's processes per pod.
	Writes       map[string]int `json:"writes"`
	WritesPerPod float64        `json:"writesPerPod"`
	// For how long a gang was seen with some, but not all, members bound, and how many gangs for longer than
	// harness.PartialAllowed or when the time was over.
	PartialMs float64 `json:"partialMs"`
	Partial   int     `json:"partialGangs"`
	Misplaced int     `json:"misplacedGangs"` // not all in one domain of the level
	Whole     int     `json:"wholeGangs"`     // of Gangs
	// Processor time in seconds, by process: the arm's and the control plane's.
	CPU map[string]float64 `json:"cpuSeconds"`
}

// do has one Work done by the arm whose processes run, and leaves an empty cluster.
func (c *Cluster) do(ctx context.Context, arm Arm, running []*harness.Process, w Work, namespace string) (Result, error) {
	r := Result{Arm: arm.Name, Work: w, Writes: map[string]int{}, CPU: map[string]float64{}}
	gangs, err := c.declare(ctx, arm, w, namespace)
	if err != nil {
		return r, err
	}
	_, place, err := c.WritesSince(c.audited)
	if err != nil {
		return r, err
	}
	measured := slices.Concat(running, c.Processes())
	before := cpuOf(measured)
	begin := time.Now()
	if err := c.submit(ctx, arm, gangs); err != nil {
		return r, err
	}
	waited := c.wait(ctx, gangs)
	if ctx.Err() != nil {
		return r, ctx.Err()
	}
	time.Sleep(settleTime)
	for name, used := range cpuOf(measured) {
		r.CPU[name] = (used - before[name]).Seconds()
	}
	writes, next, err := c.WritesSince(place)
	if err != nil {
		return r, err
	}
	c.audited = next
	r.countWrites(writes)
	r.judge(c, gangs, begin)
	if waited != nil {
		fmt.Printf("  %s: %s: %v\n", arm.Name, w, waited)
	}
	return r, c.clear(ctx, gangs)
}

// wait returns when all members of all gangs are bound; where there is no room for all, when nothing happens any more.
func (c *Cluster) wait(ctx context.Context, gangs []Gang) error {
	if gangs[0].Scarce {
		return c.Watch.WaitQuiet(ctx, quietTime, bindLimit)
	}
	return c.Watch.Wait(ctx, bindLimit, gangs, func(g Gang, p Progress) bool { return p.Bound == g.Members })
}

// declare makes the namespace and what the arm wants besides pods; no pod exists yet.
func (c *Cluster) declare(ctx context.Context, arm Arm, w Work, namespace string) ([]Gang, error) {
	_, err := c.Client.CoreV1().Namespaces().Create(ctx,
		&corev1.Namespace{ObjectMeta: metav1.ObjectMeta{Name: namespace}}, metav1.CreateOptions{})
	if err != nil {
		return nil, err
	}
	if arm.Prepare != nil {
		if err := arm.Prepare(ctx, namespace); err != nil {
			return nil, err
		}
	}
	var gangs []Gang
	for i := range w.Gangs {
		g := Gang{Work: w, Namespace: namespace, Name: fmt.Sprintf("gang-%d", i)}
		gangs = append(gangs, g)
		if arm.Declare == nil {
			continue
		}
		if err := arm.Declare(ctx, g); err != nil {
			return nil, fmt.Errorf("%s: %s: %w", arm.Name, w, err)
		}
	}
	return gangs, nil
}

// submit creates the pods, one gang after the other, or the Jobs.
func (c *Cluster) submit(ctx context.Context, arm Arm, gangs []Gang) error {
	members := gangs[0].Members
	if gangs[0].Jobs {
		return harness.Parallel(len(gangs), creators, func(i int) error {
			_, err := c.Client.BatchV1().Jobs(gangs[i].Namespace).Create(ctx, job(arm, gangs[i]), metav1.CreateOptions{})
			return err
		})
	}
	return harness.Parallel(len(gangs)*members, creators, func(i int) error {
		g := gangs[i/members]
		pod := harness.Pod(fmt.Sprintf("%s-%d", g.Name, i%members), g.gpus())
		dress(arm, g, &pod.ObjectMeta, &pod.Spec)
		_, err := c.Client.CoreV1().Pods(g.Namespace).Create(ctx, pod, metav1.CreateOptions{})
		return err
	})
}

func dress(arm Arm, g Gang, meta *metav1.ObjectMeta, spec *corev1.PodSpec) {
	if arm.Mark != nil {
		arm.Mark(g, meta, spec)
	}
	meta.Labels = map[string]string{gangLabel: g.Name}
}

func job(arm Arm, g Gang) *batchv1.Job {
	members, mode := int32(g.Members), batchv1.IndexedCompletion
	out := &batchv1.Job{
		ObjectMeta: metav1.ObjectMeta{Name: g.Name},
		Spec:       batchv1.JobSpec{Parallelism: &members, Completions: &members, CompletionMode: &mode},
	}
	out.Spec.Template.Spec = harness.Pod("", g.gpus()).Spec
	out.Spec.Template.Spec.RestartPolicy = corev1.RestartPolicyNever
	dress(arm, g, &out.Spec.Template.ObjectMeta, &out.Spec.Template.Spec)
	if arm.MarkJob != nil {
		arm.MarkJob(g, out)
	}
	return out
}

// clear removes everything and returns when the watch has seen the last pod go.
func (c *Cluster) clear(ctx context.Context, gangs []Gang) error {
	namespace := gangs[0].Namespace
	if err := c.RemovePods(ctx, namespace); err != nil {
		return err
	}
	err := c.Client.SchedulingV1beta1().PodGroups(namespace).DeleteCollection(ctx, metav1.DeleteOptions{}, metav1.ListOptions{})
	if err != nil {
		return err
	}
	err = c.Watch.Wait(ctx, time.Minute, gangs, func(_ Gang, p Progress) bool { return p.Exist == 0 })
	time.Sleep(settleTime)
	return err
}

func cpuOf(running []*harness.Process) map[string]time.Duration {
	out := map[string]time.Duration{}
	for _, p := range running {
		out[p.Name] = p.CPU()
	}
	return out
}

func (r *Result) countWrites(writes []harness.Write) {
	for _, w := range writes {
		r.Writes[w.Agent+" "+w.Verb+" "+w.Resource]++
	}
	r.WritesPerPod = float64(len(writes)) / float64(r.Gangs*r.Members)
}

func (r *Result) judge(c *Cluster, gangs []Gang, begin time.Time) {
	var end time.Time
	bound := 0
	for _, g := range gangs {
		p := c.Watch.Gang(g)
		bound += p.Bound
		partial := time.Duration(0)
		switch {
		case p.Bound == g.Members:
			r.Whole++
			partial = p.LastBound.Sub(p.FirstBound)
			r.Created = append(r.Created, milliseconds(p.LastBound.Sub(p.LastCreated)))
			r.Submitted = append(r.Submitted, milliseconds(p.LastBound.Sub(begin)))
			if g.Level != "" && !oneDomain(g.Level, p.Nodes) {
				r.Misplaced++
			}
		case p.Bound > 0:
			partial = time.Since(p.FirstBound)
		}
		r.PartialMs = max(r.PartialMs, milliseconds(partial))
		if partial > harness.PartialAllowed {
			r.Partial++
		}
		if p.LastBound.After(end) {
			end = p.LastBound
		}
	}
	if bound > 0 {
		r.PodsPerSecond = float64(bound) / end.Sub(begin).Seconds()
	}
}

func milliseconds(d time.Duration) float64 { return float64(d.Microseconds()) / 1000 }
