// SPDX-License-Identifier: GPL-2.0-only
/* run_disk.c - `ovid run --disk` and `--dvd`: all of them. */
#include "run.h"

int disks_parse(struct run_options *o, const char *option, char *text, struct failure *why)
{
	struct disks *disks = &o->config.disks;
	int ret;

	if (disks->nr == DISKS_MAX)
		return fail(why, OVID_X_USAGE, "at most %u times --disk and --dvd", DISKS_MAX);
	ret = disk_parse(option, &o->disk[disks->nr], &disks->config[disks->nr], text, why);
	if (!ret)
		disks->nr++;
	return ret;
}

int disks_place(struct run_options *o, struct failure *why)
{
	struct disks *disks = &o->config.disks;
	u64 taken[CONTROLLERS_MAX] = { 0 };

	for (unsigned int i = 0; i < disks->nr; i++) {
		u64 *mine = &taken[disks->config[i].controller];

		if (o->disk[i].lun < 0)
			continue;
		if (*mine & BIT(o->disk[i].lun))
			return fail(why, OVID_X_USAGE, "%s %s: there is a disk at lun=%d already",
				    o->disk[i].option, o->disk[i].path, o->disk[i].lun);
		*mine |= BIT(o->disk[i].lun);
	}
	for (unsigned int i = 0; i < disks->nr; i++) {
		u64 *mine = &taken[disks->config[i].controller];

		if (o->disk[i].lun < 0 && !~*mine)
			return fail(why, OVID_X_USAGE,
				    "%s %s: a controller has %u disks at most; ,controller=%u is another",
				    o->disk[i].option, o->disk[i].path, LUNS_MAX,
				    (disks->config[i].controller + 1) % CONTROLLERS_MAX);
		if (o->disk[i].lun < 0)
			o->disk[i].lun = __builtin_ctzll(~*mine);
		*mine |= BIT(o->disk[i].lun);
		disks->config[i].lun = o->disk[i].lun;
	}
	return 0;
}

int disks_open(struct run_options *o, struct failure *why)
{
	struct disks *disks = &o->config.disks;

	for (unsigned int i = 0; i < disks->nr; i++) {
		struct disk_config *c = &disks->config[i];

		disks->fd[i] = disk_open(&o->disk[i], c, &disks->parent[disks->nr_parents],
					 PARENTS_MAX - disks->nr_parents, why);
		if (disks->fd[i] < 0)
			return disks->fd[i];
		c->parents = disks->nr_parents;
		disks->nr_parents += c->nr_parents;
	}
	return 0;
}
