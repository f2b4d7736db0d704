# shellcheck shell=bash
# SPDX-License-Identifier: MIT

SOURCE_DIR=$(cd "$(dirname "${BASH_SOURCE[0]}")/../.." && pwd)

# build DIR COMPILER "TARGET..." [MESON-OPTION...]: configure DIR if need be and build those
# targets ("": all). What was configured with other options is configured again.
build() {
	local dir=$1 targets=()
	local -x CC=$2
	read -r -a targets <<<"$3"
	shift 3
	if [ -f "$dir/build.ninja" ]; then
		meson setup --reconfigure "$dir" "$SOURCE_DIR" "$@" >/dev/null ||
			meson setup --wipe "$dir" "$SOURCE_DIR" "$@" || return 1
	else
		meson setup "$dir" "$SOURCE_DIR" "$@" || return 1
	fi
	ninja -C "$dir" "${targets[@]}"
}

# The names of the unit test programs of a build directory.
unit_programs() {
	meson introspect "$1" --tests | python3 -c '
import json, sys
for test in json.load(sys.stdin):
    print(test["name"], test["cmd"][0])'
}
