package input

import "github.com/ingot-llm/ingot/internal/llm"

// Unsupported is the error of a member that the API has and this endpoint has not.
func Unsupported(member, why string) *llm.Error {
	var f fields
	f.unsupported(why, member)
	return f.err
}

// Invalid is the error of a member's value.
func Invalid(member, msg string) *llm.Error {
	var f fields
	f.fail(llm.Invalid, "value_error", msg, member)
	return f.err
}
