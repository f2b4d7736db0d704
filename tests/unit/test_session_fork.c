/* SPDX-License-Identifier: MIT */
/* Sessions of children: what a fork asks for, and who goes away meanwhile. */
#include <check.h>
#include <errno.h>
#include <fcntl.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#include "daemon_harness.h"
#include "peer.h"
#include "suite.h"

START_TEST(fork_gives_a_session)
{
	int ends[2], peer = peer_join(), fd = userfaultfd_new(O_CLOEXEC | O_NONBLOCK);
	ck_assert(!socketpair(AF_UNIX, SOCK_SEQPACKET, 0, ends));
	ck_assert_int_eq(peer_header(peer, PAGERD_FORK, ends[0]), 0);
	close(ends[0]);
	ck_assert_uint_eq(client_count(), 2);
	struct session *child = daemon_.sessions;
	ck_assert_int_eq(child->state, SESSION_CHILD_NEW);
	pid_t pid = fork(); /* the daemon's part of this process goes on here */
	if (!pid) {
		struct pagerd_hello hello = {
			.h = {PAGERD_MAGIC, PAGERD_VERSION, PAGERD_HELLO, sizeof hello, 0}};
		_exit(send(ends[1], &hello, sizeof hello, 0) != sizeof hello);
	}
	union packet reply;
	int got;
	ck_assert_uint_eq(peer_receive(ends[1], &reply, sizeof reply, &got),
			  sizeof(struct pagerd_hello_reply));
	if (got >= 0)
		close(got);
	ck_assert_int_eq(child->pid, pid);
	ck_assert_int_eq(child->state, SESSION_CHILD);
	if (fd >= 0) {
		ck_assert_int_eq(peer_header(ends[1], PAGERD_UFFD, fd), 0);
		ck_assert_int_eq(child->state, SESSION_CLIENT);
		close(fd);
	}
	ck_assert_int_eq(peer_header(peer, PAGERD_FORK_END, -1), 0);
	close(ends[1]);
	close(peer);
	ck_assert_int_eq(waitpid(pid, NULL, 0), pid);
}
END_TEST

START_TEST(fork_child_says_hello_first)
{
	int ends[2], peer = peer_join(), fd = userfaultfd_new(O_CLOEXEC | O_NONBLOCK);
	ck_assert(!socketpair(AF_UNIX, SOCK_SEQPACKET, 0, ends));
	ck_assert_int_eq(peer_header(peer, PAGERD_FORK, ends[0]), 0);
	close(ends[0]);
	ck_assert_int_eq(peer_header(ends[1], fd < 0 ? PAGERD_DRAIN : PAGERD_UFFD, fd), 1);
	if (fd >= 0)
		close(fd);
	loop_until(client_count() == 1); /* its clones are given up */
	close(ends[1]);
	close(peer);
}
END_TEST

START_TEST(fork_needs_a_socket)
{
	struct sockaddr any = {.sa_family = AF_UNIX};
	int ends[2], wrong[6];
	ck_assert(!socketpair(AF_UNIX, SOCK_STREAM, 0, ends));
	wrong[0] = ends[0];
	wrong[1] = socket(AF_INET, SOCK_DGRAM, 0);
	wrong[2] = open("/dev/null", O_RDWR);
	wrong[3] = memfd_create("test", 0);
	wrong[4] = socket(AF_UNIX, SOCK_SEQPACKET, 0); /* to nobody */
	wrong[5] = socket(AF_UNIX, SOCK_SEQPACKET, 0);
	ck_assert(!bind(wrong[5], &any, sizeof any.sa_family) && !listen(wrong[5], 1));
	for (int i = 0; i < 6; i++) {
		int peer = peer_join();
		ck_assert_int_eq(peer_header(peer, PAGERD_FORK, wrong[i]), 1);
		close(wrong[i]);
		close(peer);
	}
	close(ends[1]);
	ck_assert_uint_eq(done_count(PAGER_FORK), 0);
}
END_TEST

/* Sockets whose ends are all the daemon's: nobody would be left to end the sessions. */
START_TEST(fork_with_both_ends)
{
	int ends[2], peer = peer_join();
	ck_assert(!socketpair(AF_UNIX, SOCK_SEQPACKET, 0, ends));
	ck_assert_int_eq(peer_header(peer, PAGERD_FORK, ends[_i]), 0);
	ck_assert_int_eq(peer_header(peer, PAGERD_FORK_END, -1), 0);
	ck_assert_uint_eq(client_count(), 2);
	ck_assert_int_eq(peer_header(peer, PAGERD_FORK, ends[!_i]), 1);
	close(ends[0]);
	close(ends[1]);
	close(peer);
	loop_until(!daemon_.sessions);
}
END_TEST

/* The client's own end of a connection to the socket that the daemon listens on. */
START_TEST(fork_with_its_own_end)
{
	struct sockaddr_un name = {.sun_family = AF_UNIX};
	socklen_t length = sizeof name;
	int peer = peer_join(), own = socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0);
	int listener = socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0);
	ck_assert(!bind(listener, (struct sockaddr *)&name, sizeof name.sun_family));
	ck_assert(!getsockname(listener, (struct sockaddr *)&name, &length));
	ck_assert(!listen(listener, 1) && !connect(own, (struct sockaddr *)&name, length));
	ck_assert_int_eq(
		session_create(&daemon_, accept4(listener, NULL, NULL, SOCK_CLOEXEC), NULL, NULL),
		0);
	close(listener);
	ck_assert_int_eq(peer_header(peer, PAGERD_FORK, own), 1);
	close(own);
	close(peer);
	loop_until(!daemon_.sessions);
}
END_TEST

START_TEST(fork_is_refused)
{
	int ends[2], peer = peer_join();
	ck_assert(!socketpair(AF_UNIX, SOCK_SEQPACKET, 0, ends));
	pagers_[0].errors[PAGER_FORK] = -ENOSPC;
	ck_assert_int_eq(peer_header(peer, PAGERD_FORK, ends[0]), -ENOSPC);
	close(ends[0]);
	peer_must_have_ended(ends[1]);
	loop_until(daemon_.session_count == 1);
	ck_assert_int_eq(peer_header(peer, PAGERD_STATS, -1), 0);
	close(peer);
}
END_TEST

START_TEST(fork_and_gone)
{
	int ends[2], peer = peer_join();
	ck_assert(!socketpair(AF_UNIX, SOCK_SEQPACKET, 0, ends));
	struct pagerd_header header;
	hold(true);
	peer_send(peer, &header, sizeof header, PAGERD_FORK, ends[0]);
	close(ends[0]);
	loop_until(daemon_.session_count == 2);
	close(_i & 1 ? peer : ends[1]);
	hold(false);
	for (int i = 0; i < 20; i++)
		loop_turn();
	close(_i & 1 ? ends[1] : peer);
}
END_TEST

static void setup(void)
{
	daemon_begin(1);
}

int main(void)
{
	Suite *suite = suite_create("session_fork");
	TCase *tcase = tcase_create("session_fork");
	tcase_add_checked_fixture(tcase, setup, daemon_end_idle);
	tcase_set_timeout(tcase, 60);
	tcase_add_test(tcase, fork_gives_a_session);
	tcase_add_test(tcase, fork_child_says_hello_first);
	tcase_add_test(tcase, fork_needs_a_socket);
	tcase_add_loop_test(tcase, fork_with_both_ends, 0, 2);
	tcase_add_test(tcase, fork_with_its_own_end);
	tcase_add_test(tcase, fork_is_refused);
	tcase_add_loop_test(tcase, fork_and_gone, 0, 8);
	suite_add_tcase(suite, tcase);
	return suite_run(suite);
}
