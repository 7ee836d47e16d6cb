package main

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
	"time"

	"muster.dev/e2e/harness"
)

// Timeline tells when a gang of Muster came to each step of its life, in milliseconds from the moment when its last
// member was seen.
type Timeline struct {
	Arm string `json:"arm"`
	Work
	Steps []Step `json:"steps"`
}

// Step is when the first and the last member came there.
type Step struct {
	Name  string  `json:"name"`
	First float64 `json:"firstMs"`
	Last  float64 `json:"lastMs"`
}

// span is the first and the last of some moments.
type span struct{ first, last time.Time }

func (s *span) add(at time.Time) {
	if s.first.IsZero() || at.Before(s.first) {
		s.first = at
	}
	if at.After(s.last) {
		s.last = at
	}
}

// timeline has one more gang placed, with a tap between kube-scheduler and Muster, which the measured gangs do not
// have. What Muster writes is told by the API server's audit log, what kube-scheduler asks by the tap.
func timeline(ctx context.Context, c *Cluster, armWith func(*harness.Tap) Arm, nodes int) (t Timeline, err error) {
	w := Work{Nodes: nodes, Members: 256, Gangs: 1, Level: "block"}
	tap, err := harness.StartTap()
	if err != nil {
		return t, err
	}
	defer tap.Stop()
	arm := armWith(tap)
	t = Timeline{Arm: arm.Name, Work: w}
	running, end, err := c.start(ctx, arm)
	defer func() { err = errors.Join(err, end()) }()
	if err != nil {
		return t, err
	}
	warm := w
	warm.Members = 64
	if _, err := c.do(ctx, arm, running, warm, "timeline-"+arm.Name+"-0"); err != nil {
		return t, err
	}
	namespace := "timeline-" + arm.Name + "-1"
	place := c.audited
	if _, err := c.do(ctx, arm, running, w, namespace); err != nil {
		return t, err
	}
	writes, _, err := c.WritesSince(place)
	if err != nil {
		return t, err
	}
	p := c.Watch.Gang(Gang{w, namespace, "gang-0"})
	planned, err := plannedAt(filepath.Join(c.Dir, "muster-extender.log"), namespace)
	if err != nil {
		return t, err
	}
	filter, bindCall, barrier := calls(tap.Calls(namespace))
	step := func(name string, s span) {
		t.Steps = append(t.Steps, Step{name, milliseconds(s.first.Sub(p.LastCreated)), milliseconds(s.last.Sub(p.LastCreated))})
	}
	step("created (seen)", span{p.FirstCreated, p.LastCreated})
	step("planned", span{planned, planned})
	step("nominated", answered(writes, namespace, "pods/status"))
	if !arm.NoGates {
		step("released", answered(writes, namespace, "pods"))
	}
	step("filter", filter)
	step("bind call", bindCall)
	step("barrier", span{barrier, barrier})
	step("posted", arrived(writes, namespace, "pods/binding"))
	step("confirmed", answered(writes, namespace, "pods/binding"))
	step("bound (seen)", span{p.FirstBound, p.LastBound})
	return t, nil
}

// calls are when kube-scheduler asked; the barrier opens at the last bind call.
func calls(all []harness.Call) (filter, bind span, barrier time.Time) {
	for _, call := range all {
		switch call.Verb {
		case "filter":
			filter.add(call.At)
		case "bind":
			bind.add(call.At)
		}
	}
	return filter, bind, bind.last
}

// arrived is when the API server had received Muster's writes of a kind, answered when it had answered them.
func arrived(writes []harness.Write, namespace, resource string) (s span) {
	for _, w := range writes {
		if w.Namespace == namespace && w.Resource == resource && !w.ByScheduler() {
			s.add(w.At)
		}
	}
	return s
}

func answered(writes []harness.Write, namespace, resource string) (s span) {
	for _, w := range writes {
		if w.Namespace == namespace && w.Resource == resource && !w.ByScheduler() {
			s.add(w.Done)
		}
	}
	return s
}

// plannedAt is the time of Muster's log line that tells of the plan.
func plannedAt(path, namespace string) (time.Time, error) {
	file, err := os.Open(path)
	if err != nil {
		return time.Time{}, err
	}
	defer file.Close()
	lines := bufio.NewScanner(file)
	lines.Buffer(nil, 1<<20)
	for lines.Scan() {
		line := lines.Text()
		if !strings.Contains(line, " "+namespace+"/") || !strings.Contains(line, ": Planned: ") {
			continue
		}
		stamp, _, _ := strings.Cut(line, " ")
		return time.ParseInLocation("2006-01-02T15:04:05.000", stamp, time.Local)
	}
	return time.Time{}, fmt.Errorf("%s has no plan of %s", path, namespace)
}

// Print writes the timeline as a table.
func (t Timeline) Print(out io.Writer) {
	fmt.Fprintf(out, "\ntimeline of one gang of %s (%s), ms after its last member was seen: first, last\n", t.Arm, t.Work)
	for _, s := range t.Steps {
		fmt.Fprintf(out, "  %-16s %8.0f %8.0f\n", s.Name, s.First, s.Last)
	}
}
