package collector

// slot says what to do with an INFO field: below len(infoTable) it is that row
// of the table, above it is one of the constants here.
type slot uint8

const (
	slotRole slot = slot(len(infoTable)) + iota
	slotVersion
	slotValkeyVersion
	slotMode
	slotServerMode
	slotOS
	slotPolicy
	slotPort
	slotServerTime
	slotMasterHost
	slotMasterPort
	slotMasterLink
	slotMasterLastIO
	slotMasterSync
	slotSlaveOffset
	slotSlaveReadOnly

	slotNone slot = 255
)

// infoSpecial are the fields that need more than a row of infoTable.
var infoSpecial = map[string]slot{
	"role":                       slotRole,
	"redis_version":              slotVersion,
	"valkey_version":             slotValkeyVersion,
	"redis_mode":                 slotMode,
	"server_mode":                slotServerMode, // Valkey
	"os":                         slotOS,
	"maxmemory_policy":           slotPolicy,
	"tcp_port":                   slotPort,
	"server_time_usec":           slotServerTime,
	"master_host":                slotMasterHost,
	"master_port":                slotMasterPort,
	"master_link_status":         slotMasterLink,
	"master_last_io_seconds_ago": slotMasterLastIO,
	"master_sync_in_progress":    slotMasterSync,
	"slave_repl_offset":          slotSlaveOffset,
	"slave_read_only":            slotSlaveReadOnly,
}

// fieldIndex finds the slot of a field: a hash table with open addressing. Two
// thirds of INFO's fields are not served, and this refuses them in a third of
// the time that a map takes.
type fieldIndex struct {
	names [fieldIndexSize]string
	slots [fieldIndexSize]slot
}

const fieldIndexSize = 512 // a power of two, several times the fields

var infoIndex = newFieldIndex()

func newFieldIndex() *fieldIndex {
	x := &fieldIndex{}
	for i := range infoTable {
		x.add(infoTable[i].field, slot(i))
	}
	for name, s := range infoSpecial {
		x.add(name, s)
	}
	return x
}

// hashField mixes what tells INFO's names apart. name is not empty.
func hashField(name string) uint {
	n := uint(len(name))
	return (n*7 + uint(name[0])*31 + uint(name[n/2])*131 + uint(name[n-1])*257 + uint(name[n*3/4])*17) % fieldIndexSize
}

func (x *fieldIndex) add(name string, s slot) {
	i := hashField(name)
	for x.names[i] != "" {
		i = (i + 1) % fieldIndexSize
	}
	x.names[i], x.slots[i] = name, s
}

func (x *fieldIndex) find(name string) slot {
	if name == "" {
		return slotNone
	}
	for i := hashField(name); x.names[i] != ""; i = (i + 1) % fieldIndexSize {
		if x.names[i] == name {
			return x.slots[i]
		}
	}
	return slotNone
}
