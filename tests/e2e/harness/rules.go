package harness

import (
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"strconv"
	"strings"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
)

// Rule says what a proxy does to some of the requests. The proxy asks it under its lock, one request at a time.
type Rule struct {
	Match func(*Exchange) bool
	Skip  int // so many that match pass first
	Times int // then so many are acted on; 0: all that follow
	Do    func(*Exchange)

	seen int
}

func (r *Rule) wants(x *Exchange) bool {
	if !r.Match(x) {
		return false
	}
	r.seen++
	return r.seen > r.Skip && (r.Times == 0 || r.seen <= r.Skip+r.Times)
}

// Exchange is one request on its way through the proxy.
type Exchange struct {
	*http.Request
	Body []byte // of a request that is not a GET

	w    http.ResponseWriter
	next http.Handler
}

// Pass lets the request and its answer through.
func (x *Exchange) Pass() { x.next.ServeHTTP(x.w, x.Request) }

// PassUnheard lets the request through and keeps the answer back; it returns the status. The connection is still
// open afterwards.
func (x *Exchange) PassUnheard() int {
	answer := httptest.NewRecorder()
	x.next.ServeHTTP(answer, x.Request)
	return answer.Code
}

// Cut closes the client's connection without an answer.
func (x *Exchange) Cut() { panic(http.ErrAbortHandler) }

// Hold waits until open is closed. It returns false when the client has gone meanwhile.
func (x *Exchange) Hold(open <-chan struct{}) bool {
	select {
	case <-open:
		return x.Context().Err() == nil
	case <-x.Context().Done():
		return false
	}
}

// Refuse answers in the API server's place.
func (x *Exchange) Refuse(code int, reason metav1.StatusReason, retryAfter time.Duration) {
	status := metav1.Status{TypeMeta: metav1.TypeMeta{Kind: "Status", APIVersion: "v1"}, Status: metav1.StatusFailure,
		Code: int32(code), Reason: reason, Message: "said by the proxy of the tests"}
	body, err := json.Marshal(status)
	if err != nil {
		panic(err)
	}
	if retryAfter > 0 {
		x.w.Header().Set("Retry-After", strconv.Itoa(int(retryAfter.Seconds())))
	}
	x.w.Header().Set("Content-Type", "application/json")
	x.w.WriteHeader(code)
	_, _ = x.w.Write(body)
}

// Ready-made actions.

// DropReply: the write takes effect, and the client never hears of it.
func DropReply(x *Exchange) {
	x.PassUnheard()
	x.Cut()
}

// Cut: the request is lost on the way.
func Cut(x *Exchange) { x.Cut() }

// Delay passes after a while.
func Delay(d time.Duration) func(*Exchange) {
	return func(x *Exchange) {
		select {
		case <-time.After(d):
			x.Pass()
		case <-x.Context().Done():
			x.Cut()
		}
	}
}

// Refuse answers with an error of the API.
func Refuse(code int, reason metav1.StatusReason, retryAfter time.Duration) func(*Exchange) {
	return func(x *Exchange) { x.Refuse(code, reason, retryAfter) }
}

// What requests are.

// PodOf is the name of the pod that a write is about, and the subresource; "" when it is about something else.
// Evictions, bindings and deletions are found like patches.
func PodOf(x *Exchange) (pod, subresource string) {
	_, rest, found := strings.Cut(x.URL.Path, "/pods/")
	if !found || x.Method == http.MethodGet {
		return "", ""
	}
	pod, subresource, _ = strings.Cut(rest, "/")
	return pod, subresource
}

// IsBinding: the request binds a pod.
func IsBinding(x *Exchange) bool { return isPodWrite(x, http.MethodPost, "binding") }

// IsNomination: the request writes a pod's status; nomination and plan, or a condition.
func IsNomination(x *Exchange) bool {
	return isPodWrite(x, http.MethodPatch, "status") && strings.Contains(string(x.Body), "nominatedNodeName")
}

// IsRelease: the request takes a gate away.
func IsRelease(x *Exchange) bool { return isPodWrite(x, http.MethodPatch, "") }

// IsEviction: the request evicts or deletes a pod.
func IsEviction(x *Exchange) bool {
	return isPodWrite(x, http.MethodPost, "eviction") || isPodWrite(x, http.MethodDelete, "")
}

func isPodWrite(x *Exchange, method, subresource string) bool {
	pod, sub := PodOf(x)
	return pod != "" && x.Method == method && sub == subresource
}

// IsEvent: the request records an event with the reason.
func IsEvent(x *Exchange, reason string) bool {
	return x.Method == http.MethodPost && strings.HasSuffix(x.URL.Path, "/events") &&
		strings.Contains(string(x.Body), `"`+reason+`"`)
}

// IsWatch: the request opens a watch.
func IsWatch(x *Exchange) bool {
	return x.Method == http.MethodGet && x.URL.Query().Get("watch") != ""
}
