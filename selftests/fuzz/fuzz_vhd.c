// SPDX-License-Identifier: GPL-2.0-only
/* VHD, dynamic and fixed: see fuzz_image.h */
#include "fuzz_image.h"
#include "../../vsp/storage/image/vhd.h"

#define HEADER		512u
#define BAT		1536u
#define FIXED_FOOTER	DISK

static const struct place places[] = {
	{ 0, 96 }, { HEADER, 64 }, { BAT, 64 }, { BAT + 512, 4096 }, { FIXED_FOOTER, 96 },
	{ 4096, 4096 }, { DISK + 4096, 8192 },
};

static void mend_at(struct memfile *f, u64 off, u32 len, u32 sum_at)
{
	u8 bytes[VHD_HEADER_LEN];

	if (memfile_read(f, off, bytes, len))
		return;
	ovid_vhd_put_sum(bytes, len, sum_at);
	memfile_write(f, off, bytes, len);
}

static void mend(struct memfile *f, u8 which)
{
	u8 footer[VHD_SECTOR];

	if (which & 1)
		mend_at(f, 0, VHD_SECTOR, VHD_FOOTER_SUM);
	if (which & 2)
		mend_at(f, HEADER, VHD_HEADER_LEN, VHD_HEADER_SUM);
	if (which & 4)
		mend_at(f, f->size - VHD_SECTOR, VHD_SECTOR, VHD_FOOTER_SUM);
	/* the footer as its copy is; or lost */
	if (which & 8 && !memfile_read(f, 0, footer, VHD_SECTOR))
		memfile_write(f, f->size - VHD_SECTOR, footer, VHD_SECTOR);
	if (which & 16)
		memfile_resize(f, f->size - VHD_SECTOR);
}

static bool space_ok(const struct ovid_vdisk *image, u64 off, u64 len)
{
	const struct ovid_vhd *v = image->format_data;

	if (image->info.kind == OVID_VDISK_FIXED)
		return ovid_fits(off, len, v->end);
	return off >= VHD_SECTOR && ovid_fits(off, len, v->end) &&
	       !ovid_overlap(off, len, v->header_off, VHD_HEADER_LEN) &&
	       !ovid_overlap(off, len, v->table_off, vhd_table_len(v->entries));
}

static const struct format vhd = {
	.format = OVID_VDISK_VHD,
	.places = places,
	.nr_places = ARRAY_SIZE(places),
	.mend = mend,
	.space_ok = space_ok,
};

static struct template *template(unsigned int n)
{
	static struct template all[2];
	struct template *t = &all[n % 2];
	struct ovid_vdisk_params params = {
		.format = OVID_VDISK_VHD, .size = DISK, .block_size = BLOCK,
		.kind = n % 2 ? OVID_VDISK_FIXED : OVID_VDISK_DYNAMIC,
	};

	if (!t->file.size)
		make_template(t, &params, false);
	return t;
}

int LLVMFuzzerTestOneInput(const u8 *data, size_t len)
{
	struct input in = { data, len };

	return fuzz(&vhd, template(take(&in, 1)), &in);
}
