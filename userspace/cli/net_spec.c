// SPDX-License-Identifier: GPL-2.0-only
/* net_spec.c - `--net SPEC`: what it says. */
#include <arpa/inet.h>
#include <ctype.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "net.h"

#define NOBODY		65534	/* what root's processes become */
#define LEAST_PREFIX	8	/* of a network of `user`'s: there is room for its addresses ... */
#define MOST_PREFIX	27	/* ... the last of which is number 30 */

/* a whole number of decimal digits, no more than @max; or -1 */
static long number(const char *text, long max)
{
	char *end;
	long n;

	errno = 0;
	n = strtol(text, &end, 10);
	return errno || !isdigit((unsigned char)*text) || *end || n > max ? -1 : n;
}

static int take_number(const struct net_words *w, const char *word, long min, long max, long *n,
		       struct failure *why)
{
	*n = number(strchr(word, '=') + 1, max);
	if (*n < min)
		return fail(why, OVID_X_USAGE, "%s: %s: give a number from %ld to %ld", w->option,
			    word, min, max);
	return 0;
}

static int take_switch(const struct net_words *w, const char *word, bool *is, struct failure *why)
{
	const char *text = strchr(word, '=') + 1;

	*is = !strcmp(text, "on");
	if (!*is && strcmp(text, "off"))
		return fail(why, OVID_X_USAGE, "%s: %s: give on or off", w->option, word);
	return 0;
}

/* ---- words of the card ---- */

static bool parse_mac(const char *text, u8 *mac)
{
	for (unsigned int i = 0; i < 6; i++, text += 3) {
		if (!isxdigit((unsigned char)text[0]) || !isxdigit((unsigned char)text[1]) ||
		    text[2] != (i < 5 ? ':' : 0))
			return false;
		mac[i] = strtoul(text, NULL, 16);
	}
	return !(mac[0] & 1) && (mac[0] | mac[1] | mac[2] | mac[3] | mac[4] | mac[5]);
}

static int take_mac(struct net_words *w, struct net_config *c, const char *word,
		    struct failure *why)
{
	w->has_mac = true;
	if (!parse_mac(word + strlen("mac="), c->mac))
		return fail(why, OVID_X_USAGE,
			    "%s: %s: give an address of one station, like 52:54:00:12:34:56",
			    w->option, word);
	return 0;
}

/* 1: it was one of them, 0: it was none */
static int take_card(struct net_words *w, struct net_config *c, const char *word,
		     struct failure *why)
{
	bool is = false;
	long n = 0;
	int ret;

	if (!strncmp(word, "mac=", 4)) {
		ret = take_mac(w, c, word, why);
	} else if (!strncmp(word, "queues=", 7)) {
		ret = take_number(w, word, 1, OVID_NET_MAX_QUEUES, &n, why);
		c->queues = n;
	} else if (!strncmp(word, "mtu=", 4)) {
		ret = take_number(w, word, OVID_NET_MIN_MTU, OVID_NET_MAX_MTU, &n, why);
		c->mtu = n;
	} else if (!strncmp(word, "guard=", 6)) {
		ret = take_switch(w, word, &c->guard, why);
	} else if (!strncmp(word, "link=", 5)) {
		ret = take_switch(w, word, &is, why);
		c->link_down = !is;
	} else {
		return 0;
	}
	w->of_card = word;
	return ret ?: 1;
}

/* ---- words of `user` ---- */

/* "ADDR:PORT" with an ADDR that may be empty, up to @end; what is behind it, or NULL */
static char *take_port(char *text, char end, u32 *addr, u16 *port)
{
	char *colon = strchr(text, ':'), *behind = colon ? strchr(colon, end) : NULL;
	struct in_addr in;
	long n;

	if (!behind)
		return NULL;
	if (end)
		*behind++ = 0;
	*colon = 0;
	n = number(colon + 1, 65535);
	if (n < 1 || (*text && inet_pton(AF_INET, text, &in) != 1))
		return NULL;
	if (*text)
		*addr = in.s_addr;
	*port = n;
	return behind;
}

int net_parse_forward(const char *option, struct slirp_forward *f, char *text, bool goes,
		      struct failure *why)
{
	char copy[64];
	char *at = text;

	snprintf(copy, sizeof(copy), "%s", text);
	*f = (struct slirp_forward){
		.udp = !strncmp(text, "udp:", 4), .host = htonl(INADDR_LOOPBACK),
	};
	if (f->udp || !strncmp(text, "tcp:", 4))
		at = take_port(text + 4, goes ? 0 : '-', &f->host, &f->host_port);
	else
		at = NULL;
	if (at && !goes)
		at = take_port(at, 0, &f->guest, &f->guest_port);
	if (at)
		return 0;
	return fail(why, OVID_X_USAGE, "%s: hostfwd=%s: give %s", option, copy, goes ?
		    "tcp or udp, and :[ADDR]:PORT of the host, like tcp::2222" :
		    "tcp or udp, and :[ADDR]:PORT of the host -[ADDR]:PORT of the guest, like tcp::2222-:22");
}

static int take_forward(struct net_words *w, char *text, struct failure *why)
{
	int ret;

	if (w->user.nr_forwards == SLIRP_FORWARDS)
		return fail(why, OVID_X_USAGE, "%s: at most %u times hostfwd=", w->option,
			    SLIRP_FORWARDS);
	ret = net_parse_forward(w->option, &w->user.forward[w->user.nr_forwards], text, false, why);
	if (!ret)
		w->user.nr_forwards++;
	return ret;
}

static void set_net(struct slirp_config *c, u32 addr, unsigned int prefix)
{
	c->mask = htonl(~0u << (32 - prefix));
	c->net = htonl(addr) & c->mask;
}

static int take_net(struct net_words *w, const char *text, struct failure *why)
{
	char copy[INET_ADDRSTRLEN + 4];
	char *slash;
	struct in_addr in;
	long prefix = -1;

	snprintf(copy, sizeof(copy), "%s", text);
	slash = strchr(copy, '/');
	if (slash) {
		*slash = 0;
		prefix = number(slash + 1, MOST_PREFIX);
	}
	if (prefix < LEAST_PREFIX || strlen(text) >= sizeof(copy) ||
	    inet_pton(AF_INET, copy, &in) != 1 || ntohl(in.s_addr) >> 24 == 0 ||
	    ntohl(in.s_addr) >> 24 == 127 || ntohl(in.s_addr) >> 24 >= 224)
		return fail(why, OVID_X_USAGE,
			    "%s: net=%s: give a network with a prefix from %u to %u, like 10.0.2.0/24",
			    w->option, text, LEAST_PREFIX, MOST_PREFIX);
	set_net(&w->user, ntohl(in.s_addr), prefix);
	return 0;
}

static int take_host_name(struct net_words *w, const char *text, struct failure *why)
{
	size_t len = strlen(text);
	bool good = len && len < SLIRP_HOST_NAME && *text != '-';

	for (const char *p = text; good && *p; p++)
		good = isalnum((unsigned char)*p) || *p == '-' || *p == '.';
	if (!good)
		return fail(why, OVID_X_USAGE,
			    "%s: hostname=%s: letters, digits, '-' and '.', at most %u", w->option,
			    text, SLIRP_HOST_NAME - 1);
	strcpy(w->user.host_name, text);
	return 0;
}

static int take_user(struct net_words *w, char *word, struct failure *why)
{
	int ret;

	if (!strncmp(word, "hostfwd=", 8))
		ret = take_forward(w, word + 8, why);
	else if (!strncmp(word, "net=", 4))
		ret = take_net(w, word + 4, why);
	else if (!strncmp(word, "restrict=", 9))
		ret = take_switch(w, word, &w->user.restricted, why);
	else if (!strncmp(word, "hostname=", 9))
		ret = take_host_name(w, word + 9, why);
	else
		return 0;
	return ret ?: 1;
}

/* ---- the end ---- */

/* as the kernel has it, besides '%', by which it makes names */
static bool ifname_ok(const char *name)
{
	size_t len = strlen(name);

	if (!len || len >= OVID_NET_IFNAME_BYTES || !strcmp(name, ".") || !strcmp(name, ".."))
		return false;
	for (; *name; name++)
		if (isspace((unsigned char)*name) || !isprint((unsigned char)*name) ||
		    strchr("/:%", *name))
			return false;
	return true;
}

static int take_ifname(const struct net_words *w, const char *text, char *name, struct failure *why)
{
	if (!ifname_ok(text))
		return fail(why, OVID_X_USAGE, "%s: \"%s\" is no name of an interface", w->option,
			    text);
	strcpy(name, text);
	return 0;
}

static int take_file(struct net_words *w, const char *word, struct failure *why)
{
	long n = number(word + strlen("fd="), 1 << 20);

	if (n < 0 || fcntl(n, F_GETFD) < 0)
		return fail(why, OVID_X_USAGE, "%s: %s: give the number of an open file", w->option,
			    word);
	w->file = n;
	return 0;
}

static int take_end(struct net_words *w, struct net_config *c, const char *word,
		    struct failure *why)
{
	snprintf(c->end, sizeof(c->end), "%s", word);
	if (!strcmp(word, "none")) {
		c->kind = NET_NONE;
	} else if (!strcmp(word, "user")) {
		c->kind = NET_USER;
	} else if (!strcmp(word, "if")) {
		c->kind = NET_IF;
	} else if (!strncmp(word, "if=", 3)) {
		c->kind = NET_IF;
		return take_ifname(w, word + 3, c->ifname, why);
	} else if (!strncmp(word, "tap=", 4)) {
		c->kind = NET_TAP;
		return take_ifname(w, word + 4, c->ifname, why);
	} else if (!strncmp(word, "bridge=", 7)) {
		c->kind = NET_BRIDGE;
		return take_ifname(w, word + 7, c->bridge, why);
	} else if (!strncmp(word, "fd=", 3)) {
		c->kind = NET_FD;
		return take_file(w, word, why);
	} else {
		return fail(why, OVID_X_USAGE,
			    "%s %s: give user, bridge=NAME, tap=NAME, if[=NAME], fd=N or none",
			    w->option, word);
	}
	return 0;
}

static int take_vlan(struct net_words *w, struct net_config *c, const char *word,
		     struct failure *why)
{
	long n;
	int ret = take_number(w, word, 1, 4094, &n, why);

	if (!ret && c->kind != NET_BRIDGE)
		ret = fail(why, OVID_X_USAGE,
			   "%s: %s: it is a bridge that has VLANs; give bridge=NAME, or put the interface into one yourself",
			   w->option, word);
	c->vlan = n;
	return ret ?: 1;
}

static int take_word(struct net_words *w, struct net_config *c, char *word, struct failure *why)
{
	int ret = take_card(w, c, word, why);

	if (!ret && !strncmp(word, "vlan=", 5))
		ret = take_vlan(w, c, word, why);
	if (!ret && c->kind == NET_USER)
		ret = take_user(w, word, why);
	if (!ret)
		ret = fail(why, OVID_X_USAGE, "%s %s: \"%s\" is no word of it; see `ovid run --help`",
			   w->option, c->end, word);
	return ret < 0 ? ret : 0;
}

int net_parse(const char *option, struct net_words *w, struct net_config *c, char *text,
	      struct failure *why)
{
	char *word = strsep(&text, ",");
	int ret;

	*w = (struct net_words){ .option = option, .file = -1 };
	*c = (struct net_config){ .there = true, .queues = NET_QUEUES, .mtu = NET_MTU };
	w->user.uid = w->user.gid = NOBODY;
	set_net(&w->user, 10u << 24 | 2 << 8, 24);
	ret = take_end(w, c, word, why);
	while (!ret && (word = strsep(&text, ",")))
		ret = take_word(w, c, word, why);
	w->user.mtu = c->mtu;
	return ret;
}

/* ---- addresses ---- */

static u64 hash(u64 h, const char *text, size_t len)
{
	for (size_t i = 0; i < len; i++)
		h = (h ^ (u8)text[i]) * 0x100000001b3ull;
	return h;
}

/* locally administered; the host's own id is not to be seen in it */
void net_mac(const char *vm, unsigned int nr, u8 *mac)
{
	int fd = open("/etc/machine-id", O_RDONLY | O_CLOEXEC);
	char id[32];
	ssize_t len = fd < 0 ? 0 : read(fd, id, sizeof(id));
	u64 h = hash(0xcbf29ce484222325ull, id, len > 0 ? len : 0);

	if (fd >= 0)
		close(fd);
	h = hash(h, vm, strlen(vm));
	h ^= h >> 29;
	h *= 0xbf58476d1ce4e5b9ull;
	h ^= h >> 32;
	for (unsigned int i = 0; i < 6; i++)
		mac[i] = h >> 8 * i;
	mac[0] = (mac[0] & 0xfc) | 2;
	mac[5] += nr;
}
