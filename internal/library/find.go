package library

// Find returns the model that a reference stands for, if it is here; else a *NotHereError.
// It takes the references of Pull and needs no network.
func (l *Library) Find(reference string) (Model, error) {
	t, err := l.resolve(reference)
	if err != nil {
		return Model{}, err
	}
	m, here, err := l.current(t)
	if err != nil {
		return Model{}, err
	}
	if !here {
		return Model{}, &NotHereError{Name: reference, Known: true}
	}
	return m, nil
}

// Reference is what a reference stands for.
type Reference struct {
	Name   string // of the model
	Source string // where it would come from; empty for a model of the catalogue
	File   bool   // Source is a file of this machine, which exists
}

// Resolve finds out what a reference of Pull stands for, and says what is wrong with it as far as
// that can be told without a network.
func (l *Library) Resolve(reference string) (Reference, error) {
	t, err := l.resolve(reference)
	if err != nil {
		return Reference{}, err
	}
	if t.catalog {
		return Reference{Name: t.name}, nil
	}
	r := Reference{Name: t.name, Source: t.entry.Sources[0].Ref}
	if parsed, err := parseRef(r.Source); err == nil && parsed.scheme == "file" {
		r.File = true
		if _, err := lookAt(parsed); err != nil {
			return Reference{}, err
		}
	}
	_, _, err = l.current(t)
	return r, err
}
