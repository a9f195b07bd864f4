// SPDX-License-Identifier: GPL-2.0-only
#include <stdlib.h>
#include <string.h>

#include "../worker/insn.h"
#include "tap.h"

#define MEMORY	(2ull << 20)
#define DEVICE	0xfe000000ull

enum { RAX, RCX, RDX, RBX, RSP, RBP, RSI, RDI };

static u8 *memory;
static struct gmem gm;
static struct hv_vp_register_page regs;
static struct bus ports, mmio;
static u8 device[4096];
static u8 port_data[64];
static unsigned int port_at;
static struct insn in;
static u8 area[4096];	/* the vector registers, XSAVE's compacted format */

static int vectors(void *arg, void *page, bool set)
{
	(void)arg;
	memcpy(set ? area : page, set ? page : area, 4096);
	return 0;
}

static u64 dev_read(void *dev, u64 addr, unsigned int size)
{
	u64 v = 0;

	(void)dev;
	memcpy(&v, device + (addr & 0xfff), min_u64(size, 4096 - (addr & 0xfff)));
	return v;
}

static void dev_write(void *dev, u64 addr, u64 value, unsigned int size)
{
	(void)dev;
	memcpy(device + (addr & 0xfff), &value, min_u64(size, 4096 - (addr & 0xfff)));
}

static u64 port_read(void *dev, u64 addr, unsigned int size)
{
	(void)dev;
	(void)addr;
	(void)size;
	return port_data[port_at++ % sizeof(port_data)];
}

static void port_write(void *dev, u64 addr, u64 value, unsigned int size)
{
	(void)dev;
	(void)addr;
	(void)size;
	port_data[port_at++ % sizeof(port_data)] = value;
}

static void start64(void)
{
	memset(&regs, 0, sizeof(regs));
	regs.efer = 0x500;
	regs.cr0 = 1;		/* paging is looked at apart */
	regs.cs.attributes = 0xa09b;
	regs.ss.attributes = 0xc093;
	regs.rip = 0x1000;
	regs.rflags = 2;
	memset(device, 0, sizeof(device));
	port_at = 0;
}

static int run(const char *bytes, unsigned int len)
{
	in = (struct insn){ .regs = &regs, .gm = &gm, .ports = &ports, .mmio = &mmio,
			    .vectors = vectors, .len = len };
	memcpy(in.bytes, bytes, len);
	return insn_emulate(&in);
}

#define RUN(bytes)	run(bytes, sizeof(bytes) - 1)

static u64 dev64(unsigned int at)
{
	u64 v;

	memcpy(&v, device + at, 8);
	return v;
}

/* 4-level tables: page 0x400000 -> the device, 0x401000 absent, 0x402000 read only */
static void set_paging(void)
{
	u64 *t = (u64 *)(memory + 0x10000);

	memset(t, 0, 0x4000);
	t[0] = 0x11000 | 7;
	t[512] = 0x12000 | 7;
	t[1024] = 0x83;			/* first 2 MiB, supervisor */
	t[1024 + 2] = 0x13000 | 7;
	t[1536] = DEVICE | 7;
	t[1536 + 2] = 0x5000 | 5;
	regs.cr3 = 0x10000;
	regs.cr4 = 0x20;
	regs.cr0 = 0x80010001;
}

static void test_moves(void)
{
	start64();
	regs.gpr[RBX] = DEVICE + 8;
	regs.gpr[RAX] = 0x1122334455667788;
	CHECK(RUN("\x48\x89\x03") == INSN_DONE && dev64(8) == 0x1122334455667788,
	      "mov [rbx], rax");
	CHECK(regs.rip == 0x1003 && (regs.dirty & 1 << HV_X64_REGISTER_CLASS_IP), "RIP moves");
	CHECK(RUN("\x8b\x4b\xf8") == INSN_DONE && regs.gpr[RCX] == 0, "mov ecx, [rbx-8]");
	regs.gpr[RCX] = ~0ull;
	CHECK(RUN("\x8b\x0b") == INSN_DONE && regs.gpr[RCX] == 0x55667788,
	      "32-bit loads clear the upper half");
	regs.gpr[RDX] = ~0ull;
	CHECK(RUN("\x8a\x33") == INSN_DONE && regs.gpr[RDX] == 0xffffffffffff88ff,
	      "mov dh, [rbx]");
	CHECK(RUN("\x48\x0f\xbe\x13") == INSN_DONE && regs.gpr[RDX] == 0xffffffffffffff88,
	      "movsx rdx, byte [rbx]");
	CHECK(RUN("\x0f\xb7\x13") == INSN_DONE && regs.gpr[RDX] == 0x7788, "movzx");
	CHECK(RUN("\x48\xc7\x03\xfe\xff\xff\xff") == INSN_DONE && dev64(8) == -2ull,
	      "mov qword [rbx], -2");
	regs.gs.selector = 0x2b;
	CHECK(RUN("\x8c\x2b") == INSN_DONE && (u32)dev64(8) == 0xffff002b, "mov [rbx], gs");
	regs.gpr[RSI] = 2;
	CHECK(RUN("\xc6\x44\xb3\x04\x5a") == INSN_DONE && device[8 + 12] == 0x5a,
	      "mov byte [rbx+rsi*4+4], 0x5a");
}

static void test_arithmetic(void)
{
	start64();
	regs.gpr[RBX] = DEVICE;
	regs.gpr[RAX] = 0xf0;
	device[0] = 0x3c;
	CHECK(RUN("\x08\x03") == INSN_DONE && device[0] == 0xfc && (regs.rflags & 0x80),
	      "or [rbx], al");
	CHECK(RUN("\x20\x03") == INSN_DONE && device[0] == 0xf0, "and [rbx], al");
	CHECK(RUN("\x30\x03") == INSN_DONE && device[0] == 0 && (regs.rflags & 0x40),
	      "xor [rbx], al: ZF");
	CHECK(RUN("\x83\x03\xff") == INSN_DONE && dev64(0) == 0xffffffff &&
	      !(regs.rflags & 1), "add dword [rbx], -1");
	CHECK(RUN("\x83\x03\x01") == INSN_DONE && dev64(0) == 0 && (regs.rflags & 0x41) == 0x41,
	      "add 1: carry and zero");
	CHECK(RUN("\x83\x13\x00") == INSN_DONE && dev64(0) == 1, "adc takes the carry");
	CHECK(RUN("\x83\x2b\x02") == INSN_DONE && dev64(0) == 0xffffffff && (regs.rflags & 1),
	      "sub: borrow");
	CHECK(RUN("\xf6\x03\x80") == INSN_DONE && (regs.rflags & 0x80) && dev64(0) == 0xffffffff,
	      "test does not store");
	CHECK(RUN("\xff\x03") == INSN_DONE && dev64(0) == 0, "inc");
	CHECK(RUN("\xf7\x13") == INSN_DONE && dev64(0) == 0xffffffff, "not");
	CHECK(RUN("\xf7\x1b") == INSN_DONE && dev64(0) == 1, "neg");
	CHECK(RUN("\x80\x3b\x01") == INSN_DONE && (regs.rflags & 0x40), "cmp");
}

static void test_locked(void)
{
	start64();
	regs.gpr[RBX] = DEVICE;
	regs.gpr[RAX] = 7;
	CHECK(RUN("\x48\x87\x03") == INSN_DONE && dev64(0) == 7 && regs.gpr[RAX] == 0, "xchg");
	regs.gpr[RAX] = 5;
	CHECK(RUN("\xf0\x48\x0f\xc1\x03") == INSN_DONE && dev64(0) == 12 && regs.gpr[RAX] == 7,
	      "lock xadd");
	regs.gpr[RCX] = 99;
	CHECK(RUN("\xf0\x48\x0f\xb1\x0b") == INSN_DONE && dev64(0) == 12 &&
	      regs.gpr[RAX] == 12 && !(regs.rflags & 0x40), "lock cmpxchg that fails");
	CHECK(RUN("\xf0\x48\x0f\xb1\x0b") == INSN_DONE && dev64(0) == 99 &&
	      (regs.rflags & 0x40), "and that succeeds");
	CHECK(RUN("\xf0\x0f\xba\x2b\x03") == INSN_DONE && dev64(0) == 107, "lock bts");
	regs.gpr[RCX] = 65;
	CHECK(RUN("\x48\x0f\xab\x0b") == INSN_DONE && dev64(8) == 2, "bts beyond the operand");
	regs.gpr[RBX] = DEVICE + 16;
	regs.gpr[RCX] = -1ull;
	CHECK(RUN("\x48\x0f\xa3\x0b") == INSN_DONE && !(regs.rflags & 1), "bt below it");
}

static void test_pairs(void)
{
	start64();
	regs.gpr[RBX] = 0x1111111111111111;
	regs.gpr[RCX] = 0x2222222222222222;
	regs.gpr[RAX] = 1;
	regs.gpr[RSI] = DEVICE;
	device[8] = 7;
	CHECK(RUN("\xf0\x48\x0f\xc7\x0e") == INSN_DONE && regs.gpr[RAX] == 0 &&
	      regs.gpr[RDX] == 7 && !(regs.rflags & 0x40) && dev64(0) == 0,
	      "lock cmpxchg16b that fails");
	CHECK(RUN("\xf0\x48\x0f\xc7\x0e") == INSN_DONE && (regs.rflags & 0x40) &&
	      dev64(0) == 0x1111111111111111 && dev64(8) == 0x2222222222222222,
	      "and that succeeds");
	regs.gpr[RAX] = regs.gpr[RDX] = 0xffffffff11111111;
	CHECK(RUN("\x0f\xc7\x0e") == INSN_DONE && (regs.rflags & 0x40) &&
	      dev64(0) == 0x2222222211111111, "cmpxchg8b");
	regs.gpr[RSI] = DEVICE + 8;
	CHECK(RUN("\x48\x0f\xc7\x0e") == INSN_FAULT && in.fault.vector == VECTOR_GP,
	      "cmpxchg16b wants 16 bytes of alignment");
}

static void test_math(void)
{
	start64();
	regs.gpr[RBX] = DEVICE;
	device[0] = 0x81;
	CHECK(RUN("\xd0\x23") == INSN_DONE && device[0] == 2 && (regs.rflags & 0x801) == 0x801,
	      "shl byte [rbx], 1");
	device[0] = 0x81;
	CHECK(RUN("\xc0\x3b\x03") == INSN_DONE && device[0] == 0xf0 && !(regs.rflags & 1),
	      "sar byte [rbx], 3");
	CHECK(RUN("\xc0\x03\x04") == INSN_DONE && device[0] == 0x0f && (regs.rflags & 1),
	      "rol byte [rbx], 4");
	CHECK(RUN("\xd0\x1b") == INSN_DONE && device[0] == 0x87 && (regs.rflags & 1),
	      "rcr takes the carry");
	regs.gpr[RAX] = 0xaaaaaaaa;
	regs.gpr[RCX] = 3;
	memcpy(device, "\x78\x56\x34\x12", 4);
	CHECK(RUN("\x0f\xa5\x03") == INSN_DONE && (u32)dev64(0) == 0x91a2b3c5u,
	      "shld [rbx], eax, cl");
	CHECK(RUN("\x0f\xac\x03\x03") == INSN_DONE && (u32)dev64(0) == 0x52345678,
	      "shrd [rbx], eax, 3");
	memcpy(device, "\x00\x00\x01\x00\x00\x00\x00\x00", 8);
	CHECK(RUN("\x48\x0f\xbc\x03") == INSN_DONE && regs.gpr[RAX] == 16, "bsf rax, [rbx]");
	CHECK(RUN("\x0f\xbd\x0b") == INSN_DONE && regs.gpr[RCX] == 16, "bsr ecx, [rbx]");
	memset(device, 0, 8);
	CHECK(RUN("\x0f\xbc\x0b") == INSN_DONE && regs.gpr[RCX] == 16 && (regs.rflags & 0x40),
	      "bsf of zero leaves its destination");
	memset(device, 0x33, 8);
	regs.gpr[RAX] = 0x1111111111111111;
	regs.gpr[RDX] = 0x2222222222222222;
	CHECK(RUN("\x66\xf7\x23") == INSN_DONE && regs.gpr[RAX] == 0x111111111111c963 &&
	      regs.gpr[RDX] == 0x2222222222220369 && (regs.rflags & 0x801) == 0x801,
	      "mul word [rbx]");
	CHECK(RUN("\x6b\x03\xfe") == INSN_DONE && regs.gpr[RAX] == 0x9999999a &&
	      !(regs.rflags & 1), "imul eax, [rbx], -2");
	regs.gpr[RAX] = 100;
	regs.gpr[RDX] = 0;
	device[0] = 7;
	CHECK(RUN("\xf6\x33") == INSN_DONE && regs.gpr[RAX] == (2 << 8 | 14), "div byte [rbx]");
	regs.gpr[RAX] = -100ull & 0xffff;
	CHECK(RUN("\xf6\x3b") == INSN_DONE && regs.gpr[RAX] == 0xfef2, "idiv byte [rbx]");
	regs.gpr[RDX] = 1ull << 63;
	regs.gpr[RAX] = 0;
	memset(device, 0xff, 8);
	CHECK(RUN("\x48\xf7\x3b") == INSN_FAULT && in.fault.vector == VECTOR_DE &&
	      !in.fault.has_error, "a quotient that does not fit is #DE");
	memset(device, 0, 8);
	CHECK(RUN("\x48\xf7\x33") == INSN_FAULT && in.fault.vector == VECTOR_DE, "by zero");
	regs.rflags = 0x42;
	CHECK(RUN("\x0f\x94\x03") == INSN_DONE && device[0] == 1, "sete [rbx]");
	CHECK(RUN("\x0f\x9f\x03") == INSN_DONE && device[0] == 0, "setg [rbx]");
	device[0] = 9;
	regs.gpr[RAX] = -1ull;
	CHECK(RUN("\x0f\x45\x03") == INSN_DONE && regs.gpr[RAX] == 0xffffffff,
	      "cmovne that does not move clears the upper half");
	CHECK(RUN("\x0f\x44\x03") == INSN_DONE && regs.gpr[RAX] == 9, "cmove eax, [rbx]");
	memcpy(device, "\x01\x02\x03\x04\x05\x06\x07\x08", 8);
	CHECK(RUN("\x0f\x38\xf0\x03") == INSN_DONE && regs.gpr[RAX] == 0x01020304,
	      "movbe eax, [rbx]");
	CHECK(RUN("\x66\x0f\x38\xf1\x03") == INSN_DONE && (u32)dev64(0) == 0x04030403,
	      "movbe [rbx], ax");
}

static void test_stack(void)
{
	u64 top;

	start64();
	regs.gpr[RBX] = DEVICE;
	regs.gpr[RSP] = 0x8000;
	memcpy(device, "\x11\x22\x33\x44\x55\x66\x77\x88", 8);
	CHECK(RUN("\xff\x33") == INSN_DONE && regs.gpr[RSP] == 0x7ff8 &&
	      !memcmp(memory + 0x7ff8, device, 8), "push [rbx]");
	memset(memory + 0x7ff8, 0x5a, 8);
	CHECK(RUN("\x8f\x03") == INSN_DONE && regs.gpr[RSP] == 0x8000 && device[7] == 0x5a,
	      "pop [rbx]");
	regs.gpr[RSP] = DEVICE + 0x100;
	CHECK(RUN("\x6a\xf9") == INSN_DONE && dev64(0xf8) == -7ull, "push -7 to a device");
	CHECK(RUN("\x66\x6a\x05") == INSN_DONE && regs.gpr[RSP] == DEVICE + 0xf6, "16 bits");
	regs.gpr[RSP] += 2;
	CHECK(RUN("\x5e") == INSN_DONE && regs.gpr[RSI] == -7ull && regs.gpr[RSP] == DEVICE + 0x100,
	      "pop rsi from it");
	memset(device + 0x100, 0x44, 8);
	CHECK(RUN("\x5c") == INSN_DONE && regs.gpr[RSP] == 0x4444444444444444, "pop rsp");
	regs.gpr[RSP] = DEVICE + 8;
	CHECK(RUN("\x8f\x04\x24") == INSN_DONE && regs.gpr[RSP] == DEVICE + 16,
	      "pop [rsp]: the address is that behind the pop");
	set_paging();
	regs.gpr[RSP] = 0x400010;
	regs.gpr[RBX] = 0x401000;
	top = regs.gpr[RSP];
	CHECK(RUN("\x8f\x03") == INSN_FAULT && regs.gpr[RSP] == top, "a pop that faults");
	CHECK(RUN("\xff\x33") == INSN_FAULT && regs.gpr[RSP] == top, "a push that faults");
	start64();
	regs.efer = 0;
	regs.cs.attributes = regs.ss.attributes = 0x93;
	regs.ss.base = (u32)DEVICE;
	regs.gpr[RSP] = 0xabcd0000;
	regs.gpr[RAX] = 0x1234;
	CHECK(RUN("\x50") == INSN_DONE && regs.gpr[RSP] == 0xabcdfffe, "a 16-bit stack wraps");
}

static void test_jumps(void)
{
	start64();
	regs.gpr[RBX] = DEVICE;
	regs.gpr[RSP] = DEVICE + 0x100;
	memcpy(device, "\x00\x20\x00\x00\x00\x00\x00\x00", 8);
	CHECK(RUN("\xff\x13") == INSN_DONE && regs.rip == 0x2000 && dev64(0xf8) == 0x1002 &&
	      regs.gpr[RSP] == DEVICE + 0xf8, "call [rbx]");
	CHECK(RUN("\xe8\xfb\x0f\x00\x00") == INSN_DONE && regs.rip == 0x3000 &&
	      dev64(0xf0) == 0x2005, "call, the stack a device");
	CHECK(RUN("\xc3") == INSN_DONE && regs.rip == 0x2005, "ret");
	CHECK(RUN("\xc2\x10\x00") == INSN_DONE && regs.rip == 0x1002 &&
	      regs.gpr[RSP] == DEVICE + 0x110, "ret 16");
	CHECK(RUN("\xff\x23") == INSN_DONE && regs.rip == 0x2000, "jmp [rbx]");
	memset(device, 0x77, 8);
	CHECK(RUN("\xff\x23") == INSN_FAULT && in.fault.vector == VECTOR_GP &&
	      regs.rip == 0x2000, "to an address that is none");
	CHECK(RUN("\xff\x13") == INSN_FAULT && regs.gpr[RSP] == DEVICE + 0x110,
	      "a call that faults pushes nothing");
	CHECK(RUN("\x48\xff\x2b") == INSN_UNKNOWN, "far jumps are not done");
	regs.gpr[RBP] = 0xabcd;
	CHECK(RUN("\xc8\x20\x00\x00") == INSN_DONE && regs.gpr[RBP] == DEVICE + 0x108 &&
	      regs.gpr[RSP] == DEVICE + 0xe8 && dev64(0x108) == 0xabcd, "enter 32, 0");
	CHECK(RUN("\xc9") == INSN_DONE && regs.gpr[RBP] == 0xabcd &&
	      regs.gpr[RSP] == DEVICE + 0x110, "leave");
}

/* XSTATE_BV @states, XCOMP_BV with x87, SSE, AVX; XMM1 and its upper half filled */
static void set_area(u64 states)
{
	const u64 compact = 1ull << 63 | 7;

	memset(area, 0, sizeof(area));
	memcpy(area + 512, &states, 8);
	memcpy(area + 520, &compact, 8);
	memset(area + 176, 0x11, 16);
	memset(area + 576 + 16, 0x22, 16);
}

static u64 area64(unsigned int at)
{
	u64 v;

	memcpy(&v, area + at, 8);
	return v;
}

static void test_vectors(void)
{
	start64();
	regs.gpr[RBX] = DEVICE;
	for (int i = 0; i < 64; i++)
		device[i] = i;
	set_area(7);
	CHECK(RUN("\x0f\x11\x4b\x40") == INSN_DONE && dev64(0x48) == 0x1111111111111111,
	      "movups [rbx+64], xmm1");
	CHECK(RUN("\xf3\x0f\x6f\x0b") == INSN_DONE && area64(176) == 0x0706050403020100 &&
	      area64(592) == 0x2222222222222222, "movdqu xmm1, [rbx] keeps the upper half");
	CHECK(RUN("\xc5\xf8\x10\x4b\x10") == INSN_DONE && area64(176) == 0x1716151413121110 &&
	      !area64(592), "vmovups xmm1 clears it");
	CHECK(RUN("\xc5\xfe\x6f\x0b") == INSN_DONE && area64(600) == 0x1f1e1d1c1b1a1918,
	      "vmovdqu ymm1, [rbx]");
	CHECK(RUN("\xc5\xfd\x7f\x4b\x60") == INSN_DONE && dev64(0x78) == 0x1f1e1d1c1b1a1918,
	      "vmovdqa [rbx+96], ymm1");
	CHECK(RUN("\xf3\x0f\x10\x0b") == INSN_DONE && area64(176) == 0x03020100 && !area64(184),
	      "movss xmm1, [rbx]");
	CHECK(RUN("\xf2\x0f\x10\x0b") == INSN_DONE && area64(176) == 0x0706050403020100,
	      "movsd xmm1 is no string");
	CHECK(RUN("\x0f\x16\x4b\x10") == INSN_DONE && area64(184) == 0x1716151413121110 &&
	      area64(176) == 0x0706050403020100, "movhps xmm1, [rbx+16]");
	CHECK(RUN("\x0f\x17\x4b\x40") == INSN_DONE && dev64(0x40) == 0x1716151413121110,
	      "movhps [rbx+64], xmm1");
	CHECK(RUN("\x66\x0f\x7e\x0b") == INSN_DONE && dev64(0) == 0x0706050403020100,
	      "movd [rbx], xmm1");
	CHECK(RUN("\x66\x44\x0f\xe7\x3b") == INSN_DONE && !dev64(0) && !dev64(8),
	      "movntdq [rbx], xmm15");
	set_area(0);
	memset(device, 0x77, 64);
	CHECK(RUN("\x66\x0f\x7f\x0b") == INSN_DONE && !dev64(0) && !dev64(8),
	      "a register in its initial state is zero, whatever the area holds");
	CHECK(RUN("\xc5\xfe\x6f\x53\x20") == INSN_DONE && area64(512) == 6 && !area64(176) &&
	      area64(192) == 0x7777777777777777 && area64(608) == 0x7777777777777777,
	      "a load makes its neighbours valid too");
	CHECK(RUN("\x0f\x6f\x4b\x20") == INSN_DONE && area64(512) == 7 && area[0] == 0x7f &&
	      area[1] == 3 && area[4] == 0xff && area64(48) == 0x7777777777777777 &&
	      area[56] == 0xff, "movq mm1, [rbx+32]");
	CHECK(RUN("\x0f\x7f\x0b") == INSN_DONE && dev64(0) == 0x7777777777777777,
	      "movq [rbx], mm1");
	CHECK(RUN("\x62\xf1\x7f\x48\x6f\x0b") == INSN_UNKNOWN, "EVEX is not done");
	set_paging();
	regs.gpr[RBX] = 0x400ff8;
	CHECK(RUN("\x0f\x11\x0b") == INSN_FAULT && in.fault.cr2 == 0x401000 && !dev64(0xff8),
	      "into a page that is not there: nothing is written");
}

static void test_compares(void)
{
	start64();
	memcpy(memory + 0x5000, "abcdefgh", 8);
	memcpy(device, "abcxefgh", 8);
	regs.gpr[RSI] = 0x5000;
	regs.gpr[RDI] = DEVICE;
	regs.gpr[RCX] = 8;
	CHECK(RUN("\xf3\xa6") == INSN_DONE && regs.gpr[RCX] == 4 && regs.gpr[RSI] == 0x5004 &&
	      regs.gpr[RDI] == DEVICE + 4 && !(regs.rflags & 0x40) && (regs.rflags & 1),
	      "repe cmpsb stops behind the difference");
	regs.gpr[RCX] = 2;
	CHECK(RUN("\xf3\xa6") == INSN_DONE && !regs.gpr[RCX] && (regs.rflags & 0x40),
	      "repe cmpsb to the end");
	regs.gpr[RDI] = DEVICE;
	regs.gpr[RCX] = 8;
	regs.gpr[RAX] = 'e';
	CHECK(RUN("\xf2\xae") == INSN_DONE && regs.gpr[RCX] == 3 && regs.gpr[RDI] == DEVICE + 5,
	      "repne scasb");
	regs.gpr[RDI] = DEVICE;
	regs.gpr[RAX] = 0x6867666578636261;
	CHECK(RUN("\x48\xaf") == INSN_DONE && (regs.rflags & 0x40), "scasq");
	memset(device, 0, sizeof(device));
	regs.gpr[RDI] = DEVICE;
	regs.gpr[RCX] = 3000;
	regs.gpr[RAX] = 0;
	CHECK(RUN("\xf3\xae") == INSN_DONE && regs.gpr[RCX] == 3000 - 1024,
	      "a long one comes back for the rest");
}

static void test_strings(void)
{
	start64();
	memcpy(memory + 0x5000, "abcdefgh", 8);
	regs.gpr[RSI] = 0x5000;
	regs.gpr[RDI] = DEVICE;
	regs.gpr[RCX] = 8;
	CHECK(RUN("\xf3\xa4") == INSN_DONE && !memcmp(device, "abcdefgh", 8), "rep movsb");
	CHECK(regs.gpr[RCX] == 0 && regs.gpr[RSI] == 0x5008 && regs.gpr[RDI] == DEVICE + 8 &&
	      regs.rip == 0x1002, "registers behind it");
	regs.gpr[RDI] = DEVICE + 0x100;
	regs.gpr[RCX] = 4;
	regs.gpr[RAX] = 0x99;
	CHECK(RUN("\xf3\x48\xab") == INSN_DONE && device[0x118] == 0x99, "rep stosq");
	regs.gpr[RCX] = 5000;
	regs.gpr[RDI] = 0x6000;
	CHECK(RUN("\xf3\xaa") == INSN_DONE && regs.gpr[RCX] == 5000 - 1024 &&
	      regs.rip == 0x1005, "a long one comes back for the rest");
	regs.gpr[RCX] = 0;
	CHECK(RUN("\xf3\xaa") == INSN_DONE && regs.rip == 0x1007, "none at all");
	regs.rflags |= 0x400;
	regs.gpr[RSI] = 0x5007;
	regs.gpr[RDI] = DEVICE + 7;
	regs.gpr[RCX] = 2;
	CHECK(RUN("\xf3\xa4") == INSN_DONE && regs.gpr[RSI] == 0x5005, "backwards");
	regs.rflags &= ~0x400ull;
}

static void test_port_strings(void)
{
	start64();
	memcpy(memory + 0x5000, "hello", 5);
	regs.gpr[RDX] = 0x3f8;
	regs.gpr[RSI] = 0x5000;
	regs.gpr[RCX] = 5;
	CHECK(RUN("\xf3\x6e") == INSN_DONE && !memcmp(port_data, "hello", 5), "rep outsb");
	port_at = 0;
	regs.gpr[RDI] = 0x7000;
	regs.gpr[RCX] = 5;
	CHECK(RUN("\xf3\x6c") == INSN_DONE && !memcmp(memory + 0x7000, "hello", 5), "rep insb");
	CHECK(RUN("\x6c") == INSN_DONE && regs.gpr[RDI] == 0x7006, "one insb");
	regs.efer = 0;
	regs.cs.attributes = 0x9b;
	regs.es.base = 0x8000;
	regs.gpr[RDI] = 0xffff;
	port_at = 0;
	CHECK(RUN("\x6c") == INSN_DONE && memory[0x8000 + 0xffff] == 'h' &&
	      (regs.gpr[RDI] & 0xffff) == 0, "16-bit addresses wrap");
}

static void test_paging(void)
{
	start64();
	set_paging();
	regs.gpr[RBX] = 0x400000;
	regs.gpr[RAX] = 0x1234;
	CHECK(RUN("\x89\x03") == INSN_DONE && dev64(0) == 0x1234, "through the guest's tables");
	regs.gpr[RBX] = 0x401000;
	CHECK(RUN("\x89\x03") == INSN_FAULT && in.fault.vector == VECTOR_PF &&
	      in.fault.error == 2 && in.fault.cr2 == 0x401000, "not present");
	CHECK(regs.rip == 0x1002, "a fault leaves RIP");
	regs.gpr[RBX] = 0x402000;
	CHECK(RUN("\x8b\x0b") == INSN_DONE, "read only: reads");
	CHECK(RUN("\x89\x03") == INSN_FAULT && in.fault.error == 3, "and refuses writes");
	regs.ss.attributes = 0xc0f3;
	regs.gpr[RBX] = 0x6000;
	CHECK(RUN("\x89\x03") == INSN_FAULT && in.fault.error == 7, "user to supervisor page");
	regs.ss.attributes = 0xc093;
	regs.gpr[RSI] = 0x400ffc;
	regs.gpr[RDI] = 0x6000;
	regs.gpr[RCX] = 8;
	CHECK(RUN("\xf3\xa4") == INSN_FAULT && regs.gpr[RCX] == 4 && in.fault.cr2 == 0x401000,
	      "a string stops in the middle");
	regs.gpr[RBX] = 0x400ffe;
	CHECK(RUN("\x89\x03") == INSN_FAULT && device[0xffe] == 0,
	      "a split access is checked before it starts");
	regs.cr3 = ~0ull;
	CHECK(RUN("\x89\x03") == INSN_FAULT, "tables outside of memory");
}

static void test_paging_32(void)
{
	u32 *pd = (u32 *)(memory + 0x14000);
	u64 *pdpt = (u64 *)(memory + 0x15000);

	start64();
	regs.efer = 0;
	regs.cs.attributes = 0xc09b;
	memset(pd, 0, 0x2000);
	pd[1] = (u32)(DEVICE & 0xffc00000) | 0x83;
	regs.cr3 = 0x14000;
	regs.cr4 = 0x10;
	regs.cr0 = 0x80000001;
	regs.gpr[RBX] = 0x400000 | (DEVICE & 0x3fffff);
	CHECK(RUN("\xc7\x03\x0d\xf0\xad\x0b") == INSN_DONE && dev64(0) == 0x0badf00d,
	      "4 MiB page");
	pdpt[0] = 0x12000 | 1;
	regs.cr3 = 0x15000;
	regs.cr4 = 0x20;
	set_paging();
	regs.cr3 = 0x15000;
	regs.cr0 = 0x80000001;
	regs.gpr[RBX] = 0x400010;
	CHECK(RUN("\xc7\x03\x01\x00\x00\x00") == INSN_DONE && dev64(0x10) == 1, "PAE");
}

static void test_fetch(void)
{
	start64();
	memcpy(memory + 0x1000, "\x89\x03", 2);
	regs.gpr[RBX] = DEVICE;
	regs.gpr[RAX] = 0x77;
	CHECK(run("", 0) == INSN_DONE && dev64(0) == 0x77, "fetched from memory");
	regs.rip = MEMORY - 1;
	memory[MEMORY - 1] = 0xa4;
	CHECK(run("", 0) >= 0, "fetched at the end of memory");
	regs.rip = 0xffffffff00000000;
	CHECK(run("", 0) >= 0, "fetched from nowhere");
}

static void test_unknown(void)
{
	start64();
	regs.gpr[RBX] = DEVICE;
	CHECK(RUN("\x0f\x0b") == INSN_UNKNOWN, "ud2");
	CHECK(RUN("\xd9\x03") == INSN_UNKNOWN, "fld");
	CHECK(RUN("\xf2\x0f\xc2\x03\x01") == INSN_UNKNOWN, "cmpsd xmm is no string");
	CHECK(RUN("\x48") == INSN_UNKNOWN, "half an instruction");
	CHECK(regs.rip == 0x1000 && !regs.dirty, "nothing changed");
	regs.ss.attributes = 0xc0f3;
	CHECK(RUN("\xd9\x03") == INSN_FAULT && in.fault.vector == VECTOR_UD &&
	      !in.fault.has_error, "a program of the guest gets #UD");
}

static void test_random(void)
{
	unsigned int seed = 77, done = 0;

	for (int i = 0; i < 300000; i++) {
		char bytes[15];

		start64();
		if (i & 1)
			set_paging();
		if (i & 2)
			regs.cs.attributes = i & 4 ? 0xc09b : 0x9b;
		for (int k = 0; k < 16; k++) {
			seed = seed * 1103515245 + 12345;
			regs.gpr[k] = seed & 0x100 ? DEVICE + (seed >> 20) :
				      seed & 0x200 ? seed >> 11 : (u64)seed << 32 | seed;
			bytes[k % 15] = seed >> 16;
		}
		if (i & 8)
			bytes[0] = "\x88\x89\x8a\x8b\xa4\xa5\xf3\x6c\x6e\x0f\xf0\x87\x01\x29\xff\xab"
				   "\xa6\xae\x0f\x66\xc5\xd3\xf7\x8f\x62\x0f\xf2\xc1\xf6\x6b\xc4\x0f"
				   [seed >> 8 & 31];
		regs.gpr[RCX] &= 0xfff;
		done += run(bytes, 15) == INSN_DONE;
	}
	CHECK(done > 1000, "random instructions do no harm (%u done)", done);
}

int main(void)
{
	memory = calloc(1, MEMORY);
	gmem_layout(&gm, MEMORY, memory);
	bus_add(&mmio, &(struct bus_range){ .first = DEVICE, .last = DEVICE + 0xfff, .width = 8,
					    .read = dev_read, .write = dev_write });
	bus_add(&ports, &(struct bus_range){ .first = 0x3f8, .last = 0x3f8, .width = 4,
					     .read = port_read, .write = port_write });
	test_moves();
	test_arithmetic();
	test_locked();
	test_pairs();
	test_math();
	test_stack();
	test_jumps();
	test_vectors();
	test_strings();
	test_compares();
	test_port_strings();
	test_paging();
	test_paging_32();
	test_fetch();
	test_unknown();
	test_random();
	free(memory);
	return tap_done();
}
