package main

import (
	"context"
	"fmt"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"muster.dev/e2e/harness"
)

// What has the admission policy of manifests/base add Muster's gate to members.
const gateBinding = "muster-hold"

// withoutGates takes the admission policy's binding away, and returns when new members get no gate. What it returns
// puts the binding back.
func (c *Cluster) withoutGates(ctx context.Context) (restore func() error, err error) {
	bindings := c.Client.AdmissionregistrationV1().MutatingAdmissionPolicyBindings()
	binding, err := bindings.Get(ctx, gateBinding, metav1.GetOptions{})
	if err != nil {
		return nil, fmt.Errorf("without gates: %w", err)
	}
	if err := bindings.Delete(ctx, gateBinding, metav1.DeleteOptions{}); err != nil {
		return nil, fmt.Errorf("without gates: %w", err)
	}
	restore = func() error {
		binding.ObjectMeta = metav1.ObjectMeta{Name: gateBinding, Labels: binding.Labels, Annotations: binding.Annotations}
		if _, err := bindings.Create(ctx, binding, metav1.CreateOptions{}); err != nil {
			return fmt.Errorf("gates again: %w", err)
		}
		return c.WaitAdmission(ctx, true)
	}
	return restore, c.WaitAdmission(ctx, false)
}

// start starts an arm's processes. What it returns stops them and leaves the cluster as it was.
func (c *Cluster) start(ctx context.Context, arm Arm) (running []*harness.Process, end func() error, err error) {
	restore := func() error { return nil }
	if arm.NoGates {
		put, err := c.withoutGates(ctx)
		if put != nil {
			restore = put
		}
		if err != nil {
			return nil, restore, err
		}
	}
	running, err = arm.Start(ctx)
	end = func() error {
		stop(running)
		return restore()
	}
	return running, end, err
}
