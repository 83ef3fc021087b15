package app

import (
	"github.com/coreos/go-systemd/v22/daemon"
)

// What systemd is told of a unit of Type=notify or notify-reload.
const (
	stateReady    = daemon.SdNotifyReady
	stateStopping = daemon.SdNotifyStopping
)

// stateReloading carries the time, by which systemd tells this reload from one
// before.
func stateReloading() string {
	return daemon.SdNotifyReloading + "\n" + daemon.SdNotifyMonotonicUsec()
}

// notify tells systemd, where it listens.
func (p *program) notify(state string) {
	if _, err := daemon.SdNotify(false, state); err != nil {
		p.logger.Warn("Telling systemd failed", "state", state, "err", err)
	}
}
