// Package proc runs worker processes: each one from its start until it has been
// reaped. It is the only package of this module that starts processes.
//
// A Manager starts children from one thread that lives as long as the process
// (the kernel sends the death signal when the starting thread ends, not when
// the process does), reaps them in one goroutine, and reports what happens to
// them on one channel. Nothing that it offers blocks its caller, with the one
// exception of Check, which looks at files.
//
// # Starting
//
// Between fork and exec much has to be done that may fail or hang: limits,
// identity, the working directory, which may lie on a file server that does not
// answer. Doing it in the forking thread would stop every other start, and Go's
// runtime takes longer to begin (5 to 25 ms) than a worker may take to be
// replaced. So each start is compiled into a list of system calls (see program)
// together with the strings that they refer to, and handed to an exec stub: a
// page of code of this very binary that carries out the list and reports the
// first call that fails. Where the machine refuses to run that page, this
// binary runs itself and interprets the same list in Go; a program that uses
// this package calls RunStub first thing in main for that.
//
// # Stopping
//
// Stop sends the graceful signal once, to the leader only. After the grace the
// whole session is killed. Whatever outlives the leader, however it ended, is
// killed and counted as leaked (with Spec.Linger when the grace is over): by process group, by session, by cgroup where
// one is delegated, and, where the process adopts orphans, by a mark in the
// environment that finds even those that have left group and session.
//
// # Output
//
// Output is always read, so a worker never blocks on it. What exceeds the
// bounds is dropped and counted. A child's exit never waits for its output: a
// grandchild may hold the other end for ever.
package proc
