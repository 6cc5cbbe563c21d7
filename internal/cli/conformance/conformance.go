// Package conformance is the verb that checks a server against the contract.
package conformance

import (
	"cmp"
	"context"
	"crypto/x509"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/ingot-llm/ingot/internal/cli/screen"
	"github.com/ingot-llm/ingot/internal/conformance"
	"github.com/ingot-llm/ingot/internal/conformance/report"
)

// verb is what the command line said.
type verb struct {
	*screen.Screen
	keyFor                func(base string) string
	o                     conformance.Options
	keyFile, ca, junit    string
	asJSON, list, verbose bool
}

const usualTime = time.Minute

// Verb makes the verb conformance; keyFor finds the key to send to an address where no file names one.
func Verb(s *screen.Screen, keyFor func(base string) string) *cobra.Command {
	v := &verb{Screen: s, keyFor: keyFor}
	cmd := &cobra.Command{
		Use:   "conformance URL",
		Short: "Check any server against the Model Inference contract",
		Long: `Make the checks of the Model Inference contract against the endpoint at URL, whoever wrote it.
What is violated is shown with the rule's place in doc/protocol.md, what was sent and what came, and
which client breaks. The server answers some two hundred short requests.

The key is INGOT_KEY, or in --key-file; for the endpoint that runs with this data folder, else, the
development key. With INGOT_LIMITED_KEY, a key that is refused after a few requests, limits are
checked, too. What a server does not claim is left out: an operation that it answers 404, tools or
response_format that it refuses as unsupported, and what needs a flag that is not given.

The exit code is 0 when every rule that must be kept is, 1 when one is not, and 2 when the server
cannot be reached, answers no operation, does not take the key, or the command line is wrong.`,
		Example: `  ingot conformance http://127.0.0.1:8080
  INGOT_KEY=... ingot conformance https://NAME.services.ai.azure.com/models --model phi-4 --embedding-model embed
  ingot conformance http://127.0.0.1:8080 --only 'chat/stream/*' -v
  ingot conformance http://127.0.0.1:8080 --junit conformance.xml
  ingot conformance --list`,
		Args: screen.Arguments(0, 1, "the URL of the endpoint"),
		RunE: func(cmd *cobra.Command, args []string) error {
			if v.list {
				return v.tellChecks()
			}
			if len(args) == 0 {
				return screen.Misuse("the URL of the endpoint is missing; usage: %s", cmd.UseLine())
			}
			return v.run(cmd.Context(), args[0])
		},
	}
	f := cmd.Flags()
	f.StringVar(&v.o.Chat, "model", "", "deployment to name in chats")
	f.StringVar(&v.o.Completion, "completion-model", "", "deployment to name in text completions")
	f.StringVar(&v.o.Embedding, "embedding-model", "", "deployment to name in embeddings")
	f.StringVar(&v.o.Images, "image-model", "", "deployment to name in embeddings of images")
	f.StringVar(&v.o.Reasoning, "reasoning-model", "", "deployment that thinks before it answers")
	f.StringVar(&v.o.Failing, "failing-model", "", "deployment whose streams fail after their beginning")
	f.StringVar(&v.o.FilterPrompt, "filter-prompt", "", "prompt that the content filter refuses")
	f.StringSliceVar(&v.o.Without, "without", nil, "features that the server does not have, as tools,embeddings")
	f.StringVar(&v.o.Version, "api-version", "2024-05-01-preview", "api-version to send")
	f.StringVar(&v.o.Only, "only", "", "make the checks of this name, group or pattern only")
	f.DurationVar(&v.o.Timeout, "timeout", usualTime, "time for each check")
	f.StringVar(&v.keyFile, "key-file", "", "file that holds the key")
	f.StringVar(&v.ca, "ca", "", "PEM file of authorities to trust for https, besides the system's")
	f.StringVar(&v.junit, "junit", "", "write the results to this file, too, as JUnit XML")
	f.BoolVar(&v.list, "list", false, "list the checks and make none")
	f.BoolVarP(&v.verbose, "verbose", "v", false, "show everything that was sent and came")
	screen.JSONFlag(cmd, &v.asJSON)
	return cmd
}

// run makes the checks and tells what they found.
func (v *verb) run(ctx context.Context, base string) error {
	if v.o.Timeout <= 0 {
		return screen.Misuse("--timeout must be longer than nothing")
	}
	if err := v.prepare(base); err != nil {
		return screen.Misuse("%v", err)
	}
	wipe := func() {}
	if screen.Terminal(v.Err) {
		wipe = func() { _, _ = io.WriteString(v.Err, "\r\x1b[K") }
		v.o.Progress = func(done, all int, name string) {
			_, _ = fmt.Fprintf(v.Err, "\r\x1b[K%d of %d  %s", done+1, all, name)
		}
	}
	r, err := conformance.Run(ctx, base, v.o)
	wipe()
	if err != nil && ctx.Err() != nil {
		return err
	}
	if err != nil {
		return screen.Misuse("%v", err)
	}
	return v.tell(r)
}

// prepare reads the files and the environment.
func (v *verb) prepare(base string) error {
	var err error
	if v.o.Key, err = v.key(base); err != nil {
		return err
	}
	if v.junit != "" { // now, rather than when all has been asked
		if _, err := os.Stat(filepath.Dir(v.junit)); err != nil {
			return fmt.Errorf("write --junit: %w", err)
		}
	}
	v.o.LimitedKey = strings.TrimSpace(os.Getenv("INGOT_LIMITED_KEY"))
	if v.ca == "" {
		return nil
	}
	pem, err := readSmall(v.ca)
	if err != nil {
		return err
	}
	// Where the system has no pool of its own, these authorities are all that is trusted.
	if v.o.Roots, err = x509.SystemCertPool(); err != nil {
		v.o.Roots = x509.NewCertPool()
	}
	if !v.o.Roots.AppendCertsFromPEM(pem) {
		return fmt.Errorf("%s holds no certificate in PEM", v.ca)
	}
	return nil
}

func (v *verb) key(base string) (string, error) {
	if v.keyFile == "" {
		return v.keyFor(base), nil
	}
	text, err := readSmall(v.keyFile)
	if err != nil {
		return "", err
	}
	key := strings.TrimSpace(string(text))
	if key == "" || strings.ContainsAny(key, " \r\n\t") {
		return "", fmt.Errorf("%s must hold a key and nothing else", v.keyFile)
	}
	return key, nil
}

func readSmall(path string) ([]byte, error) {
	const most = 1 << 20
	f, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	return io.ReadAll(io.LimitReader(f, most))
}

// tell writes a report.
func (v *verb) tell(r *report.Report) error {
	var err error
	if v.asJSON {
		err = r.JSON(v.Out, v.verbose)
	} else {
		err = r.Table(v.Out, report.Style{Colour: screen.Terminal(v.Out) && os.Getenv("NO_COLOR") == "", Verbose: v.verbose})
	}
	if err != nil {
		return err
	}
	v.Say("%s", r.Summary())
	if v.junit != "" {
		if err := writeFile(v.junit, r.JUnit); err != nil {
			return screen.Misuse("write --junit: %v", err)
		}
	}
	if r.Count(report.Failed) > 0 {
		return screen.ErrSaid
	}
	return nil
}

func writeFile(path string, write func(io.Writer) error) (err error) {
	f, err := os.Create(filepath.Clean(path))
	if err != nil {
		return err
	}
	defer func() { err = cmp.Or(err, f.Close()) }()
	return write(f)
}

// tellChecks lists what would be checked.
func (v *verb) tellChecks() error {
	list, err := conformance.Select(v.o.Only)
	if err != nil {
		return screen.Misuse("%v", err)
	}
	type record struct {
		Name     string   `json:"name"`
		Section  string   `json:"section"`
		Severity string   `json:"severity"`
		Requires string   `json:"requires"`
		Breaks   string   `json:"breaks"`
		Needs    []string `json:"needs,omitempty"`
	}
	var records []record
	rows := [][]string{{"NAME", "SECTION", "SEVERITY", "REQUIRES"}}
	for _, c := range list {
		rec := record{Name: c.Name, Section: c.Section, Severity: report.Severity(&c), Requires: c.Requires, Breaks: c.Breaks}
		for _, f := range c.Needs {
			rec.Needs = append(rec.Needs, string(f))
		}
		records = append(records, rec)
		rows = append(rows, []string{rec.Name, "§" + rec.Section, rec.Severity, rec.Requires})
	}
	if v.asJSON {
		return v.JSON(records)
	}
	v.Table(rows)
	return nil
}
