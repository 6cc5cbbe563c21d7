//go:build unix

package talk_test

import (
	"io"
	"strings"
	"syscall"
	"testing"

	"github.com/ingot-llm/ingot/internal/cli/screen"
	"github.com/ingot-llm/ingot/internal/cli/talk"
)

func TestCtrlCStopsTheAnswerAndNotTheConversation(t *testing.T) {
	bodies := make(chan string, 10)
	in, typed := io.Pipe()
	var out, err record
	c := talk.Talk{Screen: &screen.Screen{In: in, Out: &out, Err: &err}, Client: endpoint(t, bodies)}
	done := make(chan error, 1)
	go func() { done <- c.Converse(t.Context()) }()
	say := func(line string) {
		if _, err := io.WriteString(typed, line+"\n"); err != nil {
			t.Error(err)
		}
	}
	interrupt := func() {
		if err := syscall.Kill(syscall.Getpid(), syscall.SIGINT); err != nil {
			t.Error(err)
		}
	}
	<-err.saw("> ")
	interrupt()
	<-err.saw("(Ctrl-D ends.)")
	say("forever")
	<-out.saw("on and on")
	interrupt()
	<-err.saw("(Stopped.)")
	say("and now?")
	<-out.saw("well")
	_ = typed.Close()
	if e := <-done; e != nil {
		t.Fatal(e)
	}
	<-bodies
	if second := <-bodies; !strings.Contains(second, `{"role":"assistant","content":"on and on"}`) {
		t.Errorf("the stopped answer is not part of %s", second)
	}
}
