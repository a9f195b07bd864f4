// SPDX-License-Identifier: GPL-2.0-only
/*
 * Measures against leaks by speculation: what is in force, told by the module's
 * parameters, is what is done, told by the statistics.  The job boots with several settings.
 */
#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "lib/ov.h"
#include "lib/tap.h"

#define PARAMETERS	"/sys/module/ovid/parameters/"
#define EXITS		500
#define TURNS		20

/* EAX exits that are handled at once, then one for the worker */
CODE32(exits, "mov %eax, %edi; 1: xor %eax, %eax; cpuid; dec %edi; jnz 1b; 2: out %al, $0xf4; jmp 2b");

enum when { NEVER, COND, ALWAYS };

static char in_force[256];

static bool parameter(const char *name, char *text, size_t size)
{
	char path[128];
	ssize_t n;
	int fd;

	snprintf(path, sizeof(path), PARAMETERS "%s", name);
	fd = open(path, O_RDONLY);
	n = read(fd, text, size - 1);
	close(fd);
	text[n > 0 ? n - 1 : 0] = 0;	/* a new line ends it */
	return n > 1;
}

/* of a measure in the list of those in force */
static enum when when(const char *measure)
{
	const char *at = strstr(in_force, measure);

	if (!at)
		return NEVER;
	at += strlen(measure);
	return strncmp(at, "always", 6) ? COND : ALWAYS;
}

/* what is asked for is in force, where the CPU can */
static void asked(const char *name, const char *measure, bool can)
{
	static const char * const names[] = { "never", "cond", "always" };
	char choice[16];

	tap_ok(parameter(name, choice, sizeof(choice)), "%s=%s", name, choice);
	if (strcmp(choice, "auto"))
		tap_is(strcmp(choice, names[when(measure)]) && can, 0, "and that is in force");
}

static bool flag(const char *name)
{
	FILE *f = fopen("/proc/cpuinfo", "re");
	char line[4096], word[32];
	bool found = false;

	snprintf(word, sizeof(word), " %s ", name);
	while (f && !found && fgets(line, sizeof(line), f)) {
		line[strcspn(line, "\n")] = ' ';
		found = !strncmp(line, "flags", 5) && strstr(line, word);
	}
	if (f)
		fclose(f);
	return found;
}

/* @ends: no more windows than these had an entry */
struct count { int64_t exits, ends, l1d, ibpb; };

static struct count count(int vp)
{
	int stats = ov_ioctl(vp, OVID_GET_STATS_FD, NULL);
	struct count c = {
		ov_stat(stats, "exits"), ov_stat(stats, "entries_slow"),
		ov_stat(stats, "l1d_flushes"), ov_stat(stats, "ibpbs"),
	};

	c.ends += c.exits - ov_stat(stats, "exit_cpuid");
	close(stats);
	return c;
}

static bool turn(struct ov_vm *vm)
{
	int ret;

	while ((ret = ov_run(vm->vp)) == -EINTR)
		;
	return !ret && vm->run->exit == OVID_EXIT_IO;
}

static void flushes(struct ov_vm *vm)
{
	struct count c;

	ov_enter32(vm, exits, CODE_LEN(exits), 0, EXITS);
	tap_ok(turn(vm), "%u exits", EXITS);
	c = count(vm->vp);
	tap_ok(c.exits > EXITS, "%lld are counted, in at most %lld windows", (long long)c.exits,
	       (long long)c.ends);
	if (when("l1d-flush=") == NEVER)
		tap_is(c.l1d, 0, "L1D is not flushed");
	else if (when("l1d-flush=") == COND)
		tap_ok(c.l1d >= 1 && c.l1d <= c.ends,
		       "L1D is flushed at most once for a window: %lld", (long long)c.l1d);
	else
		tap_ok(c.l1d >= c.exits, "L1D is flushed at each entry: %lld", (long long)c.l1d);
}

/* two that run in turn, on one CPU */
static void barriers(struct ov_vm *one, struct ov_vm *other)
{
	struct count a = count(one->vp), b = count(other->vp), done;
	bool ok = true;

	for (int i = 0; i < TURNS; i++)
		ok = ok && turn(one) && turn(other);
	tap_ok(ok, "%u turns of two VPs", TURNS);
	done = count(one->vp);
	done.ibpb -= a.ibpb;
	if (when("ibpb=") == NEVER) {
		tap_is(done.ibpb + count(other->vp).ibpb, 0, "no barrier");
		return;
	}
	tap_ok(done.ibpb >= TURNS, "a barrier for each turn of the first: %lld", (long long)done.ibpb);
	tap_ok(count(other->vp).ibpb - b.ibpb >= TURNS, "and of the second");
	if (when("ibpb=") == ALWAYS)
		return;
	/* one that has the CPU to itself */
	a = count(one->vp);
	for (int i = 0; i < TURNS; i++)
		ok = ok && turn(one);
	done = count(one->vp);
	tap_ok(ok && done.ibpb - a.ibpb == 1, "then one for the first, and none while it stays");
}

int main(void)
{
	struct ov_vm one, other;
	cpu_set_t cpus;

	CPU_ZERO(&cpus);
	CPU_SET(0, &cpus);
	tap_begin("abi-mitigate", 60);
	tap_is(sched_setaffinity(0, sizeof(cpus), &cpus), 0, "one CPU for all");
	tap_ok(parameter("mitigations", in_force, sizeof(in_force)), "in force: %s", in_force);
	asked("l1d_flush", "l1d-flush=", true);
	asked("ibpb", "ibpb=", flag("ibpb"));
	ov_vm_create32(&one, 1 << 20);
	ov_vm_create32(&other, 1 << 20);
	flushes(&one);
	ov_enter32(&other, exits, CODE_LEN(exits), 0, 1);
	tap_ok(turn(&other), "the other");
	barriers(&one, &other);
	ov_vm_destroy(&other);
	ov_vm_destroy(&one);
	return tap_done();
}
