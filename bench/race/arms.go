package main

import (
	"context"
	"fmt"
	"net/http"
	"strconv"

	batchv1 "k8s.io/api/batch/v1"
	corev1 "k8s.io/api/core/v1"
	schedulingv1beta1 "k8s.io/api/scheduling/v1beta1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"muster.dev/e2e/harness"
)

// Cluster is the control plane that all arms have in common.
type Cluster struct {
	*harness.ControlPlane
	Manifests *harness.Manifests
	Watch     *Watch

	audited int64 // so far the audit log has been read
	atEnd   []func()
}

// Stop ends the control plane and takes away what arms have left outside its folder.
func (c *Cluster) Stop() {
	c.ControlPlane.Stop()
	for _, f := range c.atEnd {
		f()
	}
}

// Gang is one of the gangs of a Work.
type Gang struct {
	Work
	Namespace, Name string
}

// Arm is one way of having gangs placed.
type Arm struct {
	Name string
	// JobsOnly: it places Jobs, not pods as such.
	JobsOnly bool
	// NoGates: for its turn the admission policy adds no gate to members.
	NoGates bool
	// Start starts what places the pods. The processes are stopped in reverse order when the arm's turn is over, and
	// their processor time is the arm's.
	Start func(ctx context.Context) ([]*harness.Process, error)
	// Prepare makes a namespace ready for the arm; nil: nothing.
	Prepare func(ctx context.Context, namespace string) error
	// Declare creates what the arm wants to know of a gang besides its pods; nil: nothing.
	Declare func(ctx context.Context, g Gang) error
	// Mark writes into a pod (or a Job's pod template) what tells the arm of which gang it is; nil: nothing.
	Mark func(g Gang, meta *metav1.ObjectMeta, spec *corev1.PodSpec)
	// MarkJob does the same for a Job; nil: nothing.
	MarkJob func(g Gang, job *batchv1.Job)
}

// ungatedArm is Muster without the admission policy: members have no gate and are held by refusal.
func ungatedArm(c *Cluster, binary string, tap *harness.Tap) Arm {
	arm := musterArm(c, binary, tap)
	arm.Name, arm.NoGates = "muster-no-gate", true
	return arm
}

// musterArm is muster-extender behind kube-scheduler, as manifests/base installs it. A tap, if there is one, stands
// between the two.
func musterArm(c *Cluster, binary string, tap *harness.Tap) Arm {
	start := func(ctx context.Context) ([]*harness.Process, error) {
		ports, err := harness.FreePorts(1)
		if err != nil {
			return nil, err
		}
		kubeconfig, err := c.MusterKubeconfig("muster", c.URL)
		if err != nil {
			return nil, err
		}
		args, err := c.Manifests.MusterCommand(c.Dir, kubeconfig, ports[0])
		if err != nil {
			return nil, err
		}
		url := fmt.Sprintf("http://127.0.0.1:%d", ports[0])
		muster, err := harness.LaunchMuster(c.Dir, binary, args, url, http.DefaultClient)
		if err != nil {
			return nil, err
		}
		if err := muster.WaitReady(ctx); err != nil {
			return []*harness.Process{muster.Process}, err
		}
		if tap != nil {
			tap.SetTarget(url)
			url = tap.URL
		}
		args, err = c.Manifests.SchedulerCommand(c.Dir, kubeconfig, url)
		if err != nil {
			return []*harness.Process{muster.Process}, err
		}
		scheduler, err := c.LaunchScheduler(args)
		return []*harness.Process{muster.Process, scheduler}, err
	}
	mark := func(g Gang, meta *metav1.ObjectMeta, _ *corev1.PodSpec) {
		meta.Annotations = map[string]string{
			harness.GroupKey: g.Name, harness.MinMemberKey: strconv.Itoa(g.Members)}
		if g.Level != "" {
			meta.Annotations[harness.RequiredKey] = g.Level
		}
	}
	return Arm{Name: "muster", Start: start, Mark: mark}
}

// plainArm is kube-scheduler alone, pod by pod: no gang and no topology. It is the floor.
func plainArm(c *Cluster) Arm {
	return Arm{Name: "plain", Start: func(context.Context) ([]*harness.Process, error) { return startPlain(c) }}
}

// nativeArm is kube-scheduler's own gang scheduling and topology-aware scheduling, by PodGroups.
func nativeArm(c *Cluster) Arm {
	start := func(context.Context) ([]*harness.Process, error) {
		return startPlain(c, "--feature-gates="+nativeGates)
	}
	declare := func(ctx context.Context, g Gang) error {
		group := &schedulingv1beta1.PodGroup{
			ObjectMeta: metav1.ObjectMeta{Name: g.Name},
			Spec: schedulingv1beta1.PodGroupSpec{SchedulingPolicy: schedulingv1beta1.PodGroupSchedulingPolicy{
				Gang: &schedulingv1beta1.GangSchedulingPolicy{MinCount: int32(g.Members)}}},
		}
		if g.Level != "" {
			group.Spec.SchedulingConstraints = &schedulingv1beta1.PodGroupSchedulingConstraints{
				Topology: []schedulingv1beta1.TopologyConstraint{{Key: labelOf(g.Level)}}}
		}
		_, err := c.Client.SchedulingV1beta1().PodGroups(g.Namespace).Create(ctx, group, metav1.CreateOptions{})
		return err
	}
	mark := func(g Gang, _ *metav1.ObjectMeta, spec *corev1.PodSpec) {
		spec.SchedulingGroup = &corev1.PodSchedulingGroup{PodGroupName: &g.Name}
	}
	return Arm{Name: "native", Start: start, Declare: declare, Mark: mark}
}

// What native gang scheduling needs of kube-apiserver and of kube-scheduler.
const (
	nativeGates = "GenericWorkload=true,TopologyAwareWorkloadScheduling=true"
	nativeAPI   = "scheduling.k8s.io/v1beta1=true"
)

// startPlain starts kube-scheduler with the manifests' client settings and without Muster.
func startPlain(c *Cluster, more ...string) ([]*harness.Process, error) {
	kubeconfig, err := c.MusterKubeconfig("kube-scheduler", c.URL)
	if err != nil {
		return nil, err
	}
	args, err := c.Manifests.PlainSchedulerCommand(c.Dir, kubeconfig)
	if err != nil {
		return nil, err
	}
	scheduler, err := c.LaunchScheduler(append(args, more...))
	return []*harness.Process{scheduler}, err
}
