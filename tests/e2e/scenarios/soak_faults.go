package scenarios

import (
	"net/http"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"muster.dev/e2e/harness"
)

// breakWrites does something to one in 25 of Muster's writes, and refuses a watch now and then.
func (s *soak) breakWrites() {
	kinds := []struct {
		name string
		do   func(*harness.Exchange)
	}{
		{"delayed", func(x *harness.Exchange) { harness.Delay(s.between(0, time.Second))(x) }},
		{"cut", harness.Cut},
		{"reply lost", harness.DropReply},
		{"409", harness.Refuse(http.StatusConflict, metav1.StatusReasonConflict, 0)},
		{"429", harness.Refuse(http.StatusTooManyRequests, metav1.StatusReasonTooManyRequests, time.Second)},
		{"500", harness.Refuse(http.StatusInternalServerError, metav1.StatusReasonInternalError, 0)},
	}
	s.proxy.Add(&harness.Rule{
		Match: func(x *harness.Exchange) bool { return x.Method != http.MethodGet && s.number(25) == 0 },
		Do: func(x *harness.Exchange) {
			kind := kinds[s.number(len(kinds))]
			s.mu.Lock()
			s.broken[kind.name]++
			s.mu.Unlock()
			kind.do(x)
		}})
	s.proxy.Add(&harness.Rule{
		Match: func(x *harness.Exchange) bool { return harness.IsWatch(x) && s.number(4) == 0 },
		Do: func(x *harness.Exchange) {
			s.mu.Lock()
			s.broken["watch 410"]++
			s.mu.Unlock()
			x.Refuse(http.StatusGone, metav1.StatusReasonExpired, 0)
		}})
}

// strike does one thing at random.
func (s *soak) strike(mayKillMuster bool) error {
	kinds := []struct {
		name   string
		weight int
		do     func() error
	}{
		{"member deleted", 6, s.deleteSomeMember},
		{"node deleted", 2, s.deleteSomeNode},
		{"node NotReady", 2, s.failSomeNode},
		{"kill -9 kube-scheduler", 1, s.killScheduler},
		{"API away", 1, s.apiAway},
		{"connections cut", 1, func() error { s.proxy.CutConnections(); return nil }},
		{"kill -9 Muster", 2, s.killMuster},
	}
	if !mayKillMuster {
		kinds = kinds[:len(kinds)-1]
	}
	sum := 0
	for _, kind := range kinds {
		sum += kind.weight
	}
	chosen := s.number(sum)
	for _, kind := range kinds {
		if chosen -= kind.weight; chosen < 0 {
			s.faults[kind.name]++
			return kind.do()
		}
	}
	return nil
}

func (s *soak) deleteSomeMember() error {
	pods := s.Recorder.Pods(s.Namespace, harness.Bound)
	if len(pods) == 0 {
		return nil
	}
	name := pods[s.number(len(pods))].Name
	return ignoreGone(s.Client.CoreV1().Pods(s.Namespace).Delete(s.Ctx, name, metav1.DeleteOptions{}))
}

// someNode is one that is well; it is away until back is called.
func (s *soak) someNode() (index int) {
	for {
		index = s.number(len(s.nodes))
		s.mu.Lock()
		free := !s.hurt[s.nodes[index].Name]
		s.hurt[s.nodes[index].Name] = true
		s.mu.Unlock()
		if free {
			return index
		}
	}
}

// later does something after a while, and is waited for at the end. A failure is seen when room is counted.
func (s *soak) later(node string, do func() error) {
	s.healing.Add(1)
	after := s.between(3*time.Second, 10*time.Second)
	go func() {
		defer s.healing.Done()
		time.Sleep(after)
		if err := do(); err != nil {
			s.mu.Lock()
			s.broken["error: "+err.Error()]++
			s.mu.Unlock()
		}
		s.mu.Lock()
		defer s.mu.Unlock()
		s.hurt[node] = false
	}()
}

func (s *soak) deleteSomeNode() error {
	node := s.nodes[s.someNode()]
	if err := s.DeleteNode(s.Ctx, node.Name); err != nil {
		return err
	}
	s.later(node.Name, func() error { return s.ReviveNode(s.Ctx, node) })
	return nil
}

func (s *soak) failSomeNode() error {
	node := s.nodes[s.someNode()]
	if err := s.FailNode(s.Ctx, node.Name); err != nil {
		return err
	}
	s.later(node.Name, func() error { return s.HealNode(s.Ctx, node.Name) })
	return nil
}

func (s *soak) killMuster() error {
	s.Muster.Kill()
	return s.StartMuster(s.Ctx, s.proxy.URL)
}

func (s *soak) killScheduler() error {
	s.Scheduler.Kill()
	return s.StartScheduler()
}

func (s *soak) apiAway() error {
	s.proxy.Away(true)
	time.Sleep(s.between(time.Second, 5*time.Second))
	s.proxy.Away(false)
	return nil
}
