// SPDX-License-Identifier: GPL-2.0-only
/*
 * net_live.c - `ovid net-attach`, `net-detach`, `net-link`, `net-move`, `net-forward` and `net-list`:
 * the network cards of a VM that runs.  Their ends are opened here, with the caller's rights, and
 * handed to the VM.
 */
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "../lib/ctl.h"
#include "live.h"
#include "run.h"

static const struct option plain_options[] = { ASK_JSON, ASK_HELP, { 0 } };

/* A command line of @nr words; 1: there is nothing more to do. */
static int parse(struct ask *ask, int argc, char **argv, unsigned int nr, struct failure *why)
{
	int ret = ask_parse(ask, argc, argv, plain_options, NULL, NULL, why);

	if (!ret && !ask->help)
		ret = ask_words(ask, nr, 0, why);
	return ret ?: ask->help;
}

/* the card that is meant */
static int add_nic(struct json_object *question, const char *text, struct failure *why)
{
	u32 nic;
	int ret = ask_number("network card", text, 0, NETS_MAX - 1, &nic, why);

	if (!ret)
		live_add(question, "nic", nic);
	return ret;
}

/* ---- ends ---- */

struct end {
	struct net_words words;
	struct net_config config;
	int file;
};

static void add_end(struct json_object *question, const struct end *end)
{
	live_add(question, "kind", end->config.kind);
	json_object_object_add(question, "end", json_object_new_string(end->config.end));
	json_object_object_add(question, "ifname", json_object_new_string(end->config.ifname));
	json_object_object_add(question, "bridge", json_object_new_string(end->config.bridge));
	live_add(question, "vlan", end->config.vlan);
}

/* An interface is made by the channel's file, which the VM lends. */
static int make_interface(int vm, const struct end *end, long long nic, struct failure *why)
{
	struct json_object *question = ctl_question("net-file"), *answer;
	unsigned int nr = 1;
	int net = -1, ret;

	live_add(question, "nic", nic);
	answer = ctl_put(vm, question, -1, &net, &nr, why);
	if (!answer)
		return -OVID_X_HOST;
	json_object_put(answer);
	if (nr != 1)
		return fail(why, OVID_X_HOST, "the VM sent no file; do tools and VM belong together?");
	ret = net_make_interface(end->words.option, &end->config, net, why);
	close(net);
	return ret;
}

static void close_end(const struct end *end)
{
	if (end->file >= 0)
		close(end->file);
}

/* ---- net-attach ---- */

static struct json_object *attach_question(const struct end *end)
{
	const struct net_config *c = &end->config;
	struct json_object *q = ctl_question("net-attach");
	u64 mac = 0;

	for (unsigned int i = 0; i < 6; i++)
		mac = mac << 8 | c->mac[i];
	add_end(q, end);
	live_add(q, "mac", mac);
	json_object_object_add(q, "mac_of_first", json_object_new_boolean(!end->words.has_mac));
	live_add(q, "queues", c->queues);
	live_add(q, "mtu", c->mtu);
	json_object_object_add(q, "guard", json_object_new_boolean(c->guard));
	json_object_object_add(q, "link_down", json_object_new_boolean(c->link_down));
	return q;
}

/* a card whose interface could not be made is none that was asked for */
static void take_back(int vm, struct json_object *card)
{
	struct json_object *question = ctl_question("net-detach");
	struct failure ignored;

	live_add(question, "nic", live_number(card, "nic"));
	json_object_put(ctl_put(vm, question, -1, NULL, NULL, &ignored));
}

static int attach(int vm, struct end *end, struct json_object **answer, struct failure *why)
{
	int ret = net_open(&end->words, &end->config, &end->file, why);

	if (ret)
		return ret;
	*answer = ctl_put(vm, attach_question(end), end->file, NULL, NULL, why);
	close_end(end);
	ret = *answer ? 0 : -OVID_X_HOST;
	if (!ret && net_has_interface(&end->config))
		ret = make_interface(vm, end, live_number(*answer, "nic"), why);
	if (ret && *answer) {
		take_back(vm, *answer);
		json_object_put(*answer);
		*answer = NULL;
	}
	return ret;
}

int cli_net_attach(int argc, char **argv)
{
	struct json_object *answer = NULL;
	struct failure why = { "" };
	struct end end = { .file = -1 };
	struct ask ask;
	int vm, ret = parse(&ask, argc, argv, 2, &why);

	if (!ret)
		ret = net_parse("net-attach", &end.words, &end.config, (char *)ask.word[1], &why);
	if (ret)
		return cli_fail(ret < 0 ? ret : 0, &why);
	vm = ctl_connect(ask.name, &why);
	if (vm < 0)
		return cli_fail(vm, &why);
	if (!end.words.has_mac)
		net_mac(ask.name, 0, end.config.mac);
	ret = attach(vm, &end, &answer, &why);
	close(vm);
	if (answer && !ask.json)
		printf("%lld\n", live_number(answer, "nic"));
	if (answer)
		live_tell(&ask, answer);
	return cli_fail(ret, &why);
}

/* ---- net-move ---- */

static int move(const struct ask *ask, struct end *end, struct json_object **answer,
		struct failure *why)
{
	struct json_object *question = ctl_question("net-move");
	int vm, ret = add_nic(question, ask->word[1], why);

	vm = ret ? ret : ctl_connect(ask->name, why);
	if (vm < 0) {
		json_object_put(question);
		return vm;
	}
	ret = net_open(&end->words, &end->config, &end->file, why);
	if (!ret && net_has_interface(&end->config))
		ret = make_interface(vm, end, live_number(question, "nic"), why);
	if (!ret) {
		add_end(question, end);
		*answer = ctl_put(vm, question, end->file, NULL, NULL, why);
		ret = *answer ? 0 : -OVID_X_HOST;
	} else {
		json_object_put(question);
	}
	close_end(end);
	close(vm);
	return ret;
}

int cli_net_move(int argc, char **argv)
{
	struct json_object *answer = NULL;
	struct failure why = { "" };
	struct end end = { .file = -1 };
	struct ask ask;
	int ret = parse(&ask, argc, argv, 3, &why);

	if (!ret)
		ret = net_parse("net-move", &end.words, &end.config, (char *)ask.word[2], &why);
	if (!ret && end.words.of_card)
		ret = fail(&why, OVID_X_USAGE,
			   "net-move: \"%s\" belongs to the card, which stays as it is",
			   end.words.of_card);
	if (ret)
		return cli_fail(ret < 0 ? ret : 0, &why);
	ret = move(&ask, &end, &answer, &why);
	if (answer)
		live_tell(&ask, answer);
	return cli_fail(ret, &why);
}

/* ---- net-detach, net-link ---- */

int cli_net_detach(int argc, char **argv)
{
	struct json_object *question, *answer;
	struct failure why = { "" };
	struct ask ask;
	int ret = parse(&ask, argc, argv, 2, &why);

	if (ret)
		return cli_fail(ret < 0 ? ret : 0, &why);
	question = ctl_question("net-detach");
	ret = add_nic(question, ask.word[1], &why);
	if (ret) {
		json_object_put(question);
		return cli_fail(ret, &why);
	}
	answer = live_put(ask.name, question, NULL, 0, &why, &ret);
	if (answer)
		live_tell(&ask, answer);
	return cli_fail(ret, &why);
}

int cli_net_link(int argc, char **argv)
{
	struct json_object *question, *answer;
	struct failure why = { "" };
	struct ask ask;
	bool up = false;
	int ret = parse(&ask, argc, argv, 3, &why);

	if (!ret) {
		up = !strcmp(ask.word[2], "up");
		if (!up && strcmp(ask.word[2], "down"))
			ret = fail(&why, OVID_X_USAGE, "%s: give up or down", ask.word[2]);
	}
	if (ret)
		return cli_fail(ret < 0 ? ret : 0, &why);
	question = ctl_question("net-link");
	ret = add_nic(question, ask.word[1], &why);
	if (ret) {
		json_object_put(question);
		return cli_fail(ret, &why);
	}
	json_object_object_add(question, "up", json_object_new_boolean(up));
	answer = live_put(ask.name, question, NULL, 0, &why, &ret);
	if (answer)
		live_tell(&ask, answer);
	return cli_fail(ret, &why);
}

/* ---- net-forward ---- */

static const struct option forward_options[] = {
	{ "remove",	no_argument,	NULL, 'r' },
	ASK_JSON, ASK_HELP, { 0 }
};

static int forward_option(void *ctx, int opt, const char *arg, struct failure *why)
{
	(void)opt, (void)arg, (void)why;
	*(bool *)ctx = true;
	return 0;
}

/* the socket of the card's process, or -status */
static int find_process(const struct ask *ask, struct failure *why)
{
	struct json_object *question = ctl_question("net-process"), *answer = NULL;
	int process = -1, vm, ret = add_nic(question, ask->word[1], why);
	unsigned int nr = 1;

	vm = ret ? ret : ctl_connect(ask->name, why);
	if (vm < 0) {
		json_object_put(question);
		return vm;
	}
	answer = ctl_put(vm, question, -1, &process, &nr, why);
	close(vm);
	if (!answer)
		return -OVID_X_HOST;
	json_object_put(answer);
	return nr == 1 ? process :
	       fail(why, OVID_X_HOST, "%s sent no file; do tools and VM belong together?", ask->name);
}

int cli_net_forward(int argc, char **argv)
{
	struct slirp_order order = { .what = SLIRP_FORWARD };
	struct failure why = { "" };
	bool goes = false;
	struct ask ask;
	int process, ret = ask_parse(&ask, argc, argv, forward_options, forward_option, &goes, &why);

	if (!ret && !ask.help)
		ret = ask_words(&ask, 3, 0, &why);
	if (ret || ask.help)
		return cli_fail(ret, &why);
	if (goes)
		order.what = SLIRP_UNFORWARD;
	ret = net_parse_forward("net-forward", &order.forward, (char *)ask.word[2], goes, &why);
	process = ret ? ret : find_process(&ask, &why);
	if (process < 0)
		return cli_fail(process, &why);
	ret = slirp_order(process, &order, &why);
	close(process);
	if (!ret)
		ask_done(&ask);
	return cli_fail(ret, &why);
}

/* ---- net-list ---- */

/* what the guest does with it, as far as the host knows */
static const char *state_of(struct json_object *card)
{
	if (live_number(card, "gone"))
		return "no end";
	if (!live_number(card, "link"))
		return "no link";
	if (live_number(card, "up"))
		return "up";
	return live_number(card, "ready") ? "down" : "no driver";
}

static void print_card(struct json_object *card)
{
	const char *ifname = live_text(card, "ifname");

	printf("%-2lld %s %-9s rx %lld tx %lld  %s", live_number(card, "nic"),
	       live_text(card, "mac"), state_of(card), live_number(card, "rx_bytes"),
	       live_number(card, "tx_bytes"), live_text(card, "end"));
	if (*ifname && !strstr(live_text(card, "end"), ifname))
		printf(" (%s)", ifname);
	putchar('\n');
}

/* one answer for each card */
static int collect(int vm, struct json_object *all, struct failure *why)
{
	struct json_object *question, *card, *field;
	long long from = 0;

	for (;;) {
		question = ctl_question("net-next");
		live_add(question, "from", from);
		card = ctl_put(vm, question, -1, NULL, NULL, why);
		if (!card)
			return -OVID_X_HOST;
		if (!json_object_object_get_ex(card, "nic", &field)) {
			json_object_put(card);
			return 0;
		}
		from = live_number(card, "nic") + 1;
		json_object_object_del(card, "ok");
		json_object_array_add(all, card);
	}
}

int cli_net_list(int argc, char **argv)
{
	struct failure why = { "" };
	struct json_object *all;
	struct ask ask;
	int vm, ret = parse(&ask, argc, argv, 1, &why);

	if (ret)
		return cli_fail(ret < 0 ? ret : 0, &why);
	vm = ctl_connect(ask.name, &why);
	if (vm < 0)
		return cli_fail(vm, &why);
	all = json_object_new_array();
	ret = collect(vm, all, &why);
	close(vm);
	if (!ret && ask.json) {
		ask_print(all);
		return 0;
	}
	for (size_t i = 0; !ret && i < json_object_array_length(all); i++)
		print_card(json_object_array_get_idx(all, i));
	json_object_put(all);
	return cli_fail(ret, &why);
}
