package azureai_test

import (
	"fmt"
	"slices"
	"strconv"
	"strings"
)

const allNames = "Deployments: echo, think, vectors, openai/gpt-4o, two words, cut, fail, busy, slow, chat."

// quote is a JSON string; the texts of these tests need no escapes that Go writes otherwise.
func quote(s string) string { return strconv.Quote(s) }

func orNull(s string) string {
	if s == "" {
		return "null"
	}
	return quote(s)
}

// errorBody is the nested error of doc/protocol.md §7.1.
func errorBody(status int, code, message, kind, param string) string {
	target := ""
	if param != "" {
		target = `"target":` + quote(param) + ","
	}
	return fmt.Sprintf(`{"error":{"code":%s,"message":%s,"type":%s,"param":%s,%s"status":%d,"details":[]}}`, quote(code), quote(message), orNull(kind), orNull(param), target, status)
}

// refusal is an error whose body is only the nested one, and no more headers than every error has.
func refusal(status int, code, message, kind, param string, headers ...string) string {
	return fmt.Sprintf("%d\n", status) + heads(code, headers) + "\n" + errorBody(status, code, message, kind, param)
}

// heads are the headers of an error in order of their names.
func heads(code string, more []string) string {
	all := append([]string{"content-type: application/json", "x-ms-error-code: " + code}, more...)
	slices.Sort(all)
	return strings.Join(all, "\n") + "\n"
}
