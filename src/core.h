/* SPDX-License-Identifier: MIT */
/* The pager's state: everything hangs off struct pager, and belongs to its thread. */
#ifndef PAGERD_CORE_H
#define PAGERD_CORE_H

#include <liburing.h>
#include <pthread.h>

#include "access.h"
#include "agent.h"
#include "board.h"
#include "bounce.h"
#include "cache.h"
#include "chaos.h"
#include "client.h"
#include "drop.h"
#include "fault.h"
#include "frame.h"
#include "guess.h"
#include "hide.h"
#include "histogram.h"
#include "install.h"
#include "io.h"
#include "lapse.h"
#include "latency.h"
#include "learn.h"
#include "listen.h"
#include "memfd.h"
#include "object.h"
#include "pageout.h"
#include "pager.h"
#include "poison.h"
#include "pool.h"
#include "private.h"
#include "push.h"
#include "record.h"
#include "region.h"
#include "reserve.h"
#include "share.h"
#include "shortage.h"
#include "slot.h"
#include "stop.h"
#include "swap.h"
#include "sync.h"
#include "uffd.h"
#include "unit.h"
#include "user.h"
#include "wake.h"
#include "wired.h"
#include "worker.h"
#include "zap.h"

#define RING_ENTRIES 1024u
#define FILE_HASH    1024u
#define TICK_NS	     200000000ull /* how often is looked after what nothing else brings about */
#define BOUNCE_PAGES 3072u	  /* 12 MiB: eleven 1 MiB transfers and some single pages */
#define ZERO_PAGES   64u	  /* longest run of zero pages filled at once */

/* What a completion of the ring belongs to: the top byte of its user_data. */
enum ring_kind {
	RING_IO = 1,
	RING_UFFD = 2,
	RING_MAILBOX = 3,
	RING_IGNORE = 4,
	RING_AGENT = 5,
	RING_WORKER = 6,
	RING_LISTEN = 7,
};

struct pager {
	struct pager_config config;
	struct pagerd_filter *filter; /* of the files that are mapped; NULL: nobody sees it */
	struct io_uring ring;
	bool ring_ready;
	uint32_t buffers; /* bits: blocks of bounce memory that are registered with the ring */
	uint32_t buffers_tried;
	bool stopping;
	struct stop stop;
	uint64_t now_ns;  /* of this turn of the loop */
	bool noted;	  /* a policy has something to tell: see pools_tell */
	char broken[160]; /* what a policy did that it must not; empty: none did */
	struct pager_request *watch;
	uint64_t start_ns;

	/* mailbox: the only state that other threads touch */
	pthread_mutex_t mailbox_lock;
	struct pager_request *mailbox;
	struct pager_request **mailbox_tail;
	int mailbox_fd;
	struct listeners heard;

	/* frames */
	struct frame *frames;
	struct frame_dirt *dirt; /* of each frame */
	uint32_t frame_limit;
	uint32_t frame_fresh; /* frames at and above were never used */
	uint32_t frame_free;  /* list */
	uint32_t budget_pages;
	uint32_t used_pages;
	uint32_t frames_taken; /* ever, modulo 2^32 */
	uint32_t reclaiming;   /* FRAME_RECLAIM frames: free soon */
	uint32_t dirty_head, dirty_tail;
	struct guesses guesses;
	struct pool pools[POOL_MAX];
	uint32_t pool_end; /* pools at and above were never used */
	struct shares shares;

	/* objects */
	struct object **objects; /* by number, from 1 */
	uint32_t object_room;
	uint32_t object_free; /* search starts here */
	struct object *file_hash[FILE_HASH];
	uint32_t closing_objects;
	struct cache cache;
	struct object *boards; /* of those that have one */
	struct users users;

	/* clients */
	struct client **clients; /* by number, from 1 */
	uint32_t client_room;
	uint32_t client_generation;
	uint64_t clients_ever;
	uint32_t answered;  /* a thread of this client's was let go on in this turn */
	bool clients_ready; /* some client's ready is set */
	uint32_t leaving;   /* clients whose session has ended and whose process has not */

	/* faults */
	struct fault *faults;
	uint32_t fault_fresh; /* records at and above were never used */
	uint32_t fault_free;  /* list */
	uint32_t fault_free_count;
	struct fault_queue frozen;
	struct shortage shortage;
	struct poison_table poison;

	/* learned sets */
	struct learn learns[LEARN_MAX];
	uint64_t learns_ever;
	struct warmup *warmups; /* under way, in the order in which they began */
	uint32_t io_warmups;	/* their reads in flight */

	/* I/O */
	struct bounce bounce;
	struct io *ios;
	uint32_t io_fresh;	 /* records at and above were never used */
	uint32_t io_free;	 /* list */
	uint32_t io_writes;	 /* in flight */
	uint32_t io_file_writes; /* of those, to files */
	uint32_t io_late_writes; /* of those, of what clients that are late have */
	uint32_t io_reads;	 /* in flight, staged ones not counted */
	uint32_t io_demands;	 /* of those, that a fault has begun */
	uint32_t staged_head, staged_tail, staged_pages, staged_count;
	struct sync *syncs;
	bool sync_begun;  /* one has not been looked at yet */
	bool agents_idle; /* some have nothing to do and a record to begin with, see agent_run */
	uint32_t agent_records;	   /* that agents have, or are to have */
	uint32_t lapses;	   /* agents that are late, see lapse.h */
	uint64_t lapses_looked_ns; /* when it was last looked for others */
	uint32_t *parked;	   /* frames of their clients, in the order in which they went */
	uint32_t parked_count;	   /* may be more than there are: some have gone since */
	uint32_t truncations;	   /* requests that wait for agents, see private_truncate */
	uint64_t warned_ns;	   /* when config.warn was last called */

	/* pageout */
	uint64_t wired_pages; /* of all clients' locked ranges */
	bool desperate;	      /* wired pages may go, too */
	uint32_t *aside;      /* victims that stay, while others are picked */
	uint32_t *drop_queue;
	uint32_t drop_count;
	struct drop drop;
	struct worker worker;

	/* swap */
	struct swap swap;
	struct slot_map slots;

	struct chaos chaos;

	void *zeros; /* ZERO_PAGES pages that are never written */

	struct latency latency;
	struct access access;
	struct zap zap;
	struct record record;

	struct pager_request *drains;

	/* of clients that have gone, and daemon-wide maxima */
	struct pagerd_stats past;
	struct histogram past_latency;
	uint64_t resident_max_pages;
};

static inline struct frame *frame_get(struct pager *pager, uint32_t frame)
{
	return &pager->frames[frame];
}

static inline uint64_t ring_data(enum ring_kind kind, uint64_t value)
{
	return (uint64_t)kind << 56 | value;
}

/* A submission entry; flushes the queue if it is full. NULL only if the ring is broken. */
struct io_uring_sqe *ring_sqe(struct pager *pager);

/* Does the kernel have work for this thread that may make completions? Reads memory, no more. */
static inline bool ring_tasks(const struct pager *pager)
{
	return __atomic_load_n(pager->ring.sq.kflags, __ATOMIC_RELAXED) & IORING_SQ_TASKRUN;
}

uint64_t clock_ns(void);

/* Count number of member (of struct pagerd_stats) for object, and for the client who, or
 * where it has left for all that have. */
#define COUNT(pager, who, object, member, number)                                                  \
	do {                                                                                       \
		struct client *count_client = (who);                                               \
		uint64_t count_number = (number);                                                  \
		(count_client ? &count_client->stats : &(pager)->past)->member += count_number;    \
		(object)->stats.member += count_number;                                            \
	} while (0)

/* Tell the daemon; at most once a second. */
void pager_tell(struct pager *pager, const char *text);
/* Tell the daemon of an I/O error of an object (NULL: swap); at most one a second. */
void pager_warn(struct pager *pager, const char *what, const struct object *object, int error);

/* request.c: start a request; finish it. */
void request_start(struct pager *pager, struct pager_request *request);
void request_done(struct pager_request *request, int error);
void drain_check(struct pager *pager);
void client_reap(struct pager *pager);
/* The client's write to a file has ended, or the client has. */
void file_end(struct pager *pager, struct client *client);

/* fork.c */
int fork_start(struct pager *pager, struct pager_request *request);
int fork_finish(struct pager *pager, struct pager_request *request);
void fork_end(struct pager *pager, struct client *client);

/* prefetch.c: what to read beside a demanded page. *run: whether the fault goes on or begins the
 * run that is returned; it is followed once, however often it is handled. Where memory is new, no
 * unit comes in. */
struct stream *prefetch_stream(struct pager *pager, struct region *region, uint64_t page,
			       struct fault *fault, bool *run);
struct stream *prefetch_zeros(struct region *region, uint64_t page, struct fault *fault, bool *run);
uint32_t prefetch_window(struct pager *pager, const struct region *region,
			 const struct stream *stream);
/* Start reads of what is readable of [page, page + count), as far as memory allows. */
void prefetch_pages(struct pager *pager, struct client *client, struct object *object,
		    uint64_t page, uint64_t count);
void prefetch_ahead(struct pager *pager, struct client *client, struct region *region,
		    struct object *object, struct stream *stream);

/* snapshot.c */
struct pager_snapshot *snapshot_make(struct pager *pager, uint32_t sections, uint64_t learn);
void stats_fill(struct pager *pager, const struct client *client, struct pagerd_stats *stats);
void stats_add(struct pagerd_stats *sum, const struct pagerd_stats *stats);

/* snapshot_join.c */
/* Add the snapshot of another shard, which is freed in every case, to sum; shared: both have their
 * budget of one bank. 0, or -ENOMEM with sum as it was. */
int snapshot_join(struct pager_snapshot *sum, struct pager_snapshot *other, bool shared);
/* Add all of one client's or of all clients' that adds up: its counters, and its levels. */
void stats_join(struct pagerd_stats *sum, const struct pagerd_stats *stats);

/* invariant.c: returns the number of broken invariants, naming each on stderr. */
unsigned invariant_check(struct pager *pager);

#endif
