package preset

import "syscall"

// frankenphp is `frankenphp php-cli artisan queue:work`: the same worker under
// another PHP.
var frankenphp = Preset{
	Name:           "frankenphp",
	PauseSignal:    syscall.SIGUSR2,
	ContinueSignal: syscall.SIGCONT,
	ReadySignal:    syscall.SIGCONT,
	DeathSignal:    true,
	MemoryCode:     12,
	Check:          checkLaravel,
	Build:          buildLaravel,
	NewParser:      newLaravelParser,
	Probe:          probeLaravel,
	Prove:          proveLaravel,
}
