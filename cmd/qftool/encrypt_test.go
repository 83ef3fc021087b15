package main

import (
	"bytes"
	"fmt"
	"os"
	"strings"
	"testing"

	"filippo.io/age"
	"filippo.io/age/armor"
	"golang.org/x/sys/unix"
)

// openTerminal returns both ends of a pseudo-terminal.
func openTerminal(t *testing.T) (ctrl, tty *os.File) {
	t.Helper()
	ctrl, err := os.OpenFile("/dev/ptmx", os.O_RDWR|unix.O_NOCTTY, 0)
	if err != nil {
		t.Skip(err)
	}
	t.Cleanup(func() { _ = ctrl.Close() })
	if err := unix.IoctlSetPointerInt(int(ctrl.Fd()), unix.TIOCSPTLCK, 0); err != nil {
		t.Fatal(err)
	}
	n, err := unix.IoctlGetInt(int(ctrl.Fd()), unix.TIOCGPTN)
	if err != nil {
		t.Fatal(err)
	}
	tty, err = os.OpenFile(fmt.Sprintf("/dev/pts/%d", n), os.O_RDWR|unix.O_NOCTTY, 0)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = tty.Close() })
	return ctrl, tty
}

func echoes(t *testing.T, tty *os.File) bool {
	t.Helper()
	state, err := unix.IoctlGetTermios(int(tty.Fd()), unix.TCGETS)
	if err != nil {
		t.Fatal(err)
	}
	return state.Lflag&unix.ECHO != 0
}

// prompts hands each prompt to the test.
type prompts chan string

func (p prompts) Write(b []byte) (int, error) {
	if text := string(b); strings.Contains(text, ":") {
		p <- text
	}
	return len(b), nil
}

// TestEncryptAsksWithoutEcho types a password, or two that differ, into a terminal.
func TestEncryptAsksWithoutEcho(t *testing.T) {
	id, err := age.GenerateX25519Identity()
	if err != nil {
		t.Fatal(err)
	}
	for name, test := range map[string]struct {
		typed [2]string
		code  int
	}{
		"the same": {[2]string{"hunter2", "hunter2"}, exitOK},
		"differ":   {[2]string{"hunter2", "hunter3"}, exitFailed},
		"nothing":  {[2]string{"", ""}, exitFailed},
	} {
		t.Run(name, func(t *testing.T) {
			ctrl, tty := openTerminal(t)
			var stdout bytes.Buffer
			asked, code := make(prompts, 4), make(chan int, 1)
			go func() {
				code <- run([]string{"qftool", "encrypt", "-r", id.Recipient().String()}, tty, &stdout, asked)
			}()
			for _, text := range test.typed {
				<-asked
				for echoes(t, tty) { // the prompt is there a moment before the echo goes
					if t.Context().Err() != nil {
						t.Fatal("the terminal goes on echoing")
					}
				}
				if _, err := ctrl.WriteString(text + "\n"); err != nil {
					t.Fatal(err)
				}
			}
			if got := <-code; got != test.code {
				t.Errorf("exit code %d, want %d", got, test.code)
			}
			if !echoes(t, tty) {
				t.Error("the terminal was left without an echo")
			}
			if seen := screen(t, ctrl, tty); strings.Contains(seen, "hunter") {
				t.Errorf("on the screen: %q", seen)
			}
			if test.code == exitOK {
				checkSealed(t, &stdout, id, test.typed[0])
			}
		})
	}
}

// screen returns what the terminal has shown.
func screen(t *testing.T, ctrl, tty *os.File) string {
	t.Helper()
	if _, err := tty.WriteString("<end>"); err != nil {
		t.Fatal(err)
	}
	var seen strings.Builder
	buffer := make([]byte, 1024)
	for !strings.Contains(seen.String(), "<end>") {
		n, err := ctrl.Read(buffer)
		if err != nil {
			t.Fatal(err)
		}
		seen.Write(buffer[:n])
	}
	return seen.String()
}

func checkSealed(t *testing.T, text *bytes.Buffer, id age.Identity, want string) {
	t.Helper()
	r, err := age.Decrypt(armor.NewReader(text), id)
	if err != nil {
		t.Fatal(err)
	}
	var got bytes.Buffer
	if _, err := got.ReadFrom(r); err != nil || got.String() != want {
		t.Errorf("decrypts to %q, %v, want %q", got.String(), err, want)
	}
}
