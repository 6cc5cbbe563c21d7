package provider_test

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"strings"
	"testing"

	"github.com/ingot-llm/ingot/internal/llm"
	"github.com/ingot-llm/ingot/internal/provider"
)

type fixed string

func (f fixed) Token(context.Context, string) (string, error) { return string(f), nil }

func TestNoErrorTellsTheCredentialThatTheServerWasShown(t *testing.T) {
	const secret = "sesame-open-0123456789"
	every(t, func(t *testing.T, v variant) {
		said := fmt.Sprintf(`{"error":{"message":"not with %[1]s","code":"%[1]s","param":"%[1]s","type":"%[1]s","innererror":{"content_filter_result":{"%[1]s":1}},`+
			`"details":[{"type":"%[1]s","msg":"%[1]s","loc":["body","%[1]s"],"input":"%[1]s"}]}}`, secret)
		for name, reply := range map[string]func(*http.Request) (*http.Response, error){
			"400": failing(http.StatusBadRequest, said), "401": failing(http.StatusUnauthorized, said), "429": failing(http.StatusTooManyRequests, said),
			"500": failing(http.StatusInternalServerError, said), "a filter": failing(http.StatusBadRequest, strings.Replace(said, `"code":"`+secret, `"code":"content_filter`, 1)),
			"in an answer": whole(said), "in a stream": events("data: " + said + "\n\n"), "amid a stream": events(role, hello, "data: "+said+"\n\n"),
		} {
			for _, credential := range []func(*provider.Config){
				func(c *provider.Config) { c.Key = func() (string, error) { return secret, nil } },
				func(c *provider.Config) { c.Token = fixed(secret) },
			} {
				b, _ := v.backend(t, reply, credential)
				body := plain
				if strings.Contains(name, "stream") {
					body = streamed
				}
				var failed error
				for _, err := range b.Chat(t.Context(), chat(t, v.contract, body)) {
					failed = err
				}
				if failed == nil {
					t.Fatalf("%s: no error", name)
				}
				e := llm.AsError(failed)
				told, err := json.Marshal([]any{e.Message, e.Code, e.Param, e.Details, e.Filter, e.Error()})
				if err != nil || strings.Contains(string(told), secret) {
					t.Errorf("%s: %s %v", name, told, err)
				}
			}
		}
	})
}

// failing answers with a status.
func failing(status int, text string) func(*http.Request) (*http.Response, error) {
	return func(*http.Request) (*http.Response, error) {
		return answer(status, "application/json", strings.NewReader(text)), nil
	}
}

func TestTheLogSaysWhichSettingMendsAConnection(t *testing.T) {
	every(t, func(t *testing.T, v variant) {
		for _, c := range []struct {
			failure error
			want    string
		}{
			{&tls.CertificateVerificationError{Err: x509.UnknownAuthorityError{}}, ".ca names the file of its CA"},
			{errors.New("Proxy Authentication Required"), ".proxy or HTTPS_PROXY"},
			{errors.New("connection refused"), "connection refused"},
		} {
			b, _ := v.backend(t, func(*http.Request) (*http.Response, error) { return nil, c.failure })
			_, err := b.Chat(t.Context(), chat(t, llm.WireOpenAI, `{"messages":[{"role":"user","content":"x"}]}`)).Collect()
			e := llm.AsError(err)
			if e.Err == nil || !strings.HasSuffix(e.Err.Error(), c.want) || strings.Contains(e.Message, "providers.") {
				t.Errorf("%v: the log gets %v, the caller %q", c.failure, e.Err, e.Message)
			}
		}
	})
}
