/* SPDX-License-Identifier: MIT */
/*
 * Descriptors that the daemon does not want and whose close(2) waits: here of TCP connections that
 * linger, as their other ends read nothing. Everybody but the client that has sent one is served,
 * and the daemon ends.
 */
#include <arpa/inet.h>
#include <check.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#include "../../daemon/closing.h"
#include "daemon_harness.h"
#include "peer.h"
#include "suite.h"

#define LINGER_S 300 /* longer than any test waits */
#define TURNS	 50

/* A descriptor whose closing waits until the other end is closed. */
struct slow {
	int fd;
	int other;
};

static void fill(int fd)
{
	static const char bytes[65536];
	while (send(fd, bytes, sizeof bytes, MSG_DONTWAIT) > 0)
		;
}

static struct slow slow_new(void)
{
	const struct linger linger = {1, LINGER_S};
	struct sockaddr_in address = {.sin_family = AF_INET,
				      .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
	socklen_t length = sizeof address;
	int listener = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	struct slow slow = {.fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0)};
	ck_assert(!bind(listener, (struct sockaddr *)&address, length));
	ck_assert(!listen(listener, 1));
	ck_assert(!getsockname(listener, (struct sockaddr *)&address, &length));
	ck_assert(!connect(slow.fd, (struct sockaddr *)&address, length));
	slow.other = accept4(listener, NULL, NULL, SOCK_CLOEXEC);
	ck_assert_int_ge(slow.other, 0);
	close(listener);
	fill(slow.fd);
	ck_assert(!setsockopt(slow.fd, SOL_SOCKET, SO_LINGER, &linger, sizeof linger));
	return slow;
}

/* Send it with a packet, so that nobody else has it. */
static void slow_send(const struct slow *slow, int peer, void *packet, size_t size, uint16_t type)
{
	peer_send(peer, packet, size, type, slow->fd);
	close(slow->fd);
}

static void slow_map(const struct slow *slow, int peer)
{
	struct pagerd_map map = {.kind = PAGERD_FILE_SHARED, .length_bytes = 4096};
	slow_send(slow, peer, &map, sizeof map, PAGERD_MAP);
}

static int reply_error(int peer)
{
	union packet reply;
	int fd;
	return peer_receive(peer, &reply, sizeof reply, &fd) ? reply.h.error : 1;
}

static void unanswered(int peer)
{
	for (int i = 0; i < TURNS; i++)
		loop_turn();
	ck_assert(!peer_readable(peer));
}

/* ---- what waits, and what does not ------------------------------------------------------- */

static const struct {
	uint16_t type;
	size_t size;
	int error; /* of the answer; 1: the session ends */
} requests[] = {
	{PAGERD_MAP, sizeof(struct pagerd_map), -ENODEV},
	{PAGERD_BOARD, sizeof(struct pagerd_range), -ENODEV},
	{PAGERD_FILE_BEGIN, sizeof(struct pagerd_range), -ENODEV},
	{PAGERD_FILE_CUT, sizeof(struct pagerd_range), -ENODEV},
	{PAGERD_SET, sizeof(struct pagerd_set), -ENOENT},
	{PAGERD_PAGEMAP, sizeof(struct pagerd_header), -ENODEV},
	{PAGERD_AGENT, sizeof(struct pagerd_header), 1},
	{PAGERD_UFFD, sizeof(struct pagerd_header), -EALREADY},
	{PAGERD_FORK, sizeof(struct pagerd_header), 1},
	{PAGERD_STATS, sizeof(struct pagerd_header), 1},
};
#define REQUESTS (int)(sizeof requests / sizeof *requests)

START_TEST(sent_with_each_request)
{
	union packet packet = {0};
	int peer = peer_join(), good = peer_join();
	struct slow slow = slow_new();
	slow_send(&slow, peer, &packet, requests[_i].size, requests[_i].type);
	ck_assert_int_eq(reply_error(peer), requests[_i].error);
	ck_assert_uint_eq(closings_count(daemon_.closings), 1);
	ck_assert_int_eq(peer_header(good, PAGERD_STATS, -1), 0);
	if (requests[_i].error < 0) {
		peer_send(peer, &packet, sizeof packet.h, PAGERD_STATS, -1);
		unanswered(peer);
		close(slow.other);
		ck_assert_int_eq(reply_error(peer), 0);
	} else {
		loop_until(daemon_.session_count == 1); /* it has gone before that is closed */
		close(slow.other);
	}
	close(peer);
	close(good);
}
END_TEST

/* What is beyond one is closed as well. */
START_TEST(sent_in_numbers)
{
	struct pagerd_header header = {PAGERD_MAGIC, PAGERD_VERSION, PAGERD_AGENT, sizeof header,
				       0};
	struct slow slow[3];
	int fds[3], peer = peer_join(), good = peer_join();
	for (int i = 0; i < 3; i++) {
		slow[i] = slow_new();
		fds[i] = slow[i].fd;
	}
	ck_assert_int_eq(peer_send_files(peer, &header, sizeof header, fds, 3), 0);
	for (int i = 0; i < 3; i++)
		close(fds[i]);
	peer_must_have_ended(peer);
	ck_assert_int_eq(peer_header(good, PAGERD_STATS, -1), 0);
	for (int i = 0; i < 3; i++)
		close(slow[i].other);
	close(good);
}
END_TEST

/* More than there is room for: the kernel must not close them in our place. */
START_TEST(sent_in_great_numbers)
{
	static char bytes[CMSG_SPACE(DESCRIPTORS_MAX * sizeof(int))];
	struct pagerd_header header = {PAGERD_MAGIC, PAGERD_VERSION, PAGERD_AGENT, sizeof header,
				       0};
	struct iovec iov = {&header, sizeof header};
	struct msghdr msg = {.msg_iov = &iov,
			     .msg_iovlen = 1,
			     .msg_control = bytes,
			     .msg_controllen = sizeof bytes};
	struct slow slow = slow_new();
	int peer = peer_join(), good = peer_join(), fds[DESCRIPTORS_MAX];
	for (int i = 0; i < DESCRIPTORS_MAX - 1; i++)
		fds[i] = peer;
	fds[DESCRIPTORS_MAX - 1] = slow.fd;
	struct cmsghdr *c = CMSG_FIRSTHDR(&msg);
	c->cmsg_level = SOL_SOCKET;
	c->cmsg_type = SCM_RIGHTS;
	c->cmsg_len = CMSG_LEN(sizeof fds);
	memcpy(CMSG_DATA(c), fds, sizeof fds);
	ck_assert_int_eq(sendmsg(peer, &msg, 0), sizeof header);
	close(slow.fd);
	peer_must_have_ended(peer);
	ck_assert_int_eq(peer_header(good, PAGERD_STATS, -1), 0);
	close(slow.other);
	close(good);
}
END_TEST

/* It is closed with the connection, as nobody reads it. */
START_TEST(sent_and_not_read)
{
	struct pagerd_header header;
	int peer = peer_join(), good = peer_join();
	struct slow slow = slow_new();
	peer_send(peer, &header, sizeof header - 1, PAGERD_STATS, -1);
	slow_map(&slow, peer);
	peer_must_have_ended(peer);
	ck_assert_int_eq(peer_header(good, PAGERD_STATS, -1), 0);
	close(slow.other);
	close(good);
}
END_TEST

/* While the pager's thread listens to it. */
START_TEST(sent_to_the_pager)
{
	struct session *session;
	int peer = peer_join_session(&session), good = peer_join();
	struct slow slow = slow_new();
	ck_assert_int_eq(peer_map(peer, PAGERD_ANON_SHARED, 1, 4096, 0, -1), 0);
	ck_assert(session->apart);
	slow_map(&slow, peer);
	ck_assert_int_eq(reply_error(peer), -ENODEV);
	ck_assert_int_eq(peer_map(good, PAGERD_ANON_SHARED, 1, 4096, 0, -1), 0);
	ck_assert_int_eq(peer_header(good, PAGERD_STATS, -1), 0);
	close(slow.other);
	ck_assert_int_eq(peer_map(peer, PAGERD_ANON_SHARED, 1, 4096, 0, -1), 0);
	close(peer);
	close(good);
}
END_TEST

/* No thread is to be had for a moment, and none runs whose end could be waited for. */
START_TEST(no_thread)
{
	int peer = peer_join();
	struct slow slow = slow_new();
	close(slow.other);
	threads_refused = 1;
	slow_map(&slow, peer);
	ck_assert_int_eq(reply_error(peer), -ENODEV);
	ck_assert_int_eq(peer_header(peer, PAGERD_STATS, -1), 0);
	ck_assert_uint_eq(closings_count(daemon_.closings), 0);
	close(peer);
	daemon_end();
}
END_TEST

/* ---- ends -------------------------------------------------------------------------------- */

/* Its memory does not stay until its descriptor is closed. */
START_TEST(client_goes_away)
{
	int peer = peer_join();
	struct slow slow = slow_new();
	slow_map(&slow, peer);
	ck_assert_int_eq(reply_error(peer), -ENODEV);
	unanswered(peer);
	close(peer);
	loop_until(!daemon_.sessions);
	ck_assert_uint_eq(client_count(), 0);
	ck_assert_uint_eq(closings_count(daemon_.closings), 1);
	ck_assert_uint_eq(closings_count_user(daemon_.closings, geteuid()), 1);
	close(slow.other);
}
END_TEST

/* A user's first few may wait; the others' wait for those, and for nobody else's. */
START_TEST(few_wait_at_a_time)
{
	enum { CLIENTS = 12, THREADS = 8 };
	struct slow slow[CLIENTS];
	struct session *session;
	int peers[CLIENTS], good = peer_join_session(&session);
	for (int i = 0; i < CLIENTS; i++) {
		peers[i] = peer_join();
		slow[i] = slow_new();
		slow_map(&slow[i], peers[i]);
		ck_assert_int_eq(reply_error(peers[i]), -ENODEV);
	}
	ck_assert_uint_eq(closings_count(daemon_.closings), CLIENTS);
	close(slow[CLIENTS - 1].other); /* which has not begun */
	for (int i = 0; i < TURNS; i++)
		loop_turn();
	ck_assert_uint_eq(closings_count(daemon_.closings), CLIENTS);
	close(slow[0].other);
	loop_until(closings_count(daemon_.closings) == CLIENTS - 1);
	session->uid = geteuid() + 1;
	struct slow another = slow_new();
	close(another.other);
	slow_map(&another, good);
	ck_assert_int_eq(reply_error(good), -ENODEV);
	ck_assert_int_eq(peer_header(good, PAGERD_STATS, -1), 0);
	for (int i = 1; i < CLIENTS - 1; i++)
		close(slow[i].other);
	for (int i = 0; i < CLIENTS; i++)
		close(peers[i]);
	close(good);
}
END_TEST

START_TEST(daemon_ends)
{
	int peer = peer_join();
	struct slow slow = slow_new();
	slow_map(&slow, peer);
	ck_assert_int_eq(reply_error(peer), -ENODEV);
	daemon_end();
	ck_assert_uint_eq(unclosed_, 1);
	close(slow.other); /* the thread tells nobody */
	close(peer);
	usleep(10000);
}
END_TEST

static void setup(void)
{
	daemon_begin(1);
}

int main(void)
{
	Suite *suite = suite_create("closing");
	TCase *tcase = tcase_create("closing"), *ends = tcase_create("end");
	tcase_add_checked_fixture(tcase, setup, daemon_end_idle);
	tcase_set_timeout(tcase, 30);
	tcase_add_loop_test(tcase, sent_with_each_request, 0, REQUESTS);
	tcase_add_test(tcase, sent_in_numbers);
	tcase_add_test(tcase, sent_in_great_numbers);
	tcase_add_test(tcase, sent_and_not_read);
	tcase_add_test(tcase, sent_to_the_pager);
	tcase_add_test(tcase, client_goes_away);
	tcase_add_test(tcase, few_wait_at_a_time);
	suite_add_tcase(suite, tcase);
	tcase_add_checked_fixture(ends, setup, NULL);
	tcase_set_timeout(ends, 30);
	tcase_add_test(ends, daemon_ends);
	tcase_add_test(ends, no_thread);
	suite_add_tcase(suite, ends);
	return suite_run(suite);
}
