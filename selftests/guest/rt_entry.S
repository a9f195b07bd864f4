/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * rt_entry.S - head, exception stubs and the start of further VPs, for 32-bit
 * and 64-bit guests.
 */
	.section .head, "a"
	.long	0x4247564f, MODE
	.long	LOAD_AT, 0, _start, 0
	.long	cases_start, 0, cases_count, 0

	.text
	.globl	_start
_start:
	cld
	call	rt_main
1:	hlt
	jmp	1b

	.globl	stubs
	.balign	16
stubs:
	vec = 0
	.rept	256
	.balign	16
	.if	vec == 8 || (vec >= 10 && vec <= 14) || vec == 17 || vec == 21
	.else
	push	$0
	.endif
	push	$vec
	jmp	stub_common
	vec = vec + 1
	.endr

#ifdef __x86_64__
stub_common:
	push	%rax
	push	%rcx
	push	%rdx
	push	%rbx
	push	%rbp
	push	%rsi
	push	%rdi
	push	%r8
	push	%r9
	push	%r10
	push	%r11
	push	%r12
	push	%r13
	push	%r14
	push	%r15
	cld
	mov	%rsp, %rdi
	mov	%rsp, %rbp
	and	$-16, %rsp
	call	exception
	mov	%rbp, %rsp
	pop	%r15
	pop	%r14
	pop	%r13
	pop	%r12
	pop	%r11
	pop	%r10
	pop	%r9
	pop	%r8
	pop	%rdi
	pop	%rsi
	pop	%rbp
	pop	%rbx
	pop	%rdx
	pop	%rcx
	pop	%rax
	add	$16, %rsp
	iretq

/* run_user(ip): ring 3 at ip with its own stack; `int $0x80` returns here */
	.globl	run_user
run_user:
	push	%rbx
	push	%rbp
	push	%r12
	push	%r13
	push	%r14
	push	%r15
	mov	%rsp, user_return_sp
	pushq	$0x23
	pushq	$user_stack_top
	pushq	user_flags
	pushq	$0x2b
	push	%rdi
	mov	$0x23, %eax
	mov	%eax, %ds
	mov	%eax, %es
	iretq
	.globl	user_return
user_return:
	mov	user_return_sp, %rsp
	mov	$0x10, %eax
	mov	%eax, %ds
	mov	%eax, %es
	mov	%eax, %ss
	pop	%r15
	pop	%r14
	pop	%r13
	pop	%r12
	pop	%rbp
	pop	%rbx
	ret

/* copied to G_AP_CODE: a VP comes here by SIPI, in real mode */
	.globl	ap_code, ap_code_end
	.code16
ap_code:
	cli
	xor	%ax, %ax
	mov	%ax, %ds
	lgdtl	0x8000 + (ap_gdtr - ap_code)
	mov	$0x20, %eax
	mov	%eax, %cr4
	mov	0x8000 + (ap_cr3 - ap_code), %eax
	mov	%eax, %cr3
	mov	$0xc0000080, %ecx
	rdmsr
	or	$0x900, %eax
	wrmsr
	mov	%cr0, %eax
	and	$0x9fffffff, %eax
	or	$0x80000001, %eax
	mov	%eax, %cr0
	ljmpl	$0x08, $0x8000 + (ap_long - ap_code)
	.code64
ap_long:
	mov	$0x10, %eax
	mov	%eax, %ds
	mov	%eax, %es
	mov	%eax, %ss
	mov	0x8000 + (ap_stack - ap_code), %rsp
	mov	$ap_main, %rax
	call	*%rax
1:	hlt
	jmp	1b
	.balign	8
	.globl	ap_gdtr, ap_cr3, ap_stack
ap_gdtr:
	.word	0
	.long	0
	.balign	8
ap_cr3:	.quad	0
ap_stack: .quad	0
ap_code_end:
#else
stub_common:
	pusha
	cld
	mov	%esp, %eax
	mov	%esp, %ebp
	push	%eax
	call	exception
	mov	%ebp, %esp
	popa
	add	$8, %esp
	iret
#endif

	.bss
	.balign	4096
	.space	8192
	.globl	exc_stack_top
exc_stack_top:
	.space	8192
	.globl	user_stack_top
user_stack_top:
	.globl	user_return_sp
user_return_sp:
	.quad	0
	.section .note.GNU-stack, "", @progbits
