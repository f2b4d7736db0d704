/* SPDX-License-Identifier: MIT */
/*
 * What a parent and its children see of each other's pages after a fork, in every order of reading
 * and writing. Each step is one process's, the others wait; so the outcome is determined, and the
 * program checks it itself.
 *
 *	fork_pages [PAGES]
 */
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

enum {
	PAGE = 4096,
	STEPS = 2, /* pipes: to the child, and back */
};

static size_t pages = 64;
static const char *step = "start";

static void die(const char *what)
{
	fprintf(stderr, "fork_pages: %s: %s\n", step, what);
	exit(1);
}

static char *map(size_t count)
{
	char *memory = mmap(NULL, count * PAGE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS,
			    -1, 0);
	if (memory == MAP_FAILED)
		die("mmap");
	return memory;
}

static void put(char *memory, size_t page, unsigned who)
{
	uint64_t *words = (uint64_t *)(memory + page * PAGE);
	for (size_t i = 0; i < PAGE / 8; i++)
		words[i] = who ? (uint64_t)who << 32 | page << 12 | i : 0;
}

/* The page is as who wrote it; 0: zeros. */
static void want(const char *memory, size_t page, unsigned who)
{
	const uint64_t *words = (const uint64_t *)(memory + page * PAGE);
	for (size_t i = 0; i < PAGE / 8; i++) {
		uint64_t right = who ? (uint64_t)who << 32 | page << 12 | i : 0;
		if (words[i] == right)
			continue;
		fprintf(stderr,
			"fork_pages: %s: WRONG DATA: page %zu word %zu: found %#llx, wanted %#llx\n",
			step, page, i, (unsigned long long)words[i], (unsigned long long)right);
		exit(1);
	}
}

static void put_all(char *memory, unsigned who)
{
	for (size_t page = 0; page < pages; page++)
		put(memory, page, who);
}

static void want_all(const char *memory, unsigned who)
{
	for (size_t page = 0; page < pages; page++)
		want(memory, page, who);
}

/* ---- taking turns ------------------------------------------------------------------------ */

struct turns {
	int down[STEPS], up[STEPS];
	pid_t child;
};

static void turns_pass(int fd)
{
	if (write(fd, "x", 1) != 1)
		die("a turn could not be passed on");
}

static void turns_await(int fd)
{
	char byte;
	if (read(fd, &byte, 1) != 1)
		die("the other one has gone");
}

/* Returns whether this is the child, whose turn it is not yet. */
static int turns_fork(struct turns *turns)
{
	if (pipe(turns->down) || pipe(turns->up))
		die("pipe");
	fflush(NULL);
	turns->child = fork();
	if (turns->child < 0)
		die("fork");
	if (turns->child) {
		close(turns->down[0]);
		close(turns->up[1]);
		return 0;
	}
	close(turns->down[1]);
	close(turns->up[0]);
	turns_await(turns->down[0]);
	return 1;
}

/* The child's turn; returns at the parent's next. */
static void child_turn(struct turns *turns)
{
	turns_pass(turns->down[1]);
	turns_await(turns->up[0]);
}

static void parent_turn(struct turns *turns)
{
	turns_pass(turns->up[1]);
	turns_await(turns->down[0]);
}

static void turns_end(struct turns *turns)
{
	int status;
	turns_pass(turns->down[1]);
	if (waitpid(turns->child, &status, 0) != turns->child || status)
		die("the child failed");
	close(turns->down[1]);
	close(turns->up[0]);
}

/* ---- the cases --------------------------------------------------------------------------- */

/* Page n is read by the child before the parent writes if bit 0 of n is set, written by the child
 * before if bit 1 is, and after if bit 2 is. Bit 3: never touched before the fork. Bit 4: the
 * parent leaves it alone. */
static void orders(void)
{
	char *memory = map(pages);
	struct turns turns;
	step = "orders";
	for (size_t n = 0; n < pages; n++)
		if (!(n & 8))
			put(memory, n, 1);
	if (turns_fork(&turns)) {
		for (size_t n = 0; n < pages; n++) {
			if (n & 1)
				want(memory, n, n & 8 ? 0 : 1);
			if (n & 2)
				put(memory, n, 2);
		}
		parent_turn(&turns);
		for (size_t n = 0; n < pages; n++) {
			if (n & 4)
				put(memory, n, 3);
			want(memory, n, n & 4 ? 3 : n & 2 ? 2 : n & 8 ? 0 : 1);
		}
		parent_turn(&turns);
		for (size_t n = 0; n < pages; n++)
			want(memory, n, n & 4 ? 3 : n & 2 ? 2 : n & 8 ? 0 : 1);
		exit(0);
	}
	child_turn(&turns);
	for (size_t n = 0; n < pages; n++)
		if (!(n & 16))
			put(memory, n, 4);
	child_turn(&turns);
	for (size_t n = 0; n < pages; n++)
		want(memory, n, !(n & 16) ? 4 : n & 8 ? 0 : 1);
	turns_end(&turns);
	for (size_t n = 0; n < pages; n++)
		want(memory, n, !(n & 16) ? 4 : n & 8 ? 0 : 1);
	munmap(memory, pages * PAGE);
}

/* The parent, or the child, gives up its contents, or the memory. */
static void gives_up(int child, int unmap)
{
	char *memory = map(pages);
	struct turns turns;
	step = child   ? unmap ? "child unmaps" : "child discards"
	       : unmap ? "parent unmaps"
		       : "parent discards";
	put_all(memory, 1);
	if (turns_fork(&turns)) {
		for (size_t n = 0; n < pages; n++) {
			if (n & 1)
				want(memory, n, 1);
			if (n & 2)
				put(memory, n, 2);
		}
		if (child && unmap)
			munmap(memory, pages * PAGE);
		else if (child)
			madvise(memory, pages * PAGE, MADV_DONTNEED);
		if (child && !unmap)
			want_all(memory, 0);
		parent_turn(&turns);
		for (size_t n = 0; n < pages && !child; n++)
			want(memory, n, n & 2 ? 2 : 1);
		if (child && !unmap) {
			want_all(memory, 0);
			put_all(memory, 3);
			want_all(memory, 3);
		}
		exit(0);
	}
	child_turn(&turns);
	if (!child && unmap)
		munmap(memory, pages * PAGE);
	else if (!child)
		madvise(memory, pages * PAGE, MADV_DONTNEED);
	if (!child && !unmap) {
		want_all(memory, 0);
		put_all(memory, 5);
	} else if (child) {
		want_all(memory, 1);
		put_all(memory, 5);
	}
	turns_end(&turns);
	if (child || !unmap)
		want_all(memory, 5);
	munmap(memory, pages * PAGE);
}

/* Both move and grow what they share. */
static void moves(void)
{
	char *memory = map(pages);
	struct turns turns;
	step = "moves";
	put_all(memory, 1);
	int child = turns_fork(&turns);
	if (!child)
		child_turn(&turns);
	put(memory, 3, child ? 2 : 3);
	char *moved = mremap(memory, pages * PAGE, 2 * pages * PAGE, MREMAP_MAYMOVE);
	if (moved == MAP_FAILED)
		die("mremap");
	for (size_t n = 0; n < 2 * pages; n++)
		want(moved, n, n >= pages ? 0 : n != 3 ? 1 : child ? 2 : 3);
	for (size_t n = 0; n < 2 * pages; n++)
		put(moved, n, child ? 4 : 5);
	if (child) {
		parent_turn(&turns);
		for (size_t n = 0; n < 2 * pages; n++)
			want(moved, n, 4);
		exit(0);
	}
	turns_end(&turns);
	for (size_t n = 0; n < 2 * pages; n++)
		want(moved, n, 5);
	munmap(moved, 2 * pages * PAGE);
}

/* The parent shrinks its memory, and lets it grow again over pages that the child still has. */
static void regrows(void)
{
	char *memory = map(pages);
	struct turns turns;
	step = "regrows";
	put_all(memory, 1);
	if (turns_fork(&turns)) {
		want_all(memory, 1);
		exit(0);
	}
	if (mremap(memory, pages * PAGE, pages / 2 * PAGE, 0) != memory)
		die("shrinking");
	char *grown = mremap(memory, pages / 2 * PAGE, pages * PAGE, MREMAP_MAYMOVE);
	if (grown == MAP_FAILED)
		die("growing");
	for (size_t n = 0; n < pages; n++)
		want(grown, n, n < pages / 2 ? 1 : 0);
	put_all(grown, 2);
	turns_end(&turns);
	want_all(grown, 2);
	munmap(grown, pages * PAGE);
}

/* Children, each of which writes a page of its own and has a child that checks them all. */
static void generations(void)
{
	enum { DEPTH = 6 };
	char *memory = map(pages);
	step = "generations";
	put_all(memory, 1);
	for (unsigned depth = 0; depth < DEPTH; depth++) {
		int status;
		fflush(NULL);
		pid_t child = fork();
		if (child < 0)
			die("fork");
		if (child) {
			put_all(memory, 100 + depth);
			if (waitpid(child, &status, 0) != child || status)
				die("a descendant failed");
			want_all(memory, 100 + depth);
			if (depth)
				exit(0);
			break;
		}
		for (size_t n = 0; n < pages; n++)
			want(memory, n, n < depth ? 10 + (unsigned)n : 1);
		put(memory, depth, 10 + depth);
		if (depth == DEPTH - 1)
			exit(0);
	}
	munmap(memory, pages * PAGE);
}

/* The parent goes away; the child, and a child of its own, carry on. */
static void orphan(void)
{
	char *memory = map(pages);
	int ends[2], status;
	char byte;
	step = "orphan";
	put_all(memory, 1);
	if (pipe(ends))
		die("pipe");
	fflush(NULL);
	pid_t child = fork();
	if (!child) {
		if (fork()) /* returns in the parent, which goes */
			_exit(0);
		for (int round = 0; round < 3; round++) {
			for (size_t n = 0; n < pages; n++)
				want(memory, n, n % 3 < (size_t)round ? 2 : 1);
			for (size_t n = 0; n < pages; n++)
				if (n % 3 == (size_t)round)
					put(memory, n, 2);
		}
		pid_t grandchild = fork();
		want_all(memory, 2);
		put_all(memory, grandchild ? 3 : 4);
		want_all(memory, grandchild ? 3 : 4);
		if (!grandchild)
			_exit(0);
		if (waitpid(grandchild, &status, 0) != grandchild || status)
			die("the grandchild failed");
		want_all(memory, 3);
		_exit(write(ends[1], "x", 1) != 1);
	}
	close(ends[1]);
	if (child < 0 || waitpid(child, &status, 0) != child || status)
		die("the child failed");
	munmap(memory, pages * PAGE);
	if (read(ends[0], &byte, 1) != 1)
		die("the orphan failed");
	close(ends[0]);
}

/* Both write a word of each page at the same time, and find the others as they were. */
static void race_run(char *memory, unsigned who, unsigned before)
{
	for (size_t n = 0; n < pages; n++)
		((uint64_t *)(memory + n * PAGE))[who] = 0;
	for (size_t n = 0; n < pages; n++) {
		uint64_t *words = (uint64_t *)(memory + n * PAGE);
		if (words[who])
			die("its own word is not there");
		words[who] = (uint64_t)before << 32 | n << 12 | who;
		want(memory, n, before);
	}
}

static void races(void)
{
	char *memory = map(pages);
	step = "races";
	for (unsigned round = 1; round <= 20; round++) {
		struct turns turns;
		int status;
		put_all(memory, round);
		if (turns_fork(&turns)) {
			if (round & 1)
				want_all(memory, round);
			turns_pass(turns.up[1]);
			race_run(memory, 7, round);
			exit(0);
		}
		child_turn(&turns);
		race_run(memory, 9, round);
		if (waitpid(turns.child, &status, 0) != turns.child || status)
			die("the child failed");
		close(turns.down[1]);
		close(turns.up[0]);
	}
	munmap(memory, pages * PAGE);
}

int main(int count, char **arguments)
{
	if (count > 1)
		pages = strtoul(arguments[1], NULL, 10);
	orders();
	for (int which = 0; which < 4; which++)
		gives_up(which & 1, which & 2);
	moves();
	regrows();
	generations();
	orphan();
	races();
	puts("fork pages right");
	return 0;
}
