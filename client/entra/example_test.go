package entra_test

import (
	"context"
	"fmt"
	"log"
	"time"

	"github.com/ingot-llm/ingot/client"
	"github.com/ingot-llm/ingot/client/clienttest"
	"github.com/ingot-llm/ingot/client/entra"
)

// What azidentity's credentials are, in the words of azcore.
type (
	tokenCredential interface {
		GetToken(context.Context, tokenRequestOptions) (accessToken, error)
	}
	tokenRequestOptions struct{ Scopes []string }
	accessToken         struct {
		Token                string
		ExpiresOn, RefreshOn time.Time
	}
	fakeIdentity struct{}
)

func (fakeIdentity) GetToken(_ context.Context, o tokenRequestOptions) (accessToken, error) {
	fmt.Println("token for", o.Scopes)
	return accessToken{Token: "token", ExpiresOn: time.Now().Add(time.Hour)}, nil
}

// With azidentity, credential comes of azidentity.NewDefaultAzureCredential, and tokenRequestOptions is policy.TokenRequestOptions.
func ExampleNew() {
	var credential tokenCredential = fakeIdentity{}

	source := entra.SourceFunc(func(ctx context.Context, scopes []string) (entra.Token, error) {
		t, err := credential.GetToken(ctx, tokenRequestOptions{Scopes: scopes})
		return entra.Token{Value: t.Token, Expires: t.ExpiresOn, Refresh: t.RefreshOn}, err
	})

	endpoint := clienttest.New(clienttest.Chat("Paris."), clienttest.Chat("Rome."))
	c, err := client.New("https://example.services.ai.azure.com/models", entra.New(source, nil), endpoint.Options())
	if err != nil {
		log.Fatal(err)
	}
	for _, question := range []string{"The capital of France?", "And of Italy?"} {
		reply, err := c.Chat(context.Background(), &client.ChatRequest{Messages: []client.Message{client.User(question)}})
		if err != nil {
			log.Fatal(err)
		}
		fmt.Println(reply.Text())
	}
	fmt.Println(endpoint.Requests()[1].Header.Get("Authorization"))
	// Output:
	// token for [https://cognitiveservices.azure.com/.default]
	// Paris.
	// Rome.
	// Bearer token
}
