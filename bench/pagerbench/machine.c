/* SPDX-License-Identifier: MIT */
/* The machine that figures were measured on. */
#include "machine.h"

#include <string.h>
#include <sys/utsname.h>
#include <unistd.h>

#include "quote.h"

static void processor_name(char *name, size_t bytes)
{
	char line[256];
	FILE *file = fopen("/proc/cpuinfo", "re");
	snprintf(name, bytes, "unknown processor");
	while (file && fgets(line, sizeof line, file)) {
		const char *value = strchr(line, ':');
		if (strncmp(line, "model name", 10) || !value)
			continue;
		value += strspn(value, ": \t");
		snprintf(name, bytes, "%.*s", (int)strcspn(value, "\n"), value);
		break;
	}
	if (file)
		fclose(file);
}

void machine_look(struct machine *machine)
{
	struct utsname name;
	uname(&name);
	machine->processors = sysconf(_SC_NPROCESSORS_ONLN);
	machine->memory_gib =
		(double)sysconf(_SC_PHYS_PAGES) * (double)sysconf(_SC_PAGESIZE) / (1 << 30);
	processor_name(machine->processor, sizeof machine->processor);
	snprintf(machine->kernel, sizeof machine->kernel, "%s %s", name.sysname, name.release);
}

void machine_json(FILE *file)
{
	struct machine machine;
	machine_look(&machine);
	fprintf(file,
		"{\"processors\": %ld, \"memory_gib\": %.1f, \"processor\": ", machine.processors,
		machine.memory_gib);
	quote_json(file, machine.processor);
	fputs(", \"kernel\": ", file);
	quote_json(file, machine.kernel);
	fputc('}', file);
}
