package screen_test

import (
	"os"
	"strconv"
	"strings"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"github.com/ingot-llm/ingot/internal/cli/screen"
)

func TestOnATerminalNothingIsDrawnOnceAStageHasEnded(t *testing.T) {
	t.Parallel()
	master, slave := terminal(t)
	bar := (&screen.Screen{Err: slave}).NewBar()
	bar.Show("m: checking", 0, 0)
	bar.Show("m: converting", 0, 0)
	bar.Finish()
	time.Sleep(300 * time.Millisecond) // a few redraws, were there any
	const end = "the prompt"
	if _, err := slave.WriteString(end); err != nil {
		t.Fatal(err)
	}
	var shown strings.Builder
	for buf := make([]byte, 1<<10); !strings.HasSuffix(shown.String(), end); {
		n, err := master.Read(buf)
		if err != nil {
			t.Fatal(err)
		}
		shown.Write(buf[:n])
	}
	if !strings.HasSuffix(shown.String(), "\r\x1b[K"+end) {
		t.Errorf("between the last stage and what follows something was drawn: %q", shown.String())
	}
}

// terminal is both ends of a terminal, closed with the test.
func terminal(t *testing.T) (master, slave *os.File) {
	t.Helper()
	master, err := os.OpenFile("/dev/ptmx", os.O_RDWR|unix.O_NOCTTY, 0)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = master.Close() })
	fd := int(master.Fd())
	if err := unix.IoctlSetPointerInt(fd, unix.TIOCSPTLCK, 0); err != nil {
		t.Fatal(err)
	}
	n, err := unix.IoctlGetInt(fd, unix.TIOCGPTN)
	if err != nil {
		t.Fatal(err)
	}
	slave, err = os.OpenFile("/dev/pts/"+strconv.Itoa(n), os.O_RDWR|unix.O_NOCTTY, 0)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = slave.Close() })
	return master, slave
}
