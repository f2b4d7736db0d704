/* SPDX-License-Identifier: MIT */
/*
 * A process sees what is left of a file that another truncates.
 *
 * usage: file_cut FILE WAY OWN CUTTER...
 *
 * The first maps FILE shared and private, and writes to some pages. Then the second, CUTTER... with
 * "cut FILE WAY OWN", which has a mapping of its own as OWN says (none, shared, private), cuts it
 * off. The first prints what it finds, and once more when it has made it as long as it was.
 */
#include <fcntl.h>
#include <setjmp.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#define PAGE  4096
#define PAGES 16
#define BYTES ((size_t)PAGES * PAGE)
#define REST  (5 * PAGE + 100) /* bytes that a call which says how many leaves */

static sigjmp_buf after_bus;

static void check(int right, const char *what)
{
	if (right)
		return;
	perror(what);
	exit(1);
}

static char *map(int fd, int flags)
{
	char *at = mmap(NULL, BYTES, PROT_READ | PROT_WRITE, flags, fd, 0);
	check(at != MAP_FAILED, "mmap");
	return at;
}

/* ---- the second -------------------------------------------------------------------------- */

/* The lowest number that no descriptor has, which the next one is to have. */
#define FREE 1

static void cut_by(const char *path, int fd, const char *way)
{
	if (!strcmp(way, "ftruncate"))
		check(!ftruncate(fd, REST), way);
	else if (!strcmp(way, "truncate"))
		check(!truncate(path, REST), way);
	else if (!strcmp(way, "open"))
		check(open(path, O_WRONLY | O_CREAT | O_TRUNC, 0600) == FREE, way);
	else if (!strcmp(way, "openat"))
		check(openat(AT_FDCWD, path, O_RDWR | O_TRUNC) == FREE, way);
	else if (!strcmp(way, "creat"))
		check(creat(path, 0600) == FREE, way);
	else if (!strcmp(way, "fopen"))
		check(fileno(fopen(path, "w")) == FREE, way);
	else if (!strcmp(way, "freopen"))
		check(freopen(path, "w+e", stdin) != NULL, way);
	else
		check(0, way);
}

/* Whether this process still has what it has locked. */
static int locked(int fd)
{
	struct flock lock = {.l_type = F_WRLCK};
	int status;
	pid_t child = fork();
	if (child == 0)
		_exit(fcntl(fd, F_GETLK, &lock) == 0 && lock.l_type == F_WRLCK ? 0 : 1);
	return child > 0 && waitpid(child, &status, 0) == child && status == 0;
}

static int cut(const char *path, const char *way, const char *own)
{
	struct flock lock = {.l_type = F_WRLCK};
	int fd = open(path, O_RDWR);
	check(fd >= 0, path);
	if (!strcmp(own, "shared"))
		check(*map(fd, MAP_SHARED), "the file");
	if (!strcmp(own, "private"))
		map(fd, MAP_PRIVATE)[7 * PAGE] = 'c';
	check(!fcntl(fd, F_SETLK, &lock), "fcntl");
	close(FREE);
	cut_by(path, fd, way);
	/* The C library's freopen closes a descriptor of the file. */
	check(locked(fd) || !strcmp(way, "freopen"), "the lock");
	return 0;
}

/* ---- the first --------------------------------------------------------------------------- */

static void on_bus(int signal)
{
	siglongjmp(after_bus, signal);
}

static char at(const char *place)
{
	char seen;
	if (sigsetjmp(after_bus, 1))
		return '!';
	seen = *(const volatile char *)place;
	return seen ? seen : '0';
}

/* The first byte of each page; and the last, if that is another one. */
static void show(const char *what, const char *memory)
{
	printf("%s", what);
	for (int i = 0; i < PAGES; i++) {
		char first = at(memory + i * PAGE), last = at(memory + (i + 1) * PAGE - 1);
		printf(" %c", first);
		if (first != last)
			printf("-%c", last);
	}
	putchar('\n');
}

static void run(char **command, char *path, char *way, char *own)
{
	char cut_word[] = "cut", *arguments[32], *more[] = {cut_word, path, way, own, NULL};
	int count = 0, status;
	while (command[count] && count < 20)
		arguments[count] = command[count], count++;
	memcpy(arguments + count, more, sizeof more);
	pid_t child = fork();
	if (child == 0) {
		execvp(arguments[0], arguments);
		_exit(127);
	}
	check(child > 0 && waitpid(child, &status, 0) == child && status == 0, "the cutter");
}

static void fill(int fd)
{
	static char bytes[BYTES];
	memset(bytes, 'f', sizeof bytes);
	check(pwrite(fd, bytes, sizeof bytes, 0) == sizeof bytes, "write");
}

int main(int argc, char **argv)
{
	if (argc == 5 && !strcmp(argv[1], "cut"))
		return cut(argv[2], argv[3], argv[4]);
	if (argc < 5)
		return 2;
	int fd = open(argv[1], O_RDWR | O_CREAT | O_CLOEXEC, 0600);
	check(fd >= 0, argv[1]);
	fill(fd);
	signal(SIGBUS, on_bus);
	char *shared = map(fd, MAP_SHARED), *private = map(fd, MAP_PRIVATE);
	for (int i = 0; i < PAGES; i++)
		check(shared[i * PAGE] == 'f' && private[i * PAGE] == 'f', "the file");
	for (int i = 1; i < PAGES; i += 4) {
		memset(shared + i * PAGE, 's', PAGE);
		memset(private + (i + 1) * PAGE, 'p', PAGE);
	}
	run(argv + 4, argv[1], argv[2], argv[3]);
	show("shared ", shared);
	show("private", private);
	check(!ftruncate(fd, BYTES), "ftruncate");
	show("shared ", shared);
	show("private", private);
	private[10 * PAGE] = 'q';
	shared[13 * PAGE] = 't';
	show("shared ", shared);
	show("private", private);
	return 0;
}
