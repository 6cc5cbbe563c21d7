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
