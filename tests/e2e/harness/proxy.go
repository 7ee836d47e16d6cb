package harness

import (
	"crypto/tls"
	"crypto/x509"
	"log"
	"net"
	"net/http"
	"net/http/httputil"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"sync"
)

// Proxy stands between one client and the API server, so that a scenario can act at an
// exact request. It speaks TLS on both sides and passes credentials on.
type Proxy struct {
	URL string

	server *http.Server
	mu     sync.Mutex
	before func(*http.Request) bool
	after  func(*http.Request, int)
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
	logFile, err := os.Create(filepath.Join(c.Dir, name+".log"))
	if err != nil {
		return nil, err
	}
	pool := x509.NewCertPool()
	pool.AppendCertsFromPEM(c.Authority.PEM)
	reverse := &httputil.ReverseProxy{
		Rewrite:       func(r *httputil.ProxyRequest) { r.SetURL(target) },
		Transport:     &http.Transport{TLSClientConfig: &tls.Config{RootCAs: pool}, MaxIdleConnsPerHost: 256},
		FlushInterval: -1, // a watch's events go on at once
		ErrorLog:      log.New(logFile, "", log.LstdFlags),
	}
	p := &Proxy{URL: "https://" + listener.Addr().String()}
	reverse.ModifyResponse = func(response *http.Response) error {
		p.mu.Lock()
		after := p.after
		p.mu.Unlock()
		if after != nil {
			after(response.Request, response.StatusCode)
		}
		return nil
	}
	p.server = &http.Server{ErrorLog: reverse.ErrorLog, Handler: http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		p.mu.Lock()
		before := p.before
		p.mu.Unlock()
		if before != nil && !before(r) {
			panic(http.ErrAbortHandler) // the client sees the connection closed
		}
		reverse.ServeHTTP(w, r)
	})}
	go p.server.ServeTLS(listener, cert, key)
	return p, nil
}

// Before sets what is asked before a request goes on: false closes the connection instead.
// It may block.
func (p *Proxy) Before(f func(*http.Request) bool) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.before = f
}

// After sets what is told when the API server has answered, before the client hears it.
func (p *Proxy) After(f func(*http.Request, int)) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.after = f
}

func (p *Proxy) Stop() { p.server.Close() }

// IsBinding tells whether the request binds a pod.
func IsBinding(r *http.Request) bool {
	return r.Method == http.MethodPost && strings.HasSuffix(r.URL.Path, "/binding")
}
