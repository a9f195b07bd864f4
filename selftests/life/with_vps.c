// SPDX-License-Identifier: GPL-2.0-only
/*
 * with-vps - run COMMAND while the VPs of a partition run, then see that each
 * of them still gets on.
 *
 *	with-vps [-b] spin|cpuid|io... -- COMMAND...
 *	-b	the run calls must have met EBUSY meanwhile
 *
 * A VP for each word: one that makes no exits, one whose exits are handled in
 * the kernel, one whose exits come here.  Exit status: COMMAND's, 1 when a VP
 * has stopped, 3 when there can be no partition.
 */
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include "../api/lib/ov.h"
#include "../api/lib/tap.h"

#define MB		(1ull << 20)
#define COUNTERS	0x700
#define WAIT_MS		10000

CODE16(spin16, "1: incl (%si); jmp 1b");
CODE16(cpuid16, "1: incl (%si); xor %eax, %eax; cpuid; jmp 1b");
CODE16(io16, "1: incl (%si); out %al, $0x80; jmp 1b");

static const struct {
	const char *name;
	const uint8_t *code, *end;
} kinds[] = {
	{ "spin", spin16, spin16_end },
	{ "cpuid", cpuid16, cpuid16_end },
	{ "io", io16, io16_end },
};

struct vp {
	struct ovid_run *run;
	pthread_t thread;
	volatile uint32_t *counter;
	const char *kind;
	unsigned int busy;
	int fd, error;
	volatile bool done;
};

static struct vp vps[8];
static unsigned int nr_vps;

static void *run_vp(void *arg)
{
	struct vp *vp = arg;
	int ret;

	for (;;) {
		ret = ov_run(vp->fd);
		if (ret == 1)
			break;
		if (ret == -EBUSY) {
			vp->busy++;
			ov_sleep_ms(1);
		} else if (ret && ret != -EINTR) {
			vp->error = -ret;
			break;
		} else if (!ret && vp->run->exit != OVID_EXIT_IO) {
			vp->error = EPROTO;
			break;
		}
	}
	vp->done = true;
	return NULL;
}

static void add_vp(struct ov_vm *vm, const char *word)
{
	struct vp *vp = &vps[nr_vps];
	uint32_t at = OV_CODE + nr_vps * 0x100;
	struct mach_cpu cpu;
	size_t k;

	for (k = 0; k < ARRAY_SIZE(kinds) && strcmp(kinds[k].name, word); k++)
		;
	if (k == ARRAY_SIZE(kinds) || nr_vps == ARRAY_SIZE(vps)) {
		fprintf(stderr, "with-vps: '%s'?\n", word);
		exit(2);
	}
	memcpy(vm->ram + at, kinds[k].code, kinds[k].end - kinds[k].code);
	vp->kind = word;
	vp->counter = (uint32_t *)(vm->ram + COUNTERS) + nr_vps;
	vp->fd = nr_vps ? ov_vp(vm->part, nr_vps) : vm->vp;
	vp->run = nr_vps ? ov_run_page(vp->fd) : vm->run;
	mach_real_mode(&cpu, at);
	cpu.gpr[6] = COUNTERS + nr_vps * sizeof(uint32_t);
	if (ov_set_cpu(vp->fd, &cpu) ||
	    ov_set(vp->fd, HV_REGISTER_INTERNAL_ACTIVITY_STATE, 0))
		tap_bail("registers of VP %u", nr_vps);
	nr_vps++;
}

static int vm_possible(void)
{
	int dev = ov_open(), part = ov_partition(dev, "with-vps"), vp;

	vp = part < 0 ? part : ov_vp(part, 0);
	if (vp < 0) {
		fprintf(stderr, "with-vps: no partition: %s\n", strerror(-vp));
		return 3;
	}
	close(vp);
	close(part);
	close(dev);
	return 0;
}

static int all_get_on(const char *when)
{
	int bad = 0;

	for (unsigned int i = 0; i < nr_vps; i++) {
		uint32_t before = *vps[i].counter;
		unsigned int ms = 0;

		while (*vps[i].counter == before && !vps[i].done && ms < WAIT_MS) {
			ov_sleep_ms(10);
			ms += 10;
		}
		if (*vps[i].counter != before)
			continue;
		fprintf(stderr, "with-vps: VP %u (%s) does not get on %s: %s\n", i, vps[i].kind,
			when, vps[i].error ? strerror(vps[i].error) : "nothing happens");
		bad = 1;
	}
	return bad;
}

static int command(char **argv)
{
	pid_t pid = fork();
	int status;

	if (!pid) {
		execvp(argv[0], argv);
		_exit(127);
	}
	while (waitpid(pid, &status, 0) != pid)
		;
	return WIFSIGNALED(status) ? 128 + WTERMSIG(status) : WEXITSTATUS(status);
}

int main(int argc, char **argv)
{
	bool want_busy = argc > 1 && !strcmp(argv[1], "-b");
	int i = 1 + want_busy, status;
	unsigned int busy = 0;
	struct ov_vm vm;

	status = vm_possible();
	if (status)
		return status;
	ov_vm_create(&vm, MB, NULL, 0);
	for (; i < argc && strcmp(argv[i], "--"); i++)
		add_vp(&vm, argv[i]);
	if (!nr_vps || i + 1 >= argc)
		return 2;
	mach_init_signals();
	for (unsigned int n = 0; n < nr_vps; n++)
		pthread_create(&vps[n].thread, NULL, run_vp, &vps[n]);
	if (all_get_on("at first"))
		return 1;
	status = command(argv + i + 1);
	if (all_get_on("afterwards") && !status)
		status = 1;
	for (unsigned int n = 0; n < nr_vps; n++) {
		vps[n].run->cancel = 1;
		for (unsigned int ms = 0; !vps[n].done && ms < WAIT_MS; ms += 10) {
			pthread_kill(vps[n].thread, SIGUSR1);
			ov_sleep_ms(10);
		}
		busy += vps[n].busy;
	}
	if (want_busy && !busy && !status) {
		fprintf(stderr, "with-vps: nobody met EBUSY\n");
		status = 1;
	}
	printf("with-vps: status %d, %u times EBUSY\n", status, busy);
	return status;
}
