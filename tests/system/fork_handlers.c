/* SPDX-License-Identifier: MIT */
/*
 * A program sets its handler of SIGSEGV, in all the ways that there are, while another thread
 * forks: it finds the one that it has set before, and so does each child.
 */
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#pragma GCC diagnostic ignored "-Wdeprecated-declarations" /* sigset */

enum {
	BYTES = 4 << 20,
	FORKS = 200,
	WAYS = 4,
};

static volatile sig_atomic_t handled[2];
static int wrong_children;
static int ended;

static void handle_even(int number)
{
	(void)number;
	handled[0]++;
}

static void handle_odd(int number)
{
	(void)number;
	handled[1]++;
}

static sighandler_t handlers[2] = {handle_even, handle_odd};

static sighandler_t handler_now(void)
{
	struct sigaction now;
	sigaction(SIGSEGV, NULL, &now);
	return now.sa_handler;
}

static sighandler_t handler_set(int way, sighandler_t handler)
{
	struct sigaction action = {.sa_handler = handler}, old;
	switch (way) {
	case 0:
		return signal(SIGSEGV, handler);
	case 1:
		return __sysv_signal(SIGSEGV, handler);
	case 2:
		return sigset(SIGSEGV, handler);
	default:
		sigaction(SIGSEGV, &action, &old);
		return old.sa_handler;
	}
}

static void *be_forking(void *argument)
{
	for (int i = 0; i < FORKS; i++) {
		pid_t child = fork();
		if (child == 0) {
			sighandler_t now = handler_now();
			_exit(now == handle_even || now == handle_odd ? 0 : 1);
		}
		int status = 1;
		waitpid(child, &status, 0);
		wrong_children += status != 0;
	}
	__atomic_store_n(&ended, 1, __ATOMIC_RELEASE);
	return argument;
}

int main(void)
{
	char *memory =
		mmap(NULL, BYTES, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	pthread_t thread;
	unsigned wrong_old = 0, lost = 0, set = 0;
	if (memory == MAP_FAILED)
		return 1;
	memset(memory, 1, BYTES);
	handler_set(0, handlers[0]);
	if (pthread_create(&thread, NULL, be_forking, NULL))
		return 1;
	while (!__atomic_load_n(&ended, __ATOMIC_ACQUIRE)) {
		sighandler_t before = handlers[set & 1];
		set++;
		wrong_old += handler_set((int)(set / 2) % WAYS, handlers[set & 1]) != before;
		usleep(200);
		lost += handler_now() != handlers[set & 1];
	}
	pthread_join(thread, NULL);
	handler_set(0, handlers[0]);
	raise(SIGSEGV);
	if (wrong_old || lost || wrong_children || handled[0] != 1 || handled[1] != 0) {
		printf("WRONG: of %u, %u found another before, %u were lost; %d children; %d %d\n",
		       set, wrong_old, lost, wrong_children, handled[0], handled[1]);
		return 1;
	}
	printf("all handlers kept\n");
	return 0;
}
