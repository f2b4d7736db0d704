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
	int own, peer = peer_join(), fd = userfaultfd_new(O_CLOEXEC | O_NONBLOCK);
	ck_assert_int_eq(peer_fork(peer, &own), 0);
	ck_assert_uint_eq(client_count(), 2);
	struct session *child = daemon_.sessions;
	ck_assert_int_eq(child->state, SESSION_CHILD_NEW);
	pid_t pid = fork(); /* the daemon's part of this process goes on here */
	if (!pid) {
		struct pagerd_hello hello = {
			.h = {PAGERD_MAGIC, PAGERD_VERSION, PAGERD_HELLO, sizeof hello, 0}};
		_exit(send(own, &hello, sizeof hello, 0) != sizeof hello);
	}
	union packet reply;
	int got;
	ck_assert_uint_eq(peer_receive(own, &reply, sizeof reply, &got),
			  sizeof(struct pagerd_hello_reply));
	if (got >= 0)
		close(got);
	ck_assert_int_eq(child->pid, pid);
	ck_assert_int_eq(child->state, SESSION_CHILD);
	if (fd >= 0) {
		ck_assert_int_eq(peer_header(own, PAGERD_UFFD, fd), 0);
		ck_assert_int_eq(child->state, SESSION_CLIENT);
		close(fd);
	}
	ck_assert_int_eq(peer_header(peer, PAGERD_FORK_END, -1), 0);
	close(own);
	close(peer);
	ck_assert_int_eq(waitpid(pid, NULL, 0), pid);
}
END_TEST

START_TEST(fork_child_says_hello_first)
{
	int own, peer = peer_join(), fd = userfaultfd_new(O_CLOEXEC | O_NONBLOCK);
	ck_assert_int_eq(peer_fork(peer, &own), 0);
	ck_assert_int_eq(peer_header(own, fd < 0 ? PAGERD_DRAIN : PAGERD_UFFD, fd), 1);
	if (fd >= 0)
		close(fd);
	loop_until(client_count() == 1); /* its clones are given up */
	close(own);
	close(peer);
}
END_TEST

START_TEST(fork_is_refused)
{
	int own, peer = peer_join();
	pagers_[0].errors[PAGER_FORK] = -ENOSPC;
	ck_assert_int_eq(peer_fork(peer, &own), -ENOSPC);
	loop_until(daemon_.session_count == 1);
	ck_assert_int_eq(peer_header(peer, PAGERD_STATS, -1), 0);
	close(peer);
}
END_TEST

/* The parent goes away before it is answered; or the child before it has said a word. */
START_TEST(fork_and_gone)
{
	struct pagerd_header header;
	int own, peer = peer_join();
	if (_i & 1) {
		ck_assert_int_eq(peer_fork(peer, &own), 0);
		close(own);
		loop_until(daemon_.session_count == 1);
		ck_assert_int_eq(peer_header(peer, PAGERD_FORK_END, -1), 0);
		close(peer);
		return;
	}
	hold(true);
	peer_send(peer, &header, sizeof header, PAGERD_FORK, -1);
	loop_until(daemon_.session_count == 2);
	close(peer);
	hold(false);
	loop_until(!daemon_.sessions);
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
	tcase_add_test(tcase, fork_is_refused);
	tcase_add_loop_test(tcase, fork_and_gone, 0, 2);
	suite_add_tcase(suite, tcase);
	return suite_run(suite);
}
