// SPDX-License-Identifier: GPL-2.0-only
/*
 * all_cpus.c - work for all processors of a guest, a thread on each, whose result is
 * known.  What goes from one to another is what a hypervisor can get wrong: wake-ups
 * (futex), interrupts (membarrier), the end of translations (a page is moved away
 * under the readers).
 *
 * Prints one line; status 1 if something went wrong.  What never comes makes it hang.
 */
#include <linux/futex.h>
#include <linux/membarrier.h>
#include <pthread.h>
#include <sched.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <unistd.h>

#define MAX_CPUS	256
#define LAPS		100
#define BARRIERS	50
#define ADDITIONS	500
#define MOVES		50

static int cpus;
static pthread_barrier_t together;
static _Atomic uint32_t turn[MAX_CPUS];
static pthread_mutex_t mutex = PTHREAD_MUTEX_INITIALIZER;
static unsigned long sum, steps;
static volatile uint32_t *window;
static _Atomic uint32_t least;
static atomic_bool moved;
static _Atomic unsigned long stale, refused, elsewhere;

static void must(bool good, const char *what)
{
	if (good)
		return;
	perror(what);
	exit(1);
}

static void futex(_Atomic uint32_t *word, int op, uint32_t value)
{
	syscall(SYS_futex, word, op | FUTEX_PRIVATE_FLAG, value, NULL, NULL, 0);
}

/* a token around the processors: each sleeps until its turn */
static void ring(int me)
{
	int next = (me + 1) % cpus;

	for (int lap = 0; lap < LAPS; lap++) {
		while (!atomic_load(&turn[me]))
			futex(&turn[me], FUTEX_WAIT, 0);
		atomic_store(&turn[me], 0);
		steps++;
		atomic_store(&turn[next], 1);
		futex(&turn[next], FUTEX_WAKE, 1);
	}
}

static void barriers(void)
{
	for (int i = 0; i < BARRIERS; i++)
		if (syscall(SYS_membarrier, MEMBARRIER_CMD_PRIVATE_EXPEDITED, 0, 0))
			refused++;
}

static void add(void)
{
	for (int i = 0; i < ADDITIONS; i++) {
		pthread_mutex_lock(&mutex);
		sum++;
		pthread_mutex_unlock(&mutex);
	}
}

/* another page takes the place of the one that is seen there */
static void move_pages(void)
{
	for (uint32_t n = 1; n <= MOVES; n++) {
		uint32_t *page = mmap(NULL, 4096, PROT_READ | PROT_WRITE,
				      MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

		must(page != MAP_FAILED, "mmap");
		*page = n;
		must(mremap(page, 4096, 4096, MREMAP_MAYMOVE | MREMAP_FIXED, (void *)window) ==
		     window, "mremap");
		atomic_store(&least, n);
	}
	atomic_store(&moved, true);
}

static void look(void)
{
	while (!atomic_load(&moved)) {
		uint32_t want = atomic_load(&least);

		if (*window < want)
			stale++;
	}
}

static void *work(void *arg)
{
	int me = (intptr_t)arg;

	pthread_barrier_wait(&together);
	ring(me);
	pthread_barrier_wait(&together);
	barriers();
	add();
	pthread_barrier_wait(&together);
	if (me == 0)
		move_pages();
	else
		look();
	if (sched_getcpu() != me)
		elsewhere++;
	return NULL;
}

static void start(pthread_t *thread, int cpu)
{
	pthread_attr_t attr;
	cpu_set_t set;

	CPU_ZERO(&set);
	CPU_SET(cpu, &set);
	pthread_attr_init(&attr);
	must(!pthread_attr_setaffinity_np(&attr, sizeof(set), &set) &&
	     !pthread_create(thread, &attr, work, (void *)(intptr_t)cpu), "pthread_create");
	pthread_attr_destroy(&attr);
}

int main(void)
{
	pthread_t threads[MAX_CPUS];
	bool right;

	cpus = sysconf(_SC_NPROCESSORS_ONLN);
	must(cpus > 0 && cpus <= MAX_CPUS, "number of processors");
	window = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	must(window != MAP_FAILED, "mmap");
	must(!syscall(SYS_membarrier, MEMBARRIER_CMD_REGISTER_PRIVATE_EXPEDITED, 0, 0), "membarrier");
	pthread_barrier_init(&together, NULL, cpus);
	atomic_store(&turn[0], 1);
	for (int i = 0; i < cpus; i++)
		start(&threads[i], i);
	for (int i = 0; i < cpus; i++)
		pthread_join(threads[i], NULL);
	right = steps == (unsigned long)LAPS * cpus && sum == (unsigned long)ADDITIONS * cpus &&
		*window == MOVES && !stale && !refused && !elsewhere;
	printf("all-cpus: %d: steps %lu sum %lu page %u stale %lu refused %lu elsewhere %lu: %s\n",
	       cpus, steps, sum, *window, stale, refused, elsewhere, right ? "right" : "wrong");
	return !right;
}
