/* SPDX-License-Identifier: MIT */
/* The daemon's command line: sizes, options, defaults, and what wrong ones are told. */
#include <check.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

static uid_t euid; /* whom the daemon would run as */
#define geteuid()      euid
#define PAGERD_RELEASE "test"
#include "../../daemon/config.c"
#include "../../daemon/log.c"
#include "suite.h"

#define ARGUMENTS_MAX 8

/* config points into these words until the next call. */
static void parse(struct config *config, const char *line)
{
	static char words[1000];
	char *rest = words, *argv[ARGUMENTS_MAX + 1] = {(char *)"pagerd"};
	int argc = 1;
	snprintf(words, sizeof words, "%s", line);
	for (char *word; argc < ARGUMENTS_MAX && (word = strtok_r(rest, " ", &rest));)
		argv[argc++] = word;
	optind = 0; /* glibc: begin anew */
	config_parse(config, argc, argv);
}

/* Exit status of a daemon with these arguments, and what it says; -1: it would have started. */
static int refused(const char *line, char *said, size_t bytes)
{
	struct config config;
	int ends[2], status;
	ck_assert(!pipe(ends));
	pid_t child = fork();
	if (!child) {
		dup2(ends[1], STDERR_FILENO);
		dup2(ends[1], STDOUT_FILENO);
		parse(&config, line);
		_exit(255);
	}
	close(ends[1]);
	size_t length = 0;
	ssize_t got;
	while ((got = read(ends[0], said + length, bytes - 1 - length)) > 0)
		length += (size_t)got;
	said[length] = 0;
	close(ends[0]);
	ck_assert_int_eq(waitpid(child, &status, 0), child);
	ck_assert(WIFEXITED(status));
	return WEXITSTATUS(status) == 255 ? -1 : WEXITSTATUS(status);
}

static const struct size {
	const char *text;
	uint64_t bytes; /* 0: not a size */
} sizes[] = {
	{"1", 1},
	{"4096", 4096},
	{"64K", 64 << 10},
	{"64k", 64 << 10},
	{"256M", 256 << 20},
	{"4G", 4ull << 30},
	{"2T", 2ull << 40},
	{"64MiB", 64 << 20},
	{"64MB", 64 << 20},
	{"18446744073709551615", UINT64_MAX},
	{"16777215T", 16777215ull << 40},
	{"", 0},
	{"0", 0},
	{"0K", 0},
	{"-1", 0},
	{"+1", 0},
	{" 1", 0},
	{"1 ", 0},
	{"M", 0},
	{"12Q", 0},
	{"1.5G", 0},
	{"0x10", 0},
	{"64Mi", 0},
	{"64MM", 0},
	{"18446744073709551616", 0},
	{"16777216T", 0},
	{"99999999999999999999T", 0},
};

START_TEST(size_text)
{
	uint64_t bytes = 0;
	bool good = size_parse(sizes[_i].text, &bytes);
	ck_assert_msg(good == !!sizes[_i].bytes, "'%s'", sizes[_i].text);
	ck_assert_msg(bytes == sizes[_i].bytes, "'%s' gave %llu", sizes[_i].text,
		      (unsigned long long)bytes);
}
END_TEST

START_TEST(all_options)
{
	struct config config;
	parse(&config,
	      "--memory=64M --client-memory=1M --swap=/x --swap-limit=1G --policy=lfu:decay=5 "
	      "--socket=/tmp/s -v");
	ck_assert_uint_eq(config.memory_bytes, 64 << 20);
	ck_assert_uint_eq(config.client_bytes, 1 << 20);
	ck_assert_uint_eq(config.swap_limit_bytes, 1 << 30);
	ck_assert_str_eq(config.swap, "/x");
	ck_assert_str_eq(config.policy, "lfu:decay=5");
	ck_assert_str_eq(config.socket, "/tmp/s");
	ck_assert(config.verbose);
	parse(&config, "--low-latency=off --prefetch=0 --writeback-age=0 --private --lifeline=0 "
		       "--ready-fd=1 --check-invariants");
	ck_assert_int_eq(config.low_latency, 0);
	ck_assert_uint_eq(config.prefetch_pages, 0);
	ck_assert_uint_eq(config.writeback_ms, 0);
	ck_assert_int_eq(config.lifeline_fd, 0);
	ck_assert_int_eq(config.ready_fd, 1);
	ck_assert(config.private && config.invariants && !config.check && !config.verbose);
	ck_assert(!config.files_served);
	parse(&config, "--low-latency on --writeback-age 7 --check --files all");
	ck_assert(config.files_served);
	ck_assert_int_eq(config.low_latency, 1);
	ck_assert_uint_eq(config.writeback_ms, 7000);
	ck_assert(config.check);
	ck_assert(!config.reclaim_on_demand);
	parse(&config, "--reclaim demand");
	ck_assert(config.reclaim_on_demand);
	parse(&config, "--reclaim ahead");
	ck_assert(!config.reclaim_on_demand);
}
END_TEST

START_TEST(defaults)
{
	struct config config;
	unsetenv("PAGERD_SOCKET");
	unsetenv("XDG_RUNTIME_DIR");
	parse(&config, "");
	ck_assert_uint_eq(config.memory_bytes, machine_bytes() / 4);
	ck_assert_uint_eq(config.client_bytes, 0);
	ck_assert_uint_eq(config.swap_limit_bytes, 0);
	ck_assert_int_eq(config.low_latency, 2);
	ck_assert_int_eq(config.lifeline_fd, -1);
	ck_assert_int_eq(config.ready_fd, -1);
	ck_assert_str_eq(config.socket, "/run/pagerd/pagerd.sock");
	ck_assert_str_eq(config.swap, "/var/lib/pagerd");
	euid = 1000;
	parse(&config, "");
	ck_assert_str_eq(config.socket, "/run/pagerd/pagerd.sock");
	ck_assert_str_eq(config.swap, "/var/tmp");
	euid = 0;
	parse(&config, "--private");
	ck_assert_str_eq(config.swap, "/var/tmp");
}
END_TEST

START_TEST(socket_from_environment)
{
	struct config config;
	setenv("PAGERD_SOCKET", "/from/environment", 1);
	parse(&config, "");
	ck_assert_str_eq(config.socket, "/from/environment");
	parse(&config, "--socket /from/option");
	ck_assert_str_eq(config.socket, "/from/option");
	setenv("PAGERD_SOCKET", "", 1); /* as if it were not set */
	unsetenv("XDG_RUNTIME_DIR");
	parse(&config, "");
	ck_assert_str_eq(config.socket, "/run/pagerd/pagerd.sock");
}
END_TEST

START_TEST(socket_of_a_user)
{
	struct config config;
	char path[200], said[400];
	euid = 1000;
	unsetenv("PAGERD_SOCKET");
	setenv("XDG_RUNTIME_DIR", "/run/user/1", 1);
	parse(&config, "");
	ck_assert_str_eq(config.socket, "/run/user/1/pagerd.sock");
	memset(path, 'x', sizeof path - 1);
	path[sizeof path - 1] = 0;
	setenv("XDG_RUNTIME_DIR", path, 1);
	ck_assert_int_eq(refused("", said, sizeof said), EXIT_USAGE);
	ck_assert_ptr_nonnull(strstr(said, "too long"));
}
END_TEST

static const struct wrong {
	const char *arguments, *named, *why;
} wrongs[] = {
	{"--frobnicate", "frobnicate", "--help"},
	{"extra", "extra", "options only"},
	{"--memory", "memory", "argument"},
	{"--memory 12Q", "12Q", "no size"},
	{"--memory 0", "'0'", "no size"},
	{"--memory 4K", "--memory", "too small"},
	{"--memory 255K", "--memory", "256K"},
	{"--memory 1048576G", "--memory", "more than the machine"},
	{"--client-memory 4K", "--client-memory", "too small"},
	{"--client-memory 1048576G", "--client-memory", "more than the machine"},
	{"--swap-limit lots", "lots", "no size"},
	{"--swap-limit 4095", "--swap-limit", "at least 1M"},
	{"--swap=", "--swap", "empty"},
	{"--socket=", "--socket", "empty"},
	{"--policy=", "--policy", "empty"},
	{"--policy best", "best", "--help"},
	{"--low-latency maybe", "maybe", "auto, on or off"},
	{"--reclaim now", "now", "demand"},
	{"--files none", "none", "local or all"},
	{"--prefetch 257", "257", "0 to 256"},
	{"--prefetch -1", "-1", "0 to 256"},
	{"--prefetch 99999999999999999999", "9999", "0 to 256"},
	{"--threads 0", "'0'", "1 to 64"},
	{"--threads 65", "65", "1 to 64"},
	{"--threads -1", "-1", "1 to 64"},
	{"--threads x", "'x'", "1 to 64"},
	{"--threads 2 --memory 511K", "--memory", "512K"},
	{"--threads 2 --client-memory 511K", "--client-memory", "512K"},
	{"--threads 2 --swap-limit 1M", "--swap-limit", "1M for each"},
	{"--threads 2 --record 1", "--record", "one order"},
	{"--writeback-age 86401", "86401", "86400"},
	{"--writeback-age soon", "soon", "not a number"},
	{"--lifeline 777", "777", "not open"},
	{"--ready-fd 777", "777", "not open"},
	{"--ready-fd x", "'x'", "not a number"},
};

START_TEST(wrong_argument)
{
	char said[4096];
	const struct wrong *wrong = &wrongs[_i];
	ck_assert_msg(refused(wrong->arguments, said, sizeof said) == EXIT_USAGE, "%s: %s",
		      wrong->arguments, said);
	ck_assert_msg(strstr(said, wrong->named), "%s: %s", wrong->arguments, said);
	ck_assert_msg(strstr(said, wrong->why), "%s: %s", wrong->arguments, said);
}
END_TEST

START_TEST(socket_too_long)
{
	char line[300] = "--socket /", said[1000];
	memset(line + strlen(line), 'x', 106);
	ck_assert_int_eq(refused(line, said, sizeof said), -1);
	strcat(line, "x");
	ck_assert_int_eq(refused(line, said, sizeof said), EXIT_USAGE);
	ck_assert_ptr_nonnull(strstr(said, "longer"));
}
END_TEST

START_TEST(help_and_version)
{
	char said[8192];
	ck_assert_int_eq(refused("--help", said, sizeof said), 0);
	for (const struct option *option = options; option->name; option++)
		ck_assert_msg(strstr(said, option->name), "--help does not name --%s",
			      option->name);
	for (size_t i = 0; pagerd_policies[i]; i++)
		ck_assert_ptr_nonnull(strstr(said, pagerd_policies[i]->name));
	ck_assert_int_eq(refused("--version", said, sizeof said), 0);
	ck_assert_str_eq(said, "pagerd test\n");
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("config");
	TCase *tcase = tcase_create("config");
	tcase_add_loop_test(tcase, size_text, 0, sizeof sizes / sizeof *sizes);
	tcase_add_test(tcase, all_options);
	tcase_add_test(tcase, defaults);
	tcase_add_test(tcase, socket_from_environment);
	tcase_add_test(tcase, socket_of_a_user);
	tcase_add_loop_test(tcase, wrong_argument, 0, sizeof wrongs / sizeof *wrongs);
	tcase_add_test(tcase, socket_too_long);
	tcase_add_test(tcase, help_and_version);
	suite_add_tcase(suite, tcase);
	return suite_run(suite);
}
