// SPDX-License-Identifier: GPL-2.0-only
/* OVID_GET_INFO, and calls on the wrong kind of file */
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

#include "lib/ov.h"
#include "lib/tap.h"

static void content(int dev)
{
	struct ovid_info i;

	tap_is(ov_info(dev, &i), 0, "OVID_GET_INFO");
	tap_is(i.size, sizeof(i), "size is the struct's");
	tap_is(i.abi_version, OVID_ABI_VERSION, "version");
	tap_is(i.blockers, 0, "nothing stands in the way of a partition");
	tap_is(i.reason[0], 0, "and no reason is given");
	tap_ok(i.max_vps >= 64 && i.max_vps <= 4096, "max_vps %u", i.max_vps);
	tap_ok(i.max_gsis >= 1024, "max_gsis %u", i.max_gsis);
	tap_ok(i.max_regions >= 64, "max_regions %u", i.max_regions);
	tap_ok(i.phys_bits >= 36 && i.phys_bits <= 52, "phys_bits %u", i.phys_bits);
	tap_ok(i.tsc_khz > 1000, "tsc_khz %u", i.tsc_khz);
	tap_ok(i.kernel_version >= 0x60c00, "kernel_version %#x", i.kernel_version);
	tap_ok(i.module_version[0] && memchr(i.module_version, 0, sizeof(i.module_version)),
	       "module_version is a string");
	tap_note("caps %#x, module %s", i.caps, i.module_version);
}

static void short_copy(int dev)
{
	struct { struct ovid_info i; uint8_t more[64]; } big;

	memset(&big, 0, sizeof(big));
	big.i.size = sizeof(big);
	tap_is(ov_ioctl(dev, OVID_GET_INFO, &big), 0, "a longer struct");
	tap_is(big.more[0] | big.more[63], 0, "what the kernel does not know reads as zero");
}

static void wrong_files(int dev)
{
	int part = ov_partition(dev, "wrong"), vp = ov_vp(part, 0);
	int mem = ov_memory(dev, 4096, 0), null = open("/dev/null", O_RDWR);
	struct ovid_info i = { .size = sizeof(i) };
	struct mshv_create_vp v = { .vp_index = 9 };

	tap_is(-ov_ioctl(part, OVID_GET_INFO, &i), ENOTTY, "a D call on P");
	tap_is(-ov_ioctl(vp, OVID_GET_INFO, &i), ENOTTY, "a D call on V");
	tap_is(-ov_ioctl(mem, OVID_GET_INFO, &i), ENOTTY, "a D call on M");
	tap_is(-ov_ioctl(dev, MSHV_CREATE_VP, &v), ENOTTY, "a P call on D");
	tap_is(-ov_ioctl(vp, OVID_PARTITION_CTRL, &v), ENOTTY, "a P call on V");
	tap_is(-ov_run(dev), ENOTTY, "a V call on D");
	tap_is(-ov_run(part), ENOTTY, "a V call on P");
	tap_is(-ov_run(mem), ENOTTY, "a V call on M");
	tap_is(-ov_ioctl(dev, _IO(OVID_IOCTL, 0xfe), NULL), ENOTTY, "an unknown call on D");
	tap_is(-ov_ioctl(part, _IO(OVID_IOCTL, 0xfe), NULL), ENOTTY, "an unknown call on P");
	tap_is(-ov_ioctl(vp, _IO(OVID_IOCTL, 0xfe), NULL), ENOTTY, "an unknown call on V");
	tap_is(-ov_ioctl(part, _IO(0xAE, 0), NULL), ENOTTY, "another magic");
	tap_is(-ov_map_fd(part, 0, 4096, null, 0), EBADF, "a file that is no M");
	tap_is(-ov_map_fd(part, 0, 4096, part, 0), EBADF, "P as an M");
	tap_is(-ov_map_fd(part, 0, 4096, dev, 0), EBADF, "D as an M");
	tap_is(-ov_map_fd(part, 0, 4096, 987, 0), EBADF, "a closed file as an M");
	tap_is(read(part, &i, 8) < 0, 1, "P cannot be read");
	tap_is(write(vp, &i, 8) < 0, 1, "V cannot be written");
	close(null);
	close(mem);
	close(vp);
	close(part);
}

int main(void)
{
	struct ovid_info good = { .size = sizeof(good) };
	int dev;

	tap_begin("abi-info", TAP_LIMIT);
	dev = ov_open();
	content(dev);
	ov_size_rules(dev, "OVID_GET_INFO", OVID_GET_INFO, &good, sizeof(good), NULL);
	short_copy(dev);
	wrong_files(dev);
	close(dev);
	return tap_done();
}
