/* SPDX-License-Identifier: MIT */
/*
 * The interface of a replacement policy.
 *
 * A policy decides which resident pages leave. It sees pages as numbers and frames as indices
 * into an array of its own per-frame bytes; it does no I/O and knows nothing of faults. The
 * daemon and the simulator link the same objects.
 *
 * Life of a frame, as a policy sees it:
 *
 *	            page_in                     victims
 *	 (unknown) ---------> held by policy ------------> isolated
 *	     ^                   |   ^  |                    |   |
 *	     |      forget       |   |  | referenced,        |   | keep, restore
 *	     +-------------------+   |  | dirtied (stays)    |   +------> held again
 *	     |                       +--+                    |
 *	     +-----------------------------------------------+
 *	                    page_out (evicted), forget (gone for another reason)
 *
 * Isolated frames are in no list of the policy's; each comes back through exactly one of
 * page_out, keep, restore and forget. referenced and dirtied may be called on isolated frames too
 * and must then do no more than remember a bit.
 *
 * A simulator misses like this: demand, victims(1) and page_out if it is full, page_in; and a hit
 * is one referenced. The daemon asks for victims in batches, ahead of demand, and many misses
 * overlap.
 *
 * Threads: one policy instance is used by one thread at a time. Nothing here may allocate after
 * create. Numbers of frames are below the frame limit given to create.
 */
#ifndef PAGERD_POLICY_H
#define PAGERD_POLICY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Identity of a page: high 24 bits an object, low 40 bits the page's index in it. */
typedef uint64_t pagerd_page_t;

/* Of this file. A policy that was compiled with another one is not loaded. */
#define PAGERD_POLICY_VERSION 2

struct pagerd_policy; /* the instance: each policy defines its own, see struct below */

/* What a policy is told of uses that are no misses. */
enum pagerd_uses {
	PAGERD_USES_ALL = 0, /* each */
	PAGERD_USES_SOME,    /* one for all since a page was last looked at, now and then */
	PAGERD_USES_NONE,    /* no more than that a page was written for the first time */
};

struct pagerd_policy_env {
	uint32_t frame_limit;	 /* frames are numbered 0 .. frame_limit - 1 */
	uint32_t capacity_pages; /* pages that fit at the start (see resize) */
	void *frame_bytes;	 /* frame_limit * ops->frame_bytes zero bytes, lazily backed */
	const char *parameters;	 /* "decay=1000,k=2", or NULL; unknown names are refused */
	char *why;		 /* on failure: what was wrong, at most why_bytes with the zero */
	size_t why_bytes;
	enum pagerd_uses uses;
	/*
	 * What only a simulator knows; NULL in the daemon. Within page_in and referenced, and of
	 * the page that these are called for: which reference is the next to use it, counted from
	 * 0 at the start of the run; UINT64_MAX: none.
	 */
	uint64_t (*next_use)(void *context, pagerd_page_t page);
	void *next_use_context;
	uint64_t references; /* of the run, in all: next_use answers numbers below it */
	/* The policy changed its mind in a way that its user should know of: there is something to
	 * be read with ops->note, now or later. Within any call but create, so that whoever serves
	 * a fault here only remembers it. NULL: nobody wants to know. */
	void (*noted)(void *context);
	void *noted_context;
};

/* What a policy makes of references: nothing is gathered that it does not use. */
enum pagerd_references {
	PAGERD_REFERENCES_ALL = 0, /* a victim that was used meanwhile is kept, see keep */
	PAGERD_REFERENCES_TOLD,	   /* it is told of them, but its victims go, used or not */
	PAGERD_REFERENCES_NONE,	   /* they change nothing */
};

struct pagerd_policy_ops {
	/* PAGERD_POLICY_VERSION. */
	uint32_t version;
	/* Lower case, unique: what the user types. */
	const char *name;
	/* One line for --help and reports: algorithm, variant, source. */
	const char *summary;
	/* Bytes of state for each frame; env.frame_bytes is an array of these. */
	size_t frame_bytes;
	enum pagerd_references references;

	/* Make an instance. 0, -EINVAL (parameters: env->why says which) or -ENOMEM. */
	int (*create)(struct pagerd_policy **policy, const struct pagerd_policy_env *env);
	/* Free it; frames that are still held are simply forgotten. NULL is allowed. */
	void (*destroy)(struct pagerd_policy *policy);

	/* page is wanted and is not resident: it is about to come in. Before any victims that are
	 * picked to make room for it; for policies whose choice depends on what comes. page_in may
	 * come without it (read ahead, or taken over from another policy), it may come twice, and
	 * the page may stay out after all. May be NULL. */
	void (*demand)(struct pagerd_policy *policy, pagerd_page_t page);
	/* page is now resident in frame. prefetched: nobody asked for it yet; the first referenced
	 * is then the use that it was fetched for. */
	void (*page_in)(struct pagerd_policy *policy, uint32_t frame, pagerd_page_t page,
			int prefetched);
	/* frame was used (as far as the daemon's source of access information can tell). */
	void (*referenced)(struct pagerd_policy *policy, uint32_t frame);
	/* The page differs from its file or slot from now on. That is no use: where it was one,
	 * referenced is called as well; but not for the write that the page came in for. May be
	 * NULL. */
	void (*dirtied)(struct pagerd_policy *policy, uint32_t frame);
	/* Pick up to count victims, best first, into frames; they are isolated. Returns how many.
	 */
	uint32_t (*victims)(struct pagerd_policy *policy, uint32_t *frames, uint32_t count);
	/* An isolated frame was used meanwhile: hold it again, as a frame that was just used. */
	void (*keep)(struct pagerd_policy *policy, uint32_t frame);
	/* An isolated frame cannot leave yet (it has only just come, or cannot be written): hold it
	 * again where it was, as the next victim. Called for the last victim first, so that the
	 * order is as if none of them had been picked. */
	void (*restore)(struct pagerd_policy *policy, uint32_t frame);
	/* The page of an isolated frame was evicted: the frame is free (a ghost may remain). */
	void (*page_out)(struct pagerd_policy *policy, uint32_t frame);
	/* The page is gone for another reason (unmapped, discarded): held or isolated frame. */
	void (*forget)(struct pagerd_policy *policy, uint32_t frame);
	/* The user advised that frame will not be needed soon: make it the next victim if the
	 * policy has an order; may be NULL. Held frames only. */
	void (*cold)(struct pagerd_policy *policy, uint32_t frame);
	/* The capacity changed; may be NULL. */
	void (*resize)(struct pagerd_policy *policy, uint32_t capacity_pages);
	/* Frames that are held (not isolated), for the invariant checker. */
	uint32_t (*held)(const struct pagerd_policy *policy);
	/* Pages that are not resident and that it remembers now; may be NULL: none. */
	uint64_t (*ghosts)(const struct pagerd_policy *policy);
	/* Bytes that it uses now beyond frame_bytes for each held frame; may be NULL: next to
	 * none. */
	uint64_t (*metadata_bytes)(const struct pagerd_policy *policy);
	/* The policy that it follows at present, of those that it chooses among; NULL: it does not
	 * choose. */
	const char *(*current)(const struct pagerd_policy *policy);
	/* A line of text, without its end, about the oldest thing that it noted (env.noted) and
	 * that was not read yet, at most bytes with the zero. False: there is none. May be NULL. */
	bool (*note)(struct pagerd_policy *policy, char *text, size_t bytes);
};

/* All policies linked in or loaded, NULL-terminated. */
extern const struct pagerd_policy_ops *pagerd_policies[];

/* Find by the name part of "name:parameters" and point *parameters behind the colon (or set it
 * to NULL). NULL if there is no such policy. */
const struct pagerd_policy_ops *pagerd_policy_find(const char *spec, const char **parameters);

/*
 * Load a policy of the user's own: a shared object that defines
 *
 *	const struct pagerd_policy_ops pagerd_policy = { .version = PAGERD_POLICY_VERSION, ... };
 *
 * and add it to pagerd_policies, for good. Its code runs with all rights of the process, so the
 * path must come from whoever started that, and not from a client. At the start, before there are
 * threads. 0, or -EINVAL, -EEXIST (the name is taken), -ENOSPC (too many) with a sentence in why.
 */
int pagerd_policy_load(const char *path, char *why, size_t why_bytes);

#endif
