/* SPDX-License-Identifier: MIT */
/*
 * The wire protocol between a client and pagerd.
 *
 * A client connects to the daemon's Unix socket (SOCK_SEQPACKET) and sends one request per
 * packet; the daemon answers each with one reply, in order (a report comes in several packets).
 * Every packet begins with struct pagerd_header. Integers have the machine's byte order: both
 * ends run on one kernel. A packet whose size, version or type is wrong ends the session.
 *
 * A session that pages goes through: HELLO (reply carries an open /dev/userfaultfd where the
 * daemon has one) -> UFFD (the client's new userfaultfd; the daemon performs UFFDIO_API) ->
 * MAP, mmap(2) of the received memfd, REGISTER, ... -> close. A control session sends HELLO and
 * then REPORT, SET, DRAIN or FILE_CUT.
 *
 * One request at a time: a session must have read the reply before it sends the next request.
 */
#ifndef PAGERD_PROTOCOL_H
#define PAGERD_PROTOCOL_H

#include <stdint.h>

#define PAGERD_MAGIC	  0x64726770u /* "pgrd" */
#define PAGERD_VERSION	  2
#define PAGERD_PACKET_MAX 4096	  /* bytes; no packet is larger */
#define PAGERD_REPLY	  0x8000u /* set in the type of every reply */

/* The least memory of a daemon, and the lowest limit of a client, in bytes. */
#define PAGERD_MEMORY_MIN (256ull << 10)

enum pagerd_type {
	PAGERD_HELLO = 1,
	PAGERD_UFFD = 2,
	PAGERD_MAP = 3,
	PAGERD_REGISTER = 4,
	PAGERD_UNMAP = 5,
	PAGERD_OPEN = 6,
	PAGERD_SYNC = 7,
	PAGERD_DISCARD = 8,
	PAGERD_ADVISE = 9,
	PAGERD_FORK = 10,
	PAGERD_FORK_END = 11,
	PAGERD_STATS = 12,
	PAGERD_SET = 13,
	PAGERD_REPORT = 14,
	PAGERD_DRAIN = 15,
	PAGERD_FILE_BEGIN = 16,
	PAGERD_FILE_END = 17,
	PAGERD_AGENT = 18,
	PAGERD_WIRE = 19,
	PAGERD_PAGEMAP = 20,
	PAGERD_LEARN = 21,
	PAGERD_LEARN_PAGES = 22,
	PAGERD_BOARD = 23,
	PAGERD_FILE_CUT = 24,
};

struct pagerd_header {
	uint32_t magic;	  /* PAGERD_MAGIC */
	uint16_t version; /* PAGERD_VERSION */
	uint16_t type;	  /* enum pagerd_type; PAGERD_REPLY is set in a reply */
	uint32_t size;	  /* bytes of the whole packet, this header included */
	int32_t error;	  /* replies: 0 or -errno; requests: 0 */
};
/* A request whose descriptor did not arrive, as the daemon has no number left for it, gets -EMFILE;
 * FILE_BEGIN and FILE_CUT get -EAGAIN. */

/* HELLO. The reply carries one descriptor, /dev/userfaultfd, if PAGERD_HELLO_DEVICE is set in
 * its flags; without it the client tries userfaultfd(2) itself. A daemon that has no room for one
 * more session answers with a header alone, -EUSERS, before or after it was asked. */
#define PAGERD_HELLO_DEVICE  1u
#define PAGERD_HELLO_HARVEST 2u
#define PAGERD_HELLO_SERVED  4u /* files of servers (FUSE, NFS, ...) are paged, too */
struct pagerd_hello {
	struct pagerd_header h;
	uint32_t flags;
	char name[20]; /* the program's name, for reports; zero-terminated */
};
struct pagerd_hello_reply {
	struct pagerd_header h;
	uint32_t flags;
	uint32_t page_bytes;
	uint32_t daemon_pid;
	uint32_t shards; /* see UFFD; 0 is 1 */
};

/*
 * UFFD: carries one descriptor, a userfaultfd of the sending process, made with O_CLOEXEC |
 * O_NONBLOCK and not yet given UFFDIO_API. The body is struct pagerd_shard, or for shard 0 the
 * header alone; the reply's is the header alone. In the child of a FORK this adopts the regions
 * that were cloned for it.
 *
 * The daemon's objects are divided among its shards, each of which is served by a thread of its
 * own, and has a userfaultfd (and where it is needed an agent) of each client's to itself. The
 * first UFFD, of whichever shard, makes the session a client; those of the other shards are to be
 * sent before anything is registered there.
 */
#define PAGERD_SHARDS_MAX 64u
struct pagerd_shard {
	struct pagerd_header h;
	uint32_t shard;
	uint32_t reserved;
};

/* MAP: find or make an object. */
enum pagerd_kind {
	PAGERD_FILE_SHARED = 1,	 /* carries one descriptor: a regular file. -ENODEV: it is none, or
				    may be one of a server, without PAGERD_HELLO_SERVED */
	PAGERD_ANON_SHARED = 2,	 /* MAP_SHARED|MAP_ANONYMOUS: children of fork share it */
	PAGERD_ANON_PRIVATE = 3, /* MAP_PRIVATE|MAP_ANONYMOUS: a child of fork gets a copy */
	PAGERD_FILE_PRIVATE = 4, /* MAP_PRIVATE of a regular file, whose descriptor it carries.
				    AGENT comes before its REGISTER */
	PAGERD_ANON_FORKED = 5,	 /* never in MAP: what ANON_PRIVATE is in a child of fork. As
				    FILE_PRIVATE memory, of the parent's instead of a file */
};
struct pagerd_map {
	struct pagerd_header h;
	uint32_t kind;	       /* enum pagerd_kind */
	uint32_t writable;     /* 1: a mapping that may become writable is wanted */
	uint64_t length_bytes; /* of the mapping; rounded up to pages by the daemon */
	uint64_t offset_bytes; /* into the file; a multiple of the page size; 0 for anonymous */
};
/* Reply to MAP and OPEN; carries one descriptor, the object's memfd. If read_only is 1, that
 * descriptor is open for reading only and the client must map it MAP_PRIVATE with PROT_READ
 * (and never make it writable); a FILE_PRIVATE or ANON_FORKED object's, which is the file's or the
 * parent's and open for reading only, MAP_PRIVATE with any protection; otherwise MAP_SHARED with
 * any. The client maps length_bytes at offset_bytes of the memfd. */
struct pagerd_map_reply {
	struct pagerd_header h;
	uint32_t read_only;
	uint32_t shard;	       /* where the object is */
	uint64_t object;       /* the object's number, for REGISTER */
	uint64_t offset_bytes; /* into the memfd */
};

/* REGISTER: the client has mapped the memfd of an object (from MAP or OPEN on this session) at
 * [address, address + length); the daemon registers it and pages it from the reply on. Until
 * the reply nobody may touch it. An older region in that range is forgotten.
 * In the child of a FORK, object 0 means: the region that was cloned for this address. -EPROTO:
 * FILE_PRIVATE memory, of a client without AGENT. */
struct pagerd_register {
	struct pagerd_header h;
	uint64_t address;
	uint64_t length_bytes;
	uint64_t object;
	uint64_t offset_bytes; /* into the memfd */
};

/* UNMAP, SYNC, DISCARD, ADVISE, WIRE: a range of the client, page-aligned. Ranges without regions
 * in between are skipped. UNMAP: unregister and forget; the reply comes when the changed pages of
 * shared files in the range are in the file. The client calls munmap(2) after the reply. SYNC:
 * flags as of msync(2), or PAGERD_SYNC_WRITTEN: the reply comes as UNMAP's. DISCARD: the contents
 * of private anonymous memory become zeros (MADV_DONTNEED); for shared memory the object's pages
 * are freed (MADV_REMOVE, anonymous only). ADVISE: advice as of madvise(2): MADV_NORMAL, RANDOM,
 * SEQUENTIAL, WILLNEED, COLD, PAGEOUT. WIRE: flags 1: the range is locked (mlock(2)), its pages are
 * to stay, as far as half of what there is allows; 0: it is not. */
#define PAGERD_SYNC_WRITTEN 8u
struct pagerd_range {
	struct pagerd_header h;
	uint64_t address;
	uint64_t length_bytes;
	uint32_t flags;
	uint32_t reserved;
};

/*
 * FILE_BEGIN and FILE_END go around a system call on a file that may be mapped: the body is struct
 * pagerd_range, with address the byte in the file and length_bytes 0 for "to the end".
 * FILE_BEGIN carries the file's descriptor; the reply comes when what was changed through mappings
 * in that range is in the file (-ENOENT: nobody maps the file; there is no FILE_END then; -EAGAIN:
 * somebody is writing it by himself, see BOARD, or see above: try again; also of a FILE_END that
 * comes too late). With flags 1 the call is going to change the file: writers through mappings wait
 * until FILE_END, which carries the same range and makes the mappings show the file's contents.
 */
#define PAGERD_FILE_WRITE 1u
/* In FILE_END: what was behind address lies elsewhere now (fallocate(2), FALLOC_FL_COLLAPSE_RANGE
 * and its like); the kernel then forgets private copies of pages from there on. */
#define PAGERD_FILE_SHIFTED 2u

/*
 * FILE_CUT goes before and after a call by which the sender, which need not page anything nor map
 * the file, makes a file shorter. The body is struct pagerd_range; it carries a descriptor of the
 * file, open in any way. Before, with flags 0 and address the length that the file is to have: the
 * reply comes when nothing of what is behind that is on its way to the file any more, which would
 * make it longer again (-ENOENT: nobody maps the file; there is no need for the other one then).
 * After, with PAGERD_CUT_DONE: as of the reply the mappings end where the file does, and private
 * copies of pages behind that are gone, but for those of clients that do not answer; pages before
 * it are there, if it is longer now. It goes by what is found, whatever the sender says. -EAGAIN:
 * as of FILE_BEGIN.
 */
#define PAGERD_CUT_DONE 1u

/*
 * BOARD: what is known about a file's pages, to be read without asking, so that a call on the file
 * can do without FILE_BEGIN and FILE_END. The body is struct pagerd_range, of which flags alone
 * counts; it carries the file's descriptor. The reply is that of MAP, with one descriptor: of the
 * board, for reading only; or with PAGERD_BOARD_PAGES in flags, if the sender may write the pages
 * of a mapping of the file, or of one that it might make with that descriptor, of the object's
 * memfd, for writing, with the lock's place in it (offset_bytes) and the number that the sender is
 * to lock it with (object). -ENOENT: nobody maps the file.
 *
 * The board has struct pagerd_board at 0, at PAGERD_BOARD_ARMED one bit for each chunk of
 * PAGERD_CHUNK_PAGES pages, without which all its pages are absent and their entries not to be
 * looked at, and at PAGERD_BOARD_ENTRIES one entry for each page.
 *
 * Reading needs nothing more if (looked at in this order) PAGERD_BOARD_STORES is not set, no page
 * of the range is dirty, and none of the file is being written. To write, in that order: lock; name
 * the pages; see that the board is neither closed nor held, and that the range could be read;
 * write(2); write what was written into the memfd where a page is resident; unlock; if then waiting
 * is set, or a page was in transit (the lock is kept until FILE_BEGIN is answered), FILE_BEGIN and
 * FILE_END. See src/board.h.
 */
#define PAGERD_BOARD_PAGES   1u
#define PAGERD_BOARD_ARMED   4096u
#define PAGERD_BOARD_ENTRIES (4096u + (1u << 20))
#define PAGERD_CHUNK_PAGES   512u
#define PAGERD_ENTRY_STATE   3u
#define PAGERD_ENTRY_ABSENT  0u
#define PAGERD_ENTRY_PRESENT 1u
#define PAGERD_ENTRY_DIRTY   4u
#define PAGERD_BOARD_STORES  1u /* pages may be becoming dirty */
#define PAGERD_BOARD_MOVES   2u /* pages may be leaving, or somebody has called FILE_BEGIN */
struct pagerd_board {
	uint32_t closed;   /* the file's pages have gone: ask for another board */
	uint32_t held;	   /* PAGERD_BOARD_STORES, PAGERD_BOARD_MOVES, or both, for a moment */
	uint32_t waiting;  /* for the lock */
	uint32_t poisoned; /* there may be mappings beyond the file's end that fail */
	uint64_t pages;	   /* entries; there is nothing behind them */
	uint64_t dirty;	   /* how many pages are */
	int64_t writing;   /* how many are on their way to the file */
};
/* The sender's number in the low half, another number each time in the high one; 0: free. */
#define PAGERD_FILE_LOCK_PAGES 256u /* a call names no more */
struct pagerd_file_lock {
	uint64_t owner;
	uint64_t page;
	uint64_t count;
};

/*
 * The filter: a file beside the socket, of its name with PAGERD_FILTER_SUFFIX, for reading. Who
 * makes calls on files that others may map, or may have stored into (FILE_BEGIN), finds out here
 * that it is not so, without asking. It is there before the reply to who maps the file, until
 * nobody maps it and all is written. One that is not there, or is another user's than the socket,
 * tells nothing.
 *
 * A counting filter with one hash (Fan, Cao, Almeida and Broder, "Summary cache", 1998). The low
 * half of a word counts files; the high one how many there have ever been, so that who was told
 * -ENOENT need not ask again while the word stays the same.
 */
#define PAGERD_FILTER_SUFFIX ".files"
#define PAGERD_FILTER_WORDS  16384u
#define PAGERD_FILTER_ONE    (1ull << 32 | 1)
struct pagerd_filter {
	uint64_t files; /* a word for all of them; 0 when the daemon has ended */
	uint64_t reserved[7];
	uint64_t words[PAGERD_FILTER_WORDS];
};
/* The word of the file with that st_dev and st_ino. */
static inline uint32_t pagerd_filter_word(uint64_t device, uint64_t inode)
{
	uint64_t mixed = (inode ^ device << 32 ^ device >> 32) * 0x9e3779b97f4a7c15ull;
	return (uint32_t)((mixed ^ mixed >> 29) * 0xbf58476d1ce4e5b9ull >> 32) %
	       PAGERD_FILTER_WORDS;
}

/*
 * AGENT: the reply, a header alone, carries two descriptors. First a socket, on which the daemon
 * speaks to the sender's agent: a thread of the client that does what the daemon cannot do to the
 * private pages of FILE_PRIVATE and ANON_FORKED memory, which are the client's. Then the window: a
 * memfd of PAGERD_WINDOW_PAGES. Once a session and shard, and again when the sender has closed the
 * socket. The body is as that of UFFD.
 *
 * The daemon sends one struct pagerd_command at a time, with as many ranges as count says, of
 * PAGERD_COMMAND_PAGES pages together at most; the agent answers with struct pagerd_answer.
 * SAVE: write the pages, PAGERD_WINDOW_PAGES at most, one after the other, to the window from its
 *   begin on; pages counts those before the first that could not be written.
 * ZAP: forget the pages (madvise(2), MADV_DONTNEED); pages counts those before the first range that
 *   could not be forgotten.
 */
#define PAGERD_WINDOW_PAGES  64u
#define PAGERD_COMMAND_PAGES 512u
enum pagerd_command_type {
	PAGERD_SAVE = 1,
	PAGERD_ZAP = 2,
};
struct pagerd_command_range {
	uint64_t address;
	uint64_t length_bytes;
};
struct pagerd_command {
	uint32_t type; /* enum pagerd_command_type */
	uint32_t count;
	uint64_t sequence;
	struct pagerd_command_range ranges[PAGERD_COMMAND_PAGES];
};
struct pagerd_answer {
	uint64_t sequence; /* the command's */
	uint64_t pages;
};

/* PAGEMAP: carries one descriptor, the sender's /proc/self/pagemap, with which the daemon sees what
 * is mapped. Where the reply to HELLO has PAGERD_HELLO_HARVEST in its flags, clients are asked to
 * send AGENT and this, and their agents are then told to ZAP pages of shared mappings, too. Once a
 * session and shard. The body is as that of UFFD; the reply's is the header alone. */

/* OPEN: the memfd of the object that is mapped at address, once more, to map it again elsewhere
 * or longer (mremap). An anonymous object grows to hold length_bytes from that address on.
 * Reply: struct pagerd_map_reply; offset_bytes is the place of address in the memfd.
 * In the child of a FORK, between UFFD and REGISTER, it gives the cloned object's memfd. */
struct pagerd_open {
	struct pagerd_header h;
	uint64_t address;
	uint64_t length_bytes;
};

/* FORK: the daemon freezes the sender's private memory, saves and clones it, and replies, with one
 * descriptor: a socket, on which the child will speak as a session of its own. The sender forks,
 * then sends FORK_END (in the parent, also when the fork failed), which lets its other threads
 * write again. The child sends HELLO and UFFD on its socket, then, for each inherited region, maps
 * (private: OPEN, mmap with MAP_FIXED over it; shared: as inherited) and REGISTERs it with object
 * 0. A child that closes the socket instead gives its clones up. FORK and FORK_END have the header
 * alone as body. */

/* STATS: the sender's own. The request's body is the header alone. */
struct pagerd_stats_reply {
	struct pagerd_header h;
	uint32_t reserved[2];
	uint64_t value[64]; /* struct pagerd_stats of <pagerd/pagerd.h>, as it is */
};

/*
 * SET: "memory=128M policy=lru unit=64K" for the client pid (every session of that process), or for
 * the daemon if pid is 0. An object is named by one more word, "object=7" (pid 0) or
 * "address=7f01..." (hexadecimal, in pid), or as the file of a descriptor, open in any way, that
 * comes along (pid 0). "learn=NUMBER" has the client pid take part in a LEARN. "default" alone
 * takes back what was set; "check" changes nothing. The reply is a text (PAGERD_REPORT's packet):
 * empty, or what was wrong; -ENOENT: no such object, or not the sender's; -ESRCH: no such client,
 * or not the sender's.
 */
#define PAGERD_SET_SELF UINT32_MAX /* pid: the sending session alone, which pages */
struct pagerd_set {
	struct pagerd_header h;
	uint32_t pid;
	uint32_t reserved;
	char text[256]; /* zero-terminated */
};

/*
 * LEARN: once a session. Clients of the sender's user that take part ("learn=NUMBER" in SET) have
 * the pages of files that they touch recorded, if flags has PAGERD_LEARN_RECORD, until the session
 * ends; PAGERD_REPORT_LEARNED reports them. LEARN_PAGES names pages of a file that they are
 * expected to touch, in ascending order over all packets: these are read in ahead when one of them
 * maps the file, as far as memory is free. Its reply is the header alone: -EINVAL, -ENOSPC (too
 * many).
 */
#define PAGERD_LEARN_RECORD 1u
struct pagerd_learn {
	struct pagerd_header h;
	uint32_t flags;
	uint32_t reserved;
};
struct pagerd_learn_reply {
	struct pagerd_header h;
	uint64_t number;
};
struct pagerd_pages {
	uint64_t page;
	uint64_t count;
};
#define PAGERD_LEARN_RANGES 250u
struct pagerd_learn_pages {
	struct pagerd_header h;
	uint64_t device;
	uint64_t inode;
	uint32_t count;
	uint32_t reserved;
	struct pagerd_pages ranges[PAGERD_LEARN_RANGES];
};

/* REPORT: the reply is a text in one or more packets of struct pagerd_text; more is 0 in the
 * last one. */
enum pagerd_report_kind {
	PAGERD_REPORT_STATUS = 1,
	PAGERD_REPORT_STAT = 2,
	PAGERD_REPORT_MAPS = 3,
	PAGERD_REPORT_LEARNED =
		5,		  /* of the sender's LEARN: a line "file DEVICE INODE PATH" (with \\
				     and what cannot be printed as \\ooo), then lines "PAGE COUNT" */
	PAGERD_REPORT_RUSAGE = 4, /* what pagerctl run --verbose prints: all clients ever, summed */
};
struct pagerd_report {
	struct pagerd_header h;
	uint32_t kind;
	uint32_t pid;  /* 0: the daemon, everybody that the asker may see */
	uint32_t json; /* 1: as JSON */
	uint32_t reserved;
};
#define PAGERD_TEXT_MAX (PAGERD_PACKET_MAX - sizeof(struct pagerd_header) - 8)
struct pagerd_text {
	struct pagerd_header h;
	uint32_t more;
	uint32_t length; /* bytes of text in this packet */
	char text[PAGERD_TEXT_MAX];
};

/* DRAIN: the reply comes when everything that clients which have gone left unwritten is in its
 * files. Body: the header alone. */

#endif
