/* SPDX-License-Identifier: MIT */
/*
 * Fork where the only free addresses are those that paged memory had: whatever the preload library
 * maps for itself in the child must not go there, or it is mapped over. Children of children check
 * their memory.
 */
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

enum {
	BLOCKS = 8,
	WORDS = 1 << 18, /* 2 MiB */
	PAGE_WORDS = 512,
	GENERATIONS = 4,
	GAPS_MAX = 1 << 15,
};

static uint64_t *blocks[BLOCKS];

static void fill(uint64_t generation)
{
	for (int b = 0; b < BLOCKS; b++)
		for (uint64_t i = 0; i < WORDS; i += PAGE_WORDS)
			blocks[b][i] = generation << 32 | (uint64_t)b << 24 | i;
}

static void check(uint64_t generation)
{
	for (int b = 0; b < BLOCKS; b++)
		for (uint64_t i = 0; i < WORDS; i += PAGE_WORDS)
			if (blocks[b][i] != (generation << 32 | (uint64_t)b << 24 | i)) {
				printf("WRONG: block %d word %lu of generation %lu\n", b, i,
				       generation);
				exit(1);
			}
}

/* Take single pages until the kernel has none left above the lowest block. */
static void gaps_fill(void)
{
	uint64_t *lowest = blocks[0];
	for (int b = 1; b < BLOCKS; b++)
		lowest = blocks[b] < lowest ? blocks[b] : lowest;
	for (int i = 0; i < GAPS_MAX; i++) {
		int protection = i % 2 ? PROT_NONE : PROT_READ; /* neighbours do not merge */
		void *page = mmap(NULL, 4096, protection, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
		if (page == MAP_FAILED) {
			perror("mmap");
			exit(1);
		}
		if (page < (void *)lowest)
			return;
	}
	printf("more than %d free pages\n", GAPS_MAX);
	exit(1);
}

static void generation(uint64_t number)
{
	check(number - 1);
	fill(number);
	gaps_fill();
	if (number == GENERATIONS)
		return;
	pid_t child = fork();
	if (child == 0) {
		check(number);
		generation(number + 1);
		exit(0);
	}
	int status = 0;
	if (child < 0 || waitpid(child, &status, 0) != child || status != 0) {
		printf("generation %lu: status %#x\n", number + 1, status);
		exit(1);
	}
	check(number);
}

int main(void)
{
	for (int b = 0; b < BLOCKS; b++) {
		blocks[b] = mmap(NULL, WORDS * sizeof(uint64_t), PROT_READ | PROT_WRITE,
				 MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
		if (blocks[b] == MAP_FAILED) {
			perror("mmap");
			return 1;
		}
	}
	fill(0);
	generation(1);
	printf("%d generations\n", GENERATIONS);
	return 0;
}
