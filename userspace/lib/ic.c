// SPDX-License-Identifier: GPL-2.0-only
#include <fcntl.h>
#include <poll.h>
#include <stdio.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "ic.h"

#define UNDO_MS		2000	/* the guest does it whether we hear of it or not */

int ic_begin(struct ic *ic, int fd)
{
	int flags = fcntl(fd, F_GETFL);

	*ic = (struct ic){ .fd = fd, .stop = -1 };
	if (flags < 0 || fcntl(fd, F_SETFL, flags | O_NONBLOCK))
		return -errno;
	return 0;
}

size_t ic_size(u16 kind)
{
	static const size_t size[] = {
		[OVID_IC_STATE] = sizeof(struct ovid_ic_state),
		[OVID_IC_SHUTDOWN] = sizeof(struct ovid_ic_shutdown),
		[OVID_IC_TIMESYNC] = sizeof(struct ovid_ic_timesync),
		[OVID_IC_TIMESYNC_AUTO] = sizeof(struct ovid_ic_timesync_auto),
		[OVID_IC_HEARTBEAT] = sizeof(struct ovid_ic_heartbeat),
		[OVID_IC_KVP_GET] = sizeof(struct ovid_ic_kvp),
		[OVID_IC_KVP_SET] = sizeof(struct ovid_ic_kvp),
		[OVID_IC_KVP_DELETE] = sizeof(struct ovid_ic_kvp),
		[OVID_IC_KVP_ENUMERATE] = sizeof(struct ovid_ic_kvp),
		[OVID_IC_KVP_GET_IP] = sizeof(struct ovid_ic_kvp_ip),
		[OVID_IC_KVP_SET_IP] = sizeof(struct ovid_ic_kvp_ip),
		[OVID_IC_VSS_CHECK] = sizeof(struct ovid_ic_vss_check),
		[OVID_IC_VSS_FREEZE] = sizeof(struct ovid_ic_record),
		[OVID_IC_VSS_THAW] = sizeof(struct ovid_ic_record),
		[OVID_IC_COPY_START] = sizeof(struct ovid_ic_copy_start),
		[OVID_IC_COPY_DATA] = sizeof(struct ovid_ic_copy_data),
		[OVID_IC_COPY_COMPLETE] = sizeof(struct ovid_ic_record),
		[OVID_IC_COPY_CANCEL] = sizeof(struct ovid_ic_record),
	};

	return kind < ARRAY_SIZE(size) ? size[kind] : 0;
}

void ic_prepare(union ic_record *rec, u16 kind)
{
	memset(rec, 0, sizeof(*rec));
	rec->record.kind = kind;
	rec->record.size = ic_size(kind);
}

/* ---- records ------------------------------------------------------------------- */

int ic_send(struct ic *ic, union ic_record *rec)
{
	ssize_t n;

	rec->record.id = ic->last_id + 1;
	do
		n = write(ic->fd, rec, rec->record.size);
	while (n < 0 && errno == EINTR);
	if (n < 0)
		return -errno;
	ic->last_id++;
	return n == (ssize_t)rec->record.size ? 0 : -EPROTO;
}

int ic_receive(struct ic *ic)
{
	const struct ovid_ic_record *rec = &ic->in.record;
	ssize_t n;

	do
		n = read(ic->fd, &ic->in, sizeof(ic->in));
	while (n < 0 && errno == EINTR);
	if (n < 0)
		return -errno;
	if (!n)
		return -EPIPE;
	if ((size_t)n < sizeof(*rec) || rec->size != n || ic_size(rec->kind) != (size_t)n)
		return -EPROTO;
	return 0;
}

/* milliseconds of a clock that does not jump */
static long long now_ms(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return t.tv_sec * 1000ll + t.tv_nsec / 1000000;
}

/* waits until @end, or for ever: 0, -ETIMEDOUT, -ECANCELED, -errno */
static int wait_for(const struct ic *ic, short events, bool forever, long long end)
{
	struct pollfd p[] = {
		{ .fd = ic->fd, .events = events }, { .fd = ic->stop, .events = POLLIN },
	};
	int n, ms;
	long long left;

	do {
		left = forever ? -1 : end - now_ms();
		ms = left > 3600000 ? 3600000 : (int)left;
		if (!forever && left < 0)
			ms = 0;
		n = poll(p, ARRAY_SIZE(p), ms);
	} while ((n < 0 && errno == EINTR) || (!n && ms > 0 && left > ms));
	if (n < 0)
		return -errno;
	if (!n)
		return -ETIMEDOUT;
	return p[0].revents ? 0 : -ECANCELED;
}

int ic_wait(struct ic *ic)
{
	return wait_for(ic, POLLIN, true, 0);
}

/* takes all that is there.  1: the answer to @want is among it, and in ic->in */
static int take(struct ic *ic, u64 want)
{
	int err;

	while (!(err = ic_receive(ic))) {
		if (ic->in.record.id && ic->in.record.id == want)
			return 1;
		if (!ic->in.record.id && ic->on_event)
			ic->on_event(ic->ctx, &ic->in);
	}
	return err == -EAGAIN ? 0 : err;
}

int ic_ask(struct ic *ic, union ic_record *rec, int ms)
{
	const long long end = now_ms() + ms;
	int got = 0, err;

	/* answers that nobody has read leave no room for a request */
	while ((err = ic_send(ic, rec)) == -EAGAIN) {
		err = wait_for(ic, POLLIN | POLLOUT, ms < 0, end);
		if (!err)
			err = take(ic, 0);
		if (err)
			return err;
	}
	if (err)
		return err;
	while (!(got = take(ic, rec->record.id))) {
		err = wait_for(ic, POLLIN, ms < 0, end);
		if (err)
			return err;
	}
	if (got < 0)
		return got;
	if (ic->in.record.kind != rec->record.kind)
		return -EPROTO;
	memcpy(rec, &ic->in, rec->record.size);
	return 0;
}

/* ---- words -------------------------------------------------------------------------- */

static const char *code_text(u32 code)
{
	switch (code) {
	case 0x80004005: return "it failed";
	case 0x80070032: return "it cannot do that";
	case 0x80070050: return "there is such a file already";
	case 0x80070057: return "it does not understand it";
	case 0x80070070: return "its disk is full";
	case 0x800704f7: return "it is locked";
	case 0x80041002: return "it has no such adapter";
	default: return NULL;
	}
}

const char *ic_status_text(const struct ovid_ic_record *rec, char *buf, size_t len)
{
	static const char *const text[] = {
		[OVID_IC_OK] = "done",
		[OVID_IC_NO_MORE] = "there is no such key",
		[OVID_IC_NOT_READY] = "the guest does not serve this (is its daemon running?)",
		[OVID_IC_GONE] = "the guest went away",
		[OVID_IC_TIMEOUT] = "the guest does not answer",
		[OVID_IC_BAD_ANSWER] = "the guest's answer makes no sense",
		[OVID_IC_UNSUPPORTED] = "the guest's driver is too old for this",
		[OVID_IC_OUT_OF_ORDER] = "another copy is under way, or the file has changed",
	};
	const char *code = code_text(rec->code);

	if (rec->status == OVID_IC_REFUSED && code)
		snprintf(buf, len, "the guest refuses: %s", code);
	else if (rec->status == OVID_IC_REFUSED)
		snprintf(buf, len, "the guest refuses: code 0x%08x", rec->code);
	else if (rec->status < ARRAY_SIZE(text))
		snprintf(buf, len, "%s", text[rec->status]);
	else
		snprintf(buf, len, "status %u", rec->status);
	return buf;
}

int ic_do(struct ic *ic, union ic_record *rec, const char *what, struct failure *why)
{
	int err = ic_ask(ic, rec, IC_FOREVER);
	char text[128];

	if (err == -EINVAL)
		return fail(why, OVID_X_USAGE, "%s: this cannot be asked of a guest", what);
	if (err == -ECANCELED)
		return fail(why, OVID_X_STOPPED, "%s: stopped", what);
	if (err)
		return fail(why, OVID_X_HOST, "%s: %s", what, strerror(-err));
	if (rec->record.status == OVID_IC_OK)
		return 0;
	return fail(why, OVID_X_HOST, "%s: %s", what,
		    ic_status_text(&rec->record, text, sizeof(text)));
}

/* ---- jobs ---------------------------------------------------------------------------- */

/* false: it does not fit */
static bool set_text(char *to, size_t len, const char *text)
{
	size_t n = strlen(text);

	if (n >= len)
		return false;
	memcpy(to, text, n + 1);
	return true;
}

#define SET(member, text)	set_text(member, sizeof(member), text)

int ic_shutdown(struct ic *ic, u32 action, u32 flags, u32 timeout, const char *message,
		struct failure *why)
{
	union ic_record rec;

	ic_prepare(&rec, OVID_IC_SHUTDOWN);
	rec.shutdown.action = action;
	rec.shutdown.flags = flags;
	rec.shutdown.timeout = timeout;
	if (!SET(rec.shutdown.message, message))
		return fail(why, OVID_X_USAGE, "shutdown: the message is too long");
	return ic_do(ic, &rec, "shutdown", why);
}

static int kvp_prepare(union ic_record *rec, u16 kind, u32 pool, const char *key,
		       struct failure *why)
{
	ic_prepare(rec, kind);
	rec->kvp.pool = pool;
	if (!SET(rec->kvp.key, key))
		return fail(why, OVID_X_USAGE, "kvp: the key is too long");
	return 0;
}

int ic_kvp_set(struct ic *ic, u32 pool, const char *key, const char *value, struct failure *why)
{
	union ic_record rec;
	int ret = kvp_prepare(&rec, OVID_IC_KVP_SET, pool, key, why);

	if (ret)
		return ret;
	rec.kvp.type = OVID_IC_TEXT;
	if (!SET(rec.kvp.value, value))
		return fail(why, OVID_X_USAGE, "kvp: the value is too long");
	return ic_do(ic, &rec, key, why);
}

int ic_kvp_delete(struct ic *ic, u32 pool, const char *key, struct failure *why)
{
	union ic_record rec;
	int ret = kvp_prepare(&rec, OVID_IC_KVP_DELETE, pool, key, why);

	return ret ?: ic_do(ic, &rec, key, why);
}

int ic_kvp_list(struct ic *ic, u32 pool, int (*each)(void *ctx, const struct ovid_ic_kvp *kvp),
		void *ctx, struct failure *why)
{
	union ic_record rec;
	u32 index;
	int ret;

	/* a guest may have as many as it likes: the caller ends it when it has enough */
	for (index = 0;; index++) {
		ic_prepare(&rec, OVID_IC_KVP_ENUMERATE);
		rec.kvp.pool = pool;
		rec.kvp.index = index;
		ret = ic_do(ic, &rec, "kvp", why);
		if (ret && rec.record.status == OVID_IC_NO_MORE) {
			why->text[0] = 0;	/* the end, no failure */
			return 0;
		}
		if (ret)
			return ret;
		ret = each(ctx, &rec.kvp);
		if (ret)
			return ret;
	}
}

int ic_kvp_get_ip(struct ic *ic, const char *mac, struct ovid_ic_kvp_ip *out, struct failure *why)
{
	union ic_record rec;
	int ret;

	ic_prepare(&rec, OVID_IC_KVP_GET_IP);
	if (!SET(rec.kvp_ip.adapter, mac))
		return fail(why, OVID_X_USAGE, "kvp: the MAC address is too long");
	ret = ic_do(ic, &rec, mac, why);
	if (!ret)
		*out = rec.kvp_ip;
	return ret;
}

static int ask_plain(struct ic *ic, u16 kind, const char *what, struct failure *why)
{
	union ic_record rec;

	ic_prepare(&rec, kind);
	return ic_do(ic, &rec, what, why);
}

/*
 * Takes back what ended with @ret.  If that was stopped it may be under way still: the module
 * asks the guest behind it, even when we are gone.
 */
static void undo(struct ic *ic, u16 kind, int ret)
{
	const int stop = ic->stop;
	union ic_record rec;

	ic_prepare(&rec, kind);
	if (ret != -OVID_X_STOPPED) {
		ic_ask(ic, &rec, IC_FOREVER);
		return;
	}
	ic->stop = -1;
	ic_ask(ic, &rec, UNDO_MS);
	ic->stop = stop;
}

int ic_freeze(struct ic *ic, struct failure *why)
{
	int ret = ask_plain(ic, OVID_IC_VSS_FREEZE, "freeze", why);

	/* it may have come true in part, or may yet */
	if (ret)
		undo(ic, OVID_IC_VSS_THAW, ret);
	return ret;
}

int ic_thaw(struct ic *ic, struct failure *why)
{
	return ask_plain(ic, OVID_IC_VSS_THAW, "thaw", why);
}

/* The one before was left half done, by a client that was killed. */
static int copy_start_anew(struct ic *ic, union ic_record *start, const char *path,
			   struct failure *why)
{
	union ic_record again = *start;
	int ret = ic_do(ic, start, path, why);

	if (!ret || start->record.status != OVID_IC_OUT_OF_ORDER)
		return ret;
	undo(ic, OVID_IC_COPY_CANCEL, ret);
	return ic_do(ic, &again, path, why);
}

static int copy_start(struct ic *ic, const char *path, u64 bytes, u32 flags,
		      struct failure *why)
{
	const char *slash = strrchr(path, '/');
	union ic_record rec;
	size_t folder;

	if (*path != '/' || !slash[1])
		return fail(why, OVID_X_USAGE, "copy: %s is no absolute name of a file", path);
	ic_prepare(&rec, OVID_IC_COPY_START);
	rec.copy_start.bytes = bytes;
	rec.copy_start.flags = flags;
	/* with its slash: Linux's daemon looks at what stands before one */
	folder = slash - path + 1;
	if (folder >= sizeof(rec.copy_start.path) || !SET(rec.copy_start.name, slash + 1))
		return fail(why, OVID_X_USAGE, "copy: the file's name is too long");
	memcpy(rec.copy_start.path, path, folder);
	return copy_start_anew(ic, &rec, path, why);
}

/* fills the piece: bytes of it, or what fail() says */
static int read_piece(int file, u64 offset, u32 bytes, u8 *data, struct failure *why)
{
	u32 have = 0;
	ssize_t n;

	while (have < bytes) {
		n = pread(file, data + have, bytes - have, offset + have);
		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return fail(why, OVID_X_HOST, "copy: %s", strerror(errno));
		if (!n)
			return fail(why, OVID_X_HOST, "copy: the file has become shorter");
		have += n;
	}
	return have;
}

static int copy_pieces(struct ic *ic, int file, u64 bytes,
		       int (*progress)(void *ctx, u64 done, u64 all), void *ctx,
		       struct failure *why)
{
	union ic_record rec;
	u64 at = 0;
	int ret;

	while (at < bytes) {
		ic_prepare(&rec, OVID_IC_COPY_DATA);
		rec.copy_data.offset = at;
		ret = read_piece(file, at, min_u64(bytes - at, OVID_IC_COPY_BYTES),
				 rec.copy_data.data, why);
		if (ret < 0)
			return ret;
		rec.copy_data.bytes = ret;
		at += ret;
		ret = ic_do(ic, &rec, "copy", why);
		if (ret)
			return ret;
		if (progress && progress(ctx, at, bytes))
			return fail(why, OVID_X_STOPPED, "copy: stopped");
	}
	return ask_plain(ic, OVID_IC_COPY_COMPLETE, "copy", why);
}

int ic_copy(struct ic *ic, int file, const char *path, u32 flags,
	    int (*progress)(void *ctx, u64 done, u64 all), void *ctx, struct failure *why)
{
	struct stat st;
	int ret;

	if (fstat(file, &st))
		return fail(why, OVID_X_HOST, "copy: %s", strerror(errno));
	if (!S_ISREG(st.st_mode))
		return fail(why, OVID_X_USAGE, "copy: only a regular file can be copied");
	ret = copy_start(ic, path, st.st_size, flags, why);
	if (ret && ret != -OVID_X_STOPPED)
		return ret;
	if (!ret)
		ret = copy_pieces(ic, file, st.st_size, progress, ctx, why);
	if (ret)
		undo(ic, OVID_IC_COPY_CANCEL, ret);
	return ret;
}
