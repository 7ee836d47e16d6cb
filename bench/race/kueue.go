package main

import (
	"context"
	_ "embed"
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"time"

	batchv1 "k8s.io/api/batch/v1"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"muster.dev/e2e/harness"
)

// kueueCerts is where Kueue v0.17 looks for the certificate of its metrics when it does not manage its own; no option
// changes it.
const kueueCerts = "/etc/kueue/metrics/certs"

//go:embed kueue.yaml
var kueueObjects string

// localQueue stands in each namespace that Jobs are submitted to.
const localQueue = `apiVersion: kueue.x-k8s.io/v1beta2
kind: LocalQueue
metadata: {name: race, namespace: %s}
spec: {clusterQueue: race}
`

const kueueConfig = `apiVersion: config.kueue.x-k8s.io/v1beta2
kind: Configuration
namespace: kueue-system
health: {healthProbeBindAddress: "127.0.0.1:%[1]d"}
metrics: {bindAddress: "127.0.0.1:%[2]d"}
webhook: {host: 127.0.0.1, port: %[3]d, certDir: %[4]s}
leaderElection: {leaderElect: false}
internalCertManagement: {enable: false}
clientConnection: {qps: 1000, burst: 2000}
integrations: {frameworks: [batch/job]}
`

// kueueArm is Kueue with Topology-Aware Scheduling before a plain kube-scheduler. folder has kueue and kueue-crds.
func kueueArm(ctx context.Context, c *Cluster, folder string) (Arm, error) {
	binary := filepath.Join(folder, "kueue")
	if _, err := os.Stat(binary); err != nil {
		return Arm{}, err
	}
	if _, err := os.Stat(kueueCerts); os.IsNotExist(err) {
		c.atEnd = append(c.atEnd, removeKueueCerts)
	}
	if err := placeCertificate(c, kueueCerts); err != nil {
		return Arm{}, err
	}
	if _, err := c.Kubectl(ctx, "apply", "--server-side", "-f", filepath.Join(folder, "kueue-crds")); err != nil {
		return Arm{}, err
	}
	if _, err := c.Kubectl(ctx, "wait", "--for=condition=established", "--all", "crd", "--timeout=60s"); err != nil {
		return Arm{}, err
	}
	if _, err := c.apply(ctx, "kueue-objects.yaml", kueueObjects); err != nil {
		return Arm{}, err
	}
	arm := Arm{Name: "kueue", JobsOnly: true}
	arm.Start = func(ctx context.Context) ([]*harness.Process, error) { return startKueue(ctx, c, binary) }
	arm.Prepare = func(ctx context.Context, namespace string) error {
		_, err := c.apply(ctx, "local-queue.yaml", fmt.Sprintf(localQueue, namespace))
		return err
	}
	arm.Mark = func(g Gang, meta *metav1.ObjectMeta, _ *corev1.PodSpec) {
		key := "kueue.x-k8s.io/podset-unconstrained-topology"
		value := "true"
		if g.Level != "" {
			key, value = "kueue.x-k8s.io/podset-required-topology", labelOf(g.Level)
		}
		meta.Annotations = map[string]string{key: value}
	}
	arm.MarkJob = func(_ Gang, job *batchv1.Job) {
		suspended := true
		job.Spec.Suspend = &suspended
		job.Labels = map[string]string{"kueue.x-k8s.io/queue-name": "race"}
	}
	return arm, nil
}

func startKueue(ctx context.Context, c *Cluster, binary string) ([]*harness.Process, error) {
	ports, err := harness.FreePorts(3)
	if err != nil {
		return nil, err
	}
	certs := filepath.Join(c.Dir, "kueue-certs")
	if err := placeCertificate(c, certs); err != nil {
		return nil, err
	}
	config := filepath.Join(c.Dir, "kueue.yaml")
	text := fmt.Sprintf(kueueConfig, ports[0], ports[1], ports[2], certs)
	if err := os.WriteFile(config, []byte(text), 0o600); err != nil {
		return nil, err
	}
	kubeconfig, err := c.PeerKubeconfig()
	if err != nil {
		return nil, err
	}
	kueue, err := harness.StartProcess(c.Dir, "kueue", binary, "--config="+config, "--kubeconfig="+kubeconfig,
		"--feature-gates=VisibilityOnDemand=false")
	if err != nil {
		return nil, err
	}
	ready := fmt.Sprintf("http://127.0.0.1:%d/readyz", ports[0])
	err = harness.Poll(ctx, time.Minute, 50*time.Millisecond, func() (bool, string) {
		answer, err := http.Get(ready)
		if err != nil {
			return false, "kueue: " + err.Error()
		}
		answer.Body.Close()
		return answer.StatusCode == http.StatusOK, "kueue: /readyz: " + answer.Status
	})
	if err != nil {
		return []*harness.Process{kueue}, err
	}
	scheduler, err := startPlain(c)
	return append([]*harness.Process{kueue}, scheduler...), err
}

// removeKueueCerts leaves what else there is in the folders above.
func removeKueueCerts() {
	os.RemoveAll(kueueCerts)
	for folder := filepath.Dir(kueueCerts); folder != "/etc"; folder = filepath.Dir(folder) {
		os.Remove(folder)
	}
}

// placeCertificate writes a pair tls.crt, tls.key into a folder.
func placeCertificate(c *Cluster, folder string) error {
	if err := os.MkdirAll(folder, 0o700); err != nil {
		return err
	}
	certificate, key, err := c.Authority.Issue(c.Dir, "kueue")
	if err != nil {
		return err
	}
	for from, to := range map[string]string{certificate: "tls.crt", key: "tls.key"} {
		data, err := os.ReadFile(from)
		if err != nil {
			return err
		}
		if err := os.WriteFile(filepath.Join(folder, to), data, 0o600); err != nil {
			return err
		}
	}
	return nil
}

// apply has kubectl apply a text.
func (c *Cluster) apply(ctx context.Context, name, text string) (string, error) {
	path := filepath.Join(c.Dir, name)
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		return "", err
	}
	return c.Kubectl(ctx, "apply", "-f", path)
}
