package jsonx

import "strconv"

// Writer appends one JSON value piece by piece and sets the commas. Its caller gives every member of an object
// a name and no element of an array one, and ends what it begins. The zero Writer is ready; it is for one goroutine.
type Writer struct {
	// Bytes is what was written so far. A value that the methods cannot write is appended to what Next returns.
	Bytes []byte
	comma bool // a value stands before the next
}

// Next returns Bytes, after which one value may be appended: w.Bytes = appendValue(w.Next()).
func (w *Writer) Next() []byte {
	if w.comma {
		w.Bytes = append(w.Bytes, ',')
	}
	w.comma = true
	return w.Bytes
}

// BeginObject begins an object: an element, or the value of the Member before it.
func (w *Writer) BeginObject() { w.Bytes, w.comma = append(w.Next(), '{'), false }

// EndObject ends the innermost object.
func (w *Writer) EndObject() { w.Bytes, w.comma = append(w.Bytes, '}'), true }

// BeginArray begins an array: an element, or the value of the Member before it.
func (w *Writer) BeginArray() { w.Bytes, w.comma = append(w.Next(), '['), false }

// EndArray ends the innermost array.
func (w *Writer) EndArray() { w.Bytes, w.comma = append(w.Bytes, ']'), true }

// Member writes the name of a member, whose value is the next one.
func (w *Writer) Member(name string) {
	w.Bytes, w.comma = append(AppendString(w.Next(), name), ':'), false
}

// Str writes a member that is a string.
func (w *Writer) Str(name, v string) {
	w.Member(name)
	w.Bytes = AppendString(w.Next(), v)
}

// Bool writes a member that is true or false.
func (w *Writer) Bool(name string, v bool) {
	w.Member(name)
	w.Bytes = strconv.AppendBool(w.Next(), v)
}

// Int writes a member that is a whole number.
func (w *Writer) Int(name string, v int64) {
	w.Member(name)
	w.Bytes = strconv.AppendInt(w.Next(), v, 10)
}

// Float writes a member that is a number, as AppendFloat does.
func (w *Writer) Float(name string, v float64) {
	w.Member(name)
	w.Bytes = AppendFloat(w.Next(), v, 64)
}

// Null writes a member that is null.
func (w *Writer) Null(name string) {
	w.Member(name)
	w.Bytes = append(w.Next(), "null"...)
}

// Raw writes a member that is JSON already; nothing where v is absent.
func (w *Writer) Raw(name string, v []byte) {
	if len(v) > 0 {
		w.Member(name)
		w.Bytes = append(w.Next(), v...)
	}
}
