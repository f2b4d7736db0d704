#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# Programs of which memory is paged get no asynchronous I/O, which could lose what it reads there;
# others, which have the library preloaded as well, do.
# shellcheck source=tests/lib/test.sh
. "$(dirname "$0")/../lib/test.sh"

must "$PROGRAMS/async_io" >plain
expect_text plain "^a ring$"
expect_status 0 "$CTL" run --memory 8M --swap "$SWAP" --verbose -- "$PROGRAMS/async_io"
expect_text out "^Function not implemented$"
expect_text err "pagerd: io_uring is refused"
expect_status 0 env LD_PRELOAD="$PAGERD_BUILD/client/libpagerd-preload.so" PAGERD_SOCKET= \
	"$PROGRAMS/async_io"
must cmp plain out

# libaio's io_setup, and that of a library that has nothing to do with it.
cat >setup.c <<'EOF'
#include <stdio.h>
#include <stdlib.h>
int io_setup(int events, void **context);
int main(void)
{
	void *context = NULL;
	free(malloc(4 << 20)); /* paged */
	printf("io_setup: %d\n", io_setup(1, &context));
	return 0;
}
EOF
echo 'int io_setup(int events, void **context) { return events + !context; }' >other.c
must gcc -shared -fPIC -o libother.so other.c
must gcc -o other setup.c -L. -Wl,-rpath,"$PWD" -lother
expect_status 0 "$CTL" run --memory 8M --swap "$SWAP" -- ./other
expect_text out "^io_setup: 1$"
if gcc -o setup setup.c -laio; then
	must ./setup >plain
	expect_text plain "^io_setup: 0$"
	expect_status 0 "$CTL" run --memory 8M --swap "$SWAP" -- ./setup
	expect_text out "^io_setup: -38$"
	expect_status 0 env LD_PRELOAD="$PAGERD_BUILD/client/libpagerd-preload.so" PAGERD_SOCKET= \
		./setup
	must cmp plain out
fi
