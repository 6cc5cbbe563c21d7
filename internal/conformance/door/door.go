// Package door checks what is around the operations: paths, versions, keys, headers, bodies, errors,
// extra parameters, /info, and how a model is named.
package door

import (
	"slices"

	"github.com/ingot-llm/ingot/internal/conformance/check"
)

// Checks lists the checks of this package.
func Checks() []check.Check {
	return slices.Concat(routes(), versions(), check.For(check.Keys, keys()), headers(), bodies(), refusals(), extra(),
		check.For(check.Info, info()), names(), special())
}

const chatPath = "/chat/completions"

const plainChat = `{"messages":[{"role":"user","content":"Say this"}],"max_tokens":4}`
