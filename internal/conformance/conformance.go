// Package conformance checks any server against the Model Inference contract, as doc/protocol.md has
// it, from outside. It shares no code with the server or the client of this module.
package conformance

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"net/http"
	"path"
	"slices"
	"strings"
	"time"

	"github.com/ingot-llm/ingot/internal/conformance/call"
	"github.com/ingot-llm/ingot/internal/conformance/chat"
	"github.com/ingot-llm/ingot/internal/conformance/check"
	"github.com/ingot-llm/ingot/internal/conformance/complete"
	"github.com/ingot-llm/ingot/internal/conformance/door"
	"github.com/ingot-llm/ingot/internal/conformance/embed"
	"github.com/ingot-llm/ingot/internal/conformance/report"
)

// Options says what is checked, and how the server is spoken to. What is empty is not known.
type Options struct {
	Key, LimitedKey string
	Roots           *x509.CertPool
	Version         string // api-version
	// The deployments to name in requests, and those that think and fail.
	Chat, Completion, Embedding, Images, Reasoning, Failing string
	FilterPrompt                                            string
	// Without lists features that are left out, by name.
	Without []string
	// Only is what Select takes; "" is all.
	Only    string
	Timeout time.Duration // of one check
	// Progress is called before each check.
	Progress func(done, all int, name string)
}

// Checks lists all checks.
func Checks() []check.Check {
	return slices.Concat(door.Checks(), chat.Checks(), complete.Checks(), embed.Checks())
}

// Select lists the checks whose names match a pattern, a name, or the beginning of names up to a slash.
func Select(only string) ([]check.Check, error) {
	if _, err := path.Match(only, ""); err != nil {
		return nil, fmt.Errorf("read the pattern %q: %w", only, err)
	}
	only = strings.TrimSuffix(only, "/")
	open, isOpen := strings.CutSuffix(only, "*")
	list := slices.DeleteFunc(Checks(), func(c check.Check) bool {
		for name := c.Name; name != "."; name = path.Dir(name) {
			if ok, err := path.Match(only, name); only == "" || ok && err == nil {
				return false
			}
		}
		return !isOpen || strings.ContainsAny(open, `*?[\`) || !strings.HasPrefix(c.Name, open)
	})
	if len(list) == 0 {
		return nil, fmt.Errorf("no check is called %q: --list names them all", only)
	}
	return list, nil
}

// Run makes the checks, one after the other. An error means that the server could not be asked at
// all, or that an option is wrong; violations are in the report.
func Run(ctx context.Context, base string, o Options) (*report.Report, error) {
	list, err := Select(o.Only)
	if err != nil {
		return nil, err
	}
	client, err := call.New(base, o.Roots)
	if err != nil {
		return nil, err
	}
	defer client.Close()
	s := check.NewSession(check.Subject{
		Client: client, Key: o.Key, LimitedKey: o.LimitedKey, Version: o.Version, Chat: o.Chat, Completion: o.Completion,
		Embedding: o.Embedding, Images: o.Images, Reasoning: o.Reasoning, Failing: o.Failing, FilterPrompt: o.FilterPrompt, Timeout: o.Timeout,
	})
	without, err := claims(ctx, s, o)
	if err != nil {
		return nil, err
	}
	r := &report.Report{Target: client.Base(), Began: time.Now(), Secrets: []string{o.Key, o.LimitedKey}}
	for i, c := range list {
		if o.Progress != nil {
			o.Progress(i, len(list), c.Name)
		}
		result := one(ctx, s, &c, without)
		if err := ctx.Err(); err != nil {
			return nil, err
		}
		r.Add(result)
	}
	r.Took = time.Since(r.Began)
	return r, nil
}

// one makes a check, or says why not.
func one(ctx context.Context, s *check.Session, c *check.Check, without map[check.Feature]string) report.Result {
	result := report.Result{Check: c}
	for _, f := range c.Needs {
		if why, out := without[f]; out {
			result.LeftOut = why
			return result
		}
	}
	if s.Silent() {
		result.LeftOut = "the server gave no answer several times in a row"
		return result
	}
	ctx, cancel := context.WithTimeout(ctx, s.Timeout)
	defer cancel()
	begin := time.Now()
	t := s.Start(ctx)
	c.Run(t)
	result.Faults, result.Exchanges, result.Took = t.Faults(), t.Exchanges(), time.Since(begin)
	return result
}

// claims finds what a server does not have, and why that is believed.
func claims(ctx context.Context, s *check.Session, o Options) (map[check.Feature]string, error) {
	without := make(map[check.Feature]string)
	for _, name := range o.Without {
		if !slices.Contains(check.Features(), check.Feature(name)) {
			return nil, fmt.Errorf("--without knows no feature %q; there are: %s", name, featureNames())
		}
		without[check.Feature(name)] = "--without " + name
	}
	given := func(f check.Feature, value, why string) {
		if _, out := without[f]; !out && value == "" {
			without[f] = why
		}
	}
	given(check.Keys, o.Key, "no key: set INGOT_KEY")
	given(check.Limits, o.LimitedKey, "no key with a small limit: set INGOT_LIMITED_KEY")
	given(check.Names, o.Chat, "no deployment is named: --model")
	given(check.Reasoning, o.Reasoning, "no deployment that thinks is named: --reasoning-model")
	given(check.Failing, o.Failing, "no deployment whose streams fail is named: --failing-model")
	given(check.Filter, o.FilterPrompt, "no prompt that is filtered is known: --filter-prompt")
	ctx, cancel := context.WithTimeout(ctx, s.Timeout)
	defer cancel()
	return without, probe(ctx, s, o, without)
}

// probe asks a server for each operation. One that is neither named by a flag nor by /info nor there is not claimed.
func probe(ctx context.Context, s *check.Session, o Options, without map[check.Feature]string) error {
	info := s.Start(ctx).Info()
	if info.Status() == 0 {
		if _, untrusted := errors.AsType[*tls.CertificateVerificationError](info.Err); untrusted {
			return fmt.Errorf("reach the server: %w; name its authority by --ca FILE", info.Err)
		}
		return fmt.Errorf("reach the server: %w", info.Err)
	}
	if err := admitted(ctx, s, without); err != nil {
		return err
	}
	kind := ""
	if info.Status() == http.StatusOK {
		kind = strings.ToLower(info.Member("model_type"))
	}
	var refused []check.Feature
	absent := func(f check.Feature, named string, claimed bool, ask func(t *check.T) *check.Answer) {
		if _, out := without[f]; out || named != "" || claimed {
			return
		}
		a := ask(s.Start(ctx))
		code := a.Member("error", "code")
		if slices.Contains([]int{http.StatusNotFound, http.StatusMethodNotAllowed, http.StatusNotImplemented}, a.Status()) || code == "no_model_name" {
			without[f] = fmt.Sprintf("/info names none, and a plain request is answered %d", a.Status())
			refused = append(refused, f)
		}
	}
	absent(check.Chat, o.Chat, strings.Contains(kind, "chat") || kind == "completion", func(t *check.T) *check.Answer { return t.Chat(nil) })
	absent(check.Completions, o.Completion, false, func(t *check.T) *check.Answer { return t.Complete(nil) })
	absent(check.Embeddings, o.Embedding, strings.Contains(kind, "embedding") && !strings.Contains(kind, "image"), func(t *check.T) *check.Answer { return t.Embed(nil) })
	absent(check.Images, o.Images, strings.Contains(kind, "image") && strings.Contains(kind, "embedding"), func(t *check.T) *check.Answer { return t.EmbedImages(embed.Image()) })
	left := slices.ContainsFunc([]check.Feature{check.Chat, check.Completions, check.Embeddings, check.Images}, func(f check.Feature) bool {
		_, out := without[f]
		return !out
	})
	if !left && len(refused) > 0 {
		return fmt.Errorf("find an operation to check: %s: %s; is the address right? The SDKs append /chat/completions to it",
			refused[0], without[refused[0]])
	}
	for _, f := range []struct {
		feature check.Feature
		member  string
		with    check.M
	}{
		{check.Tools, "tools", chat.PlainTools()},
		{check.Format, "response_format", check.M{"response_format": check.M{"type": "json_object"}, "max_tokens": 1}},
	} {
		if _, out := without[f.feature]; out {
			continue
		}
		if why, out := without[check.Chat]; out {
			without[f.feature] = why
			continue
		}
		a := s.Start(ctx).Chat(f.with)
		if code := a.Member("error", "code"); a.Status() == http.StatusUnprocessableEntity && code == "parameter_not_supported" {
			without[f.feature] = fmt.Sprintf("a plain request with %s is answered 422 %s", f.member, code)
		}
	}
	return nil
}

// admitted says whether any way of sending the key is accepted, without which nothing can be checked.
func admitted(ctx context.Context, s *check.Session, without map[check.Feature]string) error {
	ask := func(o ...check.Option) *check.Answer { return s.Start(ctx).Chat(check.Brief(), o...) }
	if _, out := without[check.Chat]; out {
		ask = func(o ...check.Option) *check.Answer { return s.Start(ctx).Embed(nil, o...) }
	}
	var status int
	for _, o := range []check.Option{check.Header("", ""), check.Header("Authorization", ""), check.Header("Api-Key", "")} {
		if status = ask(o).Status(); status != http.StatusUnauthorized && status != http.StatusForbidden {
			return nil
		}
	}
	if s.Key == "" {
		return fmt.Errorf("the server answers %d to a request without a key: set INGOT_KEY", status)
	}
	return fmt.Errorf("the server answers %d to this key, however it is sent: set INGOT_KEY to one that it takes", status)
}

func featureNames() string {
	var names []string
	for _, f := range check.Features() {
		names = append(names, string(f))
	}
	return strings.Join(names, ", ")
}
