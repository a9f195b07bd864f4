// SPDX-License-Identifier: GPL-2.0-only
#include <ctype.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/epoll.h>
#include <sys/random.h>
#include <sys/signalfd.h>
#include <unistd.h>

#include "../lib/ctl.h"
#include "lent.h"

/* ---- command lines ---------------------------------------------------------------- */

static int bad_option(const struct ask *ask, int opt, const char *arg, struct failure *why)
{
	return fail(why, OVID_X_USAGE, "%s %s; see `ovid %s --help`", arg,
		    opt == ':' ? "lacks its value" : "is no option here", ask->verb);
}

static int next_option(struct ask *ask, int opt, const char *word,
		       int (*take)(void *ctx, int opt, const char *arg, struct failure *why),
		       void *ctx, struct failure *why)
{
	switch (opt) {
	case 'j':
		ask->json = true;
		return 0;
	case 'h':
		ask->help = true;
		return 0;
	case ':':
	case '?':
		return bad_option(ask, opt, word, why);
	default:
		return take(ctx, opt, optarg, why);
	}
}

int ask_parse(struct ask *ask, int argc, char **argv, const struct option *options,
	      int (*take)(void *ctx, int opt, const char *arg, struct failure *why), void *ctx,
	      struct failure *why)
{
	int opt, ret = 0;

	*ask = (struct ask){ .verb = argv[0] };
	opterr = 0;
	optind = 1;
	while (!ret && (opt = getopt_long(argc, argv, ":h", options, NULL)) != -1)
		ret = next_option(ask, opt, argv[optind - 1], take, ctx, why);
	if (ret)
		return ret;
	if (ask->help) {
		cli_help(ask->verb);
		return 0;
	}
	for (; optind < argc; optind++) {
		if (ask->nr == ASK_MAX_WORDS)
			return fail(why, OVID_X_USAGE, "%s: unexpected; see `ovid %s --help`",
				    argv[optind], ask->verb);
		ask->word[ask->nr++] = argv[optind];
	}
	return 0;
}

int ask_words(struct ask *ask, unsigned int nr, unsigned int name_at, struct failure *why)
{
	if (ask->nr <= name_at)
		return fail(why, OVID_X_USAGE, "ovid %s: which VM? see `ovid list`", ask->verb);
	if (ask->nr < nr)
		return fail(why, OVID_X_USAGE, "ovid %s: a word is missing; see `ovid %s --help`",
			    ask->verb, ask->verb);
	if (ask->nr > nr)
		return fail(why, OVID_X_USAGE, "%s: unexpected; see `ovid %s --help`",
			    ask->word[nr], ask->verb);
	ask->name = ask->word[name_at];
	if (!ctl_name_ok(ask->name))
		return fail(why, OVID_X_USAGE, "no VM is called %s (see `ovid list`)", ask->name);
	return 0;
}

int ask_number(const char *option, const char *text, u32 min, u32 max, u32 *number,
	       struct failure *why)
{
	unsigned long n;
	char *end;

	errno = 0;
	n = strtoul(text, &end, 10);
	if (errno || !isdigit((unsigned char)*text) || *end || n < min || n > max)
		return fail(why, OVID_X_USAGE, "%s %s: give a number from %u to %u", option, text,
			    min, max);
	*number = n;
	return 0;
}

void ask_print(struct json_object *msg)
{
	puts(json_object_to_json_string_ext(msg, JSON_C_TO_STRING_PLAIN |
					    JSON_C_TO_STRING_NOSLASHESCAPE));
	json_object_put(msg);
}

void ask_done(const struct ask *ask)
{
	struct json_object *msg;

	if (!ask->json)
		return;
	msg = json_object_new_object();
	json_object_object_add(msg, "ok", json_object_new_boolean(true));
	ask_print(msg);
}

void print_guest_text(const char *text)
{
	for (; *text; text++) {
		unsigned char c = *text, next = text[1];

		if (c < ' ' || c == 0x7f) {
			printf("\\x%02x", c);
		} else if (c == 0xc2 && next >= 0x80 && next < 0xa0) {	/* U+0080 to U+009F */
			printf("\\x%02x", next);
			text++;
		} else {
			putchar(c);
		}
	}
}

/* ---- the file --------------------------------------------------------------------- */

static int watch(struct lent *l, int fd, u32 events)
{
	struct epoll_event ev = { .events = events, .data.fd = fd };

	return epoll_ctl(l->stop, EPOLL_CTL_ADD, fd, &ev);
}

/* Those that are ignored, as by nohup, stay so. */
static int catch_signals(struct lent *l)
{
	static const int signals[] = { SIGINT, SIGTERM, SIGHUP };
	struct sigaction old;
	sigset_t set;

	sigemptyset(&set);
	for (size_t i = 0; i < ARRAY_SIZE(signals); i++)
		if (!sigaction(signals[i], NULL, &old) && old.sa_handler != SIG_IGN)
			sigaddset(&set, signals[i]);
	sigprocmask(SIG_BLOCK, &set, NULL);
	l->signals = signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK);
	return l->signals < 0 ? -1 : watch(l, l->signals, EPOLLIN);
}

static int borrow(struct lent *l, struct failure *why)
{
	unsigned int nr = 1;
	struct json_object *answer = ctl_ask(l->vm, l->component, &l->file, &nr, why);

	if (!answer)
		return -OVID_X_HOST;
	json_object_put(answer);
	if (nr != 1) {
		l->file = -1;
		return fail(why, OVID_X_HOST, "%s sent no file; do tools and VM belong together?",
			    l->name);
	}
	return 0;
}

/* Answers to whoever had the file before us may still come: our numbers are not theirs. */
static int begin(struct lent *l)
{
	int err = ic_begin(&l->ic, l->file);
	u64 id;

	if (err)
		return err;
	if (getrandom(&id, sizeof(id), 0) != sizeof(id))
		return -errno;
	l->ic.last_id = id >> 1;
	l->ic.stop = l->stop;
	return 0;
}

int lent_open(struct lent *l, const char *name, const char *component, bool tidy,
	      struct failure *why)
{
	int ret;

	*l = (struct lent){
		.name = name, .component = component, .file = -1, .stop = -1, .signals = -1,
	};
	l->vm = ctl_connect(name, why);
	if (l->vm < 0)
		return l->vm;
	ret = borrow(l, why);
	if (!ret) {
		l->stop = epoll_create1(EPOLL_CLOEXEC);
		if (l->stop < 0 || watch(l, l->vm, EPOLLRDHUP) || (tidy && catch_signals(l)))
			ret = -errno;
		if (!ret)
			ret = begin(l);
		if (ret)
			ret = fail(why, OVID_X_HOST, "cannot ask %s: %s", name, strerror(-ret));
	}
	if (ret)
		lent_close(l);
	return ret;
}

void lent_close(struct lent *l)
{
	const int fds[] = { l->file, l->stop, l->signals, l->vm };

	for (size_t i = 0; i < ARRAY_SIZE(fds); i++)
		if (fds[i] >= 0)
			close(fds[i]);
}

bool lent_vm_ended(const struct lent *l)
{
	/* of a process that ends either may be closed first */
	struct pollfd pfd[] = {
		{ .fd = l->vm, .events = POLLRDHUP }, { .fd = l->file, .events = 0 },
	};

	return poll(pfd, ARRAY_SIZE(pfd), 0) > 0;
}

bool lent_signalled(const struct lent *l)
{
	struct pollfd pfd = { .fd = l->signals, .events = POLLIN };

	return poll(&pfd, 1, 0) > 0;
}

int lent_result(const struct lent *l, int ret, struct failure *why)
{
	if (ret && !lent_signalled(l) && lent_vm_ended(l))
		return fail(why, OVID_X_HOST, "%s ended before its guest answered", l->name);
	return ret;
}

/* ---- is the guest there ------------------------------------------------------------ */

/* Linux's programs, without which a component does not answer */
static const struct {
	const char *component;
	const char *daemon;
} daemons[] = {
	{ "kvp", "hv_kvp_daemon" },
	{ "vss", "hv_vss_daemon" },
	{ "fcopy", "hv_fcopy_uio_daemon (before Linux 6.10: hv_fcopy_daemon)" },
};

static const char *daemon_of(const char *component)
{
	for (size_t i = 0; i < ARRAY_SIZE(daemons); i++)
		if (!strcmp(component, daemons[i].component))
			return daemons[i].daemon;
	return NULL;
}

static int not_ready(const struct lent *l, u32 guest, struct failure *why)
{
	const char *daemon = daemon_of(l->component);
	const char *state = guest == OVID_IC_CLOSED ? "closed" : "negotiating";

	if (guest == OVID_IC_NO_VERSION)
		return fail(why, OVID_X_HOST,
			    "%s: the guest knows no version of %s that this host does", l->name,
			    l->component);
	if (daemon)
		return fail(why, OVID_X_HOST,
			    "%s: the guest does not serve %s (state %s): it is still starting, has no hv_utils, or lacks %s",
			    l->name, l->component, state, daemon);
	return fail(why, OVID_X_HOST,
		    "%s: the guest does not serve %s (state %s): it is still starting, or has no hv_utils",
		    l->name, l->component, state);
}

int lent_ready(struct lent *l, struct ovid_ic_state *state, struct failure *why)
{
	union ic_record rec;
	int ret;

	ic_prepare(&rec, OVID_IC_STATE);
	ret = ic_do(&l->ic, &rec, l->component, why);
	if (ret)
		return ret;
	if (state)
		*state = rec.state;
	return rec.state.guest == OVID_IC_READY ? 0 : not_ready(l, rec.state.guest, why);
}
