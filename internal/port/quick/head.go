package quick

import (
	"bytes"
	"net/http"
	"net/url"
	"strconv"
	"strings"

	"github.com/ingot-llm/ingot/internal/head"
)

// remembered is the head of a connection's last request: clients say the same again, but for the length of what follows.
type remembered struct {
	raw           string        // all of it
	digits, after int           // of the length, in raw; both its end where it tells none
	request       *http.Request // without its body
	names         head.Names
}

// posts reports whether the request had a body.
func (h *remembered) posts() bool { return h.request != nil && h.request.Method == http.MethodPost }

// version ends the first line of a head.
const version = " HTTP/1.1"

// blank ends a head.
var blank = []byte("\r\n\r\n")

// read reads a head that ends with its blank line, and returns the length of the body. It reports false where the head is of no
// usual form, which is any that http.ReadRequest might refuse or that asks for more than an answer.
func (h *remembered) read(b []byte) (length int64, ok bool) {
	if h.raw != "" && len(b) >= h.digits && string(b[:h.digits]) == h.raw[:h.digits] {
		end := h.digits
		for end < len(b) && b[end] >= '0' && b[end] <= '9' {
			end++
		}
		if string(b[end:]) == h.raw[h.after:] {
			return number(b[h.digits:end], h.digits == h.after)
		}
	}
	return h.parse(string(b))
}

// number is a length as digits, of which there may be none only where none is told.
func number(digits []byte, untold bool) (int64, bool) {
	if untold {
		return 0, len(digits) == 0
	}
	n, err := strconv.ParseUint(string(digits), 10, 62)
	return int64(n), err == nil
}

func (h *remembered) parse(raw string) (length int64, ok bool) {
	*h = remembered{names: h.names}
	first, rest, _ := strings.Cut(raw[:len(raw)-len("\r\n")], "\r\n")
	method, target, _ := strings.Cut(first, " ")
	target, found := strings.CutSuffix(target, version)
	if !found || method != http.MethodPost && method != http.MethodGet || !strings.HasPrefix(target, "/") ||
		strings.Contains(target, " ") || head.Printable(target) < len(target) {
		return 0, false
	}
	at, err := url.ParseRequestURI(target)
	if err != nil {
		return 0, false
	}
	const most = 64 // of a usual head's lines: what is remembered of each takes many times its bytes
	n := strings.Count(rest, "\r\n")
	if n > most {
		return 0, false
	}
	next := remembered{raw: raw, digits: len(raw), after: len(raw)}
	header, values, host, told := make(http.Header, n), make([]string, 0, n), "", false
	if !h.names.Lines(rest, func(name, value string, at int) bool {
		switch name {
		case "Host":
			once := host == ""
			host = value
			return once && hostname(value)
		case "Content-Length":
			once := !told
			told = true
			next.digits = len(first) + len("\r\n") + at
			next.after = next.digits + len(value)
			length, ok = number([]byte(value), false)
			return once && ok
		case "Connection":
			if !strings.EqualFold(value, "keep-alive") {
				return false
			}
		case "Transfer-Encoding", "Trailer", "Upgrade", "Expect", "Te", "Http2-Settings", "Pragma", "Proxy-Connection":
			return false
		}
		values = head.Add(header, values, name, value)
		return true
	}) || host == "" || told != (method == http.MethodPost) {
		return 0, false
	}
	next.request = &http.Request{
		Method: method, URL: at, Proto: "HTTP/1.1", ProtoMajor: 1, ProtoMinor: 1, Header: header, Body: http.NoBody, Host: host, RequestURI: target,
	}
	next.names = h.names
	*h = next
	return length, true
}

// hostname reports whether s may be what a Host says: a name or an address, and a port.
func hostname(s string) bool {
	return s != "" && strings.IndexFunc(s, func(c rune) bool {
		return (c < '0' || c > '9') && (c < 'A' || c > 'Z') && (c < 'a' || c > 'z') && !strings.ContainsRune("-._:[]", c)
	}) < 0
}

// odd reports whether a head that has not ended yet will be of no usual form.
func odd(b []byte) bool {
	begins := func(usual string) bool {
		n := min(len(b), len(usual))
		return string(b[:n]) == usual[:n]
	}
	line, _, whole := bytes.Cut(b, blank[:2])
	return !begins("POST /") && !begins("GET /") || whole && !bytes.HasSuffix(line, []byte(version)) || bytes.Count(b, []byte("\n")) != bytes.Count(b, []byte("\r\n"))
}
