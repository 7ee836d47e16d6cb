// Package scenarios holds what must be true of a cluster with Muster in it, one file per
// theme. A scenario is a function that acts on the API and looks at the API.
package scenarios

import (
	"context"
	"fmt"
	"regexp"
	"runtime/debug"
	"strings"
	"time"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"muster.dev/e2e/harness"
)

// Scenario is one line of the result.
type Scenario struct {
	Name  string // short: what --run matches, with the title
	Title string
	Run   func(*T)
}

// All are the scenarios in the order in which they run.
var All = []Scenario{
	{"a", "four members, one rack", fourMembersOneRack},
	{"b", "nothing happens before the fourth of four members exists", incompleteGroupWaits},
	{"c", "a group that cannot fit binds nobody and evicts nobody, then room appears", noRoomThenRoom},
	{"d", "two groups and room for one: one whole, one holding nothing, 20 times", twoGroupsRoomForOne},
	{"e", "pods of no group beside a group", foreignPods},
	{"f", "held by refusal, without gates", heldByRefusal},
	{"g", "an indexed Job of eight, made by the job controller", indexedJob},
	{"g2", "groups of two roles: leader and workers, prefill and decode", twoRoleExamples},
	{"h1", "a member deleted while held", memberDeletedWhileHeld},
	{"h2", "a member deleted while its group is Reserved", memberDeletedWhileReserved},
	{"i1", "kill -9 after release and before the first bind", killedBeforeFirstBind},
	{"i2", "kill -9 between two bindings", killedBetweenBindings},
	{"j", "a planned node is cordoned between plan and bind", cordonedAfterPlan},
	{"l", "a group that asks for an unknown level is rejected and says so", unknownLevel},
	{"m", "the manifests are admitted: pod security, overlays, examples, probes", manifestsAdmitted},
	{"rbac", "of the roles of the manifests each right is used: without it Muster is refused", everyRightIsUsed},
	{"o", "a plan that is not bound in time is given back and made anew", planGivenBack},
	{"s", "kube-scheduler's preemption takes the spare member of a group and breaks no group", preemptionIsShielded},
	{"p", "a PodDisruptionBudget refuses the evictions of a group that lets go", budgetRefuses},
	{"n", "the cluster's own kube-scheduler over mutual TLS", clusterScheduler},
	{"t1", "of two replicas the leader is killed while groups arrive", takeoverAfterKill},
	{"t2", "of two replicas the leader is stopped while groups arrive: the lease is handed over", takeoverOnStop},
	{"t3", "a leader that was paused wakes up when another one leads", pausedLeader},
	{"k", "200 members on 1,000 nodes", twoHundredMembers},
}

// Run runs the scenarios that match and prints a line for each. It returns how many passed
// and failed.
func Run(ctx context.Context, env *harness.Env, list []Scenario) (passed, failed int) {
	for _, s := range list {
		t := &T{Env: env, Ctx: ctx, Namespace: namespaceOf(s.Name)}
		begin := time.Now()
		t.run(s)
		took := time.Since(begin).Seconds()
		note := ""
		if len(t.notes) > 0 {
			note = "; " + strings.Join(t.notes, "; ")
		}
		if len(t.failures) == 0 {
			passed++
			fmt.Printf("ok   %s: %s (%.1f s%s)\n", s.Name, s.Title, took, note)
			t.printTables()
			continue
		}
		failed++
		fmt.Printf("FAIL %s: %s (%.1f s%s)\n", s.Name, s.Title, took, note)
		for _, failure := range t.failures {
			fmt.Printf("     %s\n", strings.ReplaceAll(failure, "\n", "\n     "))
		}
		t.printTables()
	}
	return passed, failed
}

// Match returns the scenarios whose name or «name: title» matches.
func Match(list []Scenario, pattern string) ([]Scenario, error) {
	expression, err := regexp.Compile(pattern)
	if err != nil {
		return nil, err
	}
	var out []Scenario
	for _, s := range list {
		if pattern == s.Name || expression.MatchString(s.Name+": "+s.Title) {
			out = append(out, s)
		}
	}
	return out, nil
}

var runs int

func namespaceOf(name string) string {
	runs++
	return fmt.Sprintf("e2e-%s-%d", name, runs)
}

// T is what a scenario gets: the cluster, a namespace of its own, and words to act and judge.
// A failed judgement ends the scenario.
type T struct {
	*harness.Env
	Ctx       context.Context
	Namespace string

	failures []string
	notes    []string
	tables   []string
	cleanups []func()
}

type failed struct{}

// Fail notes what is wrong and ends the scenario.
func (t *T) Fail(format string, args ...any) {
	t.failures = append(t.failures, fmt.Sprintf(format, args...))
	panic(failed{})
}

// Must fails on an error.
func (t *T) Must(err error) {
	if err != nil {
		t.Fail("%v", err)
	}
}

// Note adds a measured figure to the scenario's line.
func (t *T) Note(format string, args ...any) {
	t.notes = append(t.notes, fmt.Sprintf(format, args...))
}

// Table is printed below the scenario's line.
func (t *T) Table(text string) { t.tables = append(t.tables, text) }

func (t *T) printTables() {
	for _, table := range t.tables {
		fmt.Printf("     %s\n", strings.ReplaceAll(strings.TrimRight(table, "\n"), "\n", "\n     "))
	}
}

// Cleanup runs f when the scenario is over, however it ended.
func (t *T) Cleanup(f func()) { t.cleanups = append(t.cleanups, f) }

func (t *T) run(s Scenario) {
	t.Mark(s.Name + ": " + s.Title)
	t.Tap.Reset()
	t.guarded(func() {
		_, err := t.Client.CoreV1().Namespaces().Create(t.Ctx, &corev1.Namespace{
			ObjectMeta: metav1.ObjectMeta{Name: t.Namespace}}, metav1.CreateOptions{})
		t.Must(err)
		s.Run(t)
	})
	t.judgeAlways()
	for i := len(t.cleanups) - 1; i >= 0; i-- {
		t.guarded(t.cleanups[i])
	}
	t.guarded(func() { t.Must(t.Clean(t.Ctx, t.Namespace)) })
	t.failures = append(t.failures, t.UncleanStops()...)
	if len(t.failures) > 0 {
		// The next scenario starts from a known state, whatever this one has left.
		t.guarded(func() { t.Must(t.Restart(t.Ctx)) })
	}
}

// judgeAlways checks what holds in every scenario.
func (t *T) judgeAlways() {
	violations, longest := t.Recorder.Close(t.Namespace)
	t.failures = append(t.failures, violations...)
	if longest > 0 {
		t.Note("partly bound for %d ms at most", longest.Milliseconds())
	}
	if err := t.CheckAlive(); err != nil {
		t.failures = append(t.failures, err.Error())
	}
	t.failures = append(t.failures, t.refusedWrites()...)
}

// refusedWrites: a 403 means that the roles of the manifests do not allow what is done.
func (t *T) refusedWrites() (out []string) {
	writes, err := t.Writes(t.Namespace)
	if err != nil {
		return []string{err.Error()}
	}
	for _, w := range writes {
		if w.Code == 403 {
			return []string{fmt.Sprintf("the roles of the manifests do not allow %s to %s %s", w.Agent, w.Verb, w.Resource)}
		}
	}
	return nil
}

func (t *T) guarded(f func()) {
	defer func() {
		switch r := recover().(type) {
		case nil, failed:
		default:
			t.failures = append(t.failures, fmt.Sprintf("panic: %v\n%s", r, debug.Stack()))
		}
	}()
	f()
}
