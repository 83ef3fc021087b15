package preset

import (
	"errors"
	"fmt"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"text/template"
	"text/template/parse"

	"github.com/queuefleet/queuefleet/configs"
)

// facts are what templates can name. Times are in whole seconds, sizes in MiB.
type facts struct {
	Application string
	Name        string // of the queue configuration
	Connection  string // name
	Queue       string // the first of Queues
	Queues      string // joined by commas
	Database    int
	Username    string
	TLS         bool

	Tries, MaxJobs, Memory                 int64
	Timeout, Backoff, Sleep, Rest, MaxTime string

	c      *configs.Connection
	secret bool // passwords may be named
}

func newFacts(q *configs.Queue, c *configs.Connection, queues []string) *facts {
	f := &facts{
		Application: q.Application, Name: q.Name, Connection: c.Name, Queues: strings.Join(queues, ","),
		Database: c.Database, Username: c.Username, TLS: c.TLS != nil,
		Tries: int64(q.Tries), MaxJobs: int64(q.MaxJobs), Memory: q.Memory.MiB(),
		Timeout: wholeSeconds(q.Timeout), Backoff: wholeSeconds(q.Backoff), Sleep: pause(q.Sleep), Rest: pause(q.Rest),
		MaxTime: wholeSeconds(q.MaxTime), c: c,
	}
	if len(queues) > 0 {
		f.Queue = queues[0]
	}
	return f
}

// Host is the server's name or address, or the path of its socket.
func (f *facts) Host() (string, error) {
	e, err := f.endpoint()
	return e.host, err
}

// Port is the server's port, 0 with a socket.
func (f *facts) Port() (string, error) {
	e, err := f.endpoint()
	return e.port, err
}

func (f *facts) endpoint() (endpoint, error) {
	e, err := endpointOf(f.c)
	if err != nil {
		return e, errors.New("connection " + f.c.Name + " has no single address; use .Addresses, and with Sentinel .Master")
	}
	return e, nil
}

// Addresses are all addresses that the connection names, joined by commas.
func (f *facts) Addresses() string { return strings.Join(f.c.Addresses(), ",") }

// Master is the name that Sentinel knows the server by.
func (f *facts) Master() (string, error) {
	if f.c.Sentinel == nil {
		return "", errors.New("connection " + f.c.Name + " is not found by Sentinel")
	}
	return f.c.Sentinel.Master, nil
}

var errSecret = errors.New("a password must not be on the command line, where everybody can read it; give it in worker.environment")

// Password is the connection's.
func (f *facts) Password() (string, error) {
	if !f.secret {
		return "", errSecret
	}
	return f.c.Password.Reveal(), nil
}

// URL is the connection as redis://, rediss:// or unix:// with its password.
func (f *facts) URL() (string, error) {
	if !f.secret {
		return "", errSecret
	}
	e, err := f.endpoint()
	if err != nil {
		return "", err
	}
	u := url.URL{Scheme: "redis", Host: f.c.Address, Path: "/" + strconv.Itoa(e.database)}
	if e.tls {
		u.Scheme = "rediss"
	}
	if e.unix() {
		u = url.URL{Scheme: "unix", Path: e.host, RawQuery: "db=" + strconv.Itoa(e.database)}
	}
	switch password := f.c.Password.Reveal(); {
	case password != "":
		u.User = url.UserPassword(f.c.Username, password)
	case f.c.Username != "":
		u.User = url.User(f.c.Username)
	}
	return u.String(), nil
}

// allowed are the functions of templates. Others could take all memory or time
// there is, and a fragment's author is not always trusted with the supervisor.
var allowed = []string{"and", "or", "not", "eq", "ne", "lt", "le", "gt", "ge", "urlquery"}

// bounded is a text of what one variable may hold at most.
type bounded struct{ strings.Builder }

// Write implements io.Writer.
func (b *bounded) Write(text []byte) (int, error) {
	if b.Len()+len(text) > maxVariable {
		return 0, errTooMuch
	}
	return b.Builder.Write(text)
}

var errTooMuch = fmt.Errorf("it is longer than %d KiB", maxVariable>>10)

// fill fills in one template. Its errors name the key and never a value.
func fill(key, text string, f *facts) (string, error) {
	if !strings.Contains(text, "{{") {
		return text, nil
	}
	if len(text) > maxVariable {
		return "", misconfigured("%s: %s", key, errTooMuch)
	}
	t, err := template.New(key).Option("missingkey=error").Parse(text)
	if err != nil {
		return "", misconfigured("%s: the template is wrong: %s", key, shortened(err, key))
	}
	if err := simple(t); err != nil {
		return "", misconfigured("%s: %s", key, err)
	}
	var out bounded
	if err := t.Execute(&out, f); err != nil {
		return "", misconfigured("%s: the template cannot be filled in: %s", key, shortened(err, key))
	}
	if strings.ContainsRune(out.String(), 0) {
		return "", misconfigured("%s: there is a NUL character in it", key)
	}
	return out.String(), nil
}

// shortened is a template's error without what everybody knows.
func shortened(err error, key string) string {
	if errors.Is(err, errTooMuch) {
		return errTooMuch.Error()
	}
	if e, ok := errors.AsType[template.ExecError](err); ok {
		if inner := errors.Unwrap(e.Err); inner != nil {
			return inner.Error()
		}
		_, text, found := strings.Cut(e.Err.Error(), ">: ")
		if found {
			return strings.ReplaceAll(text, " in type *preset.facts", "; there is no such name")
		}
	}
	return strings.TrimPrefix(err.Error(), "template: "+key+":")
}

var errNotSimple = errors.New("only {{.Name}}, {{if}}, {{else}} and {{end}} are understood in templates")

// simple refuses everything but values and conditions.
func simple(t *template.Template) error {
	if len(t.Templates()) > 1 {
		return errNotSimple
	}
	return simpleNode(t.Root)
}

func simpleNode(n parse.Node) error {
	switch n := n.(type) {
	case nil, *parse.TextNode, *parse.CommentNode, *parse.FieldNode, *parse.StringNode, *parse.NumberNode, *parse.BoolNode:
		return nil
	case *parse.IdentifierNode:
		if !slices.Contains(allowed, n.Ident) {
			return errors.New("the function " + n.Ident + " is not known in templates; there are " + strings.Join(allowed, ", "))
		}
		return nil
	case *parse.ListNode:
		if n == nil {
			return nil
		}
		return simpleNodes(n.Nodes)
	case *parse.ActionNode:
		return simpleNode(n.Pipe)
	case *parse.IfNode:
		return simpleNodes([]parse.Node{n.Pipe, n.List, n.ElseList})
	case *parse.PipeNode:
		return simplePipe(n)
	case *parse.CommandNode:
		return simpleNodes(n.Args)
	default:
		return errNotSimple
	}
}

func simplePipe(n *parse.PipeNode) error {
	if n == nil {
		return nil
	}
	if len(n.Decl) > 0 {
		return errNotSimple
	}
	for _, command := range n.Cmds {
		if err := simpleNode(command); err != nil {
			return err
		}
	}
	return nil
}

func simpleNodes(all []parse.Node) error {
	for _, n := range all {
		if err := simpleNode(n); err != nil {
			return err
		}
	}
	return nil
}
