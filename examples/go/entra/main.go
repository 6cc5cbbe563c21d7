// A token of Microsoft Entra ID instead of a key: from the environment, a managed identity or `az login`, whichever there is.
//
// Tokens go over TLS only. The endpoint's configuration says whose it takes (entra).
package main

import (
	"cmp"
	"context"
	"fmt"
	"log"
	"os"

	"github.com/Azure/azure-sdk-for-go/sdk/azcore/policy"
	"github.com/Azure/azure-sdk-for-go/sdk/azidentity"

	"github.com/ingot-llm/ingot/client"
	"github.com/ingot-llm/ingot/client/entra"
)

func main() {
	credential, err := azidentity.NewDefaultAzureCredential(nil)
	if err != nil {
		log.Fatal(err)
	}
	source := entra.SourceFunc(func(ctx context.Context, scopes []string) (entra.Token, error) {
		t, err := credential.GetToken(ctx, policy.TokenRequestOptions{Scopes: scopes})
		return entra.Token{Value: t.Token, Expires: t.ExpiresOn, Refresh: t.RefreshOn}, err
	})

	// For an endpoint whose audience is an application of yours set Options.Scopes to api://APPLICATION/.default.
	c, err := client.New(cmp.Or(os.Getenv("INGOT_ENDPOINT"), "https://127.0.0.1:8080"), entra.New(source, nil), nil)
	if err != nil {
		log.Fatalf("set INGOT_ENDPOINT: %v", err)
	}
	reply, err := c.Chat(context.Background(), &client.ChatRequest{
		Messages:    []client.Message{client.User("What is the capital of France?")},
		Temperature: new(0.0),
		MaxTokens:   new(100),
	})
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println(reply.Text())
}
