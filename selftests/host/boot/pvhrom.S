/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Option ROM for Bochs: the emulator puts an image (header, vmlinux, initramfs;
 * see ../run) into RAM by itself (optramimage1); this ROM, called by the BIOS
 * during POST, asks for the memory map and enters the kernel by its PVH entry.
 * No disk, no boot loader, no decompression.
 *
 * Bochs 2.7 reads the image into consecutive *host* blocks of 128 KiB, but
 * gives host blocks to guest addresses in the order of first touch.  So the
 * image starts with padding (blocks that the BIOS's own touches use up), and
 * here the guest blocks above LOAD are touched in order until the magic shows:
 * from there on the image is contiguous.
 */
	.code16
	.text
	.set	LOAD, 0x8000000		/* as in bochsrc's optramimage1 */
	.set	BLOCK, 0x20000
	.set	PADMAX, 64
	.set	MAP, 0x8000		/* memory map, in conventional RAM */
	.set	INFO, 0x7f00		/* hvm_start_info, then one module */
	.set	ROM, 0xd0000
	.set	MARK, 0x7a		/* a byte of the CMOS memory, kept by resets */
_start:	.byte	0x55, 0xaa, 4		/* 2 KiB */
	cli
	cld
	xorw	%ax, %ax
	movw	%ax, %ds
	movw	%ax, %es
	movw	%ax, %ss
	movw	$0x7c00, %sp
	/* a machine that has been here has crashed or rebooted: stop it */
	movb	$MARK, %al
	outb	%al, $0x70
	inb	$0x71, %al
	cmpb	$0xa5, %al
	je	9f
	movb	$MARK, %al
	outb	%al, $0x70
	movb	$0xa5, %al
	outb	%al, $0x71
	movw	$MAP, %di
	xorl	%ebx, %ebx
	xorw	%bp, %bp
1:	movl	$0xe820, %eax
	movl	$0x534d4150, %edx
	movl	$20, %ecx
	int	$0x15
	jc	2f
	movl	$0, 20(%di)		/* PVH entries are 24 bytes */
	addw	$24, %di
	incw	%bp
	testl	%ebx, %ebx
	jnz	1b
	jmp	2f
	/* Bochs' shutdown port takes the word, byte by byte */
9:	inb	$0xe9, %al
	movw	$0x8900, %dx
	movw	$(ROM >> 4), %ax
	movw	%ax, %ds
	movw	$(bye - _start), %si
	movw	$8, %cx
	rep outsb
	hlt
2:	cli
	movzwl	%bp, %ebp
	movw	$(ROM >> 4), %ax
	movw	%ax, %ds
	lgdtl	gdtr - _start
	movl	%cr0, %eax
	orl	$1, %eax
	movl	%eax, %cr0
	ljmpl	$8, $(ROM + pm - _start)
	.code32
pm:	movl	$16, %eax
	movl	%eax, %ds
	movl	%eax, %es
	movl	%eax, %ss
	/* find the image */
	movl	$LOAD, %ebx
	movl	$PADMAX, %ecx
3:	cmpl	$0x4d494854, (%ebx)	/* "THIM" */
	jne	4f
	cmpl	$0x31454741, 4(%ebx)	/* "AGE1" */
	je	5f
4:	addl	$BLOCK, %ebx
	loop	3b
	movl	$noimg - _start + ROM, %esi
6:	lodsb
	outb	%al, $0xe9
	testb	%al, %al
	jnz	6b
	movw	$0x8900, %dx		/* Bochs' shutdown port: do not hang */
	movl	$bye - _start + ROM, %esi
8:	lodsb
	outb	%al, %dx
	jmp	8b
	/* touch the rest of it in order */
5:	movl	%ebx, %esi
	movl	%ebx, %edx
	addl	24(%ebx), %edx		/* end */
7:	movl	(%esi), %eax
	addl	$BLOCK, %esi
	cmpl	%edx, %esi
	jb	7b
	/* kernel to its place */
	movl	8(%ebx), %esi
	addl	%ebx, %esi
	movl	16(%ebx), %edi
	movl	12(%ebx), %ecx
	shrl	$2, %ecx
	rep movsl
	/* start info */
	movl	$INFO, %edi
	xorl	%eax, %eax
	movl	$24, %ecx
	rep stosl
	movl	$0x336ec578, INFO
	movl	$1, INFO + 4		/* version */
	movl	$1, INFO + 12		/* one module */
	movl	$(INFO + 56), INFO + 16
	leal	64(%ebx), %eax
	movl	%eax, INFO + 24		/* command line */
	movl	$MAP, INFO + 40
	movl	%ebp, INFO + 48
	movl	28(%ebx), %eax
	addl	%ebx, %eax
	movl	%eax, INFO + 56		/* initramfs */
	movl	32(%ebx), %eax
	movl	%eax, INFO + 64
	movl	20(%ebx), %eax		/* entry */
	movl	$INFO, %ebx
	jmp	*%eax
bye:	.ascii	"Shutdown"
noimg:	.asciz	"pvhrom: no image\n"
	.balign	8
gdt:	.quad	0, 0x00cf9b000000ffff, 0x00cf93000000ffff
gdtr:	.word	23
	.long	ROM + gdt - _start
