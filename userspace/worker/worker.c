// SPDX-License-Identifier: GPL-2.0-only
/*
 * worker.c - the process of one VM.  It opens nothing: its configuration and
 * files come over a socket from `ovid run`.  The order is the security design:
 * files, user, partition, threads, filter, and only then an untrusted byte.
 */
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <unistd.h>

#include "connector.h"
#include "machine.h"
#include "sandbox.h"
#include "vsock.h"
#include "worker.h"

struct start {
	struct worker_config config;
	int fd[WORKER_MAX_FILES];
};

/* files that came with a message: how many */
static unsigned int files_of(struct msghdr *mh, int *fds, unsigned int room)
{
	struct cmsghdr *cm = CMSG_FIRSTHDR(mh);
	unsigned int count;

	if (!cm || cm->cmsg_level != SOL_SOCKET || cm->cmsg_type != SCM_RIGHTS)
		return 0;
	count = (cm->cmsg_len - CMSG_LEN(0)) / sizeof(int);
	if (count > room)
		count = room;
	memcpy(fds, CMSG_DATA(cm), count * sizeof(int));
	return count;
}

static void take_files(struct start *s, struct msghdr *mh)
{
	int from[WORKER_MAX_FILES];
	unsigned int count = files_of(mh, from, WORKER_MAX_FILES), next = 0;

	for (unsigned int i = 0; i < WORKER_MAX_FILES; i++)
		s->fd[i] = -1;
	for (unsigned int i = 0; i < FILE_MODULES && next < count; i++)
		if (s->config.files & BIT(i))
			s->fd[i] = from[next++];
	for (unsigned int i = 0; i < s->config.nr_modules && i < LOAD_MAX_MODULES &&
	     next < count; i++)
		s->fd[FILE_MODULES + i] = from[next++];
}

static bool disk_ok(const struct disk_config *c)
{
	return c->controller < CONTROLLERS_MAX && c->lun < LUNS_MAX &&
	       c->parents + c->nr_parents <= PARENTS_MAX &&
	       !c->serial[OVID_DISK_SERIAL_BYTES] && !c->file[sizeof(c->file) - 1];
}

static bool disks_ok(const struct disks *disks)
{
	if (disks->nr > DISKS_MAX || disks->nr_parents > PARENTS_MAX)
		return false;
	for (unsigned int i = 0; i < disks->nr; i++)
		if (!disk_ok(&disks->config[i]))
			return false;
	return true;
}

static bool nets_ok(const struct nets *nets)
{
	for (unsigned int i = 0; i < NETS_MAX; i++)
		if (!net_config_ok(&nets->config[i]))
			return false;
	return true;
}

static bool config_ok(const struct start *s)
{
	const struct worker_config *c = &s->config;

	if (c->size != sizeof(*c) || c->nr_modules > LOAD_MAX_MODULES)
		return false;
	if (!c->vps || c->vps > WORKER_MAX_VPS || c->memory < LOAD_MIN_MEMORY ||
	    c->memory % OVID_PAGE_SIZE)
		return false;
	if (s->fd[FILE_DEVICE] < 0 || s->fd[FILE_KERNEL] < 0 || !disks_ok(&c->disks) ||
	    !nets_ok(&c->nets))
		return false;
	return !c->name[sizeof(c->name) - 1] && !c->cmdline[sizeof(c->cmdline) - 1];
}

static bool receive_files(int *fds, unsigned int nr)
{
	char control[CMSG_SPACE(WORKER_FILES_AT_ONCE * sizeof(int))];
	unsigned int got = 0, more;
	char byte;

	while (got < nr) {
		struct iovec iov = { &byte, 1 };
		struct msghdr mh = {
			.msg_iov = &iov, .msg_iovlen = 1, .msg_control = control,
			.msg_controllen = sizeof(control),
		};

		if (recvmsg(WORKER_CHANNEL, &mh, MSG_CMSG_CLOEXEC) != 1)
			return false;
		more = files_of(&mh, &fds[got], nr - got);
		if (!more)
			return false;
		got += more;
	}
	return true;
}

/* each has its files, in their order */
static bool receive_disks(struct disks *disks)
{
	return receive_files(disks->fd, disks->nr) &&
	       receive_files(disks->parent, disks->nr_parents);
}

static bool receive_nets(struct nets *nets)
{
	int fd[NETS_MAX];
	unsigned int nr = 0;

	for (unsigned int i = 0; i < NETS_MAX; i++)
		nr += net_has_file(&nets->config[i]);
	if (!receive_files(fd, nr))
		return false;
	nr = 0;
	for (unsigned int i = 0; i < NETS_MAX; i++)
		nets->fd[i] = net_has_file(&nets->config[i]) ? fd[nr++] : -1;
	return true;
}

static int receive(struct start *s, struct failure *why)
{
	char control[CMSG_SPACE(WORKER_MAX_FILES * sizeof(int))];
	struct iovec iov = { &s->config, sizeof(s->config) };
	struct msghdr mh = {
		.msg_iov = &iov, .msg_iovlen = 1, .msg_control = control,
		.msg_controllen = sizeof(control),
	};

	if (recvmsg(WORKER_CHANNEL, &mh, MSG_CMSG_CLOEXEC) != (ssize_t)sizeof(s->config))
		return fail(why, OVID_X_USAGE,
			    "ovid-worker is started by `ovid run`, not by hand");
	take_files(s, &mh);
	if (!config_ok(s) || !receive_disks(&s->config.disks) || !receive_nets(&s->config.nets))
		return fail(why, OVID_X_USAGE, "the worker was given a configuration it cannot use");
	return 0;
}

static void say(u32 says, int status, const char *text)
{
	struct worker_message msg = { .says = says, .status = status };

	snprintf(msg.text, sizeof(msg.text), "%s", text);
	/* a launcher that is gone needs no message */
	if (send(WORKER_CHANNEL, &msg, sizeof(msg), MSG_NOSIGNAL) < 0)
		return;
}

/* Who has the right to make interfaces gets the files of the channels that want one. */
static void say_started(const struct machine *m)
{
	char control[CMSG_SPACE(NETS_MAX * sizeof(int))] = "";
	struct worker_message msg = { .says = WORKER_STARTED };
	struct iovec iov = { &msg, sizeof(msg) };
	struct msghdr mh = { .msg_iov = &iov, .msg_iovlen = 1 };
	int fd[NETS_MAX], nr = vmbus_bare_nets(&m->vmbus, fd);
	struct cmsghdr *cm;

	if (nr) {
		mh.msg_control = control;
		mh.msg_controllen = CMSG_SPACE(nr * sizeof(int));
		cm = CMSG_FIRSTHDR(&mh);
		cm->cmsg_level = SOL_SOCKET;
		cm->cmsg_type = SCM_RIGHTS;
		cm->cmsg_len = CMSG_LEN(nr * sizeof(int));
		memcpy(CMSG_DATA(cm), fd, nr * sizeof(int));
	}
	/* a launcher that is gone needs no message */
	if (sendmsg(WORKER_CHANNEL, &mh, MSG_NOSIGNAL) < 0)
		return;
}

void machine_note(struct machine *m, const char *fmt, ...)
{
	struct worker_message msg = { .says = WORKER_NOTE };
	va_list args;

	(void)m;
	va_start(args, fmt);
	vsnprintf(msg.text, sizeof(msg.text), fmt, args);
	va_end(args);
	/* who does not keep up, or is gone, misses it */
	if (send(WORKER_CHANNEL, &msg, sizeof(msg), MSG_NOSIGNAL | MSG_DONTWAIT) < 0)
		return;
}

static int open_images(struct machine *m, const struct start *s, struct failure *why)
{
	struct boot_files *files = &m->files;
	int ret = image_open(&files->kernel, s->fd[FILE_KERNEL], s->config.kernel_name, why);

	files->nr_modules = s->config.nr_modules;
	memcpy(files->cmdline, s->config.cmdline, sizeof(files->cmdline));
	for (unsigned int i = 0; i < files->nr_modules && !ret; i++)
		ret = image_open(&files->module[i], s->fd[FILE_MODULES + i],
				 s->config.module_name[i], why);
	return ret;
}

/* its process before there is anything that it must not have */
static int start_connector(const struct start *s, struct failure *why)
{
	int ret;

	if (s->fd[FILE_VSOCK_DIR] < 0 || s->fd[FILE_VSOCK_LISTEN] < 0)
		return -1;
	ret = connector_start(s->fd[FILE_VSOCK_DIR], !(s->config.flags & WORKER_NO_SANDBOX), why);
	close(s->fd[FILE_VSOCK_DIR]);
	return ret;
}

static int start_vsock(struct machine *m, const struct start *s, int connector,
		       struct failure *why)
{
	if (connector < 0)
		return 0;
	if (!m->vmbus.there)
		return fail(why, OVID_X_USAGE,
			    "--vsock needs the VMBus: not --vmbus off, nor --hv without synic and messages");
	return vsock_start(&m->vsock, m, s->fd[FILE_VSOCK_LISTEN], connector, why);
}

/* the file stays open: as long as we are there we have the CID */
static int bind_cid(struct machine *m, const struct start *s, struct failure *why)
{
	u32 cid = s->config.vsock_cid;
	int ret;

	if (!cid)
		return 0;
	if (!m->vmbus.there)
		return fail(why, OVID_X_USAGE,
			    "--vsock-cid needs the VMBus: not --vmbus off, nor --hv without synic and messages");
	ret = vid_vsock_bind(s->fd[FILE_VSOCK_DEVICE], m->part, cid);
	if (ret == -EADDRINUSE)
		return fail(why, OVID_X_USAGE, "--vsock-cid %u: it is in use; give another number", cid);
	if (ret)
		return fail(why, OVID_X_HOST, "--vsock-cid %u: %s", cid, strerror(-ret));
	return 0;
}

static int prepare(struct machine *m, struct start *s, struct failure *why)
{
	int ret = sandbox_drop_user(&s->config, why), connector = -1;

	if (!ret && (s->config.files & BIT(FILE_VSOCK_DIR))) {
		connector = start_connector(s, why);
		ret = connector < 0 ? connector : 0;
	}
	if (!ret)
		ret = machine_create(m, &s->config, s->fd[FILE_DEVICE], why);
	if (!ret)
		ret = machine_add_devices(m, why);
	if (!ret)
		ret = machine_start_threads(m, why);
	if (!ret)
		ret = start_vsock(m, s, connector, why);
	if (!ret)
		ret = bind_cid(m, s, why);
	if (ret)
		return ret;
	close(s->fd[FILE_DEVICE]);
	if (s->fd[FILE_SERIAL_IN] >= 0 || s->fd[FILE_SERIAL_OUT] >= 0)
		chario_attach(&m->console, s->fd[FILE_SERIAL_IN], s->fd[FILE_SERIAL_OUT], true);
	if (!(s->config.flags & WORKER_NO_SANDBOX))
		ret = sandbox_filter(why);
	/* images are untrusted too: they are looked at inside the sandbox */
	if (!ret)
		ret = open_images(m, s, why);
	if (!ret)
		ret = machine_boot(m, why);
	return ret;
}

int worker_main(void)
{
	struct machine *m = calloc(1, sizeof(*m));
	struct start *s = calloc(1, sizeof(*s));
	struct failure why = { "" };
	int ret;

	signal(SIGPIPE, SIG_IGN);
	prctl(PR_SET_NAME, WORKER_NAME);	/* else it would be called "exe" */
	if (!m || !s)
		return OVID_X_HOST;
	ret = receive(s, &why);
	if (!ret)
		ret = prepare(m, s, &why);
	if (ret) {
		say(WORKER_ENDED, -ret, why.text);
		return -ret;
	}
	say_started(m);
	machine_release(m);
	ret = machine_loop(m, &(struct machine_files){
		.channel = WORKER_CHANNEL, .control = s->fd[FILE_CONTROL],
		.end = s->fd[FILE_END], .serial = s->fd[FILE_SERIAL_LISTEN],
	});
	say(WORKER_ENDED, ret, m->why.text);
	return ret;
}
