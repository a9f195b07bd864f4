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
	mov	B_PAIR, %eax
	mov	%eax, 28(%ebp)
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
	stop
	.endm

	.macro	stop
	rdtsc
	mov	%eax, 16(%ebp)
	mov	%edx, 20(%ebp)
	mov	B_PAIR, %eax
	mov	%eax, 32(%ebp)
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

	.macro	msr nr, low, high=0
	mov	$\nr, %ecx
	mov	$\low, %eax
	mov	$\high, %edx
	wrmsr
	.endm

	.macro	x2apic_open
	mov	$0x1b, %ecx
	rdmsr
	or	$0x400, %eax
	wrmsr
	msr	0x80f, 0x1ff
	.endm

	.globl	p_x2apic_ipi
p_x2apic_ipi:
	x2apic_open
begin x2apic_ipi_loop
	cli
	msr	0x83f, B_VEC
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

	.macro	hv_call_open
	msr	0x40000000, 1, 0x81000000
	msr	0x40000001, B_HV_CALL | 1
	movl	$B_HV_CALL, 24(%ebp)
	.endm

/* a guest OS id, the hypercall page, the APIC */
	.macro	hv_open
	hv_call_open
	movl	$0x1ff, 0xfee000f0
	.endm

/* what \code does with the input in memory */
	.macro	hv_call code
	mov	$\code, %eax
	xor	%edx, %edx
	xor	%ebx, %ebx
	mov	$B_HV_INPUT, %ecx
	call	*24(%ebp)
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
	hv_call	2
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

/* HvCallPostMessage of 16 bytes; the host answers with a message */
	.globl	p_hv_message
p_hv_message:
	hv_open
	msr	0x40000083, B_HV_MESSAGES | 1
	msr	0x40000080, 1
	msr	0x40000090 + B_SINT, B_VEC
	movl	$B_CONNECTION, B_HV_INPUT
	movl	$1, B_HV_INPUT + 8
	movl	$16, B_HV_INPUT + 12
begin hv_message_loop
	cli
	mov	4(%ebp), %edi
	hv_call	B_POST
	sleep_while edi
	/* the slot is free; whoever found that it was not wants to know */
	movl	$0, B_HV_MESSAGES + 256 * B_SINT
	mfence
	testb	$1, B_HV_MESSAGES + 256 * B_SINT + 5
	jz	4f
	msr	0x40000084, 0
4:	finish

/* ---- a channel: struct b_chan, and rings as in vmbus/proto.h ---- */

#define CHAN_BYTES	B_CHAN
#define CHAN_DESC	B_CHAN + 4
#define CHAN_WORDS	B_CHAN + 8
#define CHAN_CONNECTION	B_CHAN + 12
#define CHAN_EVENT	B_CHAN + 16
#define CHAN_SIGNALS	B_CHAN + 20
#define WRITE		0
#define READ		4
#define MASK		8
#define PENDING		12
#define DATA		4096

/* EBX: the index of a ring behind a packet */
	.macro	chan_advance by
	add	\by, %ebx
	cmp	$B_RING_BYTES, %ebx
	jb	8f
	sub	$B_RING_BYTES, %ebx
8:
	.endm

/* an interrupt that has come is the host's signal */
	.macro	chan_sleep was
	sleep_while \was
	mov	CHAN_EVENT, %eax
	lock btrl %eax, B_HV_EVENTS + 256 * B_SINT
	.endm

chan_signal:
	incl	CHAN_SIGNALS
	mov	CHAN_CONNECTION, %ecx
	test	%ecx, %ecx
	jz	2f
	mov	$0x1005d, %eax
	xor	%edx, %edx
	xor	%ebx, %ebx
	call	*24(%ebp)
	ret
2:	out	%al, $B_BELL
	ret

/* a packet, for which there is room, with ESI as its transaction */
chan_put:
	push	%esi
	mov	B_OUT + WRITE, %ebx
	lea	B_OUT + DATA(%ebx), %edi
	movl	$0x20006, (%edi)
	mov	CHAN_DESC, %eax
	mov	%eax, 4(%edi)
	mov	%esi, 8(%edi)
	movl	$0, 12(%edi)
	add	$16, %edi
	mov	$B_PAYLOAD, %esi
	mov	CHAN_WORDS, %ecx
	rep movsl
	movl	$0, (%edi)
	mov	%ebx, 4(%edi)
	mov	%ebx, %esi
	chan_advance CHAN_BYTES
	mov	%ebx, B_OUT + WRITE
	mfence
	cmpl	$0, B_OUT + MASK
	jne	2f
	cmp	%esi, B_OUT + READ
	jne	2f
	call	chan_signal
2:	pop	%esi
	ret

/* the packet that is there */
chan_get:
	push	%esi
	movl	$1, B_IN + MASK
	mov	B_IN + READ, %ebx
	lea	B_IN + DATA + 16(%ebx), %esi
	mov	$B_PAYLOAD, %edi
	movzwl	B_IN + DATA + 4(%ebx), %edx
	lea	-4(, %edx, 2), %ecx
	rep movsl
	lea	8(, %edx, 8), %edx
	chan_advance %edx
	mov	%ebx, B_IN + READ
	mfence
	cmpl	$0, B_IN + PENDING
	je	2f
	call	chan_signal
2:	movl	$0, B_IN + MASK
	mfence
	pop	%esi
	ret

/* with a bus: what is signalled by its connection comes as an event of SINT B_SINT */
	.macro	chan_open
	movl	$0x1ff, 0xfee000f0
	cmpl	$0, CHAN_CONNECTION
	je	2f
	hv_call_open
	msr	0x40000082, B_HV_EVENTS | 1
	msr	0x40000080, 1
	msr	0x40000090 + B_SINT, B_VEC
2:
	.endm

/* a message of the guest's, as it is in B_HV_INPUT */
	.globl	p_post
p_post:
	hv_call_open
begin post_loop
	hv_call	B_POST
	finish

/* a packet there and back */
	.globl	p_chan_echo
p_chan_echo:
	chan_open
begin chan_echo_loop
	cli
	push	4(%ebp)
	call	chan_put
	pop	%edi
4:	chan_sleep edi
	mov	B_IN + READ, %eax
	mov	4(%ebp), %edi
	cmp	%eax, B_IN + WRITE
	je	4b
	call	chan_get
	finish

/* EAX: bytes that are free */
chan_room:
	mov	B_OUT + READ, %eax
	sub	B_OUT + WRITE, %eax
	ja	2f
	add	$B_RING_BYTES, %eax
2:	ret

/* until more than EDX bytes are free; the host signals that */
chan_wait:
	mov	4(%ebp), %edi
	mov	%edx, B_OUT + PENDING
	mfence
	call	chan_room
	cmp	%edx, %eax
	ja	4f
	push	%edx
	chan_sleep edi
	pop	%edx
	jmp	chan_wait
4:	movl	$0, B_OUT + PENDING
	ret

/* packets to the host one after another, until it has taken the last one */
	.globl	p_chan_stream
p_chan_stream:
	chan_open
begin chan_stream_loop
	cli
	call	chan_room
	mov	CHAN_BYTES, %edx
	cmp	%edx, %eax
	ja	6f
	call	chan_wait
6:	call	chan_put
	dec	%esi
	jnz	1b
	mov	$B_RING_BYTES - 1, %edx
	call	chan_wait
	stop

/* ---- two VPs ---- */

	.macro	wait_for_second
2:	pause
	cmpl	$0, B_PAIR + 8
	je	2b
	.endm

/* the second VP: its own loop, of B_SPIN_TICKS each, or asleep */
	.macro	second name
	.globl	p_\name
p_\name:
	mov	$B_STACK1, %esp
	x2apic_open
	movl	$1, B_PAIR + 8
	sti
	.endm

second spin
1:	incl	B_PAIR
	jmp	1b

second sleep
1:	hlt
	jmp	1b

/* HvCallFlushVirtualAddressSpace of all address spaces, for both */
	.globl	p_hv_flush2
p_hv_flush2:
	hv_call_open
	movl	$2, B_HV_INPUT + 8
	movl	$3, B_HV_INPUT + 16
	wait_for_second
begin hv_flush2_loop
	hv_call	2
	finish

/* the same without the hypervisor's help: an IPI, whose handler flushes */
	.globl	p_ipi_flush2
p_ipi_flush2:
	x2apic_open
	wait_for_second
begin ipi_flush2_loop
	mov	B_PAIR + 4, %ebx
	msr	0x830, 0x4000 | B_FLUSH_VEC, 1
	mov	%cr3, %eax
	mov	%eax, %cr3
2:	pause
	cmp	B_PAIR + 4, %ebx
	je	2b
	finish

	.globl	p_end2
p_end2:
	x2apic_open
begin end2_loop
	msr	0x830, 0x4000 | B_END_VEC, 1
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
	.globl	p_isr_eoi, p_isr_x2, p_isr_flush, p_isr_end, p_gp, p_ud
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
p_isr_flush:
	mov	%cr3, %eax
	mov	%eax, %cr3
	incl	B_PAIR + 4
	msr	0x80b, 0
	iret
p_isr_end:
	out	%al, $B_DONE
1:	cli
	hlt
	jmp	1b
p_gp:	add	$4, %esp
	addl	$2, (%esp)
	iret
p_ud:	addl	$3, (%esp)
	iret
payload_end:
	.code64
	.section .note.GNU-stack, "", @progbits
