# shellcheck shell=bash
# SPDX-License-Identifier: MIT
#
# GETs of a redis-server without persistence: 8 connections with 16 requests under way on each.
# Every value is compared (bench/apps/redis_load.c); the load is no part of the system.
#
#	redis-zipf  values of twice the budget, whose keys Zipf's law draws (0.99)
#	redis-fits  half of the budget, each key as often

REDIS_VALUE_BYTES=1000
REDIS_BESIDE_BYTES=130 # what redis takes for each value, besides

group_redis() {
	measurement_add redis-zipf redis_measure "us us-nolatency kernel kernel-latency"
	case_add redis-zipf redis-zipf us 'kernel / us >= 1.2'
	measurement_add redis-fits redis_measure "us plain"
	case_add redis-fits redis-fits us 'plain / us >= 0.98'
}

redis_load() {
	child_run "$PAGERD_BUILD/bench/redis_load" "$WORK/redis.sock" "$REDIS_VALUES" \
		$REDIS_VALUE_BYTES "$@" || die "redis_load $1: $(cat "$WORK/redis.log")"
}

# The same number of GETs before is for warmth.
redis_measure() {
	local bytes=$((MEMORY << 21)) theta=0.99 gets=$((MEMORY * 2400)) REDIS_VALUES
	[ "$1" = redis-zipf ] || bytes=$((MEMORY << 19)) theta=0 gets=$((MEMORY * 12000))
	REDIS_VALUES=$((bytes / (REDIS_VALUE_BYTES + REDIS_BESIDE_BYTES)))
	system_up "$2"
	system_start "$(redis_server_program "$WORK")" --port 0 --unixsocket "$WORK/redis.sock" \
		--save '' --appendonly no --dir "$WORK" >"$WORK/redis.log" 2>&1
	redis_load load
	redis_load get $theta $gets 8 16 1 >/dev/null
	redis_load get $theta $gets 8 16 2 >"$WORK/redis.took"
	system_stop
	echo "$1 $(cat "$WORK/redis.took")"
}
