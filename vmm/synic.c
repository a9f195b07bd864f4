// SPDX-License-Identifier: GPL-2.0-only
/*
 * The synthetic interrupt controller: message slots, event flags, and the
 * interrupts that tell of them (TLFS: Virtual Interrupt Controller).
 *
 * The pages are the kernel's own (overlay.h), so a message or flag is written by
 * a pointer, from any context, wherever the guest has put the page; only that it
 * is enabled counts.  A slot is the guest's from the store of its type on until
 * the guest clears that.
 */
#include <linux/cleanup.h>
#include <linux/nospec.h>
#include <linux/string.h>
#include "lapic.h"
#include "partition.h"
#include "synic.h"
#include "tlfs.h"
#include "vp.h"

#define SINT_MASKED	BIT_ULL(16)
#define SINT_AUTO_EOI	BIT_ULL(17)
#define SINT_POLLING	BIT_ULL(18)
#define SINT_RESET	SINT_MASKED
#define FIRST_VECTOR	16

#define FLAG_PENDING	BIT(0)		/* in a message's flags */

static struct hv_message *slot_of(struct ovid_synic *synic, unsigned int sint)
{
	struct hv_message *slots = ovid_overlay_data(&synic->messages);

	return &slots[sint];
}

static void interrupt(struct ovid_vp *vp, unsigned int sint)
{
	u64 val = READ_ONCE(vp->hv.synic.sint[sint]);
	u8 vector = val;

	if (val & (SINT_MASKED | SINT_POLLING) || vector < FIRST_VECTOR)
		return;
	if (ovid_lapic_accepts(vp))
		ovid_lapic_post(vp, vector, false);
}

/*
 * True: the slot is free.  If it is not, the guest finds the flag when it empties
 * it and writes EOM; if it emptied it before it could see the flag, we see it
 * empty now.
 */
static bool slot_free(struct hv_message *slot)
{
	if (!READ_ONCE(slot->header.message_type))
		return true;
	WRITE_ONCE(slot->header.message_flags, FLAG_PENDING);
	smp_mb();	/* the flag, then the look; with the guest's type, then flag */
	return !READ_ONCE(slot->header.message_type);
}

int ovid_synic_post(struct ovid_vp *vp, unsigned int sint, const struct hv_message *msg)
{
	struct ovid_synic *synic = &vp->hv.synic;
	struct hv_message *slot;

	sint = array_index_nospec(sint, OVID_SINTS);
	slot = slot_of(synic, sint);
	scoped_guard(spinlock_irqsave, &synic->lock) {
		if (!(synic->control & synic->simp & HV_PAGE_ENABLE))
			return -EAGAIN;
		if (!slot_free(slot))
			return -EBUSY;
		memcpy(slot->payload, msg->payload, sizeof(slot->payload));
		slot->header.sender = msg->header.sender;
		slot->header.payload_size = min_t(u8, msg->header.payload_size,
						  sizeof(slot->payload));
		WRITE_ONCE(slot->header.message_flags, 0);
		/* the guest looks at the type first */
		smp_store_release(&slot->header.message_type, msg->header.message_type);
	}
	interrupt(vp, sint);
	return 0;
}

u16 ovid_synic_deliverable(struct ovid_vp *vp)
{
	struct ovid_synic *synic = &vp->hv.synic;
	unsigned long wanted = synic->notify;
	unsigned int sint;
	u16 free = 0;

	guard(spinlock_irqsave)(&synic->lock);
	if (!(synic->control & synic->simp & HV_PAGE_ENABLE))
		return 0;
	for_each_set_bit(sint, &wanted, OVID_SINTS)
		if (slot_free(slot_of(synic, sint)))
			free |= BIT(sint);
	synic->notify &= ~free;
	return free;
}

int ovid_synic_signal(struct ovid_vp *vp, unsigned int sint, unsigned int flag)
{
	struct ovid_synic *synic = &vp->hv.synic;
	unsigned long *flags = ovid_overlay_data(&synic->events);

	sint = array_index_nospec(sint, OVID_SINTS);
	flag = array_index_nospec(flag, OVID_EVENT_FLAGS);
	scoped_guard(spinlock_irqsave, &synic->lock) {
		if (!(synic->control & synic->siefp & HV_PAGE_ENABLE))
			return -EAGAIN;
		if (test_and_set_bit(sint * OVID_EVENT_FLAGS + flag, flags))
			return 0;
	}
	interrupt(vp, sint);
	return 1;
}

/* ---- MSRs ---- */

u64 ovid_synic_msr_read(struct ovid_vp *vp, u32 msr)
{
	struct ovid_synic *synic = &vp->hv.synic;

	switch (msr) {
	case HV_MSR_SCONTROL:
		return synic->control;
	case HV_MSR_SVERSION:
		return 1;
	case HV_MSR_SIEFP:
		return synic->siefp;
	case HV_MSR_SIMP:
		return synic->simp;
	case HV_MSR_SINT0 ... HV_MSR_SINT15:
		return synic->sint[array_index_nospec(msr - HV_MSR_SINT0, OVID_SINTS)];
	default:		/* EOM */
		return 0;
	}
}

static void tell_auto_eoi(struct ovid_vp *vp)
{
	DECLARE_BITMAP(vectors, 256) = {};
	unsigned int i;

	for (i = 0; i < OVID_SINTS; i++)
		if ((vp->hv.synic.sint[i] & (SINT_AUTO_EOI | SINT_MASKED)) == SINT_AUTO_EOI)
			__set_bit((u8)vp->hv.synic.sint[i], vectors);
	ovid_lapic_set_auto_eoi(vp, vectors);
}

static int write_sint(struct ovid_vp *vp, unsigned int sint, u64 val)
{
	struct ovid_synic *synic = &vp->hv.synic;

	if ((u8)val < FIRST_VECTOR && !(val & SINT_MASKED))
		return OVID_MSR_GP;
	WRITE_ONCE(synic->sint[array_index_nospec(sint, OVID_SINTS)], val);
	tell_auto_eoi(vp);
	return OVID_MSR_OK;
}

/* slots may have become free: the run loop looks, and the bus, whosever they are */
static void slots_changed(struct ovid_vp *vp)
{
	struct ovid_vmbus *vmbus = ovid_bus_of(vp->part);

	if (unlikely(vp->hv.synic.notify))
		set_bit(OVID_REQ_EXIT, &vp->requests);
	if (vmbus)
		ovid_vmbus_door.slot_free(vmbus);
}

int ovid_synic_msr_write(struct ovid_vp *vp, u32 msr, u64 val)
{
	struct ovid_synic *synic = &vp->hv.synic;

	switch (msr) {
	case HV_MSR_SCONTROL:
		scoped_guard(spinlock_irqsave, &synic->lock)
			synic->control = val;
		slots_changed(vp);
		return OVID_MSR_OK;
	case HV_MSR_EOM:
		ovid_stimer_retry(vp);
		slots_changed(vp);
		return OVID_MSR_OK;
	case HV_MSR_SINT0 ... HV_MSR_SINT15:
		return write_sint(vp, msr - HV_MSR_SINT0, val);
	default:
		return OVID_MSR_GP;
	}
}

/* nothing is written to a page any more that the guest has taken away */
static int write_page(struct ovid_vp *vp, struct ovid_overlay *page, u64 *msr, u64 val)
{
	struct ovid_synic *synic = &vp->hv.synic;

	if (!ovid_hv_page_valid(vp->part, val))
		return OVID_MSR_GP;
	scoped_guard(spinlock_irqsave, &synic->lock) {
		*msr &= ~HV_PAGE_ENABLE;
	}
	if (ovid_hv_page_place(vp->part, page, val))
		return OVID_MSR_GP;
	scoped_guard(spinlock_irqsave, &synic->lock) {
		*msr = val;
	}
	slots_changed(vp);
	return OVID_MSR_OK;
}

int ovid_synic_page_write(struct ovid_vp *vp, u32 msr, u64 val)
{
	struct ovid_synic *synic = &vp->hv.synic;

	if (msr == HV_MSR_SIMP)
		return write_page(vp, &synic->messages, &synic->simp, val);
	return write_page(vp, &synic->events, &synic->siefp, val);
}

/* ---- life ---- */

int ovid_synic_init(struct ovid_vp *vp)
{
	struct ovid_synic *synic = &vp->hv.synic;

	spin_lock_init(&synic->lock);
	synic->messages.write = true;
	synic->events.write = true;
	return ovid_overlay_init(&synic->messages, OVID_OVERLAY_MESSAGES(vp->index)) ?:
	       ovid_overlay_init(&synic->events, OVID_OVERLAY_EVENTS(vp->index));
}

void ovid_synic_fini(struct ovid_vp *vp)
{
	ovid_overlay_fini(&vp->hv.synic.messages);
	ovid_overlay_fini(&vp->hv.synic.events);
}

void ovid_synic_reset(struct ovid_vp *vp)
{
	struct ovid_synic *synic = &vp->hv.synic;
	unsigned int i;

	scoped_guard(spinlock_irqsave, &synic->lock) {
		synic->control = 0;
		synic->simp = 0;
		synic->siefp = 0;
		for (i = 0; i < OVID_SINTS; i++)
			synic->sint[i] = SINT_RESET;
	}
	synic->notify = 0;
	tell_auto_eoi(vp);
	ovid_overlay_remove(vp->part, &synic->messages);
	ovid_overlay_remove(vp->part, &synic->events);
	memset(ovid_overlay_data(&synic->messages), 0, PAGE_SIZE);
	memset(ovid_overlay_data(&synic->events), 0, PAGE_SIZE);
	ovid_stimer_reset(vp);
}
