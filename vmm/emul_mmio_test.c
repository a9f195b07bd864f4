// SPDX-License-Identifier: GPL-2.0-only
/*
 * Cases for emul_mmio.c: a table of encodings with what they mean, every
 * truncation of each, the whole opcode maps, and invariants over random bytes.
 * (selftests/unit also compares with an independent decoder.)
 */
#include <kunit/test.h>
#include "emul_mmio.c"

/* register n holds a value that tells n and each byte's place */
#define GPR(n)	(0xf0e0d0c0b0a09080ull + (n) * 0x0101010101010101ull)

static const u64 gpr[16] = {
	GPR(0), GPR(1), GPR(2), GPR(3), GPR(4), GPR(5), GPR(6), GPR(7),
	GPR(8), GPR(9), GPR(10), GPR(11), GPR(12), GPR(13), GPR(14), GPR(15),
};

struct encoding {
	const char *what;
	enum ovid_cpu_bits bits;
	u8 len;
	u8 bytes[15];
	struct ovid_insn insn;
};

#define BYTES(...)	sizeof((u8[]){ __VA_ARGS__ }), { __VA_ARGS__ }
#define STORE(n, val)	{ .size = n, .write = 1, .value = val }
#define LOAD(n, r, rn)	{ .size = n, .reg = r, .reg_size = rn }
#define LOADH(r)	{ .size = 1, .reg = r, .reg_size = 1, .high_byte = 1 }
#define LOADS(n, r, rn)	{ .size = n, .reg = r, .reg_size = rn, .sign_extend = 1 }
#define STOS(n, an, val) { .size = n, .write = 1, .stos = 1, .reg = 7, .reg_size = an, .value = val }

static const struct encoding encodings[] = {
	/* 88 89: register to memory */
	{ "mov [rbx], al", OVID_64BIT, BYTES(0x88, 0x03), STORE(1, 0x80) },
	{ "mov [rbx], ah", OVID_64BIT, BYTES(0x88, 0x23), STORE(1, 0x90) },
	{ "mov [rbx], bh", OVID_64BIT, BYTES(0x88, 0x3b), STORE(1, 0x93) },
	{ "mov [rbx], spl", OVID_64BIT, BYTES(0x40, 0x88, 0x23), STORE(1, 0x84) },
	{ "mov [rbx], dil", OVID_64BIT, BYTES(0x40, 0x88, 0x3b), STORE(1, 0x87) },
	{ "mov [rbx], r12b", OVID_64BIT, BYTES(0x44, 0x88, 0x23), STORE(1, 0x8c) },
	{ "mov [rbx], ecx", OVID_64BIT, BYTES(0x89, 0x0b), STORE(4, 0xb1a19181) },
	{ "mov [rbx], cx", OVID_64BIT, BYTES(0x66, 0x89, 0x0b), STORE(2, 0x9181) },
	{ "mov [rbx], rcx", OVID_64BIT, BYTES(0x48, 0x89, 0x0b), STORE(8, GPR(1)) },
	{ "mov [rbx], rcx (66)", OVID_64BIT, BYTES(0x66, 0x48, 0x89, 0x0b), STORE(8, GPR(1)) },
	{ "mov [rbx], r15", OVID_64BIT, BYTES(0x4c, 0x89, 0x3b), STORE(8, GPR(15)) },
	{ "mov [r11], r15d", OVID_64BIT, BYTES(0x45, 0x89, 0x3b), STORE(4, 0xbfaf9f8f) },
	{ "rex.w dead before 66", OVID_64BIT, BYTES(0x48, 0x66, 0x89, 0x0b), STORE(2, 0x9181) },
	{ "rex.w dead before fs", OVID_64BIT, BYTES(0x48, 0x64, 0x89, 0x0b), STORE(4, 0xb1a19181) },
	{ "rex dead before 66: ah again", OVID_64BIT, BYTES(0x40, 0x66, 0x88, 0x23), STORE(1, 0x90) },
	{ "two rex, last counts", OVID_64BIT, BYTES(0x48, 0x44, 0x89, 0x0b), STORE(4, 0xb9a99989) },
	/* addressing forms */
	{ "[rbx+d8]", OVID_64BIT, BYTES(0x89, 0x4b, 1), STORE(4, 0xb1a19181) },
	{ "[rbx+d32]", OVID_64BIT, BYTES(0x89, 0x8b, 1, 2, 3, 4), STORE(4, 0xb1a19181) },
	{ "[rip+d32]", OVID_64BIT, BYTES(0x89, 0x0d, 1, 2, 3, 4), STORE(4, 0xb1a19181) },
	{ "[rsp]", OVID_64BIT, BYTES(0x89, 0x0c, 0x24), STORE(4, 0xb1a19181) },
	{ "[rax+rcx*4]", OVID_64BIT, BYTES(0x89, 0x0c, 0x88), STORE(4, 0xb1a19181) },
	{ "[rax*1+d32]", OVID_64BIT, BYTES(0x89, 0x0c, 0x05, 1, 2, 3, 4), STORE(4, 0xb1a19181) },
	{ "[rbp+rax+d8]", OVID_64BIT, BYTES(0x89, 0x4c, 0x05, 1), STORE(4, 0xb1a19181) },
	{ "[rax+rax+d8]", OVID_64BIT, BYTES(0x89, 0x4c, 0x00, 1), STORE(4, 0xb1a19181) },
	{ "[rsp+d32]", OVID_64BIT, BYTES(0x89, 0x8c, 0x24, 1, 2, 3, 4), STORE(4, 0xb1a19181) },
	{ "rex.b leaves [rip+d32]", OVID_64BIT, BYTES(0x41, 0x89, 0x0d, 1, 2, 3, 4), STORE(4, 0xb1a19181) },
	{ "[ebx] (67)", OVID_64BIT, BYTES(0x67, 0x89, 0x0b), STORE(4, 0xb1a19181) },
	{ "all segments", OVID_64BIT, BYTES(0x26, 0x2e, 0x36, 0x3e, 0x64, 0x65, 0x89, 0x0b),
	  STORE(4, 0xb1a19181) },
	{ "32: [ebx]", OVID_32BIT, BYTES(0x89, 0x0b), STORE(4, 0xb1a19181) },
	{ "32: [d32]", OVID_32BIT, BYTES(0x89, 0x0d, 1, 2, 3, 4), STORE(4, 0xb1a19181) },
	{ "32: [bp+di] (67)", OVID_32BIT, BYTES(0x67, 0x89, 0x0b), STORE(4, 0xb1a19181) },
	{ "32: [d16] (67)", OVID_32BIT, BYTES(0x67, 0x89, 0x0e, 1, 2), STORE(4, 0xb1a19181) },
	{ "32: [si+d8] (67)", OVID_32BIT, BYTES(0x67, 0x89, 0x4c, 1), STORE(4, 0xb1a19181) },
	{ "16: [bp+di]", OVID_16BIT, BYTES(0x89, 0x0b), STORE(2, 0x9181) },
	{ "16: [d16]", OVID_16BIT, BYTES(0x89, 0x0e, 1, 2), STORE(2, 0x9181) },
	{ "16: [bp+d16]", OVID_16BIT, BYTES(0x89, 0x8e, 1, 2), STORE(2, 0x9181) },
	{ "16: [ebx] (66 67)", OVID_16BIT, BYTES(0x66, 0x67, 0x89, 0x0b), STORE(4, 0xb1a19181) },
	{ "16: [esp] (67)", OVID_16BIT, BYTES(0x67, 0x89, 0x0c, 0x24), STORE(2, 0x9181) },
	/* 8A 8B: memory to register */
	{ "mov al, [rbx]", OVID_64BIT, BYTES(0x8a, 0x03), LOAD(1, 0, 1) },
	{ "mov ch, [rbx]", OVID_64BIT, BYTES(0x8a, 0x2b), LOADH(1) },
	{ "mov bpl, [rbx]", OVID_64BIT, BYTES(0x40, 0x8a, 0x2b), LOAD(1, 5, 1) },
	{ "mov r13b, [rbx]", OVID_64BIT, BYTES(0x44, 0x8a, 0x2b), LOAD(1, 13, 1) },
	{ "mov edx, [rbx]", OVID_64BIT, BYTES(0x8b, 0x13), LOAD(4, 2, 4) },
	{ "mov dx, [rbx]", OVID_64BIT, BYTES(0x66, 0x8b, 0x13), LOAD(2, 2, 2) },
	{ "mov r10, [rbx]", OVID_64BIT, BYTES(0x4c, 0x8b, 0x13), LOAD(8, 10, 8) },
	{ "32: mov edx, [ebx]", OVID_32BIT, BYTES(0x8b, 0x13), LOAD(4, 2, 4) },
	{ "16: mov dx, [bp+di]", OVID_16BIT, BYTES(0x8b, 0x13), LOAD(2, 2, 2) },
	{ "32: 48 is dec eax, not rex", OVID_32BIT, BYTES(0x26, 0x8b, 0x13), LOAD(4, 2, 4) },
	/* A0-A3 */
	{ "mov al, [m64]", OVID_64BIT, BYTES(0xa0, 1, 2, 3, 4, 5, 6, 7, 8), LOAD(1, 0, 1) },
	{ "mov eax, [m64]", OVID_64BIT, BYTES(0xa1, 1, 2, 3, 4, 5, 6, 7, 8), LOAD(4, 0, 4) },
	{ "mov rax, [m32] (67)", OVID_64BIT, BYTES(0x67, 0x48, 0xa1, 1, 2, 3, 4), LOAD(8, 0, 8) },
	{ "mov [m64], al", OVID_64BIT, BYTES(0xa2, 1, 2, 3, 4, 5, 6, 7, 8), STORE(1, 0x80) },
	{ "mov [m64], rax", OVID_64BIT, BYTES(0x48, 0xa3, 1, 2, 3, 4, 5, 6, 7, 8), STORE(8, GPR(0)) },
	{ "32: mov eax, [m32]", OVID_32BIT, BYTES(0xa1, 1, 2, 3, 4), LOAD(4, 0, 4) },
	{ "16: mov [m16], ax", OVID_16BIT, BYTES(0xa3, 1, 2), STORE(2, 0x9080) },
	{ "16: mov [m32], eax", OVID_16BIT, BYTES(0x66, 0x67, 0xa3, 1, 2, 3, 4), STORE(4, 0xb0a09080) },
	/* AA AB */
	{ "stosb", OVID_64BIT, BYTES(0xaa), STOS(1, 8, 0x80) },
	{ "stosd", OVID_64BIT, BYTES(0xab), STOS(4, 8, 0xb0a09080) },
	{ "stosw", OVID_64BIT, BYTES(0x66, 0xab), STOS(2, 8, 0x9080) },
	{ "stosq", OVID_64BIT, BYTES(0x48, 0xab), STOS(8, 8, GPR(0)) },
	{ "stosd (67)", OVID_64BIT, BYTES(0x67, 0xab), STOS(4, 4, 0xb0a09080) },
	{ "32: stosd", OVID_32BIT, BYTES(0xab), STOS(4, 4, 0xb0a09080) },
	{ "16: stosw", OVID_16BIT, BYTES(0xab), STOS(2, 2, 0x9080) },
	/* C6 C7 */
	{ "mov byte [rbx], i8", OVID_64BIT, BYTES(0xc6, 0x03, 0x9a), STORE(1, 0x9a) },
	{ "mov dword [rbx], i32", OVID_64BIT, BYTES(0xc7, 0x03, 0x78, 0x56, 0x34, 0x92), STORE(4, 0x92345678) },
	{ "mov word [rbx], i16", OVID_64BIT, BYTES(0x66, 0xc7, 0x03, 0x34, 0x92), STORE(2, 0x9234) },
	{ "mov qword [rbx], -i32", OVID_64BIT, BYTES(0x48, 0xc7, 0x03, 0x78, 0x56, 0x34, 0x92),
	  STORE(8, 0xffffffff92345678) },
	{ "mov dword [rip+d32], i32", OVID_64BIT, BYTES(0xc7, 0x05, 1, 2, 3, 4, 0x78, 0x56, 0x34, 0x12),
	  STORE(4, 0x12345678) },
	{ "16: mov word [d16], i16", OVID_16BIT, BYTES(0xc7, 0x06, 1, 2, 0x34, 0x12), STORE(2, 0x1234) },
	{ "rex.r means nothing to a group", OVID_64BIT, BYTES(0x44, 0xc6, 0x03, 0x9a), STORE(1, 0x9a) },
	/* extending loads */
	{ "movzx eax, byte", OVID_64BIT, BYTES(0x0f, 0xb6, 0x03), LOAD(1, 0, 4) },
	{ "movzx ax, byte", OVID_64BIT, BYTES(0x66, 0x0f, 0xb6, 0x03), LOAD(1, 0, 2) },
	{ "movzx rsp, byte", OVID_64BIT, BYTES(0x48, 0x0f, 0xb6, 0x23), LOAD(1, 4, 8) },
	{ "movzx r9d, word", OVID_64BIT, BYTES(0x44, 0x0f, 0xb7, 0x0b), LOAD(2, 9, 4) },
	{ "movzx rcx, word", OVID_64BIT, BYTES(0x48, 0x0f, 0xb7, 0x0b), LOAD(2, 1, 8) },
	{ "movsx eax, byte", OVID_64BIT, BYTES(0x0f, 0xbe, 0x03), LOADS(1, 0, 4) },
	{ "movsx rax, word", OVID_64BIT, BYTES(0x48, 0x0f, 0xbf, 0x03), LOADS(2, 0, 8) },
	{ "movsxd rax, dword", OVID_64BIT, BYTES(0x48, 0x63, 0x03), LOADS(4, 0, 8) },
	{ "movsxd eax, dword", OVID_64BIT, BYTES(0x63, 0x03), LOADS(4, 0, 4) },
	{ "16: movzx ax, byte", OVID_16BIT, BYTES(0x0f, 0xb6, 0x07), LOAD(1, 0, 2) },
	{ "32: movsx ax, byte", OVID_32BIT, BYTES(0x66, 0x0f, 0xbe, 0x03), LOADS(1, 0, 2) },
	/* the longest there can be */
	{ "15 bytes", OVID_64BIT, BYTES(0x65, 0x65, 0x65, 0x65, 0x65, 0x48, 0xa1, 1, 2, 3, 4, 5, 6, 7, 8),
	  LOAD(8, 0, 8) },
};

static void check_insn(struct kunit *test, const struct encoding *e, const struct ovid_insn *insn)
{
	KUNIT_EXPECT_EQ_MSG(test, insn->len, e->len, "%s", e->what);
	KUNIT_EXPECT_EQ_MSG(test, insn->size, e->insn.size, "%s", e->what);
	KUNIT_EXPECT_EQ_MSG(test, insn->write, e->insn.write, "%s", e->what);
	KUNIT_EXPECT_EQ_MSG(test, insn->reg, e->insn.reg, "%s", e->what);
	KUNIT_EXPECT_EQ_MSG(test, insn->reg_size, e->insn.reg_size, "%s", e->what);
	KUNIT_EXPECT_EQ_MSG(test, insn->high_byte, e->insn.high_byte, "%s", e->what);
	KUNIT_EXPECT_EQ_MSG(test, insn->sign_extend, e->insn.sign_extend, "%s", e->what);
	KUNIT_EXPECT_EQ_MSG(test, insn->stos, e->insn.stos, "%s", e->what);
	KUNIT_EXPECT_EQ_MSG(test, insn->value, e->insn.value, "%s", e->what);
}

static void decode_table(struct kunit *test)
{
	u8 *buf = kunit_kzalloc(test, 15, GFP_KERNEL);
	struct ovid_insn insn;
	size_t i;

	KUNIT_ASSERT_NOT_NULL(test, buf);
	for (i = 0; i < ARRAY_SIZE(encodings); i++) {
		const struct encoding *e = &encodings[i];
		u8 *bytes = buf + 15 - e->len;	/* nothing to read behind it */

		memcpy(bytes, e->bytes, e->len);
		KUNIT_EXPECT_EQ_MSG(test, 0,
				    ovid_decode_access(bytes, e->len, e->bits, gpr, &insn),
				    "%s", e->what);
		check_insn(test, e, &insn);
		/* bytes behind the instruction do not matter */
		KUNIT_EXPECT_EQ_MSG(test, 0,
				    ovid_decode_access(e->bytes, sizeof(e->bytes), e->bits,
						       gpr, &insn), "%s", e->what);
		check_insn(test, e, &insn);
	}
}

/* each truncation asks for more; the bytes end where the buffer ends */
static void decode_truncated(struct kunit *test)
{
	u8 *buf = kunit_kzalloc(test, 15, GFP_KERNEL);
	struct ovid_insn insn;
	size_t i, len;

	KUNIT_ASSERT_NOT_NULL(test, buf);

	for (i = 0; i < ARRAY_SIZE(encodings); i++) {
		const struct encoding *e = &encodings[i];

		for (len = 0; len < e->len; len++) {
			u8 *bytes = buf + 15 - len;

			memcpy(bytes, e->bytes, len);
			KUNIT_EXPECT_EQ_MSG(test, -EAGAIN,
					    ovid_decode_access(bytes, len, e->bits, gpr, &insn),
					    "%s at %zu", e->what, len);
		}
	}
}

struct refusal {
	const char *what;
	enum ovid_cpu_bits bits;
	u8 len;
	u8 bytes[16];
};

static const struct refusal refusals[] = {
	{ "lock mov", OVID_64BIT, BYTES(0xf0, 0x89, 0x0b) },
	{ "rep stosb", OVID_64BIT, BYTES(0xf3, 0xaa) },
	{ "repne stosd", OVID_64BIT, BYTES(0xf2, 0xab) },
	{ "lock behind 66", OVID_64BIT, BYTES(0x66, 0xf0, 0x89, 0x0b) },
	{ "mov ebx, ecx", OVID_64BIT, BYTES(0x89, 0xcb) },
	{ "mov ecx, ebx", OVID_64BIT, BYTES(0x8b, 0xcb) },
	{ "movzx eax, bl", OVID_64BIT, BYTES(0x0f, 0xb6, 0xc3) },
	{ "mov bl, i8", OVID_64BIT, BYTES(0xc6, 0xc3, 0) },
	{ "xabort", OVID_64BIT, BYTES(0xc6, 0xf8, 0) },
	{ "xbegin", OVID_64BIT, BYTES(0xc7, 0xf8, 0, 0, 0, 0) },
	{ "c6 /1", OVID_64BIT, BYTES(0xc6, 0x0b, 0) },
	{ "c7 /7", OVID_64BIT, BYTES(0xc7, 0x3b, 0, 0, 0, 0) },
	{ "movsxd with 66", OVID_64BIT, BYTES(0x66, 0x63, 0x03) },
	{ "arpl", OVID_32BIT, BYTES(0x63, 0x03) },
	{ "dec eax; mov", OVID_32BIT, BYTES(0x48, 0x89, 0x0b) },
	{ "16 bytes", OVID_64BIT, BYTES(0x65, 0x65, 0x65, 0x65, 0x65, 0x65, 0x48, 0xa1,
					1, 2, 3, 4, 5, 6, 7, 8) },
	{ "15 prefixes", OVID_64BIT, BYTES(0x66, 0x66, 0x66, 0x66, 0x66, 0x66, 0x66, 0x66,
					   0x66, 0x66, 0x66, 0x66, 0x66, 0x66, 0x66, 0x66) },
	{ "mov seg", OVID_64BIT, BYTES(0x8c, 0x03) },
	{ "xchg", OVID_64BIT, BYTES(0x87, 0x0b) },
	{ "movsb", OVID_64BIT, BYTES(0xa4) },
	{ "or", OVID_64BIT, BYTES(0x09, 0x0b) },
	{ "movaps", OVID_64BIT, BYTES(0x0f, 0x29, 0x03) },
	{ "movbe", OVID_64BIT, BYTES(0x0f, 0x38, 0xf0, 0x03) },
	{ "vex", OVID_64BIT, BYTES(0xc5, 0xf8, 0x29, 0x03) },
};

static void decode_refused(struct kunit *test)
{
	struct ovid_insn insn;
	size_t i;

	for (i = 0; i < ARRAY_SIZE(refusals); i++)
		KUNIT_EXPECT_EQ_MSG(test, -EOPNOTSUPP,
				    ovid_decode_access(refusals[i].bytes, refusals[i].len,
						       refusals[i].bits, gpr, &insn),
				    "%s", refusals[i].what);
}

static bool known_opcode(u8 op, enum ovid_cpu_bits bits)
{
	switch (op) {
	case 0x88 ... 0x8b:
	case 0xa0 ... 0xa3:
	case 0xaa ... 0xab:
	case 0xc6 ... 0xc7:
		return true;
	case 0x63:
		return bits == OVID_64BIT;
	default:
		return false;
	}
}

static bool prefix_or_escape(u8 op, enum ovid_cpu_bits bits)
{
	switch (op) {
	case 0x0f: case 0x66: case 0x67:
	case 0x26: case 0x2e: case 0x36: case 0x3e: case 0x64: case 0x65:
		return true;
	case 0x40 ... 0x4f:
		return bits == OVID_64BIT;
	default:
		return false;
	}
}

/* the whole one-byte map and the whole 0F map, in each mode */
static void decode_maps(struct kunit *test)
{
	struct ovid_insn insn;
	unsigned int op;
	int bits;

	for (bits = OVID_16BIT; bits <= OVID_64BIT; bits++) {
		for (op = 0; op < 256; op++) {
			u8 one[15] = { op };
			u8 two[15] = { 0x0f, op };
			bool known = known_opcode(op, bits);

			if (!prefix_or_escape(op, bits))
				KUNIT_EXPECT_EQ_MSG(test, known ? 0 : -EOPNOTSUPP,
						    ovid_decode_access(one, 15, bits, gpr, &insn),
						    "%d: %02x", bits, op);
			known = op == 0xb6 || op == 0xb7 || op == 0xbe || op == 0xbf;
			KUNIT_EXPECT_EQ_MSG(test, known ? 0 : -EOPNOTSUPP,
					    ovid_decode_access(two, 15, bits, gpr, &insn),
					    "%d: 0f %02x", bits, op);
		}
	}
}

static bool sane_size(u8 size)
{
	return size == 1 || size == 2 || size == 4 || size == 8;
}

static bool sane(const struct ovid_insn *insn, size_t len)
{
	if (!insn->len || insn->len > 15 || insn->len > len || !sane_size(insn->size))
		return false;
	if (insn->write) {
		if (insn->high_byte || insn->sign_extend)
			return false;
		if (insn->size < 8 && insn->value >> (8 * insn->size))
			return false;
		return insn->stos ? insn->reg == 7 && sane_size(insn->reg_size) :
				    !insn->reg && !insn->reg_size;
	}
	return insn->reg < 16 && sane_size(insn->reg_size) && insn->reg_size >= insn->size &&
	       !insn->stos && !insn->value &&
	       (!insn->high_byte || (insn->reg < 4 && insn->reg_size == 1));
}

static void decode_random(struct kunit *test)
{
	u64 seed = 0x9e3779b97f4a7c15ull;
	struct ovid_insn insn;
	unsigned int i, j, ok = 0;

	for (i = 0; i < 100000; i++) {
		u8 bytes[16];
		size_t len;
		int ret;

		for (j = 0; j < sizeof(bytes); j++) {
			seed = seed * 6364136223846793005ull + 1442695040888963407ull;
			bytes[j] = seed >> 56;
		}
		if (i & 1)	/* mostly opcodes that it knows */
			bytes[i & 2 ? 0 : 1] = 0x88 + (bytes[15] & 3);
		len = bytes[14] % 16;
		ret = ovid_decode_access(bytes, len, bytes[13] % 3, gpr, &insn);
		ok += !ret;
		if (ret == 0)
			KUNIT_EXPECT_TRUE_MSG(test, sane(&insn, len), "round %u", i);
		else
			KUNIT_EXPECT_TRUE_MSG(test, ret == -EAGAIN || ret == -EOPNOTSUPP,
					      "round %u: %d", i, ret);
	}
	KUNIT_EXPECT_GT(test, ok, 1000u);
}

static void load_result(struct kunit *test)
{
	static const u64 old = 0x1122334455667788ull, data = 0xfedcba9876543290ull;
	static const struct {
		struct ovid_insn insn;
		u64 want;
	} cases[] = {
		{ LOAD(1, 0, 1), 0x1122334455667790ull },
		{ LOADH(0), 0x1122334455669088ull },
		{ LOAD(2, 0, 2), 0x1122334455663290ull },
		{ LOAD(4, 0, 4), 0x0000000076543290ull },
		{ LOAD(8, 0, 8), 0xfedcba9876543290ull },
		{ LOAD(1, 0, 2), 0x1122334455660090ull },
		{ LOAD(1, 0, 4), 0x0000000000000090ull },
		{ LOAD(2, 0, 8), 0x0000000000003290ull },
		{ LOADS(1, 0, 2), 0x112233445566ff90ull },
		{ LOADS(1, 0, 4), 0x00000000ffffff90ull },
		{ LOADS(1, 0, 8), 0xffffffffffffff90ull },
		{ LOADS(2, 0, 8), 0x0000000000003290ull },
		{ LOADS(4, 0, 8), 0x0000000076543290ull },
		{ LOADS(4, 0, 4), 0x0000000076543290ull },
	};
	size_t i;

	for (i = 0; i < ARRAY_SIZE(cases); i++)
		KUNIT_EXPECT_EQ_MSG(test, cases[i].want,
				    ovid_insn_load_result(&cases[i].insn, old, data),
				    "case %zu", i);
}

static void stos_rdi(struct kunit *test)
{
	static const struct ovid_insn b16 = STOS(1, 2, 0), d32 = STOS(4, 4, 0), q64 = STOS(8, 8, 0);

	KUNIT_EXPECT_EQ(test, 0x12340000ull, ovid_insn_stos_rdi(&b16, 0x1234ffffull, false));
	KUNIT_EXPECT_EQ(test, 0x1234ffffull, ovid_insn_stos_rdi(&b16, 0x12340000ull, true));
	KUNIT_EXPECT_EQ(test, 0x00000002ull, ovid_insn_stos_rdi(&d32, 0x1fffffffeull, false));
	KUNIT_EXPECT_EQ(test, 0xfffffffcull, ovid_insn_stos_rdi(&d32, 0x0ull, true));
	KUNIT_EXPECT_EQ(test, 0x200000006ull, ovid_insn_stos_rdi(&q64, 0x1fffffffeull, false));
}

static struct kunit_case emul_mmio_cases[] = {
	KUNIT_CASE(decode_table),
	KUNIT_CASE(decode_truncated),
	KUNIT_CASE(decode_refused),
	KUNIT_CASE(decode_maps),
	KUNIT_CASE(decode_random),
	KUNIT_CASE(load_result),
	KUNIT_CASE(stos_rdi),
	{}
};

static struct kunit_suite emul_mmio_suite = {
	.name = "ovid_emul_mmio",
	.test_cases = emul_mmio_cases,
};
kunit_test_suite(emul_mmio_suite);

MODULE_DESCRIPTION("cases for the bounded decoder");
MODULE_LICENSE("GPL");
