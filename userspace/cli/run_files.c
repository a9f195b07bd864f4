// SPDX-License-Identifier: GPL-2.0-only
/* run_files.c - opens what a worker will need, since it cannot. */
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include "../lib/ctl.h"
#include "../lib/vid.h"
#include "run.h"

int device_open(const char *path, struct failure *why)
{
	int fd = vid_open(path);

	if (fd == -ENOENT || fd == -ENXIO || fd == -ENODEV)
		return fail(why, OVID_X_HOST,
			    "%s is not there: the module is not loaded; try `modprobe ovid`, and if that fails `dmesg` says why",
			    path);
	if (fd == -EACCES || fd == -EPERM)
		return fail(why, OVID_X_HOST,
			    "no permission for %s; join the group ovid (`usermod -aG ovid USER`) and log in again",
			    path);
	if (fd < 0)
		return fail(why, OVID_X_HOST, "cannot open %s: %s", path, strerror(-fd));
	return fd;
}

static int check_host(struct run_options *o, int device, struct failure *why)
{
	struct ovid_info info;
	int ret = vid_get_info(device, &info);

	if (ret)
		return fail(why, OVID_X_HOST, "%s does not answer as ovid's device: %s; see --device",
			    o->device, strerror(-ret));
	if (info.abi_version != OVID_ABI_VERSION)
		return fail(why, OVID_X_HOST,
			    "the module speaks ABI %u, these tools %u; install them together",
			    info.abi_version, OVID_ABI_VERSION);
	info.reason[sizeof(info.reason) - 1] = 0;
	if (info.blockers)
		return fail(why, OVID_X_HOST, "this host cannot run VMs now: %s (see `ovid info`)",
			    info.reason);
	if (o->config.vps > info.max_vps)
		return fail(why, OVID_X_USAGE, "--vps %u: the module takes at most %u",
			    o->config.vps, info.max_vps);
	if (info.caps & OVID_CAP_X2APIC)
		o->config.flags |= WORKER_X2APIC;
	return 0;
}

static int open_image(const char *path, char *name, struct failure *why)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
	struct stat st;

	if (!*path)
		return fail(why, OVID_X_USAGE, "--kernel and --initrd want a file, not an empty word");
	if (fd < 0)
		return fail(why, OVID_X_USAGE, "cannot open %s: %s", path, strerror(errno));
	if (fstat(fd, &st) || !S_ISREG(st.st_mode)) {
		close(fd);
		return fail(why, OVID_X_USAGE, "%s is not a regular file", path);
	}
	snprintf(name, LOAD_MAX_NAME, "%s", path);
	return fd;
}

static int open_images(struct run_options *o, struct run_files *f, struct failure *why)
{
	if (o->boot)
		return 0;
	f->fd[FILE_KERNEL] = open_image(o->kernel, o->config.kernel_name, why);
	if (f->fd[FILE_KERNEL] < 0)
		return f->fd[FILE_KERNEL];
	for (unsigned int i = 0; i < o->config.nr_modules; i++) {
		int fd = open_image(o->initrd[i], o->config.module_name[i], why);

		if (fd < 0)
			return fd;
		f->fd[FILE_MODULES + i] = fd;
	}
	return 0;
}

/* What a VM left behind that was detached or killed: a socket, and nobody there. */
static bool left_behind(const struct sockaddr_un *sa)
{
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	bool dead = fd >= 0 && connect(fd, (const struct sockaddr *)sa, sizeof(*sa)) &&
		    errno == ECONNREFUSED;
	struct stat st;

	if (fd >= 0)
		close(fd);
	/* a file that is no socket refuses too */
	return dead && !lstat(sa->sun_path, &st) && S_ISSOCK(st.st_mode);
}

static int bind_over(int fd, const struct sockaddr_un *sa)
{
	if (!bind(fd, (const struct sockaddr *)sa, sizeof(*sa)))
		return 0;
	if (errno != EADDRINUSE)
		return -1;
	if (left_behind(sa) && !unlink(sa->sun_path))
		return bind(fd, (const struct sockaddr *)sa, sizeof(*sa));
	errno = EADDRINUSE;
	return -1;
}

/* @option: it is the value of */
static int listen_at(int *fd, const char *option, const char *path, struct failure *why)
{
	struct sockaddr_un sa = { .sun_family = AF_UNIX };

	if (!*path || strlen(path) >= sizeof(sa.sun_path))
		return fail(why, OVID_X_USAGE, "%s%s: the path is %s", option, path,
			    *path ? "too long" : "missing");
	strcpy(sa.sun_path, path);
	*fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	if (*fd < 0)
		return fail(why, OVID_X_HOST, "cannot make a socket: %s", strerror(errno));
	if (bind_over(*fd, &sa))
		return fail(why, OVID_X_USAGE, "cannot listen at %s: %s", path,
			    errno == EADDRINUSE ?
			    "it is in use, or no socket; remove it or give another path" :
			    strerror(errno));
	if (!chmod(path, 0600) && !listen(*fd, 4))
		return 0;
	fail_text(why, "cannot listen at %s: %s", path, strerror(errno));
	unlink(path);
	return fail_status(OVID_X_HOST);
}

static int open_vsock(const struct run_options *o, struct run_files *f, struct failure *why)
{
	char path[PATH_MAX];
	int ret;

	if (!o->vsock)
		return 0;
	f->fd[FILE_VSOCK_DIR] = open(o->vsock, O_PATH | O_DIRECTORY | O_CLOEXEC);
	if (f->fd[FILE_VSOCK_DIR] < 0)
		return fail(why, OVID_X_USAGE, "--vsock %s: %s; give a folder that is there",
			    o->vsock, strerror(errno));
	snprintf(path, sizeof(path), "%s/vsock", o->vsock);
	ret = listen_at(&f->fd[FILE_VSOCK_LISTEN], "--vsock ", path, why);
	if (!ret)
		memcpy(f->vsock, path, strlen(path) + 1);
	return ret;
}

static int open_vsock_device(const struct run_options *o, struct run_files *f, struct failure *why)
{
	int fd;

	if (!o->config.vsock_cid)
		return 0;
	fd = vid_open(VID_VSOCK_DEVICE);
	if (fd == -ENOENT || fd == -ENXIO || fd == -ENODEV)
		return fail(why, OVID_X_HOST,
			    "--vsock-cid: %s is not there; try `modprobe ovid_vsock`, for which vhost_vsock must not be loaded",
			    VID_VSOCK_DEVICE);
	if (fd < 0)
		return fail(why, OVID_X_HOST, "--vsock-cid: cannot open %s: %s", VID_VSOCK_DEVICE,
			    strerror(-fd));
	f->fd[FILE_VSOCK_DEVICE] = fd;
	return 0;
}

static int listen_serial(struct run_files *f, const char *path, struct failure *why)
{
	int ret = listen_at(&f->fd[FILE_SERIAL_LISTEN], "--serial unix:", path, why);

	if (!ret)
		f->listening = path;
	return ret;
}

/* A terminal is relayed by us, who can restore it; anything else is handed over. */
static int open_stdio(struct run_files *f, struct failure *why)
{
	int pair[2];

	if (!isatty(STDIN_FILENO)) {
		f->fd[FILE_SERIAL_IN] = fcntl(STDIN_FILENO, F_DUPFD_CLOEXEC, 0);
		f->fd[FILE_SERIAL_OUT] = fcntl(STDOUT_FILENO, F_DUPFD_CLOEXEC, 0);
		return 0;
	}
	if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair))
		return fail(why, OVID_X_HOST, "cannot make a socket: %s", strerror(errno));
	fcntl(pair[1], F_SETFL, O_NONBLOCK);
	f->console = pair[0];
	f->fd[FILE_SERIAL_IN] = pair[1];
	f->fd[FILE_SERIAL_OUT] = fcntl(pair[1], F_DUPFD_CLOEXEC, 0);
	return 0;
}

static int open_serial(const struct run_options *o, struct run_files *f, struct failure *why)
{
	if (!strcmp(o->serial, "none"))
		return 0;
	if (!strcmp(o->serial, "stdio"))
		return open_stdio(f, why);
	if (!strncmp(o->serial, "file:", 5)) {
		f->fd[FILE_SERIAL_OUT] = open(o->serial + 5,
					      O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644);
		if (f->fd[FILE_SERIAL_OUT] < 0)
			return fail(why, OVID_X_USAGE, "cannot write %s: %s", o->serial + 5,
				    strerror(errno));
		return 0;
	}
	if (!strncmp(o->serial, "unix:", 5))
		return listen_serial(f, o->serial + 5, why);
	return fail(why, OVID_X_USAGE, "--serial %s: give stdio, none, file:PATH or unix:PATH",
		    o->serial);
}

/* A VM that nobody named runs without a control socket when there is no place. */
static int open_control(const struct run_options *o, struct run_files *f, struct failure *why)
{
	f->fd[FILE_CONTROL] = ctl_listen(o->config.name, why);
	if (f->fd[FILE_CONTROL] >= 0) {
		if (!o->detach)
			return 0;
		f->fd[FILE_END] = ctl_end_create(o->config.name, why);
		return f->fd[FILE_END] < 0 ? f->fd[FILE_END] : 0;
	}
	if (o->named)
		return f->fd[FILE_CONTROL];
	f->fd[FILE_CONTROL] = -1;
	return 0;
}

int run_open(struct run_options *o, struct run_files *f, struct failure *why)
{
	int ret;

	f->console = -1;
	f->listening = NULL;
	f->vsock[0] = 0;
	for (unsigned int i = 0; i < WORKER_MAX_FILES; i++)
		f->fd[i] = -1;
	for (unsigned int i = 0; i < o->config.disks.nr; i++)
		o->config.disks.fd[i] = -1;
	ret = open_images(o, f, why);
	if (ret)
		return ret;
	f->fd[FILE_DEVICE] = device_open(o->device, why);
	if (f->fd[FILE_DEVICE] < 0)
		return f->fd[FILE_DEVICE];
	ret = check_host(o, f->fd[FILE_DEVICE], why);
	if (!ret)
		ret = open_serial(o, f, why);
	if (!ret)
		ret = disks_open(o, why);
	if (!ret && o->boot)
		ret = run_boot(o, f, why);
	if (!ret)
		ret = nets_open(o, why);
	if (!ret)
		ret = open_vsock(o, f, why);
	if (!ret)
		ret = open_vsock_device(o, f, why);
	if (!ret)
		ret = open_control(o, f, why);
	return ret;
}

void run_close(struct run_options *o, struct run_files *f)
{
	for (unsigned int i = 0; i < o->config.disks.nr; i++) {
		if (o->config.disks.fd[i] >= 0)
			close(o->config.disks.fd[i]);
		o->config.disks.fd[i] = -1;
	}
	for (unsigned int i = 0; i < o->config.disks.nr_parents; i++)
		close(o->config.disks.parent[i]);
	o->config.disks.nr_parents = 0;
	for (unsigned int i = 0; i < NETS_MAX; i++) {
		if (o->config.nets.fd[i] >= 0)
			close(o->config.nets.fd[i]);
		o->config.nets.fd[i] = -1;
	}
	for (unsigned int i = 0; i < WORKER_MAX_FILES; i++) {
		if (f->fd[i] >= 0)
			close(f->fd[i]);
		f->fd[i] = -1;
	}
}
