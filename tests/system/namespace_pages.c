/* SPDX-License-Identifier: MIT */
/*
 * A process that calls for a PID namespace keeps its memory, whatever has to leave it: so do its
 * children, and those of its children that call for one themselves.
 *
 *	namespace_pages MODE FILE	private, child, user, setns, after
 *
 * Status 77: this process may not make such namespaces.
 */
#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

enum {
	PAGE = 4096,
	BYTES = 12 << 20,
};

static char *anonymous, *private;

_Noreturn static void die(const char *what)
{
	fprintf(stderr, "namespace_pages: %s: %s\n", what, strerror(errno));
	exit(2);
}

static char *map(int flags, int fd)
{
	char *memory = mmap(NULL, BYTES, PROT_READ | PROT_WRITE, MAP_PRIVATE | flags, fd, 0);
	if (memory == MAP_FAILED)
		die("mmap");
	memory[0] = 1;
	return memory;
}

static void store(int round)
{
	for (size_t at = 0; at < BYTES; at += PAGE)
		anonymous[at] = private[at] = (char)(at / PAGE + (size_t)round);
}

static void check(const char *who, int round)
{
	for (size_t at = 0; at < BYTES; at += PAGE)
		if (anonymous[at] != private[at] ||
		    private[at] != (char)(at / PAGE + (size_t)round)) {
			printf("WRONG: page %zu of the %s\n", at / PAGE, who);
			exit(1);
		}
}

static void rounds(const char *who, int first)
{
	for (int round = first; round < first + 2; round++) {
		store(round);
		check(who, round);
	}
}

static void apart(int flags)
{
	if (unshare(flags))
		exit(errno == EPERM || errno == ENOSPC ? 77 : 2);
}

static int wait_for(pid_t child)
{
	int status;
	if (child < 0 || waitpid(child, &status, 0) != child)
		die("the child");
	return WIFEXITED(status) ? WEXITSTATUS(status) : 2;
}

/* A child, which stores too, and what its parent has then. */
static int children(int first)
{
	pid_t child = fork();
	if (child == 0) {
		check("child", first);
		rounds("child", first + 10);
		exit(0);
	}
	int status = wait_for(child);
	check("parent", first);
	rounds("parent", first + 1);
	return status;
}

static int child_apart(int flags)
{
	store(1);
	pid_t child = fork();
	if (child == 0) {
		apart(flags);
		check("child", 1);
		rounds("child", 2);
		exit(children(3));
	}
	return wait_for(child);
}

/* Into the namespace of somebody who is in it already. */
static int into(void)
{
	char path[40], byte;
	int lead[2], hold[2];
	if (pipe(lead) || pipe(hold))
		die("pipe");
	pid_t child = fork();
	if (child == 0) {
		apart(CLONE_NEWPID);
		pid_t first = fork();
		if (first == 0)
			exit(read(hold[0], &byte, 1) != 1);
		if (write(lead[1], &first, sizeof(first)) != sizeof(first))
			exit(2);
		exit(wait_for(first));
	}
	pid_t first;
	close(lead[1]);
	if (read(lead[0], &first, sizeof(first)) != sizeof(first))
		return wait_for(child);
	snprintf(path, sizeof(path), "/proc/%d/ns/pid", (int)first);
	int namespace = open(path, O_RDONLY | O_CLOEXEC);
	store(1);
	if (namespace < 0 || setns(namespace, CLONE_NEWPID))
		die("setns");
	rounds("parent", 2);
	if (write(hold[1], "x", 1) != 1)
		die("write");
	return wait_for(child);
}

static int run(const char *mode)
{
	if (strcmp(mode, "child") == 0)
		return child_apart(CLONE_NEWPID);
	if (strcmp(mode, "user") == 0)
		return child_apart(CLONE_NEWPID | CLONE_NEWUSER);
	if (strcmp(mode, "setns") == 0)
		return into();
	bool after = strcmp(mode, "after") == 0;
	store(1);
	apart(CLONE_NEWPID | (after ? CLONE_NEWNS : 0));
	if (after && unshare(CLONE_NEWUTS))
		die("unshare");
	rounds("parent", 2);
	return children(3);
}

int main(int argc, char **argv)
{
	if (argc != 3)
		return 64;
	int fd = open(argv[2], O_RDWR | O_CREAT | O_CLOEXEC, 0600);
	if (fd < 0 || ftruncate(fd, BYTES) != 0)
		die(argv[2]);
	anonymous = map(MAP_ANONYMOUS, -1);
	private = map(0, fd);
	int status = run(argv[1]);
	if (status == 0)
		printf("right: %s\n", argv[1]);
	return status;
}
