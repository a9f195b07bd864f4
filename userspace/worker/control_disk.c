// SPDX-License-Identifier: GPL-2.0-only
/*
 * control_disk.c - what is done with the disks of a machine that runs.  Files are opened by who
 * asks, with his rights, and handed over.
 */
#include <unistd.h>

#include "control.h"
#include "question.h"

/* ---- what a question says ---- */

static u16 sector(struct json_object *question, const char *key)
{
	int64_t n = question_number(question, key, 4096);

	return n < 0 ? 0 : n;
}

/* The disk that is meant, or -1, and the failure is told. */
static int find(struct machine *m, struct control_client *cl)
{
	int64_t controller = question_number(cl->question, "controller", CONTROLLERS_MAX - 1);
	int64_t lun = question_number(cl->question, "lun", LUNS_MAX - 1);
	struct failure why;
	int at = -1;

	if (controller >= 0 && lun >= 0)
		at = disks_find(m->vmbus.disks, controller, lun);
	if (at >= 0)
		return at;
	fail_text(&why, "%s has no disk there; see `ovid disk-list %s`", m->config->name,
		  m->config->name);
	control_refuse(cl, why.text);
	return -1;
}

/* ---- what is said of a disk ---- */

static void add_number(struct json_object *msg, const char *key, int64_t n)
{
	json_object_object_add(msg, key, json_object_new_int64(n));
}

static void describe_limit(struct machine *m, const struct disk_config *c, struct json_object *msg)
{
	struct ovid_disk_limit limit = { .lun = c->lun };

	if (vid_disk_limit(m->vmbus.scsi_fd[c->controller], &limit))
		return;
	add_number(msg, "iops", limit.requests);
	add_number(msg, "bps", limit.bytes);
	add_number(msg, "waited", limit.waited);
	add_number(msg, "waiting", limit.waiting);
}

static const char *const formats[] = {
	[OVID_DISK_RAW] = "raw", [OVID_DISK_VHD] = "vhd", [OVID_DISK_VHDX] = "vhdx",
};

static struct json_object *describe(struct machine *m, unsigned int at)
{
	const struct disk_config *c = &m->vmbus.disks->config[at];
	struct json_object *msg = control_ok();
	struct ovid_disk_info info;

	json_object_object_add(msg, "controller", json_object_new_int(c->controller));
	json_object_object_add(msg, "lun", json_object_new_int(c->lun));
	json_object_object_add(msg, "file", json_object_new_string(c->file));
	json_object_object_add(msg, "serial", json_object_new_string(c->serial));
	json_object_object_add(msg, "read_only", json_object_new_boolean(c->read_only));
	json_object_object_add(msg, "format", json_object_new_string(formats[c->format]));
	if (c->dvd)
		json_object_object_add(msg, "dvd", json_object_new_boolean(true));
	if (vid_disk_info(m->vmbus.scsi_fd[c->controller], c->lun, &info))
		return msg;
	add_number(msg, "bytes", info.bytes);
	add_number(msg, "block_bytes", info.block_bytes);
	add_number(msg, "requests", info.requests);
	add_number(msg, "under_way", info.under_way);
	describe_limit(m, c, msg);
	return msg;
}

static unsigned int place(const struct disk_config *c)
{
	return c->controller * LUNS_MAX + c->lun;
}

/* The first at or behind "from", so that a list has as many answers as there are disks. */
static void do_next(struct machine *m, struct control_client *cl)
{
	const struct disks *disks = m->vmbus.disks;
	int64_t from = question_number(cl->question, "from", DISKS_MAX);
	int best = -1;

	for (unsigned int i = 0; from >= 0 && i < disks->nr; i++)
		if (place(&disks->config[i]) >= from &&
		    (best < 0 || place(&disks->config[i]) < place(&disks->config[best])))
			best = i;
	control_answer(cl, best < 0 ? control_ok() : describe(m, best), NULL, 0);
}

/* ---- changes ---- */

/* those that are named; the others stay */
static void read_limit(struct json_object *question, struct disk_config *c)
{
	int64_t iops = question_number(question, "iops", UINT32_MAX);
	int64_t bps = question_number(question, "bps", INT64_MAX);

	if (iops >= 0)
		c->iops = iops;
	if (bps >= 0)
		c->bps = bps;
}

/* what `ovid disk-attach` has found out of the file; false: that cannot be */
static bool read_config(struct machine *m, struct json_object *question, struct disk_config *c)
{
	int64_t controller = question_number(question, "controller", CONTROLLERS_MAX - 1);
	int64_t lun = question_number(question, "lun", LUNS_MAX - 1);
	int64_t format = question_number(question, "format", OVID_DISK_VHDX);

	*c = (struct disk_config){ .read_only = question_flag(question, "read_only") };
	/* none: as the file has it; the module says whether they can be so */
	c->logical_sector = sector(question, "logical_sector");
	c->physical_sector = sector(question, "physical_sector");
	read_limit(question, c);
	question_text(question, "serial", c->serial, sizeof(c->serial));
	question_text(question, "file", c->file, sizeof(c->file));
	if (controller < 0 || format < 0 || !*c->serial)
		return false;
	if (lun < 0)
		lun = disks_free_lun(m->vmbus.disks, controller);
	c->controller = controller;
	c->lun = lun;
	c->format = format;
	return lun >= 0;
}

static void do_attach(struct machine *m, struct control_client *cl)
{
	struct failure why = { "" };
	struct disk_config c;

	if (cl->file < 0 || !read_config(m, cl->question, &c)) {
		control_refuse(cl, "no file came with it, or the controller is full");
		return;
	}
	c.nr_parents = cl->nr_more;
	if (disks_add(m->vmbus.disks, &c, cl->file, cl->more, m->part, m->vmbus.scsi_fd, &why)) {
		control_refuse(cl, why.text);
		return;
	}
	cl->file = -1;
	cl->nr_more = 0;
	control_answer(cl, describe(m, m->vmbus.disks->nr - 1), NULL, 0);
}

static void do_detach(struct machine *m, struct control_client *cl)
{
	struct failure why = { "" };
	int at = find(m, cl);

	if (at < 0)
		return;
	if (disks_remove(m->vmbus.disks, at, m->vmbus.scsi_fd, &why))
		control_refuse(cl, why.text);
	else
		control_answer(cl, control_ok(), NULL, 0);
}

static void do_limit(struct machine *m, struct control_client *cl)
{
	struct disk_config limited, *c;
	struct failure why = { "" };
	int at = find(m, cl);

	if (at < 0)
		return;
	c = &m->vmbus.disks->config[at];
	limited = *c;
	read_limit(cl->question, &limited);
	if ((limited.iops != c->iops || limited.bps != c->bps) &&
	    disks_limit(&limited, m->vmbus.scsi_fd, &why)) {
		control_refuse(cl, why.text);
		return;
	}
	*c = limited;
	control_answer(cl, describe(m, at), NULL, 0);
}

static void refuse_medium(struct control_client *cl, const struct disk_config *c, int ret)
{
	struct failure why;

	if (ret == -EBUSY)
		fail_text(&why, "the guest keeps the disc of LUN %u, it is mounted perhaps; it was told, and --force does not ask",
			  c->lun);
	else
		fail_text(&why, "cannot change the disc of LUN %u: %s", c->lun, ret == -EINVAL ?
			  "the file is too small, or of a kind that is no disc" : strerror(-ret));
	control_refuse(cl, why.text);
}

/* Without a file the drive is empty. */
static void change_medium(struct machine *m, struct control_client *cl, unsigned int at)
{
	struct disk_config *c = &m->vmbus.disks->config[at];
	bool force = question_flag(cl->question, "force");
	int ret = disks_change(m->vmbus.disks, at, cl->file, force,
			       m->vmbus.scsi_fd);

	if (ret) {
		refuse_medium(cl, c, ret);
		return;
	}
	cl->file = -1;
	question_text(cl->question, "file", c->file, sizeof(c->file));
	control_answer(cl, describe(m, at), NULL, 0);
}

static void do_medium(struct machine *m, struct control_client *cl)
{
	int at = find(m, cl);

	if (at < 0)
		return;
	if (m->vmbus.disks->config[at].dvd)
		change_medium(m, cl, at);
	else
		control_refuse(cl, "that is no DVD drive; see `ovid disk-list`");
}

static void do_insert(struct machine *m, struct control_client *cl)
{
	if (cl->file >= 0)
		do_medium(m, cl);
	else
		control_refuse(cl, "no file came with it");
}

static void do_eject(struct machine *m, struct control_client *cl)
{
	if (cl->file < 0)
		do_medium(m, cl);
	else
		control_refuse(cl, "a file came with it");
}

/* The file itself, if it is raw, for whoever may make it larger. */
static void do_file(struct machine *m, struct control_client *cl)
{
	int at = find(m, cl);

	if (at < 0)
		return;
	if (m->vmbus.disks->config[at].dvd)
		control_refuse(cl, "a disc is as large as it is");
	else
		control_answer(cl, describe(m, at), &m->vmbus.disks->fd[at],
			       m->vmbus.disks->config[at].format == OVID_DISK_RAW);
}

/* It has another size, or an image gets it: the guest is told. */
static void do_resized(struct machine *m, struct control_client *cl)
{
	int at = find(m, cl), ret;
	const struct disk_config *c;
	int64_t wanted = question_number(cl->question, "bytes", INT64_MAX);
	struct failure why;
	u64 bytes = wanted < 0 ? 0 : wanted;

	if (at < 0)
		return;
	c = &m->vmbus.disks->config[at];
	ret = vid_resize_disk(m->vmbus.scsi_fd[c->controller], c->lun, &bytes);
	if (!ret) {
		control_answer(cl, describe(m, at), NULL, 0);
		return;
	}
	fail_text(&why, "cannot take the new size of LUN %u: %s", c->lun,
		  ret == -EROFS ? "it is read only" : strerror(-ret));
	control_refuse(cl, why.text);
}

static const struct {
	const char *name;
	void (*handle)(struct machine *m, struct control_client *cl);
} verbs[] = {
	{ "disk-next",		do_next },
	{ "disk-attach",	do_attach },
	{ "disk-detach",	do_detach },
	{ "disk-limit",		do_limit },
	{ "disk-insert",	do_insert },
	{ "disk-eject",		do_eject },
	{ "disk-file",		do_file },
	{ "disk-resized",	do_resized },
};

bool control_disk(struct machine *m, struct control_client *cl, const char *verb)
{
	struct failure why;

	for (size_t i = 0; i < ARRAY_SIZE(verbs); i++) {
		if (strcmp(verb, verbs[i].name))
			continue;
		if (m->vmbus.there) {
			verbs[i].handle(m, cl);
			return true;
		}
		fail_text(&why, "%s has no VMBus, and so no disks: it was started with --vmbus off, or --hv without synic and messages",
			  m->config->name);
		control_refuse(cl, why.text);
		return true;
	}
	return false;
}
