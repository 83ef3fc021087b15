#!/bin/sh
# Compiles the mixin into dashboards/ and alerts/, or checks it.
#
#   mixin.sh compile   write what the mixin makes, remove what it no longer makes
#   mixin.sh check     formatted, lint-free, compiled files fresh, and the same
#                      from Debian's jsonnet (skipped where absent, required in
#                      CI), and what they ask for exists (tools/dashcheck)
#   mixin.sh fmt       format the sources
set -eu
cd "$(dirname "$0")/.."

tool() { # name arguments…: a tool of tools/go.mod, run in tools/
	go -C tools tool "$@"
}

sources() {
	find mixin -name '*.libsonnet' -o -name '*.jsonnet' | sort | sed 's|^|../|'
}

# render DIR COMMAND…: the compiled files, by the jsonnet that COMMAND starts.
# Paths are seen from tools/.
render() {
	out=$1
	shift
	rm -rf "$out"
	mkdir -p "$out/dashboards" "$out/alerts/alertmanager"
	"$@" -m "../$out" ../mixin/dashboards.jsonnet >/dev/null
	"$@" -S -m "../$out" ../mixin/texts.jsonnet >/dev/null
}

debian_jsonnet() {
	(cd tools && jsonnet "$@")
}

# same DIR: what was rendered into DIR is what is committed, no more and no less.
same() {
	diff -r -u "$1/dashboards" dashboards && diff -r -u "$1/alerts" alerts
}

case "${1:-}" in
compile)
	render ".build/mixin.$$" tool jsonnet
	trap 'rm -rf ".build/mixin.$$"' EXIT
	for part in dashboards alerts; do
		mkdir -p "$part"
		(cd "$part" && find . -type f) | while read -r file; do
			[ -e ".build/mixin.$$/$part/$file" ] || rm "$part/$file"
		done
	done
	(cd ".build/mixin.$$" && find . -type f) | while read -r file; do
		mkdir -p "$(dirname "$file")"
		cmp -s ".build/mixin.$$/$file" "$file" || { mv ".build/mixin.$$/$file" "$file" && echo "$file" | cut -c 3-; }
	done
	;;
check)
	# shellcheck disable=SC2046 # a list of words is meant
	tool jsonnetfmt --test -- $(sources) || { echo "the mixin is not formatted: run make mixin-fmt" >&2; exit 1; }
	# shellcheck disable=SC2046
	tool jsonnet-lint -- $(sources)
	trap 'rm -rf ".build/mixin.$$"' EXIT
	render ".build/mixin.$$" tool jsonnet
	same ".build/mixin.$$" || { echo "dashboards/ and alerts/ are not what mixin/ makes: run make mixin" >&2; exit 1; }
	if command -v jsonnet >/dev/null 2>&1; then
		render ".build/mixin.$$" debian_jsonnet
		same ".build/mixin.$$" || { echo "$(jsonnet --version) makes other files than go-jsonnet" >&2; exit 1; }
	elif [ -n "${CI:-}" ]; then
		echo "jsonnet is missing" >&2
		exit 1
	else
		echo "jsonnet is missing: not compared with go-jsonnet" >&2
	fi
	go -C tools run ./dashcheck -root ..
	;;
fmt)
	# shellcheck disable=SC2046
	tool jsonnetfmt -i -- $(sources)
	;;
*)
	echo "usage: $0 compile|check|fmt" >&2
	exit 2
	;;
esac
