// SPDX-License-Identifier: GPL-2.0-only
/*
 * Passthrough hypercalls about a VP: registers, translation, CPUID.  They take
 * vp->lock, so they wait while the VP runs in another thread.
 */
#include <linux/slab.h>
#include <linux/string.h>
#include "backend.h"
#include "cpuid.h"
#include "guestmem.h"
#include "gva.h"
#include "mshv.h"
#include "mshv_hvcall.h"
#include "partition.h"
#include "regs.h"
#include "vp.h"

#define HV_PAGE_SHIFT		12
#define CACHE_TYPE_WB		6

/* HV_TRANSLATE_GVA flags */
#define TRANSLATE_READ		BIT(0)
#define TRANSLATE_WRITE		BIT(1)
#define TRANSLATE_EXEC		BIT(2)
#define TRANSLATE_EXEMPT	BIT(3)	/* no privilege checks */
#define TRANSLATE_SET_BITS	BIT(4)
#define TRANSLATE_SUPERVISOR	BIT(6)
#define TRANSLATE_USER		BIT(7)

/* ---- registers --------------------------------------------------------- */

#define HV_REGISTER_EXPLICIT_SUSPEND	0x00000000
#define HV_REGISTER_INTERCEPT_SUSPEND	0x00000001

/*
 * Registers of what we do not offer (CET): they read as
 * zero and can be set to zero, which is what a client saves and restores.
 */
static const struct {
	u32 first, last;
} zero_registers[] = {
	{ 0x0008008c, 0x00080093 },	/* CET: U_CET .. INTERRUPT_SSP_TABLE_ADDR */
};

static bool zero_register(u32 name)
{
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(zero_registers); i++)
		if (name >= zero_registers[i].first && name <= zero_registers[i].last)
			return true;
	return false;
}

static int register_status(int err)
{
	switch (err) {
	case 0:
		return HV_STATUS_SUCCESS;
	case -EINVAL:
		return HV_STATUS_INVALID_PARAMETER;
	case -ENOMEM:
		return HV_STATUS_INSUFFICIENT_MEMORY;
	default:
		return HV_STATUS_INVALID_VP_STATE;
	}
}

/* the VP a register call is about, locked, its page folded in; NULL with *@status */
static struct ovid_vp *register_vp(struct hvcall *call, int *status)
{
	const struct hv_in_vp_registers *in = call->in;
	struct ovid_vp *vp;

	*status = HV_STATUS_INVALID_PARAMETER;
	if (in->vtl || memchr_inv(in->mbz, 0, sizeof(in->mbz)))
		return NULL;
	*status = HV_STATUS_INVALID_VP_INDEX;
	vp = ovid_vp_get_index(call->part, in->vp);
	if (!vp)
		return NULL;
	if (mutex_lock_killable(&vp->lock)) {
		*status = -EINTR;
		return NULL;
	}
	ovid_mshv_page_in(vp);
	return vp;
}

/* vp->lock held */
static int register_get(struct ovid_vp *vp, u32 name, u64 val[2])
{
	int err = ovid_reg_get(vp, name, val);

	if (err != -EINVAL)
		return err;
	val[0] = 0;
	val[1] = 0;
	if (name == HV_REGISTER_EXPLICIT_SUSPEND) {
		val[0] = !READ_ONCE(vp->stats.entries_slow);	/* until its first run */
		return 0;
	}
	return name == HV_REGISTER_INTERCEPT_SUSPEND || zero_register(name) ? 0 : -EINVAL;
}

int ovid_hc_get_registers(struct hvcall *call)
{
	const u32 *names = call->in + sizeof(struct hv_in_vp_registers);
	struct hv_reg_value *out = call->out;
	struct ovid_vp *vp;
	int status, err = 0;

	vp = register_vp(call, &status);
	if (!vp)
		return status;
	for (; call->done < call->reps; call->done++) {
		u64 val[2] = {};

		err = register_get(vp, names[call->done], val);
		if (err)
			break;
		out[call->done].low = val[0];
		out[call->done].high = val[1];
	}
	mutex_unlock(&vp->lock);
	return register_status(err);
}

/*
 * Leaves in @regs those that the core is to set, and returns how many, or a
 * negative HV_STATUS.
 */
static int registers_sort(struct ovid_reg *regs, u32 n)
{
	u32 i, kept = 0;

	for (i = 0; i < n; i++) {
		if (memchr_inv(regs[i].pad, 0, sizeof(regs[i].pad)))
			return -HV_STATUS_INVALID_PARAMETER;
		if (!zero_register(regs[i].name))
			regs[kept++] = regs[i];
		else if (regs[i].low || regs[i].high)
			return -HV_STATUS_INVALID_PARAMETER;
	}
	return kept;
}

/* All or nothing: a register that cannot be set leaves the others as they were. */
int ovid_hc_set_registers(struct hvcall *call)
{
	struct ovid_reg *regs __free(kfree) = NULL;
	struct ovid_vp *vp;
	int status, n;

	regs = kmemdup(call->in + sizeof(struct hv_in_vp_registers),
		       call->reps * sizeof(*regs), GFP_KERNEL_ACCOUNT);
	if (!regs)
		return -ENOMEM;
	n = registers_sort(regs, call->reps);
	if (n < 0)
		return -n;
	vp = register_vp(call, &status);
	if (!vp)
		return status;
	status = register_status(n ? ovid_regs_set(vp, regs, n) : 0);
	ovid_backend->page_fill(vp, OVID_WANT_RIP | OVID_WANT_SREGS);
	mutex_unlock(&vp->lock);
	if (!status)
		call->done = call->reps;
	return status;
}

/* ---- translation ------------------------------------------------------- */

static int walk_read(void *ctx, gpa_t gpa, void *buf, size_t size)
{
	return ovid_guest_read(ctx, gpa, buf, size);
}

static int walk_cmpxchg(void *ctx, gpa_t gpa, u64 old, u64 new, size_t size)
{
	return ovid_guest_cmpxchg(ctx, gpa, old, new, size);
}

static u32 translate_access(u64 flags, u32 cpl)
{
	u32 access = 0;

	if (flags & TRANSLATE_READ)
		access |= OVID_GVA_READ;
	if (flags & TRANSLATE_WRITE)
		access |= OVID_GVA_WRITE;
	if (flags & TRANSLATE_EXEC)
		access |= OVID_GVA_EXEC;
	if (flags & TRANSLATE_SET_BITS)
		access |= OVID_GVA_SET_AD;
	if (!(flags & (TRANSLATE_READ | TRANSLATE_WRITE | TRANSLATE_EXEC)))
		return access | OVID_GVA_READ | OVID_GVA_NO_PERM;
	if (flags & TRANSLATE_EXEMPT)
		return access;
	if (flags & TRANSLATE_USER || (cpl == 3 && !(flags & TRANSLATE_SUPERVISOR)))
		access |= OVID_GVA_USER;
	return access;
}

u32 ovid_mshv_translate(struct ovid_vp *vp, gva_t gva, u64 flags, gpa_t *gpa)
{
	struct ovid_view view;
	u32 result;

	*gpa = 0;
	ovid_backend->view(vp, &view);
	view.paging.read = walk_read;
	view.paging.compare_swap = walk_cmpxchg;
	view.paging.ctx = vp->part;
	result = ovid_gva_translate(&view.paging, gva, translate_access(flags, view.cpl), gpa);
	if (result != OVID_GVA_OK)
		*gpa = 0;
	return result;
}

int ovid_hc_translate(struct hvcall *call)
{
	const struct hv_in_translate *in = call->in;
	struct hv_out_translate *out = call->out;
	struct ovid_vp *vp;
	gpa_t gpa;

	if (in->gva_page > U64_MAX >> HV_PAGE_SHIFT)
		return HV_STATUS_INVALID_PARAMETER;
	vp = ovid_vp_get_index(call->part, in->vp);
	if (!vp)
		return HV_STATUS_INVALID_VP_INDEX;
	if (mutex_lock_killable(&vp->lock))
		return -EINTR;
	ovid_mshv_page_in(vp);
	out->result = ovid_mshv_translate(vp, in->gva_page << HV_PAGE_SHIFT, in->flags, &gpa);
	mutex_unlock(&vp->lock);
	out->cache_type = CACHE_TYPE_WB;
	out->gpa_page = gpa >> HV_PAGE_SHIFT;
	return HV_STATUS_SUCCESS;
}

/* ---- CPUID ------------------------------------------------------------- */

/* The VP's own XCR0 and XSS always count, and so do overrides. */
int ovid_hc_get_cpuid(struct hvcall *call)
{
	const struct hv_in_cpuid *in = call->in;
	const struct hv_cpuid_leaf *leaf = call->in + sizeof(*in);
	struct ovid_cpuid_regs *out = call->out;
	struct ovid_vp *vp;

	static_assert(sizeof(*out) == 16);
	vp = ovid_vp_get_index(call->part, in->vp);
	if (!vp)
		return HV_STATUS_INVALID_VP_INDEX;
	if (mutex_lock_killable(&vp->lock))
		return -EINTR;
	for (; call->done < call->reps; call->done++)
		ovid_cpuid(vp, leaf[call->done].eax, leaf[call->done].ecx, &out[call->done]);
	mutex_unlock(&vp->lock);
	return HV_STATUS_SUCCESS;
}
