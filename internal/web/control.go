package web

import (
	"errors"
	"fmt"
	"io/fs"
	"net"
	"os"
	"path/filepath"
	"time"
)

// controlListener is a Unix socket that goes away when it is closed.
type controlListener struct {
	*net.UnixListener
	path string
	made fs.FileInfo
}

// Close closes the socket and removes it, unless a successor has put its own
// in its place.
func (l *controlListener) Close() error {
	err := l.UnixListener.Close()
	if now, statErr := os.Lstat(l.path); statErr == nil && os.SameFile(l.made, now) {
		err = errors.Join(err, os.Remove(l.path))
	}
	return err
}

// listenControl listens on a Unix socket that only its owner may open. The
// socket is made under another name and moved to its place when its mode is
// right, so that nobody finds it open in between. One that a program left
// behind at its death is replaced; one that somebody answers on is not.
func listenControl(path string) (net.Listener, error) {
	info, err := os.Lstat(path)
	switch {
	case errors.Is(err, fs.ErrNotExist):
	case err != nil:
		return nil, err
	case info.Mode().Type() != fs.ModeSocket:
		return nil, fmt.Errorf("%s exists and is not a socket", path)
	default:
		if conn, err := net.DialTimeout("unix", path, time.Second); err == nil {
			_ = conn.Close()
			return nil, fmt.Errorf("%s is in use by another program", path)
		}
	}
	dir, err := os.MkdirTemp(filepath.Dir(path), ".control-")
	if err != nil {
		return nil, err
	}
	defer func() { _ = os.RemoveAll(dir) }()
	made := filepath.Join(dir, "s")
	l, err := net.ListenUnix("unix", &net.UnixAddr{Name: made, Net: "unix"})
	if err != nil {
		return nil, err
	}
	l.SetUnlinkOnClose(false) // it will not be where it was made
	err = os.Chmod(made, 0o600)
	if err == nil {
		info, err = os.Lstat(made)
	}
	if err == nil {
		err = os.Rename(made, path)
	}
	if err != nil {
		_ = l.Close()
		return nil, err
	}
	return &controlListener{UnixListener: l, path: path, made: info}, nil
}
