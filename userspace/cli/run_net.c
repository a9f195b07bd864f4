// SPDX-License-Identifier: GPL-2.0-only
/* run_net.c - `ovid run --net`: all of them. */
#include <unistd.h>

#include "run.h"

int nets_parse(struct run_options *o, char *text, struct failure *why)
{
	unsigned int nr = nets_count(&o->config.nets);

	if (nr == NETS_MAX)
		return fail(why, OVID_X_USAGE, "at most %u times --net", NETS_MAX);
	return net_parse("--net", &o->net[nr], &o->config.nets.config[nr], text, why);
}

int nets_place(struct run_options *o, struct failure *why)
{
	struct nets *nets = &o->config.nets;

	for (unsigned int i = 0; i < nets_count(nets); i++) {
		if (!o->net[i].has_mac)
			net_mac(o->config.name, i, nets->config[i].mac);
		for (unsigned int k = 0; k < i; k++)
			if (!memcmp(nets->config[i].mac, nets->config[k].mac, 6))
				return fail(why, OVID_X_USAGE,
					    "--net %s: another card of it has that address; give another mac=",
					    nets->config[i].end);
	}
	return 0;
}

int nets_open(struct run_options *o, struct failure *why)
{
	struct nets *nets = &o->config.nets;
	int ret = 0;

	for (unsigned int i = 0; i < nets_count(nets) && !ret; i++) {
		o->net[i].user.uid = o->config.run_uid;
		o->net[i].user.gid = o->config.run_gid;
		o->net[i].user.no_sandbox = o->config.flags & WORKER_NO_SANDBOX;
		ret = net_open(&o->net[i], &nets->config[i], &nets->fd[i], why);
	}
	return ret;
}

int nets_make_interfaces(const struct run_options *o, const int *fd, unsigned int nr,
			 struct failure *why)
{
	const struct nets *nets = &o->config.nets;
	unsigned int next = 0;
	int ret = 0;

	for (unsigned int i = 0; i < NETS_MAX && next < nr && !ret; i++)
		if (net_has_interface(&nets->config[i]))
			ret = net_make_interface("--net", &nets->config[i], fd[next++], why);
	return ret;
}
