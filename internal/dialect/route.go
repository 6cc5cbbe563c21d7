package dialect

// Route is one path that a door serves, with the names of its variables in braces. The OpenAPI document and the tables of
// the documentation are made of them.
type Route struct {
	Method, Path string
	Operation    string // what it does, named alike on every door: chat/completions, completions, embeddings, images/embeddings, info, models, model, responses, …
}
