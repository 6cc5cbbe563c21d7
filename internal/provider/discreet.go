package provider

import (
	"cmp"
	"context"
	"crypto/tls"
	"encoding/json"
	"errors"
	"net/http"
	"slices"
	"strings"
	"sync/atomic"

	"github.com/ingot-llm/ingot/internal/llm"
)

// shown is the credential that a server was last shown.
type shown struct{ atomic.Pointer[string] }

// remember keeps what authorize puts into a header.
func (s *shown) remember(authorize func(context.Context, http.Header) error) func(context.Context, http.Header) error {
	return func(ctx context.Context, h http.Header) error {
		if err := authorize(ctx, h); err != nil {
			return err
		}
		secret := strings.TrimPrefix(cmp.Or(h.Get("Authorization"), h.Get("Api-Key")), "Bearer ")
		if last := s.Load(); last == nil || *last != secret {
			kept := secret // or every request would allocate one
			s.Store(&kept)
		}
		return nil
	}
}

// tell makes of an error one for callers: it tells no credential, for a server may say in it what it was sent, and calls the
// model what they call it.
func (m *remote) tell(err error) error {
	const least = 8 // servers that ask for no key are shown a word, which an error may well hold
	e, ok := errors.AsType[*llm.Error](err)
	if !ok {
		return err
	}
	var secrets, names []string
	if secret := m.shown.Load(); secret != nil && len(*secret) >= least {
		secrets = []string{*secret, "***"}
	}
	if name := m.info.Model; name != m.info.Deployment {
		for _, quote := range []string{"'", `"`, "`"} {
			names = append(names, quote+name+quote, quote+m.info.Deployment+quote)
		}
	}
	out := rewritten(e, strings.NewReplacer(append(slices.Clip(secrets), names...)...).Replace)
	if e.Err != nil { // the log's, and the operator's, who knows the model by its own name
		if cause := strings.NewReplacer(secrets...).Replace(e.Err.Error()) + m.mend(e.Err); cause != e.Err.Error() {
			out.Err = errors.New(cause)
		}
	}
	return out
}

// mend says which setting helps, where a connection failed for what only the operator can change.
func (m *remote) mend(err error) string {
	setting := "providers." + m.info.Provider
	if _, untrusted := errors.AsType[*tls.CertificateVerificationError](err); untrusted {
		return ": where a proxy opens TLS, or the server's authority is a company's, " + setting + ".ca names the file of its CA"
	}
	// The transport tells the status of a proxy in no other way.
	if strings.HasSuffix(err.Error(), http.StatusText(http.StatusProxyAuthRequired)) {
		return ": write name and password into the proxy's address, in " + setting + ".proxy or HTTPS_PROXY"
	}
	return ""
}

// rewritten is a copy of an error with all changed that callers see of it.
func rewritten(e *llm.Error, hide func(string) string) *llm.Error {
	out := *e
	out.Message, out.Param, out.Code = hide(e.Message), hide(e.Param), hide(e.Code)
	if e.Filter != nil {
		out.Filter = json.RawMessage(hide(string(e.Filter)))
	}
	out.Details = slices.Clone(e.Details)
	for i := range out.Details {
		d := &out.Details[i]
		d.Type, d.Msg, d.Loc = hide(d.Type), hide(d.Msg), slices.Clone(d.Loc)
		for k, at := range d.Loc {
			if name, ok := at.(string); ok {
				d.Loc[k] = hide(name)
			}
		}
		if d.Input != nil {
			d.Input = json.RawMessage(hide(string(d.Input)))
		}
	}
	return &out
}
