/* SPDX-License-Identifier: Apache-2.0 */
/*
 * casemate-shim: one per container. It holds the container's streams, log and exit status for as long as the container
 * lives, and nothing else: an id of its own, no capability, no file but its directory, a short list of system calls.
 * What it reads comes from the container and is never interpreted, only copied and escaped.
 *
 * It is started by the engine's supervisor with the fixed descriptors of base/shimproto.h. When it dies the kernel kills
 * the container's first process with it.
 */
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "shim/shim.h"

static struct shim shim;

static int64_t read_clock(clockid_t id)
{
    struct timespec t = {0};
    (void)clock_gettime(id, &t);
    return t.tv_sec * 1000 * 1000 * 1000LL + t.tv_nsec;
}

int64_t shim_now(void)
{
    return read_clock(CLOCK_REALTIME);
}

int64_t shim_monotonic(void)
{
    return read_clock(CLOCK_MONOTONIC);
}

int shim_set_nonblocking(int fd)
{
    int flags = fcntl(fd, F_GETFL);
    return flags < 0 || fcntl(fd, F_SETFL, flags | O_NONBLOCK) < 0 ? -errno : 0;
}

static bool is_id(const char *id, size_t size)
{
    if (id[size - 1] != '\0' || strlen(id) != size - 1)
        return false;
    return strspn(id, "0123456789abcdef") == size - 1;
}

/* A text behind the struct; `at` moves on. */
static int read_text(char *text, size_t room, uint32_t length, off_t *at)
{
    if (length > room || pread(SHIM_FD_CONFIG, text, length, *at) != (ssize_t)length)
        return -EINVAL;
    *at += (off_t)length;
    return 0;
}

static int read_texts(struct shim *s)
{
    off_t at = sizeof(s->config);
    int r = read_text(s->attrs, SHIM_ATTRS_MAX, s->config.attrs_length, &at);
    if (r == 0)
        r = read_text(s->forward.prefix, SHIM_PREFIX_MAX, s->config.prefix_length, &at);
    s->forward.kind = s->config.forward;
    s->forward.facility = s->config.facility;
    s->forward.utc_offset = s->config.utc_offset;
    s->forward.prefix_length = s->config.prefix_length;
    return r;
}

static int read_config(struct shim *s)
{
    struct shim_config *config = &s->config;
    const uint32_t known = SHIM_TTY | SHIM_STDIN_OPEN | SHIM_STDIN_ONCE | SHIM_AWAIT_CLIENT;
    ssize_t n = pread(SHIM_FD_CONFIG, config, sizeof(*config), 0);
    if (n < SHIM_CONFIG_SIZE_1 || config->version < 1 || config->version > SHIM_PROTOCOL ||
        !is_id(config->id, sizeof(config->id)) || config->flags & ~known)
        return -EINVAL;
    if (config->version == 1) {
        memset((char *)config + SHIM_CONFIG_SIZE_1, 0, sizeof(*config) - SHIM_CONFIG_SIZE_1);
        return 0;
    }
    if (n != (ssize_t)sizeof(*config) || config->log_flags & ~(uint32_t)(SHIM_LOG_NONE | SHIM_LOG_DROP) ||
        config->forward > SHIM_FORWARD_RFC5424_MICRO)
        return -EINVAL;
    return read_texts(s);
}

/* Nothing but its container's end ends a shim, short of SIGKILL. */
static void ignore_signals(void)
{
    static const int signals[] = {SIGHUP,  SIGINT,  SIGQUIT, SIGTERM, SIGPIPE, SIGUSR1, SIGUSR2,
                                  SIGALRM, SIGTSTP, SIGTTIN, SIGTTOU, SIGXFSZ, SIGXCPU};
    for (size_t i = 0; i < ARRAY_SIZE(signals); i++)
        (void)signal(signals[i], SIG_IGN);
    (void)signal(SIGCHLD, SIG_DFL);
    sigset_t none;
    (void)sigemptyset(&none);
    (void)sigprocmask(SIG_SETMASK, &none, NULL);
}

static int check_descriptors(const struct shim *s)
{
    int end = s->config.version == 1 ? SHIM_FD_FORWARD : SHIM_FD_END;
    for (int fd = SHIM_FD_CONFIG; fd < end; fd++)
        if (fcntl(fd, F_GETFD) < 0)
            return -errno;
    siginfo_t info;
    return waitid((idtype_t)P_PIDFD, SHIM_FD_PIDFD, &info, WEXITED | WNOHANG | WNOWAIT) < 0 ? -errno : 0;
}

static bool is_listening(int fd)
{
    int on = 0;
    socklen_t length = sizeof(on);
    return getsockopt(fd, SOL_SOCKET, SO_ACCEPTCONN, &on, &length) == 0 && on;
}

static int open_streams(struct shim *s)
{
    bool tty = s->config.flags & SHIM_TTY;
    s->listening = is_listening(SHIM_FD_LISTEN);
    s->input.fd = SHIM_FD_STDIN;
    s->input.discard = !(s->config.flags & SHIM_STDIN_OPEN);
    if (tty) {
        stream_open(&s->streams[0], SHIM_FD_STDIN, SHIM_STDOUT, SHIM_WANT_STDOUT, "stdout", true);
        stream_open(&s->streams[1], -1, SHIM_STDERR, SHIM_WANT_STDERR, "stderr", false);
    } else {
        stream_open(&s->streams[0], SHIM_FD_STDOUT, SHIM_STDOUT, SHIM_WANT_STDOUT, "stdout", false);
        stream_open(&s->streams[1], SHIM_FD_STDERR, SHIM_STDERR, SHIM_WANT_STDERR, "stderr", false);
    }
    static const int relayed[] = {SHIM_FD_LISTEN, SHIM_FD_STDIN, SHIM_FD_STDOUT, SHIM_FD_STDERR};
    for (size_t i = 0; i < ARRAY_SIZE(relayed); i++) {
        int r = shim_set_nonblocking(relayed[i]);
        if (r < 0)
            return r;
    }
    return 0;
}

static int open_log(struct shim *s)
{
    s->log.size_max = s->config.log_size_max;
    s->log.files = s->config.log_files;
    s->log.attrs = s->attrs;
    if (!(s->config.log_flags & SHIM_LOG_NONE))
        return log_open(&s->log, SHIM_FD_DIR, s->config.id);
    s->log.dir = s->log.fd = s->log.head = -1;
    return 0;
}

static int start(struct shim *s, const char **ret_step)
{
    *ret_step = "run as root or with capabilities";
    int r = confine_check();
    if (r < 0)
        return r;
    *ret_step = "read the configuration";
    r = read_config(s);
    if (r < 0)
        return r;
    *ret_step = "take the descriptors";
    r = check_descriptors(s);
    if (r < 0)
        return r;
    *ret_step = "prepare the exit record";
    r = exit_prepare(s);
    if (r < 0)
        return r;
    *ret_step = "open the log";
    r = open_log(s);
    if (r < 0)
        return r;
    *ret_step = "prepare the streams";
    r = open_streams(s);
    if (r < 0)
        return r;
    denials_start(&s->denials);
    *ret_step = "enter the sandbox";
    return confine_enter();
}

int main(void)
{
    struct shim *s = &shim;
    (void)umask(0077);
    ignore_signals();
    for (size_t i = 0; i < CLIENTS_MAX; i++)
        s->clients[i].fd = -1;
    const char *what = "";
    int r = start(s, &what);
    if (r < 0) {
        (void)dprintf(STDERR_FILENO, "casemate-shim: cannot %s: %s\n", what, strerror(-r));
        return 1;
    }
    if (s->listening && s->config.flags & SHIM_AWAIT_CLIENT) {
        s->awaiting = true;
        s->awaiting_until = shim_monotonic() + AWAIT_LIMIT;
        client_accept(s);
    }
    loop_run(s);
    (void)unlinkat(SHIM_FD_DIR, SHIM_SOCKET_FILE, 0);
    return 0;
}
