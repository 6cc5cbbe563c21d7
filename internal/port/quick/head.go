package quick

import (
	"bytes"
	"net/http"
	"net/textproto"
	"net/url"
	"strconv"
	"strings"
)

// head is the head of a connection's last request: clients say the same again, but for the length of what follows.
type head struct {
	raw           string        // all of it
	digits, after int           // of the length, in raw; both its end where it tells none
	request       *http.Request // without its body
}

// posts reports whether the request had a body.
func (h *head) posts() bool { return h.request != nil && h.request.Method == http.MethodPost }

// blank ends a head.
var blank = []byte("\r\n\r\n")

// read reads a head that ends with its blank line, and returns the length of the body. It reports false where the head is of no
// usual form, which is any that http.ReadRequest might refuse or that asks for more than an answer.
func (h *head) read(b []byte) (length int64, ok bool) {
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

func (h *head) parse(raw string) (length int64, ok bool) {
	*h = head{}
	if !plain(raw) {
		return 0, false
	}
	first, rest, _ := strings.Cut(raw[:len(raw)-len("\r\n")], "\r\n")
	method, target, _ := strings.Cut(first, " ")
	target, found := strings.CutSuffix(target, " HTTP/1.1")
	if !found || method != http.MethodPost && method != http.MethodGet || !strings.HasPrefix(target, "/") || strings.Contains(target, " ") {
		return 0, false
	}
	at, err := url.ParseRequestURI(target)
	if err != nil {
		return 0, false
	}
	n := strings.Count(rest, "\r\n")
	next := head{raw: raw, digits: len(raw), after: len(raw)}
	header, host := make(http.Header, n), ""
	values := make([]string, 0, n)
	told := false
	for place := len(first) + len("\r\n"); rest != ""; {
		line, after, _ := strings.Cut(rest, "\r\n")
		name, value, found := strings.Cut(line, ":")
		if !found || !token(name) {
			return 0, false
		}
		name, value = textproto.CanonicalMIMEHeaderKey(name), strings.Trim(value, " ")
		switch name {
		case "Host":
			if host != "" || !hostname(value) {
				return 0, false
			}
			host = value
		case "Content-Length":
			if told {
				return 0, false
			}
			told = true
			next.digits = place + strings.LastIndex(line, value)
			next.after = next.digits + len(value)
			if length, ok = number([]byte(value), false); !ok {
				return 0, false
			}
		case "Connection":
			if !strings.EqualFold(value, "keep-alive") {
				return 0, false
			}
		case "Transfer-Encoding", "Trailer", "Upgrade", "Expect", "Te", "Http2-Settings", "Pragma", "Proxy-Connection":
			return 0, false
		default:
			values = append(values, value)
			if header[name] == nil {
				header[name] = values[len(values)-1 : len(values) : len(values)]
			} else {
				header[name] = append(header[name], value)
			}
		}
		place += len(line) + len("\r\n")
		rest = after
	}
	if host == "" || told != (method == http.MethodPost) {
		return 0, false
	}
	next.request = &http.Request{
		Method: method, URL: at, Proto: "HTTP/1.1", ProtoMajor: 1, ProtoMinor: 1, Header: header, Body: http.NoBody, Host: host, RequestURI: target,
	}
	*h = next
	return length, true
}

// plain reports whether s is lines of printable ASCII.
func plain(s string) bool {
	for i := range len(s) {
		switch c := s[i]; {
		case c >= ' ' && c <= '~':
		case c == '\r' && i+1 < len(s) && s[i+1] == '\n':
		case c == '\n' && i > 0 && s[i-1] == '\r':
		default:
			return false
		}
	}
	return true
}

// token reports whether s names a header.
func token(s string) bool {
	return s != "" && strings.IndexFunc(s, func(c rune) bool {
		return (c < '0' || c > '9') && (c < 'A' || c > 'Z') && (c < 'a' || c > 'z') && !strings.ContainsRune("!#$%&'*+-.^_`|~", c)
	}) < 0
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
	return !begins("POST /") && !begins("GET /") || bytes.Count(b, []byte("\n")) != bytes.Count(b, []byte("\r\n"))
}
