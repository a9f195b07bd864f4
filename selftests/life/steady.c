// SPDX-License-Identifier: GPL-2.0-only
/*
 * steady - for a guest that is moved about: a thread on each processor that sums up
 * data, computes, and looks at clocks, over and over, and never may find anything
 * else than the first time; timers, signals and interrupts between processors go on
 * meanwhile.
 *
 * Prints "beat N" five times a second; a line of input ends it.  Exit status: 0, or 1
 * when something was wrong.
 */
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#define MAX_THREADS	8
#define DATA		(128 << 10)
#define BEAT_NS		200000000ull
#define LATE_NS		2000000000ull	/* a timer that is as late as that was lost */
#define BARRIER_REGISTER	(1 << 4)	/* MEMBARRIER_CMD_..._PRIVATE_EXPEDITED */
#define BARRIER			(1 << 3)

struct worker {
	pthread_t thread;
	int cpu, ping[2];
	_Atomic uint64_t rounds, pings;
	uint8_t *data;
	uint64_t sum, seed;
	double value;
	uint32_t keys;
};

static struct worker workers[MAX_THREADS];
static int nr;
static _Atomic bool ending;
static _Atomic unsigned int wrong;
static _Atomic uint64_t last_tsc, last_ns;
static volatile sig_atomic_t ticks;
static bool has_keys;

static void complain(const char *fmt, ...)
{
	va_list args;

	if (wrong++ > 20)
		return;
	va_start(args, fmt);
	printf("wrong: ");
	vprintf(fmt, args);
	printf("\n");
	fflush(stdout);
	va_end(args);
}

static uint64_t now_ns(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return ts.tv_sec * 1000000000ull + ts.tv_nsec;
}

static uint64_t now_tsc(void)
{
	uint32_t low, high;

	asm volatile("lfence; rdtsc; lfence" : "=a"(low), "=d"(high) :: "memory");
	return (uint64_t)high << 32 | low;
}

/* no processor may see a time before one that another has seen */
static void look_at(_Atomic uint64_t *last, uint64_t (*clock)(void), const char *name)
{
	uint64_t seen = atomic_load(last), now = clock();

	if (now < seen)
		complain("%s went back by %llu", name, (unsigned long long)(seen - now));
	while (seen < now && !atomic_compare_exchange_weak(last, &seen, now))
		;
}

static uint64_t sum_of(const uint8_t *data, uint64_t seed)
{
	uint64_t sum = seed;

	for (unsigned int i = 0; i < DATA; i++)
		sum = (sum ^ data[i]) * 0x100000001b3ull;
	return sum;
}

/* long enough that it is interrupted in the middle, with all of it in registers */
static double compute(uint64_t seed)
{
	double a = (double)(seed % 1000), b = 1.5, c = 0.25, d = 3.0;

	for (int i = 0; i < 20000; i++) {
		a = a * 0.999999 + b;
		b = b * 1.0000001 - c;
		c = c * 0.99999 + d * 1e-9;
		d = d + a * 1e-12;
	}
	return a + b + c + d;
}

static uint32_t read_keys(void)
{
	uint32_t keys, high;

	asm volatile(".byte 0x0f, 0x01, 0xee" : "=a"(keys), "=d"(high) : "c"(0));
	return keys;
}

static void one_round(struct worker *w)
{
	uint8_t byte = w->rounds;

	if (sum_of(w->data, w->seed) != w->sum)
		complain("the sum of the data on processor %d", w->cpu);
	if (compute(w->seed) != w->value)
		complain("a computation on processor %d", w->cpu);
	if (has_keys && read_keys() != w->keys)
		complain("protection keys %#x, not %#x", read_keys(), w->keys);
	look_at(&last_tsc, now_tsc, "the TSC");
	look_at(&last_ns, now_ns, "the clock");
	/* to the next processor: a wake-up, and a barrier on all */
	if (write(workers[(w->cpu + 1) % nr].ping[1], &byte, 1) < 0 && errno != EAGAIN)
		complain("a pipe: %s", strerror(errno));
	while (read(w->ping[0], &byte, 1) == 1)
		w->pings++;
	syscall(SYS_membarrier, BARRIER, 0, 0);
	if (sched_getcpu() != w->cpu)
		complain("on processor %d, not %d", sched_getcpu(), w->cpu);
	w->rounds++;
}

static void *work(void *arg)
{
	struct worker *w = arg;
	cpu_set_t set;

	CPU_ZERO(&set);
	CPU_SET(w->cpu, &set);
	sched_setaffinity(0, sizeof(set), &set);
	if (has_keys) {
		pkey_set(1, w->cpu & 1 ? PKEY_DISABLE_WRITE : PKEY_DISABLE_ACCESS);
		w->keys = read_keys();
	}
	w->sum = sum_of(w->data, w->seed);
	w->value = compute(w->seed);
	while (!ending)
		one_round(w);
	return NULL;
}

static int start(struct worker *w, int cpu)
{
	w->cpu = cpu;
	w->seed = 0xcbf29ce484222325ull + cpu;
	w->data = malloc(DATA);
	if (!w->data || pipe2(w->ping, O_NONBLOCK))
		return -1;
	for (unsigned int i = 0; i < DATA; i++)
		w->data[i] = i * 7 + cpu;
	return 0;
}

static void tick(int sig)
{
	(void)sig;
	ticks++;
}

/*
 * The timer's next signal, however late: processors that share one of the host's have
 * none for tenths of a second.  False: it was lost.
 */
static bool tick_comes(int before)
{
	uint64_t began = now_ns();

	while (ticks == before) {
		if (now_ns() - began > LATE_NS)
			return false;
		poll(NULL, 0, 20);
	}
	return true;
}

/* beats until there is input; every timer has to come */
static void beat(void)
{
	struct pollfd in = { .fd = 0, .events = POLLIN };
	uint64_t began, took;
	int ticks_before;

	for (unsigned int n = 1;; n++) {
		began = now_ns();
		ticks_before = ticks;
		while (now_ns() - began < BEAT_NS)
			if (poll(&in, 1, 20) > 0)
				return;
		took = now_ns() - began;
		if (took > LATE_NS)
			complain("a beat of %llu ms", (unsigned long long)took / 1000000);
		if (!tick_comes(ticks_before))
			complain("the timer sends no signals");
		printf("beat %u\n", n);
		fflush(stdout);
	}
}

int main(void)
{
	const struct timespec period = { .tv_nsec = 7000000 };
	const struct itimerspec when = { period, period };
	struct sigevent to = { .sigev_notify = SIGEV_SIGNAL, .sigev_signo = SIGALRM };
	timer_t timer;

	nr = sysconf(_SC_NPROCESSORS_ONLN);
	nr = nr > MAX_THREADS ? MAX_THREADS : nr;
	has_keys = pkey_alloc(0, 0) == 1;
	syscall(SYS_membarrier, BARRIER_REGISTER, 0, 0);
	signal(SIGALRM, tick);
	if (timer_create(CLOCK_MONOTONIC, &to, &timer) || timer_settime(timer, 0, &when, NULL))
		return 1;
	for (int i = 0; i < nr; i++)
		if (start(&workers[i], i))
			return 1;
	for (int i = 0; i < nr; i++)
		if (pthread_create(&workers[i].thread, NULL, work, &workers[i]))
			return 1;
	printf("steady on %d, %s protection keys\n", nr, has_keys ? "with" : "without");
	fflush(stdout);
	beat();
	ending = true;
	for (int i = 0; i < nr; i++) {
		pthread_join(workers[i].thread, NULL);
		printf("processor %d: %llu rounds, %llu pings\n", i,
		       (unsigned long long)workers[i].rounds, (unsigned long long)workers[i].pings);
		if (!workers[i].rounds || !workers[i].pings)
			complain("processor %d stood", i);
	}
	printf("steady: %u wrong\n", wrong);
	return wrong != 0;
}
