package process_test

import (
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/ingot-llm/ingot/internal/engine/process"
)

func TestWordsAreSplitAsAShellWould(t *testing.T) {
	tests := []struct {
		line string
		want []string
	}{
		{"vllm serve some/model --port {port}", []string{"vllm", "serve", "some/model", "--port", "{port}"}},
		{`a 'b  c' "d \"e\" \n" f\ g`, []string{"a", "b  c", `d "e" \n`, "f g"}},
		{`x'y'"z" '' ""`, []string{"xyz", "", ""}},
		{`C:\bin\server.exe "C:\My Models\m.gguf"`, []string{`C:\bin\server.exe`, `C:\My Models\m.gguf`}},
		{"\ttabs\tand\nlines ", []string{"tabs", "and", "lines"}},
		{`a "b`, nil},
		{"  ", nil},
	}
	for _, tt := range tests {
		t.Run(tt.line, func(t *testing.T) {
			got, err := process.Words(tt.line)
			if (err != nil) != (tt.want == nil) {
				t.Fatalf("got error %v", err)
			}
			if diff := cmp.Diff(tt.want, got); diff != "" {
				t.Error(diff)
			}
		})
	}
}

func FuzzWordsNeverPanics(f *testing.F) {
	f.Add(`a 'b' "c\"" \`)
	f.Add("'")
	f.Fuzz(func(t *testing.T, line string) {
		if words, err := process.Words(line); err == nil && len(words) == 0 {
			t.Error("got neither words nor an error")
		}
	})
}

func TestKeyIsAboutWhatTheChildIsStartedWith(t *testing.T) {
	base := process.Spec{Name: "a", ModelPath: "m.gguf", Context: 2048}
	same, other := base, base
	same.Name, same.Limits.KeepAlive, same.Slots = "b", 1, 1
	other.Context = 4096
	if base.Key() != same.Key() {
		t.Error("name, limits or the default number of slots changed the key")
	}
	if base.Key() == other.Key() {
		t.Error("another context has the same key")
	}
}

func TestHintIsTheLineThatTellsMost(t *testing.T) {
	lines := []string{
		"0.00.006 I srv    load_model: loading model '/a/b.gguf'",
		"0.00.007 E gguf_init_from_file: failed to open GGUF file '/a/c d/b.gguf' (No such file or directory)",
		"0.00.008 E srv          init: exiting due to model loading error",
		"Aborted",
	}
	if got, want := process.Hint(lines...), "failed to open GGUF file 'b.gguf' (No such file or directory)"; got != want {
		t.Errorf("got %q, want %q", got, want)
	}
	if got := process.Hint("0.00.522.999 I slot print_timing: id  0 | task 2 | graphs reused = 7"); got != "" {
		t.Errorf("got %q of a line that tells of no trouble", got)
	}
	// The engine writes its log in a thread of its own, which may come after what the launcher says of the same failure.
	const launcher, cause = "launcher error: Failed to init server", "0.00.100.000 E data is not within the file bounds"
	for _, order := range [][]string{{launcher, cause}, {cause, launcher}} {
		if got, want := process.Hint(order...), "data is not within the file bounds"; got != want {
			t.Errorf("%q: got %q, want %q", order, got, want)
		}
	}
	if got := process.Hint(launcher); got != launcher {
		t.Errorf("the launcher alone: got %q", got)
	}
	if got, want := process.Hint("cannot read /a folder/the model.gguf now"), "cannot read the model.gguf now"; got != want {
		t.Errorf("got %q, want %q", got, want)
	}
}

func TestPathsAreCutToTheirLastElement(t *testing.T) {
	tests := []struct{ in, want string }{
		{"fork/exec /usr/bin/x: no such file", "fork/exec x: no such file"},
		{`open "C:\Users\me\m.gguf": denied`, `open "m.gguf": denied`},
		{"ratio 3/4 of http://127.0.0.1:8080/health", "ratio 3/4 of http://127.0.0.1:8080/health"},
		{"/home/me/engine.cpp:12: GGML_ASSERT(a / b) failed", "engine.cpp:12: GGML_ASSERT(a / b) failed"},
	}
	for _, tt := range tests {
		if got := process.WithoutPaths(tt.in); got != tt.want {
			t.Errorf("got %q, want %q", got, tt.want)
		}
	}
}
