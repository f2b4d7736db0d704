/* SPDX-License-Identifier: MIT */
/* pagersim --help. */
#include "help.h"

#include <stdio.h>

#include "format.h"
#include "inflate.h"
#include "pagerd/policy.h"

void help_print(void)
{
	puts("usage: pagersim --policy P,... --size N,... [OPTION]... TRACE|-\n"
	     "Run replacement policies on a trace of page references, and count.\n"
	     "\n"
	     "  --policy P,...       policies, with their parameters: lru,lfu:decay=4,min. A comma\n"
	     "                       that name=value follows belongs to the parameters before it;\n"
	     "                       all other commas end a policy. May be repeated.\n"
	     "  --size N,...         sizes: pages (1000), or percent of the trace's footprint (10%).\n"
	     "                       May be repeated. Every policy runs with every size.\n"
	     "  --visibility V       what the policies get to see:\n"
	     "                         exact      every reference (default)\n"
	     "                         faults     what comes in, and first writes\n"
	     "                         harvest:N  and accessed bits: for each eviction a hand looks\n"
	     "                                    at N frames, and victims that were used are kept\n"
	     "                       min always sees everything: it is the bound for the others.\n"
	     "  --seed N             for policies that take one (default 1)\n"
	     "  --load-policy FILE   add a policy of your own, a shared object. May be repeated.\n"
	     "  --threads N          runs at a time (default: one for each processor)\n"
	     "  --notes              what policies decide for themselves, on standard error: which\n"
	     "                       one auto follows, from which reference on, and why\n"
	     "\n"
	     "  --format F           the trace's format (default: told by its content)\n"
	     "  --column N           of CSV: which column is the page, from 1\n"
	     "  --merge              count references to the same page in a row as one\n"
	     "\n"
	     "  --csv FILE, --json FILE, --html FILE\n"
	     "                       write the results there too; - is standard output, instead of\n"
	     "                       the table. A file is there whole, or not at all.\n"
	     "  --help, --version\n");
	printf("Formats (%s):\n", inflate_is_built() ? "compressed by zstd, too"
						     : "built without libzstd: not compressed");
	for (size_t i = 0; formats[i]; i++)
		printf("  %-14s %s\n", formats[i]->name, formats[i]->summary);
	puts("\nPolicies:");
	for (size_t i = 0; pagerd_policies[i]; i++)
		printf("  %-14s %s\n", pagerd_policies[i]->name, pagerd_policies[i]->summary);
	puts("\nExit status: 0; 64 wrong usage; 65 the trace is empty, truncated or corrupt; 66 it\n"
	     "cannot be read; 70 a run failed; 73 a file cannot be written.");
}
