package harness

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"net"
	"net/http"
	"strings"
	"sync"
	"time"

	extender "k8s.io/kube-scheduler/extender/v1"
)

// Call is one call of kube-scheduler to the extender, as it went through the tap.
type Call struct {
	At        time.Time
	Verb      string
	Namespace string
	Pod       string
	Offered   int      // filter: how many nodes kube-scheduler asked about
	Answer    []string // filter: the nodes that passed
	Node      string   // bind
	Victims   int      // preempt: pods kube-scheduler would evict, over all nodes offered
	Kept      int      // preempt: nodes that are left in the answer
	Refusals  map[string]string
	Error     string
	Took      time.Duration
}

// Tap stands between kube-scheduler and the extender: it passes every call on to wherever
// the extender is now, and keeps what was said.
type Tap struct {
	URL string

	server *http.Server
	client *http.Client
	mu     sync.Mutex
	target string
	calls  []*Call
	hooks  []*TapRule
}

// TapRule says what happens to some calls, before or after the extender hears of them.
type TapRule struct {
	Match     func(*Call) bool
	Skip      int             // so many that match pass first; all others are acted on
	Hold      <-chan struct{} // the call waits until this is closed
	Reached   func(*Call)     // told when a call is acted on
	LoseReply bool            // the extender answers, kube-scheduler does not hear it

	seen int
}

// StartTap listens on a free port of 127.0.0.1.
func StartTap() (*Tap, error) {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return nil, err
	}
	t := &Tap{
		URL:    "http://" + listener.Addr().String(),
		client: &http.Client{Transport: &http.Transport{MaxIdleConnsPerHost: 512}},
	}
	t.server = &http.Server{Handler: t}
	go t.server.Serve(listener)
	return t, nil
}

// SetTarget changes where calls go.
func (t *Tap) SetTarget(url string) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.target = url
}

// Calls returns the calls for pods of the namespace so far, in the order they came; the last
// may not be answered yet.
func (t *Tap) Calls(namespace string) []Call {
	t.mu.Lock()
	defer t.mu.Unlock()
	var out []Call
	for _, call := range t.calls {
		if call.Namespace == namespace {
			out = append(out, *call)
		}
	}
	return out
}

// Reset forgets all calls.
func (t *Tap) Reset() {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.calls = nil
}

func (t *Tap) Stop() { t.server.Close() }

func (t *Tap) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	t.mu.Lock()
	target := t.target
	t.mu.Unlock()
	body, err := io.ReadAll(r.Body)
	if err != nil {
		return
	}
	call := describe(strings.TrimPrefix(r.URL.Path, "/"), body)
	call.At = time.Now()
	t.mu.Lock()
	t.calls = append(t.calls, call)
	rule := t.choose(call)
	t.mu.Unlock()
	if rule != nil {
		rule.before(r, call)
	}
	status, answer, err := t.pass(r, target, body)
	t.mu.Lock()
	call.Took = time.Since(call.At)
	if err != nil {
		call.Error = err.Error()
		status, answer = http.StatusBadGateway, []byte(err.Error())
	} else {
		call.hear(status, answer)
	}
	t.mu.Unlock()
	if rule != nil && rule.LoseReply {
		rule.Reached(call)
		panic(http.ErrAbortHandler)
	}
	w.WriteHeader(status)
	w.Write(answer)
}

// Add puts a rule behind the others; the first that wants a call gets it.
func (t *Tap) Add(rule *TapRule) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.hooks = append(t.hooks, rule)
}

// ClearRules drops all rules; calls that they hold stay held.
func (t *Tap) ClearRules() {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.hooks = nil
}

func (t *Tap) choose(call *Call) *TapRule {
	for _, rule := range t.hooks {
		if !rule.Match(call) {
			continue
		}
		if rule.seen++; rule.seen > rule.Skip {
			return rule
		}
	}
	return nil
}

func (r *TapRule) before(request *http.Request, call *Call) {
	if r.Hold == nil {
		return
	}
	r.Reached(call)
	select {
	case <-r.Hold:
	case <-request.Context().Done():
		panic(http.ErrAbortHandler)
	}
}

func (t *Tap) pass(r *http.Request, target string, body []byte) (int, []byte, error) {
	request, err := http.NewRequestWithContext(r.Context(), r.Method, target+r.URL.Path, bytes.NewReader(body))
	if err != nil {
		return 0, nil, err
	}
	request.Header = r.Header.Clone()
	response, err := t.client.Do(request)
	if err != nil {
		return 0, nil, err
	}
	defer response.Body.Close()
	answer, err := io.ReadAll(response.Body)
	return response.StatusCode, answer, err
}

func describe(verb string, body []byte) *Call {
	call := &Call{Verb: verb}
	switch verb {
	case "filter":
		var args extender.ExtenderArgs
		if json.Unmarshal(body, &args) == nil && args.Pod != nil {
			call.Namespace, call.Pod = args.Pod.Namespace, args.Pod.Name
			if args.NodeNames != nil {
				call.Offered = len(*args.NodeNames)
			}
		}
	case "preempt":
		var args extender.ExtenderPreemptionArgs
		if json.Unmarshal(body, &args) == nil && args.Pod != nil {
			call.Namespace, call.Pod = args.Pod.Namespace, args.Pod.Name
			for _, victims := range args.NodeNameToMetaVictims {
				call.Victims += len(victims.Pods)
			}
		}
	case "bind":
		var args extender.ExtenderBindingArgs
		if json.Unmarshal(body, &args) == nil {
			call.Namespace, call.Pod, call.Node = args.PodNamespace, args.PodName, args.Node
		}
	}
	return call
}

func (c *Call) hear(status int, answer []byte) {
	if status != http.StatusOK {
		c.Error = fmt.Sprintf("status %d: %s", status, answer)
		return
	}
	switch c.Verb {
	case "filter":
		var result extender.ExtenderFilterResult
		if err := json.Unmarshal(answer, &result); err != nil {
			c.Error = err.Error()
			return
		}
		c.Error = result.Error
		if result.NodeNames != nil {
			c.Answer = *result.NodeNames
		}
		c.Refusals = result.FailedAndUnresolvableNodes
		if len(result.FailedNodes) > 0 {
			c.Refusals = result.FailedNodes
		}
	case "preempt":
		var result extender.ExtenderPreemptionResult
		if err := json.Unmarshal(answer, &result); err != nil {
			c.Error = err.Error()
			return
		}
		c.Kept = len(result.NodeNameToMetaVictims)
	case "bind":
		var result extender.ExtenderBindingResult
		if err := json.Unmarshal(answer, &result); err != nil {
			c.Error = err.Error()
			return
		}
		c.Error = result.Error
	}
}
