// SPDX-License-Identifier: GPL-2.0-only
/* run_options.c - the command line of `ovid run`, checked as far as it goes alone. */
#include <getopt.h>
#include <grp.h>
#include <pwd.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "../lib/ctl.h"
#include "../lib/vid.h"
#include "run.h"

#define DEFAULT_MEMORY	(512ull << 20)

enum {
	OPT_KERNEL = 256, OPT_INITRD, OPT_APPEND, OPT_MEMORY, OPT_VPS, OPT_SERIAL, OPT_NAME,
	OPT_DETACH, OPT_NO_REBOOT, OPT_DEBUG_EXIT, OPT_DEVICE, OPT_USER, OPT_NO_SANDBOX,
	OPT_TEST_DEVICE, OPT_HV, OPT_VMBUS, OPT_VSOCK, OPT_VSOCK_CID, OPT_DISK, OPT_DVD, OPT_NET,
	OPT_BOOT_FROM_DISK, OPT_HELP,
};

static const struct option options[] = {
	{ "kernel",	required_argument,	NULL, OPT_KERNEL },
	{ "initrd",	required_argument,	NULL, OPT_INITRD },
	{ "append",	required_argument,	NULL, OPT_APPEND },
	{ "memory",	required_argument,	NULL, OPT_MEMORY },
	{ "vps",	required_argument,	NULL, OPT_VPS },
	{ "serial",	required_argument,	NULL, OPT_SERIAL },
	{ "name",	required_argument,	NULL, OPT_NAME },
	{ "detach",	no_argument,		NULL, OPT_DETACH },
	{ "no-reboot",	no_argument,		NULL, OPT_NO_REBOOT },
	{ "debug-exit",	no_argument,		NULL, OPT_DEBUG_EXIT },
	{ "test-device",	no_argument,		NULL, OPT_TEST_DEVICE },
	{ "hv",		required_argument,	NULL, OPT_HV },
	{ "vmbus",	required_argument,	NULL, OPT_VMBUS },
	{ "vsock",	required_argument,	NULL, OPT_VSOCK },
	{ "vsock-cid",	required_argument,	NULL, OPT_VSOCK_CID },
	{ "disk",	required_argument,	NULL, OPT_DISK },
	{ "dvd",	required_argument,	NULL, OPT_DVD },
	{ "net",	required_argument,	NULL, OPT_NET },
	{ "boot-from-disk",	no_argument,	NULL, OPT_BOOT_FROM_DISK },
	{ "device",	required_argument,	NULL, OPT_DEVICE },
	{ "user",	required_argument,	NULL, OPT_USER },
	{ "no-sandbox",	no_argument,		NULL, OPT_NO_SANDBOX },
	{ "help",	no_argument,		NULL, OPT_HELP },
	{ 0 },
};

int parse_size(const char *text, u64 *bytes, struct failure *why)
{
	unsigned int shift = 0;
	char *end;

	errno = 0;
	*bytes = strtoull(text, &end, 0);
	switch (*end) {
	case 'k': case 'K':
		shift = 10;
		break;
	case 'm': case 'M':
		shift = 20;
		break;
	case 'g': case 'G':
		shift = 30;
		break;
	}
	if (shift)
		end++;
	if (errno || end == text || *end || *text == '-' || *bytes > ~0ull >> (shift + 8))
		return fail(why, OVID_X_USAGE,
			    "--memory %s is no size; give bytes, or a number with K, M or G", text);
	*bytes <<= shift;
	if (!*bytes)
		return fail(why, OVID_X_USAGE, "--memory 0: a guest needs memory; try 512M");
	if (*bytes % OVID_PAGE_SIZE)
		return fail(why, OVID_X_USAGE,
			    "--memory %s is no multiple of the 4096-byte page%s", text,
			    shift ? "" : "; did you mean M or G?");
	if (*bytes < LOAD_MIN_MEMORY)
		return fail(why, OVID_X_USAGE,
			    "--memory %s is too small, the least is 2M; did you mean M or G?", text);
	return 0;
}

static int parse_vps(const char *text, u32 *vps, struct failure *why)
{
	char *end;
	unsigned long n;

	errno = 0;
	n = strtoul(text, &end, 10);
	if (errno || end == text || *end || !n || n > WORKER_MAX_VPS || *text == '-')
		return fail(why, OVID_X_USAGE, "--vps %s: give a number from 1 to %u", text,
			    WORKER_MAX_VPS);
	*vps = n;
	return 0;
}

/* 0 to 2 are the hypervisor, the machine itself and the host; the last one is "any" */
static int parse_cid(const char *text, u32 *cid, struct failure *why)
{
	unsigned long long n;
	char *end;

	errno = 0;
	n = strtoull(text, &end, 10);
	if (errno || end == text || *end || *text == '-' || n < 3 || n >= UINT32_MAX)
		return fail(why, OVID_X_USAGE, "--vsock-cid %s: give a number from 3 to %u", text,
			    UINT32_MAX - 1);
	*cid = n;
	return 0;
}

static int add_initrd(struct run_options *o, const char *path, struct failure *why)
{
	if (o->config.nr_modules == LOAD_MAX_MODULES)
		return fail(why, OVID_X_USAGE, "at most %u times --initrd", LOAD_MAX_MODULES);
	o->initrd[o->config.nr_modules++] = path;
	return 0;
}

static int set_cmdline(struct run_options *o, const char *text, struct failure *why)
{
	if (strlen(text) >= sizeof(o->config.cmdline))
		return fail(why, OVID_X_USAGE, "--append takes at most %zu characters",
			    sizeof(o->config.cmdline) - 1);
	strcpy(o->config.cmdline, text);
	return 0;
}

static int set_name(struct run_options *o, const char *name, struct failure *why)
{
	if (!ctl_name_ok(name))
		return fail(why, OVID_X_USAGE,
			    "--name %s: letters, digits, '-', '_' and '.', at most 31", name);
	snprintf(o->config.name, sizeof(o->config.name), "%s", name);
	o->named = true;
	return 0;
}

static int take_option(struct run_options *o, int opt, char *arg, struct failure *why)
{
	switch (opt) {
	case OPT_KERNEL:
		o->kernel = arg;
		return 0;
	case OPT_INITRD:
		return add_initrd(o, arg, why);
	case OPT_APPEND:
		return set_cmdline(o, arg, why);
	case OPT_MEMORY:
		return parse_size(arg, &o->config.memory, why);
	case OPT_VPS:
		return parse_vps(arg, &o->config.vps, why);
	case OPT_SERIAL:
		o->serial = arg;
		return 0;
	case OPT_NAME:
		return set_name(o, arg, why);
	case OPT_DETACH:
		o->detach = true;
		o->config.flags |= WORKER_DETACHED;
		return 0;
	case OPT_NO_REBOOT:
		o->config.flags |= WORKER_NO_REBOOT;
		return 0;
	case OPT_DEBUG_EXIT:
		o->config.flags |= WORKER_DEBUG_EXIT;
		return 0;
	case OPT_TEST_DEVICE:
		o->config.flags |= WORKER_TEST_DEVICE;
		return 0;
	case OPT_HV:
		return hv_parse(&o->config.hv, arg, why);
	case OPT_VMBUS:
		return vmbus_parse(arg, &o->config.vmbus, why);
	case OPT_VSOCK:
		o->vsock = arg;
		return 0;
	case OPT_VSOCK_CID:
		return parse_cid(arg, &o->config.vsock_cid, why);
	case OPT_DISK:
		return disks_parse(o, "--disk", arg, why);
	case OPT_DVD:
		return disks_parse(o, "--dvd", arg, why);
	case OPT_NET:
		return nets_parse(o, arg, why);
	case OPT_BOOT_FROM_DISK:
		o->boot = true;
		return 0;
	case OPT_NO_SANDBOX:
		o->config.flags |= WORKER_NO_SANDBOX;
		return 0;
	case OPT_DEVICE:
		o->device = arg;
		return 0;
	case OPT_USER:
		o->user = arg;
		return 0;
	case OPT_HELP:
	case 'h':
		o->help = true;
		return 0;
	default:
		return fail(why, OVID_X_USAGE, "%s %s; see `ovid run --help`", arg,
			    opt == ':' ? "lacks its value" : "is no option of ovid run");
	}
}

/* Root's workers become nobody, or whom --user names; others stay who they are. */
static int choose_user(struct run_options *o, struct failure *why)
{
	struct passwd *pw;

	o->config.owner = getuid();
	o->config.run_uid = o->config.run_gid = 65534;
	if (!o->user)
		return 0;
	if (geteuid() != 0)
		return fail(why, OVID_X_USAGE, "--user is for root: others' VMs run as themselves");
	pw = getpwnam(o->user);
	if (!pw || !pw->pw_uid)
		return fail(why, OVID_X_USAGE, "--user %s: %s", o->user,
			    pw ? "a VM does not run as root" : "there is no such user");
	o->config.run_uid = pw->pw_uid;
	o->config.run_gid = pw->pw_gid;
	return 0;
}

static int check_boot(const struct run_options *o, struct failure *why)
{
	if (!o->boot)
		return o->kernel ? 0 : fail(why, OVID_X_USAGE,
			"--kernel or --boot-from-disk is missing; see `ovid run --help`");
	if (o->kernel || o->config.nr_modules)
		return fail(why, OVID_X_USAGE, "--boot-from-disk finds kernel and initrd by itself: not with %s",
			    o->kernel ? "--kernel" : "--initrd");
	if (!o->config.disks.nr)
		return fail(why, OVID_X_USAGE, "--boot-from-disk needs a --disk with a system on it");
	if (o->config.disks.config[0].dvd)
		return fail(why, OVID_X_USAGE,
			    "--boot-from-disk boots a --disk, which has to come before --dvd");
	return 0;
}

static int check(struct run_options *o, struct failure *why)
{
	int ret;

	ret = check_boot(o, why);
	if (ret)
		return ret;
	if (o->detach && !o->named)
		return fail(why, OVID_X_USAGE, "--detach needs a --name to find the VM by");
	if (o->detach && o->serial && !strcmp(o->serial, "stdio"))
		return fail(why, OVID_X_USAGE,
			    "--detach leaves no stdio; use `ovid console %s` or --serial file:PATH",
			    o->config.name);
	if ((o->vsock || o->config.vsock_cid) && o->config.vmbus.version == VMBUS_OFF)
		return fail(why, OVID_X_USAGE, "%s needs the VMBus, which --vmbus off takes away",
			    o->vsock ? "--vsock" : "--vsock-cid");
	if (o->vsock && o->config.vsock_cid)
		return fail(why, OVID_X_USAGE,
			    "the guest's sockets are Unix sockets (--vsock) or the host's (--vsock-cid), not both");
	if (o->config.disks.nr && o->config.vmbus.version == VMBUS_OFF)
		return fail(why, OVID_X_USAGE, "%s needs the VMBus, which --vmbus off takes away",
			    o->disk[0].option);
	if (nets_count(&o->config.nets) && o->config.vmbus.version == VMBUS_OFF)
		return fail(why, OVID_X_USAGE, "--net needs the VMBus, which --vmbus off takes away");
	ret = disks_place(o, why);
	if (ret)
		return ret;
	if (!o->serial)
		o->serial = o->detach ? "none" : "stdio";
	if (!o->named)
		snprintf(o->config.name, sizeof(o->config.name), "vm%d", getpid());
	ret = nets_place(o, why);
	return ret ?: choose_user(o, why);
}

int run_parse(int argc, char **argv, struct run_options *o, struct failure *why)
{
	int opt, ret = 0;

	*o = (struct run_options){
		.device = VID_DEVICE,
		.config = { .size = sizeof(o->config), .memory = DEFAULT_MEMORY, .vps = 1 },
	};
	nets_none(&o->config.nets);
	opterr = 0;
	optind = 1;
	while (!ret && (opt = getopt_long(argc, argv, ":h", options, NULL)) != -1)
		ret = take_option(o, opt, opt == ':' || opt == '?' ? argv[optind - 1] : optarg,
				  why);
	if (ret || o->help)
		return ret;
	if (optind < argc)
		return fail(why, OVID_X_USAGE, "%s: unexpected; see `ovid run --help`", argv[optind]);
	return check(o, why);
}
