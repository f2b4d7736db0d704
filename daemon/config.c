/* SPDX-License-Identifier: MIT */
/* The daemon's command line. */
#include "config.h"

#include <errno.h>
#include <fcntl.h>
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "access.h"
#include "log.h"
#include "pager.h"
#include "pagerd/policy.h"
#include "record.h"
#include "unit.h"

enum option_code {
	OPTION_MEMORY = 256,
	OPTION_CLIENT_MEMORY,
	OPTION_SWAP,
	OPTION_SWAP_LIMIT,
	OPTION_POLICY,
	OPTION_LOAD_POLICY,
	OPTION_ACCESS,
	OPTION_SOCKET,
	OPTION_LOW_LATENCY,
	OPTION_PREFETCH,
	OPTION_UNIT,
	OPTION_THREADS,
	OPTION_RECLAIM,
	OPTION_WRITEBACK_AGE,
	OPTION_FILES,
	OPTION_PRIVATE,
	OPTION_LIFELINE,
	OPTION_READY,
	OPTION_RECORD,
	OPTION_RECORD_WINDOW,
	OPTION_INVARIANTS,
	OPTION_CHAOS,
	OPTION_CHECK,
	OPTION_VERSION,
};

static const struct option options[] = {
	{"memory", required_argument, NULL, OPTION_MEMORY},
	{"client-memory", required_argument, NULL, OPTION_CLIENT_MEMORY},
	{"swap", required_argument, NULL, OPTION_SWAP},
	{"swap-limit", required_argument, NULL, OPTION_SWAP_LIMIT},
	{"policy", required_argument, NULL, OPTION_POLICY},
	{"load-policy", required_argument, NULL, OPTION_LOAD_POLICY},
	{"access", required_argument, NULL, OPTION_ACCESS},
	{"socket", required_argument, NULL, OPTION_SOCKET},
	{"low-latency", required_argument, NULL, OPTION_LOW_LATENCY},
	{"prefetch", required_argument, NULL, OPTION_PREFETCH},
	{"unit", required_argument, NULL, OPTION_UNIT},
	{"threads", required_argument, NULL, OPTION_THREADS},
	{"reclaim", required_argument, NULL, OPTION_RECLAIM},
	{"writeback-age", required_argument, NULL, OPTION_WRITEBACK_AGE},
	{"files", required_argument, NULL, OPTION_FILES},
	{"private", no_argument, NULL, OPTION_PRIVATE},
	{"lifeline", required_argument, NULL, OPTION_LIFELINE},
	{"ready-fd", required_argument, NULL, OPTION_READY},
	{"record", required_argument, NULL, OPTION_RECORD},
	{"record-window", required_argument, NULL, OPTION_RECORD_WINDOW},
	{"chaos", required_argument, NULL, OPTION_CHAOS},
	{"check-invariants", no_argument, NULL, OPTION_INVARIANTS},
	{"check", no_argument, NULL, OPTION_CHECK},
	{"verbose", no_argument, NULL, 'v'},
	{"help", no_argument, NULL, 'h'},
	{"version", no_argument, NULL, OPTION_VERSION},
	{NULL, 0, NULL, 0},
};

static void help(void)
{
	printf("Usage: pagerd [OPTION]...\n"
	       "The user-space pager: gives the programs that join it a memory budget.\n\n"
	       "  --memory SIZE         resident pages of all clients together (default: a "
	       "quarter\n"
	       "                        of the machine's memory); sizes take K, M, G, T\n"
	       "  --client-memory SIZE  limit for each client (default: none)\n"
	       "  --swap DIR            where the swap file is made (default: /var/lib/pagerd for\n"
	       "                        root, else /var/tmp); it has no name and goes with pagerd\n"
	       "  --swap-limit SIZE     most that it may hold (default: what the disk gives)\n"
	       "  --policy NAME         what to evict; with parameters: NAME:KEY=VALUE,...\n");
	for (size_t i = 0; pagerd_policies[i]; i++)
		printf("                          %-9s %s\n", pagerd_policies[i]->name,
		       pagerd_policies[i]->summary);
	printf("  --load-policy FILE    add a policy of your own, a shared object (see README); it "
	       "runs\n"
	       "                        with pagerd's rights\n"
	       "  --access SOURCE       how to learn which pages are used: faults (nothing more),\n"
	       "                        harvest:N (table entries are zapped to see what comes\n"
	       "                        back, N pages for each eviction), auto (default: harvest:1\n"
	       "                        where the kernel has PAGEMAP_SCAN and what is seen tells\n"
	       "                        what will be used)\n"
	       "  --socket PATH         where clients connect (default: $PAGERD_SOCKET, or for an\n"
	       "                        ordinary user $XDG_RUNTIME_DIR/pagerd.sock, or\n"
	       "                        /run/pagerd/pagerd.sock)\n"
	       "  --low-latency MODE    auto, on or off: keep idle CPUs polling while faults come\n"
	       "                        fast (default: auto)\n"
	       "  --prefetch PAGES      longest read-ahead window; 0 reads no page unasked\n"
	       "                        (default: 128)\n"
	       "  --unit SIZE           what one fault brings in where no run of accesses is seen:\n"
	       "                        4K to 1M around its page, or auto: 4K, 16K or 64K, found\n"
	       "                        out for each mapping (default: auto)\n"
	       "  --threads N           that page; files and anonymous mappings are divided among\n"
	       "                        them (default: $PAGERD_THREADS, or 1)\n"
	       "  --reclaim WHEN        ahead of faults, in batches, or on demand: one page when a\n"
	       "                        fault needs its place, as simulators do (slower; default:\n"
	       "                        ahead)\n"
	       "  --writeback-age SEC   changed pages of files are written after so long\n"
	       "                        (default: 30; 0: only when they must)\n"
	       "  --files WHICH         are paged: local, or all, also those of servers (FUSE, NFS):\n"
	       "                        a server that does not answer then stops the daemon\n"
	       "                        (default: local)\n"
	       "  --private             for one command: swap in /var/tmp, the socket closed to "
	       "others\n"
	       "  --lifeline FD         end when this pipe hangs up and the last client has gone\n"
	       "  --ready-fd FD         write one byte here when clients can connect\n"
	       "  --record FD           write every page reference there, as a trace, but those to\n"
	       "                        the last pages; for pagerctl record\n"
	       "  --record-window PAGES so many (default: 64)\n"
	       "  --chaos SEED          evict, delay, reorder and fail whatever may be, at random\n"
	       "                        (very slow; for tests: results must not change)\n"
	       "  --check-invariants    verify all tables while running (slow; for tests)\n"
	       "  --check               print what kernel and permissions allow, and end\n"
	       "  -v, --verbose         say more\n"
	       "  -h, --help; --version\n\n"
	       "Exit status: 0 it was told to end; %d usage; %d no memory; %d swap; %d socket;\n"
	       "%d already running; %d kernel or permissions (see --check); %d the I/O ring "
	       "failed;\n%d a policy broke its contract.\n",
	       EXIT_USAGE, EXIT_NO_MEMORY, EXIT_SWAP, EXIT_SOCKET, EXIT_RUNNING, EXIT_PERMISSION,
	       EXIT_RING, EXIT_POLICY);
}

bool size_parse(const char *text, uint64_t *bytes)
{
	static const char units[] = "KMGT";
	char *end;
	errno = 0;
	if (*text < '0' || *text > '9')
		return false;
	uint64_t value = strtoull(text, &end, 10);
	if (errno || !value)
		return false;
	if (*end) {
		const char *unit = strchr(units, *end >= 'a' ? *end - 'a' + 'A' : *end);
		if (!unit || (end[1] && strcmp(end + 1, "iB") && strcmp(end + 1, "B")))
			return false;
		unsigned shift = 10 * (unsigned)(unit - units + 1);
		if (value > UINT64_MAX >> shift)
			return false;
		value <<= shift;
	}
	*bytes = value;
	return true;
}

bool unit_parse(const char *text, uint32_t *pages)
{
	uint64_t bytes;
	*pages = UNIT_AUTO;
	if (!strcmp(text, "auto"))
		return true;
	if (!size_parse(text, &bytes) || bytes & (bytes - 1) || bytes < PAGE_BYTES ||
	    bytes > UNIT_MOST << PAGE_SHIFT)
		return false;
	*pages = (uint32_t)(bytes >> PAGE_SHIFT);
	return true;
}

static uint64_t size_argument(const char *name, const char *text)
{
	uint64_t bytes;
	if (!size_parse(text, &bytes))
		fatal(EXIT_USAGE, "--%s: '%s' is no size (such as 64M)", name, text);
	return bytes;
}

static uint32_t number_argument(const char *name, const char *text, uint32_t least, uint32_t most)
{
	char *end;
	errno = 0;
	unsigned long value = strtoul(text, &end, 10);
	if (errno || *text < '0' || *text > '9' || *end || value < least || value > most)
		fatal(EXIT_USAGE, "--%s: '%s' is not a number from %u to %u", name, text, least,
		      most);
	return (uint32_t)value;
}

static uint32_t threads_argument(const char *name, const char *text)
{
	return number_argument(name, text, 1, PAGERD_SHARDS_MAX);
}

static uint32_t unit_argument(const char *text)
{
	uint32_t unit;
	if (!unit_parse(text, &unit))
		fatal(EXIT_USAGE, "--unit: '%s' is not auto, nor a power of two from 4K to 1M",
		      text);
	return unit;
}

static const char *text_argument(const char *name, const char *text)
{
	if (!*text)
		fatal(EXIT_USAGE, "--%s: its argument is empty", name);
	return text;
}

/* Were it not open, the next file that the daemon opens would be taken for it. */
static int descriptor_argument(const char *name, const char *text)
{
	int fd = (int)number_argument(name, text, 0, 1 << 20);
	if (fcntl(fd, F_GETFD) < 0)
		fatal(EXIT_USAGE, "--%s: descriptor %d is not open", name, fd);
	return fd;
}

static int latency_argument(const char *text)
{
	static const char *const modes[] = {"off", "on", "auto"};
	for (int i = 0; i < 3; i++)
		if (!strcmp(text, modes[i]))
			return i;
	fatal(EXIT_USAGE, "--low-latency: '%s' is not auto, on or off", text);
}

/* While options are read: --policy and --help after it know the policy. */
static void policy_load(const char *name, const char *path)
{
	char why[512];
	if (pagerd_policy_load(text_argument(name, path), why, sizeof why))
		fatal(EXIT_USAGE, "--%s: %s", name, why);
}

static uint32_t access_argument(const char *text)
{
	uint32_t looks = 0;
	switch (access_parse(text, &looks)) {
	case -EINVAL:
		fatal(EXIT_USAGE,
		      "--access: '%s' is not faults, harvest, harvest:N (1 to %u) or auto", text,
		      ACCESS_LOOKS_MAX);
	case -ENOSYS:
		fatal(EXIT_PERMISSION, "--access: %s needs Linux 6.7 or later (PAGEMAP_SCAN)",
		      text);
	}
	return looks;
}

static uint32_t window_argument(const char *text)
{
	uint32_t window = number_argument("record-window", text, 0, RECORD_WINDOW_MAX);
	if (window < RECORD_WINDOW_MIN)
		fatal(EXIT_USAGE, "--record-window: at least %u pages", RECORD_WINDOW_MIN);
	return window;
}

/* One of two words: is it the second? */
static bool word_argument(const char *name, const char *text, const char *first, const char *second)
{
	if (!strcmp(text, second))
		return true;
	if (strcmp(text, first))
		fatal(EXIT_USAGE, "--%s: '%s' is not %s or %s", name, text, first, second);
	return false;
}

static void option_apply(struct config *config, int code, const char *name)
{
	switch (code) {
	case OPTION_MEMORY:
		config->memory_bytes = size_argument(name, optarg);
		break;
	case OPTION_CLIENT_MEMORY:
		config->client_bytes = size_argument(name, optarg);
		break;
	case OPTION_SWAP:
		config->swap = text_argument(name, optarg);
		break;
	case OPTION_SWAP_LIMIT:
		config->swap_limit_bytes = size_argument(name, optarg);
		break;
	case OPTION_POLICY:
		config->policy = text_argument(name, optarg);
		break;
	case OPTION_LOAD_POLICY:
		policy_load(name, optarg);
		break;
	case OPTION_ACCESS:
		config->access_looks = access_argument(optarg);
		break;
	case OPTION_SOCKET:
		config->socket = text_argument(name, optarg);
		break;
	case OPTION_LOW_LATENCY:
		config->low_latency = latency_argument(optarg);
		break;
	case OPTION_PREFETCH:
		config->prefetch_pages = number_argument(name, optarg, 0, 256);
		break;
	case OPTION_UNIT:
		config->unit = unit_argument(optarg);
		break;
	case OPTION_THREADS:
		config->threads = threads_argument(name, optarg);
		break;
	case OPTION_RECLAIM:
		config->reclaim_on_demand = word_argument(name, optarg, "ahead", "demand");
		break;
	case OPTION_WRITEBACK_AGE:
		config->writeback_ms = 1000 * number_argument(name, optarg, 0, 86400);
		break;
	case OPTION_FILES:
		config->files_served = word_argument(name, optarg, "local", "all");
		break;
	case OPTION_PRIVATE:
		config->private = true;
		break;
	case OPTION_LIFELINE:
		config->lifeline_fd = descriptor_argument(name, optarg);
		break;
	case OPTION_READY:
		config->ready_fd = descriptor_argument(name, optarg);
		break;
	case OPTION_RECORD:
		config->record_fd = descriptor_argument(name, optarg);
		break;
	case OPTION_RECORD_WINDOW:
		config->record_window = window_argument(optarg);
		break;
	case OPTION_CHAOS:
		config->chaos = true;
		config->chaos_seed = number_argument(name, optarg, 0, UINT32_MAX);
		break;
	case OPTION_INVARIANTS:
		config->invariants = true;
		break;
	case OPTION_CHECK:
		config->check = true;
		break;
	case 'v':
		config->verbose = true;
		break;
	case 'h':
		help();
		exit(0);
	case OPTION_VERSION:
		printf("pagerd " PAGERD_RELEASE "\n");
		exit(0);
	default:
		fatal(EXIT_USAGE, "see pagerd --help");
	}
}

static uint64_t machine_bytes(void)
{
	return (uint64_t)sysconf(_SC_PHYS_PAGES) * (uint64_t)sysconf(_SC_PAGESIZE);
}

/* What the environment says, where it says something. */
static const char *environment(const char *name)
{
	const char *value = getenv(name);
	return value && *value ? value : NULL;
}

/* Where a client of the same user looks (client/socket.c). */
static void socket_default(struct config *config)
{
	const char *runtime = environment("XDG_RUNTIME_DIR");
	config->socket = environment("PAGERD_SOCKET");
	if (config->socket)
		return;
	config->socket = "/run/pagerd/pagerd.sock";
	if (!geteuid() || !runtime)
		return;
	int length = snprintf(config->runtime_socket, sizeof config->runtime_socket,
			      "%s/pagerd.sock", runtime);
	if (length >= (int)sizeof config->runtime_socket)
		fatal(EXIT_USAGE,
		      "XDG_RUNTIME_DIR: '%s' is too long for a socket's name (use --socket)",
		      runtime);
	config->socket = config->runtime_socket;
}

/* What is recorded is what faults: nothing comes in unasked, or is looked at besides. */
static void config_record(struct config *config)
{
	if (config->record_fd < 0) {
		config->record_window = 0;
		return;
	}
	config->prefetch_pages = 0;
	config->access_looks = 0;
}

/* Where nothing was said: no more than the memory allows, nor than a trace, which has one order. */
static void threads_default(struct config *config)
{
	const char *threads = environment("PAGERD_THREADS");
	uint64_t bytes = config->memory_bytes, most = 1;
	if (config->client_bytes && config->client_bytes < bytes)
		bytes = config->client_bytes;
	if (config->record_fd < 0)
		most = bytes / PAGER_BUDGET_MIN_BYTES;
	config->threads = threads ? threads_argument("threads ($PAGERD_THREADS)", threads) : 1;
	if (config->swap_limit_bytes && config->swap_limit_bytes / PAGER_SWAP_MIN_BYTES < most)
		most = config->swap_limit_bytes / PAGER_SWAP_MIN_BYTES;
	if (config->threads > most)
		config->threads = most ? (uint32_t)most : 1;
}

static void config_defaults(struct config *config)
{
	config_record(config);
	if (!config->memory_bytes)
		config->memory_bytes = machine_bytes() / 4;
	if (!config->threads)
		threads_default(config);
	if (!config->swap)
		config->swap = !geteuid() && !config->private ? SWAP_SERVICE : "/var/tmp";
	if (!config->socket)
		socket_default(config);
}

static void config_check(const struct config *config)
{
	const char *parameters;
	const unsigned long long least = PAGER_BUDGET_MIN_BYTES * config->threads;
	if (config->record_fd >= 0 && config->threads > 1)
		fatal(EXIT_USAGE, "--record: a trace has one order, of one thread");
	if (config->memory_bytes < least)
		fatal(EXIT_USAGE, "--memory: too small to run, at least %lluK", least >> 10);
	if (config->memory_bytes > machine_bytes())
		fatal(EXIT_USAGE, "--memory: more than the machine has (%lluM)",
		      (unsigned long long)machine_bytes() >> 20);
	if (config->client_bytes && config->client_bytes < least)
		fatal(EXIT_USAGE, "--client-memory: too small to run, at least %lluK", least >> 10);
	if (config->client_bytes > machine_bytes())
		fatal(EXIT_USAGE, "--client-memory: more than the machine has (%lluM)",
		      (unsigned long long)machine_bytes() >> 20);
	if (config->swap_limit_bytes &&
	    config->swap_limit_bytes < PAGER_SWAP_MIN_BYTES * config->threads)
		fatal(EXIT_USAGE, "--swap-limit: at least %lluM%s", PAGER_SWAP_MIN_BYTES >> 20,
		      config->threads > 1 ? " for each of the --threads" : "");
	if (!pagerd_policy_find(config->policy, &parameters))
		fatal(EXIT_USAGE, "--policy: there is no '%s' (see pagerd --help)", config->policy);
	if (strlen(config->socket) >= SOCKET_PATH_MAX)
		fatal(EXIT_USAGE, "--socket: '%s' is longer than a socket's name may be",
		      config->socket);
}

void config_parse(struct config *config, int argc, char **argv)
{
	int code, index = 0;
	*config = (struct config){
		.policy = "lru",
		.access_looks = access_argument("auto"),
		.low_latency = 2,
		.prefetch_pages = 128,
		.unit = UNIT_AUTO,
		.writeback_ms = 30000,
		.lifeline_fd = -1,
		.record_fd = -1,
		.record_window = RECORD_WINDOW,
		.ready_fd = -1,
	};
	while ((code = getopt_long(argc, argv, "vh", options, &index)) != -1)
		option_apply(config, code, options[index].name);
	if (optind < argc)
		fatal(EXIT_USAGE, "'%s': pagerd takes options only (see pagerd --help)",
		      argv[optind]);
	config_defaults(config);
	config_check(config);
}
