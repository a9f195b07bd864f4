// SPDX-License-Identifier: GPL-2.0-only
/*
 * hostinit - process 1 of the test host.
 *
 * Mounts, loads modules, runs COMMAND with its standard output and error sent in
 * frames through port 0xe9, removes the module again, sends the kernel log and
 * the result files, and stops the emulator.  What to do lies in /.host/ (written
 * by selftests/host/run): files of zero-terminated strings, one a word.
 *	argv, env	COMMAND and its environment
 *	modules		modules to insert: path, parameters (pairs)
 *	remove		modules to remove at the end, in this order
 *	out		files to send back
 *	stdin		standard input, if it was a file
 *	flags		words: live, tty ROWSxCOLS, kmemleak
 */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <net/if.h>
#include <poll.h>
#include <signal.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/io.h>
#include <sys/ioctl.h>
#include <sys/mount.h>
#include <sys/signalfd.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/utsname.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "frame.h"

#define HOST "/.host/"
#define PORT_OUT 0xe9
#define PORT_IN 0xea
#define PORT_EXIT 0x8900

static char buf[FRAME_MAX];

/* ---- the channel ---------------------------------------------------------- */

static void put_raw(const void *p, size_t n)
{
	/* the C library's outsb() does not tell the compiler that it reads memory */
	asm volatile("rep outsb" : "+S"(p), "+c"(n) : "d"(PORT_OUT) : "memory");
}

static void put_header(enum frame_type type, size_t len)
{
	struct frame_header h = { .type = type, .len = len };

	memcpy(h.magic, FRAME_MAGIC, sizeof(h.magic));
	put_raw(&h, sizeof(h));
}

static void put_frame(enum frame_type type, const void *p, size_t len)
{
	put_header(type, len);
	put_raw(p, len);
	inb(PORT_OUT);		/* the emulator flushes its buffer */
}

static void note(const char *fmt, ...)
{
	char text[512];
	va_list ap;
	int n;

	va_start(ap, fmt);
	n = vsnprintf(text, sizeof(text), fmt, ap);
	va_end(ap);
	if (n >= (int)sizeof(text))
		n = sizeof(text) - 1;
	put_frame(FRAME_NOTE, text, n);
}

static void stop(int status)
{
	int32_t s = status;

	sync();
	put_frame(FRAME_EXIT, &s, sizeof(s));
	for (const char *p = "Shutdown"; *p; p++)
		outb(*p, PORT_EXIT);
	for (;;)
		pause();
}

/* ---- word lists ------------------------------------------------------------ */

/* The strings of a file in /.host/ as a NULL-terminated vector; empty if none. */
static char **words(const char *name)
{
	char path[64], **v = calloc(1, sizeof(*v));
	size_t len = 0, n = 0;
	char *text = NULL;
	ssize_t got;
	int fd;

	snprintf(path, sizeof(path), HOST "%s", name);
	fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		return v;
	do {
		text = realloc(text, len + 4097);
		got = read(fd, text + len, 4096);
		if (got > 0)
			len += got;
	} while (got > 0);
	close(fd);
	text[len] = 0;
	for (char *p = text; p < text + len; p += strlen(p) + 1) {
		v = realloc(v, (n + 2) * sizeof(*v));
		v[n++] = p;
	}
	v[n] = NULL;
	return v;
}

static const char *flag(char **flags, const char *name)
{
	for (; *flags; flags++)
		if (!strncmp(*flags, name, strlen(name)))
			return *flags + strlen(name);
	return NULL;
}

/* ---- set up ------------------------------------------------------------------ */

static void mounts(void)
{
	static const char *const m[][2] = {
		{ "proc", "/proc" }, { "sysfs", "/sys" }, { "devtmpfs", "/dev" },
		{ "devpts", "/dev/pts" }, { "tmpfs", "/dev/shm" },
		{ "debugfs", "/sys/kernel/debug" }, { "tracefs", "/sys/kernel/tracing" },
		{ "cgroup2", "/sys/fs/cgroup" }, { "hugetlbfs", "/dev/hugepages" },
	};

	for (size_t i = 0; i < sizeof(m) / sizeof(*m); i++) {
		mkdir(m[i][1], 0755);
		mount(m[i][0], m[i][1], m[i][0], 0, NULL);
	}
	symlink("/proc/self/fd", "/dev/fd");
	symlink("/proc/self/fd/0", "/dev/stdin");
	symlink("/proc/self/fd/1", "/dev/stdout");
	symlink("/proc/self/fd/2", "/dev/stderr");
	chmod("/dev/shm", 01777);
	chmod("/tmp", 01777);
}

static void loopback_up(void)
{
	struct ifreq r = { .ifr_name = "lo", .ifr_flags = IFF_UP };
	int s = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);

	ioctl(s, SIOCSIFFLAGS, &r);
	close(s);
}

/* Lockdep's proofs: off while the kernel boots (see run) and kmemleak scans. */
static void prove_locking(const char *on)
{
	int fd = open("/proc/sys/kernel/prove_locking", O_WRONLY | O_CLOEXEC);

	if (fd >= 0 && write(fd, on, 1) != 1)
		note("prove_locking: %s", strerror(errno));
	close(fd);
}

static bool insert(const char *path, const char *params)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	bool ok = fd >= 0 && !syscall(SYS_finit_module, fd, params, 0);

	if (!ok && errno != EEXIST) {
		note("insmod %s %s: %s", path, params, strerror(errno));
		return false;
	}
	close(fd);
	return true;
}

/* ---- COMMAND ------------------------------------------------------------------- */

struct child {
	pid_t pid;
	int out, err;		/* read ends; out is the pty master if tty */
	int in;			/* write end of its live standard input, or -1 */
	bool tty;
};

static int open_stdin(bool live, int *writer)
{
	int p[2], fd;

	*writer = -1;
	if (live) {
		if (pipe2(p, O_CLOEXEC))
			return -1;
		fcntl(p[1], F_SETFL, O_NONBLOCK);
		*writer = p[1];
		return p[0];
	}
	fd = open(HOST "stdin", O_RDONLY | O_CLOEXEC);
	return fd >= 0 ? fd : open("/dev/null", O_RDONLY | O_CLOEXEC);
}

static void child_exec(char **argv, char **env, int in, int out, int err, bool tty)
{
	sigset_t none;

	setsid();
	if (tty)
		ioctl(in, TIOCSCTTY, 0);
	dup2(in, 0);
	dup2(out, 1);
	dup2(err, 2);
	sigemptyset(&none);
	sigprocmask(SIG_SETMASK, &none, NULL);
	signal(SIGPIPE, SIG_DFL);
	environ = env;
	if (chdir("/host"))
		_exit(126);
	execvp(argv[0], argv);
	dprintf(2, "%s: %s\n", argv[0], strerror(errno));
	_exit(errno == ENOENT ? 127 : 126);
}

static bool open_pty(int *master, int *slave, const char *size)
{
	struct winsize w = { 0 };

	*master = open("/dev/ptmx", O_RDWR | O_CLOEXEC | O_NOCTTY);
	if (*master < 0 || unlockpt(*master))
		return false;
	*slave = open(ptsname(*master), O_RDWR | O_CLOEXEC | O_NOCTTY);
	if (sscanf(size, "%hux%hu", &w.ws_row, &w.ws_col) == 2)
		ioctl(*master, TIOCSWINSZ, &w);
	return *slave >= 0;
}

static void start(struct child *c, char **argv, char **env, char **flags)
{
	const char *tty = flag(flags, "tty ");
	int in, out[2] = { -1, -1 }, err[2] = { -1, -1 };

	c->tty = tty && open_pty(&out[0], &out[1], tty);
	if (c->tty) {
		in = err[1] = out[1];
		c->in = fcntl(out[0], F_DUPFD_CLOEXEC, 0);
		fcntl(c->in, F_SETFL, O_NONBLOCK);
	} else {
		in = open_stdin(flag(flags, "live"), &c->in);
		if (pipe2(out, O_CLOEXEC) || pipe2(err, O_CLOEXEC))
			note("pipe: %s", strerror(errno));
	}
	c->pid = fork();
	if (!c->pid)
		child_exec(argv, env, in, out[1], err[1], c->tty);
	c->out = out[0];
	c->err = err[0];
	fcntl(c->out, F_SETFL, O_NONBLOCK);
	fcntl(c->err, F_SETFL, O_NONBLOCK);
	close(in);
	close(out[1]);
	close(err[1]);
}

/* Send what is there; false at the end of it. */
static bool forward(int fd, enum frame_type type)
{
	ssize_t n = read(fd, buf, sizeof(buf));

	if (n > 0)
		put_frame(type, buf, n);
	return n > 0 || (n < 0 && (errno == EAGAIN || errno == EINTR));
}

static void drain(int fd, enum frame_type type)
{
	ssize_t n;

	while (fd >= 0 && (n = read(fd, buf, sizeof(buf))) > 0)
		put_frame(type, buf, n);
}

/* Give COMMAND what standard input has; close it at its end. */
static void feed(struct child *c)
{
	static unsigned char in[4096];
	static size_t pos, len;
	static bool end;
	unsigned int v;
	ssize_t n;

	if (pos == len && !end) {
		for (pos = len = 0; len < sizeof(in); in[len++] = v) {
			v = inl(PORT_IN);
			if (v > 0xff) {
				end = v != INPUT_NONE;
				break;
			}
		}
	}
	if (pos < len) {
		n = write(c->in, in + pos, len - pos);
		if (n > 0)
			pos += n;
		else if (n < 0 && errno != EAGAIN)
			end = true, pos = len;
	}
	if (pos == len && end) {
		if (c->tty)
			write(c->in, "\x04", 1);
		close(c->in);
		c->in = -1;
	}
}

/* Wait for COMMAND while passing its output on; its status as a shell's. */
static int pump(struct child *c, int sigfd)
{
	struct signalfd_siginfo si;
	int status, result = -1;
	pid_t pid;

	while (result < 0) {
		struct pollfd p[] = {
			{ sigfd, POLLIN, 0 }, { c->out, POLLIN, 0 }, { c->err, POLLIN, 0 },
		};

		poll(p, 3, c->in >= 0 ? 10 : -1);
		if (p[1].revents && !forward(c->out, FRAME_OUT))
			close(c->out), c->out = -1;
		if (p[2].revents && !forward(c->err, FRAME_ERR))
			close(c->err), c->err = -1;
		if (c->in >= 0)
			feed(c);
		if (!p[0].revents)
			continue;
		read(sigfd, &si, sizeof(si));
		while ((pid = waitpid(-1, &status, WNOHANG)) > 0)
			if (pid == c->pid)
				result = WIFSIGNALED(status) ? 128 + WTERMSIG(status) : WEXITSTATUS(status);
	}
	drain(c->out, FRAME_OUT);
	drain(c->err, FRAME_ERR);
	return result;
}

/* ---- afterwards -------------------------------------------------------------------- */

static void nap(int ms)
{
	struct timespec t = { ms / 1000, ms % 1000 * 1000000L };

	nanosleep(&t, NULL);
}

static void kill_all(void)
{
	kill(-1, SIGKILL);
	while (waitpid(-1, NULL, 0) > 0)
		;
}

static bool loaded(const char *name)
{
	char path[128];

	snprintf(path, sizeof(path), "/sys/module/%s/initstate", name);
	return !access(path, F_OK);
}

/* A module that does not go within a second (of the host's time) is in use still. */
static void remove_modules(char **names)
{
	for (; *names; names++) {
		int tries = 100, rc = 0;

		while (loaded(*names) && (rc = syscall(SYS_delete_module, *names, O_NONBLOCK)) && --tries)
			nap(10);
		if (rc)
			note("rmmod %s: %s", *names, strerror(errno));
	}
}

static void write_word(int fd, const char *word)
{
	if (write(fd, word, strlen(word)) < 0)
		note("kmemleak %s: %s", word, strerror(errno));
}

/* It reports what is older than 5 s and was not found (unchanged) by two scans. */
static void kmemleak(void)
{
	int fd = open("/sys/kernel/debug/kmemleak", O_RDWR | O_CLOEXEC);
	ssize_t n;

	if (fd < 0) {
		note("no kmemleak in this kernel");
		return;
	}
	prove_locking("0");
	nap(5100);
	write_word(fd, "scan");
	write_word(fd, "scan");
	while ((n = read(fd, buf, sizeof(buf))) > 0)
		put_frame(FRAME_LEAK, buf, n);
	close(fd);
}

static void send_log(void)
{
	int fd = open("/dev/kmsg", O_RDONLY | O_NONBLOCK | O_CLOEXEC);
	ssize_t n;

	while ((n = read(fd, buf, sizeof(buf))) > 0 || (n < 0 && errno == EPIPE))
		if (n > 0)
			put_frame(FRAME_KMSG, buf, n);
	close(fd);
}

static void send_file(uint32_t index, const char *path)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	ssize_t n;

	if (fd < 0) {
		note("--out %s: %s", path, strerror(errno));
		return;
	}
	put_frame(FRAME_FILE, &index, sizeof(index));
	while ((n = read(fd, buf, sizeof(buf) - sizeof(index))) > 0) {
		put_header(FRAME_DATA, n + sizeof(index));
		put_raw(&index, sizeof(index));
		put_raw(buf, n);
	}
	close(fd);
}

static void say_start(void)
{
	struct utsname u;
	int n;

	uname(&u);
	n = snprintf(buf, sizeof(buf), "%s, %ld CPU(s), tsc %llu", u.release,
		     sysconf(_SC_NPROCESSORS_ONLN), __builtin_ia32_rdtsc());
	put_frame(FRAME_START, buf, n);
}

int main(void)
{
	struct child c = { .in = -1 };
	char **flags, **modules, **out;
	int status, sigfd;
	bool ready = true;
	sigset_t set;

	if (iopl(3))
		return 1;
	mounts();
	loopback_up();
	prove_locking("1");
	sethostname("testhost", 8);
	signal(SIGPIPE, SIG_IGN);
	sigemptyset(&set);
	sigaddset(&set, SIGCHLD);
	sigprocmask(SIG_BLOCK, &set, NULL);
	sigfd = signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK);
	flags = words("flags");
	for (modules = words("modules"); ready && modules[0] && modules[1]; modules += 2)
		ready = insert(modules[0], modules[1]);
	say_start();
	if (ready) {
		start(&c, words("argv"), words("env"), flags);
		status = pump(&c, sigfd);
	} else {
		status = 125;
	}
	kill_all();
	remove_modules(words("remove"));
	out = words("out");
	for (uint32_t i = 0; out[i]; i++)
		send_file(i, out[i]);
	if (flag(flags, "kmemleak"))
		kmemleak();
	send_log();
	stop(status);
}
