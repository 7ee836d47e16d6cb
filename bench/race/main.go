// Command race lets Muster and its peers place the same gangs on the same control plane, in turn, and measures how
// long that takes and what it costs. See bench/README.md.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"os"
	"os/signal"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"syscall"
	"time"

	"muster.dev/e2e/harness"
)

// Settings is what the command line says.
type Settings struct {
	Size       string
	Rounds     int
	Only       *regexp.Regexp
	Arms       []string
	Components string
	Muster     string
	Kueue      string
	Root       string
	JSON       string
	Logs       string
}

func main() {
	ctx, cancel := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer cancel()
	s, err := settings()
	if err == nil {
		err = s.race(ctx)
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, "race:", err)
		os.Exit(1)
	}
}

func settings() (*Settings, error) {
	s := &Settings{}
	flag.StringVar(&s.Size, "size", "short", "short or full: which sizes of cluster and of gangs")
	flag.IntVar(&s.Rounds, "rounds", 0, "how often every arm has its turn (default: 2 for short, 3 for full)")
	only := flag.String("only", "", "only works whose name matches this regular expression, e.g. '1000 nodes, 1 × 64, one rack$'")
	arms := flag.String("arms", "muster,muster-no-gate,native,kueue,plain", "who takes part, in this order; ratios are to muster and to native")
	flag.StringVar(&s.Components, "components", "build/e2e-bin/muster-e2e", "the program that is the control plane (tests/e2e/build.sh)")
	flag.StringVar(&s.Muster, "muster", "build/release/src/cmd/muster-extender", "muster-extender")
	flag.StringVar(&s.Kueue, "kueue", "build/race", "folder with kueue and kueue-crds (bench/race/build.sh); without them that arm is skipped")
	flag.StringVar(&s.Root, "root", ".", "root of the source tree")
	flag.StringVar(&s.JSON, "json", "", "write results into this file")
	flag.StringVar(&s.Logs, "logs", "", "keep the logs of all processes in this folder")
	flag.Parse()
	if s.Size != "short" && s.Size != "full" {
		return nil, fmt.Errorf("--size is short or full, not %q", s.Size)
	}
	if s.Rounds == 0 {
		s.Rounds = map[string]int{"short": 2, "full": 3}[s.Size]
	}
	if s.Rounds < 0 {
		return nil, fmt.Errorf("--rounds must be positive, not %d", s.Rounds)
	}
	s.Arms = strings.Split(*arms, ",")
	var err error
	if s.Only, err = regexp.Compile(*only); err != nil {
		return nil, fmt.Errorf("--only: %w", err)
	}
	for _, path := range []*string{&s.Components, &s.Muster, &s.Root} {
		if *path, err = filepath.Abs(*path); err != nil {
			return nil, err
		}
		if _, err = os.Stat(*path); err != nil {
			return nil, err
		}
	}
	return s, nil
}

func (s *Settings) race(ctx context.Context) error {
	dir, err := s.folder()
	if err != nil {
		return err
	}
	report := &Report{Benchmark: "race", Machine: machine(), LoadBefore: load(),
		Date: time.Now().UTC().Format("2006-01-02 15:04Z"), Versions: versionsOf(s.Muster), Size: s.Size, Rounds: s.Rounds}
	for _, nodes := range sizesOf(s.works()) {
		if err := s.raceOn(ctx, dir, nodes, report); err != nil {
			return fmt.Errorf("%w\nlogs: %s", err, dir)
		}
	}
	report.Print(os.Stdout)
	if s.JSON != "" {
		if err := report.Write(s.JSON); err != nil {
			return err
		}
	}
	if s.Logs == "" {
		return os.RemoveAll(dir)
	}
	return nil
}

func (s *Settings) folder() (string, error) {
	if s.Logs == "" {
		return os.MkdirTemp("", "muster-race-")
	}
	dir, err := filepath.Abs(s.Logs)
	if err != nil {
		return "", err
	}
	return dir, os.MkdirAll(dir, 0o755)
}

func (s *Settings) works() (out []Work) {
	all := short()
	if s.Size == "full" {
		all = full()
	}
	for _, w := range all {
		if s.Only.MatchString(w.String()) {
			out = append(out, w)
		}
	}
	return out
}

func sizesOf(works []Work) (out []int) {
	seen := map[int]bool{}
	for _, w := range works {
		if !seen[w.Nodes] {
			out = append(out, w.Nodes)
		}
		seen[w.Nodes] = true
	}
	return out
}

// raceOn runs all works of one size of cluster on a control plane of their own.
func (s *Settings) raceOn(ctx context.Context, dir string, nodes int, report *Report) error {
	dir = filepath.Join(dir, fmt.Sprint(nodes))
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return err
	}
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	c, err := startCluster(ctx, s, dir, nodes)
	if err != nil {
		return err
	}
	defer c.Stop()
	arms, err := s.arms(ctx, c, report)
	if err != nil {
		return err
	}
	for round := range s.Rounds {
		for _, arm := range arms {
			results, err := s.turn(ctx, c, arm, nodes, round)
			if err != nil {
				return fmt.Errorf("%s, round %d: %w", arm.Name, round+1, err)
			}
			report.Runs = append(report.Runs, results...)
		}
	}
	return s.timelines(ctx, c, nodes, report)
}

// timelines are one more gang's of each arm of Muster's.
func (s *Settings) timelines(ctx context.Context, c *Cluster, nodes int, report *Report) error {
	for _, armOf := range []func(*Cluster, string, *harness.Tap) Arm{musterArm, ungatedArm} {
		if !slices.Contains(s.Arms, armOf(c, s.Muster, nil).Name) {
			continue
		}
		line, err := timeline(ctx, c, func(tap *harness.Tap) Arm { return armOf(c, s.Muster, tap) }, nodes)
		if err != nil {
			return err
		}
		report.Timelines = append(report.Timelines, line)
	}
	return nil
}

// arms are those that were asked for; Kueue is skipped when it cannot be had.
func (s *Settings) arms(ctx context.Context, c *Cluster, report *Report) (out []Arm, err error) {
	for _, name := range s.Arms {
		switch name {
		case "muster":
			out = append(out, musterArm(c, s.Muster, nil))
		case "muster-no-gate":
			out = append(out, ungatedArm(c, s.Muster, nil))
		case "native":
			out = append(out, nativeArm(c))
		case "plain":
			out = append(out, plainArm(c))
		case "kueue":
			if arm, err := kueueArm(ctx, c, s.Kueue); err != nil {
				report.skip("kueue", err)
			} else {
				out = append(out, arm)
			}
		default:
			return nil, fmt.Errorf("--arms: there is no arm %q", name)
		}
	}
	return out, nil
}

func startCluster(ctx context.Context, s *Settings, dir string, nodes int) (*Cluster, error) {
	plane, err := harness.StartControlPlane(ctx, s.Components, dir, "--feature-gates="+nativeGates,
		"--runtime-config="+nativeAPI, "--delete-collection-workers=8", "--audit-log-maxsize=100000")
	if err != nil {
		return nil, err
	}
	c := &Cluster{ControlPlane: plane}
	if c.Manifests, err = harness.ApplyManifests(ctx, plane, s.Root); err == nil {
		err = plane.WaitAdmission(ctx, true)
	}
	if err == nil {
		err = plane.CreateNodes(ctx, nodesOf(nodes))
	}
	if err != nil {
		plane.Stop()
		return nil, err
	}
	c.Watch = StartWatch(ctx, plane.Client)
	return c, nil
}

func stop(running []*harness.Process) {
	for _, p := range slices.Backward(running) {
		p.Stop(5 * time.Second)
	}
}

// turn starts an arm, has it do every work once, and stops it.
func (s *Settings) turn(ctx context.Context, c *Cluster, arm Arm, nodes, round int) (results []Result, err error) {
	running, end, err := c.start(ctx, arm)
	defer func() { err = errors.Join(err, end()) }()
	if err != nil {
		return nil, err
	}
	name := func(i int) string { return fmt.Sprintf("%s-%d-%d", arm.Name, round+1, i) }
	// Connections and caches are warm, and kube-scheduler has its informers, before anything is measured.
	if _, err := c.do(ctx, arm, running, Work{Nodes: nodes, Members: 64, Gangs: 1, Jobs: arm.JobsOnly}, name(0)); err != nil {
		return nil, err
	}
	for i, w := range s.works() {
		if w.Nodes != nodes || (arm.JobsOnly && !w.Jobs) || (w.Scarce && round > 0) {
			continue // where room is scarce, who gets it is the question, not how soon
		}
		r, err := c.do(ctx, arm, running, w, name(i+1))
		if err != nil {
			return results, err
		}
		r.Round = round + 1
		fmt.Println(" ", r.Line())
		results = append(results, r)
	}
	for _, p := range running {
		if status, ended := p.Ended(); ended {
			return results, fmt.Errorf("%s ended: %s", p.Name, status)
		}
	}
	return results, nil
}
