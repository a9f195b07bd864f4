// SPDX-License-Identifier: GPL-2.0-only
/* kvp.c - `ovid kvp`: pairs of key and value that host and guest have for one another. */
#include <stdio.h>
#include <unistd.h>

#include "lent.h"

#define MAX_PAIRS	4096	/* of a pool: a guest may pretend to have more */
#define ALL_POOLS	(~0u)

static const char *const pools[] = {
	[OVID_IC_POOL_EXTERNAL] = "external",
	[OVID_IC_POOL_GUEST] = "guest",
	[OVID_IC_POOL_AUTO] = "auto",
	[OVID_IC_POOL_AUTO_EXTERNAL] = "auto-external",
	[OVID_IC_POOL_AUTO_INTERNAL] = "auto-internal",
};

struct kvp {
	struct ask ask;
	struct lent l;
	u32 pool;
	const char *key, *value;
	struct ovid_ic_kvp found;
	struct json_object *list;	/* with --json */
	unsigned int pairs;
	struct failure *why;
};

static const struct option options[] = {
	{ "pool",	required_argument,	NULL, 'p' },
	ASK_JSON, ASK_HELP, { 0 }
};

static int take_option(void *ctx, int opt, const char *arg, struct failure *why)
{
	struct kvp *k = ctx;

	(void)opt;
	for (k->pool = 0; k->pool < ARRAY_SIZE(pools); k->pool++)
		if (!strcmp(arg, pools[k->pool]))
			return 0;
	return fail(why, OVID_X_USAGE,
		    "--pool %s: give external, guest, auto, auto-external or auto-internal", arg);
}

static struct json_object *pair_json(const struct ovid_ic_kvp *pair)
{
	struct json_object *o = json_object_new_object(), *value;

	if (pair->type == OVID_IC_TEXT)
		value = json_object_new_string(pair->value);
	else
		value = json_object_new_uint64(pair->number);
	json_object_object_add(o, "pool", json_object_new_string(pools[pair->pool]));
	json_object_object_add(o, "key", json_object_new_string(pair->key));
	json_object_object_add(o, "value", value);
	return o;
}

static void print_value(const struct ovid_ic_kvp *pair)
{
	if (pair->type == OVID_IC_TEXT)
		print_guest_text(pair->value);
	else
		printf("%llu", (unsigned long long)pair->number);
	printf("\n");
}

static int too_many(struct kvp *k)
{
	return fail(k->why, OVID_X_HOST, "kvp: the guest has more than %u pairs", MAX_PAIRS);
}

/* ---- get, set, delete ------------------------------------------------------------ */

static int compare(void *ctx, const struct ovid_ic_kvp *pair)
{
	struct kvp *k = ctx;

	if (++k->pairs > MAX_PAIRS)
		return too_many(k);
	if (strcmp(pair->key, k->key))
		return 0;
	k->found = *pair;
	return 1;
}

/*
 * By a look at all: a guest's Linux only enumerates what it says of itself, and answers
 * a question for one value of another pool with an empty one (hv_kvp_daemon copies as many
 * bytes as the kernel has left unsaid).
 */
static int find(struct kvp *k)
{
	int ret = ic_kvp_list(&k->l.ic, k->pool, compare, k, k->why);

	if (!ret)
		return fail(k->why, OVID_X_HOST, "%s: there is no such key", k->key);
	return ret == 1 ? 0 : ret;
}

static int kvp_get(struct kvp *k)
{
	int ret = find(k);

	if (ret)
		return ret;
	k->found.pool = k->pool;
	if (k->ask.json)
		ask_print(pair_json(&k->found));
	else
		print_value(&k->found);
	return 0;
}

static int kvp_set(struct kvp *k)
{
	int ret = ic_kvp_set(&k->l.ic, k->pool, k->key, k->value, k->why);

	if (!ret)
		ask_done(&k->ask);
	return ret;
}

static int kvp_delete(struct kvp *k)
{
	int ret = ic_kvp_delete(&k->l.ic, k->pool, k->key, k->why);

	if (!ret)
		ask_done(&k->ask);
	return ret;
}

/* ---- list ---------------------------------------------------------------------- */

static int list_pair(void *ctx, const struct ovid_ic_kvp *pair)
{
	struct kvp *k = ctx;

	if (++k->pairs > MAX_PAIRS)
		return too_many(k);
	if (k->list) {
		json_object_array_add(k->list, pair_json(pair));
		return 0;
	}
	printf("%-13s ", pools[pair->pool]);
	print_guest_text(pair->key);
	printf(" = ");
	print_value(pair);
	return 0;
}

static int list_pool(struct kvp *k, u32 pool)
{
	k->pairs = 0;
	return ic_kvp_list(&k->l.ic, pool, list_pair, k, k->why);
}

static int kvp_list(struct kvp *k)
{
	int ret = 0;

	if (k->ask.json)
		k->list = json_object_new_array();
	/* the other two are what the host says, in what Linux does not keep */
	for (u32 pool = 0; k->pool == ALL_POOLS && pool <= OVID_IC_POOL_AUTO && !ret; pool++)
		ret = list_pool(k, pool);
	if (k->pool != ALL_POOLS)
		ret = list_pool(k, k->pool);
	if (!k->list)
		return ret;
	if (!ret)
		ask_print(k->list);
	else
		json_object_put(k->list);
	return ret;
}

/* ---- ip -------------------------------------------------------------------------- */

static void add_text(struct json_object *o, const char *key, const char *text)
{
	json_object_object_add(o, key, json_object_new_string(text));
}

static void print_adapter(const struct ovid_ic_kvp_ip *ip)
{
	const struct { const char *name, *text; } lines[] = {
		{ "address", ip->address }, { "netmask", ip->netmask },
		{ "gateway", ip->gateway }, { "dns", ip->dns },
	};

	for (size_t i = 0; i < ARRAY_SIZE(lines); i++) {
		printf("%-8s ", lines[i].name);
		print_guest_text(lines[i].text);
		printf("\n");
	}
	printf("%-8s %s\n", "dhcp", ip->dhcp ? "yes" : "no");
}

static int adapter(struct kvp *k)
{
	struct ovid_ic_kvp_ip ip;
	struct json_object *o;
	int ret = ic_kvp_get_ip(&k->l.ic, k->key, &ip, k->why);

	if (ret)
		return ret;
	if (!k->ask.json) {
		print_adapter(&ip);
		return 0;
	}
	o = json_object_new_object();
	add_text(o, "address", ip.address);
	add_text(o, "netmask", ip.netmask);
	add_text(o, "gateway", ip.gateway);
	add_text(o, "dns", ip.dns);
	json_object_object_add(o, "dhcp", json_object_new_boolean(ip.dhcp));
	ask_print(o);
	return 0;
}

/* one a line */
static void print_addresses(const char *text)
{
	char one[OVID_IC_VALUE_LEN];
	size_t len;

	for (; *text; text += len + (text[len] == ';')) {
		len = strcspn(text, ";");
		if (!len)
			continue;
		memcpy(one, text, len);
		one[len] = 0;
		print_guest_text(one);
		printf("\n");
	}
}

static int list_address(void *ctx, const struct ovid_ic_kvp *pair)
{
	struct kvp *k = ctx;

	if (++k->pairs > MAX_PAIRS)
		return too_many(k);
	if (strncmp(pair->key, "NetworkAddressIPv", 17) || pair->type != OVID_IC_TEXT)
		return 0;
	if (k->list)
		add_text(k->list, pair->key, pair->value);
	else
		print_addresses(pair->value);
	return 0;
}

/* Without an adapter: all that the guest says it has. */
static int kvp_ip(struct kvp *k)
{
	int ret;

	if (k->key)
		return adapter(k);
	if (k->ask.json)
		k->list = json_object_new_object();
	ret = ic_kvp_list(&k->l.ic, OVID_IC_POOL_AUTO, list_address, k, k->why);
	if (!ret && k->list)
		ask_print(k->list);
	else
		json_object_put(k->list);
	return ret;
}

/* ---------------------------------------------------------------------------------- */

static const struct action {
	const char *name;
	unsigned int words;	/* itself and the VM among them */
	u32 pool;		/* without --pool */
	int (*run)(struct kvp *k);
} actions[] = {
	{ "get",	3, OVID_IC_POOL_EXTERNAL,	kvp_get },
	{ "set",	4, OVID_IC_POOL_EXTERNAL,	kvp_set },
	{ "delete",	3, OVID_IC_POOL_EXTERNAL,	kvp_delete },
	{ "list",	2, ALL_POOLS,			kvp_list },
	{ "ip",		2, OVID_IC_POOL_AUTO,		kvp_ip },
};

static int parse(struct kvp *k, int argc, char **argv, const struct action **action)
{
	unsigned int words;
	int ret;

	k->pool = ARRAY_SIZE(pools);
	ret = ask_parse(&k->ask, argc, argv, options, take_option, k, k->why);
	if (ret || k->ask.help)
		return ret;
	if (!k->ask.nr)
		return fail(k->why, OVID_X_USAGE,
			    "ovid kvp: give get, set, delete, list or ip; see `ovid kvp --help`");
	for (*action = actions; strcmp(k->ask.word[0], (*action)->name); (*action)++)
		if (*action == &actions[ARRAY_SIZE(actions) - 1])
			return fail(k->why, OVID_X_USAGE,
				    "ovid kvp %s: give get, set, delete, list or ip", k->ask.word[0]);
	if (k->pool == ARRAY_SIZE(pools))
		k->pool = (*action)->pool;
	else if ((*action)->run == kvp_ip)
		return fail(k->why, OVID_X_USAGE, "ovid kvp ip has no --pool");
	words = (*action)->words + ((*action)->run == kvp_ip && k->ask.nr == 3);
	k->key = words > 2 ? k->ask.word[2] : NULL;
	k->value = words > 3 ? k->ask.word[3] : NULL;
	return ask_words(&k->ask, words, 1, k->why);
}

int cli_kvp(int argc, char **argv)
{
	const struct action *action;
	struct failure why = { "" };
	struct kvp k = { .why = &why };
	int ret = parse(&k, argc, argv, &action);

	if (ret || k.ask.help)
		return cli_fail(ret, &why);
	ret = lent_open(&k.l, k.ask.name, "kvp", false, &why);
	if (ret)
		return cli_fail(ret, &why);
	ret = lent_ready(&k.l, NULL, &why);
	if (!ret)
		ret = action->run(&k);
	ret = lent_result(&k.l, ret, &why);
	lent_close(&k.l);
	return cli_fail(ret, &why);
}
