/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The part of KUnit that our tests use, mapped onto a userspace program that
 * prints TAP.  A failed expectation is reported with file and line and the
 * case goes on; a failed assertion ends the case.
 *
 * One test file is one suite: kunit_test_suite() registers it before main().
 */
#ifndef OVID_KUNIT_HOST_H
#define OVID_KUNIT_HOST_H

#include <linux/types.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define KUNIT_HOST_MAX_ALLOCS	128
#define KUNIT_HOST_MAX_REPORTS	10	/* failed lines printed for one case */

struct kunit {
	const char *name;
	void *priv;
	unsigned int failures;
	bool skipped;
	jmp_buf end;
	void *allocs[KUNIT_HOST_MAX_ALLOCS];
	unsigned int nr_allocs;
};

struct kunit_case {
	void (*run_case)(struct kunit *test);
	const char *name;
};

struct kunit_suite {
	const char name[64];
	int (*init)(struct kunit *test);
	void (*exit)(struct kunit *test);
	struct kunit_case *test_cases;
	struct kunit_suite *next;
};

void kunit_host_register(struct kunit_suite *suite);
void kunit_host_fail(struct kunit *test, const char *file, int line, const char *fmt, ...)
	__attribute__((format(printf, 4, 5)));
void *kunit_host_alloc(struct kunit *test, size_t size);

#define KUNIT_CASE(fn)		{ .run_case = fn, .name = #fn }

#define kunit_test_suite(suite)						\
	static void __attribute__((constructor)) suite##_register(void)	\
	{								\
		kunit_host_register(&suite);				\
	}

#define __printf(fmt, args)	__attribute__((__format__(__printf__, fmt, args)))

#define GFP_KERNEL		0
#define kunit_kzalloc(test, size, gfp)	kunit_host_alloc(test, size)
#define kunit_kmalloc(test, size, gfp)	kunit_host_alloc(test, size)
#define kunit_kcalloc(test, n, size, gfp) kunit_host_alloc(test, (size_t)(n) * (size))

#define kunit_info(test, fmt, ...)	printf("# " fmt, ##__VA_ARGS__)
#define kunit_skip(test, fmt, ...)	do {				\
	(test)->skipped = true;						\
	longjmp((test)->end, 1);					\
} while (0)

#define MODULE_LICENSE(x)	struct kunit_host_unused
#define MODULE_DESCRIPTION(x)	struct kunit_host_unused

/* @end: what follows a failure */
#define KUNIT_HOST_CMP(test, a, op, b, end, fmt, ...) do {		\
	__typeof__(a) __a = (a);					\
	__typeof__(b) __b = (b);					\
	if (!(__a op __b)) {						\
		kunit_host_fail(test, __FILE__, __LINE__,		\
			"%s %s %s: %llx, %llx " fmt, #a, #op, #b,	\
			(unsigned long long)__a, (unsigned long long)__b, \
			##__VA_ARGS__);					\
		end;							\
	}								\
} while (0)

#define KUNIT_HOST_TRUE(test, c, end, fmt, ...) do {			\
	if (!(c)) {							\
		kunit_host_fail(test, __FILE__, __LINE__, "%s " fmt, #c, \
				##__VA_ARGS__);				\
		end;							\
	}								\
} while (0)

#define KUNIT_HOST_GO		((void)0)
#define KUNIT_HOST_STOP(test)	longjmp((test)->end, 1)

#define KUNIT_EXPECT_EQ_MSG(t, a, b, ...) KUNIT_HOST_CMP(t, a, ==, b, KUNIT_HOST_GO, __VA_ARGS__)
#define KUNIT_EXPECT_NE_MSG(t, a, b, ...) KUNIT_HOST_CMP(t, a, !=, b, KUNIT_HOST_GO, __VA_ARGS__)
#define KUNIT_EXPECT_LT_MSG(t, a, b, ...) KUNIT_HOST_CMP(t, a, <, b, KUNIT_HOST_GO, __VA_ARGS__)
#define KUNIT_EXPECT_LE_MSG(t, a, b, ...) KUNIT_HOST_CMP(t, a, <=, b, KUNIT_HOST_GO, __VA_ARGS__)
#define KUNIT_EXPECT_GT_MSG(t, a, b, ...) KUNIT_HOST_CMP(t, a, >, b, KUNIT_HOST_GO, __VA_ARGS__)
#define KUNIT_EXPECT_GE_MSG(t, a, b, ...) KUNIT_HOST_CMP(t, a, >=, b, KUNIT_HOST_GO, __VA_ARGS__)
#define KUNIT_EXPECT_TRUE_MSG(t, c, ...)  KUNIT_HOST_TRUE(t, c, KUNIT_HOST_GO, __VA_ARGS__)
#define KUNIT_EXPECT_FALSE_MSG(t, c, ...) KUNIT_HOST_TRUE(t, !(c), KUNIT_HOST_GO, __VA_ARGS__)

#define KUNIT_EXPECT_EQ(t, a, b)	KUNIT_EXPECT_EQ_MSG(t, a, b, "")
#define KUNIT_EXPECT_NE(t, a, b)	KUNIT_EXPECT_NE_MSG(t, a, b, "")
#define KUNIT_EXPECT_LT(t, a, b)	KUNIT_EXPECT_LT_MSG(t, a, b, "")
#define KUNIT_EXPECT_LE(t, a, b)	KUNIT_EXPECT_LE_MSG(t, a, b, "")
#define KUNIT_EXPECT_GT(t, a, b)	KUNIT_EXPECT_GT_MSG(t, a, b, "")
#define KUNIT_EXPECT_GE(t, a, b)	KUNIT_EXPECT_GE_MSG(t, a, b, "")
#define KUNIT_EXPECT_TRUE(t, c)		KUNIT_EXPECT_TRUE_MSG(t, c, "")
#define KUNIT_EXPECT_FALSE(t, c)	KUNIT_EXPECT_FALSE_MSG(t, c, "")
#define KUNIT_EXPECT_NULL(t, p)		KUNIT_EXPECT_TRUE(t, !(p))
#define KUNIT_EXPECT_NOT_NULL(t, p)	KUNIT_EXPECT_TRUE(t, !!(p))
#define KUNIT_EXPECT_PTR_EQ(t, a, b)	KUNIT_EXPECT_TRUE(t, (a) == (b))
#define KUNIT_EXPECT_STREQ(t, a, b)	\
	KUNIT_EXPECT_TRUE_MSG(t, !strcmp(a, b), "\"%s\" \"%s\"", a, b)
#define KUNIT_EXPECT_MEMEQ(t, a, b, n)	KUNIT_EXPECT_TRUE(t, !memcmp(a, b, n))
#define KUNIT_FAIL(t, ...)		kunit_host_fail(t, __FILE__, __LINE__, __VA_ARGS__)

#define KUNIT_ASSERT_EQ_MSG(t, a, b, ...) \
	KUNIT_HOST_CMP(t, a, ==, b, KUNIT_HOST_STOP(t), __VA_ARGS__)
#define KUNIT_ASSERT_TRUE_MSG(t, c, ...) KUNIT_HOST_TRUE(t, c, KUNIT_HOST_STOP(t), __VA_ARGS__)
#define KUNIT_ASSERT_EQ(t, a, b)	KUNIT_ASSERT_EQ_MSG(t, a, b, "")
#define KUNIT_ASSERT_NE(t, a, b)	KUNIT_HOST_CMP(t, a, !=, b, KUNIT_HOST_STOP(t), "")
#define KUNIT_ASSERT_TRUE(t, c)		KUNIT_ASSERT_TRUE_MSG(t, c, "")
#define KUNIT_ASSERT_FALSE(t, c)	KUNIT_ASSERT_TRUE_MSG(t, !(c), "")
#define KUNIT_ASSERT_NOT_NULL(t, p)	KUNIT_ASSERT_TRUE(t, !!(p))

#endif
