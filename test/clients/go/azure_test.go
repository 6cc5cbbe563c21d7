package sdk_test

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/Azure/azure-sdk-for-go/sdk/ai/azopenai"
	"github.com/Azure/azure-sdk-for-go/sdk/azcore"
	"github.com/Azure/azure-sdk-for-go/sdk/azcore/policy"
	"github.com/openai/openai-go/v3"
	"github.com/openai/openai-go/v3/azure"
	"github.com/openai/openai-go/v3/option"
)

func TestDeploymentsOfAzureMayHaveAPublisher(t *testing.T) {
	const name = "openai/gpt-4o-mini"
	c := client(faults, "/openai")
	got, err := c.Chat.Completions.New(t.Context(), asking(name))
	equal(t, "openai-go, which escapes the slash", must(t, got, err).Choices[0].Message.Content, hello)

	az := azclient(t, faults, "/openai", key, -1)
	told, err := az.GetChatCompletions(t.Context(), azopenai.ChatCompletionsOptions{DeploymentName: new(name), Messages: azsays(hello)}, nil)
	equal(t, "azopenai, which does so too", *must(t, told, err).Choices[0].Message.Content, hello)

	asks := gosays(hello)
	asks.Model = name
	answer, err := goclient(faults, "/openai", key).CreateChatCompletion(t.Context(), asks)
	equal(t, "go-openai, which does not", must(t, answer, err).Choices[0].Message.Content, hello)
}

func TestKeysOfAzureGoOverTLS(t *testing.T) {
	c := openai.NewClient(azure.WithEndpoint(mocks.At(""), "2024-10-21"), azure.WithAPIKey(key), option.WithMaxRetries(0))
	got, err := c.Chat.Completions.New(t.Context(), says(hello))
	if err == nil || !strings.Contains(err.Error(), "HTTPS") {
		t.Errorf("openai-go: got %v, %v", got, err)
	}
	c = openai.NewClient(azure.WithEndpoint(mocks.At(""), "2024-10-21"), azure.WithAPIKey(key), azure.WithUnsafeAllowHTTP())
	got, err = c.Chat.Completions.New(t.Context(), says(hello))
	equal(t, "openai-go, where it is allowed", must(t, got, err).Choices[0].Message.Content, hello)

	for _, allowed := range []bool{false, true} {
		az, err := azopenai.NewClientWithKeyCredential(mocks.At(""), azcore.NewKeyCredential(key), &azopenai.ClientOptions{
			ClientOptions: policy.ClientOptions{Retry: policy.RetryOptions{MaxRetries: -1}, InsecureAllowCredentialWithHTTP: allowed},
		})
		must(t, az, err)
		_, err = az.GetChatCompletions(t.Context(), azopenai.ChatCompletionsOptions{DeploymentName: new("mock"), Messages: azsays(hello)}, nil)
		equal(t, "azopenai does it", err == nil, allowed)
	}
}

// The authority that a program trusts is read once, so another process has to be asked.
func TestGoTrustsTheBundleThatIngotTrustNames(t *testing.T) {
	trust := exec.CommandContext(t.Context(), os.Getenv("INGOT_BIN"), "trust")
	trust.Env = append(os.Environ(), "INGOT_HOME="+filepath.Dir(filepath.Dir(mocks.CA)))
	said, err := trust.Output()
	setting := regexp.MustCompile(`(?s)\nGo, .*?export (SSL_CERT_FILE=\S+)`).FindSubmatch(must(t, said, err))
	if setting == nil {
		t.Fatalf("nothing for Go in %s", said)
	}
	for trusts, want := range map[string]string{string(setting[1]): hello, "SSL_CERT_FILE=": "certificate"} {
		asks := exec.CommandContext(t.Context(), os.Args[0])
		asks.Env = append(os.Environ(), "INGOT_TEST_TRUSTS="+mocks.Over(""), trusts)
		if out, err := asks.CombinedOutput(); !strings.Contains(string(out), want) {
			t.Errorf("%s: %v: %s", trusts, err, out)
		}
	}
}

// asksAs is what the other process does: a question at an endpoint.
func asksAs(endpoint string) int {
	c := openai.NewClient(azure.WithEndpoint(endpoint, "2024-10-21"), azure.WithAPIKey(key), option.WithMaxRetries(0))
	got, err := c.Chat.Completions.New(context.Background(), says(hello))
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	_, _ = fmt.Fprintln(os.Stdout, got.Choices[0].Message.Content)
	return 0
}

// azopenai sends a version at OpenAI's addresses too, so the members of OpenAI's contract are extra ones at those of Model Inference.
func TestAzopenaiNamesItsVersionEverywhere(t *testing.T) {
	var asked []string
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		asked = append(asked, r.URL.Query().Get("api-version"))
		w.WriteHeader(http.StatusTeapot)
	}))
	defer server.Close()
	for _, base := range []string{server.URL, mocks.At("/models")} {
		az, err := azopenai.NewClientForOpenAI(base, azcore.NewKeyCredential(key), &azopenai.ClientOptions{
			ClientOptions: policy.ClientOptions{Retry: policy.RetryOptions{MaxRetries: -1}, InsecureAllowCredentialWithHTTP: true},
		})
		must(t, az, err)
		got, err := az.GetChatCompletions(t.Context(), azopenai.ChatCompletionsOptions{DeploymentName: new("mock"), Messages: azsays(hello), N: new(int32(2))}, nil)
		refused := azrefusal(t, got, err)
		if base == server.URL {
			equal(t, "status", refused.StatusCode, http.StatusTeapot)
		} else {
			equal(t, "code", refused.ErrorCode, "extra_parameters_not_allowed")
		}
	}
	equal(t, "versions", strings.Join(asked, " "), "2025-01-01-preview")
}

func TestOpenAIGoReadsNoErrorWithoutTheMemberError(t *testing.T) {
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		w.WriteHeader(http.StatusUnauthorized)
		_, _ = w.Write([]byte(`{"statusCode":401,"code":"401","message":"Unauthorized"}`))
	}))
	defer server.Close()
	c := openai.NewClient(option.WithBaseURL(server.URL), option.WithAPIKey(key), option.WithMaxRetries(0))
	got, err := c.Chat.Completions.New(t.Context(), says(hello))
	var refused *openai.Error
	if !errors.As(err, &refused) {
		t.Fatalf("got %v, %v", got, err)
	}
	equal(t, "status", refused.StatusCode, http.StatusUnauthorized)
	equal(t, "code and message", refused.Code+refused.Message, "")
}
