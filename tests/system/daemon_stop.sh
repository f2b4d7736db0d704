#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# A daemon that is told to stop writes what is unwritten to its files first; what it acknowledges
# meanwhile is in them, too, and nobody waits for ever.
# shellcheck source=tests/lib/test.sh
. "$(dirname "$0")/../lib/test.sh"

daemon_start --memory 16M
must "$PROGRAMS/pages" create data 2048 1
start_program out "$CTL" run -- "$PROGRAMS/pages" file data 2048 write 0 2048 2 say written wait
program_says written out
daemon_stop
must "$PROGRAMS/pages" verify data 0 2048 2

# ---- writers, whom the end interrupts ---------------------------------------------------------

# Three processes that store into pages of their own of the file, and msync some; how far is noted
# where it outlives them.
cat >writers <<'EOF'
import mmap, os, random, signal, struct, sys
pages, writers, each = int(sys.argv[1]), 3, 4
descriptor = os.open('data', os.O_RDWR)
noted = os.open('noted', os.O_RDWR | os.O_CREAT)
memory = mmap.mmap(descriptor, pages * 4096)
number = 0
while number + 1 < writers and os.fork():
    number += 1
os.write(os.open('pids', os.O_WRONLY | os.O_CREAT | os.O_APPEND), b'%d\n' % os.getpid())
version = 0
while True:
    page = random.randrange(pages // writers) * writers + number
    version += 1
    struct.pack_into('Q', memory, page * 4096, version)
    if version % each == 0:
        try:
            memory.flush(page * 4096, 4096)
        except OSError:
            signal.pause()
        os.pwrite(noted, struct.pack('Q', version), page * 8)
EOF
cat >compare <<'EOF'
import struct
data, noted = open('data', 'rb').read(), open('noted', 'rb').read()
for page in range(len(noted) // 8):
    wanted, found = struct.unpack_from('Q', noted, page * 8), struct.unpack_from('Q', data, page * 4096)
    if found < wanted:
        exit('page %d: %d was acknowledged, the file has %d' % (page, wanted[0], found[0]))
exit(0 if any(noted) else 'nothing was acknowledged')
EOF

writing() {
	[ -s noted ] && [ "$(wc -l <pids)" = 3 ]
}

all_ended() {
	local pid
	while read -r pid; do
		! process_alive "$pid" || return
	done <pids
}

# writers_meet_the_end THREADS MEMORY
writers_meet_the_end() {
	local runner status
	rm -f data noted pids
	truncate -s 16M data
	touch pids
	daemon_start --threads "$1" --memory "$2"
	"$CTL" run -- "$PYTHON" writers 4096 &
	runner=$!
	at_exit "end_process $runner"
	until_true "all write" writing
	sleep 0.$((RANDOM % 5))
	daemon_stop
	wait "$runner"
	status=$?
	[ "$status" = 125 ] || fail "status $status, not 125, from a run whose daemon was stopped"
	until_true "all that wrote have ended" all_ended
	must "$PYTHON" compare
}

for memory in 4M 64M; do
	for threads in 1 2; do
		writers_meet_the_end "$threads" "$memory"
		writers_meet_the_end "$threads" "$memory"
	done
done
