package preset

// command is any command, with templates.
var command = Preset{
	Name:        "exec",
	DeathSignal: true,
	Check:       checkExec,
	Build:       buildExec,
}
