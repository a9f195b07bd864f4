// SPDX-License-Identifier: GPL-2.0-only
/*
 * Who is meant by an interrupt: destinations of MSIs and IPIs (SDM 3A:
 * Determining IPI Destination; Delivering Interrupts in x2APIC mode), and the
 * way to those VPs.
 *
 * Nothing here takes a lock or sleeps but the rebuild of the map, under a raw
 * spinlock.  A physical destination, the commonest, and a logical one of x2APIC
 * mode are found through the map; a logical one of xAPIC mode by a look at
 * every VP, since guests may put anything into LDR and DFR.
 */
#include <linux/log2.h>
#include <linux/nospec.h>
#include <linux/slab.h>
#include "lapic_priv.h"

#define NR_IDS		256	/* the last one is xAPIC's broadcast */

/**
 * struct ovid_apic_map - APIC id -> VP
 * @lock: writers
 * @turn: lowest priority goes around
 * @stood: host TSC ticks that the partition was frozen in all
 * @nr:	indexes of VPs are below
 * @vp:	by APIC id.  VPs are never removed, so neither are the map's readers
 *	to be waited for; of two with one id the lower index gets it
 */
struct ovid_apic_map {
	raw_spinlock_t lock;
	atomic_t turn;
	u64 stood;
	u32 nr;
	struct ovid_vp *vp[NR_IDS];
};

static struct ovid_apic_map *map_of(struct ovid_partition *part)
{
	/* set once, lives as long as the partition */
	return rcu_dereference_raw(part->apic_map);
}

/* before the first VP; sleeps */
int ovid_apic_map_alloc(struct ovid_partition *part)
{
	struct ovid_apic_map *map;

	guard(mutex)(&part->apic_map_lock);
	if (map_of(part))
		return 0;
	map = kzalloc(sizeof(*map), GFP_KERNEL_ACCOUNT);
	if (!map)
		return -ENOMEM;
	raw_spin_lock_init(&map->lock);
	rcu_assign_pointer(part->apic_map, map);
	return 0;
}

void ovid_apic_map_fini(struct ovid_partition *part)
{
	kfree(map_of(part));
	RCU_INIT_POINTER(part->apic_map, NULL);
}

static bool map_entry_stale(const struct ovid_vp *old, const struct ovid_vp *vp, u32 id)
{
	return !old || READ_ONCE(old->apic.initial_id) != id || old->index > vp->index;
}

/**
 * ovid_apic_map_update - put every VP where its APIC id is
 * @part: partition
 *
 * Any context.  A VP whose id did not change is found all the time.
 */
void ovid_apic_map_update(struct ovid_partition *part)
{
	struct ovid_apic_map *map = map_of(part);
	struct ovid_vp *vp;
	unsigned long flags;
	u32 id, i, nr = 0;

	if (!map)
		return;
	raw_spin_lock_irqsave(&map->lock, flags);
	for (id = 0; id < NR_IDS; id++) {
		vp = map->vp[id];
		if (vp && READ_ONCE(vp->apic.initial_id) != id)
			WRITE_ONCE(map->vp[id], NULL);
	}
	/* the macro's acquire: a VP is complete when it is seen */
	ovid_for_each_vp(part, vp, i) {
		id = READ_ONCE(vp->apic.initial_id);
		if (id < NR_IDS && map_entry_stale(map->vp[id], vp, id))
			smp_store_release(&map->vp[id], vp);	/* pairs with map_find() */
		nr = i + 1;
	}
	/* after the entries of part->vps[] that it lets readers see */
	smp_store_release(&map->nr, nr);
	raw_spin_unlock_irqrestore(&map->lock, flags);
}

u64 ovid_apic_map_stood(struct ovid_partition *part)
{
	struct ovid_apic_map *map = map_of(part);

	return map ? READ_ONCE(map->stood) : 0;
}

void ovid_apic_time_stood(struct ovid_partition *part, u64 ticks)
{
	struct ovid_apic_map *map = map_of(part);
	unsigned long flags;

	if (!map)
		return;
	raw_spin_lock_irqsave(&map->lock, flags);
	WRITE_ONCE(map->stood, map->stood + ticks);
	raw_spin_unlock_irqrestore(&map->lock, flags);
}

static struct ovid_vp *map_find(const struct ovid_apic_map *map, u32 id)
{
	if (id >= NR_IDS)
		return NULL;
	return READ_ONCE(map->vp[array_index_nospec(id, NR_IDS)]);
}

/* @id of a logical destination: only an APIC in x2APIC mode takes it for its own */
static struct ovid_vp *map_find_x2apic(const struct ovid_apic_map *map, u32 id)
{
	struct ovid_vp *vp = map_find(map, id);

	return vp && (READ_ONCE(vp->apic.base) & LAPIC_BASE_EXTD) ? vp : NULL;
}

static bool irq_is_broadcast(const struct ovid_irq *irq)
{
	return irq->dest == (irq->x2apic_dest ? U32_MAX : 0xFF);
}

static bool match_flat_or_cluster(u8 ldr, u32 dfr, u8 dest)
{
	switch (dfr >> 28) {
	case 0xF:	/* flat */
		return ldr & dest;
	case 0x0:	/* cluster */
		return (ldr >> 4) == (dest >> 4) && (ldr & dest & 0xF);
	default:
		return false;
	}
}

/* does this APIC see itself in a logical destination that is no broadcast? */
static bool match_logical(const struct ovid_lapic *apic, u32 dest)
{
	if (READ_ONCE(apic->base) & LAPIC_BASE_EXTD) {
		u32 ldr = lapic_x2apic_ldr(READ_ONCE(apic->initial_id));

		return (ldr >> 16) == (dest >> 16) && (ldr & dest & 0xFFFF);
	}
	if (dest > 0xFF)
		return false;
	return match_flat_or_cluster(lapic_reg(apic, APIC_LDR_OFF) >> 24,
				     lapic_reg(apic, APIC_DFR_OFF), dest);
}

static bool irq_matches(const struct ovid_vp *vp, const struct ovid_vp *src,
			const struct ovid_irq *irq)
{
	switch (irq->shorthand) {
	case LAPIC_SHORT_SELF:
		return vp == src;
	case LAPIC_SHORT_ALL:
		return true;
	case LAPIC_SHORT_OTHERS:
		return vp != src;
	}
	if (irq_is_broadcast(irq))
		return true;
	if (irq->logical)
		return match_logical(&vp->apic, irq->dest);
	return READ_ONCE(vp->apic.initial_id) == irq->dest;
}

static bool deliver_vector(struct ovid_vp *vp, const struct ovid_irq *irq)
{
	if (!lapic_accepts(&vp->apic))
		return false;
	if (unlikely(irq->vector < LAPIC_FIRST_VECTOR)) {
		ovid_apic_error(vp, LAPIC_ESR_RECV_VECTOR);
		return false;
	}
	ovid_lapic_post(vp, irq->vector, irq->level);
	return true;
}

/* INIT makes a SIPI that came before it void; the VP's thread takes both words */
static void deliver_init(struct ovid_vp *vp)
{
	xchg(&vp->apic.pending_init, BIT(OVID_APIC_INIT));
	ovid_vp_request(vp, OVID_REQ_INIT);
}

static void deliver_startup(struct ovid_vp *vp, u8 vector)
{
	WRITE_ONCE(vp->apic.sipi_vector, vector);
	/* the vector is there before the bit that says so */
	smp_mb__before_atomic();
	set_bit(OVID_APIC_SIPI, &vp->apic.pending_init);
	ovid_vp_request(vp, OVID_REQ_INIT);
}

/* SMI is not virtualized; ExtINT comes through the PIC's line, LINT0 */
static bool deliver_special(struct ovid_vp *vp, const struct ovid_irq *irq)
{
	if (!(READ_ONCE(vp->apic.base) & LAPIC_BASE_EN))
		return false;
	switch (irq->delivery) {
	case LAPIC_NMI:
		ovid_vp_nmi(vp);
		return true;
	case LAPIC_INIT:
		deliver_init(vp);
		return true;
	case LAPIC_STARTUP:
		deliver_startup(vp, irq->vector);
		return true;
	default:
		return false;
	}
}

static bool deliver_one(struct ovid_vp *vp, const struct ovid_irq *irq)
{
	if (likely(irq->delivery <= LAPIC_LOWEST))
		return deliver_vector(vp, irq);
	return deliver_special(vp, irq);
}

/* x2APIC clusters are made of ids: no search */
static void collect_cluster(struct ovid_apic_map *map, u32 dest, unsigned long *targets)
{
	unsigned long bits = dest & 0xFFFF;
	u32 first = (dest >> 16) << 4;
	unsigned int bit;

	for_each_set_bit(bit, &bits, 16) {
		struct ovid_vp *vp = map_find_x2apic(map, first + bit);

		if (vp)
			__set_bit(vp->index, targets);
	}
}

static void collect_by_search(struct ovid_partition *part, u32 nr, const struct ovid_vp *src,
			      const struct ovid_irq *irq, unsigned long *targets)
{
	struct ovid_vp *vp;
	u32 i;

	for (i = 0; i < nr; i++) {
		/* pairs with the release that publishes a VP */
		vp = smp_load_acquire(&part->vps[i]);
		if (vp && irq_matches(vp, src, irq))
			__set_bit(i, targets);
	}
}

/* one of several, in turn; those whose APIC takes nothing do not count */
static void keep_lowest(struct ovid_partition *part, struct ovid_apic_map *map,
			unsigned long *targets)
{
	unsigned int i, n = 0, turn;

	for_each_set_bit(i, targets, OVID_MAX_VPS) {
		if (lapic_accepts(&part->vps[i]->apic))
			n++;
		else
			__clear_bit(i, targets);
	}
	if (n <= 1)
		return;
	turn = (unsigned int)atomic_inc_return(&map->turn) % n;
	for_each_set_bit(i, targets, OVID_MAX_VPS) {
		if (turn--)
			continue;
		bitmap_zero(targets, OVID_MAX_VPS);
		__set_bit(i, targets);
		return;
	}
}

static int deliver_many(struct ovid_partition *part, struct ovid_apic_map *map,
			struct ovid_vp *src, const struct ovid_irq *irq)
{
	DECLARE_BITMAP(targets, OVID_MAX_VPS) = {};
	/* pairs with the release in ovid_apic_map_update() */
	u32 nr = min_t(u32, smp_load_acquire(&map->nr), OVID_MAX_VPS);
	unsigned int i;
	int count = 0;

	if (!irq->shorthand && irq->x2apic_dest && irq->logical && !irq_is_broadcast(irq))
		collect_cluster(map, irq->dest, targets);
	else
		collect_by_search(part, nr, src, irq, targets);
	if (irq->delivery == LAPIC_LOWEST)
		keep_lowest(part, map, targets);
	for_each_set_bit(i, targets, OVID_MAX_VPS)
		count += deliver_one(part->vps[i], irq);
	return count;
}

/* the VP, where a destination can mean one only */
static bool single_target(struct ovid_apic_map *map, struct ovid_vp *src,
			  const struct ovid_irq *irq, struct ovid_vp **vp)
{
	u32 bits = irq->dest & 0xFFFF;

	if (irq->shorthand == LAPIC_SHORT_SELF) {
		*vp = src;
		return true;
	}
	if (irq->shorthand || irq_is_broadcast(irq))
		return false;
	if (!irq->logical) {
		*vp = map_find(map, irq->dest);
		return true;
	}
	if (!irq->x2apic_dest || !is_power_of_2(bits))
		return false;
	*vp = map_find_x2apic(map, ((irq->dest >> 16) << 4) + __ffs(bits));
	return true;
}

int ovid_lapic_deliver(struct ovid_partition *part, struct ovid_vp *src,
		       const struct ovid_irq *irq)
{
	struct ovid_apic_map *map = map_of(part);
	struct ovid_vp *vp = NULL;
	int count = 0;

	if (unlikely(!map))
		return 0;
	if (single_target(map, src, irq, &vp))
		count = vp && deliver_one(vp, irq);
	else
		count = deliver_many(part, map, src, irq);
	atomic64_inc(count ? &part->stats.irqs_sent : &part->stats.irqs_dropped);
	return count;
}

/**
 * ovid_apic_send_ipi - do what ICR says
 * @vp: the sender; its thread
 * @icr: low half
 * @dest: 8 bits in xAPIC mode, 32 in x2APIC mode
 *
 * IPIs are edge-triggered whatever ICR says; INIT level de-assert does nothing
 * (SDM 3A: Interrupt Command Register).
 */
void ovid_apic_send_ipi(struct ovid_vp *vp, u32 icr, u32 dest)
{
	struct ovid_irq irq = {
		.dest = dest,
		.logical = icr & LAPIC_ICR_LOGICAL,
		.delivery = (icr >> 8) & 7,
		.vector = icr,
		.shorthand = (icr >> 18) & 3,
		.x2apic_dest = ovid_lapic_x2apic(&vp->apic),
	};

	if (irq.delivery <= LAPIC_LOWEST && unlikely(irq.vector < LAPIC_FIRST_VECTOR)) {
		ovid_apic_error(vp, LAPIC_ESR_SEND_VECTOR);
		return;
	}
	if (irq.delivery == LAPIC_INIT &&
	    (icr & (LAPIC_ICR_LEVEL | LAPIC_ICR_ASSERT)) == LAPIC_ICR_LEVEL)
		return;
	ovid_lapic_deliver(vp->part, vp, &irq);
}

/*
 * The redirection hint asks for one VP of several.  The assert bit is not looked
 * at: a de-asserted level is no message of a device that speaks MSI.
 */
void ovid_irq_from_msi(struct ovid_irq *irq, u64 address, u32 data)
{
	u32 high = (address >> 40) << 8;

	*irq = (struct ovid_irq) {
		.dest = high | ((address >> 12) & 0xFF),
		.logical = address & BIT(2),
		.level = data & BIT(15),
		.delivery = (data >> 8) & 7,
		.vector = data,
		.x2apic_dest = high,
	};
	if (irq->delivery == LAPIC_FIXED && (address & BIT(3)))
		irq->delivery = LAPIC_LOWEST;
}
