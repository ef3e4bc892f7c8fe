package depot

// WithStep has step told of each operation on the disk before it is done.
func WithStep(step func(op, path string)) Option { return stepOption(step) }

type stepOption func(op, path string)

func (s stepOption) apply(d *Depot) { d.step = s }

// WithStep has step told of each operation on the disk before it is done.
func (c Config) WithStep(step func(op, path string)) Config {
	c.step = step
	return c
}

// RewriteState reads depot.yaml and writes it again.
func RewriteState(data []byte) ([]byte, error) {
	st, err := parseState(data)
	if err != nil {
		return nil, err
	}
	return st.encode(), nil
}

// RewriteRegister reads a register and writes it again.
func RewriteRegister(data []byte) ([]byte, error) {
	all, err := parseRegister(registerFile, data)
	if err != nil {
		return nil, err
	}
	return encodeRegister(all), nil
}
