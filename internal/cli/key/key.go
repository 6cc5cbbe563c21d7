// Package key is the verbs about keys: create, list and revoke.
package key

import (
	"context"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/ingot-llm/ingot/internal/auth"
	"github.com/ingot-llm/ingot/internal/cli/screen"
)

// verbs is what the verbs share.
type verbs struct {
	*screen.Screen
	store func() (auth.Store, error)
}

// Verb makes the verb keys; store opens the keys of the data folder.
func Verb(s *screen.Screen, store func() (auth.Store, error)) *cobra.Command {
	a := &verbs{s, store}
	return screen.Group(&cobra.Command{
		Use:   "keys",
		Short: "Say who may call: create, list and revoke keys",
		Long: `Create, list and revoke the keys of the data folder. They count besides those of the
configuration and INGOT_KEY. A running endpoint notices every change by itself.

Only hashes are stored: a key that is lost is revoked and made anew.`,
	}, a.create(), a.list(), a.revoke())
}

// keyRecord is a key as programs read it.
type keyRecord struct {
	ID                string    `json:"id"`
	Name              string    `json:"name"`
	Key               string    `json:"key,omitempty"` // only when it is made
	Created           time.Time `json:"created"`
	RequestsPerMinute int       `json:"requests_per_minute,omitempty"`
	TokensPerMinute   int       `json:"tokens_per_minute,omitempty"`
	Admin             bool      `json:"admin"`
	Expires           time.Time `json:"expires,omitzero"`
	Revoked           time.Time `json:"revoked,omitzero"`
}

func recordOf(e auth.Entry) keyRecord {
	return keyRecord{
		ID: e.ID(), Name: e.Name, Created: e.Created, RequestsPerMinute: e.RequestsPerMinute, TokensPerMinute: e.TokensPerMinute,
		Admin: e.Admin, Expires: e.Expires, Revoked: e.Revoked,
	}
}

func (a *verbs) create() *cobra.Command {
	var o auth.CreateOptions
	var asJSON bool
	var expires string
	cmd := &cobra.Command{
		Use:   "create NAME",
		Short: "Make a key",
		Long: `Make a key and write it to standard output, this once. NAME says in logs and metrics who calls.
A name may have two keys at a time, so that a caller can change from one to the other.`,
		Example: "  ingot keys create alice\n  ingot keys create ci --requests-per-minute 60 --tokens-per-minute 40000 --expires 90d\n  KEY=$(ingot keys create ci)",
		Args:    screen.Arguments(1, 1, "the NAME of the key"),
		RunE: func(_ *cobra.Command, args []string) error {
			var err error
			if o.Life, err = life(expires); err != nil {
				return err
			}
			s, err := a.store()
			if err != nil {
				return err
			}
			secret, e, err := s.Create(args[0], o)
			if err != nil {
				return err
			}
			if asJSON {
				r := recordOf(e)
				r.Key = secret
				return a.JSON(r)
			}
			a.Say("Key %s of %s; it is shown this once:", e.ID(), e.Name)
			a.Print("%s", secret)
			return nil
		},
	}
	cmd.Flags().IntVar(&o.RequestsPerMinute, "requests-per-minute", 0, "refuse more requests in a minute with 429; 0 is no limit")
	cmd.Flags().IntVar(&o.TokensPerMinute, "tokens-per-minute", 0, "refuse what would read and write more tokens in a minute with 429; 0 is no limit")
	cmd.Flags().StringVar(&expires, "expires", "", "end the key by itself after a time such as 90d or 12h; without it, when it is revoked")
	cmd.Flags().BoolVar(&o.Admin, "admin", false, "may also see the metrics from other machines")
	screen.JSONFlag(cmd, &asJSON)
	return cmd
}

// life reads a time such as 90d or 12h; an empty one is no end.
func life(text string) (time.Duration, error) {
	if text == "" {
		return 0, nil
	}
	const day, most = 24 * time.Hour, 36500
	d, err := time.ParseDuration(text)
	if days, ok := strings.CutSuffix(text, "d"); ok {
		var n int
		n, err = strconv.Atoi(days)
		d = time.Duration(min(n, most)) * day
	}
	if err != nil || d <= 0 {
		return 0, screen.Misuse("--expires %q is no time: write it as 90d or 12h", text)
	}
	return d, nil
}

func (a *verbs) list() *cobra.Command {
	var asJSON bool
	cmd := &cobra.Command{
		Use:   "list",
		Short: "List the keys, ended ones too",
		Long:  "List the keys of the data folder, oldest first and those too that are revoked or expired. The keys themselves are not known.",
		Args:  screen.Arguments(0, 0, ""),
		RunE: func(*cobra.Command, []string) error {
			s, err := a.store()
			if err != nil {
				return err
			}
			entries, err := s.List()
			if err != nil {
				return err
			}
			records, rows := []keyRecord{}, [][]string{{"ID", "NAME", "CREATED", "REQUESTS/MIN", "TOKENS/MIN", "ADMIN", "EXPIRES", "REVOKED"}}
			for _, e := range entries {
				records = append(records, recordOf(e))
				rows = append(rows, []string{e.ID(), e.Name, screen.Day(e.Created), limit(e.RequestsPerMinute), limit(e.TokensPerMinute), screen.Yes(e.Admin), expiry(e.Expires), screen.Day(e.Revoked)})
			}
			if asJSON {
				return a.JSON(records)
			}
			if len(entries) == 0 {
				a.Say("No keys: `ingot keys create NAME` makes one.")
				return nil
			}
			a.Table(rows)
			return nil
		},
	}
	screen.JSONFlag(cmd, &asJSON)
	return cmd
}

func (a *verbs) revoke() *cobra.Command {
	return &cobra.Command{
		Use:     "revoke NAME|ID",
		Short:   "End a key",
		Long:    "End a key: who has it is refused from now on, by a running endpoint too. Where a name has two keys, say which by its ID.",
		Example: "  ingot keys revoke alice\n  ingot keys revoke 0b5e7f21c9aa",
		Args:    screen.Arguments(1, 1, "the NAME or ID of the key"),

		ValidArgsFunction: screen.Complete(1, a.live),
		RunE: func(_ *cobra.Command, args []string) error {
			s, err := a.store()
			if err != nil {
				return err
			}
			e, err := s.Revoke(args[0])
			if err != nil {
				return err
			}
			a.Say("Revoked key %s of %s.", e.ID(), e.Name)
			return nil
		},
	}
}

// live names the keys that can be revoked.
func (a *verbs) live(context.Context) []string {
	s, err := a.store()
	if err != nil {
		return nil
	}
	entries, err := s.List()
	if err != nil {
		return nil
	}
	var names []string
	for _, e := range entries {
		if e.Admits() && !slices.Contains(names, e.Name) {
			names = append(names, e.Name)
		}
	}
	return names
}

// limit is a number a minute, where there is one.
func limit(n int) string {
	if n <= 0 {
		return "-"
	}
	return strconv.Itoa(n)
}

// expiry is the day a key ends on, and whether it has.
func expiry(t time.Time) string {
	if !t.IsZero() && !t.After(time.Now()) {
		return screen.Day(t) + " (over)"
	}
	return screen.Day(t)
}
