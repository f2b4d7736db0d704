/* SPDX-License-Identifier: MIT */
/* pagerctl: run programs under the pager, and ask and steer the daemon. */
#include "pagerctl.h"

#include <errno.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "control.h"
#include "size.h"
#include "socket.h"

static const char usage[] =
	"usage: pagerctl run [--memory SIZE] [--policy P] [--unit SIZE] [--swap DIR] [--no-heap]\n"
	"                    [--min SIZE] [--learn FILE] [--prefetch FILE] [--chaos SEED] [--verbose]\n"
	"                    [--socket PATH] [--] CMD [ARG ...]\n"
	"       pagerctl record -o FILE [--resident PAGES] [options of run] [--] CMD [ARG ...]\n"
	"       pagerctl status [--json]\n"
	"       pagerctl stat [PID] [--json]\n"
	"       pagerctl maps PID [--json]\n"
	"       pagerctl set [PID] [TARGET] memory=SIZE|none|policy=P|unit=SIZE ... |\n"
	"                    default\n"
	"       pagerctl --help | --version\n"
	"\n"
	"run joins the daemon, or starts a private one for this command if none answers, or if\n"
	"--swap, --access, --threads, --files or --chaos is given.\n"
	"  --memory SIZE  memory for the command: of the private daemon (default: half of the\n"
	"                 machine's), or in the daemon that it joins the limit of each process\n"
	"  --policy P     how to choose what to evict: a name of pagerd --help, lru, lfu:decay=4;\n"
	"                 of the private daemon, or in the daemon that it joins of each process\n"
	"  --unit SIZE    what one fault brings in: 4K to 1M, or auto (which of 4K, 16K, 64K is found\n"
	"                 out for each mapping); as --policy\n"
	"  --access S     how to learn which pages are used: faults, harvest:N (private daemon)\n"
	"  --threads N    how many threads page (private daemon; default: $PAGERD_THREADS, or 1)\n"
	"  --files WHICH  are paged: local, or all, also of servers (FUSE, NFS) that have to answer\n"
	"                 (private daemon; default: local)\n"
	"  --swap DIR     where the private daemon keeps what does not fit\n"
	"  --no-heap      do not preload an allocator: only the program's own mmap calls are "
	"paged\n"
	"  --min SIZE     leave smaller anonymous mappings to the kernel (default 1M)\n"
	"  --learn FILE   record in FILE which pages of files the command touches\n"
	"  --prefetch FILE  read them in ahead when the command maps these files\n"
	"  --chaos SEED   page everything, and evict, delay, reorder and fail whatever may be, at\n"
	"                 random (private daemon; very slow; for tests: results must not change)\n"
	"  --verbose      say at the end what the paged memory took\n"
	"record writes every page reference of the command to FILE, a trace for pagersim, but for\n"
	"those to the last PAGES pages (64; 16 to 4096). It has a private daemon, and wants memory\n"
	"for all of the command's.\n"
	"set changes what the daemon has, or process PID, or one object (TARGET) whoever maps it:\n"
	"  object=N       the object with that number in stat and maps\n"
	"  file=PATH      the pages of that file, which somebody maps\n"
	"  address=HEX    what PID has mapped there\n"
	"  default        takes back what was set for PID or TARGET\n"
	"SIZE is in bytes, or has K, M, G or T behind it; memory=none takes a limit away.\n"
	"--socket PATH (with every command) names the daemon's socket; the default is\n"
	"$PAGERD_SOCKET, or $XDG_RUNTIME_DIR/pagerd.sock if your own daemon answers there (not for\n"
	"root), or /run/pagerd/pagerd.sock.\n"
	"\n"
	"Exit status: run has the command's own (128 + the signal that killed it), 125 if run "
	"itself\n"
	"failed, 126 if the command cannot be executed, 127 if it was not found. Else 0, 1 if the\n"
	"daemon refused, 64 for a usage error, 69 if no daemon answers.\n";

void complain(const char *format, ...)
{
	va_list arguments;
	va_start(arguments, format);
	fputs("pagerctl: ", stderr);
	vfprintf(stderr, format, arguments);
	fputc('\n', stderr);
	va_end(arguments);
}

void complain_of_daemon(const char *path, int error)
{
	if (error == -EUSERS)
		complain("the pagerd at %s has no room for one more client", path);
	else
		complain("no pagerd answers at %s: %s", path, strerror(-error));
}

int usage_error(const char *what, const char *why)
{
	complain("%s: %s (pagerctl --help explains)", what, why);
	return STATUS_USAGE;
}

int daemon_open(const char *option)
{
	char room[SOCKET_PATH_MAX];
	uint32_t pid;
	const char *path = socket_choose(option, room);
	int socket = control_open(path, &pid);
	if (socket < 0)
		complain_of_daemon(path, socket);
	return socket;
}

int pid_parse(const char *text, uint32_t *pid)
{
	char *end;
	errno = 0;
	unsigned long value = strtoul(text, &end, 10);
	if (errno || *text < '0' || *text > '9' || *end || value == 0 || value > INT32_MAX)
		return -EINVAL;
	*pid = (uint32_t)value;
	return 0;
}

static int no_client(uint32_t pid)
{
	complain("process %u is no client of the daemon, or not yours", pid);
	return STATUS_REFUSED;
}

static int report(const char *socket_option, enum pagerd_report_kind kind, uint32_t pid, bool json)
{
	int socket = daemon_open(socket_option);
	if (socket < 0)
		return STATUS_UNAVAILABLE;
	int result = control_report(socket, kind, pid, json, stdout);
	close(socket);
	if (result == 0 && fflush(stdout) == 0)
		return 0;
	if (result == -ESRCH || result == -ENOENT)
		return no_client(pid);
	complain("report: %s", strerror(result ? -result : errno));
	return STATUS_REFUSED;
}

/* status [--json], stat [PID] [--json], maps PID [--json] */
static int report_main(int argc, char **argv, const char *socket, enum pagerd_report_kind kind)
{
	bool json = false;
	uint32_t pid = 0;
	for (int i = 1; i < argc; i++) {
		if (strcmp(argv[i], "--json") == 0)
			json = true;
		else if (argv[i][0] == '-')
			return usage_error(argv[i], "unknown option");
		else if (kind == PAGERD_REPORT_STATUS || pid != 0)
			return usage_error(argv[i], "one argument too many");
		else if (pid_parse(argv[i], &pid) < 0)
			return usage_error(argv[i], "not a process id");
	}
	if (kind == PAGERD_REPORT_MAPS && pid == 0)
		return usage_error("maps", "needs a process id");
	return report(socket, kind, pid, json);
}

/* Does the command have options of its own, up to a command that it runs? */
static bool runs(const char *word)
{
	return strcmp(word, "run") == 0 || strcmp(word, "record") == 0;
}

/* As if "--socket PATH" stood behind the word. */
static int run_with(int argc, char **argv, const char *socket)
{
	char **with = calloc((size_t)argc + 3, sizeof *with);
	if (!with)
		return usage_error(argv[0], "not enough memory");
	with[0] = argv[0];
	with[1] = (char *)"--socket";
	with[2] = (char *)socket;
	memcpy(with + 3, argv + 1, (size_t)argc * sizeof *with);
	int status = run_main(with);
	free(with);
	return status;
}

static int command(int argc, char **argv, const char *socket)
{
	const char *word = argv[0];
	if (runs(word))
		return socket ? run_with(argc, argv, socket) : run_main(argv);
	if (strcmp(word, "status") == 0)
		return report_main(argc, argv, socket, PAGERD_REPORT_STATUS);
	if (strcmp(word, "stat") == 0)
		return report_main(argc, argv, socket, PAGERD_REPORT_STAT);
	if (strcmp(word, "maps") == 0)
		return report_main(argc, argv, socket, PAGERD_REPORT_MAPS);
	if (strcmp(word, "set") == 0)
		return set_main(argc, argv, socket);
	return usage_error(word, "unknown command");
}

/* Take "--socket PATH" out of the arguments, for run and record only before them: they have their
 * own, and what follows those is another program's. */
static int socket_option(int *argc, char **argv, const char **socket)
{
	int kept = 0;
	bool others = false;
	for (int i = 0; i < *argc; i++) {
		others |= runs(argv[i]) && kept == 0;
		if (others)
			argv[kept++] = argv[i];
		else if (strncmp(argv[i], "--socket=", 9) == 0)
			*socket = argv[i] + 9;
		else if (strcmp(argv[i], "--socket") != 0)
			argv[kept++] = argv[i];
		else if (i + 1 < *argc)
			*socket = argv[++i];
		else
			return usage_error("--socket", "needs a path");
	}
	*argc = kept;
	argv[kept] = NULL;
	return 0;
}

/* First of all, or right after the command. */
static bool help_wanted(int argc, char **argv)
{
	for (int i = 0; i < argc && i < 2; i++)
		if (strcmp(argv[i], "--help") == 0 || strcmp(argv[i], "-h") == 0)
			return true;
	return false;
}

int main(int argc, char **argv)
{
	const char *socket = NULL;
	argc--;
	argv++;
	if (help_wanted(argc, argv))
		return fputs(usage, stdout) < 0;
	if (argc > 0 && strcmp(argv[0], "--version") == 0)
		return puts("pagerctl " PAGERD_RELEASE) < 0;
	int status = socket_option(&argc, argv, &socket);
	if (status != 0)
		return status;
	if (argc == 0) {
		fputs(usage, stderr);
		return STATUS_USAGE;
	}
	return command(argc, argv, socket);
}
