/* SPDX-License-Identifier: MIT */
/*
 * Threads on stacks that the program maps itself: what was there stays, they fork, and they end
 * while another thread forks.
 *
 *	fork_stacks fork|end
 */
#include <dlfcn.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

enum {
	BYTES = 2 << 20,
	OFFSET = 1600, /* of a stack that begins and ends in the middle of pages */
	FILLED = 64 << 10,
	ENDS = 1000,
};

static char *memory, *others;
static int ended;

static void check(int right, const char *what)
{
	if (right)
		return;
	printf("WRONG: %s\n", what);
	exit(1);
}

static char *map(size_t bytes)
{
	void *place = mmap(NULL, bytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	check(place != MAP_FAILED, "mmap");
	return place;
}

static void *be_forking_once(void *argument)
{
	volatile char here[1000];
	memset((char *)here, 's', sizeof(here));
	pid_t child = fork();
	if (child == 0)
		_exit(here[999] == 's' && others[0] == 'o' ? 7 : 1);
	int status = -1;
	check(child > 0 && waitpid(child, &status, 0) == child, "fork");
	check(WIFEXITED(status) && WEXITSTATUS(status) == 7, "the child");
	check(here[999] == 's', "the stack after fork");
	return argument;
}

/* The way that is not to be used any more: the linker warns of it. */
static void set_address(pthread_attr_t *attributes, char *top, size_t bytes)
{
	typedef int call(pthread_attr_t * attributes, void *address);
	call *set = (call *)dlsym(RTLD_DEFAULT, "pthread_attr_setstackaddr");
	check(set && !set(attributes, top), "pthread_attr_setstackaddr");
	check(!pthread_attr_setstacksize(attributes, bytes), "pthread_attr_setstacksize");
}

/* A thread on the stack at place, as told by one way or the other. */
static void run_on(char *place, size_t bytes, int by_address, void *(*function)(void *),
		   void *argument)
{
	pthread_attr_t attributes;
	pthread_t thread;
	pthread_attr_init(&attributes);
	if (by_address)
		set_address(&attributes, place + bytes, bytes);
	else
		check(!pthread_attr_setstack(&attributes, place, bytes), "pthread_attr_setstack");
	check(!pthread_create(&thread, &attributes, function, argument), "pthread_create");
	check(!pthread_join(thread, NULL), "pthread_join");
	pthread_attr_destroy(&attributes);
}

static void fork_on(size_t offset, int by_address)
{
	memory = map(BYTES);
	memset(memory, 'm', FILLED);
	memory[BYTES - 1] = 'e';
	run_on(memory + offset, BYTES - 4096 + offset, by_address, be_forking_once, NULL);
	for (int i = 0; i < FILLED; i++)
		check(memory[i] == 'm', "what was on the stack before");
	check(!offset || memory[BYTES - 1] == 'e', "what is behind the stack");
	munmap(memory, BYTES);
}

static void *be_forking(void *argument)
{
	while (!__atomic_load_n(&ended, __ATOMIC_ACQUIRE)) {
		pid_t child = fork();
		if (child == 0)
			_exit(0);
		waitpid(child, NULL, 0);
	}
	return argument;
}

/* At any moment of a fork: where the stack is frozen, a thread that stores into it waits for the
 * end, and so this one does not, from its beginning to its end. */
static void *be_short(void *argument)
{
	for (unsigned i = *(unsigned *)argument; i > 0; i--)
		__asm__ volatile("" : "+r"(i));
#ifdef __x86_64__
	__asm__ volatile("syscall" : : "a"(SYS_exit), "D"(0) : "rcx", "r11", "memory");
#endif
	return NULL;
}

static void end_many(void)
{
	pthread_t thread;
	memory = map(BYTES);
	check(!pthread_create(&thread, NULL, be_forking, NULL), "pthread_create");
	for (int i = 0; i < ENDS; i++) {
		unsigned turns = (unsigned)rand() % 1000000;
		run_on(memory + OFFSET, BYTES - 4096, 0, be_short, &turns);
	}
	__atomic_store_n(&ended, 1, __ATOMIC_RELEASE);
	pthread_join(thread, NULL);
}

int main(int argc, char **argv)
{
	if (argc != 2)
		return 64;
	others = map(BYTES);
	memset(others, 'o', BYTES);
	if (!strcmp(argv[1], "end")) {
		end_many();
	} else {
		fork_on(0, 0);
		fork_on(OFFSET, 0);
		fork_on(0, 1);
		fork_on(OFFSET, 1);
	}
	printf("stacks right\n");
	return 0;
}
