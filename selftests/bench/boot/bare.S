/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * bare.S - the last thing before the kernel on the bare machine: makes memory
 * and registers what ovid's worker makes them (worker/load.h, worker/boot.c), from
 * what image.c put behind this code.  The test host's option ROM (host/boot) comes
 * here by "jmp *%eax".
 */
#include "image.h"

	.text
	.code32
	mov	%eax, %ebp
	cld
	/* 82441FX, registers 59h, 5Eh, 5Fh: E0000h to FFFFFh is memory, no ROM */
	mov	$0xcf8, %edx
	mov	$0x80000058, %eax
	out	%eax, %dx
	mov	$0xcfd, %edx
	mov	$0x30, %al
	out	%al, %dx
	mov	$0xcf8, %edx
	mov	$0x8000005c, %eax
	out	%eax, %dx
	mov	$0xcfe, %edx
	mov	$0x3333, %eax
	out	%ax, %dx
	/* no interrupts of the PICs: nobody sets them up when ACPI is hardware-reduced */
	mov	$0xff, %al
	out	%al, $0x21
	out	%al, $0xa1
	/* what the BIOS left behind goes, what the loader wrote comes */
	xor	%eax, %eax
	xor	%edi, %edi
	mov	$(0xa0000 / 4), %ecx
	rep stosl
	lea	AT_LOW(%ebp), %esi
	mov	$LOW_START, %edi
	mov	$(LOW_BYTES / 4), %ecx
	rep movsl
	lea	AT_FIRMWARE(%ebp), %esi
	mov	$FIRMWARE_START, %edi
	mov	$(FIRMWARE_BYTES / 4), %ecx
	rep movsl
	lgdt	AT_GDTR(%ebp)
	mov	$SEL_DATA, %eax
	mov	%eax, %ds
	mov	%eax, %es
	mov	%eax, %fs
	mov	%eax, %gs
	mov	%eax, %ss
	mov	AT_EBX(%ebp), %ebx
	ljmp	*AT_ENTRY(%ebp)
	.section .note.GNU-stack, "", @progbits
