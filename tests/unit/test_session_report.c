/* SPDX-License-Identifier: MIT */
/* Reports of sessions, and what is set for them: who may, and what they say. */
#include <check.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "../../daemon/report.h"
#include "daemon_harness.h"
#include "peer.h"
#include "suite.h"

/* Skip one JSON value; NULL if it is none. */
static const char *json_skip(const char *at)
{
	if (*at == '"') {
		for (at++; *at != '"'; at++) {
			if ((unsigned char)*at < 0x20 || (unsigned char)*at > 0x7e)
				return NULL;
			if (*at == '\\' && !strchr("\"\\u", *++at))
				return NULL;
		}
		return at + 1;
	}
	if (*at != '{' && *at != '[') {
		size_t length = strspn(at, "0123456789truefals");
		return length ? at + length : NULL;
	}
	char open = *at++, close = open == '{' ? '}' : ']';
	while (at && *at != close) {
		if (open == '{') {
			at = *at == '"' ? json_skip(at) : NULL;
			if (!at || strncmp(at, ": ", 2))
				return NULL;
			at += 2;
		}
		at = json_skip(at);
		if (at && !strncmp(at, ", ", 2) && at[2] != close)
			at += 2;
		else if (at && *at != close)
			return NULL;
	}
	return at ? at + 1 : NULL;
}

START_TEST(reports_are_whole)
{
	enum { ROOM = 1 << 20, CLIENTS = 40 };
	static char text[ROOM];
	int peers[CLIENTS], control = peer_new();
	for (int i = 0; i < CLIENTS; i++)
		peers[i] = peer_join();
	strcpy(daemon_.sessions->name, "a\"b\\c");
	ck_assert_int_eq(peer_hello(control), 0);
	for (uint32_t kind = PAGERD_REPORT_STATUS; kind <= PAGERD_REPORT_RUSAGE; kind++) {
		ck_assert_int_eq(peer_report(control, kind, 0, 0, text, ROOM), 0);
		ck_assert_uint_gt(strlen(text), 100);
		ck_assert_int_eq(text[strlen(text) - 1], '\n');
		ck_assert_int_eq(peer_report(control, kind, 0, 1, text, ROOM), 0);
		const char *end = json_skip(text);
		ck_assert_msg(end && !strcmp(end, "\n"), "report %u: %s", kind, text);
	}
	ck_assert_int_eq(peer_report(control, PAGERD_REPORT_STAT, 0, 1, text, ROOM), 0);
	ck_assert_uint_gt(strlen(text),
			  4 * PAGERD_TEXT_MAX); /* so that several packets were needed */
	ck_assert_int_eq(peer_report(control, 0, 0, 0, text, ROOM), -EINVAL);
	ck_assert_int_eq(peer_report(control, 99, 0, 0, text, ROOM), -EINVAL);
	ck_assert_int_eq(peer_report(control, PAGERD_REPORT_MAPS, 1, 0, text, ROOM), -ESRCH);
	for (int i = 0; i < CLIENTS; i++)
		close(peers[i]);
	close(control);
}
END_TEST

START_TEST(report_escapes)
{
	struct client_info client = {.client = 1, .pid = 7};
	struct pager_snapshot snapshot = {.clients = &client, .client_count = 1};
	struct report_query query = {.kind = PAGERD_REPORT_STATUS, .json = true};
	char *text;
	size_t length;
	for (int c = 1; c < 256; c++) {
		client.name[0] = (char)c;
		ck_assert_int_eq(report_make(&daemon_, &snapshot, &query, &text, &length), 0);
		const char *end = json_skip(text);
		ck_assert_msg(end && !strcmp(end, "\n"), "character %d: %s", c, text);
		free(text);
	}
}
END_TEST

/* A client that asks for a long report, and reads nothing of it. */
START_TEST(report_is_not_read)
{
	enum { CLIENTS = 200 };
	struct pagerd_report report = {.kind = PAGERD_REPORT_STAT, .json = 1};
	int peers[CLIENTS], control = peer_new();
	for (int i = 0; i < CLIENTS; i++)
		peers[i] = peer_join();
	ck_assert_int_eq(peer_hello(control), 0);
	int small = 1;
	for (struct session *s = daemon_.sessions; s; s = s->next)
		if (!s->client)
			setsockopt(s->fd, SOL_SOCKET, SO_SNDBUF, &small, sizeof small);
	peer_send(control, &report, sizeof report, PAGERD_REPORT, -1);
	loop_until(done_count(PAGER_SNAPSHOT) == 1);
	for (int i = 0; i < 200; i++)
		loop_turn();
	ck_assert_int_eq(peer_header(peers[0], PAGERD_STATS, -1), 0); /* others are served */
	close(control);
	for (int i = 0; i < CLIENTS; i++)
		close(peers[i]);
}
END_TEST

START_TEST(set_words)
{
	static const struct {
		const char *text, *why;
	} sets[] = {
		{"memory=64M", ""},
		{"policy=lru", ""},
		{"memory=64M policy=lru", ""},
		{"policy=best", "best"},
		{"memory=lots", "not a size"},
		{"memory=0", "not a size"},
		{"memory=none", "needs a budget"},
		{"colour=red", "only memory"},
		{"", "nothing to set"},
		{"   ", "nothing to set"},
		{"memory", "only memory"},
		{"=", "only memory"},
		{"policy=lru check", ""},
		{"policy=best check", "best"},
		{"check", "nothing to set"},
		{"default", ""},
		{"default memory=1M", "together"},
		{"object=7 memory=1M", ""},
		{"object=7 memory=none policy=lru", ""},
		{"object=7 default", ""},
		{"object=7", "nothing to set"},
		{"object= memory=1M", "object"},
		{"object=0 memory=1M", "object"},
		{"object=-7 memory=1M", "object"},
		{"object=7x memory=1M", "object"},
		{"object=99999999999999999999 memory=1M", "object"},
		{"address=7000 memory=1M", "which process"},
		{"address=+7000 memory=1M", "address"},
		{"address=7000 object=7 memory=1M", "one thing"},
	};
	char why[300];
	int peer = peer_new();
	ck_assert_int_eq(peer_hello(peer), 0);
	ck_assert_int_eq(peer_set(peer, 0, sets[_i].text, why, sizeof why), 0);
	ck_assert_msg(sets[_i].why[0] ? !!strstr(why, sets[_i].why) : !why[0], "'%s': '%s'",
		      sets[_i].text, why);
	close(peer);
}
END_TEST

START_TEST(set_objects)
{
	char why[300];
	uint32_t pid = (uint32_t)getpid();
	int peer = peer_join(), control = peer_new(), file = open("/proc/self/exe", O_PATH);
	ck_assert_int_eq(peer_hello(control), 0);
	ck_assert_int_eq(peer_set(control, 0, "object=8 memory=1M", why, sizeof why), -ENOENT);
	ck_assert_int_eq(peer_set(control, 0, "object=7 policy=best", why, sizeof why), 0);
	ck_assert_ptr_nonnull(strstr(why, "best"));
	ck_assert_int_eq(peer_set(control, pid, "object=7 memory=1M", why, sizeof why), 0);
	ck_assert_ptr_nonnull(strstr(why, "one thing"));
	ck_assert_int_eq(peer_set(control, pid, "address=7000 memory=1M", why, sizeof why), 0);
	ck_assert_str_eq(why, "");
	ck_assert_int_eq(peer_set(control, pid, "address=8000 memory=1M", why, sizeof why),
			 -ENOENT);
	ck_assert_int_eq(peer_set(control, 1, "address=7000 memory=1M", why, sizeof why), -ESRCH);
	uint32_t self = PAGERD_SET_SELF;
	ck_assert_int_eq(peer_set(peer, self, "address=7000 memory=1M", why, sizeof why), 0);
	ck_assert_str_eq(why, "");
	ck_assert_int_eq(peer_set(control, self, "memory=1M", why, sizeof why), -ESRCH);
	ck_assert_int_eq(peer_set_file(control, 0, "memory=1M", file, why, sizeof why), 0);
	ck_assert_str_eq(why, "");
	/* Too much of a good thing: refused, and nothing is left open. */
	ck_assert_int_eq(peer_set_file(control, 0, "object=7 memory=1M", file, why, sizeof why), 0);
	ck_assert_ptr_nonnull(strstr(why, "one thing"));
	ck_assert_int_eq(peer_set_file(control, 1, "memory=1M", file, why, sizeof why), -ESRCH);
	ck_assert_int_eq(peer_set_file(control, 0, "", file, why, sizeof why), 0);
	/* Who asks goes along; what another user may not set for the daemon, no word lets through.
	 */
	daemon_.sessions->uid = geteuid() + 12345;
	ck_assert_int_eq(peer_set(control, 0, "object=7 memory=1M", why, sizeof why), 0);
	ck_assert_uint_eq(pagers_[0].last_of[PAGER_SET_OBJECT].uid, geteuid() + 12345);
	ck_assert_int_eq(peer_set(control, 0, "policy=lru check", why, sizeof why), 0);
	unsigned set = done_count(PAGER_SET);
	ck_assert_int_eq(peer_set(control, 0, "policy=lru:check", why, sizeof why), -EPERM);
	ck_assert_int_eq(peer_set(control, 0, "policy=object=7", why, sizeof why), -EPERM);
	ck_assert_int_eq(peer_set(control, 0, "default", why, sizeof why), -EPERM);
	ck_assert_uint_eq(done_count(PAGER_SET), set);
	close(file);
	close(peer);
	close(control);
}
END_TEST

START_TEST(learn)
{
	static char text[65536];
	char why[300];
	uint64_t number;
	int peer = peer_join(), control = peer_new();
	ck_assert_int_eq(peer_hello(control), 0);
	ck_assert_int_eq(peer_pages(control, 1), -EINVAL);
	ck_assert_int_eq(peer_report(control, PAGERD_REPORT_LEARNED, 0, 0, text, sizeof text), 0);
	ck_assert_int_eq(peer_learn(control, 2, &number), -EINVAL);
	ck_assert_int_eq(peer_learn(control, PAGERD_LEARN_RECORD, &number), 0);
	ck_assert_uint_eq(number, FAKE_LEARN);
	ck_assert_int_eq(peer_learn(control, 0, &number), -EALREADY);
	ck_assert_int_eq(peer_pages(control, PAGERD_LEARN_RANGES), 0);
	ck_assert_int_eq(peer_pages(control, PAGERD_LEARN_RANGES + 1), -EINVAL);
	ck_assert_int_eq(peer_pages(control, UINT32_MAX), -EINVAL);
	ck_assert_uint_eq(done_count(PAGER_LEARN_PAGES), 1);
	uint32_t self = PAGERD_SET_SELF;
	ck_assert_int_eq(peer_set(peer, self, "learn=5", why, sizeof why), 0);
	ck_assert_str_eq(why, "");
	ck_assert_uint_eq(pagers_[0].last_of[PAGER_SET].learn, 5);
	ck_assert_int_eq(peer_set(peer, self, "learn=x", why, sizeof why), 0);
	ck_assert_ptr_nonnull(strstr(why, "learn"));
	/* It ends with its session, whatever else that was. */
	close(control);
	loop_until(done_count(PAGER_LEARN_END) == 1);
	ck_assert_int_eq(peer_learn(peer, 0, &number), 0);
	close(peer);
	loop_until(done_count(PAGER_LEARN_END) == 2 && done_count(PAGER_CLIENT_REMOVE) == 1);
}
END_TEST

START_TEST(set_without_end)
{
	struct pagerd_set set = {.pid = 0};
	struct pagerd_text packet;
	int fd, peer = peer_new();
	ck_assert_int_eq(peer_hello(peer), 0);
	memset(set.text, 'x', sizeof set.text);
	memcpy(set.text, "policy=", 7);
	peer_send(peer, &set, sizeof set, PAGERD_SET, -1);
	ck_assert_uint_eq(peer_receive(peer, &packet, sizeof packet, &fd), sizeof packet);
	ck_assert_uint_gt(packet.length, 0);
	ck_assert_uint_eq(pagers_[0].text_length, sizeof set.text - 8);
	close(peer);
}
END_TEST

START_TEST(set_every_session_of_a_process)
{
	char why[300];
	int peers[3], control = peer_new();
	for (int i = 0; i < 3; i++)
		peers[i] = peer_join();
	ck_assert_int_eq(peer_hello(control), 0);
	ck_assert_int_eq(peer_set(control, (uint32_t)getpid(), "memory=1M", why, sizeof why), 0);
	ck_assert_str_eq(why, "");
	ck_assert_uint_eq(done_count(PAGER_SET), 3);
	ck_assert_int_eq(peer_set(control, (uint32_t)getpid(), "memory=none", why, sizeof why), 0);
	ck_assert_str_eq(why, "");
	ck_assert_int_eq(peer_set(control, 1, "memory=1M", why, sizeof why), -ESRCH);
	for (int i = 0; i < 3; i++)
		close(peers[i]);
	close(control);
}
END_TEST

/* One of them ends while another is set, and its number is a stranger's then. */
START_TEST(set_leaves_who_came_meanwhile)
{
	struct pagerd_set set = {.pid = (uint32_t)getpid(), .text = "memory=1M"};
	struct session *session;
	int control = peer_new(), first = peer_join(), second = peer_join(), stranger;
	ck_assert_int_eq(peer_hello(control), 0);
	fake_keep(&pagers_[0], 1ull << PAGER_SET);
	peer_send(control, &set, sizeof set, PAGERD_SET, -1);
	for (int i = 0; i < 50; i++)
		loop_turn();
	close(second);
	loop_until(daemon_.session_count == 2);
	stranger = peer_join_session(&session);
	ck_assert_uint_eq(session->client, 2);
	session->pid = 1;
	fake_keep(&pagers_[0], 0);
	loop_until(peer_readable(control));
	ck_assert_uint_eq(done_count(PAGER_SET), 1);
	ck_assert_uint_eq(fake_last(&pagers_[0], PAGER_SET).client, 1);
	close(control);
	close(first);
	close(stranger);
}
END_TEST

/* Only the same user, or root, sees or changes a client. */
START_TEST(other_users_see_nothing)
{
	static char text[65536];
	char why[300];
	int peer = peer_join(), other = peer_new();
	uint32_t pid = (uint32_t)getpid();
	ck_assert_int_eq(peer_hello(other), 0);
	daemon_.sessions->uid = geteuid() + 12345;
	ck_assert_int_eq(peer_report(other, PAGERD_REPORT_STATUS, 0, 0, text, sizeof text), 0);
	ck_assert_ptr_null(strstr(text, "test"));
	ck_assert_int_eq(peer_report(other, PAGERD_REPORT_STAT, 0, 1, text, sizeof text), 0);
	ck_assert_ptr_null(strstr(text, "\"total\""));
	ck_assert_ptr_null(strstr(text, "\"objects\""));
	ck_assert_ptr_null(strstr(text, "test"));
	ck_assert_int_eq(peer_report(other, PAGERD_REPORT_MAPS, 0, 0, text, sizeof text), 0);
	ck_assert_str_eq(text, "");
	ck_assert_int_eq(peer_report(other, PAGERD_REPORT_STAT, pid, 0, text, sizeof text), -ESRCH);
	ck_assert_int_eq(peer_report(other, PAGERD_REPORT_MAPS, pid, 0, text, sizeof text), -ESRCH);
	ck_assert_int_eq(peer_set(other, pid, "memory=1M", why, sizeof why), -ESRCH);
	ck_assert_int_eq(peer_set(other, 0, "memory=1M", why, sizeof why), -EPERM);
	ck_assert_uint_eq(done_count(PAGER_SET), 0);
	close(peer);
	close(other);
}
END_TEST

static void setup(void)
{
	daemon_begin(1);
}

int main(void)
{
	Suite *suite = suite_create("session_report");
	TCase *tcase = tcase_create("session_report");
	tcase_add_checked_fixture(tcase, setup, daemon_end_idle);
	tcase_set_timeout(tcase, 60);
	tcase_add_test(tcase, reports_are_whole);
	tcase_add_test(tcase, report_escapes);
	tcase_add_test(tcase, report_is_not_read);
	tcase_add_loop_test(tcase, set_words, 0, 29);
	tcase_add_test(tcase, set_objects);
	tcase_add_test(tcase, learn);
	tcase_add_test(tcase, set_without_end);
	tcase_add_test(tcase, set_every_session_of_a_process);
	tcase_add_test(tcase, set_leaves_who_came_meanwhile);
	tcase_add_test(tcase, other_users_see_nothing);
	suite_add_tcase(suite, tcase);
	return suite_run(suite);
}
