# Shared by the scripts: where things are, and how a missing Debian package gets here.
# Sourced, not run.

TOP=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
PYTHON=/usr/bin/python3 # Debian's, which has Debian's modules; another python3 may be first in PATH

BUILD_PACKAGES="gcc meson ninja-build pkg-config libc6-dev libcmocka-dev libevent-dev libjson-c-dev libcyaml-dev
 libyaml-dev libseccomp-dev libsqlite3-dev libssl-dev"
SERVICE_PACKAGES="nginx-light postgresql redis-server redis-tools openssl procps util-linux"
TEST_PACKAGES="$SERVICE_PACKAGES python3 python3-pytest python3-pytest-xdist python3-cryptography gnutls-bin clang
 libclang-rt-14-dev llvm curl git strace"

as_root() {
	if [ "$(id -u)" = 0 ]; then "$@"; else sudo "$@"; fi
}

missing_packages() {
	local p
	for p in "$@"; do
		[ "$(dpkg-query -W -f '${db:Status-Status}' "$p" 2>/dev/null)" = installed ] || echo "$p"
	done
}

# Installs what is missing, and starts no daemon: a policy-rc.d that says no stands only as long as apt runs.  A
# service that ran before is not touched; one that is new is not enabled for the next boot.
need_packages() {
	local missing policy=/usr/sbin/policy-rc.d made=no before after unit
	missing=$(missing_packages "$@")
	[ -n "$missing" ] || return 0
	echo "installing: $(echo $missing)" >&2
	if [ ! -e $policy ]; then
		printf '#!/bin/sh\nexit 101\n' | as_root tee $policy >/dev/null
		as_root chmod 755 $policy
		made=yes
	fi
	before=$(enabled_units)
	local rc=0 log
	log=$(mktemp)
	{ as_root apt-get update -qq &&
	  as_root env DEBIAN_FRONTEND=noninteractive apt-get install -y --no-install-recommends $missing; } >"$log" 2>&1 || rc=$?
	[ $rc = 0 ] || { tail -20 "$log" >&2; echo "could not install packages; install them by hand and try again" >&2; }
	rm -f "$log"
	[ $made = no ] || as_root rm -f $policy
	after=$(enabled_units)
	for unit in $(comm -13 <(echo "$before") <(echo "$after")); do
		as_root systemctl disable "$unit" >/dev/null 2>&1 || true
	done
	return $rc
}

# Nothing where systemd does not run.
enabled_units() {
	systemctl list-unit-files --state=enabled --type=service --no-legend 2>/dev/null | awk '{print $1}' | sort || true
}

# compile DIR [meson option ...]: configures DIR once and builds it.
compile() {
	local dir=$1
	shift
	cd "$TOP" || return 1
	if [ ! -e "$dir/build.ninja" ]; then
		rm -rf "$dir"
		meson setup "$dir" "$@" >"$dir.log" 2>&1 || { cat "$dir.log" >&2; return 1; }
		mv "$dir.log" "$dir/setup.log"
	fi
	ninja -C "$dir" >"$dir/build.log" 2>&1 || { tail -40 "$dir/build.log" >&2; return 1; }
}

compile_release() { compile build -Dbuildtype=release -Ddebug=true; }
compile_sanitized() { compile build-asan -Dbuildtype=debug -Doptimization=1 -Db_sanitize=address,undefined; }
compile_fuzzers() { CC=clang compile build-fuzz -Dfuzz=true -Dbuildtype=debug -Doptimization=1 -Db_sanitize=address,undefined; }
