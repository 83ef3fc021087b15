package main

import (
	"cmp"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"os/user"
	"strconv"
	"strings"
	"syscall"
	"time"

	"github.com/queuefleet/queuefleet/configs"
)

// auditMode lets a group read who has changed what.
const auditMode = 0o640

// auditLine is what an edit leaves behind: who has changed which keys of what.
// It holds no values.
type auditLine struct {
	Time     string            `json:"time"`
	User     string            `json:"user"`
	UID      int               `json:"uid"`
	SudoUser string            `json:"sudo_user,omitempty"`
	LoginUID *int              `json:"login_uid,omitempty"` // who has logged in, whoever they have become since
	Host     string            `json:"host"`
	Command  string            `json:"command"`
	Action   string            `json:"action"`
	Kind     configs.EntryKind `json:"kind,omitempty"`
	Entry    string            `json:"entry,omitempty"`
	Keys     []string          `json:"keys,omitempty"`
	File     string            `json:"file"`
	Before   string            `json:"config_hash_before,omitempty"` // as config_hash of the programs
	After    string            `json:"config_hash_after,omitempty"`
	Error    string            `json:"error,omitempty"` // the edit did not come to its end
}

// auditLog is the file that edits are noted in.
type auditLog struct {
	path    string
	command string
}

// newAuditLog is the audit log of a configuration, which stands beside it
// unless path says where.
func newAuditLog(path, config, command string) *auditLog {
	return &auditLog{path: cmp.Or(path, config+".audit.log"), command: command}
}

// checkAudit refuses an audit log that would be replaced by what it is about.
func checkAudit(path, config string) error {
	a, err := os.Stat(path)
	if err != nil {
		return nil //nolint:nilerr // where it cannot be written is told then
	}
	if b, err := os.Stat(config); err == nil && os.SameFile(a, b) {
		return usageError("--audit.file: " + path + " is the configuration itself")
	}
	return nil
}

// save writes the audit lines and then the files.
func (l *auditLog) save(d *configs.Editor, changes []change) error {
	noted := false
	_, err := d.SaveAfter(func(before, after *configs.Config) error {
		if err := l.note(changes, before, after, nil); err != nil {
			return err
		}
		noted = true
		return nil
	})
	if err != nil && noted {
		return errors.Join(err, l.note(changes, nil, nil, err))
	}
	return err
}

// note writes a line for each change. The lines are on the disk when it
// returns.
func (l *auditLog) note(changes []change, before, after *configs.Config, failed error) error {
	// A pipe that nobody reads would be waited for, with the configuration locked.
	f, err := os.OpenFile(l.path, os.O_WRONLY|os.O_CREATE|os.O_APPEND|syscall.O_NONBLOCK, auditMode)
	if err != nil {
		return fmt.Errorf("the audit log cannot be written, so nothing was changed: %w", err)
	}
	base := l.who()
	if before != nil {
		base.Before = before.Hash()
	}
	if after != nil {
		base.After = after.Hash()
	}
	if failed != nil {
		base.Error = failed.Error()
	}
	var text strings.Builder
	enc := json.NewEncoder(&text)
	enc.SetEscapeHTML(false)
	for _, c := range changes {
		line := base
		line.Action, line.Kind, line.Entry, line.Keys, line.File = c.Action, c.Kind, c.Name, c.Keys, c.File
		if err := enc.Encode(line); err != nil {
			return errors.Join(err, f.Close())
		}
	}
	_, err = f.WriteString(text.String()) // one write: lines of two edits do not mix
	if err := errors.Join(err, f.Sync(), f.Close()); err != nil {
		return fmt.Errorf("the audit log %s cannot be written, so nothing was changed: %w", l.path, err)
	}
	return nil
}

// who fills in what is the same on every line.
func (l *auditLog) who() auditLine {
	line := auditLine{Time: time.Now().UTC().Format(time.RFC3339), UID: os.Getuid(), User: strconv.Itoa(os.Getuid()), SudoUser: os.Getenv("SUDO_USER"), Command: l.command}
	if u, err := user.LookupId(strconv.Itoa(line.UID)); err == nil {
		line.User = u.Username
	}
	if host, err := os.Hostname(); err == nil {
		line.Host = host
	}
	const none = 1<<32 - 1
	if text, err := os.ReadFile("/proc/self/loginuid"); err == nil {
		if id, err := strconv.ParseUint(strings.TrimSpace(string(text)), 10, 32); err == nil && id != none {
			login := int(id)
			line.LoginUID = &login
		}
	}
	return line
}
