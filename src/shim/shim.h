/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The whole state of a shim. There is one of it, static and zeroed, and nothing is allocated: memory is bounded by this
 * struct, and pages of buffers that were never needed cost nothing.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/cleanup.h"
#include "base/shimproto.h"
#include "shim/forward.h"
#include "shim/log.h"

#ifndef P_PIDFD /* newer than the C library */
#define P_PIDFD 3
#endif

#define CLIENTS_MAX 16
#define STREAM_READ SHIM_DATA_MAX /* what is read at once fits a packet */
#define STREAM_BUFFER \
    (ENCODE_TEXT_MAX + STREAM_READ) /* less than a line is left when it is read into, so there is room */
#define STREAM_READS 8              /* in a row, before clients are looked at */

#define MILLISECOND 1000000LL
#define AWAIT_LIMIT (10000 * MILLISECOND) /* a client that connected before the start says hello by then */
#define DRAIN_LIMIT (1000 * MILLISECOND)  /* how long the streams may stay open without data after the exit */
#define GIVE_UP_LIMIT (10000 * MILLISECOND) /* how long a full disk is waited for after the exit */
#define EXIT_SEND_LIMIT \
    (1000 * MILLISECOND) /* a client that does not take SHIM_EXIT by then reads the record */
#define LOG_RETRY (250 * MILLISECOND)
#define TTY_RETRY (250 * MILLISECOND)

/* One direction of output: read, sent to the clients that want it, then cut into lines for the log. */
struct stream {
    int fd; /* -1 at its end */
    uint16_t packet;
    uint32_t want; /* flag of clients that get it */
    const char *name;
    bool tty;
    int64_t silent_until; /* nobody has the terminal open: tried again then; 0: it is open */
    bool log_blocked;     /* a line waits for the disk, or for the journal or syslog */
    bool forwarded;       /* that line has been sent on already */
    bool more;            /* the last read filled what it was given: there is more */
    size_t late;          /* bytes that were read after the exit */
    uint32_t waiting;     /* clients (bits) that have not got data[sent .. length) yet */
    size_t sent;          /* where the newest chunk begins */
    size_t logged;        /* data[0 .. logged) is in the log */
    size_t length;
    unsigned char data[STREAM_BUFFER];
};

/* The container's input, and the one packet that is being handled. While bytes are pending no client is read. */
struct input {
    int fd;       /* -1: closed */
    bool discard; /* not open for clients */
    bool ending;  /* close when nothing is pending */
    size_t start;
    size_t end; /* pending: packet[start .. end) */
    unsigned char packet[sizeof(struct shim_packet) + SHIM_DATA_MAX];
};

struct client {
    int fd; /* -1: free */
    bool hello;
    bool hung_up; /* the other side is gone; what it has sent before is still read */
    bool input_ended;
    uint32_t wants;
};

/* Who notes what the container is refused (denials.c). */
struct denials {
    int process;                          /* pidfd of the notice process; -1: there is none */
    int pids_max, pids_peak, pids_events; /* files of the control group; -1: there is none */
    uint64_t refused_before;              /* processes, in an earlier run */
};

struct shim {
    struct shim_config config;
    bool listening;
    bool awaiting; /* output is not read until the first client has said hello */
    int64_t awaiting_until;
    bool exited;
    int64_t exited_at;   /* monotonic */
    bool busy;           /* a stream has more: what is pending for the log is written with that */
    int64_t stuck_since; /* the log has been refused since then, after the exit; 0: it is not */
    struct shim_exit status;
    int exit_file; /* made ahead, so that a full disk cannot hide an exit */
    struct client clients[CLIENTS_MAX];
    struct stream streams[2];
    struct input input;
    struct log log;
    struct denials denials;
    struct forward forward;
    char attrs[SHIM_ATTRS_MAX + 1];
};

int64_t shim_now(void);       /* ns since the epoch */
int64_t shim_monotonic(void); /* ns */
int shim_set_nonblocking(int fd);

/* confine.c: refuses to run with privileges, then gives up what is left. 0 or a negative errno. */
int confine_check(void);
int confine_enter(void);
int confine_notice(void); /* of the notice process */

/* denials.c: what the container is refused, as base/shimproto.h has it. Start: before confine_enter; finish: after the container has
 * ended, before the exit record. Neither can fail: without them a container runs as it would, and nobody learns what it was refused. */
void denials_start(struct denials *d);
void denials_finish(struct denials *d);

/* Opens the record, with its first line in it; a file of its own each time. -1 and errno. */
int denials_open(void);

/* Text of one line, exactly SHIM_DENIAL_LINE bytes; name may be NULL. */
void denials_format(char *ret_line, const char *kind, int number, uint64_t count, const char *name);

/* notice.c: the notice process. `parent` is the shim. */
_Noreturn void notice_run(pid_t parent);

/* loop.c: until the container has ended and everything is delivered. */
void loop_run(struct shim *s);

/* stream.c */
void stream_open(struct stream *st, int fd, uint16_t packet, uint32_t want, const char *name, bool tty);
bool stream_readable(const struct shim *s, const struct stream *st); /* wants to read now */
void stream_read(struct shim *s, struct stream *st);
void stream_advance(struct shim *s, struct stream *st); /* after a client or the disk has taken something */
bool stream_done(const struct stream *st);              /* ended, delivered and logged */
void stream_end(struct shim *s, struct stream *st);

/* client.c */
enum send_result { SEND_DONE, SEND_LATER, SEND_GONE };
void client_accept(struct shim *s);
bool client_slot_free(const struct shim *s);
enum send_result client_send(struct shim *s, size_t i, uint16_t type, const void *data, size_t length);
void client_receive(struct shim *s, size_t i);
void client_drop(struct shim *s, size_t i);

/* input.c */
bool input_pending(const struct input *in);
void input_put(struct shim *s, size_t offset, size_t length); /* of packet */
void input_write(struct shim *s);
void input_end(struct shim *s); /* after what is pending */

/* exit.c */
int exit_prepare(struct shim *s);
bool exit_collect(struct shim *s); /* true when the container's first process has ended */
void exit_record(struct shim *s);
