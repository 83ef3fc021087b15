package horizontest

import (
	"context"
	"fmt"
	"os"
	"os/signal"
	"strconv"
	"strings"
	"syscall"
	"time"

	"github.com/redis/go-redis/v9"
)

// pass is what a second is to Horizon's loops.
const pass = 20 * time.Millisecond

// play is one process from its beginning to its end.
func play(command string, args []string) int {
	client := redis.NewClient(&redis.Options{Addr: os.Getenv(variableRedis)})
	defer client.Close() //nolint:errcheck // nothing is lost with it
	p := &player{redis: client, told: make(chan os.Signal, 16)}
	signal.Notify(p.told, syscall.SIGTERM, syscall.SIGUSR2, syscall.SIGCONT)
	switch command {
	case "--version":
		fmt.Println("Laravel Framework 8.83.26")
		return 0
	case "horizon":
		return p.master()
	case "horizon:supervisor":
		return p.supervisor(args)
	case "horizon:work":
		return p.work(args)
	case "horizon:terminate":
		return p.terminate()
	default:
		fmt.Println("there is no such command:", command)
		return 1
	}
}

type player struct {
	redis *redis.Client
	told  chan os.Signal
}

func (p *player) wrong(format string, args ...any) {
	p.redis.RPush(context.Background(), keyWrong, fmt.Sprintf(format, args...))
}

// lock takes a lock that ends with the process, however that ends. ok is false
// where somebody else has it.
func lock(name string, how int) (file *os.File, ok bool) {
	file, err := os.OpenFile(os.Getenv(variableDir)+"/"+name, os.O_RDWR|os.O_CREATE, 0o666)
	if err != nil {
		panic(err)
	}
	return file, syscall.Flock(int(file.Fd()), how|syscall.LOCK_NB) == nil
}

func (p *player) master() int {
	ctx := context.Background()
	only, ok := lock("master", syscall.LOCK_EX)
	if !ok {
		p.wrong("master %d begins while another one lives", os.Getpid())
	}
	defer only.Close() //nolint:errcheck // it holds nothing
	workers, ok := lock("workers", syscall.LOCK_EX)
	if !ok {
		p.wrong("master %d begins while a process of an earlier one lives", os.Getpid())
	}
	_ = workers.Close()

	mode := p.mode(ctx)
	content := ""
	if file := os.Getenv(variableFile); file != "" {
		text, err := os.ReadFile(file)
		if err != nil {
			fmt.Println(err)
			return 1
		}
		content = string(text)
	}
	host, _ := os.Hostname()
	name := fmt.Sprintf("%s-%04x", strings.ToLower(host), os.Getpid()&0xffff)
	var children []*child
	for _, key := range []string{"mails", "reports"} {
		children = append(children, begin("horizon:supervisor", name+":"+key, "redis", "--queue="+key, "--parent-id="+strconv.Itoa(os.Getpid()), "--"+string(mode)))
	}
	if mode == Crash {
		for p.redis.Exists(ctx, Prefix+"supervisor:"+children[0].args[1]).Val() == 0 {
			time.Sleep(pass)
		}
		time.Sleep(10 * pass) // its workers have begun
		_ = children[0].process.Kill()
		<-children[0].ended
	}
	p.redis.RPush(ctx, keyMasters, fmt.Sprintf("%d %s %s", os.Getpid(), mode, content))
	for lonely := 0; lonely < 25; lonely++ { // nothing is to be left of a test that was killed, and its server with it
		if p.record(ctx, "master", name, 15, "status", "running", "environment", "production") {
			lonely = 0
		}
		select {
		case s := <-p.told:
			if s != syscall.SIGTERM {
				continue
			}
			p.redis.RPush(ctx, keySignals, os.Getpid())
			if mode == Deaf {
				continue
			}
			p.forget(ctx, "master", name)
			for _, c := range children {
				_ = c.process.Signal(syscall.SIGTERM)
				p.forget(ctx, "supervisor", c.args[1])
			}
			for _, c := range children {
				<-c.ended
			}
			time.Sleep(duration(variableDeath))
			return 0
		case <-time.After(10 * pass):
		}
	}
	return 1
}

// mode is the next one's turn.
func (p *player) mode(ctx context.Context) Mode {
	modes := strings.Fields(os.Getenv(variableModes))
	if len(modes) == 0 {
		return Orderly
	}
	n, err := p.redis.Incr(ctx, "standin:turn").Result()
	if err != nil {
		panic(err)
	}
	return Mode(modes[(n-1)%int64(len(modes))])
}

// record writes what a master or a supervisor says of itself, and reports
// whether it could.
func (p *player) record(ctx context.Context, kind, name string, seconds int, fields ...any) bool {
	pipe := p.redis.TxPipeline()
	pipe.ZAdd(ctx, Prefix+kind+"s", redis.Z{Score: float64(time.Now().Unix()), Member: name})
	pipe.HSet(ctx, Prefix+kind+":"+name, append([]any{"name", name, "pid", os.Getpid()}, fields...)...)
	pipe.Expire(ctx, Prefix+kind+":"+name, time.Duration(seconds)*time.Second)
	_, err := pipe.Exec(ctx)
	return err == nil
}

func (p *player) forget(ctx context.Context, kind, name string) {
	p.redis.ZRem(ctx, Prefix+kind+"s", name)
	p.redis.Del(ctx, Prefix+kind+":"+name)
}

// supervisor keeps its workers up.
func (p *player) supervisor(args []string) int {
	ctx := context.Background()
	alive, _ := lock("workers", syscall.LOCK_SH)
	defer alive.Close() //nolint:errcheck // it holds nothing
	name, queue := args[0], flag(args, "--queue=")
	fast := has(args, "--"+string(Fast))
	parent := os.Getppid()
	n, _ := strconv.Atoi(os.Getenv(variableWorkers))
	workers := make([]*child, max(1, n))
	for {
		for i, w := range workers {
			if w == nil || w.hasEnded() {
				workers[i] = begin("horizon:work", "redis", "--name=default", "--supervisor="+name, "--queue="+queue)
			}
		}
		p.record(ctx, "supervisor", name, 30, "master", strings.SplitN(name, ":", 2)[0], "status", "running",
			"processes", fmt.Sprintf(`{"redis:%s":%d}`, queue, len(workers)), "options", "{}")
		leave := os.Getppid() != parent
		select {
		case s := <-p.told:
			leave = leave || s == syscall.SIGTERM
		case <-time.After(pass):
		}
		if !leave {
			continue
		}
		p.forget(ctx, "supervisor", name)
		for _, w := range workers {
			_ = w.process.Signal(syscall.SIGTERM)
		}
		for _, w := range workers {
			if !fast {
				<-w.ended
			}
		}
		return 0
	}
}

// work takes jobs until it is told to leave, and finishes the one that it has.
func (p *player) work(args []string) int {
	ctx := context.Background()
	alive, _ := lock("workers", syscall.LOCK_SH)
	defer alive.Close() //nolint:errcheck // it holds nothing
	orphaned := 0
	parent := os.Getppid()
	for {
		select {
		case s := <-p.told:
			if s == syscall.SIGTERM {
				return 0
			}
		default:
		}
		// Horizon's workers do not look after their parent. These do a long while
		// later, for nothing is to be left of a test that was killed itself.
		if os.Getppid() != parent {
			if orphaned++; orphaned > 3000 {
				return 0
			}
		}
		job, err := p.redis.LMove(ctx, keyTodo, keyReserved, "LEFT", "RIGHT").Result()
		if err != nil {
			select {
			case s := <-p.told:
				if s == syscall.SIGTERM {
					return 0
				}
			case <-time.After(pass):
			}
			continue
		}
		_, takes, _ := strings.Cut(job, " ")
		d, _ := time.ParseDuration(takes)
		time.Sleep(d)
		pipe := p.redis.TxPipeline()
		pipe.LRem(ctx, keyReserved, 1, job)
		pipe.RPush(ctx, keyDone, job)
		if _, err := pipe.Exec(ctx); err != nil {
			p.wrong("worker %d cannot finish %s for %s: %v", os.Getpid(), job, flag(args, "--supervisor="), err)
		}
	}
}

// terminate does what horizon:terminate does: it signals the masters of this
// host by their records, and does not wait.
func (p *player) terminate() int {
	ctx := context.Background()
	names, err := p.redis.ZRange(ctx, Prefix+"masters", 0, -1).Result()
	if err != nil {
		fmt.Println(err)
		return 1
	}
	for _, name := range names {
		pid, err := p.redis.HGet(ctx, Prefix+"master:"+name, "pid").Int()
		if err == nil {
			_ = syscall.Kill(pid, syscall.SIGTERM)
		}
	}
	return 0
}

func duration(variable string) time.Duration {
	d, _ := time.ParseDuration(os.Getenv(variable))
	return d
}

func has(args []string, flag string) bool {
	for _, arg := range args {
		if arg == flag {
			return true
		}
	}
	return false
}

func flag(args []string, name string) string {
	for _, arg := range args {
		if value, ok := strings.CutPrefix(arg, name); ok {
			return value
		}
	}
	return ""
}
