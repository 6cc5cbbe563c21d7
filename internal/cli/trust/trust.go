// Package trust is the verb that says how clients come to trust the local CA.
package trust

import (
	"context"
	"net/url"
	"path/filepath"
	"runtime"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/ingot-llm/ingot/internal/cert"
	"github.com/ingot-llm/ingot/internal/cli/screen"
)

// record is the verb's answer for programs.
type record struct {
	CA      string    `json:"ca"`      // the file to trust
	Bundle  string    `json:"bundle"`  // a file with what the system trusts besides
	Whole   bool      `json:"whole"`   // whether the system's were found
	Expires time.Time `json:"expires"` // of the CA
	Steps   []step    `json:"steps"`
}

// step is what one kind of client needs.
type step struct {
	For      string   `json:"for"`
	Commands []string `json:"commands"`
	Note     string   `json:"note,omitempty"`
}

// Verb makes the verb trust; open opens the local CA of the data folder, and running is the address of the endpoint that serves
// from it now, empty where none does.
func Verb(s *screen.Screen, open func(context.Context) (*cert.Authority, error), running func() string) *cobra.Command {
	var asJSON bool
	cmd := &cobra.Command{
		Use:   "trust",
		Short: "Say how clients come to trust the certificate of serve --tls auto",
		Long: `Say how clients come to trust the local CA that signs the certificate of ingot serve --tls auto. The
CA is made if it is not there yet. It may speak for this machine, for loopback and private addresses,
and for no other host; its key stays in the data folder. Nothing is changed outside the data folder.`,
		Example: "  ingot trust\n  export NODE_EXTRA_CA_CERTS=\"$(ingot trust --json | jq -r .ca)\"",
		Args:    screen.Arguments(0, 0, ""),
		RunE: func(cmd *cobra.Command, _ []string) error {
			a, err := open(cmd.Context())
			if err != nil {
				return err
			}
			r := record{CA: a.Path(), Expires: a.Expires()}
			if r.Bundle, r.Whole, err = a.Bundle(); err != nil {
				return err
			}
			r.Steps = append(steps(runtime.GOOS, r.CA, r.Bundle, r.Whole), curl(r.CA, running()), system(runtime.GOOS, r.CA))
			if asJSON {
				return s.JSON(r)
			}
			s.Print("The local CA is %s until %s.", r.CA, screen.Day(r.Expires))
			for _, st := range r.Steps {
				s.Print("\n%s", st.For)
				for _, c := range st.Commands {
					s.Print("  %s", c)
				}
				if st.Note != "" {
					s.Print("  (%s)", st.Note)
				}
			}
			return nil
		},
	}
	screen.JSONFlag(cmd, &asJSON)
	return cmd
}

// steps are what each kind of client needs, as commands of the shell that goes with goos.
func steps(goos, ca, bundle string, whole bool) []step {
	export := func(name, value string) string { return "export " + name + "=" + quote(value) }
	if goos == "windows" {
		export = func(name, value string) string {
			return "$env:" + name + " = '" + strings.ReplaceAll(value, "'", "''") + "'"
		}
	}
	replaces := "these replace what Python trusts, so the file holds this system's authorities too"
	if !whole {
		replaces = "these replace what Python trusts, and this system has no file of authorities to add: only this endpoint is reached"
	}
	store := filepath.Join(filepath.Dir(ca), "truststore.p12")
	return []step{
		{"Node.js", []string{export("NODE_EXTRA_CA_CERTS", ca)}, "added to what Node.js trusts; read when a process starts"},
		{"Python", []string{export("REQUESTS_CA_BUNDLE", bundle), export("SSL_CERT_FILE", bundle)}, replaces + "; requests reads the first, httpx and ssl the second"},
		{"Java", []string{
			"keytool -importcert -noprompt -alias ingot -file " + quote(ca) + " -keystore " + quote(store) + " -storetype PKCS12 -storepass changeit",
			"java -Djavax.net.ssl.trustStore=" + quote(store) + " -Djavax.net.ssl.trustStorePassword=changeit …",
		}, "with this store a program reaches only this endpoint; to reach others too, import into a copy of its lib/security/cacerts"},
		{"Go, .NET on Linux, and most that use OpenSSL", []string{export("SSL_CERT_FILE", bundle)}, ""},
	}
}

// curl asks the endpoint that runs, or the one that would by default.
func curl(ca, running string) step {
	host, note := "localhost:8080", "answers 200 where an endpoint listens at that port; any other route needs a key, too"
	if u, err := url.Parse(running); err == nil && u.Host != "" {
		host, note = u.Host, "answers 200; any other route needs a key, too"
		if u.Scheme == "http" {
			note = "the endpoint there speaks plain HTTP: start it with `ingot serve --tls auto`"
		}
	}
	return step{"curl", []string{"curl --cacert " + quote(ca) + " https://" + host + "/healthz -i"}, note}
}

// system is how the whole system, and with it .NET, browsers and Go, comes to trust ca.
func system(goos, ca string) step {
	s := step{For: "The whole system, with .NET and most browsers"}
	switch goos {
	case "darwin":
		s.Commands = []string{"security add-trusted-cert -r trustRoot -k ~/Library/Keychains/login.keychain-db " + quote(ca)}
		s.Note = "undone by security remove-trusted-cert and the same file"
	case "windows":
		s.Commands = []string{`certutil -user -addstore Root "` + ca + `"`}
		s.Note = "undone in certmgr.msc, under Trusted Root Certification Authorities"
	default:
		s.Commands = []string{
			"sudo install -m 644 " + quote(ca) + " /usr/local/share/ca-certificates/ingot.crt && sudo update-ca-certificates",
			"sudo install -m 644 " + quote(ca) + " /etc/pki/ca-trust/source/anchors/ingot.crt && sudo update-ca-trust",
		}
		s.Note = "the first for Debian, Ubuntu and Alpine, the second for Fedora and its relatives; Firefox and Chrome keep lists of their own"
	}
	return s
}

// quote is s as one word of a POSIX shell.
func quote(s string) string {
	if !strings.ContainsFunc(s, func(r rune) bool {
		return (r < 'a' || r > 'z') && (r < 'A' || r > 'Z') && (r < '0' || r > '9') && !strings.ContainsRune("/._-+:", r)
	}) {
		return s
	}
	return "'" + strings.ReplaceAll(s, "'", `'\''`) + "'"
}
