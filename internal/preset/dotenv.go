package preset

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"syscall"
	"unicode/utf8"
)

// maxEnvironmentFile is as much as the kernel would pass on to a process.
const maxEnvironmentFile = 1 << 20

var variableName = regexp.MustCompile(`^[A-Za-z_][A-Za-z0-9_.]*$`)

// readEnvironment reads a file of variables, which must not lead out of the
// directory below, "" = it may be anywhere. Its errors name file and line,
// never what is written there.
func readEnvironment(path, below string) (map[string]string, error) {
	file, err := openFile(path, below)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", path, bare(err))
	}
	defer file.Close()
	if info, err := file.Stat(); err != nil {
		return nil, fmt.Errorf("%s: %w", path, bare(err))
	} else if !info.Mode().IsRegular() {
		return nil, fmt.Errorf("%s is not a file", path)
	}
	text, err := io.ReadAll(io.LimitReader(file, maxEnvironmentFile+1))
	if err != nil {
		return nil, fmt.Errorf("%s: %w", path, bare(err))
	}
	if len(text) > maxEnvironmentFile {
		return nil, fmt.Errorf("%s is larger than %d KiB", path, maxEnvironmentFile>>10)
	}
	return parseEnvironment(filepath.Base(path), string(text))
}

func openFile(path, below string) (*os.File, error) {
	const flags = os.O_RDONLY | syscall.O_NONBLOCK // opening a named pipe would wait for its other end
	if below == "" {
		return os.OpenFile(path, flags, 0)
	}
	rel, err := filepath.Rel(below, path)
	if err != nil {
		return nil, err
	}
	root, err := os.OpenRoot(below)
	if err != nil {
		return nil, err
	}
	defer root.Close()
	return root.OpenFile(rel, flags, 0)
}

// bare is a file system's error without the path, which is named already.
func bare(err error) error {
	if e, ok := errors.AsType[*fs.PathError](err); ok {
		return e.Err
	}
	return err
}

// parseEnvironment reads variables as Laravel's .env files write them:
//
//	NAME=value  export NAME='as it is'  NAME="with \n and ${OTHER}"  # comment
//
// A later variable of the same name wins. Quoted values may span lines;
// ${OTHER} stands for a variable further up.
func parseEnvironment(name, text string) (map[string]string, error) {
	p := &envParser{rest: strings.TrimPrefix(text, "\ufeff"), line: 1, all: map[string]string{}}
	if !utf8.ValidString(text) || strings.ContainsRune(text, 0) {
		return nil, fmt.Errorf("%s is not a text", name)
	}
	for p.rest != "" {
		at := p.line
		if err := p.assignment(); err != nil {
			return nil, fmt.Errorf("%s:%d: %w", name, at, err)
		}
	}
	return p.all, nil
}

type envParser struct {
	rest string // what has not been read
	line int    // of rest's beginning
	size int    // of all values read
	all  map[string]string
}

// assignment reads one line, or several where a quoted value spans them.
func (p *envParser) assignment() error {
	begin := p.takeLine()
	trimmed := strings.TrimSpace(begin)
	if trimmed == "" || trimmed[0] == '#' {
		return nil
	}
	if after, ok := strings.CutPrefix(trimmed, "export"); ok && strings.TrimLeft(after, " \t") != after {
		trimmed = strings.TrimSpace(after)
	}
	name, value, ok := strings.Cut(trimmed, "=")
	name = strings.TrimSpace(name)
	if !ok {
		return errors.New("there is no = in this line")
	}
	if !variableName.MatchString(name) {
		return errors.New("what is before the = is no valid name of a variable")
	}
	value = strings.TrimSpace(value)
	var err error
	if value != "" && (value[0] == '"' || value[0] == '\'') {
		value, err = p.quoted(value[1:], value[0])
	} else {
		value, err = p.unquoted(value)
	}
	if err != nil {
		return err
	}
	if p.size += len(value); len(value) > maxVariable || p.size > maxEnvironmentFile {
		return errTooLong
	}
	p.all[name] = value
	return nil
}

func (p *envParser) takeLine() string {
	line, rest, _ := strings.Cut(p.rest, "\n")
	p.rest = rest
	p.line++
	return strings.TrimSuffix(line, "\r")
}

func (p *envParser) unquoted(text string) (string, error) {
	for i := range len(text) {
		if text[i] == '#' && (i == 0 || text[i-1] == ' ' || text[i-1] == '\t') {
			text = strings.TrimRight(text[:i], " \t")
			break
		}
	}
	return p.expand(text)
}

// quoted reads a value up to its closing quote; text begins after the opening
// one.
func (p *envParser) quoted(text string, quote byte) (string, error) {
	var value strings.Builder
	for {
		end, err := p.piece(&value, text, quote)
		if err != nil {
			return "", err
		}
		if end >= 0 {
			if after := strings.TrimSpace(text[end+1:]); after != "" && after[0] != '#' {
				return "", errors.New("something follows the closing quote")
			}
			return value.String(), nil
		}
		if p.rest == "" {
			return "", errors.New("the closing quote is missing")
		}
		value.WriteByte('\n')
		text = p.takeLine()
	}
}

// piece reads what of a quoted value is on one line and returns where the
// closing quote is, -1 = not on this line.
func (p *envParser) piece(value *strings.Builder, text string, quote byte) (int, error) {
	for i := 0; i < len(text); i++ {
		switch c := text[i]; {
		case c == quote:
			return i, nil
		case quote == '"' && c == '\\' && i+1 < len(text):
			i++
			escaped, ok := escapes[text[i]]
			if !ok {
				return 0, errors.New(`after \ only one of n r t f v \ " $ may follow within double quotes`)
			}
			value.WriteByte(escaped)
		case quote == '"' && strings.HasPrefix(text[i:], "${"):
			end := strings.IndexByte(text[i:], '}')
			if end < 0 {
				return 0, errUnclosed
			}
			expanded, err := p.expand(text[i : i+end+1])
			if err != nil {
				return 0, err
			}
			if value.WriteString(expanded); value.Len() > maxVariable {
				return 0, errTooLong
			}
			i += end
		default:
			value.WriteByte(c)
		}
	}
	return -1, nil
}

var (
	escapes     = map[byte]byte{'n': '\n', 'r': '\r', 't': '\t', 'f': '\f', 'v': '\v', '\\': '\\', '"': '"', '$': '$'}
	errUnclosed = errors.New("${ has no }")
	errTooLong  = fmt.Errorf("a value is longer than %d KiB, or all of them are longer than %d", maxVariable>>10, maxEnvironmentFile>>10)
)

// expand replaces ${NAME} by what is further up.
func (p *envParser) expand(text string) (string, error) {
	var out strings.Builder
	for {
		before, after, found := strings.Cut(text, "${")
		out.WriteString(before)
		if out.Len() > maxVariable {
			return "", errTooLong
		}
		if !found {
			return out.String(), nil
		}
		name, rest, closed := strings.Cut(after, "}")
		if !closed {
			return "", errUnclosed
		}
		value, known := p.all[name]
		if !known {
			return "", errors.New("${…} names a variable that is not set further up in this file")
		}
		out.WriteString(value)
		text = rest
	}
}
