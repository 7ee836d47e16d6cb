package scenarios

import (
	"fmt"
	"strings"
	"time"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"muster.dev/e2e/harness"
)

// transition is a place in a group's life, and how to get a group there.
type transition struct {
	key, name string
	blockers  int  // hosts of the rack that are taken at first
	slow      bool // takes seconds to get there
	bring     func(m *matrix, c *cell) error
	after     func(m *matrix, c *cell) error // when the fault has ended
	onceWhole func(m *matrix, c *cell)       // while it is whole
}

var transitions = []*transition{
	{key: "t1", name: "Gathering → Pending", blockers: 3,
		bring: func(m *matrix, c *cell) error {
			m.armEvent(c, "NoRoom")
			return m.makeReplicaSet(c, nil)
		},
		after: func(m *matrix, c *cell) error { return m.removeBlockers(c) }},
	{key: "t2", name: "Reserved: nominating",
		bring: func(m *matrix, c *cell) error {
			m.arm(c, harness.IsNomination, 1)
			return m.makeReplicaSet(c, nil)
		}},
	{key: "t3", name: "Reserved: releasing",
		bring: func(m *matrix, c *cell) error {
			m.arm(c, harness.IsRelease, 1)
			return m.makeReplicaSet(c, nil)
		}},
	{key: "t4", name: "Reserved: bind calls wait",
		bring: func(m *matrix, c *cell) error {
			m.armBindCalls(c, 2)
			return m.makeReplicaSet(c, nil)
		}},
	{key: "t5", name: "Binding: half posted",
		bring: func(m *matrix, c *cell) error {
			m.arm(c, harness.IsBinding, 2)
			return m.makeReplicaSet(c, nil)
		}},
	{key: "t6", name: "Bound", slow: true,
		bring: func(m *matrix, c *cell) error {
			if c.fault.loseReply {
				m.arm(c, harness.IsBinding, 0)
			}
			return m.runningThenHit(c, nil)
		}},
	{key: "t7", name: "Repairing", slow: true,
		bring: func(m *matrix, c *cell) error {
			if err := m.running(c, nil); err != nil {
				return err
			}
			m.arm(c, harness.IsNomination, 0)
			return m.deleteMember(c)
		}},
	{key: "t8", name: "Restarting: half let go", slow: true,
		bring: func(m *matrix, c *cell) error {
			if err := m.running(c, map[string]string{harness.Prefix + "failure-policy": "Restart"}); err != nil {
				return err
			}
			m.arm(c, harness.IsEviction, 1)
			return m.Annotate(m.Ctx, m.Namespace, m.Members(c.name)[0].Name, map[string]string{harness.EndKey: "Failed"})
		}},
	{key: "t9", name: "Unwinding: half let go", slow: true, blockers: 2,
		bring: func(m *matrix, c *cell) error {
			if err := m.running(c, nil); err != nil {
				return err
			}
			m.arm(c, harness.IsEviction, 1)
			// There is no room for another one, so the grace runs out.
			if err := m.cordon(m.Members(c.name)[0].Spec.NodeName, true); err != nil {
				return err
			}
			return m.deleteMember(c)
		},
		after: func(m *matrix, c *cell) error { return m.removeBlockers(c) }},
	{key: "tc", name: "Completing: half completed", slow: true,
		bring: func(m *matrix, c *cell) error {
			if err := m.halfCompleted(c); err != nil {
				return err
			}
			if c.fault.loseReply {
				m.proxy.CutConnections() // there is no write of Muster; what it would hear of is lost
			}
			m.hitOne(c)
			return nil
		},
		onceWhole: func(m *matrix, c *cell) { m.completeAll(c) }},
}

// arm holds the writes of the cell's group that match, all but the first few; or lets them through and loses the
// replies.
func (m *matrix) arm(c *cell, match func(*harness.Exchange) bool, skip int) {
	rule := &harness.Rule{Skip: skip, Match: func(x *harness.Exchange) bool {
		pod, _ := harness.PodOf(x)
		return strings.HasPrefix(pod, c.name+"-") && match(x)
	}}
	m.act(c, rule, func(x *harness.Exchange) (string, string) {
		pod, _ := harness.PodOf(x)
		return pod, m.nodeOfMember(pod, x.Body)
	})
}

func (m *matrix) armEvent(c *cell, reason string) {
	rule := &harness.Rule{Match: func(x *harness.Exchange) bool {
		return harness.IsEvent(x, reason) && strings.Contains(string(x.Body), c.name+"-")
	}}
	m.act(c, rule, func(*harness.Exchange) (string, string) {
		return m.Members(c.name)[0].Name, c.host(1)
	})
}

func (m *matrix) act(c *cell, rule *harness.Rule, target func(*harness.Exchange) (string, string)) {
	if c.fault.loseReply {
		rule.Times = max(1, cellMembers-rule.Skip) // what is said again is heard
	}
	rule.Do = func(x *harness.Exchange) {
		member, node := target(x)
		if c.fault.loseReply {
			x.PassUnheard()
			c.hit(member, node)
			x.Cut()
		}
		c.hit(member, node)
		if !x.Hold(c.open) {
			x.Cut()
		}
		x.Pass()
	}
	m.proxy.Add(rule)
}

// armBindCalls does the same between kube-scheduler and Muster.
func (m *matrix) armBindCalls(c *cell, skip int) {
	rule := &harness.TapRule{Skip: skip, LoseReply: c.fault.loseReply,
		Match: func(call *harness.Call) bool {
			return call.Verb == "bind" && call.Namespace == m.Namespace && strings.HasPrefix(call.Pod, c.name+"-")
		},
		Reached: func(call *harness.Call) { c.hit(call.Pod, call.Node) }}
	if !c.fault.loseReply {
		rule.Hold = c.open
	}
	m.Tap.Add(rule)
}

// nodeOfMember is the node of a member, or the one that it is being given.
func (m *matrix) nodeOfMember(name string, body []byte) string {
	if _, rest, found := strings.Cut(string(body), `"nominatedNodeName":"`); found {
		node, _, _ := strings.Cut(rest, `"`)
		return node
	}
	// From the API: the recorder may not have heard of the nomination yet.
	p, err := m.Client.CoreV1().Pods(m.Namespace).Get(m.Ctx, name, metav1.GetOptions{})
	if err != nil {
		return ""
	}
	if p.Spec.NodeName != "" {
		return p.Spec.NodeName
	}
	return p.Status.NominatedNodeName
}

// running makes the group and returns when all its members run.
func (m *matrix) running(c *cell, extra map[string]string) error {
	if err := m.makeReplicaSet(c, extra); err != nil {
		return err
	}
	return m.allRun(c)
}

func (m *matrix) allRun(c *cell) error {
	pods, err := m.Recorder.Wait(m.Ctx, m.Namespace, 20*time.Second, inGroup(c.name), func(pods []*corev1.Pod) bool {
		count := 0
		for _, p := range pods {
			if m.Live(p) && p.Status.Phase == corev1.PodRunning {
				count++
			}
		}
		return count >= cellMembers
	})
	if err != nil {
		return fmt.Errorf("not all members run: %w: %s", err, harness.Briefs(pods))
	}
	return nil
}

func (m *matrix) runningThenHit(c *cell, extra map[string]string) error {
	if err := m.running(c, extra); err != nil {
		return err
	}
	m.hitOne(c)
	return nil
}

// hitOne chooses a member that runs.
func (m *matrix) hitOne(c *cell) {
	for _, p := range m.Members(c.name) {
		if m.Live(p) && p.Annotations[harness.EndKey] == "" {
			c.hit(p.Name, p.Spec.NodeName)
			return
		}
	}
}

func (m *matrix) deleteMember(c *cell) error {
	return faults[1].own(m, m.Members(c.name)[0].Name, "")
}

// removeBlockers frees the hosts that were taken at first, and uncordons.
func (m *matrix) removeBlockers(c *cell) error {
	if err := m.deletePods(named("on-" + c.block + "-")); err != nil {
		return err
	}
	for h := 1; h <= cellHosts; h++ {
		if err := ignoreGone(m.cordon(c.host(h), false)); err != nil {
			return err
		}
	}
	return nil
}

// halfCompleted: a Job whose first members have completed.
func (m *matrix) halfCompleted(c *cell) error {
	if err := m.makeJob(c, nil); err != nil {
		return err
	}
	if err := m.allRun(c); err != nil {
		return err
	}
	for _, p := range m.Members(c.name)[:cellMembers/2] {
		if err := m.Annotate(m.Ctx, m.Namespace, p.Name, map[string]string{harness.EndKey: "Succeeded"}); err != nil {
			return err
		}
	}
	_, err := m.Recorder.Wait(m.Ctx, m.Namespace, 20*time.Second, inGroup(c.name), func(pods []*corev1.Pod) bool {
		return countPhase(pods, corev1.PodSucceeded) == cellMembers/2
	})
	return err
}

// completeAll lets the rest of a Job end well, once.
func (m *matrix) completeAll(c *cell) {
	for _, p := range m.Members(c.name) {
		if m.Live(p) && p.Annotations[harness.EndKey] == "" {
			_ = m.Annotate(m.Ctx, m.Namespace, p.Name, map[string]string{harness.EndKey: "Succeeded"})
		}
	}
}

func countPhase(pods []*corev1.Pod, phase corev1.PodPhase) int {
	n := 0
	for _, p := range pods {
		if p.Status.Phase == phase {
			n++
		}
	}
	return n
}
