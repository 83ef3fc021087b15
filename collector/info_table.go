package collector

// form says how the text of an INFO field becomes a value.
type form uint8

const (
	number   form = iota
	elapsed       // seconds; negative means "never" or "not now", so absent
	microsec      // microseconds, served as seconds
	status        // ok = 1, err and fail = 0
)

// infoField is one field of INFO and the family it is served as.
type infoField struct {
	field string
	form  form
	family
}

// infoTable is every plain field of INFO that is served, in the order of the
// page. The names are redis_exporter's, whatever one thinks of them: dashboards
// and alerts made for it go on working. What is served otherwise than there
// stands in docs/metrics.yaml under differs.
var infoTable = [...]infoField{
	{"uptime_in_seconds", number, family{"redis_uptime_in_seconds", gauge, "Seconds since the server started."}},

	{"connected_clients", number, family{"redis_connected_clients", gauge, "Client connections, those of replicas not counted."}},
	{"blocked_clients", number, family{"redis_blocked_clients", gauge, "Clients that wait in a blocking command such as BLPOP."}},
	{"maxclients", number, family{"redis_config_maxclients", gauge, "Client connections that the server accepts at most."}},
	{"client_recent_max_input_buffer", number, family{"redis_client_recent_max_input_buffer_bytes", gauge, "Largest input buffer among the clients of the last seconds in bytes."}},
	{"client_recent_max_output_buffer", number, family{"redis_client_recent_max_output_buffer_bytes", gauge, "Largest output buffer among the clients of the last seconds in bytes."}},

	{"used_memory", number, family{"redis_memory_used_bytes", gauge, "Bytes that the server's allocator gave out."}},
	{"used_memory_rss", number, family{"redis_memory_used_rss_bytes", gauge, "Bytes of memory that the server's process holds by the operating system's count."}},
	{"used_memory_peak", number, family{"redis_memory_used_peak_bytes", gauge, "Largest used memory since the server started in bytes."}},
	{"used_memory_overhead", number, family{"redis_memory_used_overhead_bytes", gauge, "Bytes used for buffers and management rather than for data."}},
	{"used_memory_dataset", number, family{"redis_memory_used_dataset_bytes", gauge, "Bytes used for data."}},
	{"maxmemory", number, family{"redis_memory_max_bytes", gauge, "Configured maxmemory in bytes; 0 = no limit."}},
	{"total_system_memory", number, family{"redis_total_system_memory_bytes", gauge, "Bytes of memory of the server's machine."}},
	{"mem_fragmentation_ratio", number, family{"redis_mem_fragmentation_ratio", gauge, "Resident over used memory; far above 1 is fragmentation, below 1 is swapping."}},
	{"mem_fragmentation_bytes", number, family{"redis_mem_fragmentation_bytes", gauge, "Resident less used memory in bytes; negative when swapped out."}},
	{"mem_clients_normal", number, family{"redis_mem_clients_normal", gauge, "Bytes used by the buffers of ordinary clients."}},
	{"mem_clients_slaves", number, family{"redis_mem_clients_slaves", gauge, "Bytes used by the buffers of replicas."}},
	{"lazyfree_pending_objects", number, family{"redis_lazyfree_pending_objects", gauge, "Objects that wait to be freed in the background."}},

	{"loading", number, family{"redis_loading_dump_file", gauge, "1 while the server loads its data from disk, else 0."}},
	{"rdb_changes_since_last_save", number, family{"redis_rdb_changes_since_last_save", gauge, "Changes since the last RDB snapshot: what a crash would lose without AOF."}},
	{"rdb_bgsave_in_progress", number, family{"redis_rdb_bgsave_in_progress", gauge, "1 while an RDB snapshot is written, else 0."}},
	{"rdb_last_save_time", number, family{"redis_rdb_last_save_timestamp_seconds", gauge, "Unix time of the last successful RDB snapshot; of the server's start before the first."}},
	{"rdb_last_bgsave_status", status, family{"redis_rdb_last_bgsave_status", gauge, "1 if the last RDB snapshot succeeded, else 0."}},
	{"rdb_last_bgsave_time_sec", elapsed, family{"redis_rdb_last_bgsave_duration_sec", gauge, "Duration of the last RDB snapshot in seconds; absent before the first."}},
	{"rdb_current_bgsave_time_sec", elapsed, family{"redis_rdb_current_bgsave_duration_sec", gauge, "Seconds that the running RDB snapshot has taken so far; absent while none runs."}},
	{"aof_enabled", number, family{"redis_aof_enabled", gauge, "1 if the append-only file is on, else 0."}},
	{"aof_rewrite_in_progress", number, family{"redis_aof_rewrite_in_progress", gauge, "1 while the append-only file is rewritten, else 0."}},
	{"aof_last_rewrite_time_sec", elapsed, family{"redis_aof_last_rewrite_duration_sec", gauge, "Duration of the last rewrite of the append-only file in seconds; absent before the first."}},
	{"aof_current_rewrite_time_sec", elapsed, family{"redis_aof_current_rewrite_duration_sec", gauge, "Seconds that the running rewrite of the append-only file has taken so far; absent while none runs."}},
	{"aof_last_bgrewrite_status", status, family{"redis_aof_last_bgrewrite_status", gauge, "1 if the last rewrite of the append-only file succeeded, else 0."}},
	{"aof_last_write_status", status, family{"redis_aof_last_write_status", gauge, "1 if the last write to the append-only file succeeded, else 0: the server then refuses writes."}},
	{"aof_current_size", number, family{"redis_aof_current_size_bytes", gauge, "Size of the append-only file in bytes; absent where it is off."}},
	{"aof_base_size", number, family{"redis_aof_base_size_bytes", gauge, "Size of the append-only file after its last rewrite in bytes; absent where it is off."}},
	{"aof_pending_bio_fsync", number, family{"redis_aof_pending_bio_fsync", gauge, "Syncs of the append-only file that wait in the background; absent where it is off."}},
	{"aof_delayed_fsync", number, family{"redis_aof_delayed_fsync", gauge, "Writes held up by a slow sync of the append-only file since the server started; absent where it is off."}},

	{"total_connections_received", number, family{"redis_connections_received_total", counter, "Connections that the server accepted."}},
	{"total_commands_processed", number, family{"redis_commands_processed_total", counter, "Commands that the server processed."}},
	{"total_net_input_bytes", number, family{"redis_net_input_bytes_total", counter, "Bytes that the server read from the network."}},
	{"total_net_output_bytes", number, family{"redis_net_output_bytes_total", counter, "Bytes that the server wrote to the network."}},
	{"rejected_connections", number, family{"redis_rejected_connections_total", counter, "Connections refused because of maxclients."}},
	{"expired_keys", number, family{"redis_expired_keys_total", counter, "Keys that expired."}},
	{"evicted_keys", number, family{"redis_evicted_keys_total", counter, "Keys evicted because of maxmemory; on a queue server each may be a lost job."}},
	{"evicted_clients", number, family{"redis_evicted_clients_total", counter, "Clients disconnected because of maxmemory-clients."}},
	{"keyspace_hits", number, family{"redis_keyspace_hits_total", counter, "Lookups of keys that existed."}},
	{"keyspace_misses", number, family{"redis_keyspace_misses_total", counter, "Lookups of keys that did not exist."}},
	{"pubsub_channels", number, family{"redis_pubsub_channels", gauge, "Channels with subscribers."}},
	{"pubsub_patterns", number, family{"redis_pubsub_patterns", gauge, "Patterns with subscribers."}},
	{"latest_fork_usec", microsec, family{"redis_latest_fork_seconds", gauge, "Duration of the last fork in seconds, in which the server stood still; 0 before the first."}},
	{"total_error_replies", number, family{"redis_total_error_replies", counter, "Error replies that the server sent."}},
	{"client_query_buffer_limit_disconnections", number, family{"redis_client_query_buffer_limit_disconnections_total", counter, "Clients disconnected because of their query buffer's size."}},
	{"client_output_buffer_limit_disconnections", number, family{"redis_client_output_buffer_limit_disconnections_total", counter, "Clients disconnected because of their output buffer's size."}},
	{"acl_access_denied_auth", number, family{"redis_acl_access_denied_auth_total", counter, "Failed authentications."}},
	{"acl_access_denied_cmd", number, family{"redis_acl_access_denied_cmd_total", counter, "Commands refused by an ACL."}},
	{"acl_access_denied_key", number, family{"redis_acl_access_denied_key_total", counter, "Accesses to keys refused by an ACL."}},
	{"acl_access_denied_channel", number, family{"redis_acl_access_denied_channel_total", counter, "Accesses to channels refused by an ACL."}},

	{"connected_slaves", number, family{"redis_connected_slaves", gauge, "Replicas connected to this server."}},
	{"master_repl_offset", number, family{"redis_master_repl_offset", gauge, "Replication offset of this server in bytes."}},
	{"repl_backlog_active", number, family{"redis_repl_backlog_is_active", gauge, "1 if the server keeps a replication backlog, else 0."}},
	{"repl_backlog_size", number, family{"redis_replication_backlog_bytes", gauge, "Configured size of the replication backlog in bytes."}},
	{"repl_backlog_histlen", number, family{"redis_repl_backlog_history_bytes", gauge, "Bytes in the replication backlog."}},
	{"sync_full", number, family{"redis_replica_resyncs_full", gauge, "Full resyncs with replicas since the server started."}},
	{"sync_partial_ok", number, family{"redis_replica_partial_resync_accepted", gauge, "Partial resyncs with replicas since the server started."}},
	{"sync_partial_err", number, family{"redis_replica_partial_resync_denied", gauge, "Partial resyncs refused since the server started: each became a full one."}},
	{"slave_priority", number, family{"redis_slave_priority", gauge, "Priority of this replica in a failover; 0 = never promoted. Only on replicas."}},

	{"used_cpu_sys", number, family{"redis_cpu_sys_seconds_total", counter, "System CPU time of the server in seconds."}},
	{"used_cpu_user", number, family{"redis_cpu_user_seconds_total", counter, "User CPU time of the server in seconds."}},
	{"used_cpu_sys_children", number, family{"redis_cpu_sys_children_seconds_total", counter, "System CPU time of the server's background processes in seconds."}},
	{"used_cpu_user_children", number, family{"redis_cpu_user_children_seconds_total", counter, "User CPU time of the server's background processes in seconds."}},
	{"used_cpu_sys_main_thread", number, family{"redis_cpu_sys_main_thread_seconds_total", counter, "System CPU time of the server's main thread in seconds."}},
	{"used_cpu_user_main_thread", number, family{"redis_cpu_user_main_thread_seconds_total", counter, "User CPU time of the server's main thread in seconds; a rate near 1 means that commands queue up."}},

	{"cluster_enabled", number, family{"redis_cluster_enabled", gauge, "1 if the server is a Cluster node, else 0."}},
}

// The families of INFO that are not one plain field. Those of infoTable have
// the identifiers before.
const (
	famInstanceInfo = coreFamilyCount + familyID(len(infoTable)) + iota
	famStartTime
	famSlaveInfo
	famMasterLinkUp
	famMasterLastIO
	famMasterSync
	famSlaveOffset
	famConnectedSlaveOffset
	famConnectedSlaveLag
	famDBKeys
	famDBKeysExpiring
	famDBAverageTTL

	infoFamilyEnd
)

// infoLabelled is indexed from famInstanceInfo.
var infoLabelled = [infoFamilyEnd - famInstanceInfo]family{
	famInstanceInfo - famInstanceInfo:         {"redis_instance_info", gauge, "Always 1; what the server says about itself."},
	famStartTime - famInstanceInfo:            {"redis_start_time_seconds", gauge, "Unix time at which the server started."},
	famSlaveInfo - famInstanceInfo:            {"redis_slave_info", gauge, "Always 1 on a replica; whom it replicates and whether it refuses writes."},
	famMasterLinkUp - famInstanceInfo:         {"redis_master_link_up", gauge, "1 if this replica's link to its master is up, else 0."},
	famMasterLastIO - famInstanceInfo:         {"redis_master_last_io_seconds_ago", gauge, "Seconds since this replica last heard from its master; absent while the link is down."},
	famMasterSync - famInstanceInfo:           {"redis_master_sync_in_progress", gauge, "1 while this replica is synced whole from its master, else 0."},
	famSlaveOffset - famInstanceInfo:          {"redis_slave_repl_offset", gauge, "Replication offset of this replica in bytes."},
	famConnectedSlaveOffset - famInstanceInfo: {"redis_connected_slave_offset_bytes", gauge, "Replication offset that the replica acknowledged in bytes."},
	famConnectedSlaveLag - famInstanceInfo:    {"redis_connected_slave_lag_seconds", gauge, "Seconds since the replica last acknowledged."},
	famDBKeys - famInstanceInfo:               {"redis_db_keys", gauge, "Keys of the database; an empty database is absent."},
	famDBKeysExpiring - famInstanceInfo:       {"redis_db_keys_expiring", gauge, "Keys of the database that have an expiry."},
	famDBAverageTTL - famInstanceInfo:         {"redis_db_avg_ttl_seconds", gauge, "Mean time to live of the database's expiring keys in seconds; 0 where none expires or none was sampled yet."},
}

// infoFamilies is what INFO adds to the page, in the order of the identifiers.
func infoFamilies() []family {
	return append(tableFamilies(infoTable[:]), infoLabelled[:]...)
}

func tableFamilies(table []infoField) []family {
	families := make([]family, len(table))
	for i := range table {
		families[i] = table[i].family
	}
	return families
}
