// SPDX-License-Identifier: GPL-2.0-only
/*
 * dm.c - devices of the device mapper, in the test host, which has no dmsetup.
 *
 *	dm create NAME		from a table on stdin; prints the path
 *	dm load NAME		another table, from stdin, which is in force from now on
 *	dm suspend NAME		requests wait, those under way as well
 *	dm resume NAME
 *	dm remove NAME
 *
 * A line of a table: START SECTORS TARGET PARAMETERS, as dmsetup has it.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <unistd.h>
#include <linux/dm-ioctl.h>

static union {
	struct dm_ioctl head;
	char bytes[8192];
} io;

static int control = -1;

static void die(const char *what)
{
	fprintf(stderr, "dm: %s: %s\n", what, strerror(errno));
	exit(1);
}

static void begin(const char *name)
{
	memset(&io, 0, sizeof(io));
	io.head.version[0] = DM_VERSION_MAJOR;
	io.head.data_size = sizeof(io);
	io.head.data_start = sizeof(io.head);
	snprintf(io.head.name, sizeof(io.head.name), "%s", name);
}

static void call(unsigned long request, const char *what)
{
	if (ioctl(control, request, &io))
		die(what);
}

/* the table of stdin into the device's other slot */
static void load(const char *name)
{
	size_t at = sizeof(io.head);
	char line[256], target[DM_MAX_TYPE_NAME];

	begin(name);
	while (fgets(line, sizeof(line), stdin)) {
		struct dm_target_spec *spec = (void *)(io.bytes + at);
		unsigned long long start, sectors;
		int skip = 0;

		if (sscanf(line, "%llu %llu %15s %n", &start, &sectors, target, &skip) < 3)
			continue;
		line[strcspn(line, "\n")] = 0;
		spec->sector_start = start;
		spec->length = sectors;
		strcpy(spec->target_type, target);
		strcpy((char *)(spec + 1), line + skip);
		spec->next = (sizeof(*spec) + strlen(line + skip) + 1 + 7) / 8 * 8;
		at += spec->next;
		io.head.target_count++;
	}
	call(DM_TABLE_LOAD, "the table");
}

/* requests are not waited for, nor is a filesystem asked */
static void suspend(const char *name, int resume)
{
	begin(name);
	io.head.flags = resume ? 0 :
			DM_SUSPEND_FLAG | DM_SKIP_LOCKFS_FLAG | DM_NOFLUSH_FLAG;
	call(DM_DEV_SUSPEND, resume ? "resume" : "suspend");
}

int main(int argc, char **argv)
{
	const char *verb = argc > 2 ? argv[1] : "", *name = argv[2];

	mkdir("/dev/mapper", 0755);
	/* its node is there before its module is */
	control = open("/dev/mapper/control", O_RDWR);
	if (control < 0)
		die("/dev/mapper/control");
	if (!strcmp(verb, "create")) {
		begin(name);
		call(DM_DEV_CREATE, "create");
		load(name);
		suspend(name, 1);
		printf("/dev/dm-%u\n", minor(io.head.dev));
	} else if (!strcmp(verb, "load")) {
		load(name);
		suspend(name, 0);
		suspend(name, 1);
	} else if (!strcmp(verb, "suspend")) {
		suspend(name, 0);
	} else if (!strcmp(verb, "resume")) {
		suspend(name, 1);
	} else if (!strcmp(verb, "remove")) {
		begin(name);
		call(DM_DEV_REMOVE, "remove");
	} else {
		fprintf(stderr, "usage: dm create|load|suspend|resume|remove NAME\n");
		return 2;
	}
	return 0;
}
