/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * payload.S - what the guest does, the same bytes under each hypervisor: 32-bit
 * flat code without paging at B_CODE.  EBP = B_CTL, ESI = turns.  Each loop
 * reads the TSC before and after into the control page and says DONE by a port.
 */
#include "bench.h"

	.section .rodata
	.code32
	.globl	payload, payload_end
payload:

	.macro	begin name
	.globl	p_\name
p_\name:
	rdtsc
	mov	%eax, 8(%ebp)
	mov	%edx, 12(%ebp)
1:
	.endm

/* until the count of interrupts is another than in \was; IF is clear */
	.macro	sleep_while was
2:	cmp	4(%ebp), %\was
	jne	3f
	sti
	hlt
	cli
	jmp	2b
3:
	.endm

	.macro	finish
	dec	%esi
	jnz	1b
	rdtsc
	mov	%eax, 16(%ebp)
	mov	%edx, 20(%ebp)
	out	%al, $B_DONE
9:	hlt
	jmp	9b
	.endm

begin empty
	finish

begin cpuid
	xor	%eax, %eax
	xor	%ecx, %ecx
	cpuid
	finish

/* not known to anybody: #GP, whose handler steps over it */
begin unknown_msr
	mov	$0x12345678, %ecx
	rdmsr
	finish

begin rdmsr
	mov	$0x1b, %ecx
	rdmsr
	finish

begin hypercall
	mov	$1, %eax
	vmcall
	finish

begin pio
	out	%al, $B_PIO
	finish

	.globl	p_mmio
p_mmio:
	mov	$B_MMIO, %edi
begin mmio_loop
	mov	%eax, (%edi)
	finish

begin pio_bell
	out	%al, $B_BELL
	finish

	.globl	p_mmio_bell
p_mmio_bell:
	mov	$B_MMIO_BELL, %edi
begin mmio_bell_loop
	mov	%eax, (%edi)
	finish

/* the program injects an MSI when it sees the OUT; HLT then finds it pending */
	.globl	p_msi_hlt
p_msi_hlt:
	movl	$0x1ff, 0xfee000f0
begin msi_hlt_loop
	cli
	out	%al, $B_MSI
	sti
	hlt
	finish

	.globl	p_self_ipi
p_self_ipi:
	movl	$0x1ff, 0xfee000f0
begin self_ipi_loop
	cli
	movl	$0x00044000 | B_VEC, 0xfee00300
	sti
	nop
	nop
	finish

	.globl	p_x2apic_ipi
p_x2apic_ipi:
	mov	$0x1b, %ecx
	rdmsr
	or	$0x400, %eax
	wrmsr
	mov	$0x80f, %ecx
	mov	$0x1ff, %eax
	xor	%edx, %edx
	wrmsr
begin x2apic_ipi_loop
	cli
	mov	$0x83f, %ecx
	mov	$B_VEC, %eax
	xor	%edx, %edx
	wrmsr
	sti
	nop
	nop
	finish

/* a doorbell, a thread of the host answers with an MSI */
	.globl	p_wake
p_wake:
	movl	$0x1ff, 0xfee000f0
begin wake_loop
	cli
	mov	4(%ebp), %ebx
	out	%al, $B_BELL
	sleep_while ebx
	finish

/* TSC deadline 30000 ticks ahead, asleep until then */
	.globl	p_timer
p_timer:
	movl	$0x1ff, 0xfee000f0
	movl	$0x40000 | B_VEC, 0xfee00320
begin timer_loop
	cli
	mov	4(%ebp), %ebx
	rdtsc
	add	$30000, %eax
	adc	$0, %edx
	mov	$0x6e0, %ecx
	wrmsr
	sleep_while ebx
	finish

/* one-shot timer by the initial count, the guest busy: exits and all */
	.globl	p_timer_busy
p_timer_busy:
	movl	$0x1ff, 0xfee000f0
	movl	$0x40000 | B_VEC, 0xfee00320
begin timer_busy_loop
	mov	4(%ebp), %ebx
	rdtsc
	add	$20000, %eax
	adc	$0, %edx
	mov	$0x6e0, %ecx
	wrmsr
	sti
2:	cmp	4(%ebp), %ebx
	je	2b
	cli
	finish

/* ---- the Hyper-V interface ---- */

	.macro	msr nr, low, high=0
	mov	$\nr, %ecx
	mov	$\low, %eax
	mov	$\high, %edx
	wrmsr
	.endm

/* a guest OS id, the hypercall page, the APIC */
	.macro	hv_open
	msr	0x40000000, 1, 0x81000000
	msr	0x40000001, B_HV_CALL | 1
	movl	$B_HV_CALL, 24(%ebp)
	movl	$0x1ff, 0xfee000f0
	.endm

begin hv_time
	mov	$0x40000020, %ecx
	rdmsr
	finish

/* HvCallSendSyntheticClusterIpi to itself */
	.globl	p_hv_ipi
p_hv_ipi:
	hv_open
begin hv_ipi_loop
	cli
	push	%esi
	mov	$0x1000b, %eax
	xor	%edx, %edx
	xor	%ebx, %ebx
	mov	$B_VEC, %ecx
	mov	$1, %esi
	xor	%edi, %edi
	call	*24(%ebp)
	pop	%esi
	sti
	nop
	nop
	finish

/* HvCallFlushVirtualAddressSpace of all address spaces, for this processor */
	.globl	p_hv_flush
p_hv_flush:
	hv_open
	movl	$2, B_HV_INPUT + 8
	movl	$1, B_HV_INPUT + 16
begin hv_flush_loop
	mov	$2, %eax
	xor	%edx, %edx
	xor	%ebx, %ebx
	mov	$B_HV_INPUT, %ecx
	call	*24(%ebp)
	finish

/* a direct synthetic timer 10 us ahead, asleep until then */
	.globl	p_hv_timer
p_hv_timer:
	hv_open
	msr	0x400000b0, 0x1009 | B_VEC << 4
begin hv_timer_loop
	cli
	mov	4(%ebp), %ebx
	mov	$0x40000020, %ecx
	rdmsr
	add	$100, %eax
	adc	$0, %edx
	mov	$0x400000b1, %ecx
	wrmsr
	sleep_while ebx
	finish

/* HvCallSignalEvent; a thread of the host answers with an event */
	.globl	p_hv_event
p_hv_event:
	hv_open
	msr	0x40000082, B_HV_EVENTS | 1
	msr	0x40000080, 1
	msr	0x40000090 + B_SINT, B_VEC
begin hv_event_loop
	cli
	mov	4(%ebp), %edi
	mov	$0x1005d, %eax
	xor	%edx, %edx
	xor	%ebx, %ebx
	mov	$B_CONNECTION, %ecx
	call	*24(%ebp)
	sleep_while edi
	lock btrl	$0, B_HV_EVENTS + 256 * B_SINT
	finish

	.globl	p_touch
p_touch:
	mov	$B_TOUCH, %edi
begin touch_loop
	mov	%esi, (%edi)
	add	$4096, %edi
	finish

	.globl	p_touch2m
p_touch2m:
	mov	$B_TOUCH, %edi
begin touch2m_loop
	mov	%esi, (%edi)
	add	$0x200000, %edi
	finish

/* handlers */
	.globl	p_isr_eoi, p_isr_x2, p_gp, p_ud
p_isr_eoi:
	incl	4(%ebp)
	movl	$0, 0xfee000b0
	iret
p_isr_x2:
	incl	4(%ebp)
	mov	$0x80b, %ecx
	xor	%eax, %eax
	xor	%edx, %edx
	wrmsr
	iret
p_gp:	add	$4, %esp
	addl	$2, (%esp)
	iret
p_ud:	addl	$3, (%esp)
	iret
payload_end:
	.code64
	.section .note.GNU-stack, "", @progbits
