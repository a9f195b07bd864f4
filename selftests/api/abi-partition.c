// SPDX-License-Identifier: GPL-2.0-only
/* partitions: creation, control, properties */
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include "lib/ov.h"
#include "lib/tap.h"

static void close_it(int fd)
{
	close(fd);
}

static uint32_t partitions(int dev)
{
	struct ovid_info i;

	return ov_info(dev, &i) ? ~0u : i.partitions;
}

static void creation(int dev)
{
	struct ovid_create_partition good = { .size = sizeof(good), .name = "good" };
	uint32_t before = partitions(dev);
	int fd[20];

	ov_size_rules(dev, "OVID_CREATE_PARTITION", OVID_CREATE_PARTITION, &good, sizeof(good),
		      close_it);
	ov_field_fails(dev, "OVID_CREATE_PARTITION", OVID_CREATE_PARTITION, &good, sizeof(good),
		       4, 2, 4, EINVAL);
	for (int i = 0; i < 20; i++)
		fd[i] = ov_partition(dev, "many");
	tap_ok(fd[19] >= 0, "twenty partitions");
	tap_is(fcntl(fd[0], F_GETFD) & FD_CLOEXEC, FD_CLOEXEC, "P is close-on-exec");
	tap_is(partitions(dev), before + 20, "they are counted");
	for (int i = 0; i < 20; i++)
		close(fd[i]);
	tap_is(partitions(dev), before, "and no longer when they are closed");
}

static void no_files_left(int dev)
{
	uint32_t before = partitions(dev);
	struct rlimit old, low;
	int fd;

	getrlimit(RLIMIT_NOFILE, &old);
	low = old;
	low.rlim_cur = dev + 1;
	setrlimit(RLIMIT_NOFILE, &low);
	fd = ov_partition(dev, "none");
	setrlimit(RLIMIT_NOFILE, &old);
	tap_is(-fd, EMFILE, "no file descriptor free");
	tap_is(partitions(dev), before, "and no partition is left behind");
}

static void outlives(int dev)
{
	uint32_t before = partitions(dev);
	int part = ov_partition(dev, "vp keeps it"), vp = ov_vp(part, 0), stats;
	struct ovid_reg r;

	close(part);
	tap_is(partitions(dev), before + 1, "a VP's file keeps the partition");
	r = ov_get128(vp, HV_X64_REGISTER_RIP);
	tap_is(r.low, 0xfff0, "and works");
	stats = ov_ioctl(vp, OVID_GET_STATS_FD, NULL);
	close(vp);
	tap_is(partitions(dev), before + 1, "so does a statistics file");
	tap_ok(ov_stat(stats, "exits") >= 0, "and works");
	close(stats);
	tap_is(partitions(dev), before, "gone with the last file");
}

static void control(int dev)
{
	struct ovid_partition_ctrl good = { .size = sizeof(good), .op = OVID_CTRL_PAUSE };
	int part = ov_partition(dev, "control"), vp = ov_vp(part, 0);

	tap_ok(ov_ctrl(part, OVID_CTRL_RESET) < 0, "reset without pause is refused");
	ov_size_rules(part, "OVID_PARTITION_CTRL", OVID_PARTITION_CTRL, &good, sizeof(good), NULL);
	ov_field_fails(part, "OVID_PARTITION_CTRL", OVID_PARTITION_CTRL, &good, sizeof(good),
		       8, 0, 4, EINVAL);
	ov_field_fails(part, "OVID_PARTITION_CTRL", OVID_PARTITION_CTRL, &good, sizeof(good),
		       8, 77, 4, EINVAL);
	ov_field_fails(part, "OVID_PARTITION_CTRL", OVID_PARTITION_CTRL, &good, sizeof(good),
		       12, 1, 4, EINVAL);
	ov_set(vp, HV_X64_REGISTER_RBX, 0x1234);
	tap_is(ov_ctrl(part, OVID_CTRL_RESET), 0, "reset while paused");
	tap_is(ov_get(vp, HV_X64_REGISTER_RBX), 0, "clears registers");
	tap_is(ov_get(vp, HV_X64_REGISTER_RIP), 0xfff0, "RIP is at the reset vector");
	tap_is(ov_ctrl(part, OVID_CTRL_RESUME), 0, "resume");
	tap_is(ov_ctrl(part, OVID_CTRL_PAUSE), 0, "pause");
	tap_is(ov_ctrl(part, OVID_CTRL_RESUME), 0, "resume");
	close(vp);
	close(part);
}

static void property_rules(int dev)
{
	struct ovid_property good = {
		.size = sizeof(good), .code = HV_PARTITION_PROPERTY_PHYSICAL_ADDRESS_WIDTH,
	};
	struct ovid_property time = {
		.size = sizeof(time), .code = HV_PARTITION_PROPERTY_TIME_FREEZE, .value = 1,
	};
	int part = ov_partition(dev, "properties");
	struct ovid_info i;
	uint64_t v, w;

	ov_info(dev, &i);
	ov_size_rules(part, "OVID_GET_PROPERTY", OVID_GET_PROPERTY, &good, sizeof(good), NULL);
	ov_field_fails(part, "OVID_GET_PROPERTY", OVID_GET_PROPERTY, &good, sizeof(good), 12, 1, 4,
		       EINVAL);
	ov_size_rules(part, "OVID_SET_PROPERTY", OVID_SET_PROPERTY, &time, sizeof(time), NULL);
	tap_ok(ov_property(part, 0x00012345, &v) < 0, "an unknown property");
	tap_ok(ov_set_property(part, 0x00012345, 0) < 0, "an unknown property, to set");
	tap_is(ov_property(part, HV_PARTITION_PROPERTY_PHYSICAL_ADDRESS_WIDTH, &v), 0, "width");
	tap_is(v, i.phys_bits, "equals OVID_GET_INFO's");
	tap_is(ov_property(part, HV_PARTITION_PROPERTY_PROCESSOR_VENDOR, &v), 0, "vendor");
	tap_is(v, 1, "Intel");
	tap_is(ov_property(part, HV_PARTITION_PROPERTY_PROCESSOR_CLOCK_FREQUENCY, &v), 0, "clock");
	tap_ok(v > 1000000, "processor clock %llu Hz", (long long)v);
	tap_is(ov_property(part, HV_PARTITION_PROPERTY_MAX_XSAVE_DATA_SIZE, &v), 0, "XSAVE size");
	tap_ok(v >= 576 && v <= 16384, "XSAVE size %llu", (long long)v);
	tap_is(ov_property(part, HV_PARTITION_PROPERTY_XSAVE_STATES, &v), 0, "XSAVE states");
	tap_is(v & 3, 3, "x87 and SSE are among them");
	tap_is(ov_set_property(part, HV_PARTITION_PROPERTY_TIME_FREEZE, 2), -EINVAL,
	       "time freeze takes 0 and 1");
	tap_is(ov_set_property(part, HV_PARTITION_PROPERTY_TIME_FREEZE, 1), 0, "freeze");
	tap_is(ov_property(part, HV_PARTITION_PROPERTY_REFERENCE_TIME, &v), 0, "reference time");
	ov_sleep_ms(20);
	ov_property(part, HV_PARTITION_PROPERTY_REFERENCE_TIME, &w);
	tap_is(w, v, "time stands still while frozen");
	tap_is(ov_set_property(part, HV_PARTITION_PROPERTY_REFERENCE_TIME, 12345678), 0, "set it");
	ov_property(part, HV_PARTITION_PROPERTY_REFERENCE_TIME, &w);
	tap_is(w, 12345678, "reads back while frozen");
	tap_is(ov_set_property(part, HV_PARTITION_PROPERTY_TIME_FREEZE, 0), 0, "thaw");
	ov_sleep_ms(20);
	ov_property(part, HV_PARTITION_PROPERTY_REFERENCE_TIME, &w);
	tap_ok(w >= 12345678 + 150000 && w < 12345678 + 10000000,
	       "time goes on from there: %lld", (long long)w - 12345678);
	tap_ok(ov_set_property(part, HV_PARTITION_PROPERTY_PHYSICAL_ADDRESS_WIDTH, 40) < 0,
	       "a property that cannot be set");
	close(part);
}

static void initialize_is_idempotent(int dev)
{
	int part = ov_partition(dev, "init");

	tap_is(ov_ioctl(part, MSHV_INITIALIZE_PARTITION, NULL), 0, "INITIALIZE on a native one");
	tap_is(ov_ioctl(part, MSHV_INITIALIZE_PARTITION, NULL), 0, "twice");
	close(part);
}

int main(void)
{
	int dev;

	tap_begin("abi-partition", TAP_LIMIT);
	dev = ov_open();
	creation(dev);
	no_files_left(dev);
	outlives(dev);
	control(dev);
	property_rules(dev);
	initialize_is_idempotent(dev);
	close(dev);
	return tap_done();
}
