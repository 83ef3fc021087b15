package connection

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"slices"
	"strconv"
	"strings"
	"syscall"

	"github.com/redis/go-redis/v9"
)

// Reason is why a probe failed: one of a closed set, fit for a label.
type Reason string

// The reasons.
const (
	ReasonDNS         Reason = "dns"         // the host name does not resolve
	ReasonRefused     Reason = "refused"     // nobody listens at the address
	ReasonUnreachable Reason = "unreachable" // no route to the host or its network
	ReasonTimeout     Reason = "timeout"     // no answer within the deadline, dialing included
	ReasonTLS         Reason = "tls"         // handshake, certificate, or one side speaks TLS and the other does not
	ReasonAuth        Reason = "auth"        // user or password are wrong or missing
	ReasonNoPerm      Reason = "noperm"      // known, but not allowed to
	ReasonLoading     Reason = "loading"     // the server is loading its data set
	ReasonMaxClients  Reason = "maxclients"  // the server has no room for another client
	ReasonMasterDown  Reason = "master_down" // the replica has no link to its master, or there is no master
	ReasonProtocol    Reason = "protocol"    // the peer does not talk as Redis does
	ReasonEOF         Reason = "eof"         // the peer closed or reset the connection
	ReasonOther       Reason = "other"
)

// Reasons returns the whole set in a fixed order.
func Reasons() []Reason {
	return []Reason{
		ReasonDNS, ReasonRefused, ReasonUnreachable, ReasonTimeout, ReasonTLS, ReasonAuth, ReasonNoPerm,
		ReasonLoading, ReasonMaxClients, ReasonMasterDown, ReasonProtocol, ReasonEOF, ReasonOther,
	}
}

// ErrProtocol marks an answer that no Redis gives. Wrap it where a reply of the
// right type has the wrong content.
var ErrProtocol = errors.New("protocol")

// failure is an error whose reason was known where it arose. It shows its cause
// by Is and As but not by Unwrap, since go-redis hands on what it unwraps from
// an error of the handshake and would strip the reason.
type failure struct {
	reason Reason
	text   string
	cause  error // nil where the text says all
	stale  bool  // the socket had been idle: another one may work
}

func protocolErrorf(format string, args ...any) error {
	return &failure{reason: ReasonProtocol, text: "protocol: " + fmt.Sprintf(format, args...)}
}

// Error returns the text, which holds no secret: it is made of addresses and of
// what the operating system says.
func (f *failure) Error() string { return f.text }

// Is reports whether the cause is target.
func (f *failure) Is(target error) bool {
	if target == ErrProtocol {
		return f.reason == ReasonProtocol
	}
	return f.cause != nil && errors.Is(f.cause, target)
}

// As finds target in the cause.
func (f *failure) As(target any) bool { return f.cause != nil && errors.As(f.cause, target) }

// Retryable reports whether err came from a socket that had answered before and
// was closed while idle (by a restart of the server, or by its timeout setting)
// so that a new socket may well work. Pipelined retries by itself.
func Retryable(err error) bool {
	f, ok := errors.AsType[*failure](err)
	return ok && f.stale
}

// Classify returns the reason of a failed probe, empty for nil.
func Classify(err error) Reason {
	if err == nil {
		return ""
	}
	if f, ok := errors.AsType[*failure](err); ok {
		return f.reason
	}
	if reply, ok := errors.AsType[redis.Error](err); ok {
		return classifyReply(reply.Error())
	}
	for _, rule := range []struct {
		match  func(error) bool
		reason Reason
	}{
		{isDNS, ReasonDNS},
		{isTimeout, ReasonTimeout},
		{isErrno(syscall.ECONNREFUSED, syscall.ENOENT), ReasonRefused},
		{isErrno(syscall.EHOSTUNREACH, syscall.ENETUNREACH, syscall.EHOSTDOWN, syscall.ENETDOWN), ReasonUnreachable},
		{isErrno(syscall.EACCES, syscall.EPERM), ReasonNoPerm},
		{isTLS, ReasonTLS},
		{isClosed, ReasonEOF},
		{isProtocol, ReasonProtocol},
	} {
		if rule.match(err) {
			return rule.reason
		}
	}
	return ReasonOther
}

// replyReasons are the beginnings of error replies.
var replyReasons = []struct {
	prefix string
	reason Reason
}{
	{"NOAUTH", ReasonAuth},
	{"WRONGPASS", ReasonAuth},
	{"ERR invalid password", ReasonAuth},
	{"ERR AUTH", ReasonAuth},
	{"ERR Client sent AUTH", ReasonAuth},
	{"ERR operation not permitted", ReasonAuth}, // Redis before 2.6.15
	{"NOPERM", ReasonNoPerm},
	{"DENIED", ReasonNoPerm}, // protected mode
	{"LOADING", ReasonLoading},
	{"ERR max number of clients", ReasonMaxClients},
	{"MASTERDOWN", ReasonMasterDown},
	{"CLUSTERDOWN", ReasonMasterDown},
	{"NOREPLICAS", ReasonMasterDown},
	{"ERR Protocol error", ReasonProtocol},
}

func classifyReply(text string) Reason {
	for _, r := range replyReasons {
		if strings.HasPrefix(text, r.prefix) {
			return r.reason
		}
	}
	return ReasonOther
}

// isDNS comes before isTimeout: that the name server does not answer says more
// than that something took too long.
func isDNS(err error) bool {
	_, ok := errors.AsType[*net.DNSError](err)
	return ok
}

func isTimeout(err error) bool {
	if errors.Is(err, context.DeadlineExceeded) || errors.Is(err, os.ErrDeadlineExceeded) ||
		errors.Is(err, redis.ErrPoolTimeout) || errors.Is(err, syscall.ETIMEDOUT) {
		return true
	}
	netErr, ok := errors.AsType[net.Error](err)
	return ok && netErr.Timeout()
}

func isErrno(numbers ...syscall.Errno) func(error) bool {
	return func(err error) bool {
		return slices.ContainsFunc(numbers, func(n syscall.Errno) bool { return errors.Is(err, n) })
	}
}

func isTLS(err error) bool {
	if _, ok := errors.AsType[*tls.CertificateVerificationError](err); ok {
		return true
	}
	if _, ok := errors.AsType[tls.RecordHeaderError](err); ok {
		return true
	}
	if _, ok := errors.AsType[x509.CertificateInvalidError](err); ok {
		return true
	}
	op, ok := errors.AsType[*net.OpError](err)
	return ok && (op.Op == "remote error" || op.Op == "local error") // alerts
}

func isClosed(err error) bool {
	return errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) ||
		errors.Is(err, syscall.ECONNRESET) || errors.Is(err, syscall.EPIPE) || errors.Is(err, syscall.ECONNABORTED)
}

// isProtocol knows what go-redis says when a reply has another type or shape
// than its command has; it has no types for these.
func isProtocol(err error) bool {
	if errors.Is(err, ErrProtocol) {
		return true
	}
	if _, ok := errors.AsType[*strconv.NumError](err); ok {
		return true
	}
	text := err.Error()
	for _, part := range []string{"can't parse", "can't read", "invalid ", "got ", "unexpected ", "the length "} {
		if strings.HasPrefix(text, "redis: "+part) {
			return true
		}
	}
	return false
}
