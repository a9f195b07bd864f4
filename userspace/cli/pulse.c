// SPDX-License-Identifier: GPL-2.0-only
/* pulse.c - `ovid pulse`: makes partitions and hands them to a VM, which moves there. */
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "../lib/ctl.h"
#include "../lib/vid.h"
#include "run.h"

struct pulse {
	const char *name;
	const char *device;
	unsigned int count;
	bool json, help;
	int64_t longest;	/* us that one took */
};

static const struct option options[] = {
	{ "count",	required_argument,	NULL, 'c' },
	{ "device",	required_argument,	NULL, 'd' },
	{ "json",	no_argument,		NULL, 'j' },
	{ "help",	no_argument,		NULL, 'h' },
	{ 0 },
};

static int parse_count(const char *text, unsigned int *count, struct failure *why)
{
	unsigned long n;
	char *end;

	errno = 0;
	n = strtoul(text, &end, 10);
	if (errno || end == text || *end || !n || n > 1000000 || *text == '-')
		return fail(why, OVID_X_USAGE, "--count %s: give a number from 1 to 1000000", text);
	*count = n;
	return 0;
}

static int take_option(struct pulse *p, int opt, const char *arg, struct failure *why)
{
	switch (opt) {
	case 'c':
		return parse_count(arg, &p->count, why);
	case 'd':
		p->device = arg;
		return 0;
	case 'j':
		p->json = true;
		return 0;
	case 'h':
		p->help = true;
		return 0;
	default:
		return fail(why, OVID_X_USAGE, "%s %s; see `ovid pulse --help`", arg,
			    opt == ':' ? "lacks its value" : "is no option of ovid pulse");
	}
}

static int parse(int argc, char **argv, struct pulse *p, struct failure *why)
{
	int opt, ret = 0;

	*p = (struct pulse){ .device = VID_DEVICE, .count = 1 };
	opterr = 0;
	optind = 1;
	while (!ret && (opt = getopt_long(argc, argv, ":h", options, NULL)) != -1)
		ret = take_option(p, opt, opt == ':' || opt == '?' ? argv[optind - 1] : optarg,
				  why);
	if (ret || p->help)
		return ret;
	p->name = argv[optind];
	if (!p->name)
		return fail(why, OVID_X_USAGE, "ovid pulse: which VM? see `ovid list`");
	if (optind + 1 < argc)
		return fail(why, OVID_X_USAGE, "%s: unexpected; see `ovid pulse --help`",
			    argv[optind + 1]);
	if (!ctl_name_ok(p->name))
		return fail(why, OVID_X_USAGE, "no VM is called %s (see `ovid list`)", p->name);
	return 0;
}

/* of the same kind as the one that the VM has: see check_host() of `ovid run` */
static int new_partition(const struct pulse *p, int device, struct failure *why)
{
	struct ovid_info info;
	int part = vid_get_info(device, &info);

	if (!part)
		part = vid_create_partition(device, info.caps & OVID_CAP_X2APIC ?
					    OVID_PART_X2APIC : 0, p->name);
	if (part < 0)
		return fail(why, OVID_X_HOST,
			    "cannot create a partition: %s (see `ovid info`); %s goes on as it was",
			    strerror(-part), p->name);
	return part;
}

static void read_interface(struct json_object *from, struct net_config *c)
{
	struct json_object *o;

	*c = (struct net_config){ .there = true, .kind = NET_IF };
	if (json_object_object_get_ex(from, "ifname", &o))
		snprintf(c->ifname, sizeof(c->ifname), "%s", json_object_get_string(o));
	if (json_object_object_get_ex(from, "bridge", &o))
		snprintf(c->bridge, sizeof(c->bridge), "%s", json_object_get_string(o));
	if (json_object_object_get_ex(from, "vlan", &o))
		c->vlan = json_object_get_int(o);
	if (json_object_object_get_ex(from, "mac", &o))
		sscanf(json_object_get_string(o), "%hhx:%hhx:%hhx:%hhx:%hhx:%hhx", &c->mac[0],
		       &c->mac[1], &c->mac[2], &c->mac[3], &c->mac[4], &c->mac[5]);
}

/* those of the old partition went with it */
static int make_interfaces(struct json_object *answer, const int *net, unsigned int nr,
			   struct failure *why)
{
	struct json_object *list;
	struct net_config c;
	int ret = 0;

	if (!json_object_object_get_ex(answer, "interfaces", &list))
		list = NULL;
	for (unsigned int i = 0; i < nr; i++) {
		read_interface(list ? json_object_array_get_idx(list, i) : NULL, &c);
		if (!ret)
			ret = net_make_interface("pulse", &c, net[i], why);
		close(net[i]);
	}
	return ret;
}

static int pulse_once(struct pulse *p, int device, int vm, struct failure *why)
{
	struct json_object *answer, *field;
	struct failure worker;
	int part = new_partition(p, device, why), net[NETS_MAX], ret;
	unsigned int nr = NETS_MAX;

	if (part < 0)
		return part;
	answer = ctl_put(vm, ctl_question("pulse"), part, net, &nr, &worker);
	close(part);
	if (!answer)
		return fail(why, OVID_X_HOST, "%s did not move: %.180s", p->name, worker.text);
	if (json_object_object_get_ex(answer, "us", &field) &&
	    json_object_get_int64(field) > p->longest)
		p->longest = json_object_get_int64(field);
	ret = make_interfaces(answer, net, nr, why);
	json_object_put(answer);
	return ret;
}

static void print_json(const struct pulse *p)
{
	struct json_object *msg = json_object_new_object();

	json_object_object_add(msg, "ok", json_object_new_boolean(true));
	json_object_object_add(msg, "count", json_object_new_int(p->count));
	json_object_object_add(msg, "longest_us", json_object_new_int64(p->longest));
	puts(json_object_to_json_string_ext(msg, JSON_C_TO_STRING_PLAIN));
	json_object_put(msg);
}

int cli_pulse(int argc, char **argv)
{
	struct failure why = { "" };
	struct pulse p;
	int device, vm, ret = parse(argc, argv, &p, &why);

	if (!ret && p.help) {
		cli_help("pulse");
		return 0;
	}
	if (ret)
		return cli_fail(ret, &why);
	vm = ctl_connect(p.name, &why);
	if (vm < 0)
		return cli_fail(vm, &why);
	device = device_open(p.device, &why);
	if (device < 0)
		return cli_fail(device, &why);
	ctl_set_patience(vm, 0);
	for (unsigned int i = 0; i < p.count && !ret; i++)
		ret = pulse_once(&p, device, vm, &why);
	if (!ret && p.json)
		print_json(&p);
	return cli_fail(ret, &why);
}
