package proc

import (
	"crypto/hmac"
	"crypto/rand"
	"crypto/sha256"
	"encoding/binary"
	"encoding/hex"
	"hash"
	"syscall"
	"time"
)

// Spec is how one worker process is to run. A Spec is not changed once it has
// been handed over.
type Spec struct {
	Path string   // the executable, absolute; see LookPath
	Args []string // argv, with argv[0]
	Dir  string   // working directory, absolute
	Env  Env      // all of it; nothing is inherited

	User   *Identity // nil = the supervisor's own, which Check refuses to root
	Umask  *uint32   // nil = the supervisor's own
	Nice   int       // 0 = the supervisor's own
	Limits []Limit

	StopSignal  syscall.Signal // 0 = SIGTERM
	StopTimeout time.Duration  // the grace of a stop; for the owner, who passes it to Stop
	DeathSignal syscall.Signal // sent by the kernel when the supervisor dies, maybe several times; 0 = none
	Linger      bool           // it ends when its whole session has: what the leader leaves behind has the rest of the grace, or StopTimeout
	MemoryMax   uint64         // bytes, by the cgroup's memory.max; 0 = no ceiling
}

// Identity is who a process is.
type Identity struct {
	UID, GID uint32
	Groups   []uint32 // supplementary groups, the only ones it gets
}

// Limit is one resource limit, named as in ulimit's and systemd's terms without
// prefix: nofile, nproc, core, as, …
type Limit struct {
	Name       string
	Soft, Hard uint64 // Unlimited = no limit
}

// Unlimited is the value of a resource limit that does not limit.
const Unlimited = ^uint64(0)

func (s *Spec) stopSignal() syscall.Signal {
	if s.StopSignal == 0 {
		return syscall.SIGTERM
	}
	return s.StopSignal
}

// Hash stands for a Spec where two are compared: workers whose Spec has another
// hash are to be replaced. It is comparable and may be shown.
type Hash [16]byte

// String returns the hash in hexadecimal.
func (h Hash) String() string { return hex.EncodeToString(h[:]) }

// Salt keeps a Hash from telling anything about the passwords that went into
// it: without the salt nobody can try out guesses. Hashes compare only under
// one salt.
type Salt [32]byte

// NewSalt returns a random salt.
func NewSalt() Salt {
	var salt Salt
	_, _ = rand.Read(salt[:]) // never fails: the program ends first
	return salt
}

// Hash returns the hash of all that a running worker would have to be replaced
// for. StopTimeout is not part of it: it is used only when a stop begins.
func (s *Spec) Hash(salt Salt) Hash {
	h := hasher{hmac.New(sha256.New, salt[:])}
	h.texts(s.Path, s.Dir)
	h.texts(s.Args...)
	h.texts(s.Env.list()...)
	h.number(boolToInt(s.User != nil))
	if s.User != nil {
		h.number(uint64(s.User.UID), uint64(s.User.GID), uint64(len(s.User.Groups)))
		for _, group := range s.User.Groups {
			h.number(uint64(group))
		}
	}
	h.number(boolToInt(s.Umask != nil))
	if s.Umask != nil {
		h.number(uint64(*s.Umask))
	}
	h.number(uint64(s.Nice), uint64(len(s.Limits)))
	for _, limit := range s.Limits {
		h.texts(limit.Name)
		h.number(limit.Soft, limit.Hard)
	}
	h.number(uint64(s.stopSignal()), uint64(s.DeathSignal), s.MemoryMax, boolToInt(s.Linger))
	return Hash(h.Sum(nil)[:len(Hash{})])
}

// hasher writes values so that no two different lists of them are the same
// bytes.
type hasher struct{ hash.Hash }

func (h hasher) texts(texts ...string) {
	h.number(uint64(len(texts)))
	for _, text := range texts {
		h.number(uint64(len(text)))
		h.Write([]byte(text))
	}
}

func (h hasher) number(numbers ...uint64) {
	for _, number := range numbers {
		var b [8]byte
		binary.LittleEndian.PutUint64(b[:], number)
		h.Write(b[:])
	}
}

func boolToInt(b bool) uint64 {
	if b {
		return 1
	}
	return 0
}
