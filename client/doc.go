// Package client calls an Azure AI Model Inference endpoint: Ingot, Azure AI Foundry, or any server that speaks the same API.
// It depends on the standard library alone.
//
// [New] makes a [Client] of an endpoint and a credential. The endpoint is written as the other SDKs take it: the root of a
// server, or an address that ends in /models, /deployments/NAME, /openai/deployments/NAME or /openai/v1.
//
//	c, err := client.New("http://127.0.0.1:8080", client.Key(key), nil)
//	reply, err := c.Chat(ctx, &client.ChatRequest{Messages: []client.Message{client.User("Hello?")}})
//	fmt.Println(reply.Text())
//
// # Requests
//
// Requests are plain structs. What a field leaves at zero is not sent, so that the model's own default holds; optional
// numbers are pointers, which new(0.7) makes. Members that have no field go into Extra. A request is only read: it may be used
// again, and by several goroutines.
//
// # Streams
//
// [Client.ChatStream] and [Client.CompleteStream] return an [iter.Seq2]. Ranging over it makes the call, leaving the loop frees
// the connection, and an error, if there is one, is the last pair: also for an answer that broke off ([ErrTruncated]).
// [Collect] joins fragments to a whole answer.
//
// # Errors
//
// What the service refuses is an [*Error], with its status, code, message and the ids under which it can be found in logs.
// Anything else is an error of the transport or of the context, wrapped. Calls are repeated as [Retry] says, and never after
// the first byte of an answer.
//
// # Packages
//
// [github.com/ingot-llm/ingot/client/tool] makes tools of Go functions and runs them,
// [github.com/ingot-llm/ingot/client/schema] makes JSON Schemas of Go types, and
// [github.com/ingot-llm/ingot/client/clienttest] is an endpoint for tests that needs no network.
package client
