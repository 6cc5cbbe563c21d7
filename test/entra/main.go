// Command entra is a local authority in place of Microsoft Entra ID, for tests of clients with token credentials.
// It prints its address, which `entra: authority:` takes, and serves until it is ended.
//
//	GET /token?oid=…&tid=…&aud=…[&version=1.0][&scp=…][&roles=…][&expires_in=seconds]
//
// answers with a token as plain text.
package main

import (
	"context"
	"flag"
	"fmt"
	"net"
	"net/http"
	"os"
	"strconv"
	"time"

	"github.com/ingot-llm/ingot/internal/fake/issuer"
)

func main() {
	listen := flag.String("listen", "127.0.0.1:0", "the address to listen on")
	flag.Parse()
	if err := serve(*listen); err != nil {
		fmt.Fprintln(os.Stderr, "entra:", err)
		os.Exit(1)
	}
}

func serve(listen string) error {
	i, err := issuer.New()
	if err != nil {
		return err
	}
	ln, err := (&net.ListenConfig{}).Listen(context.Background(), "tcp", listen)
	if err != nil {
		return err
	}
	i.Base = "http://" + ln.Addr().String()
	mux := http.NewServeMux()
	mux.Handle("/", i)
	mux.HandleFunc("GET /token", func(w http.ResponseWriter, r *http.Request) {
		token, err := i.Token(claims(i, r))
		if err != nil {
			http.Error(w, err.Error(), http.StatusInternalServerError)
			return
		}
		_, _ = fmt.Fprint(w, token)
	})
	if _, err := fmt.Fprintln(os.Stdout, i.Base); err != nil {
		return err
	}
	const patience = 10 * time.Second
	srv := &http.Server{Handler: mux, ReadHeaderTimeout: patience}
	return srv.Serve(ln)
}

// claims are those that a question asks for.
func claims(i *issuer.Issuer, r *http.Request) issuer.Claims {
	q := r.URL.Query()
	c := i.V2(q.Get("tid"), q.Get("oid"), q.Get("aud"))
	if q.Get("version") == "1.0" {
		c = i.V1(q.Get("tid"), q.Get("oid"), q.Get("aud"))
	}
	if q.Has("scp") {
		c["scp"] = q.Get("scp")
	}
	if q.Has("roles") {
		c["roles"] = q["roles"]
	}
	if n, err := strconv.Atoi(q.Get("expires_in")); err == nil {
		c["exp"] = time.Now().Unix() + int64(n)
	}
	return c
}
