// Command muster-e2e is a Kubernetes control plane and the end-to-end scenarios in one
// program. See README.md.
package main

import (
	"context"
	"flag"
	"fmt"
	"os"
	"os/signal"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"time"

	"muster.dev/e2e/components"
	"muster.dev/e2e/harness"
	"muster.dev/e2e/scenarios"
	"muster.dev/e2e/stub"
)

func main() {
	if len(os.Args) > 1 {
		components.Run(os.Args[1])
	}
	os.Exit(run())
}

func run() int {
	pattern := flag.String("run", "", "run only the scenarios whose name, or «name: title», matches this regular expression")
	list := flag.Bool("list", false, "list the scenarios and end")
	experiments := flag.Bool("experiments", false, "measure facts about kube-scheduler instead, with an extender of a few lines")
	root := flag.String("root", "", "root of the source tree (default: found from the current folder upwards)")
	binary := flag.String("muster", os.Getenv("MUSTER_EXTENDER"), "path of muster-extender (default: $MUSTER_EXTENDER, then build/release/src/cmd/muster-extender)")
	stubbed := flag.String("stub", "", "run with the stub instead of muster-extender: ok, or what it does wrong: barrier, topology, early, overcommit")
	logs := flag.String("logs", "", "keep logs in this folder (default: a new one, kept when a scenario fails)")
	repeat := flag.Int("repeat", 1, "run the chosen scenarios so many times")
	flag.DurationVar(&scenarios.SoakDuration, "duration", scenarios.SoakDuration, "how long the scenario soak lasts")
	flag.Int64Var(&scenarios.SoakSeed, "seed", scenarios.SoakSeed, "random numbers of the scenario soak")
	flag.Parse()

	all := slices.Concat(scenarios.All, scenarios.Failing)
	if *experiments {
		all = scenarios.Experiments
	}
	chosen, err := scenarios.Match(all, *pattern)
	if err != nil {
		return complain("--run: %v", err)
	}
	if *list {
		for _, s := range chosen {
			fmt.Printf("%-3s %s\n", s.Name, s.Title)
		}
		return 0
	}
	if len(chosen) == 0 {
		return complain("--run %s matches no scenario", *pattern)
	}

	options, err := optionsFor(*root, *binary, *stubbed, *experiments, *logs)
	if err != nil {
		return complain("%v", err)
	}
	ctx, cancel := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer cancel()

	begin := time.Now()
	env, err := harness.StartEnv(ctx, options)
	if err != nil {
		return complain("the cluster does not start: %v\nlogs: %s", err, options.Dir)
	}
	fmt.Printf("cluster ready in %.1f s\n", time.Since(begin).Seconds())
	passed, failed := 0, 0
	for range *repeat {
		p, f := scenarios.Run(ctx, env, chosen)
		passed, failed = passed+p, failed+f
	}
	env.Stop()
	if failed > 0 {
		fmt.Printf("logs: %s\n", options.Dir)
	} else if *logs == "" {
		os.RemoveAll(options.Dir)
	}
	fmt.Printf("%.0f s\n%d passed, %d failed\n", time.Since(begin).Seconds(), passed, failed)
	if failed > 0 {
		return 1
	}
	return 0
}

func optionsFor(root, binary, stubbed string, experiments bool, logs string) (o harness.Options, err error) {
	if o.Self, err = os.Executable(); err != nil {
		return o, err
	}
	if o.Root, err = findRoot(root); err != nil {
		return o, err
	}
	if stubbed != "" || experiments {
		broken := strings.TrimPrefix(stubbed, "ok")
		o.Stub = func(env *harness.Env) (harness.Extender, error) { return stub.NewGang(env, broken) }
	} else {
		if binary == "" {
			binary = filepath.Join(o.Root, "build/release/src/cmd/muster-extender")
		}
		if o.Binary, err = filepath.Abs(binary); err != nil {
			return o, err
		}
		if _, err = os.Stat(o.Binary); err != nil {
			return o, fmt.Errorf("no muster-extender (--muster, MUSTER_EXTENDER): %w", err)
		}
	}
	if logs == "" {
		o.Dir, err = os.MkdirTemp("", "muster-e2e-")
		return o, err
	}
	if o.Dir, err = filepath.Abs(logs); err != nil {
		return o, err
	}
	return o, os.MkdirAll(o.Dir, 0o755)
}

func findRoot(root string) (string, error) {
	if root != "" {
		return filepath.Abs(root)
	}
	dir, err := os.Getwd()
	if err != nil {
		return "", err
	}
	for ; ; dir = filepath.Dir(dir) {
		if _, err := os.Stat(filepath.Join(dir, "manifests/base")); err == nil {
			return dir, nil
		}
		if dir == "/" {
			return "", fmt.Errorf("no manifests/base in this folder or above; say --root")
		}
	}
}

func complain(format string, args ...any) int {
	fmt.Fprintf(os.Stderr, "muster-e2e: "+format+"\n", args...)
	return 2
}
