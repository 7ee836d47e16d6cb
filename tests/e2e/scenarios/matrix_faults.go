package scenarios

import (
	"time"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
)

// fault is one way to die: a group's own, or everybody's.
type fault struct {
	key, name string
	own       func(m *matrix, member, node string) error
	everybody func(m *matrix) error
	loseReply bool // the writes of the transition take effect and nobody hears of it
}

var faults = []*fault{
	{key: "rl", name: "reply lost", loseReply: true,
		own: func(m *matrix, _, _ string) error { return nil }},
	{key: "md", name: "member deleted",
		own: func(m *matrix, member, _ string) error {
			return ignoreGone(m.Client.CoreV1().Pods(m.Namespace).Delete(m.Ctx, member, metav1.DeleteOptions{}))
		}},
	{key: "nd", name: "node deleted",
		own: func(m *matrix, _, node string) error { return m.DeleteNode(m.Ctx, node) }},
	{key: "nr", name: "node NotReady",
		own: func(m *matrix, _, node string) error { return m.FailNode(m.Ctx, node) }},
	{key: "km", name: "kill -9 Muster",
		everybody: func(m *matrix) error {
			m.Muster.Kill()
			return m.StartMuster(m.Ctx, m.proxy.URL)
		}},
	{key: "ks", name: "kill -9 sched",
		everybody: func(m *matrix) error {
			m.Scheduler.Kill()
			return m.StartScheduler()
		}},
	{key: "ap", name: "API away 5 s",
		everybody: func(m *matrix) error {
			m.proxy.Away(true)
			time.Sleep(5 * time.Second)
			m.proxy.Away(false)
			return nil
		}},
}

func ignoreGone(err error) error {
	if apierrors.IsNotFound(err) {
		return nil
	}
	return err
}
