// SPDX-License-Identifier: GPL-2.0-only
/* ic.c - `ovid shutdown`, `heartbeat`, `timesync`, `freeze` and `thaw`. */
#include <stdio.h>
#include <unistd.h>

#include "../lib/ctl.h"
#include "lent.h"

/* ---- shutdown ---------------------------------------------------------------------- */

struct shutdown {
	u32 action, flags, timeout;
	const char *message;
	bool wait;
};

static const struct option shutdown_options[] = {
	{ "reboot",	no_argument,		NULL, 'r' },
	{ "hibernate",	no_argument,		NULL, 'H' },
	{ "force",	no_argument,		NULL, 'f' },
	{ "message",	required_argument,	NULL, 'm' },
	{ "timeout",	required_argument,	NULL, 't' },
	{ "wait",	no_argument,		NULL, 'w' },
	ASK_JSON, ASK_HELP, { 0 }
};

static int shutdown_option(void *ctx, int opt, const char *arg, struct failure *why)
{
	struct shutdown *s = ctx;

	switch (opt) {
	case 'r':
	case 'H':
		if (s->action)
			return fail(why, OVID_X_USAGE, "--reboot or --hibernate, not both");
		s->action = opt == 'r' ? OVID_IC_REBOOT : OVID_IC_HIBERNATE;
		return 0;
	case 'f':
		s->flags |= OVID_IC_FORCE;
		return 0;
	case 'm':
		s->message = arg;
		return 0;
	case 't':
		return ask_number("--timeout", arg, 1, 86400, &s->timeout, why);
	default:
		s->wait = true;
		return 0;
	}
}

static int shutdown_parse(struct shutdown *s, struct ask *ask, int argc, char **argv,
			  struct failure *why)
{
	int ret = ask_parse(ask, argc, argv, shutdown_options, shutdown_option, s, why);

	if (ret || ask->help)
		return ret;
	if (s->wait && s->action == OVID_IC_REBOOT)
		return fail(why, OVID_X_USAGE, "--wait is for the VM's end, and --reboot is none");
	return ask_words(ask, 1, 0, why);
}

/* The question was put before, so that the answer is not missed. */
static int await_end(struct lent *l, const struct shutdown *s, struct json_object **end,
		     struct failure *why)
{
	bool late;

	ctl_set_patience(l->vm, s->timeout);
	*end = ctl_answer(l->vm, NULL, NULL, why);
	late = !*end && errno == EAGAIN;
	if (late)
		return fail(why, OVID_X_HOST,
			    "%s has not ended in %u s, and goes on; see its console, or `ovid kill`",
			    l->name, s->timeout);
	return *end ? 0 : ctl_end_read(l->name, end, why);
}

static int do_shutdown(struct lent *l, const struct shutdown *s, struct json_object **end,
		       struct failure *why)
{
	int ret = lent_ready(l, NULL, why);

	if (ret)
		return lent_result(l, ret, why);
	if (s->wait)
		ctl_tell(l->vm, "wait");
	ret = ic_shutdown(&l->ic, s->action, s->flags, s->timeout, s->message, why);
	/* one that is off has had no time to say that it will be */
	if (ret && s->action != OVID_IC_REBOOT && lent_vm_ended(l)) {
		why->text[0] = 0;
		ret = 0;
	}
	if (!ret && s->wait)
		return await_end(l, s, end, why);
	return lent_result(l, ret, why);
}

/* as `ovid wait` does */
static int report_end(const struct ask *ask, struct json_object *end)
{
	struct json_object *field;
	int status = OVID_X_HOST;

	if (json_object_object_get_ex(end, "status", &field))
		status = json_object_get_int(field) & 0xff;
	if (!ask->json && json_object_object_get_ex(end, "text", &field) &&
	    json_object_get_string_len(field))
		fprintf(stderr, "ovid: %s\n", json_object_get_string(field));
	if (ask->json)
		ask_print(end);
	else
		json_object_put(end);
	return status;
}

int cli_shutdown(int argc, char **argv)
{
	struct shutdown s = { .message = "" };
	struct json_object *end = NULL;
	struct failure why = { "" };
	struct ask ask;
	struct lent l;
	int ret = shutdown_parse(&s, &ask, argc, argv, &why);

	if (ret || ask.help)
		return cli_fail(ret, &why);
	ret = lent_open(&l, ask.name, "shutdown", false, &why);
	if (ret)
		return cli_fail(ret, &why);
	ret = do_shutdown(&l, &s, &end, &why);
	lent_close(&l);
	if (end)
		return report_end(&ask, end);
	if (!ret)
		ask_done(&ask);
	return cli_fail(ret, &why);
}

/* ---- heartbeat --------------------------------------------------------------------- */

static const struct option heartbeat_options[] = {
	{ "watch",	no_argument,	NULL, 'w' },
	ASK_JSON, ASK_HELP, { 0 }
};

struct heartbeat {
	struct ovid_ic_state state;
	struct ovid_ic_heartbeat pulse;
};

static int heartbeat_option(void *ctx, int opt, const char *arg, struct failure *why)
{
	bool *watch = ctx;

	(void)opt, (void)arg, (void)why;
	*watch = true;
	return 0;
}

static const char *word(const char *const *words, size_t nr, u32 n)
{
	return n < nr ? words[n] : "?";
}

#define WORD(words, n)	word(words, ARRAY_SIZE(words), n)

static const char *pulse_word(u32 pulse)
{
	static const char *const words[] = { "no contact", "alive", "lost" };

	return WORD(words, pulse);
}

static const char *health_word(u32 health)
{
	static const char *const words[] = { "unknown", "healthy", "critical", "stopped" };

	return WORD(words, health);
}

static const char *guest_word(u32 guest)
{
	static const char *const words[] = { "closed", "negotiating", "ready", "no version" };

	return WORD(words, guest);
}

/* Why there is none is no failure here, but what is to be told. */
static int heartbeat_ask(struct lent *l, struct heartbeat *h, struct failure *why)
{
	union ic_record rec;
	int ret;

	ic_prepare(&rec, OVID_IC_STATE);
	ret = ic_do(&l->ic, &rec, "heartbeat", why);
	if (ret)
		return ret;
	h->state = rec.state;
	ic_prepare(&rec, OVID_IC_HEARTBEAT);
	ret = ic_do(&l->ic, &rec, "heartbeat", why);
	if (!ret)
		h->pulse = rec.heartbeat;
	return ret;
}

static void heartbeat_json(const struct heartbeat *h)
{
	struct json_object *o = json_object_new_object();
	bool heard = h->pulse.age != ~0ull;

	json_object_object_add(o, "pulse", json_object_new_string(pulse_word(h->pulse.pulse)));
	json_object_object_add(o, "guest", json_object_new_string(guest_word(h->state.guest)));
	json_object_object_add(o, "health", json_object_new_string(health_word(h->pulse.guest)));
	json_object_object_add(o, "sent", json_object_new_int64(h->pulse.sent));
	json_object_object_add(o, "answered", json_object_new_int64(h->pulse.answered));
	json_object_object_add(o, "age_ns", heard ? json_object_new_int64(h->pulse.age) : NULL);
	ask_print(o);
}

static void heartbeat_print(const struct heartbeat *h, bool json)
{
	if (json) {
		heartbeat_json(h);
	} else {
		printf("%s (guest %s, health %s; %llu of %llu answered", pulse_word(h->pulse.pulse),
		       guest_word(h->state.guest), health_word(h->pulse.guest),
		       (unsigned long long)h->pulse.answered, (unsigned long long)h->pulse.sent);
		if (h->pulse.age != ~0ull)
			printf(", the last %.1f s ago", h->pulse.age / 1e9);
		printf(")\n");
	}
	fflush(stdout);
}

/* A line for each change, until the VM ends. */
static int heartbeat_watch(struct lent *l, struct heartbeat *h, bool json, struct failure *why)
{
	struct heartbeat was = *h;
	int ret;

	for (;;) {
		ret = ic_wait(&l->ic);
		while (!ret)
			ret = ic_receive(&l->ic);	/* what is new, is asked for below */
		if (ret == -EAGAIN)
			ret = heartbeat_ask(l, h, why);
		else
			fail_text(why, "heartbeat: %s", strerror(-ret));
		if (ret && lent_vm_ended(l)) {
			why->text[0] = 0;
			return 0;
		}
		if (ret)
			return -OVID_X_HOST;
		if (h->pulse.pulse != was.pulse.pulse || h->pulse.guest != was.pulse.guest ||
		    h->state.guest != was.state.guest)
			heartbeat_print(h, json);
		was = *h;
	}
}

static int heartbeat_once(struct lent *l, const struct heartbeat *h, struct failure *why)
{
	if (h->pulse.pulse == OVID_IC_ALIVE)
		return 0;
	if (h->state.guest != OVID_IC_READY)
		return lent_ready(l, NULL, why);
	return fail(why, OVID_X_HOST, "%s: the guest %s", l->name,
		    h->pulse.pulse == OVID_IC_LOST ? "does not answer any more" :
						     "has not answered yet; try again");
}

int cli_heartbeat(int argc, char **argv)
{
	struct failure why = { "" };
	struct heartbeat h;
	bool watch = false;
	struct ask ask;
	struct lent l;
	int ret = ask_parse(&ask, argc, argv, heartbeat_options, heartbeat_option, &watch, &why);

	if (!ret && !ask.help)
		ret = ask_words(&ask, 1, 0, &why);
	if (ret || ask.help)
		return cli_fail(ret, &why);
	ret = lent_open(&l, ask.name, "heartbeat", false, &why);
	if (ret)
		return cli_fail(ret, &why);
	ret = lent_result(&l, heartbeat_ask(&l, &h, &why), &why);
	if (!ret) {
		heartbeat_print(&h, ask.json);
		ret = watch ? heartbeat_watch(&l, &h, ask.json, &why) :
			      heartbeat_once(&l, &h, &why);
	}
	lent_close(&l);
	return cli_fail(ret, &why);
}

/* ---- timesync ---------------------------------------------------------------------- */

struct timesync {
	u32 flags;
	int automatic;		/* -1: not asked for */
};

static const struct option timesync_options[] = {
	{ "sample",	no_argument,		NULL, 's' },
	{ "auto",	required_argument,	NULL, 'a' },
	ASK_JSON, ASK_HELP, { 0 }
};

static int timesync_option(void *ctx, int opt, const char *arg, struct failure *why)
{
	struct timesync *t = ctx;

	if (opt == 's')
		t->flags = OVID_IC_SAMPLE;
	else if (!strcmp(arg, "on") || !strcmp(arg, "off"))
		t->automatic = !strcmp(arg, "on");
	else
		return fail(why, OVID_X_USAGE, "--auto %s: give on or off", arg);
	if (t->flags == OVID_IC_SAMPLE && t->automatic >= 0)
		return fail(why, OVID_X_USAGE, "--sample or --auto, not both");
	return 0;
}

static int do_timesync(struct lent *l, const struct timesync *t, struct failure *why)
{
	union ic_record rec;
	int ret = 0;

	if (t->automatic >= 0) {
		ic_prepare(&rec, OVID_IC_TIMESYNC_AUTO);
		rec.timesync_auto.on = t->automatic;
	} else {
		ret = lent_ready(l, NULL, why);
		ic_prepare(&rec, OVID_IC_TIMESYNC);
		rec.timesync.flags = t->flags;
	}
	return ret ?: ic_do(&l->ic, &rec, "timesync", why);
}

int cli_timesync(int argc, char **argv)
{
	struct timesync t = { .flags = OVID_IC_SYNC, .automatic = -1 };
	struct failure why = { "" };
	struct ask ask;
	struct lent l;
	int ret = ask_parse(&ask, argc, argv, timesync_options, timesync_option, &t, &why);

	if (!ret && !ask.help)
		ret = ask_words(&ask, 1, 0, &why);
	if (ret || ask.help)
		return cli_fail(ret, &why);
	ret = lent_open(&l, ask.name, "timesync", false, &why);
	if (ret)
		return cli_fail(ret, &why);
	ret = lent_result(&l, do_timesync(&l, &t, &why), &why);
	lent_close(&l);
	if (!ret)
		ask_done(&ask);
	return cli_fail(ret, &why);
}

/* ---- freeze, thaw ------------------------------------------------------------------ */

static const struct option freeze_options[] = {
	{ "check",	no_argument,	NULL, 'c' },
	ASK_JSON, ASK_HELP, { 0 }
};

static const struct option thaw_options[] = { ASK_JSON, ASK_HELP, { 0 } };

static int freeze_option(void *ctx, int opt, const char *arg, struct failure *why)
{
	bool *check = ctx;

	(void)opt, (void)arg, (void)why;
	*check = true;
	return 0;
}

static int freeze_check(struct lent *l, bool json, struct failure *why)
{
	struct json_object *msg;
	union ic_record rec;
	int ret;

	ic_prepare(&rec, OVID_IC_VSS_CHECK);
	ret = ic_do(&l->ic, &rec, "freeze --check", why);
	if (ret)
		return ret;
	if (!json) {
		printf("%s: the guest can be frozen (flags 0x%x)\n", l->name, rec.vss_check.flags);
		return 0;
	}
	msg = json_object_new_object();
	json_object_object_add(msg, "ok", json_object_new_boolean(true));
	json_object_object_add(msg, "flags", json_object_new_int64(rec.vss_check.flags));
	ask_print(msg);
	return 0;
}

int cli_freeze(int argc, char **argv)
{
	bool thaw = !strcmp(argv[0], "thaw"), check = false;
	struct failure why = { "" };
	struct ask ask;
	struct lent l;
	int ret = ask_parse(&ask, argc, argv, thaw ? thaw_options : freeze_options, freeze_option,
			    &check, &why);

	if (!ret && !ask.help)
		ret = ask_words(&ask, 1, 0, &why);
	if (ret || ask.help)
		return cli_fail(ret, &why);
	ret = lent_open(&l, ask.name, "vss", !thaw && !check, &why);
	if (ret)
		return cli_fail(ret, &why);
	ret = lent_ready(&l, NULL, &why);
	if (!ret && check)
		ret = freeze_check(&l, ask.json, &why);
	else if (!ret)
		ret = thaw ? ic_thaw(&l.ic, &why) : ic_freeze(&l.ic, &why);
	ret = lent_result(&l, ret, &why);
	lent_close(&l);
	if (ret == -OVID_X_STOPPED)
		fail_text(&why, "freeze: stopped; what the guest has frozen it thaws");
	if (!ret && !check)
		ask_done(&ask);
	return cli_fail(ret, &why);
}
