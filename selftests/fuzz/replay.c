// SPDX-License-Identifier: GPL-2.0-only
/*
 * Runs a fuzz target without libFuzzer: replay SECONDS CRASH FILE... feeds each
 * file, then changed copies of them until the time is over.  The input being
 * tried is in the file CRASH when the process dies.
 */
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>
#include "purelib_host.h"

#define MAX_LEN		4096
#define MAX_FILES	256

int LLVMFuzzerTestOneInput(const u8 *data, size_t len);

static struct {
	u8 *data;
	size_t len;
} files[MAX_FILES];
static u64 seed;
static int crash_fd;

static u64 rnd(void)
{
	seed ^= seed << 13;
	seed ^= seed >> 7;
	seed ^= seed << 17;
	return seed;
}

static void try_one(const u8 *data, size_t len)
{
	u8 *copy = malloc(len ?: 1);	/* so that reading past its end is seen */

	if (!copy)
		exit(2);
	memcpy(copy, data, len);
	if (pwrite(crash_fd, copy, len, 0) != (ssize_t)len || ftruncate(crash_fd, len))
		exit(2);
	LLVMFuzzerTestOneInput(copy, len);
	free(copy);
}

static size_t change(u8 *buf, size_t len)
{
	int i;

	for (i = 1 + rnd() % 8; i && len; i--) {
		size_t at = rnd() % len;

		switch (rnd() % 4) {
		case 0:
			buf[at] = rnd();
			break;
		case 1:
			buf[at] ^= 1 << rnd() % 8;
			break;
		case 2:
			len = at;
			break;
		default:
			if (len + 8 <= MAX_LEN) {
				memmove(buf + at + 8, buf + at, len - at);
				len += 8;
			}
		}
	}
	return len;
}

static int load(int n, char **names)
{
	int i;

	for (i = 0; i < n && i < MAX_FILES; i++) {
		FILE *f = fopen(names[i], "rb");

		if (!f)
			return -1;
		files[i].data = malloc(MAX_LEN);
		files[i].len = files[i].data ? fread(files[i].data, 1, MAX_LEN, f) : 0;
		fclose(f);
	}
	return i;
}

int main(int argc, char **argv)
{
	time_t end = time(NULL) + (argc > 1 ? atoi(argv[1]) : 0);
	int nr = argc > 3 ? load(argc - 3, argv + 3) : 0, i;
	unsigned long inputs = 0;
	u8 buf[MAX_LEN];

	if (nr <= 0)
		return 2;
	crash_fd = open(argv[2], O_CREAT | O_TRUNC | O_RDWR, 0600);
	seed = time(NULL) | 1;
	printf("seed %llu\n", (unsigned long long)seed);
	for (i = 0; i < nr; i++)
		try_one(files[i].data, files[i].len);
	while (time(NULL) < end) {
		for (i = 0; i < 1000; i++, inputs++) {
			int from = rnd() % nr;

			memcpy(buf, files[from].data, files[from].len);
			try_one(buf, change(buf, files[from].len));
		}
	}
	unlink(argv[2]);
	printf("%lu inputs\n", inputs);
	return 0;
}
