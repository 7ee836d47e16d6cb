package harness

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	authorizationv1 "k8s.io/api/authorization/v1"
	rbacv1 "k8s.io/api/rbac/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
)

const narrowName = "muster-narrow"

// Right is one verb on one resource, as a role of the manifests grants it.
type Right struct {
	Group, Resource, Verb string
	Names                 []string
	Namespaced            bool // of the Role in Muster's namespace, not of the ClusterRole
}

func (r Right) String() string { return r.Verb + " " + r.Resource }

// Narrow is a ServiceAccount of its own for Muster, with the rights of the manifests less one.
type Narrow struct {
	Rights []Right

	plane *ControlPlane
	seen  int64 // of the audit log
}

// NarrowAccount makes the account. Until Without is called it may do nothing.
func (c *ControlPlane) NarrowAccount(ctx context.Context) (*Narrow, error) {
	rbac := c.Client.RbacV1()
	cluster, err := rbac.ClusterRoles().Get(ctx, "muster-extender", metav1.GetOptions{})
	if err != nil {
		return nil, err
	}
	own, err := rbac.Roles(musterNamespace).Get(ctx, "muster-leader-election", metav1.GetOptions{})
	if err != nil {
		return nil, err
	}
	n := &Narrow{Rights: append(rightsOf(cluster.Rules, false), rightsOf(own.Rules, true)...), plane: c}

	meta, now := metav1.ObjectMeta{Name: narrowName}, metav1.CreateOptions{}
	subjects := []rbacv1.Subject{{Kind: rbacv1.ServiceAccountKind, Name: narrowName, Namespace: musterNamespace}}
	role := func(kind string) rbacv1.RoleRef {
		return rbacv1.RoleRef{APIGroup: rbacv1.GroupName, Kind: kind, Name: narrowName}
	}
	_, first := rbac.ClusterRoles().Create(ctx, &rbacv1.ClusterRole{ObjectMeta: meta}, now)
	_, second := rbac.Roles(musterNamespace).Create(ctx, &rbacv1.Role{ObjectMeta: meta}, now)
	_, third := rbac.ClusterRoleBindings().Create(ctx,
		&rbacv1.ClusterRoleBinding{ObjectMeta: meta, Subjects: subjects, RoleRef: role("ClusterRole")}, now)
	_, fourth := rbac.RoleBindings(musterNamespace).Create(ctx,
		&rbacv1.RoleBinding{ObjectMeta: meta, Subjects: subjects, RoleRef: role("Role")}, now)
	return n, errors.Join(first, second, third, fourth)
}

// Delete takes the account's roles away.
func (n *Narrow) Delete(ctx context.Context) error {
	rbac, now := n.plane.Client.RbacV1(), metav1.DeleteOptions{}
	return errors.Join(rbac.ClusterRoleBindings().Delete(ctx, narrowName, now),
		rbac.RoleBindings(musterNamespace).Delete(ctx, narrowName, now),
		rbac.ClusterRoles().Delete(ctx, narrowName, now),
		rbac.Roles(musterNamespace).Delete(ctx, narrowName, now))
}

// Kubeconfig is the account's, for a server at url.
func (n *Narrow) Kubeconfig(url string) (string, error) {
	return n.plane.Kubeconfig(narrowName, url, narrowToken)
}

// Without gives the account all rights but one, and returns when the API server keeps to it.
func (n *Narrow) Without(ctx context.Context, missing Right) error {
	var cluster, own []rbacv1.PolicyRule
	for _, right := range n.Rights {
		switch {
		case right.String() == missing.String():
		case right.Namespaced:
			own = append(own, right.rule())
		default:
			cluster = append(cluster, right.rule())
		}
	}
	rbac, meta := n.plane.Client.RbacV1(), metav1.ObjectMeta{Name: narrowName}
	_, first := rbac.ClusterRoles().Update(ctx, &rbacv1.ClusterRole{ObjectMeta: meta, Rules: cluster}, metav1.UpdateOptions{})
	_, second := rbac.Roles(musterNamespace).Update(ctx, &rbacv1.Role{ObjectMeta: meta, Rules: own}, metav1.UpdateOptions{})
	if err := errors.Join(first, second); err != nil {
		return err
	}
	return Poll(ctx, 10*time.Second, 20*time.Millisecond, func() (bool, string) {
		for _, right := range n.Rights {
			allowed, err := n.allowed(ctx, right)
			if err != nil {
				return false, err.Error()
			}
			if allowed == (right.String() == missing.String()) {
				return false, fmt.Sprintf("%s: allowed is still %v", right, allowed)
			}
		}
		return true, ""
	})
}

func (n *Narrow) allowed(ctx context.Context, right Right) (bool, error) {
	asked := &authorizationv1.ResourceAttributes{Group: right.Group, Verb: right.Verb}
	asked.Resource, asked.Subresource, _ = strings.Cut(right.Resource, "/")
	if right.Namespaced {
		asked.Namespace = musterNamespace
	}
	if len(right.Names) > 0 {
		asked.Name = right.Names[0]
	}
	answer, err := n.plane.Client.AuthorizationV1().SubjectAccessReviews().Create(ctx, &authorizationv1.SubjectAccessReview{
		Spec: authorizationv1.SubjectAccessReviewSpec{User: narrowUser, ResourceAttributes: asked}}, metav1.CreateOptions{})
	return err == nil && answer.Status.Allowed, err
}

// Refused tells whether the account has asked for this and was not allowed. Of what was recorded before an earlier
// call it knows nothing any more.
func (n *Narrow) Refused(right Right) (bool, error) {
	writes, next, err := n.plane.WritesSince(n.seen)
	n.seen = next
	for _, w := range writes {
		if w.User == narrowUser && w.Code == 403 && w.Verb+" "+w.Resource == right.String() {
			return true, err
		}
	}
	return false, err
}

func rightsOf(rules []rbacv1.PolicyRule, namespaced bool) (out []Right) {
	for _, rule := range rules {
		for _, resource := range rule.Resources {
			for _, verb := range rule.Verbs {
				out = append(out, Right{rule.APIGroups[0], resource, verb, rule.ResourceNames, namespaced})
			}
		}
	}
	return out
}

func (r Right) rule() rbacv1.PolicyRule {
	return rbacv1.PolicyRule{APIGroups: []string{r.Group}, Resources: []string{r.Resource},
		Verbs: []string{r.Verb}, ResourceNames: r.Names}
}
