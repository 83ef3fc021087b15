package main

import (
	"bytes"
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"strings"
	"time"

	"filippo.io/age"
	"filippo.io/age/agessh"
	"filippo.io/age/armor"
	"github.com/alecthomas/kingpin/v2"
	"golang.org/x/term"
)

// maxPassword bounds what is read as a password, in bytes.
const maxPassword = 64 << 10

// encrypt is `qftool encrypt`.
type encrypt struct {
	env              *env
	recipients       []string
	recipientsFile   string
	file             string
	yaml             bool
	generateIdentity string
}

// configureEncrypt declares `encrypt`.
func configureEncrypt(app *kingpin.Application, e *env) {
	c := &encrypt{env: e}
	cmd := app.Command("encrypt", "Encrypt a password for password_age. Reads it from --file, from a pipe, or from the terminal without showing it.")
	cmd.Flag("recipient", "Who can decrypt: age1…, ssh-ed25519 … or ssh-rsa …. Repeatable.").Short('r').StringsVar(&c.recipients)
	cmd.Flag("recipients-file", "A file with one recipient a line.").StringVar(&c.recipientsFile)
	cmd.Flag("file", "Read the password from this file. One newline at its end is not part of the password.").StringVar(&c.file)
	cmd.Flag("yaml", "Print a block that can be pasted below a connection.").BoolVar(&c.yaml)
	cmd.Flag("generate-identity", "Write a new identity to this file instead, and print its recipient.").PlaceHolder("FILE").StringVar(&c.generateIdentity)
	e.commands[cmd.FullCommand()] = c.run
}

func (c *encrypt) run(ctx context.Context) error {
	if c.generateIdentity != "" {
		return c.newIdentity()
	}
	recipients, err := c.parseRecipients()
	if err != nil {
		return err
	}
	password, err := c.readPassword(ctx)
	if err != nil {
		return err
	}
	text, err := seal(password, recipients)
	if err != nil {
		return err
	}
	return c.print(text)
}

// newIdentity writes a new identity, which must not exist yet, and prints its
// recipient.
func (c *encrypt) newIdentity() error {
	if len(c.recipients) > 0 || c.recipientsFile != "" || c.file != "" || c.yaml {
		return usageError("--generate-identity goes with no other flag of encrypt")
	}
	id, err := age.GenerateX25519Identity()
	if err != nil {
		return err
	}
	f, err := os.OpenFile(c.generateIdentity, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o600)
	if errors.Is(err, os.ErrExist) {
		return fmt.Errorf("%s exists and is not overwritten: what was encrypted for it would be lost", c.generateIdentity)
	}
	if err != nil {
		return err
	}
	_, err = fmt.Fprintf(f, "# created: %s\n# recipient: %s\n%s\n", time.Now().UTC().Format(time.RFC3339), id.Recipient(), id)
	if err := errors.Join(err, f.Sync(), f.Close()); err != nil {
		return err
	}
	if c.env.output == outputJSON {
		return c.env.printJSON(map[string]string{"identity_file": c.generateIdentity, "recipient": id.Recipient().String()})
	}
	_, err = fmt.Fprintln(c.env.stdout, id.Recipient())
	return err
}

func (c *encrypt) parseRecipients() ([]age.Recipient, error) {
	lines := c.recipients
	if c.recipientsFile != "" {
		text, err := os.ReadFile(c.recipientsFile)
		if err != nil {
			return nil, err
		}
		lines = append(lines, strings.Split(string(text), "\n")...)
	}
	var recipients []age.Recipient
	for _, line := range lines {
		line = strings.TrimSpace(line)
		if line == "" || strings.HasPrefix(line, "#") {
			continue
		}
		r, err := parseRecipient(line)
		if err != nil {
			return nil, err
		}
		recipients = append(recipients, r...)
	}
	if len(recipients) == 0 {
		return nil, usageError("nobody to encrypt for: give --recipient or --recipients-file (a new identity: qftool encrypt --generate-identity FILE)")
	}
	return recipients, nil
}

// parseRecipient reads one recipient. An identity given by mistake is named as
// what it is and not repeated.
func parseRecipient(line string) ([]age.Recipient, error) {
	if strings.HasPrefix(strings.ToUpper(line), "AGE-SECRET-KEY-") {
		return nil, usageError("that is an identity (a secret key), not a recipient: the recipient begins with age1 and stands in the comment of the identity file")
	}
	if strings.HasPrefix(line, "ssh-") {
		r, err := agessh.ParseRecipient(line)
		if err != nil {
			return nil, usageError(fmt.Sprintf("recipient %q: %v", line, err))
		}
		return []age.Recipient{r}, nil
	}
	r, err := age.ParseRecipients(strings.NewReader(line))
	if err != nil {
		return nil, usageError(fmt.Sprintf("recipient %q is neither age1… nor ssh-ed25519 … nor ssh-rsa …", line))
	}
	return r, nil
}

// readPassword reads from the file, the pipe or the terminal.
func (c *encrypt) readPassword(ctx context.Context) (string, error) {
	if c.file == "" && isTerminal(c.env.stdin) {
		return withoutEcho(ctx, c.env, c.askTwice)
	}
	in := c.env.stdin
	if c.file != "" {
		f, err := os.Open(c.file)
		if err != nil {
			return "", err
		}
		defer f.Close()
		in = f
	}
	raw, err := io.ReadAll(io.LimitReader(in, maxPassword+1))
	if err != nil {
		return "", fmt.Errorf("read the password: %w", err)
	}
	password := strings.TrimSuffix(strings.TrimSuffix(string(raw), "\n"), "\r")
	return password, checkPassword(password, cmp.Or(c.file, "standard input"))
}

func checkPassword(password, from string) error {
	switch {
	case password == "":
		return fmt.Errorf("no password: %s is empty", from)
	case len(password) > maxPassword:
		return fmt.Errorf("%s holds more than %d KiB, which is no password", from, maxPassword>>10)
	case strings.Contains(password, "\n"):
		return fmt.Errorf("%s holds more than one line, and a password is one line", from)
	default:
		return nil
	}
}

// withoutEcho has something asked for on the terminal that is not shown. An
// interrupt puts the terminal back in order.
func withoutEcho(ctx context.Context, e *env, ask func(fd int) (string, error)) (string, error) {
	fd := int(e.stdin.(*os.File).Fd())
	before, err := term.GetState(fd)
	if err != nil {
		return "", err
	}
	type answer struct {
		text string
		err  error
	}
	answers := make(chan answer, 1)
	go func() {
		text, err := ask(fd)
		answers <- answer{text, err}
	}()
	select {
	case a := <-answers:
		return a.text, a.err
	case <-ctx.Done():
		// The read cannot be called off; the process ends with it pending.
		fmt.Fprintln(e.stderr)
		return "", errors.Join(errors.New("interrupted"), term.Restore(fd, before))
	}
}

func (c *encrypt) askTwice(fd int) (string, error) {
	var texts [2]string
	for i, prompt := range []string{"Password: ", "Once more: "} {
		fmt.Fprint(c.env.stderr, prompt)
		raw, err := term.ReadPassword(fd)
		fmt.Fprintln(c.env.stderr)
		if err != nil {
			return "", fmt.Errorf("read the password: %w", err)
		}
		texts[i] = string(raw)
	}
	if texts[0] != texts[1] {
		return "", errors.New("the two passwords differ")
	}
	return texts[0], checkPassword(texts[0], "the answer")
}

// seal encrypts password to the recipients as armored text.
func seal(password string, recipients []age.Recipient) (string, error) {
	var out bytes.Buffer
	a := armor.NewWriter(&out)
	w, err := age.Encrypt(a, recipients...)
	if err != nil {
		return "", err
	}
	if _, err := io.WriteString(w, password); err != nil {
		return "", err
	}
	if err := errors.Join(w.Close(), a.Close()); err != nil {
		return "", err
	}
	return out.String(), nil
}

func (c *encrypt) print(text string) error {
	switch {
	case c.env.output == outputJSON:
		return c.env.printJSON(map[string]string{"password_age": text})
	case c.yaml:
		fmt.Fprintln(c.env.stdout, "password_age: |")
		for line := range strings.Lines(text) {
			fmt.Fprint(c.env.stdout, "  ", line)
		}
		return nil
	default:
		_, err := fmt.Fprint(c.env.stdout, text)
		return err
	}
}
