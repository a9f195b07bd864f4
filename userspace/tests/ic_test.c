// SPDX-License-Identifier: GPL-2.0-only
/*
 * The client of a component's file, with a thread at the other end of a socket pair that
 * answers as the module does: by whole records, in its own order, with events between.
 */
#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <unistd.h>

#include "../lib/ic.h"
#include "tap.h"

#define KEYS	3

/* what the fake module does with the next requests */
enum mood {
	ANSWER,
	EVENTS_FIRST,	/* two events and an answer to nobody come before it */
	SILENT,		/* does not answer */
	SLOW,		/* after 50 ms */
	OTHER_KIND,
	SHORT,		/* half a record */
	WRONG_SIZE,	/* whose size is not its length */
	HANG_UP,
};

struct fake {
	int fd;
	pthread_t thread;
	_Atomic int mood;
	u32 status, code;	/* of each answer */
	char file[20000];	/* what was copied */
	u64 bytes;
	char name[OVID_IC_PATH_LEN], path[OVID_IC_PATH_LEN];
	bool half_done;		/* somebody else's copy is under way */
	_Atomic unsigned int requests, thaws, cancels, completes;
	u64 fail_at;		/* a piece from here on is refused; 0: none */
};

static void copy_request(struct fake *f, union ic_record *r)
{
	struct ovid_ic_copy_data *d = &r->copy_data;

	switch (r->record.kind) {
	case OVID_IC_COPY_START:
		if (f->half_done)
			r->record.status = OVID_IC_OUT_OF_ORDER;
		f->bytes = r->copy_start.bytes;
		snprintf(f->name, sizeof(f->name), "%s", r->copy_start.name);
		snprintf(f->path, sizeof(f->path), "%s", r->copy_start.path);
		break;
	case OVID_IC_COPY_DATA:
		if (f->fail_at && d->offset >= f->fail_at) {
			r->record.status = OVID_IC_REFUSED;
			r->record.code = 0x80070070;
		} else if (d->bytes <= sizeof(d->data) && d->offset + d->bytes <= sizeof(f->file)) {
			memcpy(f->file + d->offset, d->data, d->bytes);
		}
		break;
	case OVID_IC_COPY_COMPLETE:
		f->completes++;
		break;
	case OVID_IC_COPY_CANCEL:
		f->cancels++;
		f->half_done = false;
		break;
	}
}

static void fill(struct fake *f, union ic_record *r)
{
	r->record.status = f->status;
	r->record.code = f->code;
	if (r->record.kind == OVID_IC_KVP_ENUMERATE) {
		if (r->kvp.index >= KEYS) {
			r->record.status = OVID_IC_NO_MORE;
			r->record.code = 0x80070103;
		}
		snprintf(r->kvp.key, sizeof(r->kvp.key), "key%u", r->kvp.index);
	} else if (r->record.kind == OVID_IC_KVP_GET) {
		snprintf(r->kvp.value, sizeof(r->kvp.value), "<%s>", r->kvp.key);
	} else if (r->record.kind == OVID_IC_VSS_THAW) {
		f->thaws++;
	}
	copy_request(f, r);
}

static void tell(struct fake *f, const void *rec, size_t len)
{
	if (write(f->fd, rec, len) < 0)
		perror("write");
}

static void some_events(struct fake *f)
{
	union ic_record e;

	ic_prepare(&e, OVID_IC_STATE);
	e.state.guest = OVID_IC_READY;
	tell(f, &e, e.record.size);
	ic_prepare(&e, OVID_IC_VSS_THAW);
	e.record.id = 999999;
	tell(f, &e, e.record.size);
	ic_prepare(&e, OVID_IC_HEARTBEAT);
	tell(f, &e, e.record.size);
}

static void *serve(void *arg)
{
	struct fake *f = arg;
	union ic_record r;
	ssize_t n;

	while ((n = read(f->fd, &r, sizeof(r))) > 0) {
		f->requests++;
		if ((size_t)n != ic_size(r.record.kind) || r.record.size != n || !r.record.id)
			abort();
		fill(f, &r);
		switch (f->mood) {
		case EVENTS_FIRST:
			some_events(f);
			break;
		case SILENT:
			continue;
		case SLOW:
			usleep(50000);
			break;
		case OTHER_KIND:
			r.record.kind = r.record.kind == OVID_IC_VSS_THAW ? OVID_IC_VSS_FREEZE :
				OVID_IC_VSS_THAW;
			r.record.size = ic_size(r.record.kind);
			n = r.record.size;
			break;
		case SHORT:
			n /= 2;
			break;
		case WRONG_SIZE:
			r.record.size++;
			break;
		case HANG_UP:
			shutdown(f->fd, SHUT_RDWR);
			return NULL;
		}
		tell(f, &r, n);
	}
	return NULL;
}

static void start(struct fake *f, struct ic *ic)
{
	int fds[2];

	memset(f, 0, sizeof(*f));
	if (socketpair(AF_UNIX, SOCK_SEQPACKET, 0, fds))
		abort();
	f->fd = fds[1];
	CHECK(!ic_begin(ic, fds[0]) && (fcntl(fds[0], F_GETFL) & O_NONBLOCK), "begin");
	if (pthread_create(&f->thread, NULL, serve, f))
		abort();
}

static void stop(struct fake *f, struct ic *ic)
{
	shutdown(ic->fd, SHUT_RDWR);
	pthread_join(f->thread, NULL);
	close(ic->fd);
	close(f->fd);
}

static int ask(struct ic *ic, u16 kind, int ms, union ic_record *rec)
{
	ic_prepare(rec, kind);
	return ic_ask(ic, rec, ms);
}

static unsigned int events;
static u32 event_kinds;

static void on_event(void *ctx, const union ic_record *event)
{
	(void)ctx;
	events++;
	event_kinds |= 1u << event->record.kind;
}

static void test_ask(void)
{
	union ic_record rec;
	struct fake f;
	struct ic ic;

	start(&f, &ic);
	CHECK(!ask(&ic, OVID_IC_VSS_FREEZE, IC_FOREVER, &rec) && rec.record.id == 1 &&
	      rec.record.status == OVID_IC_OK, "an answer");
	f.status = OVID_IC_REFUSED;
	f.code = 0x80004005;
	CHECK(!ask(&ic, OVID_IC_SHUTDOWN, IC_FOREVER, &rec) && rec.record.id == 2 &&
	      rec.record.status == OVID_IC_REFUSED && rec.record.code == 0x80004005,
	      "a refusal is an answer");
	ic.on_event = on_event;
	f.mood = EVENTS_FIRST;
	CHECK(!ask(&ic, OVID_IC_VSS_THAW, IC_FOREVER, &rec) && rec.record.id == 3, "events before it");
	CHECK(events == 2 && event_kinds == (1u << OVID_IC_STATE | 1u << OVID_IC_HEARTBEAT),
	      "are told, another's answer is not");
	ic.on_event = NULL;
	CHECK(!ask(&ic, OVID_IC_VSS_THAW, IC_FOREVER, &rec), "or thrown away");
	f.mood = ANSWER;
	CHECK(ic_receive(&ic) == -EAGAIN, "nothing more is there");
	stop(&f, &ic);
}

static void test_timeout(void)
{
	union ic_record rec;
	struct fake f;
	struct ic ic;

	start(&f, &ic);
	f.mood = SILENT;
	CHECK(ask(&ic, OVID_IC_VSS_CHECK, 20, &rec) == -ETIMEDOUT, "no answer in time");
	CHECK(ask(&ic, OVID_IC_VSS_CHECK, 0, &rec) == -ETIMEDOUT, "in no time");
	f.mood = SLOW;
	CHECK(ask(&ic, OVID_IC_VSS_FREEZE, 1, &rec) == -ETIMEDOUT, "a late one");
	CHECK(!ask(&ic, OVID_IC_VSS_THAW, IC_FOREVER, &rec) && rec.record.id == 4 &&
	      rec.record.kind == OVID_IC_VSS_THAW, "is not taken for the next one's");
	stop(&f, &ic);
}

/* a file of @bytes that differ */
static int make_file(size_t bytes, char *content)
{
	FILE *t = tmpfile();
	size_t i;

	for (i = 0; i < bytes; i++)
		content[i] = (char)(i * 7 + i / 251);
	if (!t || fwrite(content, 1, bytes, t) != bytes || fflush(t))
		abort();
	return fileno(t);
}

static void test_stop(void)
{
	struct failure why = { "" };
	union ic_record rec;
	int pipefd[2];
	char byte;
	struct fake f;
	struct ic ic;

	if (pipe(pipefd))
		abort();
	start(&f, &ic);
	ic.stop = pipefd[0];
	CHECK(!ask(&ic, OVID_IC_VSS_THAW, IC_FOREVER, &rec) && f.thaws == 1, "not stopped yet");
	if (write(pipefd[1], "x", 1) != 1)
		abort();
	f.mood = SILENT;
	CHECK(ask(&ic, OVID_IC_VSS_CHECK, IC_FOREVER, &rec) == -ECANCELED, "a wait that is stopped");
	CHECK(ic_wait(&ic) == -ECANCELED, "one for anything too");
	f.mood = SLOW;
	CHECK(ic_freeze(&ic, &why) == -OVID_X_STOPPED && f.thaws == 2,
	      "a freeze that is stopped is thawed: %s", why.text);
	CHECK(ic.stop == pipefd[0], "what stops stays");
	CHECK(ic_copy(&ic, make_file(1, &byte), "/f", 0, NULL, NULL, &why) ==
	      -OVID_X_STOPPED && f.cancels == 1 && !f.completes,
	      "a copy that is stopped when it starts is cancelled: %s", why.text);
	stop(&f, &ic);
	close(pipefd[0]);
	close(pipefd[1]);
}

static void nothing(int sig)
{
	(void)sig;
}

static void test_signals(void)
{
	const struct itimerval often = { { 0, 1000 }, { 0, 1000 } }, never = { { 0, 0 }, { 0, 0 } };
	struct sigaction sa = { .sa_handler = nothing };
	union ic_record rec;
	struct fake f;
	struct ic ic;
	sigset_t set;

	/* the fake's thread inherits the mask, so that the signals are ours */
	sigemptyset(&set);
	sigaddset(&set, SIGALRM);
	pthread_sigmask(SIG_BLOCK, &set, NULL);
	start(&f, &ic);
	pthread_sigmask(SIG_UNBLOCK, &set, NULL);
	sigaction(SIGALRM, &sa, NULL);
	f.mood = SLOW;
	setitimer(ITIMER_REAL, &often, NULL);
	CHECK(!ask(&ic, OVID_IC_VSS_FREEZE, IC_FOREVER, &rec), "signals do not end the wait");
	CHECK(!ask(&ic, OVID_IC_VSS_THAW, 60000, &rec), "nor one with an end");
	f.mood = SILENT;
	CHECK(ask(&ic, OVID_IC_VSS_CHECK, 50, &rec) == -ETIMEDOUT, "nor do they prolong it for ever");
	setitimer(ITIMER_REAL, &never, NULL);
	stop(&f, &ic);
}

static void test_wrong(void)
{
	static const enum mood moods[] = { OTHER_KIND, SHORT, WRONG_SIZE };
	union ic_record rec;
	struct fake f;
	struct ic ic;
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(moods); i++) {
		start(&f, &ic);
		f.mood = moods[i];
		CHECK(ask(&ic, OVID_IC_VSS_THAW, IC_FOREVER, &rec) == -EPROTO, "wrong record %u", i);
		stop(&f, &ic);
	}
	start(&f, &ic);
	f.mood = HANG_UP;
	CHECK(ask(&ic, OVID_IC_VSS_THAW, IC_FOREVER, &rec) == -EPIPE, "the channel goes");
	signal(SIGPIPE, SIG_IGN);
	CHECK(ask(&ic, OVID_IC_VSS_THAW, IC_FOREVER, &rec) == -EPIPE, "and stays away");
	stop(&f, &ic);
	CHECK(!ic_size(0) && !ic_size(19) && ic_size(OVID_IC_COPY_CANCEL) == 24, "sizes of kinds");
	CHECK(ic_begin(&ic, -1) == -EBADF, "no file");
}

/* a peer that takes nothing: EAGAIN until the end, and with it what is there is read */
static void test_full(void)
{
	union ic_record rec;
	struct ic ic;
	int fds[2], n = 0, err;

	if (socketpair(AF_UNIX, SOCK_SEQPACKET, 0, fds))
		abort();
	ic_begin(&ic, fds[0]);
	do {
		ic_prepare(&rec, OVID_IC_COPY_DATA);
		err = ic_send(&ic, &rec);
	} while (!err && ++n < 100000);
	CHECK(err == -EAGAIN && n > 0 && ic.last_id == (u64)n, "no room for another");
	CHECK(ask(&ic, OVID_IC_COPY_DATA, 20, &rec) == -ETIMEDOUT, "nor in 20 ms");
	close(fds[0]);
	close(fds[1]);
}

static unsigned int listed;

static int each(void *ctx, const struct ovid_ic_kvp *kvp)
{
	char want[16];

	snprintf(want, sizeof(want), "key%u", listed++);
	if (strcmp(kvp->key, want))
		return -1;
	return ctx && listed == 2 ? 42 : 0;
}

static void test_kvp(void)
{
	struct failure why = { "" };
	struct ovid_ic_kvp_ip ip;
	char longest[OVID_IC_KEY_LEN + 1];
	struct fake f;
	struct ic ic;

	start(&f, &ic);
	CHECK(!ic_kvp_set(&ic, 0, "name", "value", &why), "set");
	CHECK(!ic_kvp_delete(&ic, 0, "name", &why), "delete");
	CHECK(!ic_kvp_list(&ic, 2, each, NULL, &why) && listed == KEYS && !why.text[0], "all pairs");
	listed = 0;
	CHECK(ic_kvp_list(&ic, 2, each, &ic, &why) == 42 && listed == 2, "or until it is enough");
	memset(longest, 'k', sizeof(longest) - 1);
	longest[sizeof(longest) - 1] = 0;
	CHECK(ic_kvp_delete(&ic, 0, longest, &why) == -OVID_X_USAGE, "too long a key");
	f.status = OVID_IC_NO_MORE;
	CHECK(ic_kvp_delete(&ic, 0, "name", &why) == -OVID_X_HOST &&
	      !strcmp(why.text, "name: there is no such key"), "%s", why.text);
	CHECK(ic_kvp_get_ip(&ic, longest, &ip, &why) == -OVID_X_USAGE, "%s", why.text);
	f.status = OVID_IC_OK;
	CHECK(!ic_kvp_get_ip(&ic, "00:15:5d:00:00:01", &ip, &why) &&
	      !strcmp(ip.adapter, "00:15:5d:00:00:01"), "addresses");
	f.status = OVID_IC_NOT_READY;
	CHECK(ic_kvp_list(&ic, 2, each, NULL, &why) == -OVID_X_HOST, "%s", why.text);
	stop(&f, &ic);
}

static void test_freeze(void)
{
	struct failure why = { "" };
	struct fake f;
	struct ic ic;

	start(&f, &ic);
	CHECK(!ic_freeze(&ic, &why) && !f.thaws, "freeze");
	CHECK(!ic_thaw(&ic, &why) && f.thaws == 1, "thaw");
	f.status = OVID_IC_TIMEOUT;
	CHECK(ic_freeze(&ic, &why) && f.thaws == 2, "one that fails is thawed: %s", why.text);
	f.status = OVID_IC_REFUSED;
	f.code = 0x12345678;
	CHECK(ic_shutdown(&ic, OVID_IC_REBOOT, OVID_IC_FORCE, 60, "bye", &why) == -OVID_X_HOST &&
	      !strcmp(why.text, "shutdown: the guest refuses: code 0x12345678"), "%s", why.text);
	stop(&f, &ic);
}

static int count(void *ctx, u64 done, u64 all)
{
	u64 *sum = ctx;

	*sum += done;
	return *sum > all * 100;
}

static int halt(void *ctx, u64 done, u64 all)
{
	(void)ctx;
	return done < all;
}

static void test_copy(void)
{
	static const size_t sizes[] = { 0, 1, 6143, 6144, 6145, 20000 };
	static char content[20000];
	struct failure why = { "" };
	struct fake f;
	struct ic ic;
	unsigned int i;
	u64 sum;
	int file;

	for (i = 0; i < ARRAY_SIZE(sizes); i++) {
		start(&f, &ic);
		file = make_file(sizes[i], content);
		sum = 0;
		CHECK(!ic_copy(&ic, file, "/tmp/new/file", OVID_IC_CREATE_PATH, count, &sum, &why) &&
		      f.bytes == sizes[i] && !memcmp(f.file, content, sizes[i]) && f.completes == 1 &&
		      !f.cancels && f.requests == 2 + (sizes[i] + 6143) / 6144,
		      "%zu bytes", sizes[i]);
		CHECK(!strcmp(f.name, "file") && !strcmp(f.path, "/tmp/new/"), "its name and folder");
		stop(&f, &ic);
	}
	file = make_file(20000, content);
	start(&f, &ic);
	f.fail_at = 6144;
	CHECK(ic_copy(&ic, file, "/f", 0, NULL, NULL, &why) == -OVID_X_HOST && f.cancels == 1 &&
	      !f.completes && !strcmp(f.path, "/"), "one that fails is cancelled: %s", why.text);
	f.fail_at = 0;
	CHECK(ic_copy(&ic, file, "/f", 0, halt, NULL, &why) == -OVID_X_STOPPED && f.cancels == 2,
	      "so is one that the caller ends: %s", why.text);
	f.half_done = true;
	f.completes = 0;
	CHECK(!ic_copy(&ic, file, "/f", 0, NULL, NULL, &why) && f.cancels == 3 && f.completes == 1,
	      "one that somebody left half done is cancelled first");
	f.status = OVID_IC_REFUSED;
	f.code = 0x80070050;
	CHECK(ic_copy(&ic, file, "/f", 0, NULL, NULL, &why) == -OVID_X_HOST && f.cancels == 3,
	      "not one that was not begun: %s", why.text);
	CHECK(ic_copy(&ic, file, "f", 0, NULL, NULL, &why) == -OVID_X_USAGE, "%s", why.text);
	CHECK(ic_copy(&ic, file, "/f/", 0, NULL, NULL, &why) == -OVID_X_USAGE, "%s", why.text);
	CHECK(ic_copy(&ic, file, "", 0, NULL, NULL, &why) == -OVID_X_USAGE, "%s", why.text);
	CHECK(ic_copy(&ic, ic.fd, "/f", 0, NULL, NULL, &why) == -OVID_X_USAGE, "%s", why.text);
	stop(&f, &ic);
}

int main(void)
{
	test_ask();
	test_timeout();
	test_stop();
	test_signals();
	test_wrong();
	test_full();
	test_kvp();
	test_freeze();
	test_copy();
	return tap_done();
}
