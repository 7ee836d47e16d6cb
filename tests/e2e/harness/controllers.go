package harness

import (
	appsv1 "k8s.io/api/apps/v1"
	batchv1 "k8s.io/api/batch/v1"
	corev1 "k8s.io/api/core/v1"
	policyv1 "k8s.io/api/policy/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/util/intstr"
)

// ReadyGate is the condition that Muster sets for a group as a whole.
const ReadyGate = corev1.PodConditionType(Prefix + "group-ready")

// groupLabel lets controllers and services select the members.
const groupLabel = "e2e.muster.dev/group"

// ReplicaSet makes the members, and makes them again.
func (g Group) ReplicaSet() *appsv1.ReplicaSet {
	replicas := int32(g.Members)
	return &appsv1.ReplicaSet{
		ObjectMeta: metav1.ObjectMeta{Name: g.Name},
		Spec: appsv1.ReplicaSetSpec{
			Replicas: &replicas, Selector: &metav1.LabelSelector{MatchLabels: g.labels()}, Template: g.template()},
	}
}

// Job is an indexed Job of as many completions; a member that is lost is made again however often. Failures count
// for each index alone, or a large group that has let go would come back after ten minutes.
func (g Group) Job() *batchv1.Job {
	members, limit, mode := int32(g.Members), int32(1000), batchv1.IndexedCompletion
	template := g.template()
	template.Spec.RestartPolicy = corev1.RestartPolicyNever
	return &batchv1.Job{
		ObjectMeta: metav1.ObjectMeta{Name: g.Name},
		Spec: batchv1.JobSpec{
			Parallelism: &members, Completions: &members, BackoffLimitPerIndex: &limit, CompletionMode: &mode, Template: template},
	}
}

// Service selects the members.
func (g Group) Service() *corev1.Service {
	return &corev1.Service{
		ObjectMeta: metav1.ObjectMeta{Name: g.Name},
		Spec:       corev1.ServiceSpec{Selector: g.labels(), Ports: []corev1.ServicePort{{Name: "http", Port: 80}}},
	}
}

// Budget lets nobody evict a member.
func (g Group) Budget() *policyv1.PodDisruptionBudget {
	none := intstr.FromInt32(0)
	return &policyv1.PodDisruptionBudget{
		ObjectMeta: metav1.ObjectMeta{Name: g.Name},
		Spec:       policyv1.PodDisruptionBudgetSpec{MaxUnavailable: &none, Selector: &metav1.LabelSelector{MatchLabels: g.labels()}},
	}
}

func (g Group) labels() map[string]string { return map[string]string{groupLabel: g.Name} }

func (g Group) template() corev1.PodTemplateSpec {
	pod := g.Pods()[0]
	return corev1.PodTemplateSpec{
		ObjectMeta: metav1.ObjectMeta{Labels: g.labels(), Annotations: pod.Annotations}, Spec: pod.Spec}
}
