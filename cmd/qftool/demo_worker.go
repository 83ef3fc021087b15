package main

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"net"
	"os"
	"os/user"
	"runtime"
	"strconv"

	"github.com/alecthomas/kingpin/v2"
	"github.com/redis/go-redis/v9"

	"github.com/queuefleet/queuefleet/internal/demo"
	"github.com/queuefleet/queuefleet/internal/proc"
)

const demoWorkerName = "demo-worker"

// configureDemoWorker declares `demo-worker`, which the demo's supervisor runs.
// What it works on comes by the environment.
func configureDemoWorker(app *kingpin.Application, e *env) {
	cmd := app.Command(demoWorkerName, "Work a queue of the demo.").Hidden()
	e.commands[cmd.FullCommand()] = func(ctx context.Context) error { return demoWork(ctx, e) }
}

func demoWork(ctx context.Context, e *env) error {
	speed, err := strconv.ParseFloat(cmp.Or(os.Getenv("DEMO_SPEED"), "1"), 64)
	queue, host, port := os.Getenv("DEMO_QUEUE"), os.Getenv("REDIS_HOST"), os.Getenv("REDIS_PORT")
	if err != nil || speed <= 0 || queue == "" || host == "" || port == "" {
		return errors.New("the demo's supervisor runs this: DEMO_QUEUE, DEMO_SPEED, REDIS_HOST and REDIS_PORT are not as it sets them")
	}
	client := redis.NewClient(&redis.Options{
		Addr: net.JoinHostPort(host, port), Password: os.Getenv("REDIS_PASSWORD"), PoolSize: 1, DisableIdentity: true,
	})
	defer func() { _ = client.Close() }()
	w := &demo.Worker{Redis: client, Prefix: os.Getenv("DEMO_PREFIX"), Queue: queue, Speed: speed, Output: e.stdout}
	return w.Work(ctx)
}

// demoWorkers returns the command of the demo's workers and whom they run as,
// nothing where no workers can run.
func demoWorkers(program string) (command []string, as string, err error) {
	if runtime.GOOS != "linux" {
		return nil, "", nil
	}
	dir, err := os.Getwd()
	if err != nil {
		return nil, "", err
	}
	path, err := proc.LookPath(program, dir, os.Getenv("PATH"))
	if err != nil {
		return nil, "", fmt.Errorf("find this program to run it as a worker: %w", err)
	}
	if os.Geteuid() == 0 { // a supervisor that runs as root wants to be told
		me, err := user.Current()
		if err != nil {
			return nil, "", err
		}
		as = me.Username
	}
	return []string{path, demoWorkerName}, as, nil
}
