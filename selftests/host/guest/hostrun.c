// SPDX-License-Identifier: GPL-2.0-only
/*
 * hostrun - run the emulator and be its other end: take the frames of hostinit.c
 * apart, pass standard input in, keep the time limit, judge the kernel log.
 *
 *	hostrun [options] -- EMULATOR ARGUMENTS...
 *	-t SECONDS	time limit
 *	-w FOLDER	working folder: serial.out (the console), dmesg, emulator.log
 *	-i live|tty	standard input is passed on as it comes, or is a terminal
 *	-o FILE		where the next --out file goes
 *	-a		kernel splats are allowed
 *	-v		show console and kernel log
 *
 *	-j		only judge the kernel log on standard input: 99 if it has a splat
 *
 * Exit status: COMMAND's; 99 splat; 124 time limit; 125 the host did not get as far.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <termios.h>
#include <time.h>
#include <unistd.h>

#include "frame.h"

#define STATUS_SPLAT 99
#define STATUS_TIMEOUT 124
#define STATUS_HOST 125
#define TTY_ESCAPE 0x1d		/* Ctrl-] */
#define MAX_OUT 64

static const char *work = ".";
static const char *out_path[MAX_OUT];
static int out_fd[MAX_OUT];
static unsigned int outs, notes;
static bool verbose, allow_splat;
static FILE *dmesg;
static int status = -1;		/* COMMAND's, once known */
static volatile sig_atomic_t caught;

/* ---- small things ------------------------------------------------------------ */

static double now(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return t.tv_sec + t.tv_nsec / 1e9;
}

static void write_all(int fd, const void *p, size_t n)
{
	while (n) {
		ssize_t w = write(fd, p, n);

		if (w < 0 && errno == EINTR)
			continue;
		if (w < 0)
			return;		/* the reader is gone: its affair */
		p = (const char *)p + w;
		n -= w;
	}
}

static FILE *work_file(const char *name, const char *mode)
{
	char path[4096];

	snprintf(path, sizeof(path), "%s/%s", work, name);
	return fopen(path, mode);
}

/* ---- the kernel log -------------------------------------------------------------- */

/* Does a line of the kernel log tell of a fault of the kernel? */
static bool is_splat(const char *line)
{
	static const char *const bad[] = {
		"BUG: ", "BUG kmalloc", "WARNING: ", "Oops", "kernel BUG at", "KASAN: ", "UBSAN: ",
		"Kernel panic", "INFO: task ", "INFO: rcu", "INFO: possible", "INFO: trying to register",
		"ODEBUG: ", "refcount_t: ", "list_add corruption", "list_add double add", "list_del corruption",
		"soft lockup", "hard LOCKUP", "hard lockup", "workqueue lockup", "detected stalls",
		"self-detected stall", "unchecked MSR access", "double fault", "Bad page state",
		"Bad rss-counter", "kmemleak: Cannot", "scheduling while atomic", "stack guard page",
	};
	static const char *const harmless[] = { "WARNING: Spectre", "Oops=panic" };

	for (size_t i = 0; i < sizeof(harmless) / sizeof(*harmless); i++)
		if (strstr(line, harmless[i]))
			return false;
	for (size_t i = 0; i < sizeof(bad) / sizeof(*bad); i++)
		if (strstr(line, bad[i]))
			return true;
	return false;
}

/* "prio,seq,usec,flags;text\n key=value\n" to "[sec.usec] text\n" */
static void log_record(char *rec, size_t len)
{
	unsigned long long usec = 0;
	char *text = memchr(rec, ';', len), *end;

	if (!text)
		return;
	sscanf(rec, "%*u,%*u,%llu", &usec);
	end = memchr(text, '\n', rec + len - text);
	fprintf(dmesg, "[%5llu.%06llu] %.*s\n", usec / 1000000, usec % 1000000,
		(int)((end ? end : rec + len) - text - 1), text + 1);
}

/*
 * Print the log from its first splat on, and two lines before it (a warning's own
 * words stand before "WARNING:"); was there one?
 */
static bool show_splat(const char *name)
{
	FILE *f = work_file(name, "r");
	char *line[3] = { 0 };
	size_t cap[3] = { 0 };
	int n = 0, shown = 0;

	for (; f && getline(&line[n % 3], &cap[n % 3], f) > 0; n++) {
		if (!shown && !is_splat(line[n % 3]))
			continue;
		if (!shown)
			fprintf(stderr, "testhost: the kernel complained:\n%s%s", n > 1 ? line[(n - 2) % 3] : "",
				n > 0 ? line[(n - 1) % 3] : "");
		if (++shown <= 120)
			fputs(line[n % 3], stderr);
	}
	for (int i = 0; i < 3; i++)
		free(line[i]);
	if (f)
		fclose(f);
	return shown;
}

static void show_tail(const char *name, int lines)
{
	FILE *f = work_file(name, "r");
	char *ring[100] = { 0 };
	size_t cap[100] = { 0 };
	int n = 0;

	while (f && getline(&ring[n % lines], &cap[n % lines], f) > 0)
		n++;
	if (f)
		fclose(f);
	for (int i = n > lines ? n - lines : 0; i < n; i++)
		fprintf(stderr, "  | %s", ring[i % lines]);
}

/* ---- frames ------------------------------------------------------------------------ */

static void file_frame(enum frame_type type, const char *p, size_t len)
{
	uint32_t i;

	if (len < sizeof(i))
		return;
	memcpy(&i, p, sizeof(i));
	if (i >= outs)
		return;
	if (type == FRAME_FILE) {
		out_fd[i] = open(out_path[i], O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0666);
		if (out_fd[i] < 0) {
			fprintf(stderr, "testhost: %s: %s\n", out_path[i], strerror(errno));
			notes++;
		}
	} else if (out_fd[i] >= 0) {
		write_all(out_fd[i], p + sizeof(i), len - sizeof(i));
	}
}

static void frame(enum frame_type type, char *p, size_t len)
{
	int32_t s;

	switch (type) {
	case FRAME_START:
		if (verbose)
			fprintf(stderr, "testhost: %.*s\n", (int)len, p);
		break;
	case FRAME_OUT:
		write_all(STDOUT_FILENO, p, len);
		break;
	case FRAME_ERR:
		write_all(STDERR_FILENO, p, len);
		break;
	case FRAME_KMSG:
		log_record(p, len);
		break;
	case FRAME_LEAK:
		fprintf(dmesg, "BUG: memory leak (kmemleak):\n%.*s\n", (int)len, p);
		break;
	case FRAME_NOTE:
		fprintf(stderr, "testhost: %.*s\n", (int)len, p);
		notes++;
		break;
	case FRAME_FILE:
	case FRAME_DATA:
		file_frame(type, p, len);
		break;
	case FRAME_EXIT:
		if (len == sizeof(s)) {
			memcpy(&s, p, sizeof(s));
			status = s;
		}
		break;
	}
}

/* Read what is there and act on each whole frame; false at the end. */
static bool take(int fd)
{
	static char buf[2 * (FRAME_MAX + sizeof(struct frame_header))];
	static size_t have;
	struct frame_header h;
	ssize_t n = read(fd, buf + have, sizeof(buf) - have);
	size_t at = 0;

	if (n <= 0)
		return n < 0 && (errno == EINTR || errno == EAGAIN);
	have += n;
	while (have - at >= sizeof(h)) {
		memcpy(&h, buf + at, sizeof(h));
		if (memcmp(h.magic, FRAME_MAGIC, sizeof(h.magic)) || h.len > FRAME_MAX) {
			fputc(buf[at++], stderr);	/* the ROM's own words */
			continue;
		}
		if (have - at < sizeof(h) + h.len)
			break;
		frame(h.type, buf + at + sizeof(h), h.len);
		at += sizeof(h) + h.len;
	}
	memmove(buf, buf + at, have -= at);
	return true;
}

/* ---- the emulator ---------------------------------------------------------------------- */

static pid_t start(char **argv, int out, int in)
{
	pid_t pid = fork();
	char n[16];
	int fd;

	if (pid)
		return pid;
	setpgid(0, 0);		/* Ctrl-C is for us; we end it */
	prctl(PR_SET_PDEATHSIG, SIGKILL);
	fcntl(out, F_SETFD, 0);
	snprintf(n, sizeof(n), "%d", out);
	setenv("BOCHS_E9_OUT", n, 1);
	if (in >= 0) {
		fcntl(in, F_SETFD, 0);
		snprintf(n, sizeof(n), "%d", in);
		setenv("BOCHS_EA_IN", n, 1);
	}
	if (chdir(work))
		_exit(126);
	fd = open("emulator.log", O_WRONLY | O_CREAT | O_TRUNC, 0666);
	dup2(fd, 1);
	dup2(fd, 2);
	fd = open("/dev/null", O_RDONLY);
	dup2(fd, 0);
	execv(argv[0], argv);
	_exit(127);
}

static void on_signal(int sig)
{
	caught = sig;
}

static struct termios saved;
static bool raw;

static void restore_terminal(void)
{
	if (raw)
		tcsetattr(0, TCSAFLUSH, &saved);
}

static void raw_terminal(void)
{
	struct termios t;

	if (tcgetattr(0, &saved))
		return;
	t = saved;
	cfmakeraw(&t);
	raw = !tcsetattr(0, TCSAFLUSH, &t);
	atexit(restore_terminal);
}

/* Standard input to the emulator's pipe; false when there is no more to pass. */
static bool pass_input(int to)
{
	char b[4096];
	ssize_t n = read(0, b, sizeof(b));

	if (n <= 0)
		return n < 0 && errno == EINTR;
	if (raw && memchr(b, TTY_ESCAPE, n)) {
		caught = SIGINT;
		return false;
	}
	write_all(to, b, n);
	return true;
}

/* With -v: what the console has said since the last time. */
static void follow_console(void)
{
	static long at;
	FILE *f = work_file("serial.out", "r");
	char b[4096];
	size_t n;

	if (!f)
		return;
	fseek(f, at, SEEK_SET);
	while ((n = fread(b, 1, sizeof(b), f)) > 0) {
		write_all(STDERR_FILENO, b, n);
		at += n;
	}
	fclose(f);
}

/* Until COMMAND has ended or cannot; why: 0 ended, else the status to give. */
static int loop(int from, int to, double limit)
{
	bool input = to >= 0;

	while (status < 0) {
		/* take input only when there is room for it: never wait for the emulator */
		struct pollfd room = { to, POLLOUT, 0 };
		bool ready = input && poll(&room, 1, 0) > 0;
		struct pollfd p[] = { { from, POLLIN, 0 }, { ready ? 0 : -1, POLLIN, 0 },
				      { input && !ready ? to : -1, POLLOUT, 0 } };
		double left = limit - now();

		if (caught)
			return 128 + caught;
		if (left <= 0)
			return STATUS_TIMEOUT;
		if (verbose)
			follow_console();
		poll(p, 3, verbose ? 100 : left * 1000 + 1);
		if (p[0].revents && !take(from))
			return STATUS_HOST;
		if (p[1].revents && !pass_input(to)) {
			input = false;
			close(to);
		}
	}
	return 0;
}

/* End the emulator; one that was told to stop may close its disks by itself. */
static void finish(pid_t pid, bool stopping)
{
	struct timespec ms = { 0, 1000000 };

	for (int i = 0; stopping && i < 3000; i++) {
		if (waitpid(pid, NULL, WNOHANG) == pid)
			return;
		nanosleep(&ms, NULL);
	}
	kill(pid, SIGKILL);
	waitpid(pid, NULL, 0);
}

static int verdict(int why, double seconds)
{
	bool splat;

	fclose(dmesg);
	if (verbose)
		show_tail("dmesg", 100);
	if (why == STATUS_TIMEOUT)
		fprintf(stderr, "testhost: time limit of %.0f s reached; the console's end:\n", seconds);
	else if (why == STATUS_HOST)
		fputs("testhost: it stopped before COMMAND had ended; the console's end:\n", stderr);
	if (why == STATUS_TIMEOUT || why == STATUS_HOST) {
		show_tail("serial.out", 40);
		show_tail("bochs.log", 2);
	}
	splat = show_splat(why ? "serial.out" : "dmesg");
	if (why > 128)
		return why;
	if (splat && !allow_splat)
		return STATUS_SPLAT;
	if (why)
		return why;
	return notes && !status ? STATUS_SPLAT : status;
}

static int judge(void)
{
	char *line = NULL;
	size_t cap = 0;
	int result = 0;

	while (getline(&line, &cap, stdin) > 0)
		if (is_splat(line))
			result = STATUS_SPLAT;
	free(line);
	return result;
}

int main(int argc, char **argv)
{
	struct sigaction sa = { .sa_handler = on_signal };
	int out[2], in[2] = { -1, -1 }, opt, why;
	const char *input = "none";
	double seconds = 300;
	pid_t pid;

	while ((opt = getopt(argc, argv, "+t:w:i:o:avj")) != -1) {
		switch (opt) {
		case 't': seconds = atof(optarg); break;
		case 'w': work = optarg; break;
		case 'i': input = optarg; break;
		case 'o':
			if (outs < MAX_OUT)
				out_path[outs++] = optarg;
			break;
		case 'a': allow_splat = true; break;
		case 'v': verbose = true; break;
		case 'j': return judge();
		default: return 2;
		}
	}
	memset(out_fd, -1, sizeof(out_fd));
	dmesg = work_file("dmesg", "w");
	if (optind >= argc || !dmesg || pipe2(out, O_CLOEXEC)) {
		perror("hostrun");
		return STATUS_HOST;
	}
	prctl(PR_SET_PDEATHSIG, SIGTERM);
	sigaction(SIGINT, &sa, NULL);
	sigaction(SIGTERM, &sa, NULL);
	sigaction(SIGHUP, &sa, NULL);
	signal(SIGPIPE, SIG_IGN);
	if (strcmp(input, "none") && pipe2(in, O_CLOEXEC))
		return STATUS_HOST;
	if (!strcmp(input, "tty"))
		raw_terminal();
	pid = start(argv + optind, out[1], in[0]);
	close(out[1]);
	if (in[0] >= 0)
		close(in[0]);
	why = loop(out[0], in[1], now() + seconds);
	finish(pid, !why);
	restore_terminal();
	raw = false;
	return verdict(why, seconds);
}
