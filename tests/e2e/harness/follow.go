package harness

import (
	"context"
	"fmt"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/watch"
	"k8s.io/client-go/kubernetes"
)

// FollowPods hands all events of the pods that options select to see, from the options' resource version on; without
// one it begins with the pods that exist. It goes on when the server ends a watch, and returns nil when ctx ends,
// otherwise why moments are missed from now on.
func FollowPods(ctx context.Context, client kubernetes.Interface, options metav1.ListOptions, see func(watch.EventType, *corev1.Pod)) error {
	for ctx.Err() == nil {
		stream, err := client.CoreV1().Pods("").Watch(ctx, options)
		if err != nil {
			return unlessEnded(ctx, err)
		}
		for event := range stream.ResultChan() {
			pod, ok := event.Object.(*corev1.Pod)
			if !ok {
				return unlessEnded(ctx, fmt.Errorf("the watch of pods said %v: %v", event.Type, event.Object))
			}
			options.ResourceVersion = pod.ResourceVersion
			see(event.Type, pod)
		}
	}
	return nil
}

func unlessEnded(ctx context.Context, err error) error {
	if ctx.Err() != nil {
		return nil
	}
	return err
}
