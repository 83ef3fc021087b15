#!/bin/sh
# Installs the Debian packages named as arguments, where they are missing.
# On other systems it names what is missing and goes on: tests that need a
# missing part skip with its name (and fail where CI is set).
set -eu

missing=""
for package in "$@"; do
	dpkg-query -W -f '${Status}' "$package" 2>/dev/null | grep -q 'ok installed' || missing="$missing $package"
done
[ -n "$missing" ] || exit 0

if ! command -v apt-get >/dev/null 2>&1; then
	echo "not a Debian system; tests that need these will skip:$missing" >&2
	exit 0
fi
sudo=""
if [ "$(id -u)" != 0 ]; then
	if ! command -v sudo >/dev/null 2>&1; then
		echo "not root and no sudo; tests that need these will skip:$missing" >&2
		exit 0
	fi
	sudo="sudo"
fi

# The tests start their own servers: the packages' services stay off. A policy
# that is already there is somebody's own and is left alone.
policy=/usr/sbin/policy-rc.d
if [ ! -e "$policy" ]; then
	printf '#!/bin/sh\nexit 101\n' | $sudo tee "$policy" >/dev/null
	$sudo chmod 755 "$policy"
	trap '$sudo rm -f "$policy"' EXIT
fi
$sudo apt-get update -q
# shellcheck disable=SC2086 # a list of words is meant
$sudo env DEBIAN_FRONTEND=noninteractive apt-get install -q -y --no-install-recommends $missing
