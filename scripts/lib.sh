# Shared by the scripts: where things are, and how a missing Debian package gets here.
# Sourced, not run.

umask 022                                    # other users run what is built here
export LC_ALL=C.UTF-8                        # every machine has it; and a second is 6.1 long, never 6,1
export PATH=$PATH:/usr/local/sbin:/usr/sbin:/sbin # an ordinary user's has none of them
TOP=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
PYTHON=/usr/bin/python3 # Debian's, which has Debian's modules; another python3 may be first in PATH

BUILD_PACKAGES="gcc meson ninja-build pkg-config libc6-dev libcmocka-dev libevent-dev libjson-c-dev libcyaml-dev
 libyaml-dev libseccomp-dev libsqlite3-dev libssl-dev"
PACKAGE_PACKAGES="dpkg-dev binutils xz-utils"
SERVICE_PACKAGES="nginx-light haproxy apache2-bin postgresql redis-server redis-tools openssl procps util-linux"
TEST_PACKAGES="$SERVICE_PACKAGES $PACKAGE_PACKAGES python3 python3-pytest python3-pytest-xdist python3-cryptography gnutls-bin clang
 libclang-rt-14-dev llvm curl git strace mandoc zsh fish python3-jsonschema python3-yaml"

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
	local missing
	missing=$(missing_packages "$@")
	[ -n "$missing" ] || return 0
	if [ "$(id -u)" != 0 ] && ! command -v sudo >/dev/null; then
		echo "missing: $(echo $missing)" >&2
		echo "install them as root (apt-get install), or install sudo, and try again" >&2
		return 1
	fi
	(one_at_a_time "$TOP/scripts/lib.sh"; install_packages $(missing_packages "$@"))
}

install_packages() { # in a subshell: however it ends, policy-rc.d goes
	local policy=/usr/sbin/policy-rc.d before after unit rc=0 log
	[ $# -gt 0 ] || return 0
	echo "installing: $*" >&2
	log=$(mktemp)
	trap "rm -f $log" EXIT
	trap 'exit 130' INT
	trap 'exit 143' TERM HUP
	if [ ! -e $policy ]; then
		trap "rm -f $log; as_root rm -f $policy" EXIT
		printf '#!/bin/sh\nexit 101\n' | as_root tee $policy >/dev/null
		as_root chmod 755 $policy
	fi
	before=$(enabled_units)
	{ as_root apt-get update -qq &&
	  as_root env DEBIAN_FRONTEND=noninteractive apt-get install -y --no-install-recommends -o DPkg::Lock::Timeout=300 "$@"
	} >"$log" 2>&1 || rc=$?
	[ $rc = 0 ] || { tail -20 "$log" >&2; echo "could not install packages; install them by hand and try again" >&2; }
	after=$(enabled_units)
	for unit in $(comm -13 <(echo "$before") <(echo "$after")); do
		as_root systemctl disable "$unit" >/dev/null 2>&1 || true
	done
	return $rc
}

# To be called in a subshell: a second run that wants the same file or folder waits here, until this subshell has ended.
one_at_a_time() { # FILE
	exec 9<"$1"
	flock 9
}

# Nothing where systemd does not run.
enabled_units() {
	systemctl list-unit-files --state=enabled --type=service --no-legend 2>/dev/null | awk '{print $1}' | sort || true
}

# compile DIR [meson option ...]: configures DIR once and builds it, or only $TARGETS in it.
compile() { (cd "$TOP" && mkdir -p "$1" && one_at_a_time "$1" && compile_here "$@"); }
compile_here() {
	local dir=$1
	shift
	if [ ! -e "$dir/build.ninja" ]; then
		echo "building $dir (the first time takes a minute or two)" >&2
		find "$dir" -mindepth 1 -delete
		meson setup "$dir" "$@" >"$dir.log" 2>&1 || { cat "$dir.log" >&2; return 1; }
		mv "$dir.log" "$dir/setup.log"
	fi
	ninja -C "$dir" ${TARGETS:-} >"$dir/build.log" 2>&1 || { tail -40 "$dir/build.log" >&2; return 1; }
}

compile_programs() { TARGETS="troth demo/troth-demo-client" compile_release; }
compile_release() { compile build -Dbuildtype=release -Ddebug=true; }
compile_sanitized() { compile build-asan -Dbuildtype=debug -Doptimization=1 -Db_sanitize=address,undefined; }
compile_fuzzers() { CC=clang compile build-fuzz -Dfuzz=true -Dbuildtype=debug -Doptimization=1 -Db_sanitize=address,undefined; }
