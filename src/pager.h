/* SPDX-License-Identifier: MIT */
/*
 * The pager, as the daemon sees it: one thread that owns all its objects, regions and frames, and a
 * mailbox of requests to it.
 *
 * A daemon may have several, its shards, among which its objects are divided. Each knows all of the
 * clients, by the same numbers; nothing is shared by them but the budgets (bank.h).
 *
 * Life: pager_create, then a thread that calls pager_run, pager_post from any thread, at last a
 * PAGER_STOP request, after which pager_run returns, and pager_destroy.
 */
#ifndef PAGERD_PAGER_H
#define PAGERD_PAGER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "pagerd/pagerd.h"
#include "pagerd/protocol.h"

enum {
	PAGE_SHIFT = 12,
	PAGE_BYTES = 1 << PAGE_SHIFT,
};

struct bank;
struct histogram;
struct pager;

struct pager_config {
	uint32_t shard, shards;	     /* which one of how many it is; shards 0: the only one */
	struct bank *bank;	     /* the budget that the shards share; NULL: it is its own */
	struct bank *swap_bank;	     /* the same of swap_limit_bytes */
	uint64_t budget_bytes;	     /* resident pages of everybody together */
	const char *policy;	     /* "lru", "lfu:decay=…"; copied */
	int swap_dir_fd;	     /* O_PATH or O_RDONLY directory for the swap file; -1: none */
	uint64_t swap_limit_bytes;   /* at least PAGER_SWAP_MIN_BYTES; 0: what the disk gives */
	uint32_t writeback_age_ms;   /* dirty pages of files older than this are written; 0: off */
	uint32_t unit;		     /* of paging, pages; UINT32_MAX: found out; 0: one page */
	uint32_t prefetch_max_pages; /* longest window; 0: no prefetch at all */
	/* One page leaves when a fault waits for its frame, and none before: the policy chooses
	 * when it knows all, as in a simulator, and the fault waits for the write. Nothing is lent
	 * beyond the budget either (see shortage.h). */
	bool reclaim_on_demand;
	uint32_t user_descriptors; /* of one user's objects, see user.h; 0: no limit */
	int latency_fd;		   /* /dev/cpu_dma_latency, open for writing, or -1 */
	int low_latency;	   /* 0 off, 1 on (held always), 2 auto (while events come fast) */
	void (*warn)(const char *text); /* told of I/O errors, at most one a second; or NULL */
	uint32_t access_looks;		/* see access.h: from access_parse; 0: faults only */
	int record_fd;			/* see record.h: a trace is written to it */
	uint32_t record_window;		/* pages; 0: nothing is recorded */
	void (*note)(const char *text); /* told of what a policy decided for itself; or NULL */
	bool chaos;			/* see chaos.h */
	uint64_t chaos_seed;
	bool check; /* run the invariant checker often (slow) */
};

/* The longest "name:parameters" of a policy, with the zero. */
#define PAGER_POLICY_BYTES 96
/* Smallest budget that pager_create and PAGER_SET accept; of a bank, for each of the shards. */
#define PAGER_BUDGET_MIN_BYTES PAGERD_MEMORY_MIN
#define PAGER_SWAP_MIN_BYTES   (1ull << 20) /* swap is allotted in such units */

/* Make a pager. On failure returns -errno and writes a sentence for the user into why (at most
 * why_bytes with the zero): -EINVAL (budget, policy), -ENOSPC, -EROFS, -EACCES (swap), -ENOMEM,
 * -EPERM or -ENOSYS (io_uring). Descriptors in config stay the caller's and must outlive it. */
int pager_create(struct pager **pager, const struct pager_config *config, char *why,
		 size_t why_bytes);

/* Keep this filter (pagerd/protocol.h), which several pagers may share, from now on. Before
 * pager_run; it must outlive the pager. */
void pager_show_files(struct pager *pager, struct pagerd_filter *filter);

/* Serve until a PAGER_STOP request is done. Call from the thread that is to own the pager.
 * Returns 0, or -errno when the ring itself failed. */
int pager_run(struct pager *pager);

/* Free everything. pager_run must have returned. NULL is allowed. */
void pager_destroy(struct pager *pager);

/* ---- requests ---------------------------------------------------------------------------- */

enum pager_request_type {
	PAGER_CLIENT_ADD,    /* in: fd (userfaultfd or -1), pid, uid, name, client (the number that
				it is to have, which nobody has; 0: a free one); out: client */
	PAGER_CLIENT_UFFD,   /* in: client, fd, pid: give a client that has none its userfaultfd */
	PAGER_CLIENT_REMOVE, /* in: client, whose session ended. Done when its process has ended too
				(or uses none of our memory): faults are served until then */
	PAGER_CLIENT_LEAVE,  /* in: client, whose session ended, and which is about to be removed:
				what holds others up, a fork or a write, ends; if its process has
				ended, it is removed */
	PAGER_MAP,	     /* in: client, kind, writable, length, offset, fd (file, or -1);
				out: object, offset, read_only, fd (memfd to pass and close).
				Keeps the object alive until the client's next MAP or OPEN */
	PAGER_LET_GO,	     /* in: client: what a MAP or OPEN holds for it is let go */
	PAGER_OPEN,	     /* in: client, address, length; out: as PAGER_MAP */
	PAGER_REGISTER,	     /* in: client, address, length, object, offset */
	PAGER_UNMAP,	     /* in: client, address, length */
	PAGER_SYNC,	     /* in: client, address, length, flags (MS_*, PAGERD_SYNC_WRITTEN) */
	PAGER_DISCARD,	     /* in: client, address, length */
	PAGER_ADVISE,	     /* in: client, address, length, flags (MADV_*) */
	PAGER_WIRE,	     /* in: client, address, length, flags (1: locked, 0: not) */
	PAGER_FILE_BEGIN,    /* in: client, fd (file), offset, length (0: to the end), flags
				(PAGERD_FILE_WRITE): the range is written back; for a write,
				writers through mappings wait until PAGER_FILE_END */
	PAGER_FILE_END,	     /* in: client, offset, length: mappings show the file's contents */
	PAGER_FILE_CUT,	     /* in: fd (file, be it with O_PATH), offset, flags (PAGERD_CUT_DONE):
				what is behind offset is written back, for the file is about to be
				cut off there; or it has been: mappings end where the file does.
				-ENOENT: nobody maps it; -EAGAIN: somebody writes it by himself */
	PAGER_BOARD,	     /* in: client, fd (file), flags (PAGERD_BOARD_PAGES); out: fd (to pass
				and close), object, offset (of the reply) */
	PAGER_AGENT,	     /* in: client, fd (socket of its agent); out: fd (window, to pass and
				close) */
	PAGER_PAGEMAP,	     /* in: client, fd (its /proc/PID/pagemap) */
	PAGER_FORK,	     /* in: client, child (a client just added, without userfaultfd) */
	PAGER_FORK_END,	     /* in: client */
	PAGER_STATS,	     /* in: client; out: stats. With latency (not NULL), both are added
				to what is there, and stats_latency is left to the caller */
	PAGER_SET,	     /* in: client (0: the daemon), length (0: unchanged, else budget or
				limit in bytes; UINT64_MAX: no limit), text (policy or NULL), unit
				(pages, or UNIT_AUTO; 0: unchanged), flags (SET_*), learn (of a
				client: to take part in; or 0), bank (of a client whose limit
				several shards share: its account there, instead of one that it
				may have elsewhere, is the limit; length says that there is one);
				out: why. The budget of a bank is changed by bank_set alone:
				length is only checked then */
	PAGER_SET_OBJECT,    /* the same for an object, on behalf of uid: the one mapped at address
				in client; if client is 0, the file that fd is open on, be it with
				O_PATH; if fd is -1, object */
	PAGER_LEARN,	   /* in: uid, flags (PAGERD_LEARN_RECORD); out: learn. -EUSERS: too many */
	PAGER_LEARN_PAGES, /* in: learn, device, inode, ranges, length (their number): pages that
			      are wanted, after those that were named before; -EINVAL, -ENOSPC,
			      -ENOMEM */
	PAGER_LEARN_END,   /* in: learn */
	PAGER_SNAPSHOT,	   /* in: flags (SNAPSHOT_*), learn (for its section), snapshot (of another
			      shard, to be added to; or NULL); out: snapshot (free with snapshot_free;
			      on failure as it was) */
	PAGER_DRAIN,  /* done when nothing unwritten is left of clients that have gone; files that
			 nobody maps are let go */
	PAGER_LISTEN, /* in: fd (a socket, which must stay open). Done when there is something to
			 read, or the other end has gone */
	PAGER_WATCH,  /* done when a policy has broken its contract, which others are not told of:
			 the pager goes on, but evicts no more of what that policy had, and is to
			 be stopped; out: why, which names it. Else never done. One at a time */
	PAGER_CHECK,  /* run the invariant checker; error -EUCLEAN if it found something */
	PAGER_STOP,   /* write what is unwritten to its files, take from clients what they cannot
			 reach   any more (SIGBUS), then end pager_run */
};

#define SET_CHECK   1u /* change nothing, only say what is wrong with length and text */
#define SET_DEFAULT 2u /* as if nothing had ever been set for it */

#define SNAPSHOT_CLIENTS 1u
#define SNAPSHOT_OBJECTS 2u
#define SNAPSHOT_REGIONS 4u
#define SNAPSHOT_LEARNED 8u

/*
 * One request. The caller owns the storage, which must live until done is called; done runs on
 * the pager's thread and must not block (typically: put the request on a queue and wake the main
 * thread). A request that needs I/O is done when that has finished. Descriptors handed in (fd)
 * become the pager's in every case, also on error. text and ranges must live as long as the
 * request.
 */
struct pager_request {
	enum pager_request_type type;
	int error; /* out: 0 or -errno */
	void (*done)(struct pager_request *request);
	void *owner; /* the caller's, for done */

	uint32_t client;
	uint32_t child;
	int fd;
	uint32_t pid;
	uint32_t uid;
	uint32_t kind;
	uint32_t flags;
	uint32_t unit;
	bool writable;
	bool read_only;
	bool nothing; /* out, of SYNC, DISCARD and ADVISE: -ENOMEM is that there is no memory */
	uint64_t address;
	uint64_t length;
	uint64_t object;
	uint64_t offset;
	uint64_t learn;
	uint64_t device;
	uint64_t inode;
	const struct pagerd_pages *ranges;
	const char *text;
	char name[20];
	char why[160];
	struct pagerd_stats stats;
	struct histogram *latency;
	struct pager_snapshot *snapshot;
	struct bank *bank;

	/* the pager's own */
	struct pager_request *next;
	uint64_t pending;
	bool again; /* to be started again when nothing is pending */
};

/* Hand a request over; any thread. Requests are started in the order posted. */
void pager_post(struct pager *pager, struct pager_request *request);
/* Start a request at once; on the pager's thread, that is, from a done. */
void pager_begin(struct pager *pager, struct pager_request *request);

/* ---- snapshot ---------------------------------------------------------------------------- */

/* What several shards say of one is added up: resident_max_pages is then a bound, which need not
 * have been reached, for their maxima are of different times. */
struct client_info {
	uint32_t client;
	uint32_t pid;
	uint32_t uid;
	char name[20];
	char policy[PAGER_POLICY_BYTES]; /* of its own pool, or empty */
	uint32_t unit;			 /* of its own, pages; or 0 */
	bool late;			 /* its agent does not answer: it is stopped, say */
	struct pagerd_stats stats;
	struct histogram *latency; /* that stats are of; where there is one shard, NULL */
};

struct object_info {
	uint64_t object;
	uint32_t kind; /* enum pagerd_kind */
	uint32_t uid;  /* who may set something for it, besides root */
	uint32_t regions;
	uint64_t device;
	uint64_t inode;
	uint64_t size_pages;
	char policy[PAGER_POLICY_BYTES]; /* of its own pool, or empty */
	uint32_t unit;			 /* of its own, pages; or 0 */
	struct pagerd_stats stats;
};

struct region_info {
	uint32_t client;
	uint32_t kind;
	uint64_t address;
	uint64_t length_bytes;
	uint64_t object;
	uint64_t offset_bytes;
	uint64_t device;
	uint64_t inode;
	uint64_t resident_pages;
	uint64_t dirty_pages;
	uint64_t swap_pages;
	uint64_t private_pages;		 /* resident in the client, not in an object */
	uint64_t wired_pages;		 /* resident, and locked */
	uint64_t limit_pages;		 /* of the object, 0: none of its own */
	char policy[PAGER_POLICY_BYTES]; /* of the object's own pool, or empty */
	uint32_t unit;			 /* pages, at present */
	bool read_only;
};

/* The pages of a file that were touched. */
struct learned_info {
	uint64_t device;
	uint64_t inode;
	char *path;
	size_t range_count;
	struct pagerd_pages *ranges;
};

/* Sections that were not asked for are NULL with count 0. */
struct pager_snapshot {
	char policy[PAGER_POLICY_BYTES];
	uint32_t unit; /* pages, or UNIT_AUTO */
	uint64_t budget_pages;
	uint64_t used_pages;
	uint64_t swap_limit_pages; /* 0: none but the file system's */
	uint64_t ghosts;	   /* pages that policies remember, and are not resident */
	uint64_t policy_bytes;	   /* that policies use now */
	uint64_t sessions_ever;
	bool latency_held;
	bool access_auto;
	uint32_t access_looks;	   /* see access_describe */
	uint32_t access_shards;	   /* that this is of */
	uint32_t access_idle;	   /* those that do not look now */
	struct pagerd_stats total; /* since the daemon started, gone clients included */
	struct histogram *latency; /* the total's; where there is one shard, NULL */
	size_t client_count;
	struct client_info *clients;
	size_t object_count;
	struct object_info *objects;
	size_t region_count;
	struct region_info *regions;
	size_t learned_count;
	struct learned_info *learned;
};
void snapshot_free(struct pager_snapshot *snapshot);
/* What stats say of latency, from the histogram (histogram.h). */
void stats_latency(struct pagerd_stats *stats, const struct histogram *histogram);

/* ---- probing ----------------------------------------------------------------------------- */

/* What pagerd --check reports about a feature. */
struct pager_probe {
	const char *name; /* "userfaultfd: write protection of shared memory" */
	bool present;
	bool required;
	char detail[200]; /* what was found; if absent, how to grant it */
};
/* Probe kernel and permissions; writes up to max entries, returns how many. device_fd is
 * /dev/userfaultfd or -1. Harmless, may be called before pager_create. */
size_t pager_probe(int device_fd, struct pager_probe *probes, size_t max);

#endif
