package preset

import (
	"syscall"
)

// laravel is `php artisan queue:work`.
var laravel = Preset{
	Name:           "laravel",
	PauseSignal:    syscall.SIGUSR2,
	ContinueSignal: syscall.SIGCONT,
	ReadySignal:    syscall.SIGCONT, // USR2 kills a worker that is still booting
	DeathSignal:    true,
	MemoryCode:     12,
	Check:          checkLaravel,
	Build:          buildLaravel,
	NewParser:      newLaravelParser,
	Probe:          probeLaravel,
	Prove:          proveLaravel,
}
