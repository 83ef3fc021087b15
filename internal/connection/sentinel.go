package connection

import (
	"context"
	"errors"
	"fmt"
	"net"
	"slices"
	"strings"
	"time"

	"github.com/redis/go-redis/v9"
)

// sentinelLifetime bounds how long a socket to a master is trusted without
// asking the sentinels again. A failover closes it earlier: sentinels kill the
// clients of a demoted master. Only one that a partition has cut off from its
// sentinels, but not from us, is found this way.
const sentinelLifetime = time.Minute

// dialMaster asks the sentinels for the master and opens a socket to it. The
// address that go-redis hands over is a name for display.
//
// It is used instead of redis.NewFailoverClient because that one keeps, for
// each connection, a subscription that pings a sentinel every three seconds,
// hides the reason why no sentinel answered, and fails inside go-redis' dialer,
// which then dials in the background.
func (d *dialer) dialMaster(ctx context.Context, _, _ string) (net.Conn, error) {
	master, err := d.master(ctx)
	if err != nil {
		return settle(nil, err), nil
	}
	return d.dial(ctx, "tcp", master)
}

// master asks all sentinels at once and takes the first answer: a hung one
// costs nothing while another answers.
func (d *dialer) master(ctx context.Context) (string, error) {
	addresses := strings.Split(d.spec.addresses, ",")
	master, errs := first(ctx, addresses, d.askSentinel)
	if errs == nil {
		return master, nil
	}
	return "", noMaster(d.spec.master, addresses, errs)
}

func (d *dialer) askSentinel(ctx context.Context, address string) (string, error) {
	o := d.options("tcp", address)
	o.CredentialsProviderContext = d.sentinelCredentials
	o.DB, o.PoolSize = 0, 1
	sentinel := redis.NewSentinelClient(o)
	defer func() { _ = sentinel.Close() }() // its error would concern a socket that is gone anyway
	reply, err := sentinel.GetMasterAddrByName(ctx, d.spec.master).Result()
	switch {
	case errors.Is(err, redis.Nil):
		return "", &failure{reason: ReasonMasterDown, text: fmt.Sprintf("it knows no master %q", d.spec.master)}
	case err != nil:
		return "", err
	case len(reply) != 2:
		return "", protocolErrorf("a sentinel gives %d parts of an address", len(reply))
	}
	return net.JoinHostPort(reply[0], reply[1]), nil
}

// noMaster gathers why no sentinel named a master. The reason is theirs where
// they agree, for then it says what to repair; else there is just no master.
// There is no cause: one that is an error reply would look to go-redis like a
// reply of the server that it wants to reach.
func noMaster(name string, addresses []string, errs []error) error {
	f := &failure{reason: Classify(errs[0])}
	texts := make([]string, len(errs))
	for i, err := range errs {
		texts[i] = addresses[i] + ": " + err.Error()
		if Classify(err) != f.reason {
			f.reason = ReasonMasterDown
		}
	}
	slices.Sort(texts)
	f.text = fmt.Sprintf("no sentinel names the master %q: %s", name, strings.Join(texts, "; "))
	return f
}

// checkMaster refuses a server that is no master any more: a sentinel may have
// told yesterday's news. A user who may not ask is believed.
func checkMaster(ctx context.Context, c *redis.Conn) error {
	role, err := c.Do(ctx, "ROLE").Slice()
	if err != nil {
		if _, replied := errors.AsType[redis.Error](err); replied {
			return nil
		}
		return err
	}
	if len(role) > 0 && role[0] == "slave" {
		return &failure{reason: ReasonMasterDown, text: "the server that the sentinels name is a replica"}
	}
	return nil
}
