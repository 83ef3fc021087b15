package main

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"net"
	"strconv"
	"strings"
	"time"
)

// redisConn is a connection to Redis with as little around it as possible.
type redisConn struct {
	net.Conn
	in *bufio.Reader
}

func dialRedis(addr string) (*redisConn, error) {
	c, err := net.DialTimeout("tcp", addr, 5*time.Second)
	if err != nil {
		return nil, err
	}
	return &redisConn{c, bufio.NewReaderSize(c, 16<<10)}, nil
}

// do sends one command and returns its reply as text; of an array the elements
// are joined by line feeds.
func (c *redisConn) do(args ...string) (string, error) {
	if _, err := c.Write(appendCommand(nil, args...)); err != nil {
		return "", err
	}
	return c.reply()
}

// doAll sends the commands in one pipeline.
func (c *redisConn) doAll(commands [][]string) error {
	var out []byte
	for _, command := range commands {
		out = appendCommand(out, command...)
	}
	sent := make(chan error, 1)
	go func() {
		_, err := c.Write(out)
		sent <- err
	}()
	for range commands {
		if _, err := c.reply(); err != nil {
			return err
		}
	}
	return <-sent
}

func appendCommand(dst []byte, args ...string) []byte {
	dst = append(dst, '*')
	dst = strconv.AppendInt(dst, int64(len(args)), 10)
	dst = append(dst, '\r', '\n')
	for _, arg := range args {
		dst = append(dst, '$')
		dst = strconv.AppendInt(dst, int64(len(arg)), 10)
		dst = append(dst, '\r', '\n')
		dst = append(dst, arg...)
		dst = append(dst, '\r', '\n')
	}
	return dst
}

func (c *redisConn) reply() (string, error) {
	line, err := c.in.ReadString('\n')
	if err != nil {
		return "", err
	}
	if len(line) < 3 {
		return "", fmt.Errorf("not a reply: %q", line)
	}
	text := strings.TrimRight(line[1:], "\r\n")
	switch line[0] {
	case '+', ':':
		return text, nil
	case '-':
		return "", errors.New(text)
	case '$':
		return c.bulk(text)
	case '*':
		return c.array(text)
	default:
		return "", fmt.Errorf("not a reply: %q", line)
	}
}

func (c *redisConn) bulk(size string) (string, error) {
	n, err := strconv.Atoi(size)
	if err != nil || n < 0 {
		return "", err
	}
	body := make([]byte, n+2)
	_, err = io.ReadFull(c.in, body)
	return string(body[:n]), err
}

func (c *redisConn) array(size string) (string, error) {
	n, err := strconv.Atoi(size)
	if err != nil {
		return "", err
	}
	var elements []string
	for range n {
		element, err := c.reply()
		if err != nil {
			return "", err
		}
		elements = append(elements, element)
	}
	return strings.Join(elements, "\n"), nil
}

// skip reads one status or bulk reply and drops it: all that the floor does
// with one.
func (c *redisConn) skip() error {
	line, err := c.in.ReadSlice('\n')
	if err != nil {
		return err
	}
	switch line[0] {
	case '+':
		return nil
	case '$':
		n := 0
		for _, d := range line[1 : len(line)-2] {
			n = n*10 + int(d-'0')
		}
		_, err := c.in.Discard(n + 2)
		return err
	default:
		return fmt.Errorf("unexpected reply: %q", line)
	}
}
