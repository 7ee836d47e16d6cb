package harness

import (
	"context"
	"fmt"
	"sync"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/resource"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
)

const (
	BlockLabel = "topology.muster.dev/block"
	RackLabel  = "topology.muster.dev/rack"
	GPU        = corev1.ResourceName("nvidia.com/gpu")
)

// Shape says how many equal nodes stand where.
type Shape struct {
	Blocks, Racks, Hosts int  // racks per block, hosts per rack
	GPUs                 int  // per host, 8 when 0
	Kubelets             bool // pods that are bound run
}

// Nodes builds the nodes of a shape, named b1-r1-h01 and so on, so that the order of names
// is the order of places. Rack labels repeat in every block, as real ones do.
func (s Shape) Nodes() []*corev1.Node {
	if s.GPUs == 0 {
		s.GPUs = 8
	}
	var nodes []*corev1.Node
	for b := 1; b <= s.Blocks; b++ {
		for r := 1; r <= s.Racks; r++ {
			for h := 1; h <= s.Hosts; h++ {
				node := fakeNode(fmt.Sprintf("b%d-r%d-h%02d", b, r, h),
					fmt.Sprintf("b%d", b), fmt.Sprintf("r%d", r), s.GPUs)
				if s.Kubelets {
					node.Labels[kubeletLabel] = "kwok"
				}
				nodes = append(nodes, node)
			}
		}
	}
	return nodes
}

func fakeNode(name, block, rack string, gpus int) *corev1.Node {
	room := corev1.ResourceList{
		corev1.ResourceCPU:              resource.MustParse("96"),
		corev1.ResourceMemory:           resource.MustParse("1Ti"),
		corev1.ResourceEphemeralStorage: resource.MustParse("1Ti"),
		corev1.ResourcePods:             resource.MustParse("110"),
		GPU:                             *resource.NewQuantity(int64(gpus), resource.DecimalSI),
	}
	return &corev1.Node{
		ObjectMeta: metav1.ObjectMeta{Name: name, Labels: map[string]string{
			corev1.LabelHostname: name, BlockLabel: block, RackLabel: rack,
		}},
		Status: corev1.NodeStatus{
			Capacity: room, Allocatable: room,
			Conditions: []corev1.NodeCondition{{
				Type: corev1.NodeReady, Status: corev1.ConditionTrue, Reason: "Fake",
				LastHeartbeatTime: metav1.Now(), LastTransitionTime: metav1.Now(),
			}},
		},
	}
}

// CreateNodes creates all of them, some at a time.
func (c *ControlPlane) CreateNodes(ctx context.Context, nodes []*corev1.Node) error {
	return Parallel(len(nodes), 16, func(i int) error {
		_, err := c.Client.CoreV1().Nodes().Create(ctx, nodes[i], metav1.CreateOptions{})
		return err
	})
}

// DeleteNodes removes every node there is.
func (c *ControlPlane) DeleteNodes(ctx context.Context) error {
	return c.Client.CoreV1().Nodes().DeleteCollection(ctx, metav1.DeleteOptions{}, metav1.ListOptions{})
}

// Parallel runs f(0) … f(n-1), at most width at a time, and returns one of the errors.
func Parallel(n, width int, f func(int) error) error {
	var wait sync.WaitGroup
	var mu sync.Mutex
	var first error
	slots := make(chan struct{}, width)
	for i := range n {
		wait.Add(1)
		slots <- struct{}{}
		go func() {
			defer func() { <-slots; wait.Done() }()
			if err := f(i); err != nil {
				mu.Lock()
				first = err
				mu.Unlock()
			}
		}()
	}
	wait.Wait()
	return first
}
