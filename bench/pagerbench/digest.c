/* SPDX-License-Identifier: MIT */
/* Numbers that stand for bytes. */
#include "digest.h"

#include <stdio.h>

#include "../../client/locate.h"

uint64_t digest_add(uint64_t digest, const void *bytes, size_t count)
{
	const unsigned char *byte = bytes;
	while (count--)
		digest = (digest ^ *byte++) * 0x100000001b3ull;
	return digest;
}

uint64_t digest_add_file(uint64_t digest, const char *path)
{
	unsigned char bytes[16384];
	size_t got;
	FILE *file = fopen(path, "re");
	while (file && (got = fread(bytes, 1, sizeof bytes, file)))
		digest = digest_add(digest, bytes, got);
	if (file)
		fclose(file);
	return digest;
}

uint64_t digest_programs(void)
{
	char daemon[LOCATE_MAX];
	uint64_t digest = digest_add_file(DIGEST_BEGIN, "/proc/self/exe");
	return locate_daemon(daemon) < 0 ? digest : digest_add_file(digest, daemon);
}
