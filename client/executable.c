/* SPDX-License-Identifier: MIT */
/* What an executable says about how it is linked. */
#include "executable.h"

#include <elf.h>
#include <fcntl.h>
#include <link.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

struct image {
	const char *bytes;
	size_t size;
	const ElfW(Phdr) * segments;
	size_t segment_count;
};

/* A part of the file; NULL if the file is not that long. */
static const void *image_part(const struct image *image, uint64_t offset, uint64_t bytes)
{
	if (offset > image->size || bytes > image->size - offset)
		return NULL;
	return image->bytes + offset;
}

static const char *image_text(const struct image *image, uint64_t offset)
{
	const char *text = image_part(image, offset, 1);
	return text && memchr(text, 0, image->size - offset) ? text : NULL;
}

/* Where in the file an address is; past its end if nowhere. */
static uint64_t image_offset(const struct image *image, uint64_t address)
{
	for (size_t i = 0; i < image->segment_count; i++) {
		const ElfW(Phdr) *segment = &image->segments[i];
		if (segment->p_type == PT_LOAD && address >= segment->p_vaddr &&
		    address - segment->p_vaddr < segment->p_filesz)
			return segment->p_offset + (address - segment->p_vaddr);
	}
	return image->size;
}

static bool name_has(const char *name, const char *const *words)
{
	while (*words && !strstr(name, *words))
		words++;
	return *words;
}

static void needs_library(struct executable *executable, const char *name)
{
	static const char *const allocators[] = {"jemalloc", "tcmalloc", "mimalloc",
						 "hoard",    "snmalloc", NULL};
	static const char *const sanitizers[] = {"libasan.", "libhwasan.", "liblsan.", "libtsan.",
						 NULL};
	if (name_has(name, allocators))
		executable->has_allocator = true;
	if (!name_has(name, sanitizers) || strlen(name) >= sizeof(executable->sanitizer))
		return;
	executable->has_allocator = true;
	strcpy(executable->sanitizer, name);
}

static void needs_inspect(const struct image *image, const ElfW(Phdr) * dynamic,
			  struct executable *executable)
{
	size_t count = dynamic->p_filesz / sizeof(ElfW(Dyn));
	const ElfW(Dyn) *entries = image_part(image, dynamic->p_offset, dynamic->p_filesz);
	uint64_t strings = image->size;
	for (size_t i = 0; entries && i < count; i++)
		if (entries[i].d_tag == DT_STRTAB)
			strings = image_offset(image, entries[i].d_un.d_ptr);
	for (size_t i = 0; entries && i < count && entries[i].d_tag != DT_NULL; i++)
		if (entries[i].d_tag == DT_NEEDED) {
			const char *name = image_text(image, strings + entries[i].d_un.d_val);
			if (name)
				needs_library(executable, name);
		}
}

static bool image_open(struct image *image)
{
	const ElfW(Ehdr) *header = image_part(image, 0, sizeof(*header));
	if (!header || memcmp(header->e_ident, ELFMAG, SELFMAG) != 0 ||
	    header->e_ident[EI_CLASS] != (sizeof(void *) == 8 ? ELFCLASS64 : ELFCLASS32))
		return false;
	image->segment_count = header->e_phnum;
	image->segments = image_part(image, header->e_phoff, header->e_phnum * sizeof(ElfW(Phdr)));
	return image->segments != NULL;
}

static void image_inspect(struct image *image, struct executable *executable)
{
	if (!image_open(image))
		return;
	executable->is_static = true;
	for (size_t i = 0; i < image->segment_count; i++) {
		if (image->segments[i].p_type == PT_INTERP)
			executable->is_static = false;
		if (image->segments[i].p_type == PT_DYNAMIC)
			needs_inspect(image, &image->segments[i], executable);
	}
}

void executable_inspect(const char *path, struct executable *executable)
{
	*executable = (struct executable){.is_static = false};
	struct stat status;
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		return;
	if (fstat(fd, &status) == 0 && status.st_size > 0) {
		struct image image = {.size = (size_t)status.st_size};
		void *bytes = mmap(NULL, image.size, PROT_READ, MAP_PRIVATE, fd, 0);
		image.bytes = bytes;
		if (bytes != MAP_FAILED) {
			image_inspect(&image, executable);
			munmap(bytes, image.size);
		}
	}
	close(fd);
}
