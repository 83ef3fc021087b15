package collector

import "strings"

func (id infoIdentity) clone() infoIdentity {
	for _, s := range []*string{
		&id.role, &id.version, &id.valkeyVersion, &id.mode, &id.os, &id.maxmemoryPolicy, &id.port,
		&id.masterHost, &id.masterPort, &id.slaveReadOnly,
	} {
		*s = strings.Clone(*s)
	}
	return id
}

// render makes the labels that follow from the identity.
func (r *infoResult) render() {
	r.instanceLabel = label("role", r.role) + label("redis_version", r.version) + label("valkey_version", r.valkeyVersion) +
		label("redis_mode", r.mode) + label("os", r.os) + label("maxmemory_policy", r.maxmemoryPolicy) + label("tcp_port", r.port)
	r.masterLabel = label("master_host", r.masterHost) + label("master_port", r.masterPort)
	r.slaveLabel = r.masterLabel + label("read_only", r.slaveReadOnly)
}

// add appends the series to a block in family order. In a Cluster each node has
// a block of its own, whose labels name the node.
func (r *infoResult) add(b *block) {
	for i, v := range r.values {
		b.add(coreFamilyCount+familyID(i), "", v)
	}
	if r.instanceLabel != "" {
		b.add(famInstanceInfo, r.instanceLabel, 1)
	}
	b.add(famStartTime, "", r.start)
	r.addMaster(b)
	for i := range r.slaves {
		b.add(famConnectedSlaveOffset, r.slaves[i].label, r.slaves[i].offset)
	}
	for i := range r.slaves {
		b.add(famConnectedSlaveLag, r.slaves[i].label, r.slaves[i].lag)
	}
	for i := range r.dbs {
		b.add(famDBKeys, r.dbs[i].label, r.dbs[i].keys)
	}
	for i := range r.dbs {
		b.add(famDBKeysExpiring, r.dbs[i].label, r.dbs[i].expires)
	}
	for i := range r.dbs {
		b.add(famDBAverageTTL, r.dbs[i].label, r.dbs[i].averageTTLMillis/1000)
	}
}

// addMaster appends what a replica says about its master.
func (r *infoResult) addMaster(b *block) {
	if r.masterHost == "" {
		return
	}
	b.add(famSlaveInfo, r.slaveLabel, 1)
	b.add(famMasterLinkUp, r.masterLabel, r.masterLinkUp)
	b.add(famMasterLastIO, r.masterLabel, r.masterLastIO)
	b.add(famMasterSync, r.masterLabel, r.masterSync)
	b.add(famSlaveOffset, r.masterLabel, r.slaveOffset)
}

// dbLabel renders the label of a database; the usual ones without allocating.
func dbLabel(name string) string {
	if len(name) == len("db0") {
		return dbLabels[name[2]-'0']
	}
	return label("db", name)
}

var dbLabels = [...]string{
	`,db="db0"`, `,db="db1"`, `,db="db2"`, `,db="db3"`, `,db="db4"`,
	`,db="db5"`, `,db="db6"`, `,db="db7"`, `,db="db8"`, `,db="db9"`,
}
