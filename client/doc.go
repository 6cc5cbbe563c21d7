// Package client calls an Azure AI Model Inference endpoint: Ingot, Azure AI Foundry, or any server that speaks the same API.
// It depends on the standard library alone.
//
//	c, err := client.New("http://127.0.0.1:8080", client.Key(key), nil)
//	reply, err := c.Chat(ctx, &client.ChatRequest{Messages: []client.Message{client.User("Hello?")}})
//	fmt.Println(reply.Text())
//
// Requests are plain structs, which are only read. What a field leaves at zero is not sent, so that the model's own default
// holds; optional numbers are pointers, which new(0.7) makes. Members that have no field go into Extra.
//
// Streams are of type [iter.Seq2]: ranging over one makes the call, leaving the loop frees the connection, and an error, if there
// is one, is the last pair, also where an answer breaks off ([ErrTruncated]).
//
// What the service refuses is an [*Error], anything else a wrapped error of the transport or of the context. Calls are repeated as
// [Retry] says, and never after the first byte of an answer.
//
// Packages below this one: entra sends tokens of Microsoft Entra ID, collect joins streams, typed asks for answers of the shape
// of a Go type, tool lets models call Go functions, schema makes JSON Schemas of types, dataurl makes pictures part of requests,
// and clienttest is an endpoint for tests.
package client
