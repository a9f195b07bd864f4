/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * VM entry and exit.  Guest GPRs lie in the VP's register page in the order
 * of the instruction encoding; RSP is in the VMCS.
 */
#include <linux/linkage.h>
#include <asm/asm.h>
#include <asm/asm-offsets.h>
#include <asm/msr-index.h>
#include <asm/nospec-branch.h>
#include <asm/percpu.h>
#include <asm/segment.h>
#include <asm/unwind_hints.h>
#include "../compat.h"

#define HOST_RSP_FIELD	0x6c14

	.text

/*
 * int ovid_vmx_enter(u64 *gpr, bool resume, u64 *host_rsp)
 *
 * Interrupts off, VMCS current.  Returns 0 after a VM exit, 1 when the entry
 * instruction itself failed.
 */
SYM_FUNC_START(ovid_vmx_enter)
	push	%rbp
	push	%r15
	push	%r14
	push	%r13
	push	%r12
	push	%rbx
	push	%rdi

	/* the VMCS field follows the stack only when the call depth changed */
	cmp	%rsp, (%rdx)
	je	1f
	mov	%rsp, (%rdx)
	mov	$HOST_RSP_FIELD, %eax
	vmwrite	%rsp, %rax
1:
	UNWIND_HINT_SAVE
	/* CF selects VMRESUME; neither MOV nor VERW touches it */
	bt	$0, %esi
	mov	0*8(%rdi), %rax
	mov	1*8(%rdi), %rcx
	mov	2*8(%rdi), %rdx
	mov	3*8(%rdi), %rbx
	mov	5*8(%rdi), %rbp
	mov	6*8(%rdi), %rsi
	mov	8*8(%rdi), %r8
	mov	9*8(%rdi), %r9
	mov	10*8(%rdi), %r10
	mov	11*8(%rdi), %r11
	mov	12*8(%rdi), %r12
	mov	13*8(%rdi), %r13
	mov	14*8(%rdi), %r14
	mov	15*8(%rdi), %r15
	mov	7*8(%rdi), %rdi

	/* MDS, TAA, MMIO stale data, RFDS: nothing of the host in CPU buffers */
	ALTERNATIVE "", "verw ovid_vmx_verw_sel(%rip)", OVID_FEATURE_VERW
	jc	2f
	vmlaunch
	jmp	3f
2:	vmresume
3:	/* entry failed: the host's stack is as before, GPRs are the guest's */
	mov	$1, %eax
	jmp	4f

SYM_INNER_LABEL(ovid_vmx_exit_point, SYM_L_GLOBAL)
	UNWIND_HINT_RESTORE
	ENDBR
	push	%rdi
	mov	8(%rsp), %rdi
	mov	%rax, 0*8(%rdi)
	mov	%rcx, 1*8(%rdi)
	mov	%rdx, 2*8(%rdi)
	mov	%rbx, 3*8(%rdi)
	mov	%rbp, 5*8(%rdi)
	mov	%rsi, 6*8(%rdi)
	pop	7*8(%rdi)
	mov	%r8, 8*8(%rdi)
	mov	%r9, 9*8(%rdi)
	mov	%r10, 10*8(%rdi)
	mov	%r11, 11*8(%rdi)
	mov	%r12, 12*8(%rdi)
	mov	%r13, 13*8(%rdi)
	mov	%r14, 14*8(%rdi)
	mov	%r15, 15*8(%rdi)
	xor	%eax, %eax
4:
	/* no guest value is left for speculation to work with */
	xor	%ecx, %ecx
	xor	%edx, %edx
	xor	%esi, %esi
	xor	%edi, %edi
	xor	%r8d, %r8d
	xor	%r9d, %r9d
	xor	%r10d, %r10d
	xor	%r11d, %r11d
	pop	%rbx			/* gpr pointer */
	/* the return stack buffer holds the guest's returns */
	FILL_RETURN_BUFFER %rcx, RSB_CLEAR_LOOPS, X86_FEATURE_RSB_VMEXIT, \
			   X86_FEATURE_RSB_VMEXIT_LITE
	mov	%eax, %ebx
	/* IBRS protects only from what was predicted before it was written: write it
	 * again.  The guest runs with the host's value, so there is nothing to look up.
	 */
	ALTERNATIVE "jmp 5f", "", X86_FEATURE_KERNEL_IBRS
	mov	$MSR_IA32_SPEC_CTRL, %ecx
	rdmsr
	wrmsr
5:
#ifdef OVID_FEATURE_BHB
	CLEAR_BRANCH_HISTORY_VMEXIT
#endif
	mov	%ebx, %eax
	pop	%rbx
	pop	%r12
	pop	%r13
	pop	%r14
	pop	%r15
	pop	%rbp
	RET
SYM_FUNC_END(ovid_vmx_enter)

/*
 * 256 stubs of 16 bytes: INT n runs the host's handler through its IDT, as if
 * the acknowledged interrupt (or NMI) had come just now.  An interrupt comes where
 * interrupts are on: STI holds others off until INT n has switched them off again.
 * Newer kernels program the timer only on the way out to such a place.
 */
	.balign	16
SYM_CODE_START(ovid_vmx_int_stubs)
	vector = 0
	.rept	256
	.balign	16, 0xcc
	UNWIND_HINT_FUNC
	ENDBR
	.if	vector != 2		/* NMI */
	sti
	.endif
	.byte	0xcd, vector		/* not "int $3": that would be 0xcc */
	RET
	vector = vector + 1
	.endr
	.balign	16, 0xcc
SYM_CODE_END(ovid_vmx_int_stubs)

	.section .rodata
	.balign	2
SYM_DATA_LOCAL(ovid_vmx_verw_sel, .word __KERNEL_DS)
