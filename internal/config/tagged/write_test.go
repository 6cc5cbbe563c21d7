package tagged_test

import (
	"strings"
	"testing"

	"github.com/ingot-llm/ingot/internal/config/tagged"
)

func TestWhatIsShownHoldsNoSecret(t *testing.T) {
	type settings struct {
		Key string `yaml:"key" secret:"true"`
		Say string `yaml:"say" secret:"inside"`
	}
	for text, want := range map[string]string{
		"http://me:sesame@127.0.0.1:3128":             `"http://me:(hidden)@127.0.0.1:3128"`,
		"http://:sesame@127.0.0.1:3128":               `"http://:(hidden)@127.0.0.1:3128"`,
		"socks5://me:ses:ame@proxy:1080":              `"socks5://me:(hidden)@proxy:1080"`,
		"http://127.0.0.1:3128":                       `"http://127.0.0.1:3128"`,
		"http://127.0.0.1:3128/a@b":                   `"http://127.0.0.1:3128/a@b"`,
		"run --api-key sesame --at http://a:sesame@b": `"run --api-key (hidden) --at http://a:(hidden)@b"`,
	} {
		shown := string(tagged.Write(settings{Key: "sesame", Say: text}, true, nil))
		if strings.Contains(shown, "sesame") || !strings.Contains(shown, "say: "+want) {
			t.Errorf("%s is shown as\n%s", text, shown)
		}
		if whole := string(tagged.Write(settings{Say: text}, false, nil)); !strings.Contains(whole, text) {
			t.Errorf("%s is written as\n%s", text, whole)
		}
	}
}
