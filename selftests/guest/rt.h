/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * rt.h - the runtime of a test guest, for 32-bit and 64-bit ones.
 */
#ifndef OVID_GUEST_RT_H
#define OVID_GUEST_RT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include "proto.h"

typedef uint8_t u8;
typedef uint16_t u16;
typedef uint32_t u32;
typedef uint64_t u64;
typedef unsigned long ulong;

#define ARRAY_SIZE(a)	(sizeof(a) / sizeof((a)[0]))
#define host ((volatile struct g_host *)G_HOST)

#define CASE(id, fl, n)							\
	static void id(void);						\
	static const struct g_case case_##id				\
		__attribute__((used, section(".cases"), aligned(8))) =		\
		{ .name = #id, .fn = id, .flags = fl, .vps = n };	\
	static void id(void)

/* selectors of the runtime's GDT */
#define SEL_CODE	0x08
#define SEL_DATA	0x10
#define SEL_UCODE32	0x1b
#define SEL_UDATA	0x23
#define SEL_UCODE	0x2b
#define SEL_TSS		0x30
#define SEL_ABSENT	0x40	/* a data segment that is not present */
#define SEL_FAR		0x48	/* free for a test */

void check_(bool ok, u32 line, u64 got, u64 want, const char *text);
#define check(cond)	check_(!!(cond), __LINE__, 0, 1, #cond)
#define is(got, want)	({ u64 g_ = (u64)(got), w_ = (u64)(want);		\
			   check_(g_ == w_, __LINE__, g_, w_, #got " == " #want); })
#define is_(got, want, text) ({ u64 g_ = (u64)(got), w_ = (u64)(want);	\
			   check_(g_ == w_, __LINE__, g_, w_, text); })

void note(const char *text, u64 value);	/* in the output, as a comment */
void done(void) __attribute__((noreturn));
void command(u32 cmd, u64 a0, u64 a1, u64 a2);

static inline void outb(u16 port, u8 v) { asm volatile("outb %0, %1" :: "a"(v), "Nd"(port) : "memory"); }
static inline void outw(u16 port, u16 v) { asm volatile("outw %0, %1" :: "a"(v), "Nd"(port) : "memory"); }
static inline void outl(u16 port, u32 v) { asm volatile("outl %0, %1" :: "a"(v), "Nd"(port) : "memory"); }
static inline u8 inb(u16 port) { u8 v; asm volatile("inb %1, %0" : "=a"(v) : "Nd"(port) : "memory"); return v; }
static inline u32 inl(u16 port) { u32 v; asm volatile("inl %1, %0" : "=a"(v) : "Nd"(port) : "memory"); return v; }

static inline u64 rdmsr(u32 n)
{
	u32 a, d;

	asm volatile("rdmsr" : "=a"(a), "=d"(d) : "c"(n) : "memory");
	return a | (u64)d << 32;
}

static inline void wrmsr(u32 n, u64 v)
{
	asm volatile("wrmsr" :: "c"(n), "a"((u32)v), "d"((u32)(v >> 32)) : "memory");
}

static inline u64 rdtsc(void)
{
	u32 a, d;

	asm volatile("lfence; rdtsc" : "=a"(a), "=d"(d) :: "memory");
	return a | (u64)d << 32;
}

struct cpuid { u32 eax, ebx, ecx, edx; };

static inline struct cpuid cpuid(u32 leaf, u32 sub)
{
	struct cpuid r;

	asm volatile("cpuid" : "=a"(r.eax), "=b"(r.ebx), "=c"(r.ecx), "=d"(r.edx)
		     : "a"(leaf), "c"(sub) : "memory");
	return r;
}

#define RD(reg, type) ({ type v_; asm volatile("mov %%" reg ", %0" : "=r"(v_) :: "memory"); v_; })
#define WR(reg, v) asm volatile("mov %0, %%" reg :: "r"((ulong)(v)) : "memory")
#define cr0() RD("cr0", ulong)
#define cr2() RD("cr2", ulong)
#define cr3() RD("cr3", ulong)
#define cr4() RD("cr4", ulong)

static inline void sti(void) { asm volatile("sti" ::: "memory"); }
static inline void cli(void) { asm volatile("cli" ::: "memory"); }
static inline void pause_(void) { asm volatile("pause" ::: "memory"); }
static inline void sti_hlt(void) { asm volatile("sti; hlt; cli" ::: "memory"); }
static inline void sti_nop(void) { asm volatile("sti; nop; nop; cli" ::: "memory"); }

/* what the exception stubs push; see rt_entry.S */
struct frame {
#ifdef __x86_64__
	u64 r15, r14, r13, r12, r11, r10, r9, r8, rdi, rsi, rbp, rbx, rdx, rcx, rax;
#else
	u32 di, si, bp, sp_, bx, dx, cx, ax;
#endif
	ulong vec, err, ip, cs, flags, sp, ss;	/* sp, ss: 32-bit only from ring 3 */
};

/* the last exception; vec is -1 when TRY() had none */
struct exc {
	volatile long vec;
	volatile ulong err, ip, cr2, flags, dr6, sp, cs;
	volatile u32 count;
};
extern struct exc exc;
extern volatile ulong try_ip;
typedef void (*handler_t)(struct frame *f);
extern handler_t handlers[256];
extern volatile u32 irqs[256];		/* counted by irq_count() */
void irq_count(struct frame *f);	/* a handler: counts, EOI by xAPIC or x2APIC */
void irq_count_no_eoi(struct frame *f);
void gate(u8 vec, ulong offset, u16 sel, u8 type, u8 ist);
extern u64 gdt[];
extern u8 tss[];
extern u8 idt[];
extern char exc_stack_top[];	/* IST 1 and RSP0 */

/* runs instructions that may fault; exc.vec tells */
#ifdef __x86_64__
#define SET_TRY	"movq $99f, try_ip\n\t"
#else
#define SET_TRY	"movl $99f, try_ip\n\t"
#endif
#define TRY(text, ...) ({						\
	exc.vec = -1;							\
	asm volatile(SET_TRY text "\n99:" __VA_ARGS__);			\
	try_ip = 0;							\
	exc.vec; })

/* local APIC of this VP, in either mode */
#define APIC_BASE_MSR	0x1b
extern volatile bool x2apic;
u32 apic_read(u32 off);
void apic_write(u32 off, u32 v);
void apic_icr(u32 dest, u32 low);
void apic_enable(void);		/* software enable, all LVTs masked, TPR 0 */
void x2apic_enable(void);
u32 apic_id(void);

#define APIC_SPURIOUS	0xff
#define DELIVER_NMI	0x400
#define DELIVER_INIT	0x500
#define DELIVER_SIPI	0x600
#define ICR_ASSERT	0x4000
#define ICR_SELF	0x40000
#define ICR_ALL		0x80000
#define ICR_OTHERS	0xc0000

/* starts VP @index (INIT, SIPI) at @fn on a stack of its own; waits until it runs */
void ap_start(u32 index, void (*fn)(void));
#define AP_SLOTS	240	/* as many VPs as there can be */
extern volatile u32 ap_alive[AP_SLOTS];
/* waits for a condition, some 10 million spins at most */
#define wait_for(cond) ({ u32 n_ = 10000000; while (!(cond) && --n_) pause_(); !!(cond); })

void run_user(ulong ip);	/* 64-bit: enters ring 3; comes back by int 0x80 */
extern volatile ulong user_flags;

#endif
