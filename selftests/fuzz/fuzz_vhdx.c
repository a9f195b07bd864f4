// SPDX-License-Identifier: GPL-2.0-only
/* VHDX, dynamic, fixed and differencing, closed or with a log to be replayed: see fuzz_image.h */
#include "fuzz_image.h"
#include "../../vsp/storage/image/vhdx.h"

#define LOG	OVID_MIB
#define META	(2 * OVID_MIB)
#define BAT	(3 * OVID_MIB)

static const struct place places[] = {
	{ 0, 16 },
	{ VHDX_HEADER_AT(0), 80 }, { VHDX_HEADER_AT(1), 80 },
	{ VHDX_REGIONS_AT(0), 96 }, { VHDX_REGIONS_AT(1), 96 },
	{ LOG, 256 }, { LOG, 65535 }, { LOG + 8192, 256 }, { LOG + 16384, 256 }, { LOG + 24576, 256 },
	{ META, 256 }, { META + VHDX_META_TABLE_LEN, 64 }, { META + VHDX_META_TABLE_LEN + 64, 600 },
	{ BAT, 64 }, { BAT + 8 * 4096, 16 }, { 4 * OVID_MIB, 4096 },
};

static void mend_log(struct memfile *f)
{
	static u8 entry[1 << 20];
	u64 at;

	for (at = LOG; at < META; at += VHDX_LOG_SECTOR) {
		u32 len;

		if (memfile_read(f, at, entry, VHDX_ENTRY_HEAD) || memcmp(entry, "loge", 4))
			continue;
		len = get_unaligned_le32(entry + VHDX_ENTRY_LEN);
		if (len < VHDX_LOG_SECTOR || len > META - at || memfile_read(f, at, entry, len))
			continue;
		ovid_vhdx_put_sum(entry, len);
		memfile_write(f, at, entry, len);
	}
}

static void mend_at(struct memfile *f, u64 off, u32 len)
{
	static u8 bytes[VHDX_REGIONS_LEN];

	if (memfile_read(f, off, bytes, len))
		return;
	ovid_vhdx_put_sum(bytes, len);
	memfile_write(f, off, bytes, len);
}

static void mend(struct memfile *f, u8 which)
{
	if (which & 1)
		mend_at(f, VHDX_HEADER_AT(0), VHDX_HEADER_LEN);
	if (which & 2)
		mend_at(f, VHDX_HEADER_AT(1), VHDX_HEADER_LEN);
	if (which & 4)
		mend_at(f, VHDX_REGIONS_AT(0), VHDX_REGIONS_LEN);
	if (which & 8)
		mend_at(f, VHDX_REGIONS_AT(1), VHDX_REGIONS_LEN);
	if (which & 16)
		mend_log(f);
}

static const struct format vhdx = {
	.format = OVID_VDISK_VHDX,
	.places = places,
	.nr_places = ARRAY_SIZE(places),
	.mend = mend,
	.space_ok = ovid_vhdx_space_ok,
};

static struct template *template(unsigned int n)
{
	static const enum ovid_vdisk_kind kinds[] = {
		OVID_VDISK_DYNAMIC, OVID_VDISK_DYNAMIC, OVID_VDISK_FIXED, OVID_VDISK_FIXED,
		OVID_VDISK_DIFFERENCING, OVID_VDISK_DIFFERENCING,
	};
	static struct template all[ARRAY_SIZE(kinds)];
	struct template *t = &all[n % ARRAY_SIZE(all)];
	struct ovid_vdisk_params params = {
		.format = OVID_VDISK_VHDX, .kind = kinds[t - all], .size = DISK, .block_size = BLOCK,
		.relative_path = "base.vhdx",
	};
	const char *why;

	if (t->file.size)
		return t;
	if (params.kind == OVID_VDISK_DIFFERENCING) {
		memcpy(t->shadow, template(0)->shadow, SECTORS);
		CHECK(!ovid_vdisk_open(&memfile_ops, &template(0)->file, OVID_VDISK_VHDX, false,
				       &t->parent, &why));
		params.parent = t->parent;
	}
	make_template(t, &params, (t - all) % 2);
	return t;
}

int LLVMFuzzerTestOneInput(const u8 *data, size_t len)
{
	struct input in = { data, len };

	return fuzz(&vhdx, template(take(&in, 1)), &in);
}
