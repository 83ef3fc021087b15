package connection

import "context"

// first calls ask for every address at once and returns the first answer, or
// what each of them failed with. The others are cancelled and left to end by
// their own deadlines.
func first[T any](ctx context.Context, addresses []string, ask func(context.Context, string) (T, error)) (T, []error) {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	type answer struct {
		index int
		value T
		err   error
	}
	answers := make(chan answer, len(addresses))
	for i, address := range addresses {
		go func() {
			value, err := ask(ctx, address)
			answers <- answer{index: i, value: value, err: err}
		}()
	}
	errs := make([]error, len(addresses))
	for range addresses {
		a := <-answers
		if a.err == nil {
			return a.value, nil
		}
		errs[a.index] = a.err
	}
	var none T
	return none, errs
}
