# shellcheck shell=bash
# shellcheck disable=SC2034 # those that source this use the variables
# SPDX-License-Identifier: MIT
#
# The Debian packages that pagerd is built, tested and shown with.

BUILD_PACKAGES=(gcc libc6-dev meson ninja-build pkg-config liburing-dev libevent-dev libzstd-dev \
	check)
# What runs under the pager. redis-tools has the server's program; redis-server would add a
# service and start it.
RUN_PACKAGES=(libjemalloc2 redis-tools sqlite3 python3 time coreutils util-linux)
TEST_PACKAGES=(chromium clang e2fsprogs mount liblmdb-dev lmdb-utils make
	postgresql-15 stress-ng xfsprogs zstd)

package_installed() {
	[ "$(dpkg-query -W -f='${db:Status-Status}' "$1" 2>/dev/null)" = installed ]
}

# install_packages PACKAGE...: install those that are missing, as root with apt-get; else say what
# to do and return 1.
install_packages() {
	local package missing=()
	if ! command -v dpkg-query apt-get >/dev/null; then
		echo "not a Debian: please see to it that there is: $*"
		return 0
	fi
	for package; do
		package_installed "$package" || missing+=("$package")
	done
	if [ ${#missing[@]} = 0 ]; then
		echo "packages: all there"
		return 0
	fi
	if [ "$(id -u)" != 0 ]; then
		echo "packages are missing; as root: apt-get install ${missing[*]}" >&2
		return 1
	fi
	echo "packages: installing ${missing[*]}"
	export DEBIAN_FRONTEND=noninteractive
	apt-get -qq update || return
	[[ " ${missing[*]} " != *" postgresql-"* ]] || postgres_without_cluster || return
	apt-get -qq install -y --no-install-recommends "${missing[@]}" >/dev/null
}

# Else its package would make a cluster of its own, and start it.
postgres_without_cluster() {
	apt-get -qq install -y --no-install-recommends postgresql-common >/dev/null &&
		sed -i 's/^#\?create_main_cluster.*/create_main_cluster = false/' \
			/etc/postgresql-common/createcluster.conf
}

# The redis server's program: Debian keeps it in redis-tools under another name, and it does what
# the name says that it is started with. Prints a path; DIR is for a link if one is needed.
redis_server_program() {
	local dir=$1
	command -v redis-server && return 0
	ln -sf /usr/bin/redis-check-rdb "$dir/redis-server"
	echo "$dir/redis-server"
}

# The directory of the PostgreSQL server's programs, which are not in the path.
postgres_programs() {
	local program
	for program in /usr/lib/postgresql/*/bin/initdb; do
		[ -x "$program" ] && dirname "$program" && return 0
	done
	return 1
}
