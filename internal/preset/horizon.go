package preset

import "syscall"

// horizon is `php artisan horizon`: a master process that runs the workers of
// all of an application's configurations by itself.
var horizon = Preset{
	Name:              "horizon",
	OnePerApplication: true,
	PauseSignal:       syscall.SIGUSR2,
	ContinueSignal:    syscall.SIGCONT,
	ReadySignal:       syscall.SIGCONT,
	DeathSignal:       true,
	MemoryCode:        12,
	Check:             checkLaravel,
	Build:             buildHorizon,
	Probe:             probeLaravel,
	Prove:             proveLaravel,
}
