package harness

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"strings"

	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
)

const musterNamespace = "muster-system"

// Manifests is what the API server holds after `kubectl apply -k manifests/base`: the
// arguments and configuration files of the two containers, as a kubelet would find them.
type Manifests struct {
	MusterArgs, SchedulerArgs     []string
	MusterConfig, SchedulerConfig string
}

// ApplyManifests installs root/manifests/base and reads the result back from the API.
func ApplyManifests(ctx context.Context, c *ControlPlane, root string) (*Manifests, error) {
	if _, err := c.Kubectl(ctx, "apply", "-k", filepath.Join(root, "manifests/base")); err != nil {
		return nil, err
	}
	deployment, err := c.Client.AppsV1().Deployments(musterNamespace).Get(ctx, "muster", metav1.GetOptions{})
	if err != nil {
		return nil, err
	}
	m := &Manifests{}
	m.MusterArgs, m.MusterConfig, err = containerConfig(ctx, c, deployment, "muster-extender")
	if err != nil {
		return nil, err
	}
	m.SchedulerArgs, m.SchedulerConfig, err = containerConfig(ctx, c, deployment, "kube-scheduler")
	return m, err
}

// containerConfig finds the file that --config names in the container's mounted ConfigMap.
func containerConfig(ctx context.Context, c *ControlPlane, d *appsv1.Deployment, name string) (args []string, text string, err error) {
	spec := d.Spec.Template.Spec
	for _, container := range spec.Containers {
		if container.Name != name {
			continue
		}
		args = container.Args
		for _, arg := range args {
			if path, ok := strings.CutPrefix(arg, "--config="); ok {
				text, err = mountedFile(ctx, c, spec.Volumes, container.VolumeMounts, path)
				return args, text, err
			}
		}
		return nil, "", fmt.Errorf("container %s has no argument --config=", name)
	}
	return nil, "", fmt.Errorf("the Deployment has no container %s", name)
}

func mountedFile(ctx context.Context, c *ControlPlane, volumes []corev1.Volume, mounts []corev1.VolumeMount, path string) (string, error) {
	for _, mount := range mounts {
		if mount.MountPath != filepath.Dir(path) {
			continue
		}
		for _, volume := range volumes {
			if volume.Name != mount.Name || volume.ConfigMap == nil {
				continue
			}
			config, err := c.Client.CoreV1().ConfigMaps(musterNamespace).Get(ctx, volume.ConfigMap.Name, metav1.GetOptions{})
			if err != nil {
				return "", err
			}
			text, ok := config.Data[filepath.Base(path)]
			if !ok {
				return "", fmt.Errorf("ConfigMap %s has no %s", config.Name, filepath.Base(path))
			}
			return text, nil
		}
	}
	return "", fmt.Errorf("nothing is mounted at %s", filepath.Dir(path))
}

// SchedulerCommand writes the scheduler's configuration with the two things that depend on
// where it runs (how to reach the API server and the extender) and returns the arguments.
func (m *Manifests) SchedulerCommand(dir, kubeconfig, extenderURL string) ([]string, error) {
	text, err := replaceOnce(m.SchedulerConfig, "urlPrefix: http://127.0.0.1:9470", "urlPrefix: "+extenderURL)
	if err != nil {
		return nil, err
	}
	reachable := *m
	reachable.SchedulerConfig = text
	return reachable.placeScheduler(dir, kubeconfig)
}

func (m *Manifests) placeScheduler(dir, kubeconfig string) ([]string, error) {
	text, err := replaceOnce(m.SchedulerConfig, "\nclientConnection:\n", "\nclientConnection:\n  kubeconfig: "+kubeconfig+"\n")
	if err != nil {
		return nil, err
	}
	return configArgs(m.SchedulerArgs, filepath.Join(dir, "kube-scheduler.yaml"), text)
}

// PlainSchedulerCommand is the same for a kube-scheduler without Muster: no extender, and as many nodes scored as
// kube-scheduler takes by itself.
func (m *Manifests) PlainSchedulerCommand(dir, kubeconfig string) ([]string, error) {
	plain := *m
	extenders := strings.Index(plain.SchedulerConfig, "\nextenders:\n")
	if extenders < 0 {
		return nil, fmt.Errorf("the manifest's configuration of kube-scheduler has no extenders")
	}
	var err error
	plain.SchedulerConfig, err = replaceOnce(plain.SchedulerConfig[:extenders+1], "\npercentageOfNodesToScore: 100\n", "\n")
	if err != nil {
		return nil, err
	}
	return plain.placeScheduler(dir, kubeconfig)
}

// MusterCommand writes Muster's configuration as it is; the rest is for the command line.
func (m *Manifests) MusterCommand(dir, kubeconfig string, port int) ([]string, error) {
	args, err := configArgs(m.MusterArgs, filepath.Join(dir, "muster.yaml"), m.MusterConfig)
	return append(args, "--kubeconfig="+kubeconfig, fmt.Sprintf("--port=%d", port)), err
}

func configArgs(args []string, path, text string) ([]string, error) {
	var out []string
	for _, arg := range args {
		if strings.HasPrefix(arg, "--config=") {
			arg = "--config=" + path
		}
		out = append(out, arg)
	}
	return out, os.WriteFile(path, []byte(text), 0o600)
}

func replaceOnce(text, old, with string) (string, error) {
	if n := strings.Count(text, old); n != 1 {
		return "", fmt.Errorf("%q stands %d times in the manifest's configuration, not once", old, n)
	}
	return strings.Replace(text, old, with, 1), nil
}
