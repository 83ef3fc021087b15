// Package horizon looks after Laravel Horizons from outside: it finds their
// processes in this machine's process table and their records in Redis, tells
// where the two disagree, and knows in which order a Horizon is replaced.
//
// Horizon itself believes its records. It removes them as soon as it is told to
// terminate, while its workers may have jobs for minutes; it forgets workers
// whose supervisor was killed. So nothing here concludes from a record that a
// process is gone: a process is gone when the process table says so.
package horizon
