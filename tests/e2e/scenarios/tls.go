package scenarios

import (
	"crypto/tls"
	"crypto/x509"
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"time"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"muster.dev/e2e/harness"
)

// clusterScheduler runs the other overlay: one kube-scheduler, the cluster's own, calls Muster
// over TLS, and each shows the other a certificate. Files and arguments are the overlay's, with
// paths and addresses filled in.
func clusterScheduler(t *T) {
	t.needsMuster()
	t.Cleanup(func() { t.Must(t.Restart(t.Ctx)) })
	t.Scheduler.Stop(2 * time.Second)
	t.Muster.Stop()
	ports, err := harness.FreePorts(1)
	t.Must(err)
	pki := t.certificates()
	address := fmt.Sprintf("127.0.0.1:%d", ports[0])
	t.startTLSMuster(pki, ports[0], address, t.caller(pki, "client"))
	for certificate, who := range map[string]string{"": "without a certificate", "other": "with a certificate of another name"} {
		if response, err := t.caller(pki, certificate).Get("https://" + address + "/readyz"); err == nil {
			t.Fail("a caller %s was answered: %s", who, response.Status)
		}
	}
	t.probes()
	t.startClusterScheduler(pki, address)
	t.overlayPolicy()

	nodes := t.Nodes(harness.Shape{Blocks: 1, Racks: 2, Hosts: 4})
	pods := harness.Group{Name: "n", Members: 4, Required: "rack", GPUs: 8}.Pods()
	for _, p := range append(pods, harness.Pod("foreign", 1)) {
		p.Spec.SchedulerName = corev1.DefaultSchedulerName
		t.Create(p)
	}
	bound := t.WaitBound("n", 4, soon)
	t.InOneRack(bound, nodes)
	t.WellMarked(bound, nodes)
	_, err = t.Recorder.Wait(t.Ctx, t.Namespace, soon, named("foreign"),
		func(pods []*corev1.Pod) bool { return harness.CountBound(pods) == 1 })
	t.Must(err)
}

// certificates makes what the overlay's first step says, and returns the folder.
func (t *T) certificates() string {
	dir := filepath.Join(t.Dir, "tls")
	t.Must(os.MkdirAll(dir, 0o700))
	t.Must(os.WriteFile(filepath.Join(dir, "ca.crt"), t.Authority.PEM, 0o600))
	_, _, err := t.Authority.Issue(dir, "tls", "muster-extender.muster-system.svc")
	t.Must(err)
	_, _, err = t.Authority.IssueTo("system:kube-scheduler", dir, "client")
	t.Must(err)
	_, _, err = t.Authority.Issue(dir, "other")
	t.Must(err)
	return dir
}

// caller shows the certificate of this name, or none.
func (t *T) caller(pki, certificate string) *http.Client {
	config := &tls.Config{RootCAs: x509.NewCertPool()}
	config.RootCAs.AppendCertsFromPEM(t.Authority.PEM)
	if certificate != "" {
		pair, err := tls.LoadX509KeyPair(filepath.Join(pki, certificate+".crt"), filepath.Join(pki, certificate+".key"))
		t.Must(err)
		config.Certificates = []tls.Certificate{pair}
	}
	return &http.Client{Timeout: 5 * time.Second, Transport: &http.Transport{TLSClientConfig: config}}
}

func (t *T) startTLSMuster(pki string, port int, address string, client *http.Client) {
	text := t.overlayFile("config/muster.yaml", "/etc/muster-tls", pki, "address: 0.0.0.0", "address: 127.0.0.1")
	config := filepath.Join(t.Dir, "muster-tls.yaml")
	t.Must(os.WriteFile(config, []byte(text), 0o600))
	kubeconfig, err := t.MusterKubeconfig("muster", t.ControlPlane.URL)
	t.Must(err)
	t.Must(t.RunMuster(t.Ctx, []string{"--config=" + config, "--kubeconfig=" + kubeconfig, fmt.Sprintf("--port=%d", port)},
		"https://"+address, client))
}

func (t *T) startClusterScheduler(pki, address string) {
	kubeconfig, err := t.SchedulerKubeconfig()
	t.Must(err)
	text := t.overlayFile("kube-scheduler.yaml", "/etc/kubernetes/scheduler.conf", kubeconfig,
		"https://CLUSTER-IP:9470", "https://"+address, "/etc/kubernetes/muster/", pki+"/")
	config := filepath.Join(t.Dir, "cluster-scheduler.yaml")
	t.Must(os.WriteFile(config, []byte(text), 0o600))
	t.Must(t.RunScheduler([]string{"--config=" + config, "--secure-port=0"}))
}

// overlayFile reads a file of the overlay; each old text must be in it.
func (t *T) overlayFile(name string, oldNew ...string) string {
	data, err := os.ReadFile(filepath.Join(t.Root, "manifests/overlays/cluster-scheduler", name))
	t.Must(err)
	text := string(data)
	// Comments say what stands for what; only the rest counts.
	var lines []string
	for _, line := range strings.Split(text, "\n") {
		if !strings.HasPrefix(strings.TrimSpace(line), "#") {
			lines = append(lines, line)
		}
	}
	text = strings.Join(lines, "\n")
	for i := 0; i < len(oldNew); i += 2 {
		if !strings.Contains(text, oldNew[i]) {
			t.Fail("%s of the overlay has no %q", name, oldNew[i])
		}
		text = strings.ReplaceAll(text, oldNew[i], oldNew[i+1])
	}
	return text
}

// overlayPolicy puts the overlay's admission policy in the place of the base's.
func (t *T) overlayPolicy() {
	text, err := t.Kubectl(t.Ctx, "kustomize", filepath.Join(t.Root, "manifests/overlays/cluster-scheduler"))
	t.Must(err)
	for _, document := range strings.Split(text, "\n---\n") {
		if !strings.Contains(document, "kind: MutatingAdmissionPolicy\n") {
			continue
		}
		file := filepath.Join(t.Dir, "overlay-policy.yaml")
		t.Must(os.WriteFile(file, []byte(document), 0o600))
		_, err := t.Kubectl(t.Ctx, "apply", "-f", file)
		t.Must(err)
	}
	t.Cleanup(func() {
		_, err := t.Kubectl(t.Ctx, "apply", "-f", filepath.Join(t.Root, "manifests/base/admission-policy.yaml"))
		t.Must(err)
		t.Must(t.WaitAdmission(t.Ctx, true))
	})
	probe := member(func(p *corev1.Pod) { p.Spec.SchedulerName = corev1.DefaultSchedulerName })
	t.Must(harness.Poll(t.Ctx, soon, 50*time.Millisecond, func() (bool, string) {
		pod, err := t.Client.CoreV1().Pods(t.Namespace).Create(t.Ctx, probe, metav1.CreateOptions{DryRun: []string{metav1.DryRunAll}})
		return err == nil && harness.Gated(pod), fmt.Sprintf("the overlay's policy does not add the gate: %v", err)
	}))
}
