package collector

import (
	"context"
	"errors"

	"github.com/redis/go-redis/v9"
)

// section is a group of commands about one server beyond PING and INFO. Its
// commands travel in the probe's one round trip. To add one, write its file and
// name it in sections, and its families in allFamilies.
type section struct {
	name    string // in the label collector
	enabled func(*Options) bool
	cluster bool // only asked of the nodes of a cluster
	// enqueue adds the commands and returns how to read the replies. The
	// series come in family order; what one reply does not tell is absent and
	// makes an error, the others still count.
	enqueue func(context.Context, redis.Pipeliner) func(*block) error
}

// sections are all there are, in the order of their families.
var sections = [...]section{slowlogSection, clusterSection, commandstatsSection, latencySection}

// node is one server: the connection itself, or one node of a cluster. It
// remembers what spares work in the next probe.
type node struct {
	labels  string // the connection's, and in a cluster the node's
	info    infoResult
	dropped int // of info, as last counted
	denied  [len(sections)]bool
}

// nodeRead is what one probe reads of a node.
type nodeRead struct {
	*node
	ping     *redis.StatusCmd
	text     *redis.StringCmd
	sections [len(sections)]func(*block) error // nil = not asked
	asked    [len(sections)]bool               // enabled for this node, refused or not
	err      error                             // why the node did not answer
}

// visit prepares the reading of a node; name is empty where the connection is
// no cluster.
func (t *trip) visit(name string) *nodeRead {
	t.mu.Lock()
	defer t.mu.Unlock()
	n := t.probe.nodes[name]
	if n == nil {
		n = &node{labels: t.labels + label("node", name)}
		t.probe.nodes[name] = n
	}
	read := &nodeRead{node: n}
	for i := range sections {
		s := &sections[i]
		read.asked[i] = s.enabled(&t.collector.options) && (!s.cluster || name != "")
	}
	t.nodes = append(t.nodes, read)
	return read
}

func (n *nodeRead) enqueue(ctx context.Context, pipe redis.Pipeliner) {
	n.ping = pipe.Ping(ctx)
	n.text = pipe.Info(ctx)
	for i := range sections {
		n.sections[i] = nil
		if n.asked[i] && !n.denied[i] {
			n.sections[i] = sections[i].enqueue(ctx, pipe)
		}
	}
}

var errNotPong = errors.New("the reply to PING is not PONG: this is no Redis")

// refused returns why the node does not count as up although it replied.
func (n *nodeRead) refused() error {
	switch err := n.ping.Err(); {
	case err != nil && isReply(err):
		return err
	case err == nil && n.ping.Val() != "PONG":
		return errNotPong
	default:
		return nil
	}
}

// fill adds the node's figures to b and notes which collectors succeeded. The
// sections' families stand behind INFO's, each in the order of sections.
func (n *nodeRead) fill(b *block, t *trip, ok outcomes) {
	understood := false
	if n.text.Err() == nil {
		understood = parseInfo(n.text.Val(), t.now, &n.info)
	}
	ok.note("info", understood)
	if understood {
		n.info.add(b)
		t.collector.metrics.dropped.Add(float64(max(n.info.dropped-n.dropped, 0)))
		n.dropped = n.info.dropped
	}
	for i := range sections {
		if !n.asked[i] {
			continue
		}
		ok.note(sections[i].name, n.fillSection(b, i) == nil)
	}
}

// fillSection adds one section. One that the server refuses is asked again only
// after a reload: each refusal would leave a line in its ACL log or a count in
// its error statistics.
func (n *nodeRead) fillSection(b *block, i int) error {
	if n.sections[i] == nil {
		return errDenied
	}
	err := n.sections[i](b)
	n.denied[i] = refusedForGood(err)
	return err
}

// errDenied stands for a section that was refused in an earlier probe.
var errDenied = errors.New("refused in an earlier probe")

// outcomes says for each collector that ran whether it read all of its figures.
type outcomes map[string]bool

// note records an outcome; one failure among several stays a failure.
func (o outcomes) note(collector string, ok bool) {
	was, seen := o[collector]
	o[collector] = ok && (was || !seen)
}
