package harness

import (
	"bufio"
	"encoding/json"
	"os"
	"sort"
	"strings"
)

// Write is one write of kube-scheduler or Muster that the API server has recorded.
type Write struct {
	Agent     string // first word of the user agent, up to the slash
	Verb      string
	Resource  string // with its subresource: pods/binding
	Namespace string
	Name      string
	Code      int
}

// ByScheduler tells kube-scheduler's writes from Muster's; both have one ServiceAccount.
func (w Write) ByScheduler() bool { return strings.HasPrefix(w.Agent, "kube-scheduler") }

// Writes reads the audit log: all writes of the manifests' ServiceAccount in a namespace.
func (c *ControlPlane) Writes(namespace string) ([]Write, error) {
	file, err := os.Open(c.path("audit.log"))
	if err != nil {
		return nil, err
	}
	defer file.Close()
	var out []Write
	lines := bufio.NewScanner(file)
	lines.Buffer(nil, 4<<20)
	for lines.Scan() {
		var event struct {
			Verb, UserAgent string
			ObjectRef       struct{ Resource, Subresource, Namespace, Name string }
			ResponseStatus  struct{ Code int }
		}
		if json.Unmarshal(lines.Bytes(), &event) != nil || event.ObjectRef.Namespace != namespace {
			continue
		}
		w := Write{Verb: event.Verb, Resource: event.ObjectRef.Resource, Namespace: namespace,
			Name: event.ObjectRef.Name, Code: event.ResponseStatus.Code}
		w.Agent, _, _ = strings.Cut(event.UserAgent, "/")
		if event.ObjectRef.Subresource != "" {
			w.Resource += "/" + event.ObjectRef.Subresource
		}
		out = append(out, w)
	}
	return out, lines.Err()
}

// CountWrites groups writes as «patch pods/status» → how many, in a stable order.
func CountWrites(writes []Write) (kinds []string, count map[string]int) {
	count = map[string]int{}
	for _, w := range writes {
		kind := w.Verb + " " + w.Resource
		if count[kind] == 0 {
			kinds = append(kinds, kind)
		}
		count[kind]++
	}
	sort.Strings(kinds)
	return kinds, count
}
