package talk

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"time"

	"github.com/ingot-llm/ingot/client"
	"github.com/ingot-llm/ingot/internal/nearest"
)

// UnknownError says that an endpoint has no deployment of a name.
type UnknownError struct {
	Name  string
	Known []string // the deployments it has, as far as it tells
}

// Error names the nearest deployment, and all of them.
func (e *UnknownError) Error() string {
	text := fmt.Sprintf("the endpoint has no deployment %q", e.Name)
	if n := nearest.Name(e.Name, e.Known); n != "" {
		text += fmt.Sprintf("; did you mean %q?", n)
	}
	if len(e.Known) > 0 {
		text += "\nIt has: " + strings.Join(e.Known, ", ")
	}
	return text
}

// CanBeName says whether a deployment may be called so; a prompt of several words is no name.
func CanBeName(word string) bool {
	const longest = 128
	return word != "" && len(word) <= longest && !strings.ContainsFunc(word, func(r rune) bool { return r <= ' ' || r == 0x7f })
}

// nobody is a name that no deployment can have: asked for it, an endpoint tells those it has.
const nobody = "?"

// Use lets the deployment called name answer from now on. Where the endpoint has none of that name
// the error is an *UnknownError, and nothing changes.
func (c *Talk) Use(ctx context.Context, name string) error {
	const patience = 20 * time.Second
	ctx, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	asked := name
	if !CanBeName(name) {
		asked = nobody // it is a prompt, which is nothing to put into an address
	}
	_, err := c.Models.Info(ctx, asked)
	if e, ok := errors.AsType[*client.Error](err); ok && (e.Status == http.StatusNotFound || e.Code == "unknown_model") {
		return &UnknownError{name, known(e.Message)}
	}
	if err != nil {
		return fmt.Errorf("ask the endpoint: %w", Explain(err))
	}
	if asked != name {
		return &UnknownError{Name: name}
	}
	// An endpoint may let one model answer under the names of others, which is for programs and not for whoever asks for one.
	if all, err := c.Deployments(ctx); err == nil && len(all) > 0 && !slices.ContainsFunc(all, func(n string) bool { return strings.EqualFold(n, name) || n == "…" }) {
		return &UnknownError{name, all}
	}
	c.Request.Model = name
	return nil
}

// known reads the deployments out of a refusal.
func known(message string) []string {
	_, list, told := strings.Cut(message, "Deployments: ")
	list = strings.TrimSuffix(list, ".")
	if !told || list == "" {
		return nil
	}
	return strings.Split(list, ", ")
}

// Deployments lists the deployments of the endpoint, as far as it tells them.
func (c *Talk) Deployments(ctx context.Context) ([]string, error) {
	_, err := c.Models.Info(ctx, nobody)
	if e, ok := errors.AsType[*client.Error](err); ok && (e.Status == http.StatusNotFound || e.Code == "unknown_model") {
		return known(e.Message), nil
	}
	if err != nil {
		return nil, fmt.Errorf("ask the endpoint: %w", Explain(err))
	}
	return nil, nil
}

// change obeys /model: it lists the deployments, or changes to the one that is named.
func (c *Talk) change(ctx context.Context, name string) {
	if name != "" {
		if err := c.Use(ctx, name); err != nil {
			c.Say("(%v)", err)
			return
		}
		c.Say("(%s answers from now on.)", name)
		return
	}
	names, err := c.Deployments(ctx)
	switch {
	case err != nil:
		c.Say("(%v)", err)
	case len(names) == 0:
		c.Say("(The endpoint does not tell its deployments.)")
	default:
		c.Say("(The endpoint has: %s)", strings.Join(names, ", "))
	}
}
