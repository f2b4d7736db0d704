#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# An installation has what the README says: a user of the C API, and a policy, are compiled against
# it, and programs run with what is installed.
# shellcheck source=tests/lib/test.sh
. "$(dirname "$0")/../lib/test.sh"
README=$TESTS/../README.md
ROOT=$TEST_DIR/root

must meson install -C "$PAGERD_BUILD" --no-rebuild --quiet --destdir "$ROOT" >log 2>&1
module=$(find "$ROOT" -name pagerd.pc)
[ -n "$module" ] || fail "no pkg-config file was installed"
PKG_CONFIG_PATH=$(dirname "$module")
export PKG_CONFIG_PATH PKG_CONFIG_SYSROOT_DIR=$ROOT
libraries=$ROOT$(PKG_CONFIG_SYSROOT_DIR='' pkg-config --variable=libdir pagerd)
binaries=$ROOT$(PKG_CONFIG_SYSROOT_DIR='' pkg-config --variable=prefix pagerd)/bin

# ---- the C API ---------------------------------------------------------------------------------

ln -s "$TESTS/../client" client
compile=$(sed -n 's/^    \(cc -o example .*pkg-config.*\)/\1/p' "$README")
[ -n "$compile" ] || fail "the README does not say how to compile it"
must sh -c "${compile/#cc /cc -Wall -Wextra -Werror }"
readelf -d example | grep -q 'NEEDED.*libpagerd\.so\.[0-9]' ||
	fail "it wants any version of the library"
daemon_start --memory 8M
must env LD_LIBRARY_PATH="$libraries" ./example
daemon_stop

# ---- a policy ----------------------------------------------------------------------------------

cat >policy.c <<'END'
#include <pagerd/policy.h>
#include <pagerd/policy_list.h>
#include <pagerd/policy_parameters.h>
#include <pagerd/protocol.h>
#include <pagerd/trace.h>
END
# shellcheck disable=SC2046 # words
must cc -Wall -Werror -c $(pkg-config --cflags pagerd) policy.c

# ---- the programs ------------------------------------------------------------------------------

export PATH=$binaries:$PATH
must pagerctl run --memory 4M --swap "$SWAP" -- \
	grep -qF "$libraries/libpagerd-preload.so" /proc/self/maps
seq 300000 | shuf --random-source=<(yes) >numbers
must pagerctl run --memory 4M --swap "$SWAP" --verbose -- sort -n -S 64M numbers >sorted 2>err
seq 300000 | cmp - sorted || fail "sort went wrong under what is installed"
expect_text err 'pages out: [1-9]'
