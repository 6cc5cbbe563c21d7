package request

import (
	"strconv"
	"unicode/utf8"

	"github.com/ingot-llm/ingot/internal/jsonx"
)

// atMost decodes a count from 0 to most.
func (f *fields) atMost(v jsonx.Value, most int64, loc ...any) *int {
	if n := f.integer(v, 0, most, loc...); n != nil {
		return new(int(*n))
	}
	return nil
}

// bias checks logit_bias: numbers from -100 to 100 by token id (doc/protocol.md §4.1).
func (f *fields) bias(v jsonx.Value) []byte {
	const name, most, far = "logit_bias", 4096, 100
	if v.Null() || !f.object(v, name) {
		return nil
	}
	n := 0
	for id, b := range v.Members() {
		if n++; n > most {
			f.fail("too_long", "Dictionary should have at most "+strconv.Itoa(most)+" items", nil, name)
			return nil
		}
		if _, err := strconv.ParseUint(id, 10, 31); err != nil {
			f.fail("int_parsing", "Its names should be token ids", jsonx.AppendString(nil, id), name, id)
		}
		if b.Null() {
			f.fail("float_type", "Input should be a valid number", b, name, id)
		}
		f.number(b, -far, far, name, id)
	}
	return v
}

// securityContext checks user_security_context, which is meant for the service and not for a model (doc/protocol.md §3.1).
func (f *fields) securityContext(v jsonx.Value) {
	const name = "user_security_context"
	if v.Null() || !f.object(v, name) {
		return
	}
	for member, x := range v.Members() {
		if x.Null() {
			continue
		}
		switch member {
		case "application_name":
			f.sized(x, 0, 100, name, member)
		case "end_user_id", "end_user_tenant_id":
			if t, ok := f.text(x, name, member); ok && !isGUID(t.String()) {
				f.fail("uuid_parsing", "Input should be a valid UUID", x, name, member)
			}
		case "source_ip":
			f.sized(x, 2, 45, name, member)
		}
	}
}

// sized checks a string of low to high characters.
func (f *fields) sized(v jsonx.Value, low, high int, loc ...any) {
	t, ok := f.text(v, loc...)
	if !ok {
		return
	}
	switch n := utf8.RuneCountInString(t.String()); {
	case n < low:
		f.fail("string_too_short", "String should have at least "+strconv.Itoa(low)+" characters", v, loc...)
	case n > high:
		f.fail("string_too_long", "String should have at most "+strconv.Itoa(high)+" characters", v, loc...)
	}
}

func isGUID(s string) bool {
	const size = 36
	if len(s) != size {
		return false
	}
	for i := range len(s) {
		c := s[i]
		if i == 8 || i == 13 || i == 18 || i == 23 {
			if c != '-' {
				return false
			}
		} else if (c < '0' || c > '9') && (c|0x20 < 'a' || c|0x20 > 'f') {
			return false
		}
	}
	return true
}
