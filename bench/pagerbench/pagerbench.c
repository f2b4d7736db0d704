/* SPDX-License-Identifier: MIT */
/* pagerbench: workloads, as traces and live, and the comparison of policies on them. */
#include "pagerbench.h"

#include <stdio.h>
#include <string.h>

#include "options.h"
#include "signals.h"

static const struct {
	const char *name;
	int (*run)(int argc, char **argv);
} commands[] = {
	{"list", command_list},	  {"trace", command_trace},	{"live", command_live},
	{"check", command_check}, {"compare", command_compare},
};

static void help(void)
{
	fputs("Usage: pagerbench COMMAND [OPTION]...\n"
	      "Workloads, as traces and live under the pager, and policies compared on them.\n\n"
	      "  pagerbench list\n"
	      "      the workloads and their parameters\n"
	      "  pagerbench trace --workload NAME[:KEY=VALUE,...] --pages N [--references N]\n"
	      "                   [--seed S] [--threads N] [--read-only] [--format pgt|text] -o FILE\n"
	      "      write a workload's references to a file ('-': standard output)\n\n"
	      "  pagerbench live --workload NAME,... --policy NAME,... --memory SIZE [--data SIZE]\n"
	      "                  [--references N] [--threads N] [--seed S] [--runs N] [--kernel]\n"
	      "                  [--file|--anonymous] [--read-only] [--advice normal|random|sequential]\n"
	      "                  [--reclaim ahead|demand] [--access SOURCE] [--prefetch PAGES]\n"
	      "                  [--dir DIR] [--csv FILE] [--json FILE]\n"
	      "      real memory under a daemon of each run's own, every page checked; with\n"
	      "      --kernel also under the kernel's swap (or mmap) in a cgroup of that size\n\n"
	      "  pagerbench check --workload NAME,... --sizes SIZE,... --data SIZE [--policy NAME,...]\n"
	      "                   [--references N] [--seed S] [--file] [--read-only]\n"
	      "                   [--access SOURCE] [--tolerance PERCENT]\n"
	      "      do the live misses of one thread, with reclaim on demand and nothing read "
	      "ahead,\n"
	      "      equal the simulated ones? (fifo: exactly)\n\n"
	      "  pagerbench compare --out DIR [--policies NAME,...] [--workloads NAME,...]\n"
	      "                     [--sizes SIZE,...] [--data SIZE] [--simulated|--live] [options "
	      "of live]\n"
	      "      all of them with each other, simulated and live, and DIR/report.html, "
	      "results.csv,\n"
	      "      results.json; what is finished is kept in DIR/cells and not run again\n\n"
	      "--load-policy FILE adds a policy of your own, a shared object, to all but the first two.\n"
	      "NAME+NAME is one workload after the other. Sizes are pages, bytes with K, M, G or T\n"
	      "behind them, or a share of the data with %. Exit status: 0; 64 usage; 1 failed; 69 "
	      "this\nmachine or this user cannot do it.\n",
	      stdout);
}

int main(int argc, char **argv)
{
	if (argc < 2) {
		complain("no command (pagerbench --help)");
		return STATUS_USAGE;
	}
	if (!strcmp(argv[1], "--help") || !strcmp(argv[1], "-h") || !strcmp(argv[1], "help")) {
		help();
		return 0;
	}
	signals_block();
	const char *name = !strcmp(argv[1], "--list") ? "list" : argv[1];
	for (size_t i = 0; i < sizeof commands / sizeof *commands; i++)
		if (!strcmp(commands[i].name, name))
			return commands[i].run(argc - 2, argv + 2);
	complain("there is no command '%s' (pagerbench --help)", argv[1]);
	return STATUS_USAGE;
}
