package main

import (
	"context"
	"fmt"
	"os"
	"strings"

	"filippo.io/age"
	"filippo.io/age/agessh"
	"github.com/alecthomas/kingpin/v2"

	"github.com/queuefleet/queuefleet/configs"
)

// recipientsVariable names those whom passwords are encrypted for, separated
// by commas.
const recipientsVariable = "QUEUEFLEET_RECIPIENTS"

// passwordFlags are the ways to give a connection its password.
type passwordFlags struct {
	stdin      bool
	ask        bool
	file       string
	env        string
	recipients []string
	asked      string // on the terminal, as part of a new connection
}

func (f *passwordFlags) declare(cmd *kingpin.CmdClause) {
	cmd.Flag("password-stdin", "Read the password from standard input and store it encrypted.").BoolVar(&f.stdin)
	cmd.Flag("password-ask", "Ask for the password on the terminal, without an echo, and store it encrypted.").BoolVar(&f.ask)
	cmd.Flag("password-file", "Name a file that holds the password; relative to the configuration's file.").PlaceHolder("FILE").StringVar(&f.file)
	cmd.Flag("password-env", "Name a variable in the programs' environment that holds the password.").PlaceHolder("NAME").StringVar(&f.env)
	cmd.Flag("recipient", "Who can decrypt the password. Repeatable. Default: $"+recipientsVariable+", else those of global.age_identity_files.").StringsVar(&f.recipients)
}

func (f *passwordFlags) given() bool {
	return f.stdin || f.ask || f.file != "" || f.env != "" || f.asked != ""
}

// settings reads the password, where one is to be stored, and returns the keys
// that hold it or name it.
func (f *passwordFlags) settings(ctx context.Context, x *editing, g configs.Global) ([]configs.Setting, error) {
	ways := 0
	for _, given := range []bool{f.stdin, f.ask || f.asked != "", f.file != "", f.env != ""} {
		if given {
			ways++
		}
	}
	switch {
	case ways == 0:
		return nil, nil
	case ways > 1:
		return nil, usageError("give one of --password-stdin, --password-ask, --password-file and --password-env")
	case f.file != "":
		return []configs.Setting{{Key: "password_file", Value: f.file}}, nil
	case f.env != "":
		return []configs.Setting{{Key: "password_env", Value: f.env}}, nil
	}
	recipients, err := f.who(g)
	if err != nil {
		return nil, err
	}
	password := f.asked
	if password == "" {
		if f.ask && !isTerminal(x.env.stdin) {
			return nil, usageError("--password-ask needs a terminal; give --password-stdin instead")
		}
		if f.stdin && isTerminal(x.env.stdin) {
			return nil, usageError("--password-stdin reads a pipe or a file; give --password-ask to be asked")
		}
		if password, err = (&encrypt{env: x.env}).readPassword(ctx); err != nil {
			return nil, err
		}
	}
	armored, err := seal(password, recipients)
	if err != nil {
		return nil, err
	}
	return []configs.Setting{{Key: "password_age", Value: armored}}, nil
}

// who finds those whom the password is encrypted for.
func (f *passwordFlags) who(g configs.Global) ([]age.Recipient, error) {
	lines := f.recipients
	if len(lines) == 0 {
		lines = strings.FieldsFunc(os.Getenv(recipientsVariable), func(c rune) bool { return c == ',' || c == '\n' })
	}
	var list []age.Recipient
	for _, line := range lines {
		if line = strings.TrimSpace(line); line == "" {
			continue
		}
		r, err := parseRecipient(line)
		if err != nil {
			return nil, err
		}
		list = append(list, r...)
	}
	if len(list) > 0 {
		return list, nil
	}
	for _, file := range g.AgeIdentityFiles {
		r, err := recipientsOf(file)
		if err != nil {
			return nil, fmt.Errorf("find out whom to encrypt for: %w; give --recipient", err)
		}
		list = append(list, r...)
	}
	if len(list) == 0 {
		return nil, usageError("nobody to encrypt the password for: give --recipient, set " + recipientsVariable + " or global.age_identity_files (a new identity: qftool encrypt --generate-identity FILE), or name the password by --password-file or --password-env")
	}
	return list, nil
}

// recipientsOf finds whom the identities of a file belong to.
func recipientsOf(file string) ([]age.Recipient, error) {
	text, err := os.ReadFile(file)
	if err != nil {
		return nil, err
	}
	identities, err := readIdentities(file, string(text))
	if err != nil {
		return nil, err
	}
	var list []age.Recipient
	for _, id := range identities {
		switch id := id.(type) {
		case *age.X25519Identity:
			list = append(list, id.Recipient())
		case *age.HybridIdentity:
			list = append(list, id.Recipient())
		case *agessh.Ed25519Identity:
			list = append(list, id.Recipient())
		case *agessh.RSAIdentity:
			list = append(list, id.Recipient())
		}
	}
	if len(list) == 0 {
		return nil, fmt.Errorf("%s tells no recipient", file)
	}
	return list, nil
}

// readIdentities never passes on the parser's text, which may quote the key.
func readIdentities(file, text string) ([]age.Identity, error) {
	if strings.HasPrefix(strings.TrimSpace(text), "-----BEGIN") {
		id, err := agessh.ParseIdentity([]byte(text))
		if err != nil {
			return nil, fmt.Errorf("%s holds no unencrypted SSH private key", file)
		}
		return []age.Identity{id}, nil
	}
	list, err := age.ParseIdentities(strings.NewReader(text))
	if err != nil {
		return nil, fmt.Errorf("%s holds no age identity", file)
	}
	return list, nil
}
