package harness

import (
	"context"
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"time"

	"k8s.io/client-go/kubernetes"
	"k8s.io/client-go/rest"
)

// Who may talk to the API server, by token. The second is what the Deployment of the
// manifests would be, the third a cluster's own kube-scheduler: they can do what their roles
// allow and no more. The fourth is somebody else's controller, which may do everything. The fifth is a
// Muster whose rights a scenario narrows.
const (
	adminToken     = "admin-token"
	musterToken    = "muster-token"
	schedulerToken = "scheduler-token"
	peerToken      = "peer-token"
	narrowToken    = "narrow-token"

	musterUser = "system:serviceaccount:muster-system:muster"
	narrowUser = "system:serviceaccount:muster-system:" + narrowName
)

const tokens = adminToken + `,admin,1,"system:masters"
` + musterToken + `,` + musterUser + `,2,"system:serviceaccounts,system:serviceaccounts:muster-system"
` + schedulerToken + `,system:kube-scheduler,3,
` + peerToken + `,peer,4,"system:masters"
` + narrowToken + `,` + narrowUser + `,5,"system:serviceaccounts,system:serviceaccounts:muster-system"
`

// Of interest are the writes of kube-scheduler, Muster and a peer, to count them, and all that a
// Muster with narrowed rights asks for.
const auditPolicy = `apiVersion: audit.k8s.io/v1
kind: Policy
omitStages: [RequestReceived]
rules:
- level: Metadata
  users: ["` + musterUser + `", peer]
  verbs: [create, update, patch, delete, deletecollection]
- level: Metadata
  users: ["` + narrowUser + `"]
- level: None
`

// ControlPlane is etcd, kube-apiserver and kube-controller-manager.
type ControlPlane struct {
	Dir       string // logs, certificates, kubeconfigs
	URL       string
	Authority *Authority
	Config    *rest.Config // as admin
	Client    *kubernetes.Clientset

	self      string
	processes []*Process
}

// StartControlPlane returns when the API server is ready. self is this program, which is
// all the components too; more are further flags of kube-apiserver. The cluster is new: what
// an earlier one has left in the folder, data and logs, is removed.
func StartControlPlane(ctx context.Context, self, dir string, more ...string) (*ControlPlane, error) {
	c := &ControlPlane{Dir: dir, self: self}
	if err := c.removeEarlier(); err != nil {
		return nil, err
	}
	if err := c.start(ctx, more); err != nil {
		c.Stop()
		return nil, err
	}
	return c, nil
}

func (c *ControlPlane) start(ctx context.Context, more []string) error {
	var err error
	if c.Authority, err = NewAuthority(); err != nil {
		return err
	}
	cert, key, err := c.Authority.Issue(c.Dir, "apiserver")
	if err != nil {
		return err
	}
	ports, err := FreePorts(3)
	if err != nil {
		return err
	}
	etcdURL := fmt.Sprintf("http://127.0.0.1:%d", ports[0])
	c.URL = fmt.Sprintf("https://127.0.0.1:%d", ports[2])
	for name, text := range map[string]string{"tokens.csv": tokens, "audit-policy.yaml": auditPolicy} {
		if err := os.WriteFile(c.path(name), []byte(text), 0o600); err != nil {
			return err
		}
	}
	if err := c.component("etcd", "--data-dir="+c.path("etcd"), "--client-url="+etcdURL,
		fmt.Sprintf("--peer-url=http://127.0.0.1:%d", ports[1])); err != nil {
		return err
	}
	if err := waitForPort(ctx, ports[0]); err != nil {
		return fmt.Errorf("etcd: %w", err)
	}
	if err := c.component("kube-apiserver", append([]string{
		"--etcd-servers=" + etcdURL,
		"--bind-address=127.0.0.1", fmt.Sprintf("--secure-port=%d", ports[2]),
		"--tls-cert-file=" + cert, "--tls-private-key-file=" + key, "--cert-dir=" + c.path("cert"),
		"--token-auth-file=" + c.path("tokens.csv"),
		"--authorization-mode=RBAC",
		"--service-account-key-file=" + key, "--service-account-signing-key-file=" + key,
		"--service-account-issuer=https://kubernetes.default.svc",
		"--service-cluster-ip-range=10.0.0.0/24",
		// Without kubelets nobody mounts tokens, nor takes a new node's taint away.
		"--disable-admission-plugins=ServiceAccount,TaintNodesByCondition",
		"--max-requests-inflight=2000", "--max-mutating-requests-inflight=1000",
		"--audit-policy-file=" + c.path("audit-policy.yaml"), "--audit-log-path=" + c.path("audit.log"),
		"--endpoint-reconciler-type=none",
	}, more...)...); err != nil {
		return err
	}
	c.Config = c.restConfig(adminToken)
	if c.Client, err = kubernetes.NewForConfig(c.Config); err != nil {
		return err
	}
	if err := c.waitReady(ctx); err != nil {
		return err
	}
	admin, err := c.Kubeconfig("admin", c.URL, adminToken)
	if err != nil {
		return err
	}
	return c.component("kube-controller-manager", "--kubeconfig="+admin, "--secure-port=0",
		"--leader-elect=false", "--kube-api-qps=500", "--kube-api-burst=1000",
		"--concurrent-job-syncs=5",
		"--controllers=job-controller,deployment-controller,replicaset-controller,garbage-collector-controller,namespace-controller,endpointslice-controller,disruption-controller")
}

func (c *ControlPlane) removeEarlier() error {
	logs, err := filepath.Glob(c.path("*.log"))
	if err != nil {
		return err
	}
	for _, path := range append(logs, c.path("etcd")) {
		if err := os.RemoveAll(path); err != nil {
			return err
		}
	}
	return nil
}

func (c *ControlPlane) component(name string, args ...string) error {
	p, err := StartProcess(c.Dir, name, append([]string{c.self, name}, args...)...)
	if err == nil {
		c.processes = append(c.processes, p)
	}
	return err
}

// LaunchScheduler starts kube-scheduler with any arguments. It waits for nothing.
func (c *ControlPlane) LaunchScheduler(args []string) (*Process, error) {
	return StartProcess(c.Dir, "kube-scheduler", append([]string{c.self, "kube-scheduler", "--v=2"}, args...)...)
}

func (c *ControlPlane) waitReady(ctx context.Context) error {
	err := Poll(ctx, 60*time.Second, 50*time.Millisecond, func() (bool, string) {
		if _, ended := c.Ended(); ended {
			return true, ""
		}
		err := c.Client.RESTClient().Get().AbsPath("/readyz").Do(ctx).Error()
		return err == nil, fmt.Sprintf("kube-apiserver is not ready: %v", err)
	})
	if text, ended := c.Ended(); ended {
		return fmt.Errorf("ended at once: %s", text)
	}
	return err
}

func (c *ControlPlane) restConfig(token string) *rest.Config {
	config := &rest.Config{Host: c.URL, BearerToken: token, QPS: -1}
	config.TLSClientConfig.CAData = c.Authority.PEM
	// Four times cheaper than JSON, and the tests share two cores with what they test.
	config.ContentType = "application/vnd.kubernetes.protobuf"
	config.AcceptContentTypes = "application/vnd.kubernetes.protobuf,application/json"
	return config
}

// Kubeconfig writes <dir>/<name>.kubeconfig for a server at url and returns its path.
func (c *ControlPlane) Kubeconfig(name, url, token string) (string, error) {
	ca := c.path("ca.crt")
	if err := os.WriteFile(ca, c.Authority.PEM, 0o600); err != nil {
		return "", err
	}
	path := c.path(name + ".kubeconfig")
	return path, os.WriteFile(path, []byte(fmt.Sprintf(`apiVersion: v1
kind: Config
current-context: e2e
contexts:
- {name: e2e, context: {cluster: e2e, user: %s}}
clusters:
- {name: e2e, cluster: {server: "%s", certificate-authority: %s}}
users:
- {name: %s, user: {token: %s}}
`, name, url, ca, name, token)), 0o600)
}

// MusterKubeconfig is for the ServiceAccount of the manifests, at the API server or at a
// proxy in front of it.
func (c *ControlPlane) MusterKubeconfig(name, url string) (string, error) {
	return c.Kubeconfig(name, url, musterToken)
}

// PeerKubeconfig is for somebody else's controller; its writes are in the audit log.
func (c *ControlPlane) PeerKubeconfig() (string, error) {
	return c.Kubeconfig("peer", c.URL, peerToken)
}

// SchedulerKubeconfig is for a cluster's own kube-scheduler.
func (c *ControlPlane) SchedulerKubeconfig() (string, error) {
	return c.Kubeconfig("cluster-scheduler", c.URL, schedulerToken)
}

// Kubectl runs kubectl as admin and returns what it printed.
func (c *ControlPlane) Kubectl(ctx context.Context, args ...string) (string, error) {
	argv := append([]string{"kubectl", "--kubeconfig=" + c.path("admin.kubeconfig"),
		"--cache-dir=" + c.path("kubectl-cache")}, args...)
	out, err := exec.CommandContext(ctx, c.self, argv...).CombinedOutput()
	if err != nil {
		return string(out), fmt.Errorf("kubectl %s: %w\n%s", strings.Join(args, " "), err, out)
	}
	return string(out), nil
}

// Processes are the components that run.
func (c *ControlPlane) Processes() []*Process { return c.processes }

// Ended names a component that is gone, if one is.
func (c *ControlPlane) Ended() (string, bool) {
	for _, p := range c.processes {
		if status, ended := p.Ended(); ended {
			return p.Name + ": " + status, true
		}
	}
	return "", false
}

// Stop ends all of it. Nothing is worth a clean shutdown here but the child processes.
func (c *ControlPlane) Stop() {
	for i := len(c.processes) - 1; i >= 0; i-- {
		c.processes[i].Kill()
	}
}

func (c *ControlPlane) path(name string) string { return filepath.Join(c.Dir, name) }

// FreePorts finds ports of 127.0.0.1 that nobody listens on. They are only likely to stay
// free.
func FreePorts(n int) ([]int, error) {
	var ports []int
	var listeners []net.Listener
	defer func() {
		for _, l := range listeners {
			l.Close()
		}
	}()
	for range n {
		l, err := net.Listen("tcp", "127.0.0.1:0")
		if err != nil {
			return nil, err
		}
		listeners = append(listeners, l)
		ports = append(ports, l.Addr().(*net.TCPAddr).Port)
	}
	return ports, nil
}

func waitForPort(ctx context.Context, port int) error {
	address := fmt.Sprintf("127.0.0.1:%d", port)
	return Poll(ctx, 30*time.Second, 20*time.Millisecond, func() (bool, string) {
		connection, err := net.DialTimeout("tcp", address, time.Second)
		if err != nil {
			return false, err.Error()
		}
		connection.Close()
		return true, ""
	})
}

// Poll asks until done says yes; the error then carries done's last reason for a no.
func Poll(ctx context.Context, limit, pause time.Duration, done func() (bool, string)) error {
	deadline := time.Now().Add(limit)
	for {
		ok, why := done()
		if ok {
			return nil
		}
		if time.Now().After(deadline) {
			return fmt.Errorf("not within %s: %s", limit, why)
		}
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-time.After(pause):
		}
	}
}
