package harness

import (
	"context"
	"fmt"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"time"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
)

// Extender is what runs behind kube-scheduler's calls: muster-extender, or a stub while the
// tests themselves are tried.
type Extender interface {
	URL() string
	// Ended names how it ended, if it did.
	Ended() (string, bool)
	Stop()
}

// Env is one running cluster with everything of the manifests in it.
type Env struct {
	*ControlPlane
	Root      string // of the source tree
	Manifests *Manifests
	Recorder  *Recorder
	Kubelets  *Kubelets
	Tap       *Tap
	Scheduler *Process
	Muster    *Muster  // nil with a stub
	Extender  Extender // Muster or the stub

	options Options
	musters []*Muster // that have not been judged by UncleanStops
}

// Options of a run.
type Options struct {
	Self   string // this program
	Root   string
	Dir    string // logs and everything else
	Binary string // muster-extender; empty when Stub is set
	Stub   func(*Env) (Extender, error)
}

// StartEnv brings up all of it; nothing stays behind when it fails.
func StartEnv(ctx context.Context, options Options) (*Env, error) {
	e := &Env{Root: options.Root, options: options}
	if err := e.start(ctx); err != nil {
		e.Stop()
		return nil, err
	}
	return e, nil
}

func (e *Env) start(ctx context.Context) error {
	var err error
	if e.ControlPlane, err = StartControlPlane(ctx, e.options.Self, e.options.Dir); err != nil {
		return err
	}
	if e.Manifests, err = ApplyManifests(ctx, e.ControlPlane, e.Root); err != nil {
		return err
	}
	if e.Tap, err = StartTap(); err != nil {
		return err
	}
	if e.Recorder, err = StartRecorder(ctx, e.Client); err != nil {
		return err
	}
	if e.Kubelets, err = StartKubelets(e.ControlPlane); err != nil {
		return err
	}
	if err := e.WaitAdmission(ctx, true); err != nil {
		return err
	}
	if err := e.StartExtender(ctx); err != nil {
		return err
	}
	return e.StartScheduler()
}

// StartExtender starts muster-extender (or the stub) and returns when it is ready.
func (e *Env) StartExtender(ctx context.Context) error {
	if e.options.Stub != nil {
		stub, err := e.options.Stub(e)
		if err != nil {
			return err
		}
		e.Extender = stub
		e.Tap.SetTarget(stub.URL())
		return nil
	}
	return e.StartMuster(ctx, e.ControlPlane.URL)
}

// StartMuster starts muster-extender against the API server at apiURL, which may be a proxy
// in front of the real one, and returns when it is ready.
func (e *Env) StartMuster(ctx context.Context, apiURL string) error {
	ports, err := FreePorts(1)
	if err != nil {
		return err
	}
	kubeconfig, err := e.MusterKubeconfig("muster", apiURL)
	if err != nil {
		return err
	}
	args, err := e.Manifests.MusterCommand(e.Dir, kubeconfig, ports[0])
	if err != nil {
		return err
	}
	return e.RunMuster(ctx, args, fmt.Sprintf("http://127.0.0.1:%d", ports[0]), http.DefaultClient)
}

// RunMuster starts muster-extender with any arguments and returns when it is ready at url.
func (e *Env) RunMuster(ctx context.Context, args []string, url string, client *http.Client) error {
	m, err := LaunchMuster(e.Dir, e.options.Binary, args, url, client)
	if err != nil {
		return err
	}
	e.Muster, e.Extender = m, m
	e.musters = append(e.musters, m)
	e.Tap.SetTarget(url)
	return m.WaitReady(ctx)
}

// StartScheduler starts kube-scheduler as the manifests say.
func (e *Env) StartScheduler() error {
	kubeconfig, err := e.MusterKubeconfig("kube-scheduler", e.ControlPlane.URL)
	if err != nil {
		return err
	}
	args, err := e.Manifests.SchedulerCommand(e.Dir, kubeconfig, e.Tap.URL)
	if err != nil {
		return err
	}
	return e.RunScheduler(args)
}

// RunScheduler starts kube-scheduler with any arguments.
func (e *Env) RunScheduler(args []string) (err error) {
	e.Scheduler, err = e.LaunchScheduler(args)
	return err
}

// Restart brings kube-scheduler and the extender back to a known state.
func (e *Env) Restart(ctx context.Context) error {
	e.Scheduler.Stop(2 * time.Second)
	e.Extender.Stop()
	if err := e.StartExtender(ctx); err != nil {
		return err
	}
	return e.StartScheduler()
}

// CheckAlive says which part is gone that should be there.
func (e *Env) CheckAlive() error {
	if text, ended := e.ControlPlane.Ended(); ended {
		return fmt.Errorf("%s", text)
	}
	if status, ended := e.Kubelets.Ended(); ended {
		return fmt.Errorf("kwok ended: %s", status)
	}
	if status, ended := e.Scheduler.Ended(); ended {
		return fmt.Errorf("kube-scheduler ended: %s", status)
	}
	if status, ended := e.Extender.Ended(); ended {
		return fmt.Errorf("muster-extender ended: %s", status)
	}
	return nil
}

// UncleanStops says which muster-extenders have been asked to end since the last call and did not do so in time and
// with status 0.
func (e *Env) UncleanStops() (said []string) {
	var running []*Muster
	for _, m := range e.musters {
		status, gone := m.Ended()
		switch {
		case !gone:
			running = append(running, m)
		case m.asked && status != "status 0":
			said = append(said, fmt.Sprintf("%s was asked to end and did so with %s", m.Name, status))
		}
	}
	e.musters = running
	return said
}

// Mark writes a line into the logs of the parts that scenarios share.
func (e *Env) Mark(text string) {
	for _, name := range []string{"kube-scheduler", "muster-extender", "kube-apiserver"} {
		log, err := os.OpenFile(filepath.Join(e.Dir, name+".log"), os.O_APPEND|os.O_WRONLY, 0)
		if err != nil {
			continue
		}
		fmt.Fprintf(log, "\n--- %s %s\n", time.Now().Format("15:04:05.000"), text)
		log.Close()
	}
}

// WaitAdmission returns when new members get the gate, or no longer get it.
func (c *ControlPlane) WaitAdmission(ctx context.Context, gated bool) error {
	probe := Group{Name: "probe", Members: 1}.Pods()[0]
	return Poll(ctx, 20*time.Second, 50*time.Millisecond, func() (bool, string) {
		pod, err := c.Client.CoreV1().Pods("default").Create(ctx, probe, metav1.CreateOptions{DryRun: []string{metav1.DryRunAll}})
		if err != nil {
			return false, err.Error()
		}
		return Gated(pod) == gated, fmt.Sprintf("a new member's gates: %v", pod.Spec.SchedulingGates)
	})
}

// Clean removes the pods of a namespace at once, then the nodes.
func (e *Env) Clean(ctx context.Context, namespace string) error {
	if err := e.RemovePods(ctx, namespace); err != nil {
		return err
	}
	if err := e.DeleteNodes(ctx); err != nil {
		return err
	}
	e.Recorder.ForgetNodes()
	e.Kubelets.forget()
	return nil
}

// RemovePods removes the pods of a namespace and whatever would make them again, and returns when they are gone.
func (c *ControlPlane) RemovePods(ctx context.Context, namespace string) error {
	// Controllers first, or they make new pods.
	orphan := metav1.DeletePropagationOrphan
	how := metav1.DeleteOptions{PropagationPolicy: &orphan}
	all := metav1.ListOptions{}
	for _, err := range []error{
		c.Client.BatchV1().Jobs(namespace).DeleteCollection(ctx, how, all),
		c.Client.AppsV1().Deployments(namespace).DeleteCollection(ctx, how, all),
		c.Client.AppsV1().ReplicaSets(namespace).DeleteCollection(ctx, how, all),
	} {
		if err != nil {
			return err
		}
	}
	zero := int64(0)
	pods := c.Client.CoreV1().Pods(namespace)
	return Poll(ctx, 2*time.Minute, 100*time.Millisecond, func() (bool, string) {
		if err := pods.DeleteCollection(ctx, metav1.DeleteOptions{GracePeriodSeconds: &zero}, metav1.ListOptions{}); err != nil {
			return false, err.Error()
		}
		list, err := pods.List(ctx, metav1.ListOptions{})
		if err != nil {
			return false, err.Error()
		}
		// A finalizer of the job controller would keep a pod whose Job is gone.
		_ = Parallel(len(list.Items), 16, func(i int) error {
			if pod := &list.Items[i]; len(pod.Finalizers) > 0 {
				pod.Finalizers = nil
				_, _ = pods.Update(ctx, pod, metav1.UpdateOptions{})
			}
			return nil
		})
		return len(list.Items) == 0, fmt.Sprintf("%d pods are left", len(list.Items))
	})
}

// Events returns the events in a namespace that keep says yes to.
func (e *Env) Events(ctx context.Context, namespace string, keep func(*corev1.Event) bool) ([]corev1.Event, error) {
	list, err := e.Client.CoreV1().Events(namespace).List(ctx, metav1.ListOptions{})
	if err != nil {
		return nil, err
	}
	var out []corev1.Event
	for i := range list.Items {
		if keep(&list.Items[i]) {
			out = append(out, list.Items[i])
		}
	}
	return out, nil
}

// Stop ends everything that runs.
func (e *Env) Stop() {
	if e.Scheduler != nil {
		e.Scheduler.Kill()
	}
	if e.Extender != nil {
		e.Extender.Stop()
	}
	if e.Kubelets != nil {
		e.Kubelets.Kill()
	}
	if e.Tap != nil {
		e.Tap.Stop()
	}
	if e.ControlPlane != nil {
		e.ControlPlane.Stop()
	}
}

// Muster is a running muster-extender.
type Muster struct {
	*Process
	url    string
	client *http.Client
	binary string
	args   []string
}

// LaunchMuster starts a muster-extender that will listen at url. It waits for nothing.
func LaunchMuster(dir, binary string, args []string, url string, client *http.Client) (*Muster, error) {
	p, err := StartProcess(dir, "muster-extender", append([]string{binary}, args...)...)
	if err != nil {
		return nil, err
	}
	return &Muster{Process: p, url: url, client: client, binary: binary, args: args}, nil
}

func (m *Muster) URL() string { return m.url }

// stopAllowed is less than the 30 s that Kubernetes gives a pod for its end.
const stopAllowed = 20 * time.Second

func (m *Muster) Stop() { m.Process.Stop(stopAllowed) }

// WaitReady returns when /readyz says 200.
func (m *Muster) WaitReady(ctx context.Context) error {
	ended := fmt.Errorf("muster-extender has ended, see its log")
	err := Poll(ctx, 20*time.Second, 20*time.Millisecond, func() (bool, string) {
		if _, gone := m.Ended(); gone {
			return true, ""
		}
		response, err := m.client.Get(m.url + "/readyz")
		if err != nil {
			return false, err.Error()
		}
		response.Body.Close()
		return response.StatusCode == http.StatusOK, "/readyz: " + response.Status
	})
	if _, gone := m.Ended(); gone {
		return ended
	}
	return err
}

// Probe runs the exec probe of the manifests and returns its exit status.
func (m *Muster) Probe(ctx context.Context, path string) (int, string) {
	out, err := exec.CommandContext(ctx, m.binary, append(m.args, "--probe="+path)...).CombinedOutput()
	if exit, ok := err.(*exec.ExitError); ok {
		return exit.ExitCode(), strings.TrimSpace(string(out))
	}
	if err != nil {
		return -1, err.Error()
	}
	return 0, strings.TrimSpace(string(out))
}
