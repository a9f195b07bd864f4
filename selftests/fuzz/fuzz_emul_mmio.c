// SPDX-License-Identifier: GPL-2.0-only
/*
 * Input: one byte for the mode, then instruction bytes.  What is taken must be
 * well formed, must not depend on bytes behind it, and every shorter piece of
 * it must ask for more.
 */
#include <stdlib.h>
#include "purelib_host.h"
#include "emul_mmio.h"

int LLVMFuzzerTestOneInput(const u8 *data, size_t len);

#define CHECK(c)	do { if (!(c)) abort(); } while (0)

static bool size_ok(u8 size)
{
	return size == 1 || size == 2 || size == 4 || size == 8;
}

static void check_insn(const struct ovid_insn *insn, const u64 gpr[16])
{
	CHECK(size_ok(insn->size));
	CHECK(insn->write <= 1 && insn->high_byte <= 1 && insn->sign_extend <= 1);
	if (insn->write) {
		CHECK(insn->size == 8 || !(insn->value >> (8 * insn->size)));
		CHECK(!insn->sign_extend && !insn->high_byte);
		if (insn->stos) {
			CHECK(insn->reg == 7 && size_ok(insn->reg_size) && insn->reg_size > 1);
			ovid_insn_stos_rdi(insn, gpr[7], insn->value & 1);
		}
		return;
	}
	CHECK(!insn->stos && insn->reg < 16 && size_ok(insn->reg_size));
	CHECK(insn->reg_size >= insn->size);
	if (insn->reg_size == 4)
		CHECK(!(ovid_insn_load_result(insn, ~0ull, gpr[1]) >> 32));
	if (insn->reg_size < 4)
		CHECK(ovid_insn_load_result(insn, gpr[2], gpr[1]) >> 16 == gpr[2] >> 16);
}

int LLVMFuzzerTestOneInput(const u8 *data, size_t len)
{
	struct ovid_insn insn, again;
	u64 gpr[16];
	size_t i;
	int bits, ret;

	if (!len)
		return 0;
	bits = data[0] % 3;
	for (i = 0; i < 16; i++)
		gpr[i] = (i + 1) * 0x9e3779b97f4a7c15ull;
	data++;
	len--;
	ret = ovid_decode_access(data, len, bits, gpr, &insn);
	CHECK(ret == 0 || ret == -EAGAIN || ret == -EOPNOTSUPP);
	if (ret == -EAGAIN)
		CHECK(len < 15);
	if (ret)
		return 0;
	CHECK(insn.len && insn.len <= 15 && insn.len <= len);
	check_insn(&insn, gpr);
	for (i = 0; i < insn.len; i++)
		CHECK(ovid_decode_access(data, i, bits, gpr, &again) == -EAGAIN);
	CHECK(!ovid_decode_access(data, insn.len, bits, gpr, &again));
	CHECK(!memcmp(&insn, &again, sizeof(insn)));
	return 0;
}
