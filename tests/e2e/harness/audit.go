package harness

import (
	"bufio"
	"encoding/json"
	"io"
	"os"
	"sort"
	"strings"
	"time"
)

// Write is one write of kube-scheduler, Muster or a peer that the API server has recorded.
type Write struct {
	At, Done  time.Time // the API server's clock, when it had received the request and when it had answered
	User      string
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
	all, _, err := c.WritesSince(0)
	var out []Write
	for _, w := range all {
		if w.Namespace == namespace && w.User != narrowUser {
			out = append(out, w)
		}
	}
	return out, err
}

// WritesSince reads the audit log from a place on, which is 0 or what an earlier call has returned.
func (c *ControlPlane) WritesSince(place int64) (out []Write, next int64, err error) {
	file, err := os.Open(c.path("audit.log"))
	if err != nil {
		return nil, place, err
	}
	defer file.Close()
	if _, err := file.Seek(place, io.SeekStart); err != nil {
		return nil, place, err
	}
	lines := bufio.NewReaderSize(file, 1<<16)
	for {
		line, err := lines.ReadBytes('\n')
		if err == io.EOF {
			return out, place, nil // a line that is being written is for the next call
		}
		if err != nil {
			return out, place, err
		}
		place += int64(len(line))
		if w, ok := parseWrite(line); ok {
			out = append(out, w)
		}
	}
}

func parseWrite(line []byte) (Write, bool) {
	var event struct {
		Verb, UserAgent                          string
		User                                     struct{ Username string }
		RequestReceivedTimestamp, StageTimestamp time.Time
		ObjectRef                                struct{ Resource, Subresource, Namespace, Name string }
		ResponseStatus                           struct{ Code int }
	}
	if json.Unmarshal(line, &event) != nil {
		return Write{}, false
	}
	w := Write{At: event.RequestReceivedTimestamp, Done: event.StageTimestamp, User: event.User.Username, Verb: event.Verb,
		Resource: event.ObjectRef.Resource, Namespace: event.ObjectRef.Namespace, Name: event.ObjectRef.Name,
		Code: event.ResponseStatus.Code}
	w.Agent, _, _ = strings.Cut(event.UserAgent, "/")
	if event.ObjectRef.Subresource != "" {
		w.Resource += "/" + event.ObjectRef.Subresource
	}
	return w, true
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
