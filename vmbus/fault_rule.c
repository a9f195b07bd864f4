// SPDX-License-Identifier: GPL-2.0-only
/*
 * Rules of faults: read, and asked whether they are due.
 */
#include "../vmm/purelib.h"
#include "fault_rule.h"
#include "names.h"

static const char *const actions[] = {
	[OVID_FAULT_DROP] = "drop",
	[OVID_FAULT_DELAY] = "delay",
	[OVID_FAULT_REFUSE] = "refuse",
	[OVID_FAULT_RESCIND] = "rescind",
	[OVID_FAULT_CORRUPT] = "corrupt",
};

static const char *const places[] = {
	[OVID_FAULT_IN] = "in",
	[OVID_FAULT_OUT] = "out",
	[OVID_FAULT_OPEN] = "open",
	[OVID_FAULT_GPADL] = "gpadl",
	[OVID_FAULT_PACKET] = "packet",
};

static const char *const fields[] = {
	[OVID_FAULT_NO_FIELD] = "",
	[OVID_FAULT_TYPE] = "type",
	[OVID_FAULT_OFFSET] = "offset",
	[OVID_FAULT_LENGTH] = "length",
	[OVID_FAULT_FLAGS] = "flags",
	[OVID_FAULT_TRANSACTION] = "transaction",
	[OVID_FAULT_PAYLOAD] = "payload",
};

#define MESSAGE(name)	{ VMBUS_##name, #name },
static const struct {
	u32 type;
	const char *name;
} messages[] = {
	VMBUS_MESSAGES(MESSAGE, MESSAGE)
};

/* where each may happen: a bit for each enum ovid_fault_where */
static const u8 fits[] = {
	[OVID_FAULT_DROP] = BIT(OVID_FAULT_IN) | BIT(OVID_FAULT_OUT),
	[OVID_FAULT_DELAY] = BIT(OVID_FAULT_IN) | BIT(OVID_FAULT_OUT),
	[OVID_FAULT_REFUSE] = BIT(OVID_FAULT_OPEN) | BIT(OVID_FAULT_GPADL),
	[OVID_FAULT_RESCIND] = BIT(OVID_FAULT_IN) | BIT(OVID_FAULT_OUT) | BIT(OVID_FAULT_PACKET),
	[OVID_FAULT_CORRUPT] = BIT(OVID_FAULT_PACKET),
};

static int find(const char *const *names, u32 nr, const char *word)
{
	u32 i;

	for (i = 0; i < nr; i++)
		if (*names[i] && !strcmp(names[i], word))
			return i;
	return -EINVAL;
}

static int digit(char c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	if (c >= 'a' && c <= 'f')
		return c - 'a' + 10;
	return 16;
}

/* decimal, or hexadecimal with 0x; at most @max */
static int number(const char *word, u64 max, u64 *value)
{
	u32 base = 10;

	if (word[0] == '0' && word[1] == 'x') {
		base = 16;
		word += 2;
	}
	*value = 0;
	if (!*word)
		return -EINVAL;
	for (; *word; word++) {
		u32 d = digit(*word);

		if (d >= base || *value > (max - d) / base)
			return -EINVAL;
		*value = *value * base + d;
	}
	return 0;
}

static int read_u32(const char *word, u32 max, u32 *to)
{
	u64 value;

	if (number(word, max, &value))
		return -EINVAL;
	*to = value;
	return 0;
}

static int read_name(const char *word, char *to)
{
	size_t len = strlen(word);

	if (!len || len >= OVID_FAULT_NAME)
		return -EINVAL;
	memcpy(to, word, len + 1);
	return 0;
}

static int read_type(const char *word, u32 *type)
{
	u32 i;

	for (i = 0; i < ARRAY_SIZE(messages); i++) {
		if (strcmp(messages[i].name, word))
			continue;
		*type = messages[i].type;
		return 0;
	}
	return read_u32(word, ~0u, type);
}

static int read_field(const char *word, enum ovid_fault_field *field)
{
	int found = find(fields, ARRAY_SIZE(fields), word);

	if (found < 0)
		return found;
	*field = found;
	return 0;
}

static int read_setting(char *word, struct ovid_fault_rule *rule)
{
	char *value = strchr(word, '=');

	if (!value)
		return -EINVAL;
	*value++ = 0;
	if (!strcmp(word, "type"))
		return read_type(value, &rule->type);
	if (!strcmp(word, "relid"))
		return read_u32(value, ~0u, &rule->relid);
	if (!strcmp(word, "provider"))
		return read_name(value, rule->provider);
	if (!strcmp(word, "nth"))
		return read_u32(value, ~0u, &rule->nth);
	if (!strcmp(word, "times"))
		return read_u32(value, ~0u, &rule->times);
	if (!strcmp(word, "ms"))
		return read_u32(value, OVID_FAULT_MAX_MS, &rule->ms);
	if (!strcmp(word, "field"))
		return read_field(value, &rule->field);
	if (!strcmp(word, "xor"))
		return number(value, ~0ull, &rule->xor);
	return -EINVAL;
}

/* the next word, or NULL */
static char *next_word(char **text)
{
	char *word;

	do {
		word = strsep(text, " \t");
	} while (word && !*word);
	return word;
}

static bool makes_sense(const struct ovid_fault_rule *rule)
{
	bool messages = rule->where == OVID_FAULT_IN || rule->where == OVID_FAULT_OUT;

	return fits[rule->what] & BIT(rule->where) && rule->nth &&
	       (!rule->type || messages) &&
	       !!rule->ms == (rule->what == OVID_FAULT_DELAY) &&
	       !!rule->field == (rule->what == OVID_FAULT_CORRUPT);
}

static int read_where(const char *word, enum ovid_fault_where *where)
{
	int found = word ? find(places, ARRAY_SIZE(places), word) : -EINVAL;

	if (found < 0)
		return found;
	*where = found;
	return 0;
}

int ovid_fault_parse(char *text, struct ovid_fault_rule *rule)
{
	size_t len = strlen(text);
	char *word;
	int what;

	*rule = (struct ovid_fault_rule){ .nth = 1, .times = 1, .xor = ~0ull };
	if (len >= sizeof(rule->text))
		return -EINVAL;
	memcpy(rule->text, text, len + 1);
	word = next_word(&text);
	what = word ? find(actions, ARRAY_SIZE(actions), word) : -EINVAL;
	if (what < 0 || read_where(next_word(&text), &rule->where))
		return -EINVAL;
	rule->what = what;
	while ((word = next_word(&text)))
		if (read_setting(word, rule))
			return -EINVAL;
	return makes_sense(rule) ? 0 : -EINVAL;
}

bool ovid_fault_due(struct ovid_fault_rule *rule, const struct ovid_fault_event *event)
{
	if (rule->what != event->what || rule->where != event->where)
		return false;
	if (rule->type && rule->type != event->type)
		return false;
	if (rule->relid && rule->relid != event->relid)
		return false;
	if (*rule->provider && strcmp(rule->provider, event->provider))
		return false;
	rule->seen++;
	if (rule->seen < rule->nth || (rule->times && rule->done == rule->times))
		return false;
	rule->done++;
	return true;
}

u32 ovid_fault_relid(const void *msg, u32 bytes)
{
	const struct vmbus_w_offer *offer = msg;
	const struct vmbus_w_relid *m = msg;

	if (bytes < sizeof(*m))
		return 0;
	switch (m->h.type) {
	case VMBUS_OFFER:
		return bytes < sizeof(*offer) ? 0 : offer->relid;
	case VMBUS_RESCIND:
	case VMBUS_OPEN:
	case VMBUS_OPEN_RESULT:
	case VMBUS_CLOSE:
	case VMBUS_GPADL_HEADER:
	case VMBUS_GPADL_CREATED:
	case VMBUS_GPADL_TEARDOWN:
	case VMBUS_RELID_RELEASED:
	case VMBUS_MODIFY:
	case VMBUS_MODIFY_RESPONSE:
		return m->relid;
	default:
		return 0;
	}
}

void ovid_fault_spoil(const struct ovid_fault_rule *rule, struct vmbus_w_packet *packet,
		      u32 payload)
{
	u64 *words = (u64 *)(packet + 1);

	switch (rule->field) {
	case OVID_FAULT_NO_FIELD:
		break;
	case OVID_FAULT_TYPE:
		packet->type ^= rule->xor;
		break;
	case OVID_FAULT_OFFSET:
		packet->offset8 ^= rule->xor;
		break;
	case OVID_FAULT_LENGTH:
		packet->len8 ^= rule->xor;
		break;
	case OVID_FAULT_FLAGS:
		packet->flags ^= rule->xor;
		break;
	case OVID_FAULT_TRANSACTION:
		packet->trans_id ^= rule->xor;
		break;
	case OVID_FAULT_PAYLOAD:
		/* it is padded to whole words */
		if (payload)
			*words ^= rule->xor;
		break;
	}
}
