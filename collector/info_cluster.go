package collector

import (
	"context"
	"math"

	"github.com/redis/go-redis/v9"
)

// clusterTable is what of CLUSTER INFO is served, in the order of the page.
var clusterTable = [...]infoField{
	{"cluster_state", status, family{"redis_cluster_state", gauge, "1 if the node sees the Cluster able to serve, else 0."}},
	{"cluster_slots_assigned", number, family{"redis_cluster_slots_assigned", gauge, "Hash slots that are assigned to a node; 16384 is all."}},
	{"cluster_slots_ok", number, family{"redis_cluster_slots_ok", gauge, "Hash slots on nodes that are neither failed nor suspected."}},
	{"cluster_slots_pfail", number, family{"redis_cluster_slots_pfail", gauge, "Hash slots on nodes that this node suspects to have failed."}},
	{"cluster_slots_fail", number, family{"redis_cluster_slots_fail", gauge, "Hash slots on nodes that the Cluster holds for failed."}},
	{"cluster_known_nodes", number, family{"redis_cluster_known_nodes", gauge, "Nodes that the node knows, itself and nodes in handshake included."}},
	{"cluster_size", number, family{"redis_cluster_size", gauge, "Masters that serve at least one hash slot."}},
	{"cluster_current_epoch", number, family{"redis_cluster_current_epoch", gauge, "The Cluster's epoch; it grows with each failover."}},
	{"cluster_my_epoch", number, family{"redis_cluster_my_epoch", gauge, "Epoch of the node's own configuration."}},
	{"cluster_stats_messages_sent", number, family{"redis_cluster_messages_sent_total", counter, "Messages sent on the Cluster's bus."}},
	{"cluster_stats_messages_received", number, family{"redis_cluster_messages_received_total", counter, "Messages received on the Cluster's bus."}},
}

const (
	clusterFamilyFirst familyID = slowlogFamilyEnd
	clusterFamilyEnd            = clusterFamilyFirst + familyID(len(clusterTable))
)

var clusterSection = section{
	name:    "cluster",
	enabled: func(*Options) bool { return true },
	cluster: true,
	enqueue: func(ctx context.Context, pipe redis.Pipeliner) func(*block) error {
		info := pipe.Do(ctx, "cluster", "info")
		return func(b *block) error {
			text, err := info.Text()
			if err == nil {
				err = addCluster(b, text)
			}
			return during("cluster info", err)
		}
	},
}

func addCluster(b *block, text string) error {
	values := [len(clusterTable)]float64{}
	found := false
	for i := range values {
		values[i] = math.NaN()
	}
	for name, value := range infoFieldsOf(text) {
		for i := range clusterTable {
			if clusterTable[i].field == name {
				values[i] = clusterTable[i].parse(value)
				found = true
			}
		}
	}
	if !found {
		return errReplyForm
	}
	for i, v := range values {
		b.add(clusterFamilyFirst+familyID(i), "", v)
	}
	return nil
}
