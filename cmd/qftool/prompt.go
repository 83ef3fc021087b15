package main

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"strings"
)

// prompt asks on the terminal. Questions go to stderr, so that stdout holds
// results only.
type prompt struct {
	env    *env
	reader *bufio.Reader
}

func newPrompt(e *env) *prompt { return &prompt{e, bufio.NewReader(e.stdin)} }

// errNoAnswer is an end of the input where an answer was expected.
var errNoAnswer = errors.New("no answer; nothing was changed")

// line asks for a line; an empty one means preset.
func (p *prompt) line(ctx context.Context, question, preset string) (string, error) {
	if preset != "" {
		question += " [" + preset + "]"
	}
	fmt.Fprint(p.env.stderr, question+": ")
	type answer struct {
		text string
		err  error
	}
	answers := make(chan answer, 1)
	go func() {
		text, err := p.reader.ReadString('\n')
		if errors.Is(err, io.EOF) && text != "" {
			err = nil
		}
		answers <- answer{text, err}
	}()
	select {
	case a := <-answers:
		if errors.Is(a.err, io.EOF) {
			return "", errNoAnswer
		}
		if text := strings.TrimSpace(a.text); text != "" {
			return text, a.err
		}
		return preset, a.err
	case <-ctx.Done():
		// The read cannot be called off; the process ends with it pending.
		fmt.Fprintln(p.env.stderr)
		return "", errors.New("interrupted; nothing was changed")
	}
}

// yes asks a question that is answered with no unless somebody says yes.
func (p *prompt) yes(ctx context.Context, question string) (bool, error) {
	text, err := p.line(ctx, question+" (y/N)", "")
	if err != nil {
		return false, err
	}
	text = strings.ToLower(text)
	return text == "y" || text == "yes", nil
}
