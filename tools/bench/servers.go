package main

import (
	"context"
	"fmt"
	"net"
	"strconv"
	"strings"
	"time"
)

// server is a real Redis.
type server struct {
	*process
	addr string
}

// startServers starts n Redis servers without persistence.
func startServers(ctx context.Context, b *bench, n int) ([]*server, error) {
	var servers []*server
	for range n {
		s, err := startServer(ctx, b)
		if err != nil {
			stopServers(servers)
			return nil, err
		}
		servers = append(servers, s)
	}
	return servers, nil
}

func startServer(ctx context.Context, b *bench) (*server, error) {
	var s *server
	err := withFreePort(func(port int) error {
		text := strconv.Itoa(port)
		p, err := start("redis-server", nil, "redis-server", "--port", text, "--bind", "127.0.0.1", "--dir", b.dir,
			"--save", "", "--appendonly", "no", "--daemonize", "no", "--maxclients", "1000")
		if err != nil {
			return err
		}
		p.watch()
		s = &server{p, net.JoinHostPort("127.0.0.1", text)}
		return s.awaitReady(ctx)
	})
	return s, err
}

func (s *server) awaitReady(ctx context.Context) error {
	const patience = 30 * time.Second
	for begin := time.Now(); time.Since(begin) < patience; {
		if pong, err := s.do("PING"); err == nil && pong == "PONG" {
			return nil
		}
		select {
		case <-s.gone:
			return fmt.Errorf("redis-server ended: %s", s.said)
		default:
		}
		if err := wait(ctx, 5*time.Millisecond); err != nil {
			s.stop()
			return err
		}
	}
	s.stop()
	return fmt.Errorf("redis-server does not answer: %s", s.said)
}

func stopServers(servers []*server) {
	for _, s := range servers {
		s.stop()
	}
}

// do sends one command over a connection of its own.
func (s *server) do(args ...string) (string, error) {
	c, err := dialRedis(s.addr)
	if err != nil {
		return "", err
	}
	defer c.Close()
	return c.do(args...)
}

func (s *server) doAll(commands [][]string) error {
	c, err := dialRedis(s.addr)
	if err != nil {
		return err
	}
	defer c.Close()
	return c.doAll(commands)
}

// counted returns the fields of a section of INFO that fn adds to, over one
// connection, whose own end would count too.
func (s *server) counted(section string, fn func() error) (map[string]string, error) {
	c, err := dialRedis(s.addr)
	if err != nil {
		return nil, err
	}
	defer c.Close()
	if _, err := c.do("CONFIG", "RESETSTAT"); err != nil {
		return nil, err
	}
	if err := fn(); err != nil {
		return nil, err
	}
	text, err := c.do("INFO", section)
	if err != nil {
		return nil, err
	}
	fields := map[string]string{}
	for line := range strings.Lines(text) {
		if name, value, ok := strings.Cut(strings.TrimSpace(line), ":"); ok {
			fields[name] = value
		}
	}
	return fields, nil
}

// use runs the kinds of commands that an application with queues does, since
// the peer's work grows with the number of commands that were ever called.
func (s *server) use() error {
	return s.doAll([][]string{
		{"SET", "laravel_cache:a", "1"}, {"GET", "laravel_cache:a"}, {"INCR", "hits"}, {"EXPIRE", "hits", "3600"}, {"TTL", "hits"},
		{"SETEX", "laravel_cache:b", "60", "x"}, {"MGET", "laravel_cache:a", "laravel_cache:b"}, {"EXISTS", "hits"}, {"DEL", "laravel_cache:a"},
		{"HSET", "job:1", "status", "pending"}, {"HGETALL", "job:1"}, {"HMGET", "job:1", "status"}, {"HINCRBY", "job:1", "tries", "1"},
		{"RPUSH", "queues:default", "{}", "{}"}, {"LLEN", "queues:default"}, {"LRANGE", "queues:default", "0", "-1"}, {"LINDEX", "queues:default", "0"},
		{"LPOP", "queues:default"}, {"BLPOP", "queues:default", "1"}, {"ZADD", "queues:default:delayed", "1767225600", "{}"},
		{"ZCARD", "queues:default:delayed"}, {"ZRANGEBYSCORE", "queues:default:delayed", "-inf", "0"}, {"ZREM", "queues:default:delayed", "{}"},
		{"ZREMRANGEBYRANK", "queues:default:delayed", "0", "1"}, {"SADD", "tags", "a"}, {"SMEMBERS", "tags"}, {"SREM", "tags", "a"},
		{"EVAL", "return 1", "0"}, {"PUBLISH", "events", "x"}, {"TYPE", "hits"}, {"SCAN", "0"}, {"CLIENT", "SETNAME", "app"}, {"SELECT", "0"},
	})
}
