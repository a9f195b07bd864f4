// SPDX-License-Identifier: GPL-2.0-only
#include <ctype.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/file.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include "ctl.h"

#define PATH_LEN	128
#define NO_ANSWER	"it does not answer; is its process stopped (see `ps`)?"

bool ctl_name_ok(const char *name)
{
	size_t len = strlen(name);

	if (!len || len > 31 || name[0] == '.' || name[0] == '-')
		return false;
	for (; *name; name++)
		if (!isalnum((unsigned char)*name) && !strchr("-_.", *name))
			return false;
	return true;
}

int ctl_folder(char *path, size_t len, struct failure *why)
{
	const char *own = getenv("OVID_RUNTIME_DIR"), *xdg = getenv("XDG_RUNTIME_DIR");
	struct stat st;
	int n;

	if (own)
		n = snprintf(path, len, "%s", own);
	else if (geteuid() == 0)
		n = snprintf(path, len, "/run/ovid");
	else if (xdg)
		n = snprintf(path, len, "%s/ovid", xdg);
	else
		n = snprintf(path, len, "/tmp/ovid-%u", geteuid());
	if (n < 0 || (size_t)n >= len)
		return fail(why, OVID_X_USAGE, "the runtime folder's path is too long");
	if (mkdir(path, 0700) && errno != EEXIST)
		return fail(why, OVID_X_HOST, "cannot make %s: %s", path, strerror(errno));
	if (lstat(path, &st) || !S_ISDIR(st.st_mode) || st.st_uid != geteuid() ||
	    (st.st_mode & 022))
		return fail(why, OVID_X_HOST,
			    "%s is not a folder of yours alone; remove it or set OVID_RUNTIME_DIR",
			    path);
	return 0;
}

static int path_of(const char *name, const char *kind, char *path, size_t len,
		   struct failure *why)
{
	char folder[80];
	int n, ret = ctl_folder(folder, sizeof(folder), why);

	if (ret)
		return ret;
	n = snprintf(path, len, "%s/%s.%s", folder, name, kind);
	if (n < 0 || (size_t)n >= len)
		return fail(why, OVID_X_USAGE, "the runtime folder's path is too long");
	return 0;
}

static int address(const char *name, struct sockaddr_un *sa, struct failure *why)
{
	*sa = (struct sockaddr_un){ .sun_family = AF_UNIX };
	return path_of(name, "sock", sa->sun_path, sizeof(sa->sun_path), why);
}

void ctl_set_patience(int fd, int seconds)
{
	const struct timeval t = { .tv_sec = seconds };

	setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &t, sizeof(t));
	setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &t, sizeof(t));
}

static int connect_to(const struct sockaddr_un *sa)
{
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0), error;

	if (fd < 0)
		return -errno;
	ctl_set_patience(fd, CTL_SECONDS);
	if (!connect(fd, (const struct sockaddr *)sa, sizeof(*sa)))
		return fd;
	error = errno;
	close(fd);
	return -error;
}

/*
 * Names are given and taken under a lock on the folder, so that nobody removes a
 * socket that has just taken a dead one's place.  Closing the file unlocks.
 */
static int lock_folder(const struct sockaddr_un *sa)
{
	char folder[sizeof(sa->sun_path)];
	int fd;

	snprintf(folder, sizeof(folder), "%s", sa->sun_path);
	*strrchr(folder, '/') = 0;
	fd = open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (fd >= 0)
		flock(fd, LOCK_EX);
	return fd;
}

/* Under the lock: a socket that nobody listens at goes away. */
static int connect_or_remove(const struct sockaddr_un *sa)
{
	int fd = connect_to(sa);

	if (fd != -ECONNREFUSED)
		return fd;
	unlink(sa->sun_path);
	return -ENOENT;
}

int ctl_connect(const char *name, struct failure *why)
{
	struct sockaddr_un sa;
	int fd, lock, ret = address(name, &sa, why);

	if (ret)
		return ret;
	fd = connect_to(&sa);
	if (fd == -ECONNREFUSED) {
		lock = lock_folder(&sa);
		fd = connect_or_remove(&sa);
		close(lock);
	}
	if (fd == -ENOENT)
		return fail(why, OVID_X_USAGE, "no VM is called %s (see `ovid list`)", name);
	if (fd < 0)
		return fail(why, OVID_X_HOST, "cannot reach %s: %s", name,
			    fd == -EAGAIN ? NO_ANSWER : strerror(-fd));
	return fd;
}

/* It gets its name when it listens, so that it is never seen half made. */
static int bind_as(int fd, const struct sockaddr_un *sa)
{
	struct sockaddr_un tmp = { .sun_family = AF_UNIX };
	int ret = 0;

	snprintf(tmp.sun_path, sizeof(tmp.sun_path), "%.*s.%d",
		 (int)(sizeof(tmp.sun_path) - 13), sa->sun_path, getpid());
	unlink(tmp.sun_path);
	if (bind(fd, (struct sockaddr *)&tmp, sizeof(tmp)) ||
	    chmod(tmp.sun_path, 0600) || listen(fd, 8))
		ret = -errno;
	if (!ret && link(tmp.sun_path, sa->sun_path))
		ret = -errno;
	unlink(tmp.sun_path);
	return ret;
}

static int listen_as(const char *name, const struct sockaddr_un *sa, struct failure *why)
{
	int fd = connect_or_remove(sa), ret;

	if (fd >= 0) {
		close(fd);
		return fail(why, OVID_X_USAGE, "a VM called %s is running; choose another --name",
			    name);
	}
	fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	if (fd < 0)
		return fail(why, OVID_X_HOST, "cannot make a socket: %s", strerror(errno));
	ret = bind_as(fd, sa);
	if (!ret)
		return fd;
	close(fd);
	return fail(why, OVID_X_HOST, "cannot make %s: %s", sa->sun_path, strerror(-ret));
}

int ctl_listen(const char *name, struct failure *why)
{
	struct sockaddr_un sa;
	int lock, ret = address(name, &sa, why);

	if (ret)
		return ret;
	lock = lock_folder(&sa);
	ret = listen_as(name, &sa, why);
	close(lock);
	return ret;
}

void ctl_unlink(const char *name)
{
	struct sockaddr_un sa;
	struct failure why;
	char path[PATH_LEN];
	int fd, lock;

	if (address(name, &sa, &why) || path_of(name, "end", path, sizeof(path), &why))
		return;
	lock = lock_folder(&sa);
	fd = connect_or_remove(&sa);
	if (fd < 0)
		unlink(path);
	else
		close(fd);	/* a VM that has taken the name meanwhile */
	close(lock);
}

int ctl_end_create(const char *name, struct failure *why)
{
	char path[PATH_LEN];
	int fd, ret = path_of(name, "end", path, sizeof(path), why);

	if (ret)
		return ret;
	unlink(path);	/* that of the one who had the name before */
	fd = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
	if (fd < 0)
		return fail(why, OVID_X_HOST, "cannot make %s: %s", path, strerror(errno));
	return fd;
}

int ctl_end_read(const char *name, struct json_object **end, struct failure *why)
{
	char path[PATH_LEN], line[CTL_LINE];
	ssize_t len;
	int fd, ret = path_of(name, "end", path, sizeof(path), why);

	if (ret)
		return ret;
	fd = open(path, O_RDONLY | O_NOFOLLOW | O_CLOEXEC);
	if (fd < 0)
		return fail(why, OVID_X_USAGE, "no VM is called %s (see `ovid list`)", name);
	len = read(fd, line, sizeof(line) - 1);
	close(fd);
	line[len > 0 ? len : 0] = 0;
	*end = json_tokener_parse(line);
	if (json_object_is_type(*end, json_type_object))
		return 0;
	json_object_put(*end);
	return fail(why, OVID_X_HOST, "%s is gone and left no word: its worker was killed", name);
}

long ctl_peer_uid(int fd)
{
	struct ucred cred;
	socklen_t len = sizeof(cred);

	if (getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &cred, &len))
		return -1;
	return cred.uid;
}

int ctl_send(int fd, struct json_object *msg, const int *fds, unsigned int nr)
{
	const char *text = json_object_to_json_string_ext(msg, JSON_C_TO_STRING_PLAIN);
	char control[CMSG_SPACE(CTL_MAX_FDS * sizeof(int))] = { 0 };
	struct iovec iov[2] = {
		{ (void *)text, strlen(text) }, { (void *)"\n", 1 },
	};
	struct msghdr mh = { .msg_iov = iov, .msg_iovlen = 2 };

	if (nr > CTL_MAX_FDS)
		return -E2BIG;
	if (nr) {
		struct cmsghdr *cm;

		mh.msg_control = control;
		mh.msg_controllen = CMSG_SPACE(nr * sizeof(int));
		cm = CMSG_FIRSTHDR(&mh);
		cm->cmsg_level = SOL_SOCKET;
		cm->cmsg_type = SCM_RIGHTS;
		cm->cmsg_len = CMSG_LEN(nr * sizeof(int));
		memcpy(CMSG_DATA(cm), fds, nr * sizeof(int));
	}
	return sendmsg(fd, &mh, MSG_NOSIGNAL) < 0 ? -errno : 0;
}

static void take_fds(struct msghdr *mh, int *fds, unsigned int *nr, unsigned int room)
{
	struct cmsghdr *cm;

	for (cm = CMSG_FIRSTHDR(mh); cm; cm = CMSG_NXTHDR(mh, cm)) {
		unsigned int count = (cm->cmsg_len - CMSG_LEN(0)) / sizeof(int);

		if (cm->cmsg_level != SOL_SOCKET || cm->cmsg_type != SCM_RIGHTS)
			continue;
		for (unsigned int i = 0; i < count; i++) {
			int fd;

			memcpy(&fd, CMSG_DATA(cm) + i * sizeof(int), sizeof(int));
			if (*nr < room)
				fds[(*nr)++] = fd;
			else
				close(fd);
		}
	}
}

/* A byte at a time: what follows the line belongs to somebody else. */
struct json_object *ctl_receive(int fd, int *fds, unsigned int *nr)
{
	char control[CMSG_SPACE(CTL_MAX_FDS * sizeof(int))];
	unsigned int room = nr ? *nr : 0, none = 0;
	struct json_object *obj;
	char line[CTL_LINE];
	size_t len = 0;

	if (nr)
		*nr = 0;
	for (;;) {
		struct iovec iov = { line + len, 1 };
		struct msghdr mh = {
			.msg_iov = &iov, .msg_iovlen = 1, .msg_control = control,
			.msg_controllen = sizeof(control),
		};
		ssize_t done = recvmsg(fd, &mh, MSG_CMSG_CLOEXEC);

		if (done < 0 && errno == EINTR)
			continue;
		if (done <= 0)
			return NULL;
		take_fds(&mh, fds, nr ? nr : &none, room);
		if (line[len] == '\n')
			break;
		if (++len == sizeof(line))
			return NULL;
	}
	line[len] = 0;
	obj = json_tokener_parse(line);
	if (obj && json_object_is_type(obj, json_type_object))
		return obj;
	json_object_put(obj);
	return NULL;
}

ssize_t ctl_read(int fd, void *buf, size_t len, int *fds, unsigned int *nr, unsigned int room)
{
	char control[CMSG_SPACE(CTL_MAX_FDS * sizeof(int))];
	struct iovec iov = { buf, len };
	struct msghdr mh = {
		.msg_iov = &iov, .msg_iovlen = 1, .msg_control = control,
		.msg_controllen = sizeof(control),
	};
	ssize_t done = recvmsg(fd, &mh, MSG_CMSG_CLOEXEC);

	if (done >= 0)
		take_fds(&mh, fds, nr, room);
	return done;
}

struct json_object *ctl_question(const char *verb)
{
	struct json_object *msg = json_object_new_object();

	json_object_object_add(msg, "do", json_object_new_string(verb));
	return msg;
}

static void send_question(int fd, struct json_object *question, const int *files, unsigned int nr)
{
	ctl_send(fd, question, files, nr);
	json_object_put(question);
}

void ctl_tell(int fd, const char *verb)
{
	send_question(fd, ctl_question(verb), NULL, 0);
}

struct json_object *ctl_answer(int fd, int *fds, unsigned int *nr, struct failure *why)
{
	struct json_object *answer, *field;
	bool slow;

	errno = 0;
	answer = ctl_receive(fd, fds, nr);
	if (!answer) {
		slow = errno == EAGAIN;
		fail(why, OVID_X_HOST, "%s", slow ? "the VM: " NO_ANSWER :
		     "the VM ended before it answered");
		errno = slow ? EAGAIN : 0;
		return NULL;
	}
	if (json_object_object_get_ex(answer, "ok", &field) && json_object_get_boolean(field))
		return answer;
	json_object_object_get_ex(answer, "error", &field);
	fail(why, OVID_X_HOST, "%s", field ? json_object_get_string(field) : "refused");
	json_object_put(answer);
	return NULL;
}

struct json_object *ctl_put_files(int fd, struct json_object *question, const int *files,
				  unsigned int nr_files, int *fds, unsigned int *nr,
				  struct failure *why)
{
	send_question(fd, question, files, nr_files);
	return ctl_answer(fd, fds, nr, why);
}

struct json_object *ctl_put(int fd, struct json_object *question, int file, int *fds,
			    unsigned int *nr, struct failure *why)
{
	return ctl_put_files(fd, question, &file, file >= 0, fds, nr, why);
}

struct json_object *ctl_ask(int fd, const char *verb, int *fds, unsigned int *nr,
			    struct failure *why)
{
	return ctl_put(fd, ctl_question(verb), -1, fds, nr, why);
}

struct json_object *ctl_give(int fd, const char *verb, int file, struct failure *why)
{
	return ctl_put(fd, ctl_question(verb), file, NULL, NULL, why);
}
