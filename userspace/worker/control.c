// SPDX-License-Identifier: GPL-2.0-only
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

#include "control.h"

void control_init(struct control *c, int listen_fd, int end_fd)
{
	memset(c, 0, sizeof(*c));
	c->listen_fd = listen_fd;
	c->end_fd = end_fd;
	c->started = host_ns();
	for (unsigned int i = 0; i < CONTROL_CLIENTS; i++)
		c->client[i].fd = -1;
}

unsigned int control_poll(struct control *c, struct pollfd *pfd)
{
	unsigned int nr = 0;
	bool room = false;

	for (unsigned int i = 0; i < CONTROL_CLIENTS; i++) {
		if (c->client[i].fd >= 0)
			pfd[nr++] = (struct pollfd){ .fd = c->client[i].fd, .events = POLLIN };
		else
			room = true;
	}
	if (c->listen_fd >= 0 && room)
		pfd[nr++] = (struct pollfd){ .fd = c->listen_fd, .events = POLLIN };
	return nr;
}

int control_accept(int listen_fd, u32 owner)
{
	int fd = accept4(listen_fd, NULL, NULL, SOCK_CLOEXEC | SOCK_NONBLOCK);
	long uid;

	if (fd < 0)
		return -1;
	uid = ctl_peer_uid(fd);
	if (uid == 0 || uid == (long)owner)
		return fd;
	close(fd);
	return -1;
}

static void drop_files(struct control_client *cl)
{
	if (cl->file >= 0)
		close(cl->file);
	cl->file = -1;
	while (cl->nr_more)
		close(cl->more[--cl->nr_more]);
}

static void take_files(struct control_client *cl, const int *fds, unsigned int nr)
{
	for (unsigned int i = 0; i < nr; i++) {
		if (cl->file < 0)
			cl->file = fds[i];
		else if (cl->nr_more < OVID_DISK_MAX_PARENTS)
			cl->more[cl->nr_more++] = fds[i];
		else
			close(fds[i]);
	}
}

static void client_close(struct control_client *cl)
{
	drop_files(cl);
	close(cl->fd);
	cl->fd = -1;
}

struct json_object *control_ok(void)
{
	struct json_object *msg = json_object_new_object();

	json_object_object_add(msg, "ok", json_object_new_boolean(true));
	return msg;
}

void control_answer(struct control_client *cl, struct json_object *msg, const int *fds,
		    unsigned int nr)
{
	int ret = ctl_send(cl->fd, msg, fds, nr);

	json_object_put(msg);
	if (ret)
		client_close(cl);
}

void control_refuse(struct control_client *cl, const char *text)
{
	struct json_object *msg = json_object_new_object();

	json_object_object_add(msg, "ok", json_object_new_boolean(false));
	json_object_object_add(msg, "error", json_object_new_string(text));
	control_answer(cl, msg, NULL, 0);
}

static void answer(struct control_client *cl, struct json_object *msg)
{
	control_answer(cl, msg, NULL, 0);
}

static void answer_result(struct control_client *cl, int error)
{
	if (error)
		control_refuse(cl, strerror(-error));
	else
		answer(cl, control_ok());
}

static void do_info(struct control *c, struct machine *m, struct control_client *cl)
{
	struct json_object *msg = control_ok();

	json_object_object_add(msg, "name", json_object_new_string(m->config->name));
	json_object_object_add(msg, "state",
			       json_object_new_string(m->paused ? "paused" : "running"));
	json_object_object_add(msg, "pid", json_object_new_int(getpid()));
	json_object_object_add(msg, "vps", json_object_new_int(m->nr_vps));
	json_object_object_add(msg, "memory", json_object_new_int64(m->mem.bytes));
	json_object_object_add(msg, "kernel", json_object_new_string(m->files.kernel.name));
	json_object_object_add(msg, "uptime",
			       json_object_new_int64((host_ns() - c->started) / NSEC_PER_SEC));
	json_object_object_add(msg, "vmbus", json_object_new_boolean(m->vmbus.there));
	json_object_object_add(msg, "disks", json_object_new_int(m->config->disks.nr));
	json_object_object_add(msg, "nics", json_object_new_int(nets_count(&m->config->nets)));
	answer(cl, msg);
}

static void do_pause(struct control *c, struct machine *m, struct control_client *cl)
{
	(void)c;
	answer_result(cl, machine_pause(m, true));
}

static void do_resume(struct control *c, struct machine *m, struct control_client *cl)
{
	(void)c;
	answer_result(cl, machine_pause(m, false));
}

static void do_reset(struct control *c, struct machine *m, struct control_client *cl)
{
	(void)c;
	machine_want_reset(m);
	answer_result(cl, 0);
}

static void do_nmi(struct control *c, struct machine *m, struct control_client *cl)
{
	(void)c;
	answer_result(cl, vid_inject(m->part, OVID_INJECT_NMI, 0, 0));
}

static void do_kill(struct control *c, struct machine *m, struct control_client *cl)
{
	(void)c;
	answer_result(cl, 0);
	machine_end(m, OVID_X_STOPPED, "%s", "");
}

/* A client that has gone, though its end was not served yet, has nothing any more. */
static bool lent(struct control *c, const struct control_client *to, u32 device)
{
	for (unsigned int i = 0; i < CONTROL_CLIENTS; i++) {
		struct control_client *cl = &c->client[i];
		struct pollfd pfd = { .fd = cl->fd, .events = POLLRDHUP };

		if (cl == to || cl->fd < 0 || !(cl->borrows & BIT(device)))
			continue;
		if (poll(&pfd, 1, 0) <= 0)
			return true;
		client_close(cl);
	}
	return false;
}

/* The new partition comes from whoever asks: the worker cannot make one any more. */
static void do_pulse(struct control *c, struct machine *m, struct control_client *cl)
{
	struct failure why = { "" };
	u64 began = host_ns();
	struct json_object *msg;
	int part = cl->file, nets[NETS_MAX];

	cl->file = -1;
	if (part < 0) {
		control_refuse(cl, "no partition came with the question; do tools and VM belong together?");
		return;
	}
	for (u32 device = 0; device < VMBUS_DEVICES; device++) {
		if (!lent(c, NULL, device))
			continue;
		close(part);
		control_refuse(cl, "another command waits for an integration component; try again when it has ended");
		return;
	}
	if (machine_pulse(m, part, &why)) {
		control_refuse(cl, why.text);
		return;
	}
	msg = control_ok();
	json_object_object_add(msg, "us", json_object_new_int64((host_ns() - began) / 1000));
	/* their interfaces went with the old partition's channels */
	json_object_object_add(msg, "interfaces", control_net_names(m));
	control_answer(cl, msg, nets, vmbus_bare_nets(&m->vmbus, nets));
}

/* Cards come and go: their files are made when they are asked for.  How many. */
static unsigned int net_stats(const struct machine *m, int *fd)
{
	unsigned int nr = 0;

	for (unsigned int i = 0; m->vmbus.there && i < NETS_MAX; i++) {
		fd[nr] = m->vmbus.net_fd[i] < 0 ? -1 : vid_stats_fd(m->vmbus.net_fd[i]);
		nr += fd[nr] >= 0;
	}
	return nr;
}

/* The statistics files themselves: whoever may ask may read them live. */
static void do_stat(struct control *c, struct machine *m, struct control_client *cl)
{
	struct json_object *msg = control_ok();
	int fds[CTL_MAX_FDS];
	unsigned int nr = 0, first, nets;

	(void)c;
	if (m->stats_fd >= 0)
		fds[nr++] = m->stats_fd;
	for (unsigned int i = 0; m->vmbus.there && i < VMBUS_DEVICES; i++)
		if (m->vmbus.stats_fd[i] >= 0)
			fds[nr++] = m->vmbus.stats_fd[i];
	first = nr;
	nets = net_stats(m, &fds[nr]);
	nr += nets;
	for (unsigned int i = 0; i < m->nr_vps && nr < CTL_MAX_FDS; i++)
		if (m->vp[i].stats_fd >= 0)
			fds[nr++] = m->vp[i].stats_fd;
	json_object_object_add(msg, "files", json_object_new_int(nr));
	control_answer(cl, msg, fds, nr);
	while (nets)
		close(fds[first + --nets]);
}

/*
 * A channel's file is lent to one client at a time, until its connection ends: what is read
 * from it is the answer to whoever has asked.
 */
static void do_lend(struct control *c, struct machine *m, struct control_client *cl, u32 device)
{
	struct failure why = { "" };

	if (!m->vmbus.there)
		fail_text(&why, "%s has no VMBus: it was started with --vmbus off, or --hv without synic and messages",
			  m->config->name);
	else if (m->vmbus.fd[device] < 0)
		fail_text(&why, "the module was built without this integration component");
	else if (lent(c, cl, device))
		fail_text(&why, "another command uses this component of %s; try again when it has ended",
			  m->config->name);
	if (why.text[0]) {
		control_refuse(cl, why.text);
		return;
	}
	cl->borrows |= BIT(device);
	control_answer(cl, control_ok(), &m->vmbus.fd[device], 1);
}

static void do_wait(struct control *c, struct machine *m, struct control_client *cl)
{
	(void)c;
	(void)m;
	cl->waits = true;
}

/* From here on the connection is the serial line. */
static void do_console(struct control *c, struct machine *m, struct control_client *cl)
{
	int fd = cl->fd;

	(void)c;
	answer_result(cl, 0);
	if (cl->fd < 0)
		return;
	cl->fd = -1;
	if (chario_attach(&m->console, fd, fd, false))
		close(fd);
	machine_wake(m);
}

static const struct {
	const char *name;
	void (*handle)(struct control *c, struct machine *m, struct control_client *cl);
} verbs[] = {
	{ "info",	do_info },
	{ "pause",	do_pause },
	{ "resume",	do_resume },
	{ "reset",	do_reset },
	{ "nmi",	do_nmi },
	{ "pulse",	do_pulse },
	{ "kill",	do_kill },
	{ "stat",	do_stat },
	{ "wait",	do_wait },
	{ "console",	do_console },
};

static void carry_out(struct control *c, struct machine *m, struct control_client *cl,
		      const char *verb)
{
	int device = vmbus_device(verb);

	for (size_t i = 0; i < ARRAY_SIZE(verbs); i++) {
		if (strcmp(verb, verbs[i].name))
			continue;
		verbs[i].handle(c, m, cl);
		return;
	}
	if (device >= 0)
		do_lend(c, m, cl, device);
	else if (!control_disk(m, cl, verb) && !control_net(m, cl, verb))
		answer_result(cl, -EINVAL);
}

static void handle_line(struct control *c, struct machine *m, struct control_client *cl)
{
	struct json_object *msg = json_tokener_parse(cl->line), *field;
	const char *verb = NULL;

	if (json_object_is_type(msg, json_type_object) &&
	    json_object_object_get_ex(msg, "do", &field))
		verb = json_object_get_string(field);
	cl->question = msg;
	if (verb)
		carry_out(c, m, cl, verb);
	else
		answer_result(cl, -EINVAL);
	cl->question = NULL;
	json_object_put(msg);
}

static void client_read(struct control *c, struct machine *m, struct control_client *cl)
{
	int fds[1 + OVID_DISK_MAX_PARENTS];
	unsigned int nr = 0;
	ssize_t done = ctl_read(cl->fd, cl->line + cl->len, sizeof(cl->line) - 1 - cl->len, fds,
				&nr, ARRAY_SIZE(fds));
	char *end;

	take_files(cl, fds, nr);
	if (done < 0 && (errno == EAGAIN || errno == EINTR))
		return;
	if (done <= 0) {
		client_close(cl);
		return;
	}
	cl->len += done;
	cl->line[cl->len] = 0;
	end = strchr(cl->line, '\n');
	if (!end) {
		if (cl->len == sizeof(cl->line) - 1)
			client_close(cl);
		return;
	}
	/* a client waits for its answer before it asks again */
	*end = 0;
	cl->len = 0;
	handle_line(c, m, cl);
	drop_files(cl);
}

static void client_add(struct control *c, struct machine *m)
{
	int fd = control_accept(c->listen_fd, m->config->owner);

	for (unsigned int i = 0; i < CONTROL_CLIENTS && fd >= 0; i++) {
		if (c->client[i].fd >= 0)
			continue;
		c->client[i] = (struct control_client){ .fd = fd, .file = -1 };
		return;
	}
	if (fd >= 0)
		close(fd);
}

void control_serve(struct control *c, struct machine *m, const struct pollfd *pfd,
		   unsigned int nr)
{
	for (unsigned int i = 0; i < nr; i++) {
		if (!pfd[i].revents)
			continue;
		if (pfd[i].fd == c->listen_fd)
			client_add(c, m);
		for (unsigned int k = 0; k < CONTROL_CLIENTS; k++)
			if (c->client[k].fd == pfd[i].fd && pfd[i].fd >= 0) {
				client_read(c, m, &c->client[k]);
				break;
			}
	}
}

static struct json_object *last_word(int status, const char *text)
{
	struct json_object *msg = control_ok();

	json_object_object_add(msg, "status", json_object_new_int(status));
	json_object_object_add(msg, "text", json_object_new_string(text));
	return msg;
}

/* Before the socket goes: who finds nobody there looks for this. */
static void write_end(const struct control *c, int status, const char *text)
{
	struct json_object *msg = last_word(status, text);
	const char *line = json_object_to_json_string_ext(msg, JSON_C_TO_STRING_PLAIN);

	/* no room: as if the worker had been killed */
	if (c->end_fd >= 0 && write(c->end_fd, line, strlen(line)) < 0)
		close(c->end_fd);
	json_object_put(msg);
}

void control_end(struct control *c, int status, const char *text)
{
	write_end(c, status, text);
	if (c->listen_fd >= 0)
		close(c->listen_fd);	/* the name is free */
	for (unsigned int i = 0; i < CONTROL_CLIENTS; i++) {
		struct control_client *cl = &c->client[i];

		if (cl->fd >= 0 && cl->waits)
			answer(cl, last_word(status, text));
	}
}
