// SPDX-License-Identifier: GPL-2.0-only
/* ip.c - `ovid ip`: the addresses that a guest says it has. */
#include <arpa/inet.h>
#include <stdio.h>
#include <time.h>
#include <unistd.h>

#include "../lib/ctl.h"
#include "../lib/ic.h"
#include "lent.h"

#define WAIT_SECONDS	60u	/* if nobody says another time */
#define MAX_PAIRS	65536	/* that a guest may say that it has */
#define NO_ADDRESS	"%s: the guest has no address yet; --wait waits for one"

static const struct option options[] = {
	{ "wait",	optional_argument,	NULL, 'w' },
	ASK_JSON, ASK_HELP, { 0 }
};

/**
 * struct addresses - what the guest says
 * @of: lists of texts, of IPv4 and of IPv6
 * @reachable: there is one by which it is reached from elsewhere
 * @pairs: that it has said
 */
struct addresses {
	struct json_object *of[2];
	bool reachable;
	unsigned int pairs;
	struct failure *why;
};

static int take_option(void *ctx, int opt, const char *arg, struct failure *why)
{
	u32 *seconds = ctx;

	(void)opt;
	*seconds = WAIT_SECONDS;
	return arg ? ask_number("--wait", arg, 1, 86400, seconds, why) : 0;
}

/* not of the guest alone, nor of a link alone */
static bool is_reachable(const char *text)
{
	struct in6_addr six;
	struct in_addr four;

	if (inet_pton(AF_INET, text, &four) == 1)
		return ntohl(four.s_addr) >> 24 != 127 && ntohl(four.s_addr) >> 16 != 0xa9fe;
	return inet_pton(AF_INET6, text, &six) == 1 && !IN6_IS_ADDR_LOOPBACK(&six) &&
	       !IN6_IS_ADDR_LINKLOCAL(&six);
}

static void add_all(struct addresses *a, unsigned int which, const char *text)
{
	char one[INET6_ADDRSTRLEN];
	size_t len;

	for (; *text; text += len + (text[len] == ';')) {
		len = strcspn(text, ";");
		if (!len || len >= sizeof(one))
			continue;
		memcpy(one, text, len);
		one[len] = 0;
		json_object_array_add(a->of[which], json_object_new_string(one));
		a->reachable |= is_reachable(one);
	}
}

static int take_pair(void *ctx, const struct ovid_ic_kvp *pair)
{
	struct addresses *a = ctx;

	if (++a->pairs > MAX_PAIRS)
		return fail(a->why, OVID_X_HOST, "the guest has more than %u pairs", MAX_PAIRS);
	if (pair->type != OVID_IC_TEXT)
		return 0;
	if (!strcmp(pair->key, "NetworkAddressIPv4"))
		add_all(a, 0, pair->value);
	else if (!strcmp(pair->key, "NetworkAddressIPv6"))
		add_all(a, 1, pair->value);
	return 0;
}

static void addresses_free(struct addresses *a)
{
	json_object_put(a->of[0]);
	json_object_put(a->of[1]);
}

/* 0, or -status and @why, as if nobody had asked */
static int ask_guest(const char *name, struct addresses *a, struct failure *why)
{
	struct lent l;
	int ret = lent_open(&l, name, "kvp", false, why);

	*a = (struct addresses){ .why = why };
	if (ret)
		return ret;
	a->of[0] = json_object_new_array();
	a->of[1] = json_object_new_array();
	ret = lent_ready(&l, NULL, why);
	if (!ret)
		ret = ic_kvp_list(&l.ic, OVID_IC_POOL_AUTO, take_pair, a, why);
	ret = lent_result(&l, ret, why);
	lent_close(&l);
	if (!ret && !json_object_array_length(a->of[0]) && !json_object_array_length(a->of[1]))
		ret = fail(why, OVID_X_HOST, NO_ADDRESS, name);
	if (ret)
		addresses_free(a);
	return ret;
}

static long long now_s(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return t.tv_sec;
}

/* Once, or until there is an address by which it is reached. */
static int find(const char *name, u32 seconds, struct addresses *a, struct failure *why)
{
	const long long end = now_s() + seconds;
	int ret;

	for (;;) {
		ret = ask_guest(name, a, why);
		if (!ret && (!seconds || a->reachable))
			return 0;
		/* there is no such VM, or no more time */
		if (ret == -OVID_X_USAGE || now_s() >= end)
			break;
		if (!ret)
			addresses_free(a);
		sleep(1);
	}
	if (ret)
		return ret;
	addresses_free(a);
	return fail(why, OVID_X_HOST, "%s: the guest has only addresses of its own link", name);
}

static void print(struct addresses *a)
{
	for (unsigned int which = 0; which < 2; which++)
		for (size_t i = 0; i < json_object_array_length(a->of[which]); i++) {
			struct json_object *one = json_object_array_get_idx(a->of[which], i);

			print_guest_text(json_object_get_string(one));
			putchar('\n');
		}
}

int cli_ip(int argc, char **argv)
{
	struct failure why = { "" };
	struct json_object *msg;
	struct addresses a;
	u32 seconds = 0;
	struct ask ask;
	int ret = ask_parse(&ask, argc, argv, options, take_option, &seconds, &why);

	if (!ret && !ask.help)
		ret = ask_words(&ask, 1, 0, &why);
	if (!ret && !ask.help)
		ret = find(ask.name, seconds, &a, &why);
	if (ret || ask.help)
		return cli_fail(ret, &why);
	if (!ask.json) {
		print(&a);
		addresses_free(&a);
		return 0;
	}
	msg = json_object_new_object();
	json_object_object_add(msg, "ipv4", a.of[0]);
	json_object_object_add(msg, "ipv6", a.of[1]);
	ask_print(msg);
	return 0;
}
