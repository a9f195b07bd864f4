// SPDX-License-Identifier: GPL-2.0-only
/*
 * init.c - process 1 of the boot row: notes the time, says it on COM1 by itself
 * (no driver, no console), and stops the machine, whichever it is.
 *
 *	T <time at the entry> <time here> <idle time so far, in ns>
 */
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/io.h>
#include <sys/stat.h>
#include <sys/mount.h>
#include <unistd.h>

#include "../idle.h"
#include "boot.h"

static void say(const char *text)
{
	for (; *text; text++) {
		while (!(inb(BOOT_COM1 + 5) & 0x20))
			;
		outb(*text, BOOT_COM1);
	}
}

static uint64_t time_at_entry(void)
{
	uint64_t t0 = 0;
	int fd;

	mount("devtmpfs", "/dev", "devtmpfs", 0, NULL);
	fd = open("/dev/mem", O_RDONLY);
	if (pread(fd, &t0, sizeof(t0), BOOT_T0) != sizeof(t0))
		t0 = 0;
	return t0;
}

int main(void)
{
	uint64_t now = __builtin_ia32_rdtsc(), t0;
	char text[128];

	mkdir("/proc", 0755);
	mkdir("/dev", 0755);
	mount("proc", "/proc", "proc", 0, NULL);
	t0 = time_at_entry();
	snprintf(text, sizeof(text), "T %" PRIu64 " %" PRIu64 " %" PRIu64 "\n", t0, now, idle_ns());
	iopl(3);
	outb(3, BOOT_COM1 + 3);		/* eight bits */
	say(text);
	/* the last byte is on its way when the transmitter is empty */
	while (!(inb(BOOT_COM1 + 5) & 0x40))
		;
	for (const char *p = "Shutdown"; *p; p++)
		outb(*p, BOOT_SHUTDOWN);
	outb(0, BOOT_EXIT);
	for (;;)
		pause();
}
