package scenarios

import (
	"fmt"
	"os"
	"regexp"
	"strings"
	"sync"
	"time"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"muster.dev/e2e/harness"
)

// The crash matrix: each transition of a group's life is stopped at an exact request, then something dies. Within
// 30 s after the fault has ended the group is whole or holds nothing; and since its controller makes lost members
// again and there is room for all, it is whole in the end.
const (
	settleWithin = 30 * time.Second
	wholeWithin  = 60 * time.Second
	cellMembers  = 4
	cellHosts    = 6 // one rack of each cell's own
)

// cell is one combination.
type cell struct {
	transition *transition
	fault      *fault
	name       string // of the group and of its controller
	block      string
	open       chan struct{} // closed when what is held may go on
	reached    chan struct{} // closed when the group is where it is to be hit
	once       sync.Once

	mu     sync.Mutex
	victim string // the member that is hit
	node   string // the node that is hit
	err    error
	ended  time.Time // of the fault

	// Of the goroutine that watches, and of everybody when that has ended.
	partial time.Time // when the group was last seen partly there
	whole   time.Time // since when it is whole
}

// hit says that the group is where it is to be hit, at this member.
func (c *cell) hit(member, node string) {
	c.once.Do(func() {
		c.mu.Lock()
		c.victim, c.node = member, node
		c.mu.Unlock()
		close(c.reached)
	})
}

// over says that the fault has ended, or what went wrong before.
func (c *cell) over(err error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.err, c.ended = err, time.Now()
}

// isOver tells whether the fault has ended and nothing went wrong.
func (c *cell) isOver() bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.err == nil && !c.ended.IsZero()
}

func (c *cell) target() (member, node string) {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.victim, c.node
}

// matrix is the state of one run of some cells.
type matrix struct {
	*T
	proxy *harness.Proxy
	nodes []*corev1.Node
	cells []*cell
}

// crashMatrix: first the faults that are a group's own, all at once; then those that hit everybody, each for all
// transitions at a time.
func crashMatrix(t *T) {
	t.needsMuster()
	proxy := t.behindProxy()
	t.Recorder.AllowPartial(t.Namespace, 2*time.Minute)
	var all []*cell
	var own []*fault
	for _, f := range faults {
		if f.everybody == nil {
			own = append(own, f)
		}
	}
	all = append(all, runCells(t, proxy, own)...)
	for _, f := range faults {
		if f.everybody != nil {
			all = append(all, runCells(t, proxy, []*fault{f})...)
		}
	}
	t.judgeMatrix(all)
}

// behindProxy runs Muster behind a proxy until the scenario ends.
func (t *T) behindProxy() *harness.Proxy {
	proxy, err := harness.StartProxy(t.ControlPlane, "proxy")
	t.Must(err)
	t.Muster.Stop()
	t.Must(t.StartMuster(t.Ctx, proxy.URL))
	t.Cleanup(func() {
		t.Muster.Stop()
		proxy.Stop()
		t.Must(t.StartExtender(t.Ctx))
	})
	return proxy
}

// runCells runs the faults at every transition, on nodes of their own.
func runCells(t *T, proxy *harness.Proxy, chosen []*fault) []*cell {
	m := &matrix{T: t, proxy: proxy}
	only := regexp.MustCompile(os.Getenv("MUSTER_E2E_CELLS"))
	for _, f := range chosen {
		for _, tr := range transitions {
			if !only.MatchString(tr.key + "-" + f.key) {
				continue
			}
			number := len(m.cells) + 1
			m.cells = append(m.cells, &cell{transition: tr, fault: f, block: fmt.Sprintf("b%d", number),
				name: fmt.Sprintf("%s-%s", tr.key, f.key), open: make(chan struct{}), reached: make(chan struct{})})
		}
	}
	if len(m.cells) == 0 {
		return nil
	}
	m.nodes = t.Nodes(harness.Shape{Blocks: len(m.cells), Racks: 1, Hosts: cellHosts, Kubelets: true})
	m.occupy()
	brought, watched := make(chan struct{}), make(chan struct{})
	go m.watchUntilWhole(brought, watched)
	// Those that take a while to get where they are hit come first, so that nobody has to be held for long.
	m.bringThere(func(c *cell) bool { return c.transition.slow })
	m.bringThere(func(c *cell) bool { return !c.transition.slow })
	if everybody := chosen[0].everybody; everybody != nil {
		m.hitEverybody(everybody)
	}
	close(brought)
	<-watched
	m.checkBooks()
	m.clear()
	return m.cells
}

func (m *matrix) hitEverybody(fault func(*matrix) error) {
	err := fault(m)
	for _, c := range m.cells {
		close(c.open)
		if c.err == nil {
			c.over(err)
		}
	}
	for _, c := range m.cells {
		m.afterwards(c)
	}
}

// occupy puts pods of no group where a transition wants room to be short.
func (m *matrix) occupy() {
	for _, c := range m.cells {
		for h := cellHosts; h > cellHosts-c.transition.blockers; h-- {
			m.Occupy(c.host(h), 8)
		}
	}
}

func (c *cell) host(number int) string { return fmt.Sprintf("%s-r1-h%02d", c.block, number) }

// bringThere takes all chosen cells to their transition at once; a group's own fault happens as soon as it is there.
func (m *matrix) bringThere(chosen func(*cell) bool) {
	var wait sync.WaitGroup
	for _, c := range m.cells {
		if !chosen(c) {
			continue
		}
		wait.Add(1)
		go func() {
			defer wait.Done()
			if err := m.bring(c); err != nil {
				c.over(err)
			} else if c.fault.own != nil {
				member, node := c.target()
				err := c.fault.own(m, member, node)
				close(c.open)
				c.over(err)
				m.afterwards(c)
			}
		}()
	}
	wait.Wait()
}

func (m *matrix) bring(c *cell) error {
	if err := c.transition.bring(m, c); err != nil {
		return fmt.Errorf("not there: %w", err)
	}
	select {
	case <-c.reached:
		return nil
	case <-time.After(20 * time.Second):
		return fmt.Errorf("the transition was not seen within 20 s: %s", harness.Briefs(m.Members(c.name)))
	case <-m.Ctx.Done():
		return m.Ctx.Err()
	}
}

// afterwards gives the group what it needs to be whole.
func (m *matrix) afterwards(c *cell) {
	if c.isOver() && c.transition.after != nil {
		if err := c.transition.after(m, c); err != nil {
			c.over(err)
		}
	}
}

// watchUntilWhole looks at each group from the end of its fault on. It ends when all were brought where they are hit
// and each has been whole for a second, or when time is up.
func (m *matrix) watchUntilWhole(brought <-chan struct{}, watched chan<- struct{}) {
	defer close(watched)
	var deadline time.Time
	for ; ; time.Sleep(50 * time.Millisecond) {
		now := time.Now()
		open := 0
		for _, c := range m.cells {
			if !c.isOver() {
				continue
			}
			m.look(c, now)
			if c.whole.IsZero() || now.Sub(c.whole) < time.Second {
				open++
			}
		}
		select {
		case <-brought:
			if deadline.IsZero() {
				deadline = now.Add(wholeWithin)
			}
		default:
			continue
		}
		if open == 0 || now.After(deadline) {
			break
		}
	}
	for _, c := range m.cells {
		if c.isOver() && c.whole.IsZero() {
			c.over(fmt.Errorf("not whole within %s: %s", wholeWithin, harness.Briefs(m.Members(c.name))))
		}
	}
}

func (m *matrix) look(c *cell, now time.Time) {
	live, done := 0, 0
	for _, p := range m.Members(c.name) {
		switch {
		case p.Status.Phase == corev1.PodSucceeded:
			done++
		case m.Live(p):
			live++
		}
	}
	switch {
	case live+done >= cellMembers:
		if c.whole.IsZero() {
			c.whole = now
		}
		if c.transition.onceWhole != nil {
			c.transition.onceWhole(m, c)
		}
	case live > 0:
		c.partial, c.whole = now, time.Time{}
	default:
		c.whole = time.Time{}
	}
}

// checkBooks: Muster promises nothing any more, and all that is free in the API can be used.
func (m *matrix) checkBooks() {
	if err := m.quietBooks(15 * time.Second); err != nil {
		m.failures = append(m.failures, "after "+m.cells[0].fault.name+": "+err.Error())
		return
	}
	if err := m.roomIsThere(m.nodes); err != nil {
		m.failures = append(m.failures, "after "+m.cells[0].fault.name+": "+err.Error())
	}
}

// clear removes everything of these cells.
func (m *matrix) clear() {
	m.proxy.Clear()
	m.Tap.ClearRules()
	for _, c := range m.cells {
		select {
		case <-c.open:
		default:
			close(c.open)
		}
	}
	m.Must(m.Clean(m.Ctx, m.Namespace))
	if err := m.quietBooks(15 * time.Second); err != nil {
		m.failures = append(m.failures, "when all pods of «"+m.cells[0].fault.name+"» are gone: "+err.Error())
	}
}

// settled is how long after the fault's end the group was still partly there.
func (c *cell) settled() time.Duration {
	if c.partial.Before(c.ended) {
		return 0
	}
	return c.partial.Sub(c.ended)
}

// judgeMatrix prints the table and fails for each cell that is not as it must be.
func (t *T) judgeMatrix(all []*cell) {
	text := map[string]string{}
	worst := time.Duration(0)
	for _, c := range all {
		key := c.transition.key + "/" + c.fault.key
		settled := c.settled()
		switch {
		case c.err != nil:
			text[key] = "FAIL"
			t.failures = append(t.failures, fmt.Sprintf("%s × %s: %v", c.transition.name, c.fault.name, c.err))
		case settled > settleWithin:
			text[key] = "FAIL"
			t.failures = append(t.failures, fmt.Sprintf("%s × %s: partly there for %.1f s", c.transition.name, c.fault.name, settled.Seconds()))
		default:
			text[key] = fmt.Sprintf("%.1f %.1f", settled.Seconds(), max(0, c.whole.Sub(c.ended)).Seconds())
			worst = max(worst, settled)
		}
	}
	var out strings.Builder
	fmt.Fprintf(&out, "%-28s", "seconds to settle, to whole")
	for _, f := range faults {
		fmt.Fprintf(&out, " | %-13s", f.name)
	}
	for _, tr := range transitions {
		fmt.Fprintf(&out, "\n%-28s", tr.name)
		for _, f := range faults {
			fmt.Fprintf(&out, " | %-13s", text[tr.key+"/"+f.key])
		}
	}
	t.Table(out.String())
	t.Note("%d combinations, settled within %.1f s at most", len(all), worst.Seconds())
}

// makeReplicaSet and makeJob start a group in the cell's block.
func (m *matrix) makeReplicaSet(c *cell, extra map[string]string) error {
	_, err := m.Client.AppsV1().ReplicaSets(m.Namespace).Create(m.Ctx, c.group(extra).ReplicaSet(), metav1.CreateOptions{})
	return err
}

func (m *matrix) makeJob(c *cell, extra map[string]string) error {
	_, err := m.Client.BatchV1().Jobs(m.Namespace).Create(m.Ctx, c.group(extra).Job(), metav1.CreateOptions{})
	return err
}

func (c *cell) group(extra map[string]string) harness.Group {
	annotations := map[string]string{
		harness.Prefix + "hold-timeout":  "10s",
		harness.Prefix + "failure-grace": "3s",
	}
	for key, value := range extra {
		annotations[key] = value
	}
	return harness.Group{Name: c.name, Members: cellMembers, Required: "rack", GPUs: 8, Block: c.block, Extra: annotations}
}
