# shellcheck shell=bash
# SPDX-License-Identifier: MIT

# build DIR COMPILER "TARGET..." [MESON-OPTION...]: configure DIR if need be and build those
# targets ("": all). What was configured with other options is configured again.
build() {
	local dir=$1 compiler=$2 targets=()
	read -r -a targets <<<"$3"
	shift 3
	if [ -f "$dir/build.ninja" ]; then
		CC=$compiler meson setup --reconfigure "$dir" "$@" >/dev/null ||
			CC=$compiler meson setup --wipe "$dir" "$@" || return 1
	else
		CC=$compiler meson setup "$dir" "$@" || return 1
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
