package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"os"
	"strings"

	"github.com/alecthomas/kingpin/v2"
)

// reloadFlags say which running programs read the configuration anew after an
// edit.
type reloadFlags struct {
	targets      []string
	user         string
	passwordFile string
}

func (f *reloadFlags) declare(cmd *kingpin.CmdClause) {
	cmd.Flag("reload", "Then make the program at this address, or behind this control socket, read the configuration anew. Repeatable.").PlaceHolder("URL").StringsVar(&f.targets)
	cmd.Flag("reload-user", "User for --reload.").StringVar(&f.user)
	cmd.Flag("reload-password-file", "File with that user's password.").PlaceHolder("FILE").StringVar(&f.passwordFile)
}

// reloadReport is what one program has answered.
type reloadReport struct {
	Target string `json:"target"`
	OK     bool   `json:"ok"`
	Answer string `json:"answer"`
}

// check finds what is wrong with the flags before anything is changed.
func (f *reloadFlags) check() error {
	for _, t := range f.targets {
		if _, _, err := f.client(t); err != nil {
			return err
		}
	}
	if f.passwordFile != "" {
		if _, err := os.Stat(f.passwordFile); err != nil {
			return fmt.Errorf("--reload-password-file: %w", err)
		}
	}
	return nil
}

// isSocket reports whether a relative path names one that is there.
func isSocket(path string) bool {
	info, err := os.Stat(path)
	return err == nil && info.Mode()&os.ModeSocket != 0
}

// client returns what speaks to a target, and the address of its page.
func (f *reloadFlags) client(target string) (*http.Client, string, error) {
	if socket := strings.TrimPrefix(target, "unix://"); strings.HasPrefix(socket, "/") || isSocket(socket) {
		return &http.Client{Timeout: requestTimeout, Transport: &http.Transport{DisableKeepAlives: true, DialContext: func(ctx context.Context, _, _ string) (net.Conn, error) {
			return (&net.Dialer{}).DialContext(ctx, "unix", socket)
		}}}, "http://control/-/reload", nil
	}
	u, err := url.Parse(target)
	if err != nil || u.Scheme != "http" && u.Scheme != "https" || u.Host == "" || u.RawQuery != "" || u.User != nil {
		return nil, "", usageError("--reload: give an address such as " + defaultURL + " or a control socket such as " + defaultSocket)
	}
	return &http.Client{Timeout: requestTimeout}, strings.TrimSuffix(u.String(), "/") + "/-/reload", nil
}

// all reloads every target.
func (f *reloadFlags) all(ctx context.Context) ([]reloadReport, error) {
	reports := make([]reloadReport, 0, len(f.targets))
	var errs []error
	for _, t := range f.targets {
		answer, err := f.one(ctx, t)
		if err != nil {
			answer = err.Error()
			errs = append(errs, fmt.Errorf("the configuration is written, but %s has not taken it: %w", t, err))
		}
		reports = append(reports, reloadReport{t, err == nil, answer})
	}
	return reports, errors.Join(errs...)
}

func (f *reloadFlags) one(ctx context.Context, target string) (string, error) {
	client, page, err := f.client(target)
	if err != nil {
		return "", err
	}
	r, err := http.NewRequestWithContext(ctx, http.MethodPost, page, http.NoBody)
	if err != nil {
		return "", err
	}
	if f.user != "" {
		password := ""
		if f.passwordFile != "" {
			text, err := os.ReadFile(f.passwordFile)
			if err != nil {
				return "", err
			}
			password = strings.TrimSuffix(string(text), "\n")
		}
		r.SetBasicAuth(f.user, password)
	}
	answer, err := client.Do(r)
	if err != nil {
		var told *url.Error
		if errors.As(err, &told) {
			err = told.Err // without the address, which is told anyway
		}
		return "", err
	}
	defer func() { _ = answer.Body.Close() }()
	const most = 64 << 10
	body, err := io.ReadAll(io.LimitReader(answer.Body, most))
	if err != nil {
		return "", err
	}
	text := strings.TrimSpace(string(body))
	if answer.StatusCode != http.StatusOK {
		return "", fmt.Errorf("%s: %s", answer.Status, strings.ReplaceAll(text, "\n", "; "))
	}
	return text, nil
}
