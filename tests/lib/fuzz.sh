# shellcheck shell=bash
# SPDX-License-Identifier: MIT
#
# Fuzzing the trace readers.

# An input takes 0.1 ms on an idle machine, and a busy one is not to be taken for a slow input.
FUZZ_SECONDS=900

# fuzz_traces RUNS: so many inputs, from the corpus in the tree on, or as many as can be in
# FUZZ_SECONDS; PAGERD_SEED is taken back. What makes it fail is kept in the build directory.
fuzz_traces() {
	local dir=$PAGERD_BUILD/fuzz seed=${PAGERD_SEED:-$RANDOM}
	command -v clang >/dev/null || skip "there is no clang"
	echo 'int LLVMFuzzerTestOneInput(const char *b, unsigned long n) { return !b && n; }' >probe.c
	clang -fsanitize=fuzzer,address,undefined probe.c -o probe >/dev/null 2>&1 ||
		skip "this clang has no libFuzzer, or no sanitizers"
	must build "$dir" clang tests/fuzz/fuzz_traces -Dfuzz=true -Db_lundef=false \
		-Db_sanitize=address,undefined >build.log 2>&1
	mkdir found corpus
	echo "PAGERD_SEED=$seed"
	"$dir/tests/fuzz/fuzz_traces" -runs="$1" -seed="$seed" -max_len=4096 -timeout=20 \
		-max_total_time=$FUZZ_SECONDS -print_final_stats=1 -artifact_prefix="$dir/" \
		found "$TESTS/fuzz/corpus" >log 2>&1 || {
		tail -n 60 log >&2
		fail "the trace readers (the input is in $dir)"
	}
	grep -E 'number_of_executed_units|cov:' log | tail -n 2
}
