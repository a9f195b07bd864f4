// SPDX-License-Identifier: GPL-2.0-only
/*
 * Two threads over one channel: vmbus/ring.c on one side, a guest's rules on the other.
 *
 * First races: one is about to sleep while the other publishes, again and again at
 * the same moment.  One of them must go on: without the barriers of ring.c both sleep.
 *
 * Then packets both ways through small rings.  Each sleeps when it has nothing to do
 * and is woken only by the other's signals, as the rules of the rings say: where one
 * is lost, both sleep for ever, which a watchdog tells.  Every byte is checked.
 *
 * Usage: ring_threads [PACKETS [SEED]]; prints TAP.
 */
#define _GNU_SOURCE
#include <linux/futex.h>
#include <pthread.h>
#include <sched.h>
#include <stdio.h>
#include <time.h>
#include "ring_guest.h"
#include "twice.h"
#include "vmbus/ring.h"

#define PACKETS		100000
#define CLOSE		500	/* races that were a tie: then it is enough */
#define RACES		500000	/* and at most */
#define STALL_SECONDS	60	/* nobody has moved for so long */
#define SPINS		200
#define MAX_SIZE	12288

/* a doorbell: counts, and wakes */
struct bell {
	u32 rung;
	u32 seen;
	unsigned long waits;
};

struct side {
	struct bell bell;
	u64 seed;
	u32 sent, received;
	unsigned long signals;
	u8 body[MAX_SIZE];
};

struct run {
	const char *name;
	u32 size;		/* of each ring */
	u32 max_body;
	u32 batch;		/* packets at a time, at most */
	bool batched;		/* the guest masks signals while it reads */
	bool keep_pending;	/* and never takes its wish for space back */
};

static const struct run runs[] = {
	{ "one packet at a time", 4096, 8, 1, true },
	{ "two large packets fill the ring", 4096, 2500, 1, true },
	{ "many at a time", 4096, 100, 8, true },
	{ "the guest masks nothing", 4096, 400, 3, false },
	{ "the guest keeps pending_send_sz", 8192, 1200, 3, true, true },
	{ "a ring that is no power of two", 12288, 1200, 8, true },
};

static const struct run *run;
static struct side host, guest;
static struct ovid_ring host_in, host_out;
static struct guest_ring guest_in, guest_out;
static u32 packets = PACKETS;
static u64 seed = 1;

static u64 rnd(u64 *state)
{
	*state ^= *state << 13;
	*state ^= *state >> 7;
	*state ^= *state << 17;
	return *state;
}

/* size and bytes of a packet follow from its number and direction */
static u32 body_bytes(u32 number, bool to_host)
{
	u64 x = ((u64)number << 1 | to_host) * 0x9e3779b97f4a7c15ull;

	return (x >> 40) % (run->max_body + 1);
}

static u8 body_byte(u32 number, u32 i)
{
	return number * 151 + i * 7 + (i >> 7);
}

static void fill(u8 *body, u32 number, u32 bytes)
{
	u32 i;

	for (i = 0; i < bytes; i++)
		body[i] = body_byte(number, i);
}

static void check(const u8 *body, u32 number, u32 bytes, bool to_host, u64 trans_id, u32 got)
{
	u32 i;

	GUEST_CHECK(trans_id == number && bytes == body_bytes(number, to_host));
	GUEST_CHECK(got == (bytes + 7) / 8 * 8);
	for (i = 0; i < got; i++)
		GUEST_CHECK(body[i] == (i < bytes ? body_byte(number, i) : 0));
}

static void ring_bell(struct side *from, struct bell *bell)
{
	from->signals++;
	__atomic_add_fetch(&bell->rung, 1, __ATOMIC_SEQ_CST);
	syscall(SYS_futex, &bell->rung, FUTEX_WAKE_PRIVATE, 1, NULL, NULL, 0);
}

/* until it has been rung since the last time; soon at first, so that the two meet often */
static void await(struct bell *bell)
{
	int spins = SPINS;

	bell->waits++;
	while (__atomic_load_n(&bell->rung, __ATOMIC_SEQ_CST) == bell->seen) {
		if (spins) {
			spins--;
			__builtin_ia32_pause();
		} else {
			syscall(SYS_futex, &bell->rung, FUTEX_WAIT_PRIVATE, bell->seen, NULL, NULL, 0);
		}
	}
	bell->seen = __atomic_load_n(&bell->rung, __ATOMIC_SEQ_CST);
}

/* a little time, so that one side is found in each place by the other */
static void dawdle(u64 r)
{
	unsigned int i;

	for (i = r % 64; i; i--)
		__builtin_ia32_pause();
}

/* ---- the host ---- */

static void host_read(u32 most)
{
	struct ovid_packet pkt;
	int got;

	while (most-- && (got = ovid_ring_peek(&host_in, &pkt))) {
		GUEST_CHECK(got == 1);
		GUEST_CHECK(pkt.header == 16 && pkt.payload <= sizeof(host.body));
		GUEST_CHECK(ovid_ring_copy(&host_in, &pkt, 16, host.body, pkt.payload));
		check(host.body, host.received, body_bytes(host.received, true), true,
		      pkt.trans_id, pkt.payload);
		ovid_ring_pop(&host_in, &pkt);
		__atomic_store_n(&host.received, host.received + 1, __ATOMIC_RELAXED);
	}
	if (ovid_ring_commit_read(&host_in))
		ring_bell(&host, &guest.bell);
}

/* bytes that the next packet needs, 0: no need */
static u32 host_write(u32 most)
{
	struct vmbus_w_packet desc = { .type = VMBUS_PKT_DATA };
	u32 want = 0, bytes;

	for (; most && host.sent < packets; most--) {
		bytes = body_bytes(host.sent, false);
		desc.trans_id = host.sent;
		fill(host.body, host.sent, bytes);
		if (ovid_ring_write(&host_out, desc, 0, &(struct ovid_ring_vec){ host.body, bytes },
				    1)) {
			want = ovid_ring_packet_bytes(0, bytes);
			break;
		}
		__atomic_store_n(&host.sent, host.sent + 1, __ATOMIC_RELAXED);
	}
	if (ovid_ring_commit_write(&host_out))
		ring_bell(&host, &guest.bell);
	return want;
}

static void *host_main(void *arg)
{
	bool asked = false;

	for (;;) {
		u64 r = rnd(&host.seed);
		u32 want, before;

		dawdle(r >> 16);
		ovid_ring_mask(&host_in);
		before = host.received;
		host_read(1 + r % run->batch);
		if (asked)
			ovid_ring_want_space(&host_out, 0);
		want = host_write(1 + (r >> 8) % run->batch);
		asked = want;
		if (host.received == packets && host.sent == packets)
			return NULL;
		if ((want && ovid_ring_want_space(&host_out, want)) ||
		    (!want && host.sent < packets) || host.received != before)
			continue;
		if (!ovid_ring_unmask(&host_in))
			await(&host.bell);
	}
}

/* ---- the guest ---- */

static void guest_read(u32 most)
{
	struct guest_desc *desc = (struct guest_desc *)guest.body;
	u32 len;

	while (most-- && (len = guest_next(&guest_in, guest.body, sizeof(guest.body)))) {
		GUEST_CHECK(desc->offset8 == 2);
		check(guest.body + 16, guest.received, body_bytes(guest.received, false), false,
		      desc->trans_id, len - 16);
		__atomic_store_n(&guest.received, guest.received + 1, __ATOMIC_RELAXED);
	}
	if (guest_space_signal(&guest_in, guest_close(&guest_in)))
		ring_bell(&guest, &host.bell);
}

static u32 guest_write_some(u32 most)
{
	struct guest_desc desc = { .type = 6 };
	u32 bytes, old;

	for (; most && guest.sent < packets; most--) {
		bytes = body_bytes(guest.sent, true);
		desc.trans_id = guest.sent;
		fill(guest.body, guest.sent, bytes);
		if (!guest_write(&guest_out, desc, guest.body, 0, bytes, &old))
			return 16 + (bytes + 7) / 8 * 8 + 8;
		if (guest_data_signal(&guest_out, old))
			ring_bell(&guest, &host.bell);
		__atomic_store_n(&guest.sent, guest.sent + 1, __ATOMIC_RELAXED);
	}
	return 0;
}

static void *guest_main(void *arg)
{
	for (;;) {
		u64 r = rnd(&guest.seed);
		u32 want, before = guest.received;

		dawdle(r >> 16);
		if (run->batched)
			guest_begin_read(&guest_in);
		guest_read(1 + r % run->batch);
		want = guest_write_some(1 + (r >> 8) % run->batch);
		if (guest.received == packets && guest.sent == packets)
			return NULL;
		if (want && guest_want_space(&guest_out, want)) {
			if (!run->keep_pending)
				guest_want_space(&guest_out, 0);
			continue;
		}
		if ((!want && guest.sent < packets) || guest.received != before)
			continue;
		if (!guest_end_read(&guest_in))
			await(&guest.bell);
		if (!run->keep_pending)
			guest_want_space(&guest_out, 0);
	}
}

/* of the two rings; the guest's way out is the first */
static void *ctl[2], *data[2];

static void map_rings(void)
{
	int i;

	for (i = 0; i < 2; i++) {
		ctl[i] = aligned_alloc(4096, 4096);
		data[i] = twice_map(run->size);
		GUEST_CHECK(ctl[i] && data[i]);
	}
}

static void unmap_rings(void)
{
	int i;

	for (i = 0; i < 2; i++) {
		free(ctl[i]);
		twice_unmap(data[i], run->size);
	}
}

static void open_channel(void)
{
	guest_init(&guest_out, ctl[0], data[0], run->size);
	guest_init(&guest_in, ctl[1], data[1], run->size);
	GUEST_CHECK(!ovid_ring_init_in(&host_in, ctl[0], data[0], run->size));
	GUEST_CHECK(!ovid_ring_init_out(&host_out, ctl[1], data[1], run->size));
}

/* ---- races ---- */

/*
 * struct race - @prepare, then @host and @guest at once
 * @host, @guest: is this side going on, or has it signalled the other?
 */
struct race {
	const char *name;
	void (*prepare)(void);
	bool (*host)(void);
	bool (*guest)(void);
};

static const struct vmbus_w_packet empty = { .type = VMBUS_PKT_DATA };

static void to_idle_guest(void)
{
	guest_begin_read(&guest_in);
	GUEST_CHECK(!ovid_ring_write(&host_out, empty, 0, NULL, 0));
}

static void to_idle_host(void)
{
	ovid_ring_mask(&host_in);
}

static bool guest_sends_bytes(u32 bytes)
{
	u32 old;

	GUEST_CHECK(guest_write(&guest_out, (struct guest_desc){ .type = 6 }, guest.body, 0, bytes,
				&old));
	return guest_data_signal(&guest_out, old);
}

/* an empty packet and one that leaves 8 bytes; the host has taken the first: 32 will be free */
static void from_blocked_guest(void)
{
	struct ovid_packet pkt;

	guest_sends_bytes(0);
	guest_sends_bytes(run->size - 24 - 24 - 8);
	GUEST_CHECK(ovid_ring_peek(&host_in, &pkt) == 1);
	ovid_ring_pop(&host_in, &pkt);
}

static void from_blocked_host(void)
{
	const struct ovid_ring_vec vec = { host.body, run->size - 24 - 24 - 8 };
	u64 buf[3];

	GUEST_CHECK(!ovid_ring_write(&host_out, empty, 0, NULL, 0));
	GUEST_CHECK(!ovid_ring_write(&host_out, empty, 0, &vec, 1));
	ovid_ring_commit_write(&host_out);
	GUEST_CHECK(guest_next(&guest_in, buf, sizeof(buf)));
}

static bool commit_write(void) { return ovid_ring_commit_write(&host_out); }
static bool end_read(void) { return guest_end_read(&guest_in); }
static bool guest_sends(void) { return guest_sends_bytes(0); }
static bool unmask(void) { return ovid_ring_unmask(&host_in); }
static bool commit_read(void) { return ovid_ring_commit_read(&host_in); }
static bool guest_wants(void) { return guest_want_space(&guest_out, 24); }
static bool want_space(void) { return ovid_ring_want_space(&host_out, 24); }
static bool close_read(void) { return guest_space_signal(&guest_in, guest_close(&guest_in)); }

static const struct race races[] = {
	{ "data for a guest that goes to sleep", to_idle_guest, commit_write, end_read },
	{ "data for a host that goes to sleep", to_idle_host, unmask, guest_sends },
	{ "space for a guest that goes to sleep", from_blocked_guest, commit_read, guest_wants },
	{ "space for a host that goes to sleep", from_blocked_host, want_space, close_read },
};

/* some cycles: the two are never at exactly the same place */
static void jitter(u64 r)
{
	unsigned int i;

	for (i = r % 256; i; i--)
		asm volatile("");
}

static const struct race *race;
static u32 arrived;		/* both, again and again */
static bool guest_goes_on, over;

/* until both are here, the @nth time */
static void meet(u32 nth)
{
	unsigned int spins = 0;

	__atomic_add_fetch(&arrived, 1, __ATOMIC_SEQ_CST);
	while (__atomic_load_n(&arrived, __ATOMIC_SEQ_CST) < 2 * nth)
		if (++spins % 10000 == 0)
			sched_yield();
}

/* each on a processor of its own, if there are two */
static void settle(unsigned int nth)
{
	cpu_set_t all, one;
	int cpu;

	GUEST_CHECK(!sched_getaffinity(0, sizeof(all), &all));
	if (CPU_COUNT(&all) < 2)
		return;
	for (cpu = 0; !CPU_ISSET(cpu, &all) || nth--; cpu++)
		;
	CPU_ZERO(&one);
	CPU_SET(cpu, &one);
	GUEST_CHECK(!sched_setaffinity(0, sizeof(one), &one));
}

static void *race_guest(void *arg)
{
	u32 meetings = 0;

	settle(1);
	for (;;) {
		meet(++meetings);
		if (over)
			return NULL;
		jitter(rnd(&guest.seed));
		guest_goes_on = race->guest();
		meet(++meetings);
	}
}

static void *race_host(void *arg)
{
	u32 meetings = 0, races = 0, close = 0, *lost = arg;

	settle(0);
	while (close < CLOSE && races < RACES) {
		bool host_goes_on;

		open_channel();
		race->prepare();
		meet(++meetings);
		jitter(rnd(&host.seed));
		host_goes_on = race->host();
		meet(++meetings);
		races++;
		*lost += !host_goes_on && !guest_goes_on;
		close += host_goes_on && guest_goes_on;
	}
	over = true;
	meet(++meetings);
	printf("# %u races, %u of them close, %u lost\n", races, close, *lost);
	return NULL;
}

/* how often nobody went on */
static u32 run_race(void)
{
	pthread_t threads[2];
	u32 lost = 0;

	arrived = 0;
	over = false;
	GUEST_CHECK(!pthread_create(&threads[0], NULL, race_host, &lost));
	GUEST_CHECK(!pthread_create(&threads[1], NULL, race_guest, NULL));
	pthread_join(threads[0], NULL);
	pthread_join(threads[1], NULL);
	return lost;
}

/* 0: both have ended; else they have stalled.  The threads are left alone then */
static int watch(pthread_t *threads)
{
	u64 last = 0, now;
	int i, still = 0;

	for (i = 0; i < 2;) {
		struct timespec until;

		clock_gettime(CLOCK_REALTIME, &until);
		until.tv_sec++;
		if (!pthread_timedjoin_np(threads[i], NULL, &until)) {
			i++;
			continue;
		}
		now = (u64)__atomic_load_n(&host.sent, __ATOMIC_RELAXED) +
		      __atomic_load_n(&host.received, __ATOMIC_RELAXED) +
		      __atomic_load_n(&guest.sent, __ATOMIC_RELAXED) +
		      __atomic_load_n(&guest.received, __ATOMIC_RELAXED);
		still = now == last ? still + 1 : 0;
		if (still == STALL_SECONDS)
			return -1;
		last = now;
	}
	return 0;
}

static int run_packets(void)
{
	pthread_t threads[2];

	memset(&host, 0, offsetof(struct side, body));
	memset(&guest, 0, offsetof(struct side, body));
	host.seed = seed * 2 + 1;
	guest.seed = seed * 4 + 3;
	open_channel();
	GUEST_CHECK(!pthread_create(&threads[0], NULL, host_main, NULL));
	GUEST_CHECK(!pthread_create(&threads[1], NULL, guest_main, NULL));
	return watch(threads);
}

static int point(bool ok, const char *name)
{
	static int points;

	printf("%sok %d - ring_threads: %s\n", ok ? "" : "not ", ++points, name);
	return !ok;
}

int main(int argc, char **argv)
{
	unsigned int i;
	int bad = 0;

	if (argc > 1)
		packets = strtoul(argv[1], NULL, 0);
	if (argc > 2)
		seed = strtoull(argv[2], NULL, 0);
	setvbuf(stdout, NULL, _IOLBF, 0);
	printf("TAP version 13\n1..%zu\n", ARRAY_SIZE(races) + ARRAY_SIZE(runs));
	run = &runs[0];
	host.seed = seed * 2 + 1;
	guest.seed = seed * 4 + 3;
	map_rings();
	for (i = 0; i < ARRAY_SIZE(races); i++) {
		race = &races[i];
		bad |= point(!run_race(), race->name);
	}
	unmap_rings();
	for (i = 0; i < ARRAY_SIZE(runs) && !bad; i++) {
		run = &runs[i];
		map_rings();
		bad = point(!run_packets(), run->name);
		printf("# host: sent %u, received %u, slept %lu, signalled %lu; guest: sent %u, received %u, slept %lu, signalled %lu\n",
		       host.sent, host.received, host.bell.waits, host.signals,
		       guest.sent, guest.received, guest.bell.waits, guest.signals);
		if (!bad)	/* else the threads are still there */
			unmap_rings();
	}
	return bad;
}
