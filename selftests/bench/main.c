// SPDX-License-Identifier: GPL-2.0-only
/*
 * main.c - ovid-bench: what one operation costs, in ticks of the TSC.
 *
 *	ovid-bench kvm|ovid [-n TURNS] [-r REPEATS] [ROW...]
 *	ovid-bench boot COMMAND...		(boot/watch.c)
 *	ovid-bench idle ROW COMMAND...		(quiet.c)
 *	ovid-bench disk PREFIX COMMAND...	(disk/watch.c)
 *
 * Each line:  ROW <name> <ticks> <work> <exits> and the counts from VMREAD on, in the
 * order of bench.h, per turn, the median of the repeats; -1: not known.  The
 * counts are the emulator's (ports 8910h on, if it has them), exits without them
 * the hypervisor's own.  "work" is ticks less the time the host was idle (idle.h).
 * Both reads of that are outside of the measured window, but the program never
 * sleeps between them but in that window, and there is one CPU.  Rows of two VPs
 * that run want two CPUs (pair_run()) and are run only by name.
 */
#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/io.h>
#include <sys/mman.h>
#include <unistd.h>

#include "bench.h"
#include "idle.h"

extern const uint8_t payload[], payload_end[];
#define P(x) extern const uint8_t p_##x[]
P(empty); P(cpuid); P(unknown_msr); P(rdmsr); P(hypercall); P(pio); P(mmio); P(pio_bell);
P(mmio_bell); P(msi_hlt); P(self_ipi); P(x2apic_ipi); P(wake); P(timer);
P(timer_busy); P(hv_time); P(hv_ipi); P(hv_flush); P(hv_timer); P(hv_event); P(hv_message);
P(hv_flush2); P(ipi_flush2); P(spin); P(sleep); P(end2); P(chan_echo); P(chan_stream);
P(touch); P(touch2m); P(isr_eoi); P(isr_x2); P(isr_flush); P(isr_end); P(gp); P(ud);

#define MAX_REPEATS	32
#define DEVICE(d)	(!strcmp((d)->name, "kvm") ? "/dev/kvm" : "/dev/ovid")

static const struct b_driver *driver;
static unsigned int turns = 1000, repeats = 5;
double b_ticks_per_ns;
static char **wanted;
static int nr_wanted;

void b_die(const char *fmt, ...)
{
	int e = errno;
	va_list ap;

	va_start(ap, fmt);
	fprintf(stderr, "ovid-bench: ");
	vfprintf(stderr, fmt, ap);
	fprintf(stderr, " (%s)\n", strerror(e));
	exit(1);
}

static inline uint64_t rdtsc(void)
{
	uint32_t a, d;

	asm volatile("lfence; rdtsc" : "=a"(a), "=d"(d) :: "memory");
	return (uint64_t)d << 32 | a;
}

/* ---- time ---- */

/* the TSC's frequency by the kernel's clock, which is made of it */
static void calibrate(void)
{
	FILE *f = fopen("/proc/cpuinfo", "r");
	char line[256];
	double mhz = 0;

	while (f && fgets(line, sizeof(line), f))
		if (sscanf(line, "cpu MHz : %lf", &mhz) == 1)
			break;
	if (f)
		fclose(f);
	b_ticks_per_ns = mhz / 1000;
}

/* ---- counts ---- */

/* what CPUs of the host sent each other: rescheduling, calls, TLB, irq_work, posted interrupts */
static double ipis(void)
{
	static const char *const names[] = { "RES:", "CAL:", "TLB:", "IWI:", "PIN:", "NPI:", "PIW:" };
	FILE *f = fopen("/proc/interrupts", "r");
	char line[4096], *word, *end;
	double sum = 0;

	while (f && fgets(line, sizeof(line), f)) {
		unsigned int i = 0;

		word = strtok(line, "\n ");
		while (word && i < sizeof(names) / sizeof(*names) && strcmp(word, names[i]))
			i++;
		if (!word || i == sizeof(names) / sizeof(*names))
			continue;
		while ((word = strtok(NULL, "\n ")) && (i = strtoul(word, &end, 10), !*end))
			sum += i;
	}
	if (f)
		fclose(f);
	return sum;
}

#define COUNT_PORT	0x8910

static bool have_counts;

static void counts_begin(void)
{
	have_counts = !iopl(3) && inl(COUNT_PORT) != ~0u;
}

void b_counts_now(struct b_vm *vm, struct b_counts *c)
{
	for (int i = 0; i < C_EMULATOR; i++)
		c->n[i] = have_counts ? (double)inl(COUNT_PORT + 4 * i) : -1;
	c->n[C_GUEST] = have_counts ? (double)inl(COUNT_PORT + 4 * C_EMULATOR) : -1;
	if (!have_counts && vm)
		c->n[C_EXITS] = driver->exits(vm);
	c->n[C_IPIS] = ipis();
	c->n[C_SIGNALS] = vm && vm->channel ? b_chan_signals(vm) : -1;
}

/* what happened from @a to @b, per turn; the counters have 32 bits */
struct b_counts b_counts_between(const struct b_counts *a, const struct b_counts *b, unsigned int n)
{
	struct b_counts c;

	for (int i = 0; i < C_ALL; i++)
		c.n[i] = b->n[i] < 0 ? -1 : (double)(uint32_t)(b->n[i] - a->n[i]) / n;
	return c;
}

/* ---- one row ---- */

struct row {
	const char *name;
	const uint8_t *entry, *isr;
	bool irqchip, bells, hv;
	void (*thread)(struct b_vm *vm);	/* makes what the answering thread needs */
	bool posts;				/* the VP's thread answers messages */
	const uint8_t *second;			/* what VP 1 does meanwhile */
	unsigned int times;			/* so many turns for one of other rows; 0: one */
	enum b_server server;			/* of a channel */
	bool sink;				/* it sends nothing back */
	uint32_t bytes;				/* of its packets */
};

static bool is_named(const char *name)
{
	for (int i = 0; i < nr_wanted; i++)
		if (!strcmp(wanted[i], name))
			return true;
	return false;
}

static bool is_wanted(const char *name)
{
	return !nr_wanted || is_named(name);
}

static void gate(struct b_vm *vm, uint8_t vec, const uint8_t *handler)
{
	uint32_t at = B_CODE + (handler - payload);

	((uint64_t *)(vm->low + B_IDT))[vec] =
		(uint64_t)(at >> 16) << 48 | 0x8e0000080000ull | (at & 0xffff);
}

static void load_payload(struct b_vm *vm, const uint8_t *isr)
{
	uint64_t *gdt = (uint64_t *)(vm->low + B_GDT);

	memcpy(vm->low + B_CODE, payload, payload_end - payload);
	gdt[1] = 0x00cf9b000000ffffull;
	gdt[2] = 0x00cf93000000ffffull;
	gate(vm, B_VEC, isr ? isr : p_isr_eoi);
	gate(vm, B_FLUSH_VEC, p_isr_flush);
	gate(vm, B_END_VEC, p_isr_end);
	gate(vm, 13, p_gp);
	gate(vm, 6, p_ud);
}

/* ---- the thread that answers ---- */

#define END	1000000		/* more than any bell has been rung */

bool b_bell(struct b_vm *vm)
{
	uint64_t x;

	return read(vm->bell, &x, 8) == 8 && x < END;
}

void b_bell_end(struct b_vm *vm)
{
	uint64_t end = END;

	if (write(vm->bell, &end, 8) != 8)
		b_die("eventfd");
}

static bool answer_msi(struct b_vm *vm)
{
	return b_bell(vm) && driver->msi(vm) >= 0;
}

static bool answer_event(struct b_vm *vm)
{
	return b_bell(vm) && driver->event(vm) >= 0;
}

static void by_msi(struct b_vm *vm)
{
	vm->answer = answer_msi;
	vm->end = b_bell_end;
}

static void by_event(struct b_vm *vm)
{
	driver->events(vm);
	vm->answer = answer_event;
	vm->end = b_bell_end;
}

static void by_message(struct b_vm *vm)
{
	driver->messages(vm);
	vm->answer = driver->message;
	vm->end = driver->messages_end;
}

static void *answers(void *arg)
{
	struct b_vm *vm = arg;

	while (vm->answer(vm))
		;
	return NULL;
}

static void vm_new(struct b_vm *vm, uint64_t touch, enum b_memory kind, bool irqchip,
		   const uint8_t *isr)
{
	memset(vm, 0, sizeof(*vm));
	vm->driver = driver;
	vm->stats = -1;
	vm->dev = open(DEVICE(driver), O_RDWR | O_CLOEXEC);
	if (vm->dev < 0)
		b_die("%s", DEVICE(driver));
	vm->irqchip = irqchip;
	driver->memory(vm, touch, kind);
	load_payload(vm, isr);
}

static void vm_free(struct b_vm *vm)
{
	if (vm->answer) {
		vm->end(vm);
		pthread_join(vm->thread, NULL);
	}
	if (vm->bell)
		close(vm->bell);
	if (vm->mmio_bell)
		close(vm->mmio_bell);
	b_chan_free(vm);
	driver->destroy(vm);
	close(vm->dev);
}

void b_run(struct b_vm *vm, const uint8_t *entry, uint32_t n)
{
	driver->enter(vm, B_CODE + (entry - payload), n);
	driver->loop(vm);
}

static struct b_sample run(struct b_vm *vm, const uint8_t *entry, uint32_t n)
{
	struct b_ctl *ctl = (struct b_ctl *)(vm->low + B_CTL);
	struct b_counts a, b;
	struct b_sample s;
	uint64_t idle;

	memset(ctl, 0, sizeof(*ctl));
	driver->enter(vm, B_CODE + (entry - payload), n);
	idle = idle_ns();
	b_counts_now(vm, &a);
	driver->loop(vm);
	b_counts_now(vm, &b);
	idle = idle_ns() - idle;
	s.ticks = (double)(ctl->t1 - ctl->t0) / n;
	s.work = s.ticks - idle * b_ticks_per_ns / n;
	s.c = b_counts_between(&a, &b, n);
	return s;
}

static int by_work(const void *a, const void *b)
{
	double x = ((const struct b_sample *)a)->work, y = ((const struct b_sample *)b)->work;

	return x < y ? -1 : x > y;
}

void b_row(const char *name, const struct b_sample *s)
{
	printf("ROW %s %.1f %.1f", name, s->ticks, s->work);
	for (int i = 0; i < C_ALL; i++)
		printf(" %.4f", s->c.n[i]);
	putchar('\n');
	fflush(stdout);
}

/* the median */
static void report(const char *name, struct b_sample *s, unsigned int k)
{
	qsort(s, k, sizeof(*s), by_work);
	b_row(name, &s[k / 2]);
}

static void loop_row(const struct row *r)
{
	struct b_sample s[MAX_REPEATS];
	struct b_vm vm;

	vm_new(&vm, 0, B_SMALL, r->irqchip, r->isr);
	vm.hv = r->hv;
	driver->create(&vm);
	driver->setup(&vm);
	if (r->bells)
		driver->bells(&vm);
	if (r->posts)
		driver->posts(&vm);
	if (r->thread)
		r->thread(&vm);
	if (r->server)
		b_chan_new(&vm, r->server, r->bytes, r->sink);
	if (vm.answer) {
		if (pthread_create(&vm.thread, NULL, answers, &vm))
			b_die("pthread_create");
	}
	run(&vm, r->entry, 16);
	for (unsigned int i = 0; i < repeats; i++)
		s[i] = run(&vm, r->entry, turns * (r->times ?: 1));
	report(r->name, s, repeats);
	vm_free(&vm);
}

/* ---- two VPs ---- */

static void on_cpu(int cpu)
{
	cpu_set_t set;

	CPU_ZERO(&set);
	CPU_SET(cpu, &set);
	if (sched_setaffinity(0, sizeof(set), &set))
		b_die("CPU %d", cpu);
}

static void *second_loop(void *arg)
{
	driver->loop(arg);
	return NULL;
}

static void *second_loop_cpu1(void *arg)
{
	on_cpu(1);
	return second_loop(arg);
}

/*
 * The work of both CPUs.  In the emulator they take turns, and a tick is an
 * instruction of each on average: what they do together in the window is two
 * instructions a tick, and VP 1's own loop is no work.
 */
static struct b_sample pair_run(struct b_vm *vm, const struct row *r, uint32_t n)
{
	struct b_ctl *ctl = (struct b_ctl *)(vm->low + B_CTL);
	struct b_sample s = run(vm, r->entry, n);

	if (r->second == p_spin)
		s.work = 2 * s.ticks - (double)(ctl->spun1 - ctl->spun0) * B_SPIN_TICKS / n;
	return s;
}

static void pair_row(const struct row *r)
{
	struct b_sample s[MAX_REPEATS];
	struct b_vm vm, second;
	pthread_t thread;

	on_cpu(0);
	vm_new(&vm, 0, B_SMALL, r->irqchip, r->isr);
	vm.hv = r->hv;
	driver->create(&vm);
	driver->setup(&vm);
	driver->second(&vm, &second);
	driver->enter(&second, B_CODE + (r->second - payload), 0);
	/* one that sleeps is no trouble on the same CPU, where ticks are exact */
	if (pthread_create(&thread, NULL, r->second == p_spin ? second_loop_cpu1 : second_loop, &second))
		b_die("pthread_create");
	run(&vm, r->entry, 16);
	for (unsigned int i = 0; i < repeats; i++)
		s[i] = pair_run(&vm, r, turns);
	report(r->name, s, repeats);
	run(&vm, p_end2, 1);
	pthread_join(thread, NULL);
	driver->close_vp(&second);
	vm_free(&vm);
}

static void touch_row(const char *name, const uint8_t *entry, uint64_t page, unsigned int n,
		      enum b_memory kind, bool present)
{
	struct b_sample s[MAX_REPEATS];
	struct b_vm vm;

	for (unsigned int i = 0; i < repeats; i++) {
		vm_new(&vm, n * page, kind, false, NULL);
		if (present)
			for (uint64_t at = 0; at < n * page; at += 4096)
				((volatile uint8_t *)vm.touch)[at] = 0;
		driver->create(&vm);
		driver->setup(&vm);
		run(&vm, p_empty, 16);
		s[i] = run(&vm, entry, n);
		vm_free(&vm);
	}
	report(name, s, repeats);
}

/* ---- what clearing 2 MiB costs by itself ---- */

static bool cpu_flag(const char *name)
{
	FILE *f = fopen("/proc/cpuinfo", "r");
	char line[8192], *word = NULL;

	while (f && !word && fgets(line, sizeof(line), f))
		if (!strncmp(line, "flags", 5))
			for (word = strtok(line, "\t\n "); word && strcmp(word, name);)
				word = strtok(NULL, "\t\n ");
	if (f)
		fclose(f);
	return word;
}

/* the string instruction that the kernel uses on this CPU, for 64 KiB each */
static void clear(void *at, uint64_t bytes, bool erms)
{
	if (erms) {
		asm volatile("rep stosb" : "+D"(at), "+c"(bytes) : "a"(0) : "memory");
	} else {
		bytes /= 8;
		asm volatile("rep stosq" : "+D"(at), "+c"(bytes) : "a"(0) : "memory");
	}
}

static void clear_row(void)
{
	const uint64_t size = 2 << 20, piece = 64 << 10;
	const bool erms = cpu_flag("erms");
	struct b_sample s[MAX_REPEATS];
	uint8_t *p = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	memset(p, 1, size);
	for (unsigned int i = 0; i < repeats; i++) {
		uint64_t t = rdtsc();

		for (uint64_t at = 0; at < size; at += piece)
			clear(p + at, piece, erms);
		s[i] = (struct b_sample){ .ticks = rdtsc() - t };
		s[i].work = s[i].ticks;
	}
	report("clear-2m", s, repeats);
	munmap(p, size);
}

/*
 * Another VM is there meanwhile: KVM switches VMX on when it is loaded, ovid with
 * the first partition, and neither is what a VM costs.
 */
static void create_row(void)
{
	struct b_sample s[MAX_REPEATS];
	struct b_vm other, vm;

	vm_new(&other, 0, B_SMALL, false, NULL);
	driver->create(&other);
	for (unsigned int i = 0; i < repeats; i++) {
		struct b_counts a, b;
		uint64_t idle, t;

		vm_new(&vm, 0, B_SMALL, false, NULL);
		idle = idle_ns();
		b_counts_now(&vm, &a);
		t = rdtsc();
		driver->create(&vm);
		t = rdtsc() - t;
		b_counts_now(&vm, &b);
		idle = idle_ns() - idle;
		s[i] = (struct b_sample){ .ticks = t, .work = t - idle * b_ticks_per_ns,
					.c = b_counts_between(&a, &b, 1) };
		driver->setup(&vm);
		run(&vm, p_empty, 1);
		vm_free(&vm);
	}
	vm_free(&other);
	report("vm-create", s, repeats);
}

static int usage(FILE *to, int status)
{
	fputs("usage: ovid-bench kvm|ovid [-n TURNS] [-r REPEATS] [ROW...]\n"
	      "       ovid-bench boot COMMAND...\n"
	      "       ovid-bench idle ROW COMMAND...\n"
	      "       ovid-bench disk PREFIX COMMAND...\n"
	      "What operations cost in ticks of the TSC, one line a row:\n"
	      "ROW name ticks work exits VMREAD VMWRITE VMPTRLD VMCLEAR VMXON VMXOFF INVEPT INVVPID WRMSR IPIs\n"
	      "boot: COMMAND runs a guest of selftests/bench/boot.\n"
	      "idle: COMMAND runs a guest that says BENCH-IDLE and then does nothing; of a second.\n"
	      "disk: COMMAND is iobench or a guest with it; a row for each of its cells.\n", to);
	return status;
}

/* as many packets as fill the ring several times */
#define STREAM(who, size)	p_chan_stream, .irqchip = true, .times = 8192 / size, \
				.server = who, .bytes = size, .sink = true

static void all_rows(void)
{
	const struct row rows[] = {
		{ "empty-loop", p_empty },
		{ "cpuid", p_cpuid },
		{ "unknown-msr", p_unknown_msr },
		{ "rdmsr-apic-base", p_rdmsr },
		{ "hypercall", p_hypercall },
		{ "pio-user", p_pio },
		{ "mmio-user", p_mmio },
		{ "pio-ioeventfd", p_pio_bell, .bells = true },
		{ "mmio-ioeventfd", p_mmio_bell, .bells = true },
		{ "hlt-inject", p_msi_hlt, .irqchip = true },
		{ "self-ipi", p_self_ipi, .irqchip = true },
		{ "self-ipi-x2apic", p_x2apic_ipi, p_isr_x2, .irqchip = true },
		{ "timer-hlt", p_timer, .irqchip = true },
		{ "timer-busy", p_timer_busy, .irqchip = true },
		{ "bell-msi-wake", p_wake, .irqchip = true, .bells = true, .thread = by_msi },
		{ "hv-time", p_hv_time, .irqchip = true, .hv = true },
		{ "hv-ipi", p_hv_ipi, .irqchip = true, .hv = true },
		{ "hv-flush", p_hv_flush, .irqchip = true, .hv = true },
		{ "hv-timer-hlt", p_hv_timer, .irqchip = true, .hv = true },
		{ "hv-event-wake", p_hv_event, .irqchip = true, .hv = true, .thread = by_event },
		{ "hv-message", p_hv_message, .irqchip = true, .hv = true, .posts = true },
		{ "hv-message-wake", p_hv_message, .irqchip = true, .hv = true, .thread = by_message },
		{ "chan-echo", p_chan_echo, .irqchip = true, .server = B_KERNEL, .bytes = 64 },
		{ "chan-echo-user", p_chan_echo, .irqchip = true, .server = B_PROGRAM, .bytes = 64 },
		{ "chan-stream-64", STREAM(B_KERNEL, 64) },
		{ "chan-stream-256", STREAM(B_KERNEL, 256) },
		{ "chan-stream-4096", STREAM(B_KERNEL, 4096) },
		{ "chan-stream-user-256", STREAM(B_PROGRAM, 256) },
		{ "hv-flush-running", p_hv_flush2, .irqchip = true, .hv = true, .second = p_spin },
		{ "hv-flush-asleep", p_hv_flush2, .irqchip = true, .hv = true, .second = p_sleep },
		{ "ipi-flush-running", p_ipi_flush2, .irqchip = true, .hv = true, .second = p_spin },
	};

	for (unsigned int i = 0; i < sizeof(rows) / sizeof(*rows); i++)
		if (rows[i].second == p_spin ? is_named(rows[i].name) : is_wanted(rows[i].name))
			(rows[i].second ? pair_row : loop_row)(&rows[i]);
	if (is_wanted("touch-4k-absent"))
		touch_row("touch-4k-absent", p_touch, 4096, 1024, B_SMALL, false);
	if (is_wanted("touch-4k-present"))
		touch_row("touch-4k-present", p_touch, 4096, 1024, B_SMALL, true);
	if (is_wanted("touch-2m-absent")) {
		touch_row("touch-2m-absent", p_touch2m, 2 << 20, 16, B_HUGE, false);
		clear_row();
	}
	if (is_wanted("touch-2m-present"))
		touch_row("touch-2m-present", p_touch2m, 2 << 20, 16, B_HUGE, true);
	if (is_wanted("vm-create"))
		create_row();
}

int main(int argc, char **argv)
{
	const char *what = argc > 1 ? argv[1] : "";
	int o;

	if (!strcmp(what, "-h") || !strcmp(what, "--help"))
		return usage(stdout, 0);
	if (!strcmp(what, "kvm"))
		driver = &b_kvm;
	else if (!strcmp(what, "ovid"))
		driver = &b_ovid;
	else if ((strcmp(what, "boot") || argc < 3) &&
		 ((strcmp(what, "idle") && strcmp(what, "disk")) || argc < 4))
		return usage(stderr, 2);
	alarm(600);
	calibrate();
	counts_begin();
	if (!driver)
		return *what == 'b' ? b_boot(argv + 2) :
		       *what == 'i' ? b_quiet(argv[2], argv + 3) : b_disk(argv[2], argv + 3);
	optind = 2;
	while ((o = getopt(argc, argv, "n:r:")) != -1)
		switch (o) {
		case 'n': turns = atoi(optarg); break;
		case 'r': repeats = atoi(optarg); break;
		default: return usage(stderr, 2);
		}
	if (!turns || !repeats || repeats > MAX_REPEATS)
		return usage(stderr, 2);
	wanted = argv + optind;
	nr_wanted = argc - optind;
	printf("TSC %.3f MHz\n", b_ticks_per_ns * 1000);
	all_rows();
	return 0;
}
