/* SPDX-License-Identifier: MIT */
/*
 * Processes that store into a shared mapping of a file and end, or become another program, in all
 * the ways there are: who waits for one of them, or is what it has become, reads what it stored.
 *
 *	exit_writes MODE ROUNDS FILE	"exit_writes list" names the modes
 *	exit_writes check FILE ROUND	what those that exec become
 *	exit_writes wait HOW FILE	store, say so, wait for a line, and end (exit, _exit, exec)
 */
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/time.h>
#include <sys/wait.h>
#include <unistd.h>

enum {
	FILE_BYTES = 8 << 20,
	LAST_BYTES = 1 << 20, /* what is stored at the very end, where there are handlers for it */
	SCRATCH_BYTES = 64 << 10,
	THREADS = 3,
	RETURN = -1, /* a mode that returns anything else has gone wrong */
};

static const char *path;
static int file;
static char *memory; /* of the file; NULL: not yet */
static char last;    /* what the handlers store; 0: nothing */

_Noreturn static void die(const char *what)
{
	fprintf(stderr, "exit_writes: %s: %s\n", what, strerror(errno));
	_exit(2);
}

static void map(void)
{
	memory = mmap(NULL, FILE_BYTES, PROT_READ | PROT_WRITE, MAP_SHARED, file, 0);
	if (memory == MAP_FAILED)
		die("mmap");
}

static void store(int round)
{
	if (!memory)
		map();
	memset(memory, round, FILE_BYTES);
}

static void check(int round, size_t bytes)
{
	static char found[FILE_BYTES];
	size_t wrong = 0;
	if (pread(file, found, bytes, 0) != (ssize_t)bytes)
		die("pread");
	for (size_t i = 0; i < bytes; i++)
		wrong += found[i] != (char)round;
	if (!wrong)
		return;
	fprintf(stderr, "exit_writes: WRONG DATA: %zu bytes of round %d are old\n", wrong, round);
	_exit(1);
}

/* ---- what stores when the program ends ------------------------------------------------------- */

static void store_last(void)
{
	if (last)
		memset(memory, last, LAST_BYTES);
}

__attribute__((destructor)) static void destructor(void)
{
	if (last)
		memset(memory + LAST_BYTES, last, LAST_BYTES);
}

/* All but what those store. */
static void store_rest(int round)
{
	store(0);
	memset(memory + 2 * LAST_BYTES, round, FILE_BYTES - 2 * LAST_BYTES);
	last = (char)round;
}

/* ---- the modes ------------------------------------------------------------------------------- */

static int mode_exit_at_once(int round)
{
	store(round);
	_exit(0);
}

static int mode_exit_c(int round)
{
	store(round);
	_Exit(0);
}

static int mode_exit(int round)
{
	store_rest(round);
	atexit(store_last);
	exit(0);
}

static int mode_return(int round)
{
	store_rest(round);
	atexit(store_last);
	return RETURN;
}

static int mode_quick_exit(int round)
{
	store(round);
	memset(memory, 0, LAST_BYTES);
	last = (char)round;
	at_quick_exit(store_last);
	quick_exit(0);
}

/* The last thread that ends takes the process along. */
static int mode_last_thread(int round)
{
	store(round);
	pthread_exit(NULL);
}

static int wait_for(pid_t child)
{
	int status = 0;
	if (child < 0 || waitpid(child, &status, 0) != child)
		die("waitpid");
	return status;
}

/* By each of its family in turn. */
static int exec_by(int way, const char *program, char *const words[])
{
	int fd = open("/proc/self/exe", O_RDONLY | O_CLOEXEC);
	switch (way % 9) {
	case 0:
		return execve(program, words, environ);
	case 1:
		return execv(program, words);
	case 2:
		return execvp(program, words);
	case 3:
		return execvpe(program, words, environ);
	case 4:
		return execl(program, words[0], words[1], words[2], words[3], NULL);
	case 5:
		return execlp(program, words[0], words[1], words[2], words[3], NULL);
	case 6:
		return execle(program, words[0], words[1], words[2], words[3], NULL, environ);
	case 7:
		return fexecve(fd, words, environ);
	default:
		return execveat(AT_FDCWD, program, words, environ, 0);
	}
}

/* Become a program that reads the file. */
_Noreturn static void exec_check(int round)
{
	char name[] = "exit_writes", what[] = "check", number[16];
	snprintf(number, sizeof(number), "%d", round);
	char *words[] = {name, what, (char *)path, number, NULL};
	exec_by(round, "/proc/self/exe", words);
	die("exec");
}

/* One that fails leaves all as it was. */
static int mode_exec(int round)
{
	char none[] = "none", *words[] = {none, NULL, NULL, NULL, NULL};
	store(round + 1);
	errno = 0;
	if (round % 9 != 7 && (exec_by(round, "/nowhere/none", words) != -1 || errno != ENOENT))
		die("exec of nothing");
	for (size_t i = 0; i < FILE_BYTES; i++)
		if (memory[i] != (char)(round + 1))
			return 1;
	store(round);
	exec_check(round);
}

/* The child alone stores. Its parent, which maps the file as well, has the file read by a program
 * that does not, before it ends itself. */
static int mode_fork(int round)
{
	map();
	pid_t child = fork();
	if (child == 0)
		mode_exit_at_once(round);
	if (wait_for(child) != 0)
		return 1;
	child = vfork();
	if (child == 0)
		exec_check(round);
	_exit(wait_for(child) != 0);
}

static void *storing(void *argument)
{
	char *half = memory + FILE_BYTES / 2;
	for (size_t i = (size_t)argument;; i++)
		half[i * 4096 % (FILE_BYTES / 2)]++;
	return NULL;
}

static void *mapping(void *argument)
{
	for (;;) {
		char *scratch = mmap(NULL, SCRATCH_BYTES, PROT_READ | PROT_WRITE, MAP_SHARED, file,
				     FILE_BYTES / 2);
		if (scratch == MAP_FAILED)
			die("mmap");
		scratch[0]++;
		munmap(scratch, SCRATCH_BYTES);
	}
	return NULL;
}

static void threads_start(void *(*function)(void *))
{
	pthread_t thread;
	for (size_t i = 0; i < THREADS; i++)
		if (pthread_create(&thread, NULL, function, (void *)i) != 0)
			die("pthread_create");
}

/* The first half is what counts: others store into the second one, map and unmap. */
static void store_beside_threads(int round)
{
	store(0);
	threads_start(storing);
	threads_start(mapping);
	memset(memory, round, FILE_BYTES / 2);
}

static int mode_threads(int round)
{
	store_beside_threads(round);
	_exit(0);
}

static int mode_threads_exit(int round)
{
	store_beside_threads(round);
	exit(0);
}

static int mode_threads_exec(int round)
{
	store_beside_threads(round);
	execl("/bin/true", "true", NULL);
	die("exec");
}

static void on_signal(int number)
{
	_exit(0);
}

/* Wherever the signal comes: most of the time goes into calls of the library. */
static int mode_signal(int round)
{
	struct itimerval soon = {.it_value.tv_usec = 1 + round * 977 % 5000};
	store(round);
	signal(SIGALRM, on_signal);
	setitimer(ITIMER_REAL, &soon, NULL);
	for (;;) {
		char *scratch = mmap(NULL, SCRATCH_BYTES, PROT_READ | PROT_WRITE,
				     MAP_SHARED | MAP_ANONYMOUS, -1, 0);
		if (scratch == MAP_FAILED)
			die("mmap");
		scratch[0]++;
		munmap(scratch, SCRATCH_BYTES);
	}
}

/* Children that share the memory take nothing of it along. */
static int mode_vfork(int round)
{
	store(round + 1);
	pid_t child = vfork();
	if (child == 0) {
		execl("/bin/true", "true", NULL);
		_exit(1);
	}
	if (wait_for(child) != 0)
		return 1;
	store(round);
	child = vfork();
	if (child == 0)
		_exit(0);
	if (wait_for(child) != 0)
		return 1;
	_exit(memory[0] != (char)round);
}

static const struct mode {
	const char *name;
	int (*run)(int round);
	size_t bytes; /* that are checked */
} modes[] = {
	{"_exit", mode_exit_at_once, FILE_BYTES},
	{"_Exit", mode_exit_c, FILE_BYTES},
	{"exit", mode_exit, FILE_BYTES},
	{"return", mode_return, FILE_BYTES},
	{"quick_exit", mode_quick_exit, FILE_BYTES},
	{"last_thread", mode_last_thread, FILE_BYTES},
	{"exec", mode_exec, FILE_BYTES},
	{"fork", mode_fork, FILE_BYTES},
	{"vfork", mode_vfork, FILE_BYTES},
	{"signal", mode_signal, FILE_BYTES},
	{"threads", mode_threads, FILE_BYTES / 2},
	{"threads_exit", mode_threads_exit, FILE_BYTES / 2},
	{"threads_exec", mode_threads_exec, FILE_BYTES / 2},
};

static const struct mode *mode_find(const char *name)
{
	for (size_t i = 0; i < sizeof(modes) / sizeof(modes[0]); i++)
		if (strcmp(modes[i].name, name) == 0)
			return &modes[i];
	exit(64);
}

static int list(void)
{
	for (size_t i = 0; i < sizeof(modes) / sizeof(modes[0]); i++)
		puts(modes[i].name);
	return 0;
}

static void file_open(const char *name)
{
	path = name;
	file = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
	if (file < 0 || ftruncate(file, FILE_BYTES) != 0)
		die(path);
}

/* In the child this returns what main is to return. */
static int rounds(const struct mode *mode, int count)
{
	for (int round = 1; round <= count; round++) {
		pid_t child = fork();
		if (child == 0)
			return mode->run(round) == RETURN ? 0 : 1;
		int status = wait_for(child);
		if (status != 0) {
			fprintf(stderr, "exit_writes: %s: wait status %#x\n", mode->name,
				(unsigned)status);
			return 1;
		}
		check(round, mode->bytes);
	}
	return 0;
}

static int wait_and_end(const char *how)
{
	store(1);
	puts("ready");
	fflush(stdout);
	getchar();
	if (strcmp(how, "exit") == 0)
		return 0;
	if (strcmp(how, "exec") == 0)
		execl("/bin/true", "true", NULL);
	_exit(0);
}

int main(int argc, char **argv)
{
	if (argc == 2 && strcmp(argv[1], "list") == 0)
		return list();
	if (argc != 4)
		return 64;
	if (strcmp(argv[1], "check") == 0) {
		file_open(argv[2]);
		check(atoi(argv[3]), FILE_BYTES);
		return 0;
	}
	file_open(argv[3]);
	if (strcmp(argv[1], "wait") == 0)
		return wait_and_end(argv[2]);
	return rounds(mode_find(argv[1]), atoi(argv[2]));
}
