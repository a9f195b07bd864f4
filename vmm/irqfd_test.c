// SPDX-License-Identifier: GPL-2.0-only
/*
 * Cases for route.c, irqfd.c and doorbell.c.  eventfds are fakes: a file whose
 * poll shows a wait queue, and a count; who gets an interrupt is only noted.
 */
#include <kunit/test.h>
#include <linux/anon_inodes.h>
#include <linux/eventfd.h>
#include <linux/file.h>
#include <linux/mman.h>
#include <linux/poll.h>

/* ---- eventfds ------------------------------------------------------------- */

#define NR_FAKES	4

/* fd n is fakes[n] */
struct eventfd_ctx {
	struct file *file;
	wait_queue_head_t wqh;
	u64 count;
	int refs;
};

static struct eventfd_ctx fakes[NR_FAKES];

static __poll_t fake_poll(struct file *file, poll_table *wait)
{
	struct eventfd_ctx *ctx = file->private_data;

	poll_wait(file, &ctx->wqh, wait);
	return ctx->count ? EPOLLIN : 0;
}

static const struct file_operations fake_fops = { .owner = THIS_MODULE, .poll = fake_poll };

static struct file *fake_fget(int fd)
{
	return fd >= 0 && fd < NR_FAKES ? get_file(fakes[fd].file) : NULL;
}

static struct eventfd_ctx *fake_fileget(struct file *file)
{
	struct eventfd_ctx *ctx = file->private_data;

	ctx->refs++;
	return ctx;
}

static struct eventfd_ctx *fake_fdget(int fd)
{
	return fd >= 0 && fd < NR_FAKES ? fake_fileget(fakes[fd].file) : ERR_PTR(-EBADF);
}

static void fake_put(struct eventfd_ctx *ctx)
{
	ctx->refs--;
}

static void fake_do_read(struct eventfd_ctx *ctx, u64 *count)
{
	*count = ctx->count;
	ctx->count = 0;
}

/* as eventfd_signal(): a priority waiter that takes it sets the count back */
static void fake_signal(struct eventfd_ctx *ctx)
{
	ctx->count++;
	wake_up_poll(&ctx->wqh, EPOLLIN);
}

#define fget(fd)			fake_fget(fd)
#define eventfd_ctx_fileget(file)	fake_fileget(file)
#define eventfd_ctx_fdget(fd)		fake_fdget(fd)
#define eventfd_ctx_put(ctx)		fake_put(ctx)
#define eventfd_ctx_do_read(ctx, n)	fake_do_read(ctx, n)
#define eventfd_signal(ctx)		fake_signal(ctx)

#include "route.c"
#include "irqfd.c"
#include "doorbell.c"

/* ---- what they ask of others ------------------------------------------------ */

static unsigned int sent[256];		/* by vector */
static unsigned int nmis, events, requests;

int ovid_lapic_deliver(struct ovid_partition *part, struct ovid_vp *src,
		       const struct ovid_irq *irq)
{
	sent[irq->vector]++;
	return 1;
}

void ovid_irq_from_msi(struct ovid_irq *irq, u64 address, u32 data)
{
	*irq = (struct ovid_irq){ .vector = data, .level = data & BIT(15) };
}

struct ovid_vp *ovid_vp_get_index(struct ovid_partition *part, u32 index)
{
	return part->vps[index];
}

void ovid_vp_nmi(struct ovid_vp *vp)
{
	nmis++;
}

int ovid_synic_signal(struct ovid_vp *vp, unsigned int sint, unsigned int flag)
{
	events++;
	return 1;
}

void ovid_vp_request(struct ovid_vp *vp, enum ovid_request req)
{
	requests++;
}

/* ---- fixture --------------------------------------------------------------- */

static int fixture_init(struct kunit *test)
{
	struct ovid_partition *part = kunit_kzalloc(test, sizeof(*part), GFP_KERNEL);
	unsigned int i;

	KUNIT_ASSERT_NOT_NULL(test, part);
	KUNIT_ASSERT_EQ(test, 0, ovid_irq_init(part));
	test->priv = part;
	memset(sent, 0, sizeof(sent));
	nmis = 0;
	events = 0;
	requests = 0;
	for (i = 0; i < NR_FAKES; i++) {
		fakes[i] = (struct eventfd_ctx){};
		init_waitqueue_head(&fakes[i].wqh);
		fakes[i].file = anon_inode_getfile("[fake]", &fake_fops, &fakes[i], O_RDWR);
		KUNIT_ASSERT_FALSE(test, IS_ERR(fakes[i].file));
	}
	return 0;
}

static void fixture_exit(struct kunit *test)
{
	struct ovid_partition *part = test->priv;
	unsigned int i;

	ovid_irq_fini(part);
	ovid_irq_exit();
	for (i = 0; i < NR_FAKES; i++) {
		KUNIT_EXPECT_EQ(test, 0, fakes[i].refs);
		KUNIT_EXPECT_TRUE(test, list_empty(&fakes[i].wqh.head));
		fput(fakes[i].file);
	}
}

static int route(struct ovid_partition *part, u32 gsi, u32 kind, u64 address, u32 data)
{
	struct ovid_route arg = { .size = sizeof(arg), .gsi = gsi, .kind = kind,
				  .address = address, .data = data };

	return ovid_set_route(part, &arg);
}

static int msi(struct ovid_partition *part, u32 gsi, u32 data)
{
	return route(part, gsi, OVID_ROUTE_MSI, 0xfee00000, data);
}

static int irqfd(struct ovid_partition *part, int fd, u32 gsi, u32 flags, int resample)
{
	struct mshv_user_irqfd arg = { fd, resample, gsi, flags };

	return ovid_irqfd(part, &arg);
}

#define DEASSIGN	BIT(MSHV_IRQFD_BIT_DEASSIGN)
#define RESAMPLE	BIT(MSHV_IRQFD_BIT_RESAMPLE)

/* ---- routes ---------------------------------------------------------------- */

static void route_arguments(struct kunit *test)
{
	struct ovid_partition *part = test->priv;
	struct ovid_route arg = { .size = sizeof(arg), .kind = OVID_ROUTE_MSI };

	KUNIT_EXPECT_EQ(test, -EINVAL, msi(part, OVID_MAX_GSIS, 0x41));
	KUNIT_EXPECT_EQ(test, -EINVAL, route(part, 1, OVID_ROUTE_EVENT + 1, 0, 0));
	KUNIT_EXPECT_EQ(test, -EINVAL, route(part, 1, OVID_ROUTE_EVENT, OVID_MAX_VPS, 0));
	KUNIT_EXPECT_EQ(test, -EINVAL, route(part, 1, OVID_ROUTE_EVENT, 0, OVID_SINTS << 16));
	KUNIT_EXPECT_EQ(test, -EINVAL, route(part, 1, OVID_ROUTE_EVENT, 0, OVID_EVENT_FLAGS));
	KUNIT_EXPECT_EQ(test, -EINVAL, route(part, 1, OVID_ROUTE_NMI, OVID_MAX_VPS, 0));
	KUNIT_EXPECT_EQ(test, -EINVAL, route(part, 1, OVID_ROUTE_NMI, 0, 1));
	KUNIT_EXPECT_EQ(test, -EINVAL, route(part, 1, OVID_ROUTE_NONE, 1, 0));
	arg.flags = 1;
	KUNIT_EXPECT_EQ(test, -EINVAL, ovid_set_route(part, &arg));
	arg.flags = 0;
	arg.pad = 1;
	KUNIT_EXPECT_EQ(test, -EINVAL, ovid_set_route(part, &arg));
	KUNIT_EXPECT_EQ(test, 0, route(part, 1, OVID_ROUTE_NONE, 0, 0));
	KUNIT_EXPECT_NULL(test, part->irq.routes);
	KUNIT_EXPECT_EQ(test, 0, msi(part, OVID_MAX_GSIS - 1, 0x41));
}

static void route_is_what_was_set_last(struct kunit *test)
{
	struct ovid_partition *part = test->priv;

	KUNIT_ASSERT_EQ(test, 0, irqfd(part, 0, 5, 0, -1));
	fake_signal(&fakes[0]);			/* no route: dropped */
	KUNIT_EXPECT_EQ(test, 0ull, fakes[0].count);
	msi(part, 5, 0x41);
	fake_signal(&fakes[0]);
	msi(part, 5, 0x42);
	fake_signal(&fakes[0]);
	KUNIT_EXPECT_EQ(test, 1u, sent[0x41]);
	KUNIT_EXPECT_EQ(test, 1u, sent[0x42]);
	route(part, 5, OVID_ROUTE_NONE, 0, 0);
	fake_signal(&fakes[0]);
	KUNIT_EXPECT_EQ(test, 1u, sent[0x42]);
	route(part, 5, OVID_ROUTE_NMI, 3, 0);	/* a VP that is not there */
	fake_signal(&fakes[0]);
	KUNIT_EXPECT_EQ(test, 0u, nmis);
	route(part, 5, OVID_ROUTE_EVENT, 3, 2 << 16);	/* nor here */
	fake_signal(&fakes[0]);
	KUNIT_EXPECT_EQ(test, 0u, events);
}

static void *user_table(struct kunit *test)
{
	unsigned long addr = kunit_vm_mmap(test, NULL, 0, 32 * PAGE_SIZE, PROT_READ | PROT_WRITE,
					   MAP_ANONYMOUS | MAP_PRIVATE, 0);

	KUNIT_ASSERT_NE(test, 0ul, addr);
	KUNIT_ASSERT_LT(test, addr, (unsigned long)TASK_SIZE);
	return (void *)addr;
}

static int table(struct kunit *test, void *user, const struct mshv_user_irq_entry *e, u32 nr)
{
	struct mshv_user_irq_table head = { .nr = nr };
	void __user *u = (void __user *)user;

	KUNIT_ASSERT_EQ(test, 0ul, copy_to_user(u, &head, sizeof(head)));
	KUNIT_ASSERT_EQ(test, 0ul, copy_to_user(u + sizeof(head), e, nr * sizeof(*e)));
	return ovid_set_msi_routing(test->priv, u);
}

static void table_is_diffed(struct kunit *test)
{
	struct mshv_user_irq_entry e[3] = {
		{ 1, 0xfee00000, 0, 0x61 }, { 2, 0xfee00000, 0, 0x62 }, { 3, 0xfee00000, 0, 0x63 },
	};
	struct ovid_partition *part = test->priv;
	void *user = user_table(test);
	void *kept, *moved;

	KUNIT_EXPECT_EQ(test, 0, table(test, user, e, 3));
	KUNIT_EXPECT_EQ(test, 3, bitmap_weight(part->irq.routed, OVID_MAX_GSIS));
	kept = rcu_access_pointer(part->irq.routes[1]);
	moved = rcu_access_pointer(part->irq.routes[2]);
	e[1].data = 0x72;
	KUNIT_EXPECT_EQ(test, 0, table(test, user, e, 2));
	KUNIT_EXPECT_PTR_EQ(test, kept, (void *)rcu_access_pointer(part->irq.routes[1]));
	KUNIT_EXPECT_PTR_NE(test, moved, (void *)rcu_access_pointer(part->irq.routes[2]));
	KUNIT_EXPECT_NULL(test, rcu_access_pointer(part->irq.routes[3]));
	KUNIT_EXPECT_EQ(test, 0, table(test, user, e, 0));
	KUNIT_EXPECT_TRUE(test, bitmap_empty(part->irq.routed, OVID_MAX_GSIS));
}

static void table_arguments(struct kunit *test)
{
	struct mshv_user_irq_entry e[2] = {
		{ 1, 0xfee00000, 0, 0x61 }, { 2, 0xfee00000, 0, 0x62 },
	};
	struct mshv_user_irq_table head = { .nr = OVID_MAX_GSIS + 1 };
	struct ovid_partition *part = test->priv;
	void *user = user_table(test);

	KUNIT_ASSERT_EQ(test, 0, table(test, user, e, 2));
	e[1].gsi = 1;
	KUNIT_EXPECT_EQ(test, -EINVAL, table(test, user, e, 2));
	e[1].gsi = OVID_MAX_GSIS;
	KUNIT_EXPECT_EQ(test, -EINVAL, table(test, user, e, 2));
	e[1].gsi = 3;
	e[1].address_hi = 1;
	KUNIT_EXPECT_EQ(test, -EINVAL, table(test, user, e, 2));
	KUNIT_ASSERT_EQ(test, 0ul, copy_to_user((void __user *)user, &head, sizeof(head)));
	KUNIT_EXPECT_EQ(test, -EINVAL, ovid_set_msi_routing(part, (void __user *)user));
	head.nr = 0;
	head.rsvd = 1;
	KUNIT_ASSERT_EQ(test, 0ul, copy_to_user((void __user *)user, &head, sizeof(head)));
	KUNIT_EXPECT_EQ(test, -EINVAL, ovid_set_msi_routing(part, (void __user *)user));
	KUNIT_EXPECT_EQ(test, -EFAULT, ovid_set_msi_routing(part, (void __user *)8));
	/* nothing of that changed anything */
	KUNIT_EXPECT_EQ(test, 2, bitmap_weight(part->irq.routed, OVID_MAX_GSIS));
}

static void inject(struct kunit *test)
{
	struct ovid_inject arg = { .size = sizeof(arg), .kind = OVID_INJECT_MSI, .data = 0x55 };
	struct ovid_partition *part = test->priv;
	struct ovid_vp *vp = kunit_kzalloc(test, sizeof(*vp), GFP_KERNEL);

	KUNIT_ASSERT_NOT_NULL(test, vp);
	KUNIT_EXPECT_EQ(test, 0, ovid_inject(part, &arg));
	KUNIT_EXPECT_EQ(test, 1u, sent[0x55]);
	part->vps[2] = vp;
	arg = (struct ovid_inject){ .size = sizeof(arg), .kind = OVID_INJECT_NMI, .address = 1 };
	KUNIT_EXPECT_EQ(test, 0, ovid_inject(part, &arg));
	arg.address = 1ull << 32 | 2;
	KUNIT_EXPECT_EQ(test, 0, ovid_inject(part, &arg));
	KUNIT_EXPECT_EQ(test, 0u, nmis);
	arg.address = 2;
	KUNIT_EXPECT_EQ(test, 0, ovid_inject(part, &arg));
	KUNIT_EXPECT_EQ(test, 1u, nmis);
	arg.kind = OVID_INJECT_EXTINT;
	arg.data = 1;
	KUNIT_EXPECT_EQ(test, 0, ovid_inject(part, &arg));
	KUNIT_EXPECT_TRUE(test, vp->extint_line);
	arg.data = 0;
	KUNIT_EXPECT_EQ(test, 0, ovid_inject(part, &arg));
	KUNIT_EXPECT_FALSE(test, vp->extint_line);
	KUNIT_EXPECT_EQ(test, 1u, requests);	/* only when it rose */
	arg.data = 2;
	KUNIT_EXPECT_EQ(test, -EINVAL, ovid_inject(part, &arg));
	arg.kind = 0;
	KUNIT_EXPECT_EQ(test, -EINVAL, ovid_inject(part, &arg));
	arg.kind = OVID_INJECT_MSI;
	arg.flags = 1;
	KUNIT_EXPECT_EQ(test, -EINVAL, ovid_inject(part, &arg));
}

/* ---- irqfds ---------------------------------------------------------------- */

static void irqfd_arguments(struct kunit *test)
{
	struct ovid_partition *part = test->priv;

	KUNIT_EXPECT_EQ(test, -EBADF, irqfd(part, -1, 5, 0, -1));
	KUNIT_EXPECT_EQ(test, -EBADF, irqfd(part, -1, 5, DEASSIGN, -1));
	KUNIT_EXPECT_EQ(test, -EINVAL, irqfd(part, 0, 5, 4, -1));
	KUNIT_EXPECT_EQ(test, -EINVAL, irqfd(part, 0, OVID_MAX_GSIS, 0, -1));
	KUNIT_EXPECT_EQ(test, 0, irqfd(part, 0, 5, DEASSIGN, -1));
	KUNIT_EXPECT_EQ(test, 0, irqfd(part, 0, 5, 0, -1));
	KUNIT_EXPECT_EQ(test, -EBUSY, irqfd(part, 0, 5, 0, -1));
	KUNIT_EXPECT_EQ(test, -EBUSY, irqfd(part, 0, 6, 0, -1));
	KUNIT_EXPECT_EQ(test, 0, irqfd(part, 0, 6, DEASSIGN, -1));	/* not that GSI */
	KUNIT_EXPECT_EQ(test, 1u, part->irq.nr_irqfds);
	KUNIT_EXPECT_EQ(test, 0, irqfd(part, 0, 5, DEASSIGN, -1));
	KUNIT_EXPECT_EQ(test, 0u, part->irq.nr_irqfds);
	KUNIT_EXPECT_EQ(test, 0, fakes[0].refs);
}

static void irqfd_takes_what_is_pending(struct kunit *test)
{
	struct ovid_partition *part = test->priv;

	msi(part, 5, 0x41);
	fake_signal(&fakes[0]);
	KUNIT_EXPECT_EQ(test, 0u, sent[0x41]);
	irqfd(part, 0, 5, 0, -1);
	KUNIT_EXPECT_EQ(test, 1u, sent[0x41]);
	KUNIT_EXPECT_EQ(test, 0ull, fakes[0].count);
	irqfd(part, 0, 5, DEASSIGN, -1);
	fake_signal(&fakes[0]);
	KUNIT_EXPECT_EQ(test, 1u, sent[0x41]);
	KUNIT_EXPECT_EQ(test, 1ull, fakes[0].count);
}

static void irqfd_hup(struct kunit *test)
{
	struct ovid_partition *part = test->priv;

	irqfd(part, 0, 5, 0, -1);
	irqfd(part, 1, 6, 0, -1);
	wake_up_poll(&fakes[0].wqh, EPOLLHUP);
	flush_work(&part->irq.hup_work);
	KUNIT_EXPECT_EQ(test, 1u, part->irq.nr_irqfds);
	KUNIT_EXPECT_EQ(test, 0, fakes[0].refs);
	KUNIT_EXPECT_EQ(test, 1, fakes[1].refs);
}

static void resample(struct kunit *test)
{
	struct ovid_partition *part = test->priv;

	KUNIT_EXPECT_EQ(test, -EINVAL, irqfd(part, 0, 5, RESAMPLE, 1));	/* no route */
	msi(part, 5, 0x41);
	KUNIT_EXPECT_EQ(test, -EINVAL, irqfd(part, 0, 5, RESAMPLE, 1));	/* edge */
	msi(part, 5, 0x8041);
	KUNIT_EXPECT_EQ(test, -EBADF, irqfd(part, 0, 5, RESAMPLE, -1));
	KUNIT_EXPECT_EQ(test, 0, fakes[0].refs);
	KUNIT_EXPECT_EQ(test, 0, irqfd(part, 0, 5, RESAMPLE, 1));
	ovid_irqfd_eoi(part, 0x42);
	KUNIT_EXPECT_EQ(test, 0ull, fakes[1].count);
	ovid_irqfd_eoi(part, 0x41);
	KUNIT_EXPECT_EQ(test, 1ull, fakes[1].count);
	msi(part, 5, 0x41);
	ovid_irqfd_eoi(part, 0x41);
	KUNIT_EXPECT_EQ(test, 1ull, fakes[1].count);
	irqfd(part, 0, 5, DEASSIGN, -1);
	KUNIT_EXPECT_EQ(test, 0, fakes[1].refs);
}

/* ---- doorbells ------------------------------------------------------------- */

#define MATCH	BIT(MSHV_IOEVENTFD_BIT_DATAMATCH)
#define PIO	BIT(MSHV_IOEVENTFD_BIT_PIO)
#define OFF	BIT(MSHV_IOEVENTFD_BIT_DEASSIGN)

static int bell(struct ovid_partition *part, int fd, u64 addr, u32 len, u32 flags, u64 value)
{
	struct mshv_user_ioeventfd arg = { value, addr, len, fd, flags };

	return ovid_ioeventfd(part, &arg);
}

static void bell_arguments(struct kunit *test)
{
	struct mshv_user_ioeventfd arg = { .addr = 0x1000, .len = 4, .rsvd = { 0, 0, 0, 1 } };
	struct ovid_partition *part = test->priv;

	KUNIT_EXPECT_EQ(test, -EINVAL, bell(part, 0, 0x1000, 3, 0, 0));
	KUNIT_EXPECT_EQ(test, -EINVAL, bell(part, 0, 0x1000, 16, 0, 0));
	KUNIT_EXPECT_EQ(test, -EINVAL, bell(part, 0, 0x1000, 4, BIT(3), 0));
	KUNIT_EXPECT_EQ(test, -EINVAL, bell(part, 0, U64_MAX - 1, 4, 0, 0));
	KUNIT_EXPECT_EQ(test, -EINVAL, bell(part, 0, 0x10000, 1, PIO, 0));
	KUNIT_EXPECT_EQ(test, -EINVAL, bell(part, 0, 0xfffe, 4, PIO, 0));
	KUNIT_EXPECT_EQ(test, -EBADF, bell(part, -1, 0x1000, 4, 0, 0));
	KUNIT_EXPECT_EQ(test, -EINVAL, ovid_ioeventfd(part, &arg));
	KUNIT_EXPECT_EQ(test, -ENOENT, bell(part, 0, 0x1000, 4, OFF, 0));
	KUNIT_EXPECT_EQ(test, 0u, part->irq.nr_doorbells);
}

static void bell_rings(struct kunit *test)
{
	struct ovid_partition *part = test->priv;

	KUNIT_EXPECT_EQ(test, 0, bell(part, 0, 0x1000, 0, 0, 0));
	KUNIT_EXPECT_TRUE(test, ovid_doorbell_any(part, false, 0x1000));
	KUNIT_EXPECT_FALSE(test, ovid_doorbell_any(part, true, 0x1000));
	KUNIT_EXPECT_TRUE(test, ovid_doorbell_ring(part, false, 0x1000, 1, 7));
	KUNIT_EXPECT_TRUE(test, ovid_doorbell_ring(part, false, 0x1000, 8, 7));
	KUNIT_EXPECT_FALSE(test, ovid_doorbell_ring(part, false, 0x1001, 4, 7));
	KUNIT_EXPECT_FALSE(test, ovid_doorbell_ring(part, true, 0x1000, 4, 7));
	KUNIT_EXPECT_EQ(test, 2ull, fakes[0].count);
	KUNIT_EXPECT_EQ(test, 2ll, atomic64_read(&part->stats.doorbells));

	/* a value goes before any value, whatever the order they came in */
	KUNIT_EXPECT_EQ(test, 0, bell(part, 1, 0x1000, 4, MATCH, 0x1234));
	KUNIT_EXPECT_TRUE(test, ovid_doorbell_ring(part, false, 0x1000, 4, 0xff00001234));
	KUNIT_EXPECT_EQ(test, 1ull, fakes[1].count);
	KUNIT_EXPECT_TRUE(test, ovid_doorbell_ring(part, false, 0x1000, 2, 0x1234));
	KUNIT_EXPECT_TRUE(test, ovid_doorbell_ring(part, false, 0x1000, 4, 0x1235));
	KUNIT_EXPECT_EQ(test, 1ull, fakes[1].count);
	KUNIT_EXPECT_EQ(test, 4ull, fakes[0].count);

	KUNIT_EXPECT_EQ(test, 0, bell(part, 2, 0xfffc, 4, PIO, 0));
	KUNIT_EXPECT_TRUE(test, ovid_doorbell_ring(part, true, 0xfffc, 4, 0));
	KUNIT_EXPECT_EQ(test, 1ull, fakes[2].count);
}

static void bell_any(struct kunit *test)
{
	struct ovid_partition *part = test->priv;

	KUNIT_EXPECT_FALSE(test, ovid_doorbell_ring_any(part, 0x1000));
	bell(part, 0, 0x1000, 0, PIO, 0);
	KUNIT_EXPECT_FALSE(test, ovid_doorbell_ring_any(part, 0x1000));
	bell(part, 0, 0x1000, 0, 0, 0);
	KUNIT_EXPECT_TRUE(test, ovid_doorbell_ring_any(part, 0x1000));
	KUNIT_EXPECT_EQ(test, 1ull, fakes[0].count);
	bell(part, 1, 0x1000, 4, MATCH, 1);	/* now the value counts */
	KUNIT_EXPECT_FALSE(test, ovid_doorbell_ring_any(part, 0x1000));
	bell(part, 1, 0x1000, 4, MATCH | OFF, 1);
	KUNIT_EXPECT_TRUE(test, ovid_doorbell_ring_any(part, 0x1000));
	bell(part, 1, 0x2000, 4, 0, 0);
	KUNIT_EXPECT_FALSE(test, ovid_doorbell_ring_any(part, 0x2000));
	KUNIT_EXPECT_EQ(test, 2ull, fakes[0].count);
	KUNIT_EXPECT_EQ(test, 0ull, fakes[1].count);
}

static void bell_collisions(struct kunit *test)
{
	struct ovid_partition *part = test->priv;

	KUNIT_EXPECT_EQ(test, 0, bell(part, 0, 0x1000, 4, MATCH, 1));
	KUNIT_EXPECT_EQ(test, 0, bell(part, 0, 0x1000, 4, MATCH, 2));
	KUNIT_EXPECT_EQ(test, 0, bell(part, 0, 0x1000, 2, MATCH, 1));
	KUNIT_EXPECT_EQ(test, 0, bell(part, 0, 0x1000, 4, MATCH | PIO, 1));
	KUNIT_EXPECT_EQ(test, -EEXIST, bell(part, 1, 0x1000, 4, MATCH, 1));
	KUNIT_EXPECT_EQ(test, -EEXIST, bell(part, 1, 0x1000, 4, 0, 0));
	KUNIT_EXPECT_EQ(test, -ENOENT, bell(part, 1, 0x1000, 4, OFF | MATCH, 1));
	KUNIT_EXPECT_EQ(test, -ENOENT, bell(part, 0, 0x1000, 4, OFF | MATCH, 3));
	KUNIT_EXPECT_EQ(test, -ENOENT, bell(part, 0, 0x1000, 4, OFF, 0));
	KUNIT_EXPECT_EQ(test, -ENOENT, bell(part, 0, 0x1000, 8, OFF | MATCH, 1));
	KUNIT_EXPECT_EQ(test, 0, bell(part, 0, 0x1000, 4, OFF | MATCH, 1));
	KUNIT_EXPECT_FALSE(test, ovid_doorbell_ring(part, false, 0x1000, 4, 1));
	KUNIT_EXPECT_TRUE(test, ovid_doorbell_ring(part, false, 0x1000, 4, 2));
	KUNIT_EXPECT_EQ(test, 3u, part->irq.nr_doorbells);
	rcu_barrier();
	KUNIT_EXPECT_EQ(test, 3, fakes[0].refs);
}

static void bell_limit(struct kunit *test)
{
	struct ovid_partition *part = test->priv;
	int i, err = 0;

	for (i = 0; i <= OVID_MAX_DOORBELLS && !err; i++)
		err = bell(part, 0, 0x1000 + 4 * i, 4, 0, 0);
	KUNIT_EXPECT_EQ(test, -ENOSPC, err);
	KUNIT_EXPECT_EQ(test, (unsigned int)OVID_MAX_DOORBELLS, part->irq.nr_doorbells);
}

static struct kunit_case irqfd_cases[] = {
	KUNIT_CASE(route_arguments),
	KUNIT_CASE(route_is_what_was_set_last),
	KUNIT_CASE(table_is_diffed),
	KUNIT_CASE(table_arguments),
	KUNIT_CASE(inject),
	KUNIT_CASE(irqfd_arguments),
	KUNIT_CASE(irqfd_takes_what_is_pending),
	KUNIT_CASE(irqfd_hup),
	KUNIT_CASE(resample),
	KUNIT_CASE(bell_arguments),
	KUNIT_CASE(bell_rings),
	KUNIT_CASE(bell_any),
	KUNIT_CASE(bell_collisions),
	KUNIT_CASE(bell_limit),
	{}
};

static struct kunit_suite irqfd_suite = {
	.name = "ovid_irqfd",
	.init = fixture_init,
	.exit = fixture_exit,
	.test_cases = irqfd_cases,
};
kunit_test_suite(irqfd_suite);

MODULE_DESCRIPTION("cases for routes, irqfds and doorbells");
MODULE_LICENSE("GPL");
