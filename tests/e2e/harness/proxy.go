package harness

import (
	"bytes"
	"crypto/tls"
	"crypto/x509"
	"io"
	"log"
	"net"
	"net/http"
	"net/http/httputil"
	"net/url"
	"os"
	"path/filepath"
	"sync"
)

// Proxy stands between one client and the API server, so that a scenario can act at an exact request, or cut the
// connection altogether. It speaks TLS on both sides and passes credentials on. What happens to which requests is
// said by rules (rules.go).
type Proxy struct {
	URL string

	server  *http.Server
	reverse *httputil.ReverseProxy

	mu          sync.Mutex
	rules       []*Rule
	connections map[net.Conn]bool
	away        bool
}

// StartProxy listens on a free port of 127.0.0.1 in front of the control plane.
func StartProxy(c *ControlPlane, name string) (*Proxy, error) {
	cert, key, err := c.Authority.Issue(c.Dir, name)
	if err != nil {
		return nil, err
	}
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return nil, err
	}
	target, err := url.Parse(c.URL)
	if err != nil {
		return nil, err
	}
	logFile, err := os.OpenFile(filepath.Join(c.Dir, name+".log"), os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o644)
	if err != nil {
		return nil, err
	}
	pool := x509.NewCertPool()
	pool.AppendCertsFromPEM(c.Authority.PEM)
	p := &Proxy{URL: "https://" + listener.Addr().String(), connections: map[net.Conn]bool{}}
	p.reverse = &httputil.ReverseProxy{
		Rewrite:       func(r *httputil.ProxyRequest) { r.SetURL(target) },
		Transport:     &http.Transport{TLSClientConfig: &tls.Config{RootCAs: pool}, MaxIdleConnsPerHost: 256},
		FlushInterval: -1, // a watch's events go on at once
		ErrorLog:      log.New(logFile, "", log.LstdFlags),
	}
	p.server = &http.Server{ErrorLog: p.reverse.ErrorLog, Handler: p, ConnState: p.track}
	go p.server.ServeTLS(listener, cert, key)
	return p, nil
}

// Stop closes all connections; requests that a rule holds are dropped.
func (p *Proxy) Stop() { p.server.Close() }

// Away cuts all connections of the client and refuses new ones until it is called with false: an API server that
// can not be reached.
func (p *Proxy) Away(away bool) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.away = away
	if away {
		p.cutAll()
	}
}

// CutConnections closes all connections of the client, its watches among them. It may connect again at once.
func (p *Proxy) CutConnections() {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.cutAll()
}

func (p *Proxy) cutAll() {
	for connection := range p.connections {
		connection.Close()
	}
}

func (p *Proxy) track(connection net.Conn, state http.ConnState) {
	p.mu.Lock()
	defer p.mu.Unlock()
	switch state {
	case http.StateNew:
		p.connections[connection] = true
		if p.away {
			connection.Close()
		}
	case http.StateClosed, http.StateHijacked:
		delete(p.connections, connection)
	}
}

// Add puts a rule behind the others; the first that wants a request gets it.
func (p *Proxy) Add(rule *Rule) *Rule {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.rules = append(p.rules, rule)
	return rule
}

// Clear drops all rules. Requests that they hold are not let go by this.
func (p *Proxy) Clear() {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.rules = nil
}

func (p *Proxy) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	x := &Exchange{Request: r, w: w, next: p.reverse}
	if r.Method != http.MethodGet {
		// Read to the end, also because only then the server notices that the client is gone.
		body, err := io.ReadAll(r.Body)
		if err != nil {
			panic(http.ErrAbortHandler)
		}
		x.Body = body
		r.Body = io.NopCloser(bytes.NewReader(body))
	}
	if rule := p.choose(x); rule != nil {
		rule.Do(x)
		return
	}
	x.Pass()
}

func (p *Proxy) choose(x *Exchange) *Rule {
	p.mu.Lock()
	defer p.mu.Unlock()
	for _, rule := range p.rules {
		if rule.wants(x) {
			return rule
		}
	}
	return nil
}
