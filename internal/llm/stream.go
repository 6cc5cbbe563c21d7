package llm

// Stream is the answer to a request: fragments in order, then the end or one error.
//
// Ranging over it performs the call, and ranging again is a new call; leaving the loop
// releases the connection. A Stream nobody ranges over costs nothing. An error is the last
// pair. Never use iter.Pull on it: a policy's defer runs when the loop ends.
type Stream func(yield func(*Reply, error) bool)

// maxCollected is how many bytes of text Collect joins at most.
const maxCollected = 64 << 20

// Collect joins the fragments into the whole reply, which keeps its Source where it came as a whole.
func (s Stream) Collect() (*Reply, error) {
	var whole *Reply
	size := 0
	for f, err := range s {
		if err != nil {
			return nil, err
		}
		if size += f.size(); size > maxCollected {
			return nil, disorder("it has no end")
		}
		if whole == nil && f.Source.Whole {
			whole = new(*f)
			continue
		}
		if whole == nil {
			whole = &Reply{ID: f.ID, Model: f.Model, Created: f.Created, Meta: f.Meta}
		}
		if err := whole.Append(f); err != nil {
			return nil, err
		}
	}
	if whole == nil {
		return nil, &Error{Kind: Upstream, Message: "The model gave no answer."}
	}
	return whole, nil
}

// Fail is a Stream that is only an error.
func Fail(err error) Stream {
	return func(yield func(*Reply, error) bool) { yield(nil, err) }
}

// Whole is a Stream of one fragment.
func Whole(r *Reply) Stream {
	return func(yield func(*Reply, error) bool) { yield(r, nil) }
}
