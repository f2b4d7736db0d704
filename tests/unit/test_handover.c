/* SPDX-License-Identifier: MIT */
/*
 * Sessions that go from one pager's thread to another's and to the main thread, many of them at a
 * time, with clients that go away and a daemon that ends in the middle of it. Each answer, and what
 * is registered where, is compared with a model. TEST_SEED chooses what happens.
 */
#include <check.h>
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <unistd.h>

#include "daemon_harness.h"
#include "peer.h"
#include "seed.h"
#include "suite.h"

#define PEERS  12
#define FILES  8
#define PAGES  40
#define NOBODY 255

/* A client, its one request under way, and where its pages are. */
struct player {
	int socket;
	int child; /* the socket of the last fork's child, or -1 */
	uint32_t client;
	uint16_t pending; /* packet type, or 0 */
	int error;	  /* that the answer is to have */
	uint32_t shard;	  /* that it is to name; NOBODY: any */
	uint64_t page, pages;
	uint32_t owner; /* of them, when it is answered; SHARDS_MOST: as before */
	uint8_t owners[PAGES];
	bool writing;
};

static struct player players[PEERS];
static int files[FILES];
static uint32_t file_shards[FILES];
static unsigned seed;

static unsigned pick(unsigned count)
{
	return (unsigned)rand_r(&seed) % count;
}

/* ---- clients ----------------------------------------------------------------------------- */

static void player_start(struct player *player)
{
	struct session *session;
	*player = (struct player){.socket = peer_join_session(&session), .child = -1};
	player->client = session->client;
	memset(player->owners, NOBODY, sizeof player->owners);
}

static void player_stop(struct player *player)
{
	close(player->socket);
	if (player->child >= 0)
		close(player->child);
}

static uint64_t owners_of(const struct player *player, uint64_t page, uint64_t pages)
{
	uint64_t shards = 0;
	for (uint64_t i = page; i < page + pages; i++)
		if (player->owners[i] != NOBODY)
			shards |= 1ull << player->owners[i];
	return shards;
}

static void player_send(struct player *player, void *packet, size_t size, uint16_t type, int fd)
{
	player->pending = type;
	peer_send(player->socket, packet, size, type, fd);
}

static void send_register(struct player *player)
{
	player->owner = pick(daemon_.bridge.shards);
	struct pagerd_register reg = {.address = player->page << PAGE_SHIFT,
				      .length_bytes = player->pages << PAGE_SHIFT,
				      .object = player->owner + 1 +
						daemon_.bridge.shards * (uint64_t)pick(5)};
	player_send(player, &reg, sizeof reg, PAGERD_REGISTER, -1);
}

static void send_range(struct player *player)
{
	static const uint16_t types[] = {PAGERD_UNMAP, PAGERD_SYNC, PAGERD_DISCARD, PAGERD_ADVISE,
					 PAGERD_WIRE};
	uint16_t type = types[pick(5)];
	struct pagerd_range range = {.address = player->page << PAGE_SHIFT,
				     .length_bytes = player->pages << PAGE_SHIFT};
	if (type == PAGERD_UNMAP)
		player->owner = NOBODY;
	else if (type != PAGERD_WIRE && !owners_of(player, player->page, player->pages))
		player->error = -ENOMEM;
	player_send(player, &range, sizeof range, type, -1);
}

static void send_open(struct player *player)
{
	struct pagerd_open open = {.address = player->page << PAGE_SHIFT,
				   .length_bytes = player->pages << PAGE_SHIFT};
	player->shard = player->owners[player->page];
	player->error = player->shard == NOBODY ? -ENOMEM : 0;
	player_send(player, &open, sizeof open, PAGERD_OPEN, -1);
}

static void send_map(struct player *player)
{
	unsigned file = pick(2 * FILES);
	struct pagerd_map map = {.kind = PAGERD_ANON_PRIVATE,
				 .length_bytes = 1ull << (12 + pick(20))};
	player->shard = NOBODY;
	if (file < FILES) {
		map.kind = pick(2) ? PAGERD_FILE_SHARED : PAGERD_FILE_PRIVATE;
		player->shard = file_shards[file];
	}
	player_send(player, &map, sizeof map, PAGERD_MAP, file < FILES ? files[file] : -1);
}

static void send_file(struct player *player)
{
	struct pagerd_range range = {.length_bytes = 100,
				     .flags = player->writing ? 0 : PAGERD_FILE_WRITE};
	int fd = player->writing ? -1 : files[pick(FILES)];
	player_send(player, &range, sizeof range,
		    player->writing ? PAGERD_FILE_END : PAGERD_FILE_BEGIN, fd);
	player->writing = !player->writing;
}

static void send_slow(struct player *player)
{
	struct pagerd_header header;
	struct pagerd_set set = {.pid = PAGERD_SET_SELF, .text = "memory=1M policy=lru"};
	struct pagerd_report report = {.kind = PAGERD_REPORT_RUSAGE};
	switch (pick(4)) {
	case 0:
		player_send(player, &set, sizeof set, PAGERD_SET, -1);
		break;
	case 1:
		player_send(player, &report, sizeof report, PAGERD_REPORT, -1);
		break;
	case 2:
		if (player->child < 0) {
			player_send(player, &header, sizeof header, PAGERD_FORK, -1);
			break;
		}
		close(player->child);
		player->child = -1;
		player_send(player, &header, sizeof header, PAGERD_FORK_END, -1);
		break;
	default:
		player_send(player, &header, sizeof header, PAGERD_STATS, -1);
	}
}

static void player_ask(struct player *player)
{
	player->page = pick(PAGES - 1);
	player->pages = 1 + pick((unsigned)(pick(2) ? PAGES - player->page : 2));
	if (player->pages > PAGES - player->page)
		player->pages = PAGES - player->page;
	player->error = 0;
	player->shard = NOBODY;
	player->owner = SHARDS_MOST;
	unsigned choice = pick(32);
	if (choice < 10)
		send_register(player);
	else if (choice < 20)
		send_range(player);
	else if (choice < 24)
		send_open(player);
	else if (choice < 28)
		send_map(player);
	else if (choice < 30)
		send_file(player);
	else
		send_slow(player);
}

/* Nothing is under way: the shards have exactly what the client was told. */
static void player_check(const struct player *player)
{
	for (uint32_t shard = 0; shard < daemon_.bridge.shards; shard++) {
		uint64_t pages = 0;
		for (uint64_t i = 0; i < PAGES; i++)
			pages |= (uint64_t)(player->owners[i] == shard) << i;
		ck_assert_uint_eq(fake_regions(&pagers_[shard], player->client), pages);
	}
}

static void player_hear(struct player *player)
{
	union packet reply;
	int fd;
	if (!peer_readable(player->socket))
		return;
	ck_assert_uint_ge(peer_receive(player->socket, &reply, sizeof reply, &fd), sizeof reply.h);
	ck_assert_uint_eq(reply.h.type, player->pending | PAGERD_REPLY);
	ck_assert_int_eq(reply.h.error, player->error);
	bool object = player->pending == PAGERD_OPEN || player->pending == PAGERD_MAP;
	bool forked = player->pending == PAGERD_FORK;
	ck_assert_int_eq(fd >= 0, (object || forked) && !player->error);
	if (forked)
		player->child = fd;
	else if (fd >= 0)
		close(fd);
	struct pagerd_map_reply map;
	memcpy(&map, &reply, sizeof map);
	if (object && !player->error && player->shard != NOBODY)
		ck_assert_uint_eq(map.shard, player->shard);
	if (player->owner != SHARDS_MOST)
		memset(player->owners + player->page, (int)player->owner, player->pages);
	player->pending = 0;
	player_check(player);
}

/* ---- runs -------------------------------------------------------------------------------- */

static void files_make(void)
{
	for (int i = 0; i < FILES; i++) {
		files[i] = memfd_create("file", MFD_CLOEXEC);
		file_shards[i] = shard_of_file(daemon_.sessions, files[i]);
	}
}

static void files_close(void)
{
	for (int i = 0; i < FILES; i++)
		close(files[i]);
}

static void play_begin(uint32_t shards)
{
	seed = (unsigned)seed_get() + shards;
	daemon_begin(shards);
	for (uint32_t i = 0; i < shards; i++) {
		pagers_[i].strict = true;
		pagers_[i].seed = seed + i;
		pagers_[i].delay_us = pick(2) ? 1 + pick(200) : 0;
	}
	for (int i = 0; i < PEERS; i++)
		player_start(&players[i]);
	files_make();
}

static void play(int rounds)
{
	for (int i = 0; i < rounds; i++) {
		struct player *player = &players[pick(PEERS)];
		if (pick(200) == 0) {
			player_stop(player);
			player_start(player);
		}
		if (player->pending)
			player_hear(player);
		else
			player_ask(player);
		if (pick(4) == 0)
			loop_turn();
	}
}

static void play_end(void)
{
	for (int i = 0; i < PEERS; i++)
		player_stop(&players[i]);
	files_close();
}

START_TEST(handed_around)
{
	play_begin(2 + (uint32_t)_i);
	play(20000);
	play_end();
	daemon_end_idle();
}
END_TEST

/* The daemon ends with all of that under way. */
START_TEST(ends_in_the_middle)
{
	play_begin(2 + (uint32_t)_i % 2);
	seed += (unsigned)_i * 1000;
	play(300);
	daemon_end();
	play_end();
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("handover");
	TCase *tcase = tcase_create("handover");
	tcase_set_timeout(tcase, 100);
	tcase_add_loop_test(tcase, handed_around, 0, 2);
	tcase_add_loop_test(tcase, ends_in_the_middle, 0, 20);
	suite_add_tcase(suite, tcase);
	return suite_run(suite);
}
