#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# bash forks for pipelines, substitutions and background jobs: same output as without the pager.
# shellcheck source=tests/lib/test.sh
. "$(dirname "$0")/../lib/test.sh"

cat >script <<'SCRIPT'
for i in $(seq 200); do
	line=$(printf '%s\n' "$i" | tr 0-9 a-j)
	lines+=("$line")
done
(echo "${#lines[@]} lines"; printf '%s\n' "${lines[@]}" | sort -r | head -n 5) &
wait
big=$(seq 300000)
echo "${#big}" | cat
diff <(echo "$big" | md5sum) <(seq 300000 | md5sum) && echo equal
SCRIPT
must bash script >plain
paged 8 bash script >paged.out || fail "status $?"
memory_kept_to
must cmp plain paged.out
