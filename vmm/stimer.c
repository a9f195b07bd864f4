// SPDX-License-Identifier: GPL-2.0-only
/*
 * Synthetic timers (TLFS: Timers): one-shot and periodic, told by a message or by
 * an interrupt of their own ("direct").
 *
 * Times are reference times.  The earliest expiry of the VP's timers, as a time of
 * the host's TSC, is vp->hv.stimer_deadline, at which the VP's thread looks here:
 * by the means of the APIC's timer (lapic_timer.c, the backend).  No timer expires
 * before the guest's own clock says so.  All of it is the VP's thread's.
 */
#include <linux/math64.h>
#include <linux/minmax.h>
#include <linux/nospec.h>
#include <linux/overflow.h>
#include <linux/string.h>
#include <asm/msr.h>
#include <asm/tsc.h>
#include "lapic.h"
#include "partition.h"
#include "synic.h"
#include "tlfs.h"
#include "vp.h"

#define CONFIG_ENABLE		BIT_ULL(0)
#define CONFIG_PERIODIC		BIT_ULL(1)
#define CONFIG_AUTO_ENABLE	BIT_ULL(3)
#define CONFIG_VECTOR(c)	((u8)((c) >> 4))
#define CONFIG_DIRECT		BIT_ULL(12)
#define CONFIG_SINT(c)		((unsigned int)((c) >> 16) & 15)
#define FIRST_VECTOR		16

#define MIN_PERIOD		1000u		/* 100 us: as for the APIC's timer */
#define FAR			(1ull << 50)

struct timer_payload {
	u32 timer;
	u32 reserved;
	u64 expired;
	u64 delivered;
};

static void tell(struct ovid_vp *vp, unsigned int n)
{
	struct ovid_stimer *t = &vp->hv.stimer[n];
	struct hv_message msg = {
		.header.message_type = HVMSG_TIMER_EXPIRED,
		.header.payload_size = sizeof(struct timer_payload),
	};
	struct timer_payload *payload = (void *)msg.payload;

	payload->timer = n;
	payload->expired = t->expired;
	payload->delivered = ovid_part_reference_time(vp->part);
	/* a guest without slots gets it when it has some and writes EOM */
	t->undelivered = ovid_synic_post(vp, CONFIG_SINT(t->config), &msg);
}

/* whose message has waited longest, but for SINTs in @full; NULL: nobody's */
static struct ovid_stimer *oldest(struct ovid_vp *vp, unsigned long full)
{
	struct ovid_stimer *t, *first = NULL;

	for (t = vp->hv.stimer; t < vp->hv.stimer + OVID_STIMERS; t++)
		if (t->undelivered && !(full & BIT(CONFIG_SINT(t->config))) &&
		    (!first || t->expired < first->expired))
			first = t;
	return first;
}

/* by age: a timer that expires over and over keeps none of the others waiting */
void ovid_stimer_retry(struct ovid_vp *vp)
{
	struct ovid_stimer *t;
	unsigned long full = 0;

	while ((t = oldest(vp, full))) {
		tell(vp, t - vp->hv.stimer);
		if (t->undelivered)
			full |= BIT(CONFIG_SINT(t->config));
	}
}

/* true: it has a message to tell */
static bool expire(struct ovid_vp *vp, unsigned int n, u64 now)
{
	struct ovid_stimer *t = &vp->hv.stimer[n];
	u64 period = max_t(u64, t->count, MIN_PERIOD);

	/* while its message waits there is no second one */
	if (!(t->config & CONFIG_DIRECT) && !t->undelivered) {
		t->undelivered = true;
		t->expired = t->expiry;
	}
	if (t->config & CONFIG_PERIODIC) {
		/* those that were missed are lost */
		t->expiry = now + period - (now - t->expiry) % period;
	} else {
		t->expiry = 0;
		t->config &= ~CONFIG_ENABLE;
	}
	if (!(t->config & CONFIG_DIRECT))
		return true;
	if (CONFIG_VECTOR(t->config) >= FIRST_VECTOR && ovid_lapic_accepts(vp))
		ovid_lapic_post(vp, CONFIG_VECTOR(t->config), false);
	return false;
}

/* a time of the host's TSC that is not before the reference time comes @left on */
static u64 host_deadline(u64 left)
{
	return rdtsc() + mul_u64_u64_div_u64(min(left, FAR), tsc_khz, 10000) + 1;
}

void ovid_stimer_check(struct ovid_vp *vp)
{
	u64 now = ovid_part_reference_time(vp->part), next = U64_MAX;
	struct ovid_stimer *t = vp->hv.stimer;
	bool messages = false;
	unsigned int n;

	for (n = 0; n < OVID_STIMERS; n++) {
		if (t[n].expiry && now >= t[n].expiry)
			messages |= expire(vp, n, now);
		if (t[n].expiry)
			next = min(next, t[n].expiry);
	}
	if (messages)
		ovid_stimer_retry(vp);
	WRITE_ONCE(vp->hv.stimer_deadline, next == U64_MAX ? 0 : host_deadline(next - now));
}

/* by what its registers say now; ovid_stimer_check() is next */
static void start(struct ovid_vp *vp, struct ovid_stimer *t)
{
	t->expiry = 0;
	t->undelivered = false;
	/* an expiry in slot 0, which is the hypervisor's, is no way to be told */
	if (!(t->config & CONFIG_DIRECT) && !CONFIG_SINT(t->config))
		t->config &= ~CONFIG_ENABLE;
	if (t->config & CONFIG_ENABLE && t->count) {
		t->expiry = t->count;
		if (t->config & CONFIG_PERIODIC &&
		    check_add_overflow(ovid_part_reference_time(vp->part),
				       max_t(u64, t->count, MIN_PERIOD), &t->expiry))
			t->expiry = U64_MAX;	/* a time that does not come */
	}
}

static struct ovid_stimer *timer_of(struct ovid_vp *vp, u32 msr)
{
	return &vp->hv.stimer[array_index_nospec((msr - HV_MSR_STIMER0_CONFIG) / 2, OVID_STIMERS)];
}

static bool is_count(u32 msr)
{
	return (msr - HV_MSR_STIMER0_CONFIG) & 1;
}

u64 ovid_stimer_msr_read(struct ovid_vp *vp, u32 msr)
{
	const struct ovid_stimer *t = timer_of(vp, msr);

	return is_count(msr) ? t->count : t->config;
}

int ovid_stimer_msr_write(struct ovid_vp *vp, u32 msr, u64 val)
{
	struct ovid_stimer *t = timer_of(vp, msr);

	if (!is_count(msr)) {
		t->config = val;
	} else {
		t->count = val;
		if (!val)
			t->config &= ~CONFIG_ENABLE;
		else if (t->config & CONFIG_AUTO_ENABLE)
			t->config |= CONFIG_ENABLE;
	}
	start(vp, t);
	ovid_stimer_check(vp);
	return OVID_MSR_OK;
}

/* enable stays as it was read: a one-shot that expired does not begin again */
int ovid_stimer_msr_restore(struct ovid_vp *vp, u32 msr, u64 val)
{
	struct ovid_stimer *t = timer_of(vp, msr);

	if (is_count(msr))
		t->count = val;
	else
		t->config = val;
	start(vp, t);
	ovid_stimer_check(vp);
	return OVID_MSR_OK;
}

struct stimer_blob {
	struct {
		u64 flags;
		u64 config;
		u64 count;
		u64 next;		/* of a periodic one: when it expires */
		u64 expired;
	} timer[OVID_STIMERS];
	u64 reserved[5];
};
static_assert(sizeof(struct stimer_blob) == OVID_STIMER_BLOB_BYTES);

#define BLOB_UNDELIVERED	BIT_ULL(0)

void ovid_stimer_save(struct ovid_vp *vp, void *blob)
{
	struct stimer_blob *b = blob;
	unsigned int n;

	memset(b, 0, sizeof(*b));
	for (n = 0; n < OVID_STIMERS; n++) {
		const struct ovid_stimer *t = &vp->hv.stimer[n];

		b->timer[n].flags = t->undelivered ? BLOB_UNDELIVERED : 0;
		b->timer[n].config = t->config;
		b->timer[n].count = t->count;
		b->timer[n].next = t->config & CONFIG_PERIODIC ? t->expiry : 0;
		b->timer[n].expired = t->undelivered ? t->expired : 0;
	}
}

int ovid_stimer_restore(struct ovid_vp *vp, const void *blob)
{
	const struct stimer_blob *b = blob;
	unsigned int n;

	if (memchr_inv(b->reserved, 0, sizeof(b->reserved)))
		return -EINVAL;
	for (n = 0; n < OVID_STIMERS; n++)
		if (b->timer[n].flags & ~BLOB_UNDELIVERED)
			return -EINVAL;
	for (n = 0; n < OVID_STIMERS; n++) {
		struct ovid_stimer *t = &vp->hv.stimer[n];

		t->config = b->timer[n].config;
		t->count = b->timer[n].count;
		start(vp, t);
		if (t->expiry && t->config & CONFIG_PERIODIC && b->timer[n].next)
			t->expiry = b->timer[n].next;
		t->undelivered = b->timer[n].flags & BLOB_UNDELIVERED;
		t->expired = b->timer[n].expired;
	}
	ovid_stimer_check(vp);
	return 0;
}

void ovid_stimer_reset(struct ovid_vp *vp)
{
	memset(vp->hv.stimer, 0, sizeof(vp->hv.stimer));
	WRITE_ONCE(vp->hv.stimer_deadline, 0);
}
