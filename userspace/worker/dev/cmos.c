// SPDX-License-Identifier: GPL-2.0-only
#include <string.h>
#include <time.h>

#include "../gmem.h"
#include "cmos.h"

#define PORT_INDEX	0x70
#define PORT_DATA	0x71

#define REG_A		0x0a
#define REG_B		0x0b
#define REG_C		0x0c
#define REG_D		0x0d
#define REG_CENTURY	0x32
#define A_UPDATING	0x80
#define B_24H		0x02
#define B_BINARY	0x04
#define D_VALID		0x80

/* the last 244 us of a second are when the real chip says "do not read" */
#define UPDATE_NS	(1000000000 - 244000)

static u8 as_digits(const struct cmos *cmos, unsigned int n)
{
	return cmos->ram[REG_B] & B_BINARY ? n : n / 10 << 4 | n % 10;
}

static u8 as_hour(const struct cmos *cmos, unsigned int hour)
{
	if (cmos->ram[REG_B] & B_24H)
		return as_digits(cmos, hour);
	return as_digits(cmos, hour % 12 ? hour % 12 : 12) | (hour >= 12 ? 0x80 : 0);
}

/* Not gmtime_r(): it reads files, and the sandbox has none. */
static void civil_time(u64 seconds, struct tm *tm)
{
	u64 days = seconds / 86400, second = seconds % 86400;
	/* days since 1 March of year 0: leap days come last in each year, era, century */
	u64 z = days + 719468, era = z / 146097, doe = z % 146097;
	u64 yoe = (doe - doe / 1460 + doe / 36524 - doe / 146096) / 365;
	u64 doy = doe - (365 * yoe + yoe / 4 - yoe / 100), mp = (5 * doy + 2) / 153;

	*tm = (struct tm){
		.tm_sec = second % 60, .tm_min = second / 60 % 60, .tm_hour = second / 3600,
		.tm_wday = (days + 4) % 7, .tm_mday = doy - (153 * mp + 2) / 5 + 1,
		.tm_mon = mp < 10 ? mp + 2 : mp - 10,
	};
	tm->tm_year = yoe + era * 400 + (tm->tm_mon < 2) - 1900;
}

static u8 read_register(const struct cmos *cmos)
{
	struct timespec now;
	struct tm tm;

	clock_gettime(CLOCK_REALTIME, &now);
	civil_time(now.tv_sec, &tm);
	switch (cmos->index) {
	case 0x00:
		return as_digits(cmos, tm.tm_sec);
	case 0x02:
		return as_digits(cmos, tm.tm_min);
	case 0x04:
		return as_hour(cmos, tm.tm_hour);
	case 0x06:
		return as_digits(cmos, tm.tm_wday + 1);
	case 0x07:
		return as_digits(cmos, tm.tm_mday);
	case 0x08:
		return as_digits(cmos, tm.tm_mon + 1);
	case 0x09:
		return as_digits(cmos, tm.tm_year % 100);
	case REG_CENTURY:
		return as_digits(cmos, (tm.tm_year + 1900) / 100);
	case REG_A:
		return (cmos->ram[REG_A] & ~A_UPDATING) |
		       (now.tv_nsec >= UPDATE_NS ? A_UPDATING : 0);
	default:
		return cmos->ram[cmos->index];
	}
}

static u64 cmos_read(void *dev, u64 port, unsigned int size)
{
	struct cmos *cmos = dev;
	u8 value;

	(void)size;
	if (port == PORT_INDEX)
		return 0xff;
	pthread_mutex_lock(&cmos->lock);
	value = read_register(cmos);
	pthread_mutex_unlock(&cmos->lock);
	return value;
}

static void cmos_write(void *dev, u64 port, u64 value, unsigned int size)
{
	struct cmos *cmos = dev;

	(void)size;
	pthread_mutex_lock(&cmos->lock);
	if (port == PORT_INDEX)
		cmos->index = value & 0x7f;
	else if (cmos->index != REG_C && cmos->index != REG_D)
		cmos->ram[cmos->index] = value;
	pthread_mutex_unlock(&cmos->lock);
}

static void put16(struct cmos *cmos, unsigned int reg, u64 value)
{
	value = min_u64(value, 0xffff);
	cmos->ram[reg] = value;
	cmos->ram[reg + 1] = value >> 8;
}

/* Where a PC's firmware leaves memory sizes, for kernels that look there. */
void cmos_init(struct cmos *cmos, u64 memory)
{
	u64 low = min_u64(memory, GMEM_LOW_END), high = memory - low;
	u64 above_1m = low > BIT(20) ? low - BIT(20) : 0;
	u64 above_16m = low > 16 * BIT(20) ? low - 16 * BIT(20) : 0;

	memset(cmos, 0, sizeof(*cmos));
	pthread_mutex_init(&cmos->lock, NULL);
	cmos->ram[REG_A] = 0x26;
	cmos->ram[REG_B] = B_24H;
	cmos->ram[REG_D] = D_VALID;
	put16(cmos, 0x15, 640);
	put16(cmos, 0x17, above_1m >> 10);
	put16(cmos, 0x30, above_1m >> 10);
	put16(cmos, 0x34, above_16m >> 16);
	cmos->ram[0x5b] = high >> 16;
	cmos->ram[0x5c] = high >> 24;
	cmos->ram[0x5d] = high >> 32;
}

int cmos_add_to(struct cmos *cmos, struct bus *ports)
{
	return bus_add(ports, &(struct bus_range){
		.first = PORT_INDEX, .last = PORT_DATA, .width = 1,
		.read = cmos_read, .write = cmos_write, .dev = cmos,
	});
}
