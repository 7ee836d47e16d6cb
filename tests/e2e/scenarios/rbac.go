package scenarios

import (
	"time"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"muster.dev/e2e/harness"
)

// use is the least that makes Muster need a right: what the proxy does from its start on, and what happens when it is
// ready. Where nothing happens, starting is enough.
type use struct {
	proxy *harness.Rule
	then  func(*T)
}

func usesOfRights() map[string]use {
	noStreams := &harness.Rule{
		Match: func(x *harness.Exchange) bool { return x.URL.Query().Has("sendInitialEvents") },
		Do:    harness.Refuse(422, metav1.StatusReasonInvalid, 0)}
	unheard := &harness.Rule{Match: harness.IsBinding, Times: 1, Do: harness.DropReply}
	return map[string]use{
		"list nodes":           {proxy: noStreams},
		"watch nodes":          {},
		"list pods":            {proxy: noStreams},
		"watch pods":           {},
		"get leases":           {},
		"create leases":        {},
		"patch leases":         {}, // its renewal
		"patch pods/status":    {then: groupOfTwo},
		"patch pods":           {then: groupOfTwo},
		"create pods/binding":  {then: groupOfTwo},
		"get pods":             {proxy: unheard, then: groupOfTwo},
		"create events":        {then: groupWithoutRoom},
		"create pods/eviction": {then: func(t *T) { groupLetsGo(t, "Obey") }},
		"delete pods":          {then: func(t *T) { groupLetsGo(t, "Ignore") }},
	}
}

// everyRightIsUsed: a Muster of an account of its own has the roles of the manifests less one verb on one resource,
// each in turn; it asks for that very thing and is refused.
func everyRightIsUsed(t *T) {
	t.needsMuster()
	t.Recorder.AllowPartial(t.Namespace, time.Minute)
	t.Nodes(harness.Shape{Blocks: 1, Racks: 1, Hosts: 2})
	proxy, err := harness.StartProxy(t.ControlPlane, "proxy-rbac")
	t.Must(err)
	t.Cleanup(proxy.Stop)
	account, err := t.NarrowAccount(t.Ctx)
	t.Must(err)
	t.Cleanup(func() { t.Must(account.Delete(t.Ctx)) })
	t.Muster.Stop()
	uses := usesOfRights()
	for _, right := range account.Rights {
		use, known := uses[right.String()]
		if !known {
			t.Fail("the roles of the manifests allow to %s, and no use of it is known", right)
		}
		t.refusedWithout(account, proxy, right, use)
	}
	t.Note("%d rights", len(account.Rights))
	t.Must(t.StartExtender(t.Ctx))
}

func (t *T) refusedWithout(account *harness.Narrow, proxy *harness.Proxy, right harness.Right, use use) {
	t.Must(account.Without(t.Ctx, right))
	err := t.Client.CoordinationV1().Leases("muster-system").Delete(t.Ctx, "muster-extender", metav1.DeleteOptions{})
	if !apierrors.IsNotFound(err) {
		t.Must(err)
	}
	proxy.Clear()
	if use.proxy != nil {
		proxy.Add(use.proxy)
	}
	kubeconfig, err := account.Kubeconfig(proxy.URL)
	t.Must(err)
	muster, err := t.StartReplicaAs("muster-narrow", kubeconfig)
	t.Must(err)
	defer muster.Kill()
	t.Tap.SetTarget(muster.URL())
	if use.then != nil {
		t.Must(muster.WaitReady(t.Ctx))
		use.then(t)
	}
	t.Must(harness.Poll(t.Ctx, soon, 50*time.Millisecond, func() (bool, string) {
		refused, err := account.Refused(right)
		return refused && err == nil, "Muster does without the right to " + right.String()
	}))
	muster.Kill()
	t.clearPods()
}

func groupOfTwo(t *T) { t.Create(harness.Group{Name: "two", Members: 2, GPUs: 8}.Pods()...) }

func groupWithoutRoom(t *T) { t.Create(harness.Group{Name: "three", Members: 3, GPUs: 8}.Pods()...) }

// groupLetsGo: one of two members is lost and cannot be replaced, so the other one has to go.
func groupLetsGo(t *T, budgets string) {
	extra := map[string]string{"muster.dev/failure-grace": "1s", "muster.dev/disruption-budgets": budgets}
	t.createReplicaSet(harness.Group{Name: "two", Members: 2, GPUs: 8, Extra: extra})
	lost := t.WaitBound("two", 2, soon)[0]
	t.Must(t.cordon(lost.Spec.NodeName, true))
	t.Delete(lost.Name)
}

// clearPods removes what a use has left; the nodes stay and can be used again.
func (t *T) clearPods() {
	all := metav1.ListOptions{}
	t.Must(t.Client.AppsV1().ReplicaSets(t.Namespace).DeleteCollection(t.Ctx, metav1.DeleteOptions{}, all))
	zero := int64(0)
	t.Must(harness.Poll(t.Ctx, soon, 50*time.Millisecond, func() (bool, string) {
		pods := t.Client.CoreV1().Pods(t.Namespace)
		if err := pods.DeleteCollection(t.Ctx, metav1.DeleteOptions{GracePeriodSeconds: &zero}, all); err != nil {
			return false, err.Error()
		}
		left, err := pods.List(t.Ctx, all)
		return err == nil && len(left.Items) == 0, "pods are left"
	}))
	nodes, err := t.Client.CoreV1().Nodes().List(t.Ctx, all)
	t.Must(err)
	for _, node := range nodes.Items {
		t.Must(t.cordon(node.Name, false))
	}
}
