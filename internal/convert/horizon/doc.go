// Package horizon reads the configuration of an application that runs Laravel
// Horizon and says it in terms of Queuefleet: its Redis connections, the
// application, and a queue configuration for each of Horizon's supervisors.
//
// Evaluate has PHP say what the files mean; Convert decides what becomes of it
// and warns of everything that cannot be carried over.
package horizon
