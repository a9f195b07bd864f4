// SPDX-License-Identifier: GPL-2.0-only
/*
 * Runs the registered suites and prints TAP; one test point a case.
 * Exit status 0 if all passed.  An argument runs only cases whose
 * "suite.case" contains it.
 */
#include "kunit_host.h"

static struct kunit_suite *suites;

void kunit_host_register(struct kunit_suite *suite)
{
	struct kunit_suite **p = &suites;

	while (*p && strcmp((*p)->name, suite->name) < 0)
		p = &(*p)->next;
	suite->next = *p;
	*p = suite;
}

void kunit_host_fail(struct kunit *test, const char *file, int line, const char *fmt, ...)
{
	va_list ap;

	if (test->failures++ >= KUNIT_HOST_MAX_REPORTS)
		return;
	printf("# %s: %s:%d: ", test->name, file, line);
	va_start(ap, fmt);
	vprintf(fmt, ap);
	va_end(ap);
	printf("\n");
}

void *kunit_host_alloc(struct kunit *test, size_t size)
{
	void *p = NULL;

	if (test->nr_allocs < KUNIT_HOST_MAX_ALLOCS)
		p = calloc(1, size);
	if (p)
		test->allocs[test->nr_allocs++] = p;
	return p;
}

static void run_one(struct kunit *test, struct kunit_suite *suite, struct kunit_case *c)
{
	if (!setjmp(test->end)) {
		if (suite->init && suite->init(test))
			KUNIT_FAIL(test, "init failed");
		else
			c->run_case(test);
	}
	if (suite->exit)
		suite->exit(test);
	while (test->nr_allocs)
		free(test->allocs[--test->nr_allocs]);
}

int main(int argc, char **argv)
{
	unsigned int nr = 0, failed = 0;
	struct kunit_suite *suite;
	struct kunit_case *c;

	setvbuf(stdout, NULL, _IOLBF, 0);
	printf("TAP version 13\n");
	for (suite = suites; suite; suite = suite->next) {
		for (c = suite->test_cases; c->run_case; c++) {
			struct kunit *test = calloc(1, sizeof(*test));
			char name[160];

			snprintf(name, sizeof(name), "%s.%s", suite->name, c->name);
			if (!test || (argc > 1 && !strstr(name, argv[1]))) {
				free(test);
				continue;
			}
			test->name = name;
			run_one(test, suite, c);
			failed += !!test->failures;
			printf("%sok %u - %s%s\n", test->failures ? "not " : "", ++nr,
			       name, test->skipped ? " # SKIP" : "");
			free(test);
		}
	}
	printf("1..%u\n", nr);
	return failed || !nr;
}
