// Package stub has extenders in a few lines of Go: one whose answers a test decides, to
// measure what kube-scheduler does, and one that plans gangs in the simplest way, to try the
// scenarios themselves (also broken on purpose, to see them fail).
package stub

import (
	"encoding/json"
	"net"
	"net/http"

	extender "k8s.io/kube-scheduler/extender/v1"
)

// Answers are the verbs. A nil one lets everything pass; bind has no default.
type Answers struct {
	Filter  func(*extender.ExtenderArgs) *extender.ExtenderFilterResult
	Bind    func(*extender.ExtenderBindingArgs) error
	Preempt func(*extender.ExtenderPreemptionArgs) *extender.ExtenderPreemptionResult
}

// Server serves Answers on a free port of 127.0.0.1.
type Server struct {
	url    string
	server *http.Server
}

func Serve(answers Answers) (*Server, error) {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return nil, err
	}
	mux := http.NewServeMux()
	mux.HandleFunc("/filter", func(w http.ResponseWriter, r *http.Request) {
		var args extender.ExtenderArgs
		if err := json.NewDecoder(r.Body).Decode(&args); err != nil {
			http.Error(w, err.Error(), http.StatusBadRequest)
			return
		}
		result := &extender.ExtenderFilterResult{NodeNames: args.NodeNames}
		if answers.Filter != nil {
			result = answers.Filter(&args)
		}
		_ = json.NewEncoder(w).Encode(result)
	})
	mux.HandleFunc("/bind", func(w http.ResponseWriter, r *http.Request) {
		var args extender.ExtenderBindingArgs
		if err := json.NewDecoder(r.Body).Decode(&args); err != nil {
			http.Error(w, err.Error(), http.StatusBadRequest)
			return
		}
		var result extender.ExtenderBindingResult
		if err := answers.Bind(&args); err != nil {
			result.Error = err.Error()
		}
		_ = json.NewEncoder(w).Encode(result)
	})
	mux.HandleFunc("/preempt", func(w http.ResponseWriter, r *http.Request) {
		var args extender.ExtenderPreemptionArgs
		if err := json.NewDecoder(r.Body).Decode(&args); err != nil {
			http.Error(w, err.Error(), http.StatusBadRequest)
			return
		}
		result := &extender.ExtenderPreemptionResult{NodeNameToMetaVictims: args.NodeNameToMetaVictims}
		if answers.Preempt != nil {
			result = answers.Preempt(&args)
		}
		_ = json.NewEncoder(w).Encode(result)
	})
	s := &Server{url: "http://" + listener.Addr().String(), server: &http.Server{Handler: mux}}
	go s.server.Serve(listener)
	return s, nil
}

func (s *Server) URL() string           { return s.url }
func (s *Server) Ended() (string, bool) { return "", false }
func (s *Server) Stop()                 { s.server.Close() }

// Refuse says no to every node, for good.
func Refuse(args *extender.ExtenderArgs, reason string) *extender.ExtenderFilterResult {
	failed := extender.FailedNodesMap{}
	for _, name := range *args.NodeNames {
		failed[name] = reason
	}
	return &extender.ExtenderFilterResult{NodeNames: &[]string{}, FailedAndUnresolvableNodes: failed}
}

// Only says yes to one node, and no to all if it was not offered.
func Only(args *extender.ExtenderArgs, node string) *extender.ExtenderFilterResult {
	for _, name := range *args.NodeNames {
		if name == node {
			return &extender.ExtenderFilterResult{NodeNames: &[]string{node}}
		}
	}
	return Refuse(args, "planned on "+node)
}
