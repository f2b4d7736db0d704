/* SPDX-License-Identifier: MIT */
/*
 * One process maps a file; another one, which maps nothing, reads and writes it with system calls.
 * Each sees at once what the other has done, as under the kernel.
 *
 *	files_between MODE ROUNDS FILE	"files_between list" names the modes
 */
#include <errno.h>
#include <fcntl.h>
#include <linux/fs.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/sendfile.h>
#include <sys/shm.h>
#include <sys/stat.h>
#include <sys/uio.h>
#include <sys/wait.h>
#include <unistd.h>

enum {
	PAGE = 4096,
	PAGES = 512,
	FILE_BYTES = PAGES * PAGE,
	PARTS = 6,
	PART_BYTES = 40000, /* no multiple of anything */
	LOOPS = 3000,
	RECORDS = 40, /* by each of two */
	RECORD_BYTES = 3000,
};

static const char *path;
static int file;
static char *memory;	   /* of the file, in the process that maps it */
static int to_map, to_say; /* what the other side reads a byte from, and writes one to */

/* Not paged: what each has done last, for the other to see. */
static struct published {
	uint64_t written, stored;
	int stop;
} * published;

_Noreturn static void die(const char *what)
{
	fprintf(stderr, "files_between: %s: %s\n", what, strerror(errno));
	_exit(2);
}

_Noreturn static void wrong(const char *what, uint64_t at)
{
	fprintf(stderr, "files_between: WRONG DATA: %s at %llu\n", what, (unsigned long long)at);
	_exit(1);
}

/* ---- the two sides --------------------------------------------------------------------------- */

static void tell(void)
{
	if (write(to_say, "x", 1) != 1)
		die("write to the other side");
}

static void wait_told(void)
{
	char byte;
	if (read(to_map, &byte, 1) != 1)
		die("the other side has ended");
}

static pid_t start(void (*mapper)(int round), int round)
{
	int down[2], up[2];
	if (pipe2(down, O_CLOEXEC) || pipe2(up, O_CLOEXEC))
		die("pipe");
	pid_t child = fork();
	if (child < 0)
		die("fork");
	to_map = child ? up[0] : down[0];
	to_say = child ? down[1] : up[1];
	close(child ? up[1] : down[1]);
	close(child ? down[0] : up[0]);
	if (child)
		return child;
	mapper(round);
	exit(0);
}

static void end(pid_t child, int expected)
{
	int status;
	if (waitpid(child, &status, 0) != child)
		die("waitpid");
	close(to_map);
	close(to_say);
	if (status != expected)
		_exit(1);
}

static void map(int flags)
{
	memory = mmap(NULL, FILE_BYTES, PROT_READ | PROT_WRITE, flags, file, 0);
	if (memory == MAP_FAILED)
		die("mmap");
}

static void file_clear(void)
{
	if (ftruncate(file, 0) || ftruncate(file, FILE_BYTES))
		die("ftruncate");
}

static void range_check(const char *found, size_t from, size_t bytes, int value, const char *what)
{
	for (size_t i = from; i < from + bytes; i++)
		if (found[i] != (char)value)
			wrong(what, i);
}

static void memory_check(size_t from, size_t bytes, int value, const char *what)
{
	range_check(memory, from, bytes, value, what);
}

/* ---- what is stored is read ------------------------------------------------------------------ */

static void store_and_wait(int round)
{
	map(MAP_SHARED);
	memset(memory, round, FILE_BYTES);
	tell();
	wait_told();
	memset(memory, round + 1, FILE_BYTES);
	tell();
	wait_told();
}

static ssize_t read_by(int way, char *to, size_t bytes, off_t at)
{
	struct iovec two[2] = {{to, bytes / 3}, {to + bytes / 3, bytes - bytes / 3}};
	if ((way < 2) && lseek(file, at, SEEK_SET) != at)
		die("lseek");
	switch (way) {
	case 0:
		return read(file, to, bytes);
	case 1:
		return readv(file, two, 2);
	case 2:
		return pread(file, to, bytes, at);
	case 3:
		return preadv(file, two, 2, at);
	default:
		return preadv2(file, two, 2, at, 0);
	}
}

static void all_read(int value)
{
	static char found[FILE_BYTES];
	size_t part = FILE_BYTES / 5;
	for (int way = 0; way < 5; way++)
		if (read_by(way, found + (size_t)way * part, part, (off_t)((size_t)way * part)) !=
		    (ssize_t)part)
			die("read");
	range_check(found, 0, 5 * part, value, "read");
}

static void mode_read(int round)
{
	pid_t child = start(store_and_wait, round);
	wait_told();
	all_read(round);
	tell();
	wait_told();
	all_read(round + 1);
	tell();
	end(child, 0);
}

static void stream_read(FILE *stream, int value)
{
	static char found[FILE_BYTES];
	if (!stream || fread(found, 1, FILE_BYTES, stream) != FILE_BYTES)
		die("fread");
	range_check(found, 0, FILE_BYTES, value, "read by stdio");
}

/* By stdio, which reads what was stored before it has opened the file. */
static void mode_stdio(int round)
{
	pid_t child = start(store_and_wait, round);
	wait_told();
	FILE *stream = fopen(path, "r");
	stream_read(stream, round);
	tell();
	wait_told();
	stream = freopen(path, "r", stream);
	stream_read(stream, round + 1);
	tell();
	end(child, 0);
	child = start(store_and_wait, round);
	fclose(stream);
	wait_told();
	stream = fdopen(open(path, O_RDONLY | O_CLOEXEC), "r");
	stream_read(stream, round);
	fclose(stream);
	tell();
	wait_told();
	tell();
	end(child, 0);
}

static void store_and_die(int round)
{
	map(MAP_SHARED);
	memset(memory, round, FILE_BYTES);
	raise(SIGKILL);
}

/* Who has been killed has stored what it has stored. */
static void mode_killed(int round)
{
	end(start(store_and_die, round), SIGKILL);
	all_read(round);
}

/* ---- what is written is seen ----------------------------------------------------------------- */

static const size_t places[PARTS] = {1, 100000, 300000, 700000, 1000001, FILE_BYTES - PART_BYTES};

static void write_by(int way, char *from)
{
	size_t at = places[way], third = PART_BYTES / 3;
	struct iovec two[2] = {{from, third}, {from + third, PART_BYTES - third}};
	ssize_t done = -1;
	if (way < 2 && lseek(file, (off_t)at, SEEK_SET) != (off_t)at)
		die("lseek");
	switch (way) {
	case 0:
		done = write(file, from, PART_BYTES);
		break;
	case 1:
		done = writev(file, two, 2);
		break;
	case 2:
		done = pwrite(file, from, PART_BYTES, (off_t)at);
		break;
	case 3:
		done = pwritev(file, two, 2, (off_t)at);
		break;
	case 4:
		done = pwritev2(file, two, 2, (off_t)at, 0);
		break;
	case 5: /* at the file's end */
		done = ftruncate(file, (off_t)at) ? -1 : 0;
		int appending = open(path, O_WRONLY | O_APPEND | O_CLOEXEC);
		if (done == 0)
			done = write(appending, from, PART_BYTES);
		close(appending);
		break;
	}
	if (done != PART_BYTES)
		die("write");
}

static void all_write(int value)
{
	static char bytes[PART_BYTES];
	memset(bytes, value, sizeof(bytes));
	for (int way = 0; way < PARTS; way++)
		write_by(way, bytes);
}

/* What is between the parts is ours: the other side writes to the same pages. */
static void parts_check(int written, int stored)
{
	size_t at = 0;
	for (int way = 0; way < PARTS; way++) {
		memory_check(at, places[way] - at, stored, "stored");
		memory_check(places[way], PART_BYTES, written, "written");
		at = places[way] + PART_BYTES;
	}
}

static void see_written(int round)
{
	map(MAP_SHARED);
	memory_check(0, FILE_BYTES, 0, "zero");
	tell();
	wait_told();
	parts_check(round, 0);
	memset(memory, round + 1, FILE_BYTES);
	tell();
	wait_told();
	parts_check(round + 2, round + 1);
}

static void mode_write(int round)
{
	file_clear();
	pid_t child = start(see_written, round);
	wait_told();
	all_write(round);
	tell();
	wait_told();
	all_write(round + 2);
	tell();
	end(child, 0);
	static char found[FILE_BYTES];
	memory = found;
	if (pread(file, found, FILE_BYTES, 0) != FILE_BYTES)
		die("pread");
	parts_check(round + 2, round + 1);
}

static void see_private(int round)
{
	map(MAP_PRIVATE);
	memory_check(0, FILE_BYTES, 0, "zero");
	memory[2 * PAGE] = 7; /* a copy from now on */
	tell();
	wait_told();
	memory_check(1, PAGE, round, "written, to who maps privately");
	memory_check(2 * PAGE + 1, PAGE - 1, 0, "copied");
}

static void mode_private(int round)
{
	file_clear();
	pid_t child = start(see_private, round);
	wait_told();
	all_write(round);
	tell();
	end(child, 0);
}

/* Nor does what it has stored come back over a file that was cut off since. */
static void mode_cut(int round)
{
	static char found[FILE_BYTES];
	struct stat st;
	if (ftruncate(file, FILE_BYTES))
		die("ftruncate");
	end(start(store_and_die, round), SIGKILL);
	int other = round % 2 ? -1 : open(path, O_WRONLY | O_TRUNC | O_CLOEXEC);
	if ((other < 0 && truncate(path, 0)) || pwrite(file, "new", 3, 0) != 3 || fstat(file, &st))
		die("make it short");
	if (st.st_size != 3)
		wrong("size", (uint64_t)st.st_size);
	if (other >= 0)
		close(other);
	if (ftruncate(file, FILE_BYTES) || pread(file, found, FILE_BYTES, 0) != FILE_BYTES ||
	    memcmp(found, "new", 3))
		die("make it long");
	memory = found + 3;
	memory_check(0, FILE_BYTES - 3, 0, "cut off");
}

static void see_appended(int round)
{
	static char found[FILE_BYTES];
	struct stat st = {.st_size = 0};
	map(MAP_SHARED);
	tell();
	for (int stop = 0; !stop;) {
		stop = __atomic_load_n(&published->stop, __ATOMIC_SEQ_CST);
		if (fstat(file, &st))
			die("fstat");
		/* The mapping may have it when write returns, later than the file. */
		for (off_t at = st.st_size - 1; at > 0 && at > st.st_size - 5 * PAGE; at -= PAGE)
			(void)((volatile char *)memory)[at];
		if (st.st_size > PAGE)
			memory[0] = (char)round;
	}
	if (st.st_size != 2 * RECORDS * RECORD_BYTES)
		wrong("size", (uint64_t)st.st_size);
	if (pread(file, found, (size_t)st.st_size, 0) != st.st_size)
		die("pread");
	for (off_t i = 0; i < st.st_size; i++)
		if (found[i] != memory[i])
			wrong("a mapping that differs from its file", (uint64_t)i);
}

static void append(int fd, int value)
{
	char record[RECORD_BYTES];
	memset(record, value, sizeof(record));
	for (int i = 0; i < RECORDS; i++)
		if (write(fd, record, sizeof(record)) != sizeof(record))
			die("append");
}

/* By two, at the file's end, or where both of them are. */
static void mode_append(int round)
{
	*published = (struct published){.stop = 0};
	if (ftruncate(file, 0) || lseek(file, 0, SEEK_SET))
		die("ftruncate");
	pid_t child = start(see_appended, round);
	wait_told();
	int fd = round % 2 ? open(path, O_WRONLY | O_APPEND | O_CLOEXEC) : file, status;
	pid_t other = fork();
	append(fd, other ? 'a' : 'b');
	if (!other)
		_exit(0);
	if (waitpid(other, &status, 0) != other || status)
		die("the other one who appends");
	if (fd != file)
		close(fd);
	__atomic_store_n(&published->stop, 1, __ATOMIC_SEQ_CST);
	end(child, 0);
	if (ftruncate(file, FILE_BYTES))
		die("ftruncate");
}

/* ---- in the kernel, from file to file -------------------------------------------------------- */

static void store_see_copied(int round)
{
	map(MAP_SHARED);
	memset(memory, round, FILE_BYTES / 2);
	memory_check(FILE_BYTES / 2, FILE_BYTES / 2, 0, "zero");
	tell();
	wait_told();
	memory_check(FILE_BYTES / 2, 2 * PART_BYTES, round, "copied");
}

static void mode_copy(int round)
{
	file_clear();
	pid_t child = start(store_see_copied, round);
	off64_t from = 3, to = FILE_BYTES / 2;
	wait_told();
	for (size_t left = PART_BYTES; left;) {
		ssize_t done = copy_file_range(file, &from, file, &to, left, 0);
		if (done <= 0)
			die("copy_file_range");
		left -= (size_t)done;
	}
	int source = open(path, O_RDONLY | O_CLOEXEC);
	if (lseek(file, to, SEEK_SET) != to ||
	    sendfile(file, source, &(off_t){PAGE + 1}, PART_BYTES) != PART_BYTES)
		die("sendfile");
	close(source);
	tell();
	end(child, 0);
}

/* To a pipe. */
static void mode_splice(int round)
{
	static char found[FILE_BYTES];
	int ends[2];
	pid_t child = start(store_and_wait, round);
	if (pipe2(ends, O_CLOEXEC))
		die("pipe");
	for (int stored = round; stored < round + 2; stored++) {
		wait_told();
		for (off64_t at = 0; at < FILE_BYTES;) {
			ssize_t done = splice(file, &at, ends[1], NULL, PAGE, 0);
			if (done <= 0 || read(ends[0], found + at - done, (size_t)done) != done)
				die("splice");
		}
		range_check(found, 0, FILE_BYTES, stored, "spliced");
		tell();
	}
	end(child, 0);
	close(ends[0]);
	close(ends[1]);
}

/* For file systems whose files may share blocks; not in the list. */
static void mode_clone(int round)
{
	char other_path[4096];
	struct file_clone_range half = {
		.src_fd = file, .src_length = FILE_BYTES / 2, .dest_offset = FILE_BYTES / 2};
	static char found[FILE_BYTES];
	snprintf(other_path, sizeof(other_path), "%s.clone", path);
	int other = open(other_path, O_RDWR | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
	file_clear();
	pid_t child = start(store_see_copied, round);
	wait_told();
	if (other < 0 || ioctl(other, FICLONE, file) || pread(other, found, FILE_BYTES, 0) < 0)
		die("FICLONE");
	range_check(found, 0, FILE_BYTES / 2, round, "cloned to another file");
	if (ioctl(file, FICLONERANGE, &half))
		die("FICLONERANGE");
	tell();
	end(child, 0);
	close(other);
}

/* ---- at the same time ------------------------------------------------------------------------ */

static uint64_t load(const uint64_t *word)
{
	return __atomic_load_n(word, __ATOMIC_SEQ_CST);
}

static uint64_t word_written(void)
{
	return load((const uint64_t *)(memory + PAGE));
}

static uint64_t word_read(void)
{
	uint64_t word;
	if (pread(file, &word, sizeof(word), 0) != sizeof(word))
		die("pread");
	return word;
}

/* Map, look, store before it, and unmap, all the time. */
static void come_and_go(int round)
{
	for (uint64_t i = 1; !__atomic_load_n(&published->stop, __ATOMIC_SEQ_CST); i++) {
		map(MAP_SHARED);
		for (int n = 0; n < 3; n++) {
			uint64_t least = load(&published->written);
			if (word_written() < least)
				wrong("written before it was mapped", least);
			__atomic_store_n((uint64_t *)memory, i, __ATOMIC_SEQ_CST);
			__atomic_store_n(&published->stored, i, __ATOMIC_SEQ_CST);
		}
		munmap(memory, FILE_BYTES);
	}
}

static void mode_at_once(int round)
{
	uint64_t zeros[16] = {0};
	*published = (struct published){.stop = 0};
	if (pwrite(file, zeros, sizeof(zeros), 0) != sizeof(zeros) ||
	    pwrite(file, zeros, sizeof(zeros), PAGE) != sizeof(zeros))
		die("pwrite");
	pid_t child = start(come_and_go, round);
	for (uint64_t i = 1; i <= LOOPS; i++) {
		if (pwrite(file, &i, sizeof(i), PAGE) != sizeof(i))
			die("pwrite");
		__atomic_store_n(&published->written, i, __ATOMIC_SEQ_CST);
		uint64_t least = load(&published->stored);
		if (word_read() < least)
			wrong("stored before it was read", least);
	}
	__atomic_store_n(&published->stop, 1, __ATOMIC_SEQ_CST);
	end(child, 0);
}

/* ---- */

static const struct mode {
	const char *name;
	void (*run)(int round);
} modes[] = {
	{"read", mode_read},	   {"killed", mode_killed}, {"write", mode_write},
	{"private", mode_private}, {"copy", mode_copy},	    {"at_once", mode_at_once},
	{"cut", mode_cut},	   {"append", mode_append}, {"stdio", mode_stdio},
	{"splice", mode_splice},   {"clone", mode_clone},
};
#define MODES (sizeof(modes) / sizeof(modes[0]))

static const struct mode *mode_find(const char *name)
{
	for (size_t i = 0; i < MODES; i++)
		if (strcmp(modes[i].name, name) == 0)
			return &modes[i];
	exit(64);
}

static void prepare(void)
{
	int id = shmget(IPC_PRIVATE, sizeof(*published), 0600);
	published = id < 0 ? (void *)-1 : shmat(id, NULL, 0);
	if (published == (void *)-1 || shmctl(id, IPC_RMID, NULL))
		die("shmget");
	file = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
	if (file < 0 || ftruncate(file, FILE_BYTES) != 0)
		die(path);
}

int main(int argc, char **argv)
{
	for (size_t i = 0; argc == 2 && i < MODES; i++)
		if (modes[i].run != mode_clone)
			puts(modes[i].name);
	if (argc == 2)
		return 0;
	if (argc != 4)
		return 64;
	const struct mode *mode = mode_find(argv[1]);
	path = argv[3];
	prepare();
	for (int round = 1; round <= atoi(argv[2]); round++)
		mode->run(3 * round);
	return 0;
}
