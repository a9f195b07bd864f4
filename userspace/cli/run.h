/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * run.h - the pieces of `ovid run`: what was asked for, the files for it, the
 * worker that gets them, and the wait for its end.
 */
#ifndef OVID_RUN_H
#define OVID_RUN_H

#include "../worker/config.h"
#include "cli.h"
#include "net.h"

/* what --disk or --dvd (@option) says besides its struct disk_config */
struct disk_words {
	const char *option;
	const char *path;
	int lun;		/* -1: the next one that is free */
	int format;		/* a number of enum ovid_vdisk_format; -1: what it looks like */
};

struct run_options {
	struct worker_config config;
	const char *kernel;
	const char *initrd[LOAD_MAX_MODULES];
	const char *serial;
	const char *device;
	const char *user;
	const char *vsock;
	struct disk_words disk[DISKS_MAX];
	struct net_words net[NETS_MAX];
	bool boot;			/* from the first disk */
	bool named, detach, help;
};

/* run_options.c */
int run_parse(int argc, char **argv, struct run_options *o, struct failure *why);
int parse_size(const char *text, u64 *bytes, struct failure *why);

/* run_files.c: opened files, -1 where there is none */
struct run_files {
	int fd[WORKER_MAX_FILES];
	int console;		/* our end of a serial line that we relay, or -1 */
	const char *listening;	/* the path of --serial unix: once it is ours */
	char vsock[108];	/* DIR/vsock, once it is ours; else empty */
};

int run_open(struct run_options *o, struct run_files *f, struct failure *why);
void run_close(struct run_options *o, struct run_files *f);

/* Opens @path and says what to do when that fails. */
int device_open(const char *path, struct failure *why);

/* run_disk.c: all --disk and --dvd of a command line: LUNs for those that say none; files */
int disks_parse(struct run_options *o, const char *option, char *text, struct failure *why);
int disks_place(struct run_options *o, struct failure *why);
int disks_open(struct run_options *o, struct failure *why);

/* run_net.c: all --net of a command line: addresses for those that say none; files */
int nets_parse(struct run_options *o, char *text, struct failure *why);
int nets_place(struct run_options *o, struct failure *why);
int nets_open(struct run_options *o, struct failure *why);
/* @fd: the channels' files of those that want an interface */
int nets_make_interfaces(const struct run_options *o, const int *fd, unsigned int nr,
			 struct failure *why);

/* disk_file.c: one --disk or --dvd as it was written, which is cut into pieces; its file, or -status */
int disk_parse(const char *option, struct disk_words *d, struct disk_config *c, char *text,
	       struct failure *why);
/* @parent: out: files of c->nr_parents, @room of them at most */
int disk_open(const struct disk_words *d, struct disk_config *c, int *parent, unsigned int room,
	      struct failure *why);

/*
 * disk_image.c: what a file is: a number of enum ovid_vdisk_format, or -status.
 * @asked: that or -1
 */
int disk_image_format(const char *path, int fd, int asked, struct failure *why);
/* A VHD's or VHDX's files, locked: it, and its parents.  How many, or -status. */
int disk_image_open(const char *path, int format, bool read_only, int *fd, unsigned int room,
		    struct failure *why);

/* run_boot.c: kernel, initrd and command line from the first disk, whose file is open */
int run_boot(struct run_options *o, struct run_files *f, struct failure *why);

/* run_spawn.c */
struct run_worker {
	int pid;
	int channel;
};

int run_spawn(struct run_options *o, struct run_files *f, struct run_worker *w,
	      struct failure *why);

#endif
