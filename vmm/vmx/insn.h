/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The VMX instructions.  VMREAD and VMWRITE of a field the CPU lacks is a slip
 * of ours that no input can cause: a write warns, a read is not looked at.
 */
#ifndef OVID_VMX_INSN_H
#define OVID_VMX_INSN_H

#include <linux/bug.h>
#include <linux/build_bug.h>
#include <linux/types.h>
#include <asm/asm.h>
#include <asm/vmx.h>

void ovid_vmx_insn_failed(const char *what, unsigned long arg);

static __always_inline u64 __vmread(unsigned long field)
{
	u64 value;

	asm volatile("vmread %1, %0" : "=r" (value) : "r" (field) : "cc");
	return value;
}

static __always_inline void __vmwrite(unsigned long field, u64 value)
{
	asm goto("vmwrite %1, %0; jna %l[failed]"
		 : : "r" (field), "rm" (value) : "cc" : failed);
	return;
failed:
	WARN_ON_ONCE(1);	/* no call: callers need save no registers for it */
}

/* the guest-state area goes through vmread_guest() and vmwrite_guest() */
#define VMCS_FIELD_IS_GUEST(field)	(((field) >> 10 & 3) == 2)

static __always_inline u64 vmread(unsigned long field)
{
	BUILD_BUG_ON(__builtin_constant_p(field) && VMCS_FIELD_IS_GUEST(field));
	return __vmread(field);
}

static __always_inline void vmwrite(unsigned long field, u64 value)
{
	BUILD_BUG_ON(__builtin_constant_p(field) && VMCS_FIELD_IS_GUEST(field));
	__vmwrite(field, value);
}

static inline bool vmptrld(hpa_t pa)
{
	bool ok;

	asm volatile("vmptrld %1" : "=@cca" (ok) : "m" (pa) : "memory");
	if (!ok)
		ovid_vmx_insn_failed("VMPTRLD", pa);
	return ok;
}

static inline void vmclear(hpa_t pa)
{
	bool ok;

	asm volatile("vmclear %1" : "=@cca" (ok) : "m" (pa) : "memory");
	if (!ok)
		ovid_vmx_insn_failed("VMCLEAR", pa);
}

/* 0, or -EIO when VMXON fails or faults (VMX locked off, or already on) */
static inline int vmxon(hpa_t pa)
{
	asm goto("1: vmxon %0; jna %l[failed]\n\t"
		 _ASM_EXTABLE(1b, %l[failed])
		 : : "m" (pa) : "memory", "cc" : failed);
	return 0;
failed:
	return -EIO;
}

/* may fault when an emergency path has switched VMX off already */
static inline void vmxoff(void)
{
	asm goto("1: vmxoff\n\t"
		 _ASM_EXTABLE(1b, %l[failed])
		 : : : "memory", "cc" : failed);
failed:
	return;
}

static inline void invept(unsigned long type, u64 eptp)
{
	struct { u64 eptp, zero; } desc = { eptp, 0 };
	bool ok;

	asm volatile("invept %1, %2" : "=@cca" (ok) : "m" (desc), "r" (type) : "memory");
	if (!ok)
		ovid_vmx_insn_failed("INVEPT", type);
}

static inline void invvpid(unsigned long type, u16 vpid)
{
	struct { u64 vpid, gva; } desc = { vpid, 0 };
	bool ok;

	asm volatile("invvpid %1, %2" : "=@cca" (ok) : "m" (desc), "r" (type) : "memory");
	if (!ok)
		ovid_vmx_insn_failed("INVVPID", type);
}

#endif
