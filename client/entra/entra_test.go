package entra_test

import (
	"context"
	"errors"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/ingot-llm/ingot/client/entra"
)

func request(t *testing.T, url string) *http.Request {
	t.Helper()
	return httptest.NewRequestWithContext(t.Context(), http.MethodPost, url, http.NoBody)
}

func TestScopesGoByTheHost(t *testing.T) {
	t.Parallel()
	var asked [][]string
	source := entra.SourceFunc(func(_ context.Context, scopes []string) (entra.Token, error) {
		asked = append(asked, scopes)
		return entra.Token{Value: scopes[0], Expires: time.Now().Add(time.Hour)}, nil
	})
	c := entra.New(source, nil)
	for url, want := range map[string]string{
		"https://a.SERVICES.ai.azure.com/models":             entra.ScopeCognitiveServices,
		"https://a.openai.azure.com/openai/deployments/x":    entra.ScopeCognitiveServices,
		"https://a.eastus.inference.ml.azure.com/info":       entra.ScopeMachineLearning,
		"https://openai.azure.com.example.com/info":          entra.ScopeMachineLearning,
		"https://a.cognitiveservices.azure.com/openai":       entra.ScopeCognitiveServices,
		"https://a.eastus.models.ai.azure.com/embeddings":    entra.ScopeMachineLearning,
		"https://127.0.0.1:8080/models/chat/completions?a=b": entra.ScopeMachineLearning,
	} {
		r := request(t, url)
		if err := c.Authorize(r); err != nil || r.Header.Get("Authorization") != "Bearer "+want {
			t.Errorf("%s: got %v, %v", url, r.Header, err)
		}
	}
	if len(asked) != 2 {
		t.Errorf("asked for %v, want each scope once", asked)
	}
	asked = nil
	r := request(t, "https://127.0.0.1/models")
	if err := entra.New(source, &entra.Options{Scopes: []string{"api://ingot/.default"}}).Authorize(r); err != nil || !slices.Equal(asked[0], []string{"api://ingot/.default"}) {
		t.Errorf("got %v, %v", asked, err)
	}
}

func TestATokenIsNotSentInTheClear(t *testing.T) {
	t.Parallel()
	source := entra.SourceFunc(func(context.Context, []string) (entra.Token, error) {
		return entra.Token{Value: "t", Expires: time.Now().Add(time.Hour)}, nil
	})
	r := request(t, "http://127.0.0.1/models")
	if err := entra.New(source, nil).Authorize(r); err == nil || r.Header.Get("Authorization") != "" || !strings.Contains(err.Error(), "https://") {
		t.Errorf("got %v, %v", r.Header, err)
	}
	if err := entra.New(source, &entra.Options{InsecureAllowHTTP: true}).Authorize(r); err != nil || r.Header.Get("Authorization") != "Bearer t" {
		t.Errorf("got %v, %v", r.Header, err)
	}
}

func TestATokenIsRefreshedFiveMinutesBeforeItExpires(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		asked := 0
		c := entra.New(entra.SourceFunc(func(context.Context, []string) (entra.Token, error) {
			asked++
			return entra.Token{Value: strings.Repeat("t", asked), Expires: time.Now().Add(time.Hour)}, nil
		}), nil)
		for _, step := range []struct {
			wait time.Duration
			want string
		}{{0, "t"}, {54 * time.Minute, "t"}, {2 * time.Minute, "tt"}, {time.Hour, "ttt"}} {
			time.Sleep(step.wait)
			r := request(t, "https://127.0.0.1/models")
			if err := c.Authorize(r); err != nil || r.Header.Get("Authorization") != "Bearer "+step.want {
				t.Errorf("got %v, %v, want %s", r.Header, err, step.want)
			}
		}
	})
}

func TestASourceThatFailsSaysForWhat(t *testing.T) {
	t.Parallel()
	failed := errors.New("no identity")
	c := entra.New(entra.SourceFunc(func(context.Context, []string) (entra.Token, error) { return entra.Token{}, failed }), nil)
	if err := c.Authorize(request(t, "https://127.0.0.1/")); !errors.Is(err, failed) || !strings.Contains(err.Error(), entra.ScopeMachineLearning) {
		t.Errorf("got %v", err)
	}
}
