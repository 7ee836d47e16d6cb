package harness

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"path/filepath"
	"strings"
	"time"
)

// StartReplica starts one of several muster-extenders that elect a leader. It waits for
// nothing, and kube-scheduler does not hear of it: see FollowReady.
func (e *Env) StartReplica(name string) (*Muster, error) {
	kubeconfig, err := e.MusterKubeconfig(name, e.ControlPlane.URL)
	if err != nil {
		return nil, err
	}
	return e.StartReplicaAs(name, kubeconfig)
}

// StartReplicaAs starts one with any kubeconfig.
func (e *Env) StartReplicaAs(name, kubeconfig string) (*Muster, error) {
	ports, err := FreePorts(1)
	if err != nil {
		return nil, err
	}
	args, err := configArgs(e.Manifests.MusterArgs, filepath.Join(e.Dir, name+".yaml"), e.Manifests.MusterConfig)
	if err != nil {
		return nil, err
	}
	args = append(args, "--leader-elect", "--kubeconfig="+kubeconfig, fmt.Sprintf("--port=%d", ports[0]))
	p, err := StartProcess(e.Dir, name, append([]string{e.options.Binary}, args...)...)
	if err != nil {
		return nil, err
	}
	m := &Muster{Process: p, url: fmt.Sprintf("http://127.0.0.1:%d", ports[0]),
		client: &http.Client{Timeout: 500 * time.Millisecond}, binary: e.options.Binary, args: args}
	e.musters = append(e.musters, m)
	return m, nil
}

// Ready is what /readyz says, with its words.
func (m *Muster) Ready() (bool, string) {
	if _, gone := m.Ended(); gone {
		return false, "has ended"
	}
	response, err := m.client.Get(m.url + "/readyz")
	if err != nil {
		return false, err.Error()
	}
	defer response.Body.Close()
	words, _ := io.ReadAll(response.Body)
	return response.StatusCode == http.StatusOK, strings.TrimSpace(string(words))
}

// FollowReady is the Service: calls go to whoever is ready, as seen ten times a second, and
// nowhere while nobody is. It returns when ctx ends.
func (e *Env) FollowReady(ctx context.Context, replicas ...*Muster) {
	target := ""
	for ctx.Err() == nil {
		found := "http://127.0.0.1:1"
		for _, m := range replicas {
			if ready, _ := m.Ready(); ready {
				found = m.url
			}
		}
		if found != target {
			target = found
			e.Tap.SetTarget(target)
		}
		select {
		case <-ctx.Done():
		case <-time.After(100 * time.Millisecond):
		}
	}
}
