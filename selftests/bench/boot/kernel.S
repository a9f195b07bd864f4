/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * kernel.S - the kernel that boots on both sides: the flat vmlinux of the test
 * host, its .bss, and an entry of our own, which notes the time and goes on to
 * the kernel's PVH entry.  An ELF file whose note names our entry.
 *
 * KERNEL_BIN, KERNEL_BSS (bytes), KERNEL_ENTRY come from the command line; the
 * linker puts .kernel where the kernel belongs.
 */
#include "boot.h"

	.section .kernel, "awx"
	.incbin	KERNEL_BIN
	.skip	KERNEL_BSS

	.section .entry, "awx"
	.code32
	.globl	entry
	/* EBX: start info; all else is ours */
entry:	mov	$(BOOT_COM1 + 3), %edx
	mov	$3, %al			/* eight bits */
	out	%al, %dx
	mov	$BOOT_COM1, %edx
	mov	$BOOT_STARTED, %al
	out	%al, %dx
	/* who watches the serial port may now note what he needs */
	rdtsc
	add	$BOOT_PAUSE, %eax
	adc	$0, %edx
	mov	%eax, %esi
	mov	%edx, %edi
1:	rdtsc
	mov	%eax, %ecx
	mov	%edx, %ebp
	sub	%esi, %ecx
	sbb	%edi, %ebp
	jc	1b
	mov	%eax, BOOT_T0
	mov	%edx, BOOT_T0 + 4
	xor	%eax, %eax
	xor	%ecx, %ecx
	xor	%edx, %edx
	xor	%esi, %esi
	xor	%edi, %edi
	xor	%ebp, %ebp
	jmp	KERNEL_ENTRY

	/* Xen's PHYS32_ENTRY */
	.section .note.pvh, "a", @note
	.balign	4
	.long	4, 4, 18
	.asciz	"Xen"
	.long	entry
	.section .note.GNU-stack, "", @progbits
