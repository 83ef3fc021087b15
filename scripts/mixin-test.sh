#!/bin/sh
# Tests the mixin with promtool, amtool and Alertmanager: what it makes is
# accepted, alerts fire and resolve as mixin/tests says, and come where it says.
# A tool that is not there is named and left out; in CI that is a failure.
set -eu
cd "$(dirname "$0")/.."

have() {
	command -v "$1" >/dev/null 2>&1 && return
	[ -z "${CI:-}" ] || { echo "$1 is missing" >&2; exit 1; }
	echo "$1 is missing: its tests are left out" >&2
	return 1
}

if have promtool; then
	promtool check rules --lint=all --lint-fatal alerts/queuefleet-rules.yaml alerts/queuefleet-alerts.yaml
fi
# make test runs the rest by itself.
[ "${1:-}" != rules ] || exit 0

# What fires when, and that each alert has its test and its runbook.
go -C tools test ./mixintest
# Routes, inhibition (against a running Alertmanager), templates and settings.
go test ./internal/mixin
