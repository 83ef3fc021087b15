#!/bin/sh
# Checks the dashboards against the types that Grafana publishes, and that the
# check finds what it should. Needs node, npm and their registry.
set -eu
cd "$(dirname "$0")/.."

for program in node npm; do
	command -v "$program" >/dev/null 2>&1 || { echo "$program is missing: make mixin-types needs it" >&2; exit 1; }
done
dir=.build/types
mkdir -p "$dir"
rm -rf "$dir/generated" "$dir/faults"
cp mixin/types/* "$dir/"
dashboards=$(find "$PWD/dashboards" -name '*.json' | sort)
cd "$dir"
npm ci --ignore-scripts --no-audit --no-fund --silent
# shellcheck disable=SC2086 # a list of words is meant
node gen.mjs $dashboards
npx --no-install tsc -p .

# Each dashboard with a fault put into it must be found out.
node seeds.mjs "$(echo "$dashboards" | grep overview)" faults
rm -rf generated
node gen.mjs faults/*.json >/dev/null
npx --no-install tsc -p . >faults.txt || true
found=0
for fault in faults/*.json; do
	name=$(basename "$fault" .json)
	grep -q "^generated/$name\.ts" faults.txt || { echo "$name was not found" >&2; exit 1; }
	found=$((found + 1))
done
echo "types are right; all $found faults put in were found"
