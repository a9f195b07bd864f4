// SPDX-License-Identifier: GPL-2.0-only
/*
 * run.c - guest-run: runs the cases of test guests, each in a machine of its own.
 *
 *	guest-run [--kvm] [-l] [-c CASE] [-t MS] [-r SEED] [-n COUNT] [-s SECONDS] GUEST...
 *
 * One thread per VP.  The guest asserts; this prints its assertions as TAP and
 * adds one line per case: how it ended.  See proto.h for the agreement.
 *
 * Cases that fuzz begin with SEED and end after COUNT operations of each VP, or after
 * SECONDS: with the same SEED and COUNT a VP does the same again.
 */
#include <errno.h>
#include <getopt.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "../api/lib/mach.h"
#include "../api/lib/tap.h"
#include "proto.h"
#include "serve.h"

#define MAX_EXITS	50000
#define PAGE_BYTES	4096u

static const struct mach_ops *ops = &mach_ovid;
static unsigned int limit_ms = 3000;
static unsigned int fuzz_seconds;
static uint64_t fuzz_seed = 1, fuzz_count = 1000;
static const char *only;

struct blob {
	const char *name;
	uint8_t *bytes;
	uint64_t size;
	const struct g_head *head;
	uint64_t at;		/* address of the head */
};

struct later {
	uint32_t cmd;
	uint64_t arg[3];
};

/* one case being run */
struct run {
	struct mach m;
	const struct blob *blob;
	const struct g_case *c;
	const char *name;
	pthread_mutex_t lock;
	pthread_cond_t ended;
	bool over;
	enum mach_exit_kind how;
	uint64_t detail;
	struct serve *bus;	/* with G_VMBUS */
	unsigned int exits, checks, later_count;
	pthread_t later[64];
};

static void *in_blob(const struct blob *b, uint64_t address)
{
	if (address < b->at || address >= b->at + b->size)
		tap_bail("%s: bad address %#" PRIx64, b->name, address);
	return b->bytes + (address - b->at);
}

static struct blob load(const char *path)
{
	struct blob b = { .name = strrchr(path, '/') ? strrchr(path, '/') + 1 : path };
	FILE *f = fopen(path, "rb");
	struct stat st;

	if (!f || fstat(fileno(f), &st))
		tap_bail("%s", path);
	b.size = st.st_size;
	b.bytes = malloc(b.size);
	if (b.size < sizeof(*b.head) || fread(b.bytes, 1, b.size, f) != b.size)
		tap_bail("%s: cannot be read", path);
	fclose(f);
	b.head = (const struct g_head *)b.bytes;
	if (b.head->magic != G_MAGIC)
		tap_bail("%s: not a test guest", path);
	b.at = b.head->load;
	return b;
}

/* ---- what the guest asks of us; r->lock held ---- */

static void end(struct run *r, enum mach_exit_kind how, uint64_t detail)
{
	if (r->over)
		return;
	r->over = true;
	r->how = how;
	r->detail = detail;
	pthread_cond_signal(&r->ended);
}

static void record(struct run *r, const struct mach_exit *x, bool pio)
{
	struct g_host *h = (struct g_host *)(r->m.ram + G_HOST);

	h->write = x->write;
	h->size = x->size;
	h->pio = pio;
	h->addr = x->addr;
	h->value = x->write ? x->value : 0;
	h->log[h->accesses % 32] = h->value;
	__atomic_store_n(&h->accesses, h->accesses + 1, __ATOMIC_SEQ_CST);
}

static void got_check(struct run *r, uint32_t at)
{
	const struct g_check *c = (const struct g_check *)(r->m.ram + at);
	const char *text;

	if (at > r->m.ram_bytes - sizeof(*c) || c->text64 > r->m.ram_bytes - 128) {
		tap_ok(false, "%s/%s: bad check at %#x", r->blob->name, r->name, at);
		return;
	}
	r->checks++;
	text = (const char *)(r->m.ram + c->text64);
	tap_ok(c->ok, "%s/%s: %.120s", r->blob->name, r->name, text);
	if (!c->ok)
		tap_note("  line %u: got %#" PRIx64 ", want %#" PRIx64, c->line, c->got, c->want);
}

static void got_note(struct run *r, uint32_t at)
{
	const struct g_check *c = (const struct g_check *)(r->m.ram + at);

	if (at <= r->m.ram_bytes - sizeof(*c) && c->text64 <= r->m.ram_bytes - 128)
		tap_note("%s/%s: %.120s %" PRIu64, r->blob->name, r->name,
			 (const char *)(r->m.ram + c->text64), c->got);
}

static void inject(struct run *r, uint32_t cmd, const uint64_t *arg)
{
	struct mach_vp *vp = &r->m.vp[arg[0] % MACH_MAX_VPS];

	switch (cmd) {
	case G_CMD_NMI:
	case G_CMD_NMI_LATER:
		ops->nmi(vp);
		break;
	case G_CMD_MSI:
	case G_CMD_MSI_LATER:
		ops->msi(&r->m, arg[0], arg[1]);
		break;
	case G_CMD_EXTINT:
	case G_CMD_EXTINT_LATER:
		ops->extint(vp, arg[1]);
		break;
	}
}

struct later_arg {
	struct run *r;
	uint32_t cmd;
	uint64_t arg[3];
};

static void *later_main(void *p)
{
	struct later_arg *a = p;
	struct timespec t = { a->arg[2] / 1000000, a->arg[2] % 1000000 * 1000 };

	nanosleep(&t, NULL);
	inject(a->r, a->cmd, a->arg);
	free(a);
	return NULL;
}

static void *vp_main(void *p);

static void start_vp(struct run *r, int index)
{
	struct mach_vp *vp = &r->m.vp[index];

	pthread_create(&vp->thread, NULL, vp_main, vp);
	vp->running = true;
}

static void add_vp(struct run *r)
{
	int index = r->m.nr_vps;
	int ret = index < MACH_MAX_VPS ? ops->create_vp(&r->m, index) : -EINVAL;

	if (ret)
		end(r, MX_ERROR, -ret);
	else
		start_vp(r, index);
}

static void command(struct run *r, uint32_t cmd)
{
	struct g_host *h = (struct g_host *)(r->m.ram + G_HOST);
	struct later_arg *a;

	if (cmd == G_CMD_ADD_VP) {
		add_vp(r);
		return;
	}
	if (cmd == G_CMD_OFFER || cmd == G_CMD_REVOKE) {
		h->result = !r->bus ? -ENXIO :
			    cmd == G_CMD_OFFER ? serve_offer(r->bus, h->arg[0], h->arg[1]) :
						 serve_revoke(r->bus, h->arg[0]);
		return;
	}
	if (cmd == G_CMD_NET) {
		uint64_t arg[3] = { h->arg[0], h->arg[1], h->arg[2] };

		h->result = r->bus ? serve_net(r->bus, arg, r->m.ram, r->m.ram_bytes) : -ENXIO;
		return;
	}
	if (cmd == G_CMD_FAULT || cmd == G_CMD_COUNTER) {
		const char *text = (char *)r->m.ram + h->arg[0];

		h->result = h->arg[0] >= r->m.ram_bytes - PAGE_BYTES ? -EFAULT :
			    cmd == G_CMD_FAULT ? serve_fault(text) :
			    r->bus ? serve_counter(r->bus, text) : -ENXIO;
		return;
	}
	if (cmd != G_CMD_MSI_LATER && cmd != G_CMD_NMI_LATER && cmd != G_CMD_EXTINT_LATER) {
		inject(r, cmd, h->arg);
		return;
	}
	if (r->later_count == 64)
		return;
	a = malloc(sizeof(*a));
	*a = (struct later_arg){ r, cmd, { h->arg[0], h->arg[1], h->arg[2] } };
	if (!pthread_create(&r->later[r->later_count], NULL, later_main, a))
		r->later_count++;
}

static void port(struct mach_vp *vp, struct mach_exit *x)
{
	struct run *r = vp->mach->data;
	const struct g_host *h = (const struct g_host *)(r->m.ram + G_HOST);

	if (x->write && x->addr == G_PORT_CHECK)
		got_check(r, x->value);
	else if (x->write && x->addr == G_PORT_NOTE)
		got_note(r, x->value);
	else if (x->write && x->addr == G_PORT_DONE)
		end(r, MX_IO, 0);
	else if (x->write && x->addr == G_PORT_COMMAND)
		command(r, x->value);
	else {
		record(r, x, true);
		if (!x->write)
			x->value = h->answer;
	}
}

static void restart(struct run *r);

static void one_exit(struct mach_vp *vp, struct mach_exit *x)
{
	struct run *r = vp->mach->data;
	struct g_host *h = (struct g_host *)(r->m.ram + G_HOST);

	switch (x->kind) {
	case MX_NONE:
	case MX_EXTINT:
		return;
	case MX_IO:
		port(vp, x);
		if (!x->write)
			ops->answer(vp, x->value);
		return;
	case MX_IO_STRING:
		if (ops->string(vp, x, port))
			end(r, MX_IO_STRING, 0);
		return;
	case MX_MMIO:
		record(r, x, false);
		if (!x->write)
			ops->answer(vp, h->answer);
		return;
	case MX_MMIO_RAW:
		record(r, x, false);
		h->raws++;
		if (!h->skip || h->skip > 15)
			end(r, MX_MMIO_RAW, x->addr);
		else
			ops->skip(vp, h->skip);
		return;
	case MX_EOI:
		h->eoi_vector = x->vector;
		h->eois++;
		return;
	case MX_CRASH:
		h->crashes++;
		return;
	case MX_RESET:
		if (r->bus) {
			restart(r);
			return;
		}
		/* fallthrough */
	default:
		end(r, x->kind, x->kind == MX_FAIL ? x->addr : x->value);
	}
}

static void *vp_main(void *p)
{
	struct mach_vp *vp = p;
	struct run *r = vp->mach->data;
	struct mach_exit x;

	for (;;) {
		bool over;

		ops->run(vp, &x);
		pthread_mutex_lock(&r->lock);
		if (!r->over)
			one_exit(vp, &x);
		if (++r->exits > MAX_EXITS && !(r->c->flags & G_FUZZ))
			end(r, MX_ERROR, ELOOP);
		over = r->over;
		pthread_mutex_unlock(&r->lock);
		if (over)
			return NULL;
	}
}

/* ---- a case from start to end ---- */

static void enter(struct run *r)
{
	const struct g_head *head = r->blob->head;
	struct mach_cpu cpu;

	switch (head->mode) {
	case G_REAL:
		mach_real_mode(&cpu, head->entry);
		break;
	case G_PROTECTED:
		mach_protected(&cpu, r->m.ram, head->entry);
		break;
	case G_PAGED32:
		mach_paged32(&cpu, r->m.ram, head->entry);
		break;
	case G_PAE:
		mach_pae(&cpu, r->m.ram, head->entry);
		break;
	default:
		mach_long_mode(&cpu, r->m.ram, head->entry);
	}
	errno = -ops->set_cpu(&r->m.vp[0], &cpu);
	if (errno)
		tap_bail("%s: registers refused", r->blob->name);
}

static void load_image(struct run *r)
{
	memcpy(r->m.ram + r->blob->at, r->blob->bytes, r->blob->size);
	enter(r);
}

/* r->lock held, by the thread of the only VP */
static void restart(struct run *r)
{
	struct g_host *h = (struct g_host *)(r->m.ram + G_HOST);
	int ret = serve_reset(r->bus);

	if (ret || r->m.nr_vps != 1) {
		end(r, MX_ERROR, -ret);
		return;
	}
	h->resets++;
	load_image(r);
}

static void prepare(struct run *r, unsigned int number)
{
	struct g_host *h;
	int vps = r->c->vps;

	errno = -ops->create(&r->m, G_RAM);
	if (!errno)
		errno = -ops->rom(&r->m, G_ROM);
	for (int i = 0; !errno && i < vps; i++)
		errno = -ops->create_vp(&r->m, r->c->flags & G_FAR && i == vps - 1 ? G_FAR_VP : i);
	if (!errno && r->c->flags & G_VMBUS)
		errno = -serve_start(r->m.fd, &r->bus);
	if (errno)
		tap_bail("cannot make a machine by %s", ops->name);
	r->m.data = r;
	h = (struct g_host *)(r->m.ram + G_HOST);
	h->case_number = number;
	h->vps = vps;
	h->driver_ovid = ops == &mach_ovid;
	if (r->c->flags & G_FUZZ) {
		h->seed = fuzz_seed;
		h->count = fuzz_seconds ? 0 : fuzz_count;
		tap_note("%s/%s: seed %" PRIu64, r->blob->name, r->name, fuzz_seed);
	}
	load_image(r);
}

/* Who is never to end has shown it after a second; a guest that may end as it likes is not waited for longer on a
 * host that is slow.
 */
static unsigned int limit_of(const struct g_case *c)
{
	unsigned int most = c->flags & G_END_STUCK ? 1000 : c->flags & G_END_ANY ? 3000 : limit_ms;

	return (limit_ms < most ? limit_ms : most) * (c->flags & G_LONG_TIME ? 10 : 1);
}

static void wait_for_end(struct run *r)
{
	unsigned int ms = limit_of(r->c);
	struct timespec t;

	clock_gettime(CLOCK_REALTIME, &t);
	t.tv_sec += ms / 1000;
	t.tv_nsec += ms % 1000 * 1000000;
	if (t.tv_nsec >= 1000000000) {
		t.tv_sec++;
		t.tv_nsec -= 1000000000;
	}
	pthread_mutex_lock(&r->lock);
	while (!r->over)
		if (pthread_cond_timedwait(&r->ended, &r->lock, &t) == ETIMEDOUT)
			end(r, MX_NONE, 0);
	pthread_mutex_unlock(&r->lock);
}

static void fuzz(struct run *r)
{
	struct g_host *h = (struct g_host *)(r->m.ram + G_HOST);
	struct timespec tick = { 0, 100000000 };

	for (unsigned int i = 0; i < fuzz_seconds * 10; i++) {
		if (__atomic_load_n(&r->over, __ATOMIC_SEQ_CST))
			return;
		nanosleep(&tick, NULL);
	}
	__atomic_store_n(&h->stop, 1, __ATOMIC_SEQ_CST);
}

static void verdict(struct run *r)
{
	static const char *const words[] = {
		[MX_NONE] = "did not end: stopped", [MX_IO] = "ended",
		[MX_IO_STRING] = "string I/O that the runner does not know",
		[MX_MMIO] = "MMIO", [MX_MMIO_RAW] = "raw MMIO", [MX_EOI] = "EOI",
		[MX_EXTINT] = "ExtINT", [MX_SHUTDOWN] = "shutdown", [MX_MSR] = "MSR exit",
		[MX_FAIL] = "refused by the hypervisor", [MX_ERROR] = "the run call failed",
		[MX_RESET] = "reset",
	};
	uint32_t f = r->c->flags;
	bool good = f & G_END_ANY ? r->how != MX_ERROR || r->detail == ELOOP :
		f & G_END_SHUTDOWN ? r->how == MX_SHUTDOWN :
		f & G_END_RAW ? r->how == MX_MMIO_RAW :
		f & G_END_FAIL ? r->how == MX_FAIL :
		f & G_END_RESET ? r->how == MX_RESET :
		f & G_END_STUCK ? r->how == MX_NONE : r->how == MX_IO;

	if (!tap_ok(good, "%s/%s: %s", r->blob->name, r->name, words[r->how]))
		tap_note("  detail %#" PRIx64 ", %u checks, %u exits", r->detail, r->checks,
			 r->exits);
}

static void run_case(const struct blob *b, unsigned int number)
{
	static struct run r;

	memset(&r, 0, sizeof(r));
	r.blob = b;
	r.c = (const struct g_case *)in_blob(b, b->head->cases) + number;
	r.name = in_blob(b, r.c->name64);
	if (only && strcmp(only, r.name))
		return;
	if (r.c->flags & (ops == &mach_ovid ? G_KVM_ONLY : G_OVID_ONLY))
		return;
	if (r.c->flags & G_FAULTS && !serve_can_fail())
		return;
	pthread_mutex_init(&r.lock, NULL);
	pthread_cond_init(&r.ended, NULL);
	prepare(&r, number);
	for (uint32_t i = 0; i < r.c->vps; i++)
		start_vp(&r, i);
	if (fuzz_seconds && r.c->flags & G_FUZZ)
		fuzz(&r);
	wait_for_end(&r);
	for (int i = 0; i < r.m.nr_vps; i++) {
		ops->stop(&r.m.vp[i]);
		pthread_join(r.m.vp[i].thread, NULL);
	}
	for (unsigned int i = 0; i < r.later_count; i++)
		pthread_join(r.later[i], NULL);
	verdict(&r);
	if (r.bus)
		serve_stop(r.bus);
	ops->destroy(&r.m);
}

static void list(const struct blob *b)
{
	const struct g_case *c = in_blob(b, b->head->cases);

	for (uint64_t i = 0; i < b->head->ncases; i++)
		printf("%s/%s\n", b->name, (char *)in_blob(b, c[i].name64));
}

int main(int argc, char **argv)
{
	static const struct option longs[] = { { "kvm", 0, 0, 'k' }, { 0 } };
	bool listing = false;
	int o;

	while ((o = getopt_long(argc, argv, "lc:t:r:n:s:", longs, NULL)) != -1)
		switch (o) {
		case 'k': ops = &mach_kvm; break;
		case 'l': listing = true; break;
		case 'c': only = optarg; break;
		case 't': limit_ms = atoi(optarg); break;
		case 'r': fuzz_seed = strtoull(optarg, NULL, 0); break;
		case 'n': fuzz_count = strtoull(optarg, NULL, 0); break;
		case 's': fuzz_seconds = atoi(optarg); break;
		default: return 2;
		}
	if (optind == argc)
		return 2;
	if (!listing) {
		tap_begin("guest-run", 900 + 4 * (fuzz_seconds + limit_ms / 1000));
		if (!ops->here())
			tap_bail("no device for %s", ops->name);
		mach_init_signals();
	}
	for (; optind < argc; optind++) {
		struct blob b = load(argv[optind]);

		if (listing)
			list(&b);
		for (uint64_t i = 0; !listing && i < b.head->ncases; i++)
			run_case(&b, i);
		free(b.bytes);
	}
	return listing ? 0 : tap_done();
}
