package policy

import (
	"context"
	"time"

	"github.com/ingot-llm/ingot/internal/llm"
)

// Recorder counts the requests of one operation of one deployment. Each request is recorded
// once, when it ends. It is used concurrently.
type Recorder interface {
	// Ended says how long a request took, and its type of error, empty for success.
	Ended(took time.Duration, errorType string)
	// Paced says of a successful request how long its beginning took, and each token after it; 0: unknown.
	Paced(first, perToken time.Duration)
	// Spent says how many tokens were read and written; 0: none or unknown.
	Spent(input, output int)
}

type metered struct {
	op         llm.Operation
	deployment string
}

// Meter records every request, however it ends. The recorders are resolved once, for every
// deployment and operation; requests for a name that is not there go to the recorder of the
// zero ModelInfo.
func Meter(models []llm.ModelInfo, recorder func(llm.Operation, llm.ModelInfo) Recorder) Observer {
	recorders := map[metered]Recorder{}
	for _, op := range llm.Operations() {
		recorders[metered{op, ""}] = recorder(op, llm.ModelInfo{})
		for _, m := range models {
			if m.Does(op) {
				recorders[metered{op, m.Deployment}] = recorder(op, m)
			}
		}
	}
	return func(_ context.Context, o *outcome) {
		r, ok := recorders[metered{o.op, o.env.Model}]
		if !ok {
			r = recorders[metered{o.op, ""}]
		}
		r.Ended(o.took, o.errorType())
		if o.err == nil {
			r.Paced(o.first, o.perToken())
		}
		r.Spent(o.usage.Prompt, o.usage.Completion)
	}
}
