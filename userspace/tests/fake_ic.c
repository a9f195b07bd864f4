// SPDX-License-Identifier: GPL-2.0-only
/*
 * fake_ic.c - see fake_ic.h.  A key "copied" of the guest's pool tells of the last file:
 * its name, bytes, flags, CRC-32, and "done", "cancelled" or "open"; "clock" of the last
 * timesync, "frozen" whether it is, "asked" how it was told to end.
 */
#include <errno.h>
#include <poll.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include "../lib/ic.h"
#include "fake_ic.h"

#define COMPONENTS	6
#define OFFERS		(8 * COMPONENTS)	/* once, and for each move */
#define PAIRS		8

static struct {
	int fd[OFFERS];			/* -1: closed by the other side */
	int theirs[OFFERS];		/* made ahead: the sandbox lets nobody make files */
	bool lives[OFFERS];		/* of a heartbeat: gets events */
	_Atomic unsigned int nr;	/* that were offered */
	pthread_t thread;
	_Atomic(const char *) mood;
	_Atomic int ending;
	struct { char key[64], value[64]; bool used; } pair[PAIRS];
	struct {
		char name[2 * OVID_IC_PATH_LEN];
		u64 bytes, at;
		u32 flags, crc;
		bool active;
		const char *end;
	} copy;
	bool frozen;
	char clock[32];
	char asked[400];
} ic = { .mood = "ready", .copy.end = "none" };

void fake_ic_mood(const char *mood)
{
	ic.mood = mood;
}

static bool mood(const char *what)
{
	const char *now = ic.mood;

	return !strncmp(now, what, strlen(what));
}

int fake_ic_ending(void)
{
	return atomic_exchange(&ic.ending, 0);
}

static u32 guest_state(void)
{
	if (mood("closed"))
		return OVID_IC_CLOSED;
	if (mood("negotiating"))
		return OVID_IC_NEGOTIATING;
	return mood("old") ? OVID_IC_NO_VERSION : OVID_IC_READY;
}

static void fill_heartbeat(struct ovid_ic_heartbeat *h)
{
	h->pulse = guest_state() != OVID_IC_READY ? OVID_IC_NO_CONTACT :
		   mood("lost") ? OVID_IC_LOST : OVID_IC_ALIVE;
	h->sent = 7;
	h->answered = h->pulse == OVID_IC_NO_CONTACT ? 0 : 6;
	h->age = h->answered ? 1500000000 : ~0ull;
}

/* ---- pairs ----------------------------------------------------------------------- */

static u32 pair_of(struct ovid_ic_kvp *k)
{
	for (unsigned int i = 0; i < PAIRS; i++)
		if (ic.pair[i].used && !strcmp(ic.pair[i].key, k->key))
			return i;
	return PAIRS;
}

static u32 external(struct ovid_ic_kvp *k, u16 kind)
{
	u32 at = pair_of(k);

	if (kind == OVID_IC_KVP_ENUMERATE) {
		for (at = 0; at < PAIRS; at++)
			if (ic.pair[at].used && !k->index--)
				break;
	} else if (kind == OVID_IC_KVP_SET && at == PAIRS) {
		for (at = 0; at < PAIRS && ic.pair[at].used; at++)
			;
	}
	if (at == PAIRS)
		return OVID_IC_NO_MORE;
	if (kind == OVID_IC_KVP_SET) {
		snprintf(ic.pair[at].key, sizeof(ic.pair[at].key), "%.63s", k->key);
		snprintf(ic.pair[at].value, sizeof(ic.pair[at].value), "%.63s", k->value);
	}
	ic.pair[at].used = kind != OVID_IC_KVP_DELETE;
	k->type = OVID_IC_TEXT;
	snprintf(k->key, sizeof(k->key), "%s", ic.pair[at].key);
	snprintf(k->value, sizeof(k->value), "%s", ic.pair[at].value);
	return OVID_IC_OK;
}

static u32 guest_pool(struct ovid_ic_kvp *k, u16 kind)
{
	static const char *const keys[] = { "copied", "clock", "frozen", "asked", "number", "evil" };
	u32 at = 0;

	while (kind == OVID_IC_KVP_GET && at < ARRAY_SIZE(keys) && strcmp(k->key, keys[at]))
		at++;
	if (kind == OVID_IC_KVP_ENUMERATE)
		at = k->index;
	if (at >= ARRAY_SIZE(keys) || kind == OVID_IC_KVP_SET || kind == OVID_IC_KVP_DELETE)
		return OVID_IC_NO_MORE;
	snprintf(k->key, sizeof(k->key), "%s", keys[at]);
	k->type = at == 4 ? OVID_IC_U64 : OVID_IC_TEXT;
	k->number = 18446744073709551615ull;
	switch (at) {
	case 0:
		snprintf(k->value, sizeof(k->value), "%s %llu %u %08x %s", ic.copy.name,
			 (unsigned long long)ic.copy.at, ic.copy.flags, ~ic.copy.crc, ic.copy.end);
		break;
	case 1:
		snprintf(k->value, sizeof(k->value), "%s", ic.clock);
		break;
	case 2:
		snprintf(k->value, sizeof(k->value), "%s", ic.frozen ? "yes" : "no");
		break;
	case 3:
		snprintf(k->value, sizeof(k->value), "%s", ic.asked);
		break;
	default:
		snprintf(k->value, sizeof(k->value), "a\033[2Jb\302\233c");
	}
	return OVID_IC_OK;
}

/* As Linux: it is enumerated, and nothing else. */
static u32 auto_pool(struct ovid_ic_kvp *k, u16 kind)
{
	static const char *const pairs[][2] = {
		{ "OSName", "Fake" },
		{ "NetworkAddressIPv4", "192.0.2.1;192.0.2.2" },
		{ "NetworkAddressIPv6", "2001:db8::1" },
	};

	if (kind != OVID_IC_KVP_ENUMERATE || k->index >= ARRAY_SIZE(pairs))
		return OVID_IC_NO_MORE;
	k->type = OVID_IC_TEXT;
	snprintf(k->key, sizeof(k->key), "%s", pairs[k->index][0]);
	snprintf(k->value, sizeof(k->value), "%s", pairs[k->index][1]);
	return OVID_IC_OK;
}

static u32 kvp(struct ovid_ic_kvp *k, u16 kind)
{
	if (k->pool == OVID_IC_POOL_EXTERNAL)
		return external(k, kind);
	return k->pool == OVID_IC_POOL_GUEST ? guest_pool(k, kind) : auto_pool(k, kind);
}

static u32 kvp_ip(struct ovid_ic_kvp_ip *ip)
{
	if (strcmp(ip->adapter, "00:15:5d:00:00:01")) {
		ip->record.code = 0x80041002;
		return OVID_IC_REFUSED;
	}
	ip->dhcp = 1;
	strcpy(ip->address, "192.0.2.1");
	strcpy(ip->netmask, "255.255.255.0");
	strcpy(ip->gateway, "192.0.2.254");
	strcpy(ip->dns, "192.0.2.53");
	return OVID_IC_OK;
}

/* ---- the others ------------------------------------------------------------------ */

static u32 copy_start(const struct ovid_ic_copy_start *s)
{
	if (ic.copy.active)
		return OVID_IC_OUT_OF_ORDER;
	snprintf(ic.copy.name, sizeof(ic.copy.name), "%s%s", s->path, s->name);
	ic.copy.bytes = s->bytes;
	ic.copy.at = 0;
	ic.copy.flags = s->flags;
	ic.copy.crc = ~0u;
	ic.copy.active = true;
	ic.copy.end = "open";
	return OVID_IC_OK;
}

static u32 copy_data(const struct ovid_ic_copy_data *d)
{
	if (!ic.copy.active || d->offset != ic.copy.at || d->offset + d->bytes > ic.copy.bytes)
		return OVID_IC_OUT_OF_ORDER;
	if (mood("full"))
		return OVID_IC_REFUSED;
	for (u32 i = 0; i < d->bytes; i++) {
		ic.copy.crc ^= d->data[i];
		for (unsigned int k = 0; k < 8; k++)
			ic.copy.crc = ic.copy.crc >> 1 ^ (ic.copy.crc & 1 ? 0xedb88320 : 0);
	}
	ic.copy.at += d->bytes;
	return OVID_IC_OK;
}

static u32 copy_end(const char *how)
{
	if (!ic.copy.active)
		return OVID_IC_OUT_OF_ORDER;
	ic.copy.active = false;
	ic.copy.end = how;
	return OVID_IC_OK;
}

static u32 shut_down(const struct ovid_ic_shutdown *s)
{
	snprintf(ic.asked, sizeof(ic.asked), "%u %u %u %s", s->action, s->flags, s->timeout,
		 s->message);
	if (s->action == OVID_IC_HIBERNATE)
		return OVID_IC_UNSUPPORTED;
	if (!mood("stubborn"))
		ic.ending = s->action == OVID_IC_REBOOT ? 2 : 1;
	return OVID_IC_OK;
}

static u32 carry_out(union ic_record *r)
{
	switch (r->record.kind) {
	case OVID_IC_SHUTDOWN:
		return shut_down(&r->shutdown);
	case OVID_IC_TIMESYNC:
		snprintf(ic.clock, sizeof(ic.clock), "%s",
			 r->timesync.flags == OVID_IC_SYNC ? "set" : "sample");
		return OVID_IC_OK;
	case OVID_IC_KVP_GET_IP:
		return kvp_ip(&r->kvp_ip);
	case OVID_IC_VSS_CHECK:
		r->vss_check.flags = 5;
		return OVID_IC_OK;
	case OVID_IC_VSS_FREEZE:
	case OVID_IC_VSS_THAW:
		ic.frozen = r->record.kind == OVID_IC_VSS_FREEZE;
		return OVID_IC_OK;
	case OVID_IC_COPY_START:
		return copy_start(&r->copy_start);
	case OVID_IC_COPY_DATA:
		return copy_data(&r->copy_data);
	case OVID_IC_COPY_COMPLETE:
		return copy_end("done");
	case OVID_IC_COPY_CANCEL:
		return copy_end("cancelled");
	default:
		return kvp(&r->kvp, r->record.kind);
	}
}

static u32 answer(union ic_record *r)
{
	switch (r->record.kind) {
	case OVID_IC_STATE:
		r->state.guest = guest_state();
		return OVID_IC_OK;
	case OVID_IC_HEARTBEAT:
		fill_heartbeat(&r->heartbeat);
		return OVID_IC_OK;
	case OVID_IC_TIMESYNC_AUTO:
		snprintf(ic.clock, sizeof(ic.clock), "auto %u", r->timesync_auto.on);
		return OVID_IC_OK;
	default:
		return guest_state() == OVID_IC_READY ? carry_out(r) : OVID_IC_NOT_READY;
	}
}

static void serve(unsigned int n)
{
	union ic_record r;
	ssize_t len = read(ic.fd[n], &r, sizeof(r));

	if (len <= 0)
		ic.fd[n] = -1;
	if (len < (ssize_t)sizeof(r.record) || len != (ssize_t)ic_size(r.record.kind))
		return;
	ic.lives[n] |= r.record.kind == OVID_IC_HEARTBEAT;
	if (mood("silent") && r.record.kind != OVID_IC_STATE)
		return;
	if (mood("slow"))
		nanosleep(&(struct timespec){ .tv_nsec = 20000000 }, NULL);
	r.record.status = answer(&r);
	if (write(ic.fd[n], &r, len) != len)
		return;
}

static void tell(void)
{
	union ic_record r;

	for (unsigned int n = 0; n < ic.nr; n++) {
		ic_prepare(&r, OVID_IC_HEARTBEAT);
		fill_heartbeat(&r.heartbeat);
		if (ic.lives[n] && write(ic.fd[n], &r, r.record.size) < 0)
			return;
	}
}

static void *run(void *arg)
{
	const char *was = ic.mood, *now;
	struct pollfd pfd[OFFERS];
	unsigned int nr;

	(void)arg;
	for (;;) {
		nr = ic.nr;
		for (unsigned int n = 0; n < nr; n++)
			pfd[n] = (struct pollfd){ .fd = ic.fd[n], .events = POLLIN };
		poll(pfd, nr, 20);
		for (unsigned int n = 0; n < nr; n++)
			if (pfd[n].revents & (POLLIN | POLLHUP))
				serve(n);
		now = ic.mood;
		if (now != was)
			tell();
		was = now;
	}
	return NULL;
}

static int make_files(void)
{
	int fds[2];

	for (unsigned int i = 0; i < OFFERS; i++) {
		if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, fds))
			return -errno;
		ic.fd[i] = fds[1];
		ic.theirs[i] = fds[0];
	}
	return 0;
}

/*
 * The worker offers them one after the other, before its sandbox: the last one starts us.
 * When the VM moves it offers them once more.
 */
int fake_ic_offer(const char *provider)
{
	int ret = ic.nr ? 0 : make_files();
	unsigned int n = ic.nr;

	(void)provider;
	if (ret || n == OFFERS)
		return ret ?: -EMFILE;
	ic.nr = n + 1;
	if (ic.nr == COMPONENTS && pthread_create(&ic.thread, NULL, run, NULL))
		return -EAGAIN;
	return ic.theirs[n];
}
