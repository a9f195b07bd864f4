// SPDX-License-Identifier: GPL-2.0-only
#include <string.h>
#include <time.h>

#include "../clock.h"
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
#define A_RATE		0x0f
#define B_24H		0x02
#define B_BINARY	0x04
#define B_SQUARE_WAVE	0x08
#define B_SET		0x80	/* the guest sets the clock: no updates */
#define D_VALID		0x80

/* enables in register B, flags in register C */
#define INT_UPDATE	0x10
#define INT_ALARM	0x20
#define INT_PERIODIC	0x40
#define INT_ALL		(INT_UPDATE | INT_ALARM | INT_PERIODIC)
#define C_INTERRUPT	0x80

#define ALARM_ANY	0xc0	/* these bits in an alarm register: every value matches */
#define LOOK_AHEAD	60	/* seconds: an alarm beyond is looked for again then */
#define DAY		86400u

/* the last 244 us of a second are when the real chip says "do not read" */
#define UPDATE_NS	(NSEC_PER_SEC - 244000)

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

/* --- flags and interrupts ---------------------------------------------------- */

static bool alarm_matches(const struct cmos *cmos, u64 second)
{
	u8 at[3] = {
		as_digits(cmos, second % 60), as_digits(cmos, second / 60 % 60),
		as_hour(cmos, second / 3600 % 24),
	};

	for (unsigned int i = 0; i < 3; i++) {
		u8 want = cmos->ram[1 + 2 * i];

		if ((want & ALARM_ANY) != ALARM_ANY && want != at[i])
			return false;
	}
	return true;
}

/* 32768 Hz divided by a power of two; 0: off */
static u64 period(const struct cmos *cmos)
{
	unsigned int rate = cmos->ram[REG_A] & A_RATE;

	if (!rate)
		return 0;
	return (NSEC_PER_SEC << ((rate < 3 ? rate + 7 : rate) - 1)) >> 15;
}

static u8 flags_since(const struct cmos *cmos, u64 now)
{
	u64 from = cmos->seen / NSEC_PER_SEC, to = now / NSEC_PER_SEC, step = period(cmos);
	u8 flags = 0;

	if (now < cmos->seen)	/* the host's clock was set */
		return 0;
	if (step && now / step != cmos->seen / step)
		flags |= INT_PERIODIC;
	if ((cmos->ram[REG_B] & B_SET) || from == to)
		return flags;
	if (to - from > DAY)	/* the alarm comes each day */
		from = to - DAY;
	while (from++ < to)
		if (alarm_matches(cmos, from))
			return flags | INT_UPDATE | INT_ALARM;
	return flags | INT_UPDATE;
}

/* Nanoseconds until a flag of @wanted comes up, or a reason to look again. */
static u64 next_flag(const struct cmos *cmos, u64 now, u8 wanted)
{
	u64 step = period(cmos), second = NSEC_PER_SEC - now % NSEC_PER_SEC, delay = ~0ull;

	if ((wanted & INT_PERIODIC) && step)
		delay = step - now % step;
	if (cmos->ram[REG_B] & B_SET)
		wanted = 0;
	if (wanted & INT_UPDATE)
		delay = min_u64(delay, second);
	if (wanted & INT_ALARM) {
		unsigned int ahead = 0;

		while (ahead < LOOK_AHEAD &&
		       !alarm_matches(cmos, now / NSEC_PER_SEC + 1 + ahead))
			ahead++;
		delay = min_u64(delay, second + ahead * NSEC_PER_SEC);
	}
	return delay;
}

/* Brings register C, the line and the timer to where they are at @now. */
static void settle(struct cmos *cmos, u64 now)
{
	u8 enabled = cmos->ram[REG_B] & INT_ALL;
	u64 delay = 0;
	bool up;

	cmos->ram[REG_C] |= flags_since(cmos, now);
	cmos->seen = now;
	up = cmos->ram[REG_C] & enabled;
	cmos->ram[REG_C] = (cmos->ram[REG_C] & INT_ALL) | (up ? C_INTERRUPT : 0);
	irq_set(cmos->irqs, IRQ_RTC, up);
	/* a line that is up interrupts no more until register C was read */
	if (enabled && !up)
		delay = next_flag(cmos, now, enabled);
	cmos->arm(cmos->arg, delay == ~0ull ? 0 : delay);
}

void cmos_tick(struct cmos *cmos)
{
	pthread_mutex_lock(&cmos->lock);
	settle(cmos, cmos->now());
	pthread_mutex_unlock(&cmos->lock);
}

/* --- registers ----------------------------------------------------------------- */

static u8 read_flags(struct cmos *cmos, u64 now)
{
	u8 flags;

	settle(cmos, now);
	flags = cmos->ram[REG_C];
	cmos->ram[REG_C] = 0;
	settle(cmos, now);
	return flags;
}

static u8 read_register(struct cmos *cmos)
{
	u64 now = cmos->now();
	struct tm tm;

	civil_time(now / NSEC_PER_SEC, &tm);
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
		       (now % NSEC_PER_SEC >= UPDATE_NS && !(cmos->ram[REG_B] & B_SET) ?
			A_UPDATING : 0);
	case REG_C:
		return read_flags(cmos, now);
	default:
		return cmos->ram[cmos->index];
	}
}

static void write_register(struct cmos *cmos, u8 value)
{
	u64 now = cmos->now();

	switch (cmos->index) {
	case REG_C:
	case REG_D:
		return;
	case REG_B:
		if (value & B_SET)
			value &= ~INT_UPDATE;
		break;
	case 0x01:
	case 0x03:
	case 0x05:
	case REG_A:
		break;
	default:
		cmos->ram[cmos->index] = value;
		return;
	}
	/* what was until now goes by the old settings */
	settle(cmos, now);
	cmos->ram[cmos->index] = value;
	settle(cmos, now);
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
	else
		write_register(cmos, value);
	pthread_mutex_unlock(&cmos->lock);
}

static void put16(struct cmos *cmos, unsigned int reg, u64 value)
{
	value = min_u64(value, 0xffff);
	cmos->ram[reg] = value;
	cmos->ram[reg + 1] = value >> 8;
}

static u64 wall_clock(void)
{
	struct timespec now;

	clock_gettime(CLOCK_REALTIME, &now);
	return (u64)now.tv_sec * NSEC_PER_SEC + (u64)now.tv_nsec;
}

/* Memory and time outlive it. */
void cmos_reset(struct cmos *cmos)
{
	pthread_mutex_lock(&cmos->lock);
	cmos->ram[REG_B] &= ~(INT_ALL | B_SQUARE_WAVE);
	cmos->ram[REG_C] = 0;
	cmos->seen = cmos->now();
	settle(cmos, cmos->seen);
	pthread_mutex_unlock(&cmos->lock);
}

/* Where a PC's firmware leaves memory sizes, for kernels that look there. */
void cmos_init(struct cmos *cmos, u64 memory, struct irqs *irqs,
	       void (*arm)(void *arg, u64 delay), void *arg)
{
	u64 low = min_u64(memory, GMEM_LOW_END), high = memory - low;
	u64 above_1m = low > BIT(20) ? low - BIT(20) : 0;
	u64 above_16m = low > 16 * BIT(20) ? low - 16 * BIT(20) : 0;

	memset(cmos, 0, sizeof(*cmos));
	pthread_mutex_init(&cmos->lock, NULL);
	cmos->irqs = irqs;
	cmos->now = wall_clock;
	cmos->arm = arm;
	cmos->arg = arg;
	cmos->seen = cmos->now();
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
