package auth_test

import (
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/ingot-llm/ingot/internal/auth"
	"github.com/ingot-llm/ingot/internal/llm"
)

func TestEveryClientsHeadersAreUnderstood(t *testing.T) {
	keys := auth.New([]auth.Key{{Secret: "K", Caller: llm.Caller{Name: "dev", RequestsPerMinute: 60}}}, nil)
	for _, c := range []struct {
		name   string
		header http.Header
		want   []string
		ok     bool
	}{
		{"Python and JS: both", http.Header{"Api-Key": {"K"}, "Authorization": {"Bearer K"}}, []string{"K"}, true},
		{".NET: both, of which one is right", http.Header{"Api-Key": {"old"}, "Authorization": {"Bearer K"}}, []string{"old", "K"}, true},
		{"Java: api-key and a bare Authorization", http.Header{"Api-Key": {"K"}, "Authorization": {"K"}}, []string{"K"}, true},
		{"Java: a bare Authorization", http.Header{"Authorization": {"K"}}, []string{"K"}, true},
		{"OpenAI and curl: Bearer", http.Header{"Authorization": {"Bearer K"}}, []string{"K"}, true},
		{"Bearer in any case, and blanks", http.Header{"Authorization": {"  bEARER \t K "}}, []string{"K"}, true},
		{"AzureOpenAI: api-key", http.Header{"Api-Key": {"K"}}, []string{"K"}, true},
		{"AzureOpenAI: a token", http.Header{"Authorization": {"Bearer a.b.c"}}, []string{"a.b.c"}, false},
		{"GitHub Models: a token", http.Header{"Authorization": {"Bearer ghp_x"}}, []string{"ghp_x"}, false},
		{"Python: an empty Bearer beside the key", http.Header{"Api-Key": {"K"}, "Authorization": {"Bearer "}}, []string{"K"}, true},
		{"a Bearer whose blank the server cut", http.Header{"Authorization": {"Bearer"}}, nil, false},
		{"an empty api-key beside the token", http.Header{"Api-Key": {" "}, "Authorization": {"Bearer K"}}, []string{"K"}, true},
		{"several values", http.Header{"Api-Key": {"a", "b"}, "Authorization": {"Bearer c", "K"}}, []string{"a", "b", "c", "K"}, true},
		{"a key that begins like the scheme", http.Header{"Authorization": {"bearerK"}}, []string{"bearerK"}, false},
		{"another scheme", http.Header{"Authorization": {"Basic K"}}, []string{"Basic K"}, false},
		{"nothing", http.Header{}, nil, false},
		{"only the first few of many", http.Header{"Api-Key": strings.Split("1 2 3 4 5 6 7 8 K", " ")}, strings.Split("1 2 3 4 5 6 7 8", " "), false},
		{"nothing of a monstrous one", http.Header{"Api-Key": {strings.Repeat("K", 16<<10+1)}}, nil, false},
	} {
		t.Run(c.name, func(t *testing.T) {
			got := auth.Candidates(c.header)
			if diff := cmp.Diff(c.want, got); diff != "" {
				t.Errorf("candidates (-want +got):\n%s", diff)
			}
			caller, ok := keys.Verify(got)
			if ok != c.ok || ok && caller.Name != "dev" || !ok && caller != (llm.Caller{}) {
				t.Errorf("got %+v, %v; want ok %v", caller, ok, c.ok)
			}
		})
	}
}

func TestTheFirstCandidateAndTheFirstListedCount(t *testing.T) {
	keys := auth.New([]auth.Key{
		{Secret: "one", Caller: llm.Caller{Name: "first", Admin: true}},
		{Secret: "two", Caller: llm.Caller{Name: "second"}},
		{Secret: "one", Caller: llm.Caller{Name: "third"}},
		{Secret: "", Caller: llm.Caller{Name: "blank"}},
	}, nil)
	for _, c := range []struct {
		candidates []string
		want       string
	}{{[]string{"one"}, "first"}, {[]string{"two", "one"}, "second"}, {[]string{"x", "one", "two"}, "first"}, {[]string{"", "ONE"}, ""}, {nil, ""}} {
		if got, ok := keys.Verify(c.candidates); got.Name != c.want || ok != (c.want != "") {
			t.Errorf("%q: got %+v, %v; want %q", c.candidates, got, ok, c.want)
		}
	}
	if _, ok := auth.New(nil, nil).Verify([]string{"one", ""}); ok {
		t.Error("no keys admit somebody")
	}
}

func TestTheEnvironmentGivesItsKeys(t *testing.T) {
	env := map[string]string{"INGOT_KEY": " a\n", "INGOT_LIMITED_KEY": "b"}
	lookup := func(name string) (string, bool) { v, ok := env[name]; return v, ok }
	plain := auth.Key{Secret: "a", Caller: llm.Caller{Name: "ingot-key"}}
	limited := auth.Key{Secret: "b", Caller: llm.Caller{Name: "ingot-limited-key", RequestsPerMinute: 5}}
	if diff := cmp.Diff([]auth.Key{plain}, auth.Environment(lookup, false)); diff != "" {
		t.Errorf("without mock (-want +got):\n%s", diff)
	}
	if diff := cmp.Diff([]auth.Key{plain, limited}, auth.Environment(lookup, true)); diff != "" {
		t.Errorf("with mock (-want +got):\n%s", diff)
	}
	env["INGOT_KEYS"] = "c, d\n,,e"
	var names, secrets []string
	for _, k := range auth.Environment(lookup, false) {
		names, secrets = append(names, k.Caller.Name), append(secrets, k.Secret)
	}
	if diff := cmp.Diff([]string{"ingot-key", "ingot-keys-1", "ingot-keys-2", "ingot-keys-3"}, names); diff != "" {
		t.Errorf("several (-want +got):\n%s", diff)
	}
	if diff := cmp.Diff([]string{"a", "c", "d", "e"}, secrets); diff != "" {
		t.Errorf("several (-want +got):\n%s", diff)
	}
	env["INGOT_KEY"], env["INGOT_KEYS"] = "  ", " , "
	if got := auth.Environment(lookup, false); got != nil {
		t.Errorf("blank: got %+v", got)
	}
}

func TestStoredKeysAdmitUntilRevoked(t *testing.T) {
	s := auth.Store{Path: filepath.Join(t.TempDir(), "keys.json")}
	if list, err := s.List(); err != nil || list != nil {
		t.Fatalf("no file: got %v, %v", list, err)
	}
	first, e1, err := s.Create("ci", auth.CreateOptions{RequestsPerMinute: 30, TokensPerMinute: 9000, Admin: true})
	if err != nil {
		t.Fatal(err)
	}
	second, e2, err := s.Create("ci", auth.CreateOptions{})
	if err != nil {
		t.Fatal(err)
	}
	if _, _, err := s.Create("ci", auth.CreateOptions{}); err == nil || !strings.Contains(err.Error(), e1.ID()) {
		t.Errorf("a third of one name: got %v, want the two that are there", err)
	}
	data, err := os.ReadFile(s.Path)
	if err != nil {
		t.Fatal(err)
	}
	if strings.Contains(string(data), first) || !strings.Contains(string(data), e1.Hash) {
		t.Errorf("the file should hold hashes only:\n%s", data)
	}
	if info, err := os.Stat(s.Path); err != nil || runtime.GOOS != "windows" && info.Mode().Perm() != 0o600 {
		t.Errorf("got %v, %v; want 0600", info.Mode(), err)
	}
	admitted := func() (names []string) {
		entries, err := auth.Load(s.Path)
		if err != nil {
			t.Fatal(err)
		}
		keys := auth.New(nil, entries)
		for _, secret := range []string{first, second} {
			if c, ok := keys.Verify([]string{secret}); ok {
				names = append(names, fmt.Sprintf("%s %d %d %v", c.Name, c.RequestsPerMinute, c.TokensPerMinute, c.Admin))
			}
		}
		return names
	}
	if diff := cmp.Diff([]string{"ci 30 9000 true", "ci 0 0 false"}, admitted()); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
	if _, err := s.Revoke("ci"); err == nil || !strings.Contains(err.Error(), e2.ID()) {
		t.Errorf("revoke one of two by name: got %v, want which there are", err)
	}
	if got, err := s.Revoke(e1.ID()); err != nil || got.Hash != e1.Hash || time.Since(got.Revoked) > time.Minute {
		t.Errorf("got %+v, %v", got, err)
	}
	if diff := cmp.Diff([]string{"ci 0 0 false"}, admitted()); diff != "" {
		t.Errorf("one revoked (-want +got):\n%s", diff)
	}
	if _, err := s.Revoke("ci"); err != nil {
		t.Error(err)
	}
	if _, err := s.Revoke(e1.ID()); err == nil {
		t.Error("revoked twice")
	}
	if got := admitted(); got != nil {
		t.Errorf("all revoked: got %v", got)
	}
	if left, err := os.ReadDir(filepath.Dir(s.Path)); err != nil || len(left) != 1 {
		t.Errorf("got %v, %v; want keys.json and nothing left over", left, err)
	}
}

func TestKeysEndByThemselves(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := auth.Store{Path: filepath.Join(t.TempDir(), "keys.json")}
		secret, e, err := s.Create("ci", auth.CreateOptions{Life: time.Hour})
		if err != nil || !e.Expires.Equal(e.Created.Add(time.Hour)) {
			t.Fatalf("got %+v, %v", e, err)
		}
		list, err := auth.Load(s.Path)
		if err != nil {
			t.Fatal(err)
		}
		keys := auth.New(nil, list) // as an endpoint has them that runs all the while
		time.Sleep(time.Hour - time.Second)
		if _, ok := keys.Verify([]string{secret}); !ok {
			t.Error("refused too early")
		}
		time.Sleep(time.Second)
		if _, ok := keys.Verify([]string{secret}); ok {
			t.Error("admitted after its end")
		}
		if _, err := s.Revoke("ci"); err == nil {
			t.Error("an expired key is revoked")
		}
		for range 2 {
			if _, _, err := s.Create("ci", auth.CreateOptions{}); err != nil {
				t.Errorf("an expired key counts for its name: %v", err)
			}
		}
	})
	if _, _, err := (auth.Store{Path: filepath.Join(t.TempDir(), "keys.json")}).Create("ci", auth.CreateOptions{Life: -1}); err == nil {
		t.Error("a key that ends before it is made")
	}
}

func TestALockOfAKilledProcessBlocksNobody(t *testing.T) {
	s := auth.Store{Path: filepath.Join(t.TempDir(), "keys.json")}
	if err := os.WriteFile(s.Path+".lock", nil, 0o600); err != nil {
		t.Fatal(err)
	}
	start := time.Now()
	if _, _, err := s.Create("ci", auth.CreateOptions{}); err != nil || time.Since(start) > 2*time.Second {
		t.Errorf("got %v after %s", err, time.Since(start))
	}
}

func TestAKeyFileHoldsOneKey(t *testing.T) {
	path := filepath.Join(t.TempDir(), "key")
	for text, want := range map[string]string{
		"k": "k", " k\r\n": "k", strings.Repeat("k", 4096) + "\n": strings.Repeat("k", 4096),
		"": "", "\n": "", "a b": "", "a\nb": "", "ä": "", strings.Repeat("k", 4097): "", strings.Repeat("k", 1<<20): "",
	} {
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		got, err := auth.ReadFile(path)
		if got != want || (err != nil) != (want == "") || err != nil && (!strings.Contains(err.Error(), path) || strings.Contains(err.Error(), "kkk")) {
			t.Errorf("%.10q: got %.10q, %v", text, got, err)
		}
	}
	for _, path := range []string{t.TempDir(), filepath.Join(t.TempDir(), "none")} {
		if _, err := auth.ReadFile(path); err == nil {
			t.Errorf("%s is read", path)
		}
	}
}

func TestConcurrentCreationsLoseNothing(t *testing.T) {
	s := auth.Store{Path: filepath.Join(t.TempDir(), "keys.json")}
	var all sync.WaitGroup
	for i := range 8 {
		all.Go(func() {
			if _, _, err := s.Create(fmt.Sprintf("n%d", i), auth.CreateOptions{}); err != nil {
				t.Error(err)
			}
		})
	}
	all.Wait()
	if list, err := s.List(); err != nil || len(list) != 8 {
		t.Errorf("got %d keys, %v; want 8", len(list), err)
	}
}

func TestBadNamesLimitsAndFilesAreRefused(t *testing.T) {
	s := auth.Store{Path: filepath.Join(t.TempDir(), "keys.json")}
	for _, name := range []string{"", "two words", "line\nbreak", strings.Repeat("n", 65), "github-token", "entra:t/o"} {
		if _, _, err := s.Create(name, auth.CreateOptions{}); err == nil {
			t.Errorf("name %q is taken", name)
		}
	}
	for _, o := range []auth.CreateOptions{{RequestsPerMinute: -1}, {TokensPerMinute: -1}} {
		if _, _, err := s.Create("n", o); err == nil {
			t.Errorf("a negative limit is taken: %+v", o)
		}
	}
	for text, want := range map[string]string{
		`{"keys": [`: "unexpected end of JSON input; restore the file",
		`{"keys": [{"name": "a", "hash": "00"}]}`:                 "keys[0] needs a name, the hex of a SHA-256",
		`{"keys": [{"hash": "` + strings.Repeat("0", 64) + `"}]}`: "keys[0] needs a name",
		strings.Repeat(" ", 5<<20):                                "larger than 4 MiB",
	} {
		if err := os.WriteFile(s.Path, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		if _, err := auth.Load(s.Path); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%.50s: got %v, want %q", text, err, want)
		}
	}
	if _, err := auth.Load(t.TempDir()); err == nil || !strings.Contains(err.Error(), "is not a file") {
		t.Errorf("a folder: got %v", err)
	}
}

func FuzzCandidates(f *testing.F) {
	f.Add("K", "Bearer K")
	f.Add("", "bearer\tK")
	f.Add(" ", "Bearer")
	f.Fuzz(func(t *testing.T, key, authorization string) {
		for _, c := range auth.Candidates(http.Header{"Api-Key": {key}, "Authorization": {authorization}}) {
			if strings.TrimSpace(c) != c || c == "" {
				t.Errorf("got %q", c)
			}
		}
	})
}
