package collector

// The families that the core serves. INFO's follow from infoTable, those of
// the opt-in sections from their own files.
const (
	famUp familyID = iota
	famConnectionInfo
	famProbeDuration
	famPingDuration
	famProbes
	famProbeFailures
	famStateChanges
	famLastSuccess
	famCertificateExpiry
	famCredentialsExpiry

	famQueueJobs
	famQueueOldestAge
	famQueueOldestAgeLowerBound
	famQueueDelayedOverdue
	famQueueOldestOverdueAge
	famQueueReservedExpired
	famQueuePaused
	famQueueWorkers
	famQueueWorkersBusy
	famQueueProcessed
	famQueueFailed
	famQueueWaitObjective
	famQueueWaitObjectiveRatio
	famQueueRetryAfter
	famQueueReadSuccess

	famHorizonStatus
	famHorizonMasters
	famHorizonSupervisors
	famHorizonProcesses
	famHorizonJobsPerMinute
	famHorizonRecentJobs
	famHorizonPendingJobs
	famHorizonCompletedJobs
	famHorizonFailedJobs
	famHorizonRecentFailedJobs
	famHorizonQueueThroughput
	famHorizonQueueRuntime
	famHorizonQueueWait
	famHorizonLastSnapshot

	famApplicationInfo
	famApplicationConnectionInfo
	famApplicationConnectionLastUsed

	famCollectorSuccess
	famCollectorLastSuccess

	coreFamilyCount
)

// coreFamilies is indexed by the constants above.
var coreFamilies = [coreFamilyCount]family{
	famUp:                {"redis_up", gauge, "1 if the last probe of the connection answered within its deadline, else 0."},
	famConnectionInfo:    {"redis_connection_info", gauge, "Always 1; what the configuration says about the connection. The address never holds credentials."},
	famProbeDuration:     {"redis_probe_duration_seconds", gauge, "How long the last probe of the connection took in seconds, failed ones included."},
	famPingDuration:      {"redis_ping_duration_seconds", gauge, "Round trip of the last answered probe in seconds: from the command written to the first byte of the reply."},
	famProbes:            {"redis_probes_total", counter, "Probes of the connection since the exporter started."},
	famProbeFailures:     {"redis_probe_failures_total", counter, "Failed probes of the connection by reason."},
	famStateChanges:      {"redis_connection_state_changes_total", counter, "Changes of the connection from up to down or back."},
	famLastSuccess:       {"redis_probe_last_success_timestamp_seconds", gauge, "Unix time of the last probe that succeeded; absent before the first."},
	famCertificateExpiry: {"redis_tls_certificate_expiry_timestamp_seconds", gauge, "Unix time at which the server's certificate expires, as seen in the last handshake."},
	famCredentialsExpiry: {"redis_credentials_expiry_timestamp_seconds", gauge, "Unix time at which the credentials expire, from credentials_expire_at."},

	famQueueJobs:                {"redis_queue_jobs", gauge, "Jobs of the queue by state."},
	famQueueOldestAge:           {"redis_queue_oldest_job_age_seconds", gauge, "Age of the oldest ready job in seconds; 0 when none is ready, absent when it cannot be known."},
	famQueueOldestAgeLowerBound: {"redis_queue_oldest_job_age_lower_bound_seconds", gauge, "How long the present head of the queue has been seen waiting in seconds; the job may be older."},
	famQueueDelayedOverdue:      {"redis_queue_delayed_overdue_jobs", gauge, "Delayed jobs that are due but were not moved: nobody polls the queue."},
	famQueueOldestOverdueAge:    {"redis_queue_oldest_overdue_job_age_seconds", gauge, "How long the most overdue delayed job has been due in seconds; 0 when none is overdue."},
	famQueueReservedExpired:     {"redis_queue_reserved_expired_jobs", gauge, "Jobs reserved past their expiry: their worker died or is slower than retry_after."},
	famQueuePaused:              {"redis_queue_paused", gauge, "1 if the framework was told to pause the queue, else 0; absent where the framework has no such flag."},
	famQueueWorkers:             {"redis_queue_workers", gauge, "Live workers of the queue by the framework's own registry."},
	famQueueWorkersBusy:         {"redis_queue_workers_busy", gauge, "Live workers of the queue that are working a job, by the framework's own registry."},
	famQueueProcessed:           {"redis_queue_jobs_processed_total", counter, "Finished attempts, failed ones included, where the framework counts them."},
	famQueueFailed:              {"redis_queue_jobs_failed_total", counter, "Failed attempts, where the framework counts them."},
	famQueueWaitObjective:       {"redis_queue_wait_objective_seconds", gauge, "Configured max_wait of the queue in seconds."},
	famQueueWaitObjectiveRatio:  {"redis_queue_wait_objective_ratio", gauge, "Configured share of time in which max_wait must hold."},
	famQueueRetryAfter:          {"redis_queue_retry_after_seconds", gauge, "Configured retry_after of the queue in seconds."},
	famQueueReadSuccess:         {"redis_queue_read_success", gauge, "1 if the queue could be read in the last probe, else 0; its other series are then absent."},

	famHorizonStatus:           {"redis_horizon_status", gauge, "1 for the state that Horizon is in, 0 for the others."},
	famHorizonMasters:          {"redis_horizon_masters", gauge, "Horizon masters with a fresh record."},
	famHorizonSupervisors:      {"redis_horizon_supervisors", gauge, "Horizon supervisors with a fresh record."},
	famHorizonProcesses:        {"redis_horizon_processes", gauge, "Worker processes of the queue as Horizon's supervisors registered them."},
	famHorizonJobsPerMinute:    {"redis_horizon_jobs_per_minute", gauge, "Jobs per minute since the last snapshot as Horizon computes it; failed jobs are not counted by Horizon."},
	famHorizonRecentJobs:       {"redis_horizon_recent_jobs", gauge, "Jobs in Horizon's recent list."},
	famHorizonPendingJobs:      {"redis_horizon_pending_jobs", gauge, "Jobs in Horizon's pending list, running ones included."},
	famHorizonCompletedJobs:    {"redis_horizon_completed_jobs", gauge, "Jobs in Horizon's completed list."},
	famHorizonFailedJobs:       {"redis_horizon_failed_jobs", gauge, "Jobs in Horizon's failed list."},
	famHorizonRecentFailedJobs: {"redis_horizon_recent_failed_jobs", gauge, "Jobs in Horizon's list of recently failed jobs."},
	famHorizonQueueThroughput:  {"redis_horizon_queue_throughput_jobs", gauge, "Jobs of the queue finished since the last snapshot; resets at each snapshot."},
	famHorizonQueueRuntime:     {"redis_horizon_queue_runtime_seconds", gauge, "Mean run time of the queue's jobs since the last snapshot in seconds."},
	famHorizonQueueWait:        {"redis_horizon_queue_wait_seconds", gauge, "Time to clear the queue as Horizon estimates it in seconds."},
	famHorizonLastSnapshot:     {"redis_horizon_last_snapshot_timestamp_seconds", gauge, "Unix time of Horizon's last metrics snapshot; its rates are stale when this is old."},

	famApplicationInfo:               {"queuefleet_application_info", gauge, "Always 1; what the configuration says about the application."},
	famApplicationConnectionInfo:     {"queuefleet_application_connection_info", gauge, "Always 1; the connections of an application."},
	famApplicationConnectionLastUsed: {"queuefleet_application_connection_last_used_timestamp_seconds", gauge, "Unix time at which a queue of the application on this connection last held a job; absent before the first."},

	famCollectorSuccess:     {"queuefleet_exporter_collector_success", gauge, "1 if this collector read all of its figures from the connection in the last probe, else 0."},
	famCollectorLastSuccess: {"queuefleet_exporter_collector_last_success_timestamp_seconds", gauge, "Unix time at which this collector last succeeded on the connection; absent before the first."},
}
