#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# The README's section on writing a policy, to the letter: its code is compiled outside the tree,
# loaded, and runs under a program. What is not a policy is refused with the reason.
# shellcheck source=tests/lib/test.sh
. "$(dirname "$0")/../lib/test.sh"
README=$TESTS/../README.md

section() {
	sed -n '/^### Writing one/,/^##* [^W]/p' "$README"
}

# The code, and the commands with the daemon's options left to this test.
section | sed -n '/^```c$/,/^```$/p' | grep -v '^```' >rounds.c
ln -s "$TESTS/../include" include
compile=$(section | grep '^    cc ') || fail "the README does not say how to compile it"
must sh -c "${compile/#    cc /cc -Wall -Wextra -Wno-unused-parameter -Werror }"
options=$(section | sed -n 's/^    pagerd --load-policy/--load-policy/p')
[ -n "$options" ] || fail "the README does not say how to load it"

# shellcheck disable=SC2086 # several words
daemon_start --memory 4M $options
"$CTL" status >out
expect_text out 'policy rounds:most=2'
seq 300000 | shuf --random-source=<(yes) >numbers
must "$CTL" run -- sort -n -S 64M numbers >sorted
seq 300000 | cmp - sorted || fail "sort went wrong under it"
daemon_must_live "after the program"
[ "$(value_of evicted_dirty stat)" -gt 0 ] || fail "nothing was evicted"
must "$CTL" set policy=lru
must "$CTL" set policy=rounds
"$CTL" set policy=rounds:least=2 >out 2>&1 && fail "it takes a parameter that it has not got"
expect_text out "there is no parameter 'least'"
daemon_stop

# ---- in the simulator --------------------------------------------------------------------------

simulate=$(section | sed -n 's/^    pagersim \(--load-policy.*\) TRACE$/\1/p')
[ -n "$simulate" ] || fail "the README does not say how to simulate it"
# shellcheck disable=SC2086
must "$PAGERD_BUILD/bench/pagersim" $simulate --csv - numbers >simulated
grep -q '"rounds","most=2","once round for each use"' simulated || fail "it was not simulated"

# ---- both against each other -----------------------------------------------------------------

export PAGERD_DAEMON=${DAEMON:-$PAGERD_BUILD/daemon/pagerd}
must "$PAGERD_BUILD/bench/pagerbench" check --load-policy ./rounds.so --policy rounds:most=2 \
	--workload zipf --sizes 100 --data 400 --references 4000 --file --read-only --dir "$SWAP"

# ---- what is refused ---------------------------------------------------------------------------

refused() {
	expect_status 64 "${DAEMON_COMMAND[@]}" --load-policy "$1"
	expect_text err "$2"
}
# shellcheck disable=SC2086
expect_status 0 "${DAEMON_COMMAND[@]}" $options --help
expect_text out 'rounds +once round for each use'
refused ./none.so 'none\.so.*no such file'
refused rounds.c 'rounds\.c'
echo 'int something;' | must cc -shared -fPIC -x c - -o other.so
refused ./other.so "other\.so.*no symbol 'pagerd_policy'"
sed 's/= PAGERD_POLICY_VERSION/= 77/' rounds.c >old.c
must cc -shared -fPIC -I include old.c -o old.so
refused ./old.so 'old\.so.*version 77 of the interface, not [0-9]'
sed 's/"rounds"/"lru"/' rounds.c >lru.c
must cc -shared -fPIC -I include lru.c -o lru.so
refused ./lru.so "lru\.so.*there is a policy 'lru' already"
sed 's/\.victims = victims,//' rounds.c >half.c
must cc -shared -fPIC -I include half.c -o half.so
refused ./half.so 'half\.so.*has not got victims'
