/* SPDX-License-Identifier: MIT */
/*
 * A process with the number 1 forks into a PID namespace, where its child has the number 1, too:
 * the child finds its memory, and what either writes then is its own.
 *
 *	unshare --pid --fork fork_namespace
 *
 * Status 77: this process may not make PID namespaces.
 */
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

enum {
	BYTES = 8 << 20,
};

static char *memory;

static void check(const char *who, char byte)
{
	for (size_t i = 0; i < BYTES; i++)
		if (memory[i] != byte) {
			printf("WRONG: byte %zu of the %s\n", i, who);
			exit(1);
		}
}

static void be_child(void)
{
	check("child", 'p');
	memset(memory, 'c', BYTES);
	check("child", 'c');
	exit(getpid() == 1 ? 0 : 2);
}

int main(void)
{
	memory = mmap(NULL, BYTES, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	if (memory == MAP_FAILED || getpid() != 1)
		return 2;
	memset(memory, 'p', BYTES);
	if (unshare(CLONE_NEWPID))
		return 77;
	pid_t child = fork();
	if (child == 0)
		be_child();
	int status = -1;
	if (child < 0 || waitpid(child, &status, 0) != child || status != 0) {
		printf("WRONG: the child ended with status %x\n", status);
		return 1;
	}
	check("parent", 'p');
	printf("both right\n");
	return 0;
}
