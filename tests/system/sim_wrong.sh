#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# pagersim and bad input: the status, a message that names what is wrong and where, and no report.
# shellcheck source=tests/lib/test.sh
. "$(dirname "$0")/../lib/test.sh"

SIM=$PAGERD_BUILD/bench/pagersim
GOOD=(--policy lru --size 2)

# wrong STATUS TEXT ARGS...: with a report asked for, of which nothing must be left.
wrong() {
	local status=$1 text=$2
	shift 2
	expect_status "$status" "$SIM" "$@" --json report
	expect_text err "^pagersim: .*($text)"
	compgen -G 'report*' >/dev/null && fail "a report was left by: $*"
	return 0
}

# bytes TEXT-OF-PRINTF: a file of that name in front of the rest.
printf '1\n2\n3\n1\n' >good
python3 - "$TESTS/lib" <<'END' || fail "no traces"
import sys
sys.path.insert(0, sys.argv[1])
import traces
references = [(page * 977, page % 3 == 0) for page in range(5000)]
traces.save("pagerd", traces.pagerd(references))
traces.save("oracle", traces.oracle(references))
END

# ---- usage ---------------------------------------------------------------------------------------

wrong 64 'which trace' "${GOOD[@]}"
wrong 64 "what is 'two'" "${GOOD[@]}" good two
wrong 64 'which policies' --size 3 good
wrong 64 'which sizes' --policy lru good
wrong 64 'frobnicate' "${GOOD[@]}" --frobnicate good
wrong 64 "no policy 'best'" --policy lru,best --size 3 good
wrong 64 "no policy ''" --policy lru,, --size 3 good
wrong 64 "no policy 'decay=4'" --policy decay=4 --size 3 good
wrong 64 "lru:k=2.*no parameter 'k'" --policy fifo,lru:k=2 --size 3 good
wrong 64 "lfu:decay=x.*'decay' is 'x'" --policy lfu:decay=x --size 3 good
for size in 0 0% 0.00000% -1 x 3x '' 1,,2 1e3 99999999999999999999 1.5; do
	wrong 64 "--size: '" --policy lru --size "$size" good
done
for size in 4 2,4 1,134% 18446744073709551615; do
	wrong 64 '--size: .* beyond the footprint of good, 3 pages' --policy lru,min --size "$size" good
done
expect_status 0 "$SIM" --policy lru,min --size 3,100% good
wrong 64 "visibility: 'some'" "${GOOD[@]}" --visibility some good
wrong 64 "visibility: 'harvest:0'" "${GOOD[@]}" --visibility harvest:0 good
wrong 64 "no format 'elf'" "${GOOD[@]}" --format elf good
wrong 64 "column: '0'" "${GOOD[@]}" --column 0 good
wrong 64 "threads: '0'" "${GOOD[@]}" --threads 0 good
wrong 64 'none\.so' "${GOOD[@]}" --load-policy ./none.so good
printf 'a,b\n1,2\n' >columns
wrong 64 'columns: .*--column' "${GOOD[@]}" columns

# ---- traces --------------------------------------------------------------------------------------

wrong 66 'none: .*no such file' "${GOOD[@]}" none
wrong 66 '\.: .*is a directory' "${GOOD[@]}" .
: >empty
wrong 65 'empty: it is empty' "${GOOD[@]}" empty
printf '# nothing\n\n' >comment
wrong 65 'comment: there is no reference' "${GOOD[@]}" comment
printf '1\n2\n3z\n' >letters
wrong 65 "letters: line 3: '3z'" "${GOOD[@]}" letters
{ seq 500 && echo abc && seq 500; } >stray
wrong 65 "stray: line 501: 'abc'" "${GOOD[@]}" stray
printf '10\n20\n30\nabc\n' >stray
wrong 65 "stray: line 4: 'abc'.*--format hex" "${GOOD[@]}" stray
expect_status 0 "$SIM" "${GOOD[@]}" --format hex stray
printf '1\n18446744073709551616\n' >large
wrong 65 'large: line 2' "${GOOD[@]}" large
printf '1\n-2\n' >negative
wrong 65 "negative: line 2: '-2'" "${GOOD[@]}" negative
wrong 65 "columns: line 2.*column 3" "${GOOD[@]}" --column 3 columns
printf ' L 1000,8\n L 1000\n' >access
wrong 65 "access: line 2: ' L 1000'" "${GOOD[@]}" access
printf ' L 1000,8\n L 1000,8' >cut
wrong 65 'cut: line 2.*truncated' "${GOOD[@]}" cut
head -c 70000 /dev/zero | tr '\0' 1 >long
wrong 65 'long: line 1: longer than' "${GOOD[@]}" long
head -c 1000 /dev/urandom >noise
wrong 65 'noise: the format is not known|noise: line' "${GOOD[@]}" noise
head -c 119990 oracle >short
wrong 65 'short: truncated at byte 119976: 14 bytes' "${GOOD[@]}" short
for bytes in 8 15 20 100 9000; do
	head -c $bytes pagerd >short
	wrong 65 "short: truncated at byte $bytes" "${GOOD[@]}" short
done
{ head -c 5000 pagerd; printf '!'; tail -c +5002 pagerd; } >changed
wrong 65 'changed: byte [0-9]+: .*checksum' "${GOOD[@]}" changed
{ cat pagerd; printf '!'; } >more
wrong 65 'more: byte [0-9]+: .*behind the end' "${GOOD[@]}" more
wrong 65 'good: .*byte 0: this is no trace|good: truncated' "${GOOD[@]}" --format pagerd good
wrong 65 'good: truncated at byte 0' "${GOOD[@]}" --format oracleGeneral good
wrong 65 "oracle: line 1" "${GOOD[@]}" --format text oracle
if "$SIM" --help | grep -q 'without libzstd'; then
	printf '\x28\xb5\x2f\xfd' >zst
	wrong 66 'zst: .*built without libzstd' "${GOOD[@]}" zst
else
	zstd -q oracle -o whole
	head -c $(($(stat -c %s whole) - 10)) whole >zst
	wrong 65 'zst: truncated.*compressed' "${GOOD[@]}" zst
	{ head -c 200 whole; printf 'nonsense'; tail -c +208 whole; } >zst
	wrong 65 'zst: byte [0-9]+ of the compressed file|zst: truncated' "${GOOD[@]}" zst
fi

# ---- reports -------------------------------------------------------------------------------------

expect_status 73 "$SIM" "${GOOD[@]}" --html none/report good
expect_text err 'none/report: cannot be written: no such file'
echo old >report
must "$SIM" "${GOOD[@]}" --csv report good >/dev/null
[ "$(wc -l <report)" = 2 ] || fail "the report is not the new one"
[ "$(stat -c %a report)" = "$(printf %o $((0666 & ~$(umask))))" ] || fail "its mode is odd"
expect_status 73 "$SIM" "${GOOD[@]}" good --csv /dev/full
expect_text err '/dev/full: cannot be written: no space'
"$SIM" "${GOOD[@]}" good >/dev/full 2>err && fail "a full disk went unnoticed"
[ -c /dev/full ] || fail "/dev/full was replaced"
# Every policy with every parameter that it has.
expect_status 0 "$SIM" --size 2 good --policy "random:seed=1,lfu:decay=1,ghosts=50,2q:in=9,out=9,\
lirs:hir=5,ghosts=50,clock-pro:cold=5,s3fifo:small=5,ghosts=50,move=1,\
w-tinylfu:window=5,protected=50,sample=9,auto:of=lru+lfu,sample=16,margin=1,cost=1"
