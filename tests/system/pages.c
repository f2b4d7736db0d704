/* SPDX-License-Identifier: MIT */
/*
 * A mapping under command: the words of the command line are carried out in order.
 *
 *	pages file data 8192 write 0 8192 1 sync truncate 4096 check 0 4096 1 bus 6000 100
 *
 * What a page holds is a function of its number and a version; version 0 is zeros. Any wrong
 * page, or a call that fails when it must not, ends the program with status 1 and a message.
 *
 *	create PATH PAGES V  write a file of that many pages with write(2), and fsync it
 *	verify PATH F N V    check N pages from F on, by read(2), except what try-write passed over
 *	file PATH PAGES      map the file, shared; it is made larger if need be
 *	view PATH PAGES      map the file, shared, opened for reading only
 *	anon PAGES           map private anonymous memory
 *	shared PAGES         map shared anonymous memory
 *	write F N V          store into N pages from F on
 *	check F N V          load and compare
 *	scan F N V           check, and beside each the next of the F pages before them, over
 *	                     and over again
 *	bus F N              loading from each of them must give SIGBUS
 *	try-write F N V      store, and pass over pages that give SIGBUS; print how many
 *	try-check F N V      load and compare; pass over those, and others that give SIGBUS; print
 *	                     how many of the others
 *	sync                 msync(MS_SYNC) of it all
 *	try-sync             the same; print the error's name, or 0
 *	discard F N          MADV_DONTNEED
 *	pageout F N          MADV_PAGEOUT
 *	truncate PAGES       ftruncate the mapped file
 *	unmap                munmap it all
 *	say WORD             print it
 *	wait                 until a line can be read from standard input
 *	fork                 the child goes on with what follows; the parent ends with its status
 */
#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <signal.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

enum {
	PAGE_BYTES = 4096,
	PAGE_WORDS = PAGE_BYTES / 8,
};

struct mapping {
	unsigned char *memory;
	size_t pages;
	int fd;
	bool *refused; /* pages whose try-write gave SIGBUS: they hold nobody knows what */
};

struct command {
	const char *name;
	bool text;	  /* a word follows */
	unsigned numbers; /* then so many numbers */
	void (*run)(struct mapping *m, const char *text, const size_t *number);
};

static sigjmp_buf bus_jump;

static _Noreturn void die(const char *what)
{
	fprintf(stderr, "pages: %s: %s\n", what, strerror(errno));
	exit(1);
}

static void on_bus(int number)
{
	siglongjmp(bus_jump, number);
}

/* ---- contents ------------------------------------------------------------------------------ */

static void page_expect(size_t page, uint64_t version, uint64_t *words)
{
	uint64_t x = (page * 2654435761u + version) * 0x9e3779b97f4a7c15u;

	for (size_t i = 0; i < PAGE_WORDS; i++)
		words[i] = version ? x ^ i * 0xbf58476d1ce4e5b9u : 0;
}

static void page_compare(size_t page, uint64_t version, const void *data)
{
	uint64_t words[PAGE_WORDS];
	uint64_t found;

	page_expect(page, version, words);
	if (!memcmp(words, data, PAGE_BYTES))
		return;
	memcpy(&found, data, sizeof(found));
	fprintf(stderr,
		"pages: WRONG DATA in page %zu: wanted version %llu (%016llx), found %016llx\n",
		page, (unsigned long long)version, (unsigned long long)words[0],
		(unsigned long long)found);
	exit(1);
}

/* Store into the page, or compare it; false if that gave SIGBUS. */
static bool page_touch(const struct mapping *m, size_t page, uint64_t version, bool store)
{
	unsigned char *data = m->memory + page * PAGE_BYTES;
	uint64_t words[PAGE_WORDS];

	if (sigsetjmp(bus_jump, 1))
		return false;
	page_expect(page, version, words);
	if (store)
		memcpy(data, words, PAGE_BYTES);
	else
		page_compare(page, version, data);
	return true;
}

static size_t touch(const struct mapping *m, const size_t *range, bool store)
{
	size_t refused = 0;

	for (size_t i = 0; i < range[1]; i++) {
		size_t page = range[0] + i;

		if (m->refused[page] && !store)
			continue;
		m->refused[page] = !page_touch(m, page, range[2], store);
		refused += m->refused[page];
	}
	return refused;
}

static void expect_refused(size_t refused, size_t wanted, const size_t *range)
{
	if (refused == wanted)
		return;
	fprintf(stderr, "pages: %zu of %zu pages from %zu on gave SIGBUS, not %zu\n", refused,
		range[1], range[0], wanted);
	exit(1);
}

/* ---- commands ------------------------------------------------------------------------------ */

static void do_write(struct mapping *m, const char *text, const size_t *number)
{
	expect_refused(touch(m, number, true), 0, number);
}

static void do_check(struct mapping *m, const char *text, const size_t *number)
{
	expect_refused(touch(m, number, false), 0, number);
}

static void do_scan(struct mapping *m, const char *text, const size_t *number)
{
	for (size_t i = 0; i < number[1]; i++) {
		const size_t cold[] = {number[0] + i, 1, number[2]};
		const size_t hot[] = {i % number[0], 1, number[2]};
		expect_refused(touch(m, cold, false) + touch(m, hot, false), 0, cold);
	}
}

static void do_try_write(struct mapping *m, const char *text, const size_t *number)
{
	printf("%zu\n", touch(m, number, true));
}

static void do_try_check(struct mapping *m, const char *text, const size_t *number)
{
	printf("%zu\n", touch(m, number, false));
}

static bool page_gives_bus(const struct mapping *m, size_t page)
{
	volatile unsigned char *data = m->memory + page * PAGE_BYTES;

	if (sigsetjmp(bus_jump, 1))
		return true;
	(void)*data;
	return false;
}

static void do_bus(struct mapping *m, const char *text, const size_t *number)
{
	size_t refused = 0;

	for (size_t i = 0; i < number[1]; i++)
		refused += page_gives_bus(m, number[0] + i);
	expect_refused(refused, number[1], number);
}

static void do_create(struct mapping *m, const char *path, const size_t *number)
{
	uint64_t words[PAGE_WORDS];
	int fd = open(path, O_RDWR | O_CREAT | O_TRUNC | O_CLOEXEC, 0644);

	if (fd < 0)
		die(path);
	for (size_t page = 0; page < number[0]; page++) {
		page_expect(page, number[1], words);
		if (write(fd, words, PAGE_BYTES) != PAGE_BYTES)
			die("write");
	}
	if (fsync(fd) < 0)
		die("fsync");
	close(fd);
}

static void do_verify(struct mapping *m, const char *path, const size_t *number)
{
	unsigned char data[PAGE_BYTES];
	int fd = open(path, O_RDONLY | O_CLOEXEC);

	if (fd < 0)
		die(path);
	for (size_t i = 0; i < number[1]; i++) {
		size_t page = number[0] + i;

		if (m->refused && m->refused[page])
			continue;
		if (pread(fd, data, PAGE_BYTES, page * PAGE_BYTES) != PAGE_BYTES)
			die("read");
		page_compare(page, number[2], data);
	}
	close(fd);
}

static void map(struct mapping *m, size_t pages, int protection, int flags)
{
	m->pages = pages;
	m->memory = mmap(NULL, pages * PAGE_BYTES, protection, flags, m->fd, 0);
	if (m->memory == MAP_FAILED)
		die("mmap");
	m->refused = calloc(pages, sizeof(*m->refused));
	if (!m->refused)
		die("calloc");
}

static void do_file(struct mapping *m, const char *path, const size_t *number)
{
	off_t bytes = number[0] * PAGE_BYTES;
	struct stat st;

	m->fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0644);
	if (m->fd < 0 || fstat(m->fd, &st) < 0)
		die(path);
	if (st.st_size < bytes && ftruncate(m->fd, bytes) < 0)
		die("ftruncate");
	map(m, number[0], PROT_READ | PROT_WRITE, MAP_SHARED);
}

static void do_view(struct mapping *m, const char *path, const size_t *number)
{
	m->fd = open(path, O_RDONLY | O_CLOEXEC);
	if (m->fd < 0)
		die(path);
	map(m, number[0], PROT_READ, MAP_SHARED);
}

static void do_anon(struct mapping *m, const char *text, const size_t *number)
{
	map(m, number[0], PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS);
}

static void do_shared(struct mapping *m, const char *text, const size_t *number)
{
	map(m, number[0], PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS);
}

static void do_sync(struct mapping *m, const char *text, const size_t *number)
{
	if (msync(m->memory, m->pages * PAGE_BYTES, MS_SYNC) < 0)
		die("msync");
}

static void do_try_sync(struct mapping *m, const char *text, const size_t *number)
{
	int error = msync(m->memory, m->pages * PAGE_BYTES, MS_SYNC) < 0 ? errno : 0;

	printf("%s\n", error ? strerrorname_np(error) : "0");
}

static void advise(const struct mapping *m, const size_t *number, int advice)
{
	if (madvise(m->memory + number[0] * PAGE_BYTES, number[1] * PAGE_BYTES, advice) < 0)
		die("madvise");
}

static void do_discard(struct mapping *m, const char *text, const size_t *number)
{
	advise(m, number, MADV_DONTNEED);
}

static void do_pageout(struct mapping *m, const char *text, const size_t *number)
{
	advise(m, number, MADV_PAGEOUT);
}

static void do_truncate(struct mapping *m, const char *text, const size_t *number)
{
	if (ftruncate(m->fd, number[0] * PAGE_BYTES) < 0)
		die("ftruncate");
}

static void do_unmap(struct mapping *m, const char *text, const size_t *number)
{
	if (munmap(m->memory, m->pages * PAGE_BYTES) < 0)
		die("munmap");
}

static void do_say(struct mapping *m, const char *text, const size_t *number)
{
	printf("%s\n", text);
}

static void do_wait(struct mapping *m, const char *text, const size_t *number)
{
	char c = 0;

	while (c != '\n') {
		if (read(STDIN_FILENO, &c, 1) != 1)
			die("nobody says go on");
	}
}

static void do_fork(struct mapping *m, const char *text, const size_t *number)
{
	int status;
	pid_t pid = fork();

	if (pid < 0)
		die("fork");
	if (!pid)
		return;
	if (waitpid(pid, &status, 0) < 0)
		die("waitpid");
	exit(WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status));
}

static const struct command commands[] = {
	{"create", true, 2, do_create},
	{"verify", true, 3, do_verify},
	{"file", true, 1, do_file},
	{"view", true, 1, do_view},
	{"anon", false, 1, do_anon},
	{"shared", false, 1, do_shared},
	{"write", false, 3, do_write},
	{"check", false, 3, do_check},
	{"scan", false, 3, do_scan},
	{"bus", false, 2, do_bus},
	{"try-write", false, 3, do_try_write},
	{"try-check", false, 3, do_try_check},
	{"sync", false, 0, do_sync},
	{"try-sync", false, 0, do_try_sync},
	{"discard", false, 2, do_discard},
	{"pageout", false, 2, do_pageout},
	{"truncate", false, 1, do_truncate},
	{"unmap", false, 0, do_unmap},
	{"say", true, 0, do_say},
	{"wait", false, 0, do_wait},
	{"fork", false, 0, do_fork},
};

static _Noreturn void usage(const char *word)
{
	fprintf(stderr, "pages: \"%s\" is no command, or lacks an argument\n", word);
	exit(64);
}

static const struct command *command_find(const char *name)
{
	for (size_t i = 0; i < sizeof(commands) / sizeof(commands[0]); i++) {
		if (!strcmp(commands[i].name, name))
			return &commands[i];
	}
	usage(name);
}

/* Carry out the command that the first word names; returns the word behind its arguments. */
static char **carry_out(struct mapping *m, char **word, char **end)
{
	const struct command *command = command_find(*word);
	const char *text = NULL;
	size_t number[3];

	if (end - word <= command->text + (ptrdiff_t)command->numbers)
		usage(*word);
	word++;
	if (command->text)
		text = *word++;
	for (unsigned i = 0; i < command->numbers; i++)
		number[i] = strtoul(*word++, NULL, 0);
	command->run(m, text, number);
	fflush(stdout);
	return word;
}

int main(int argc, char **argv)
{
	struct sigaction action = {.sa_handler = on_bus};
	struct mapping mapping = {.fd = -1};
	char **word = argv + 1;

	sigaction(SIGBUS, &action, NULL);
	while (word < argv + argc)
		word = carry_out(&mapping, word, argv + argc);
	return 0;
}
