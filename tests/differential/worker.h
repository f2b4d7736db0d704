/* SPDX-License-Identifier: MIT */
/* One process of a program: what it has, and the steps that it can do. */
#ifndef PAGERD_TESTS_DIFFERENTIAL_WORKER_H
#define PAGERD_TESTS_DIFFERENTIAL_WORKER_H

#include <sys/uio.h>

#include "area.h"
#include "program.h"
#include "random.h"
#include "report.h"

#define FILES 3 /* the last is never changed */
#define STILL 2

#define SPACE_BYTES (256ull << 30) /* as RLIMIT_AS */

enum open_mode { OPEN_RW, OPEN_RO, OPEN_APPEND, OPEN_WO, OPEN_DIRECT, OPEN_MODES };

struct files {
	int fd[FILES][OPEN_MODES];
	int directory;
	int pipe[2];
};

struct worker {
	const struct program *program;
	struct files files;
	struct space space;
	struct random random; /* of the step that runs */
	struct report report;
	uint32_t step;
	uint32_t slot;
	int socket;
	int child_socket; /* for the child that a step makes */
};

/* What the coordinator tells a worker. */
enum order {
	ORDER_STEP,
	ORDER_DUMP,
	ORDER_EXIT,
};

struct command {
	uint32_t order;
	uint32_t step;
	uint32_t child; /* the slot of the process that the step may make */
};

/* What a step does: a function of its number. */
enum step_kind {
	STEP_MAP_ANON,
	STEP_MAP_FILE,
	STEP_MAP_BAD,
	STEP_UNMAP,
	STEP_PROTECT,
	STEP_REMAP,
	STEP_REMAP_BAD,
	STEP_ADVISE,
	STEP_ADVISE_FREE,
	STEP_SYNC,
	STEP_INCORE,
	STEP_LOCK,
	STEP_LOCK_ALL,
	STEP_LOAD,
	STEP_STORE,
	STEP_TRANSFER,
	STEP_DIRECT,
	STEP_COPY,
	STEP_PIPE,
	STEP_ARGUMENT,
	STEP_SEEK,
	STEP_TRUNCATE,
	STEP_ALLOCATE,
	STEP_FLUSH,
	STEP_REPLACE,
	STEP_BRIEF,
	STEP_SPAWN,
	STEP_THREADS,
	STEP_FORK,
	STEP_EXIT,
	STEP_KINDS
};

/* Which process does the step, and what. */
enum step_kind step_choose(const struct program *program, uint32_t step, struct random *random,
			   uint32_t *slot);

/* The first process; returns when it is told to exit. */
void worker_run(struct worker *w);

static inline uint32_t pick(struct worker *w, uint32_t count)
{
	return random_below(&w->random, count);
}

static inline bool chance(struct worker *w, uint32_t percent)
{
	return random_chance(&w->random, percent);
}

/* A range of an area, or of the arena. */
static inline struct range pick_range(struct worker *w)
{
	return range_any(&w->space, w->program, &w->random);
}

static inline struct range pick_arena(struct worker *w)
{
	return range_arena(&w->space, w->program, &w->random);
}

/* surroundings.c */

/* For this process, and each child anew. */
void surroundings_begin(const struct program *program);

/* map.c */
void step_map_anon(struct worker *w);
void step_map_file(struct worker *w);
void step_map_bad(struct worker *w);
void step_unmap(struct worker *w);
void step_protect(struct worker *w);
/* Enter what the kernel has placed at address into the table. Areas that are full are unmapped. */
void place_enter(struct worker *w, char *address, uint64_t length, const struct page *first);
void report_protection(struct report *report, int protection);

/* remap.c */
void step_remap(struct worker *w);
void step_remap_bad(struct worker *w);

/* advise.c */
void step_advise(struct worker *w);
void step_advise_free(struct worker *w);
void step_sync(struct worker *w);
void step_incore(struct worker *w);

/* lock.c */
void step_lock(struct worker *w);
void step_lock_all(struct worker *w);

/* touch.c */
void step_load(struct worker *w);
void step_store(struct worker *w);
/* Catch faults from here on. */
void touch_init(void);
/* Do a step; a fault outside load and store ends it, and is reported. */
void touch_guarded(struct worker *w, void (*step)(struct worker *));
/* Report what is in the pages, or which signal they give. */
void touch_load(struct worker *w, const struct range *range);
/* What is in the page; 1 if it gave a signal. */
uint32_t touch_hash(char *page);
/* Fill the page; false if it gave a signal. */
bool touch_fill(char *page, uint64_t value);

/* transfer.c */
void step_transfer(struct worker *w);
void step_direct(struct worker *w);
void step_pipe(struct worker *w);
/* What a call is to read or write. */
struct iovec pick_buffer(struct worker *w);
/* Report what is in the buffers' pages. */
void report_filled(struct worker *w, const struct iovec *vector, int count);

/* copy.c */
void step_copy(struct worker *w);

/* argument.c */
void step_argument(struct worker *w);

/* process.c */
void step_brief(struct worker *w);
void step_spawn(struct worker *w);

/* thread.c */
void step_threads(struct worker *w);

/* file.c */
void files_make(struct files *files, const char *directory);
/* Keep a page of each file mapped. */
void files_anchor(struct files *files);
void step_seek(struct worker *w);
void step_truncate(struct worker *w);
void step_allocate(struct worker *w);
void step_flush(struct worker *w);
/* Another file in the place of one: this process goes on with that. */
void step_replace(struct worker *w);
/* How many of the page's bytes may be stored to: not what is behind the end of a shared file. */
uint32_t file_tail(struct worker *w, const struct page *page);
/* After what may have changed a file's size: keep it to whole pages, and small. */
void file_settle(struct worker *w, uint32_t file);
uint64_t file_bytes(struct worker *w, uint32_t file);
/* A path (PATH_MAX bytes) of the file; false if it leads to another by now. */
bool file_named(struct worker *w, uint32_t file, char *path);
/* Report size and contents. */
void file_report(struct worker *w, uint32_t file);

struct descriptor {
	int fd;
	int file; /* -1: none */
	int mode; /* enum open_mode */
};

/* A descriptor of a file; the still file only as one for reading, if changes is set. */
struct descriptor descriptor_pick(struct worker *w, bool changes);
void report_descriptor(struct report *report, const struct descriptor *descriptor);

#endif
