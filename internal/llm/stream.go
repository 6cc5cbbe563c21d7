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
	var c collector // its method is one allocation, where a loop's variables would be many
	s(c.fragment)
	switch {
	case c.err != nil:
		return nil, c.err
	case c.whole == nil:
		return nil, &Error{Kind: Upstream, Message: "The model gave no answer."}
	}
	return c.whole, nil
}

// collector joins the fragments of a stream.
type collector struct {
	whole *Reply
	size  int
	err   error
}

func (c *collector) fragment(f *Reply, err error) bool {
	if err != nil {
		c.err = err
		return false
	}
	if c.size += f.size(); c.size > maxCollected {
		c.err = disorder("it has no end")
		return false
	}
	if c.whole == nil && f.Source.Whole {
		c.whole = new(*f)
		return true
	}
	if c.whole == nil {
		c.whole = &Reply{ID: f.ID, Model: f.Model, Created: f.Created, Meta: f.Meta}
	}
	c.err = c.whole.Append(f)
	return c.err == nil
}

// Fail is a Stream that is only an error.
func Fail(err error) Stream {
	return func(yield func(*Reply, error) bool) { yield(nil, err) }
}

// Whole is a Stream of one fragment.
func Whole(r *Reply) Stream {
	return func(yield func(*Reply, error) bool) { yield(r, nil) }
}
