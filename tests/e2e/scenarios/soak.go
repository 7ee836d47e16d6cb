package scenarios

import (
	"fmt"
	"math/rand"
	"sort"
	"sync"
	"time"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"muster.dev/e2e/harness"
)

// How long and with which random numbers the soak runs; the command line sets them.
var (
	SoakDuration = time.Minute
	SoakSeed     = time.Now().UnixNano()
)

const (
	partialAllowed = 30 * time.Second
	soakLoad       = 0.6 // of all GPUs, asked for at a time
	growthAllowed  = harness.MiB(8)
)

// soak is groups that come and go on 200 nodes while everything that can die does, at random.
type soak struct {
	*T
	proxy *harness.Proxy
	nodes []*corev1.Node

	mu     sync.Mutex // of what follows: the proxy's goroutines use it too
	random *rand.Rand
	broken map[string]int // what the proxy did

	groups  map[string]*soakGroup
	made    int
	ended   int
	faults  map[string]int
	hurt    map[string]bool // nodes that are away at the moment
	healing sync.WaitGroup
	memory  []sample
}

type soakGroup struct {
	harness.Group
	job     bool
	until   time.Time // a ReplicaSet is deleted then
	partial time.Time // since when it is partly there; zero when it is not
}

// sample is what one Muster process had resident.
type sample struct {
	pid int
	now harness.MiB
}

// soakWithFaults: no group is partly there for longer than 30 s, and in the end nothing is held by nobody and Muster's
// memory has not grown.
func soakWithFaults(t *T) {
	t.needsMuster()
	s := &soak{T: t, proxy: t.behindProxy(), random: rand.New(rand.NewSource(SoakSeed)), broken: map[string]int{},
		groups: map[string]*soakGroup{}, faults: map[string]int{}, hurt: map[string]bool{}}
	t.Note("--seed %d", SoakSeed)
	t.Recorder.AllowPartial(t.Namespace, SoakDuration+10*time.Minute)
	s.nodes = t.Nodes(harness.Shape{Blocks: 5, Racks: 4, Hosts: 10, Kubelets: true})
	s.breakWrites()
	s.run()
	s.proxy.Clear()
	s.drain()
	t.Note("%d groups came, %d ended by themselves; faults: %s; writes of Muster: %s",
		s.made, s.ended, counts(s.faults), counts(s.broken))
	s.judgeMemory()
	t.Must(t.quietBooks(20 * time.Second))
	t.Must(t.roomIsThere(s.nodes))
}

// run lasts for the duration. Muster is killed in the first half only, so that one process lives long enough to grow.
func (s *soak) run() {
	begin := time.Now()
	arrival, fault, look := begin, begin.Add(3*time.Second), begin
	for now := begin; now.Sub(begin) < SoakDuration; now = time.Now() {
		if now.After(arrival) {
			s.arrive(now)
			arrival = now.Add(s.between(500*time.Millisecond, 2*time.Second))
		}
		if now.After(fault) {
			s.Must(s.strike(now.Sub(begin) < SoakDuration/2))
			fault = now.Add(s.between(time.Second, 3*time.Second))
		}
		if now.After(look) {
			s.look(now)
			look = now.Add(250 * time.Millisecond)
		}
		time.Sleep(20 * time.Millisecond)
	}
	s.healing.Wait()
}

func (s *soak) between(least, most time.Duration) time.Duration {
	s.mu.Lock()
	defer s.mu.Unlock()
	return least + time.Duration(s.random.Int63n(int64(most-least)))
}

func (s *soak) number(n int) int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.random.Intn(n)
}

// arrive makes a group, unless there is much already.
func (s *soak) arrive(now time.Time) {
	asked := 0
	for _, g := range s.groups {
		asked += g.Members * g.GPUs
	}
	size := []int{2, 2, 3, 4, 4, 6, 8, 8, 12, 16, 24, 32, 48, 64}[s.number(14)]
	gpus := []int{1, 2, 4, 8}[s.number(4)]
	if float64(asked+size*gpus) > soakLoad*float64(len(s.nodes)*8) {
		return
	}
	s.made++
	runs := s.between(4*time.Second, 15*time.Second)
	g := &soakGroup{job: s.number(2) == 0, until: now.Add(runs + 5*time.Second)}
	g.Group = harness.Group{Name: fmt.Sprintf("g%04d", s.made), Members: size, GPUs: gpus, Extra: map[string]string{
		harness.Prefix + "failure-grace": "6s"}}
	switch need := size * gpus; {
	case need <= 40:
		g.Required = "rack"
	case need <= 160:
		g.Required = "block"
	default:
		g.Preferred = "block"
	}
	if s.number(3) == 0 {
		g.Extra[harness.Prefix+"failure-policy"] = "Restart"
	}
	s.groups[g.Name] = g
	if g.job {
		g.Extra[harness.RunsForKey] = runs.Round(time.Millisecond).String()
		s.createJob(g.Group)
	} else {
		s.createReplicaSet(g.Group)
	}
}

// look notes how long groups have been partly there, and removes those whose time is over.
func (s *soak) look(now time.Time) {
	members := map[string][]*corev1.Pod{}
	for _, p := range s.Recorder.Pods(s.Namespace, nil) {
		name := p.Annotations[harness.GroupKey]
		members[name] = append(members[name], p)
	}
	for name, g := range s.groups {
		live, done := 0, 0
		for _, p := range members[name] {
			switch {
			case p.Status.Phase == corev1.PodSucceeded:
				done++
			case s.Live(p):
				live++
			}
		}
		// A group of which members have completed is finishing; what it lacks then its controller waits for.
		partly := live > 0 && live < g.Members && done == 0
		switch {
		case !partly:
			g.partial = time.Time{}
		case g.partial.IsZero():
			g.partial = now
		case now.Sub(g.partial) > partialAllowed:
			s.Fail("group %s has been partly there for %s: %s", name, partialAllowed, harness.Briefs(members[name]))
		}
		switch {
		case g.job && done == g.Members:
			s.ended++
			s.remove(name, g)
		case !g.job && now.After(g.until):
			s.remove(name, g)
		}
	}
	if _, ended := s.Muster.Ended(); !ended {
		resident, _ := s.Muster.Memory()
		s.memory = append(s.memory, sample{s.Muster.Pid(), resident})
	}
}

func (s *soak) remove(name string, g *soakGroup) {
	background := metav1.DeletePropagationBackground
	how := metav1.DeleteOptions{PropagationPolicy: &background}
	if g.job {
		s.Must(ignoreGone(s.Client.BatchV1().Jobs(s.Namespace).Delete(s.Ctx, name, how)))
	} else {
		s.Must(ignoreGone(s.Client.AppsV1().ReplicaSets(s.Namespace).Delete(s.Ctx, name, how)))
	}
	delete(s.groups, name)
}

// drain lets go of everything and returns when no pod is left.
func (s *soak) drain() {
	for name, g := range s.groups {
		s.remove(name, g)
	}
	pods, err := s.Recorder.Wait(s.Ctx, s.Namespace, time.Minute, nil, func(pods []*corev1.Pod) bool { return len(pods) == 0 })
	if err != nil {
		s.Fail("%d pods are left after all controllers have gone: %s", len(pods), harness.Briefs(pods))
	}
}

// judgeMemory compares the last Muster's memory in the last and in the second quarter of its life.
func (s *soak) judgeMemory() {
	var mine []harness.MiB
	for _, m := range s.memory {
		if m.pid == s.Muster.Pid() {
			mine = append(mine, m.now)
		}
	}
	if len(mine) < 16 {
		s.Fail("the last Muster did not live long enough for its memory to be judged")
	}
	quarter := len(mine) / 4
	early, late := medianMiB(mine[quarter:2*quarter]), medianMiB(mine[3*quarter:])
	s.Note("Muster had %s in the second quarter of its life, %s in the last", early, late)
	if late-early > growthAllowed {
		s.Fail("Muster's memory has grown from %s to %s, allowed are %s", early, late, growthAllowed)
	}
}

func medianMiB(values []harness.MiB) harness.MiB {
	sorted := append([]harness.MiB(nil), values...)
	sort.Slice(sorted, func(i, j int) bool { return sorted[i] < sorted[j] })
	return sorted[len(sorted)/2]
}

func counts(of map[string]int) string {
	var names []string
	for name := range of {
		names = append(names, name)
	}
	sort.Strings(names)
	text := ""
	for i, name := range names {
		if i > 0 {
			text += ", "
		}
		text += fmt.Sprintf("%d %s", of[name], name)
	}
	return text
}
