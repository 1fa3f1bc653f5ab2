/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Between the engine and casemate-shim. Needs libc only.
 *
 * Start: the supervisor process (a fork of the engine that has made the container as root) gives up its privileges and
 * executes casemate-shim with exactly the descriptors below. Numbers are fixed; an absent one is a descriptor of /dev/null.
 *
 * Attach: clients connect to containers/<id>/shim/attach.sock, SOCK_SEQPACKET. Each packet is a struct shim_packet header and
 * its payload. The first packet of a client is SHIM_HELLO. A client that breaks a rule is disconnected.
 *
 * A shim lives as long as its container, across upgrades: both sides accept every version up to their own.
 */
#pragma once

#include <stdint.h>

#define SHIM_PROTOCOL 2 /* 2: what stands behind oom_baseline in struct shim_config, and SHIM_FD_FORWARD */

enum shim_fd {
    SHIM_FD_CONFIG = 3,  /* sealed memory file: struct shim_config */
    SHIM_FD_PIDFD = 4,   /* the container's first process, a child of the shim */
    SHIM_FD_LOCK = 5,    /* shim/lock, flock held: "this container has a living shim" */
    SHIM_FD_DIR = 6,     /* directory shim/, owned by the shim's id */
    SHIM_FD_LISTEN = 7,  /* listening SOCK_SEQPACKET socket */
    SHIM_FD_STDIN = 8,   /* write end of the container's stdin, or the pty master */
    SHIM_FD_STDOUT = 9,  /* read end of its stdout (not used with a pty) */
    SHIM_FD_STDERR = 10, /* read end of its stderr (not used with a pty) */
    SHIM_FD_EXITED =
        11, /* directory run/exited: the shim makes an empty file named by the container's id when it ends */
    SHIM_FD_OOM =
        12, /* cgroup file with a line "oom_kill N" (memory.events of v2, memory.oom_control of v1) */
    SHIM_FD_NOTICE = 13,  /* listener of the container's filter; held by the shim's notice process only */
    SHIM_FD_PROC = 14,    /* directory /proc of the host: names of processes that were refused something */
    SHIM_FD_PIDS = 15,    /* cgroup directory with pids.max, pids.peak, pids.events */
    SHIM_FD_FORWARD = 16, /* connected datagram socket of the journal or syslog (enum shim_forward) */
    SHIM_FD_END = 17,
};

enum shim_flags {
    SHIM_TTY = 1,        /* SHIM_FD_STDIN is a pty master, both directions */
    SHIM_STDIN_OPEN = 2, /* -i: stdin stays open when a client leaves; without it stdin is /dev/null */
    SHIM_STDIN_ONCE =
        4, /* the end of the first client's input closes the container's stdin (docker run -i) */
    SHIM_AWAIT_CLIENT =
        8, /* a client has connected before the start: take it before the first output is read */
};

struct shim_config {
    uint32_t version; /* SHIM_PROTOCOL */
    uint32_t flags;
    char id[65];
    uint8_t pad[7];
    uint64_t log_size_max; /* bytes per log file; then it is rotated */
    uint32_t log_files;    /* how many files are kept, this one included */
    uint32_t oom_baseline; /* value of oom_kill at the start */
    /* From version 2 on: */
    uint32_t log_flags;    /* enum shim_log_flags */
    uint32_t forward;      /* enum shim_forward */
    uint32_t facility;     /* of syslog */
    int32_t utc_offset;    /* seconds east of UTC at the start */
    uint32_t attrs_length; /* behind the struct: a JSON object for each record, or nothing … */
    uint32_t prefix_length; /* … and what each datagram has in front of the text, but for priority and time */
};

#define SHIM_CONFIG_SIZE_1 96 /* of version 1 */
#define SHIM_ATTRS_MAX 4095
#define SHIM_PREFIX_MAX 8192

enum shim_log_flags {
    SHIM_LOG_NONE = 1, /* nothing is kept in shim/log */
    SHIM_LOG_DROP = 2, /* what cannot be logged at once is left out, and counted */
};

enum shim_forward {
    SHIM_FORWARD_OFF,
    SHIM_FORWARD_JOURNAL,
    SHIM_FORWARD_RFC3164,
    SHIM_FORWARD_RFC5424,
    SHIM_FORWARD_RFC5424_MICRO,
};

/* Fixed text of shim/exit: "casemate-exit 1 CODE SIGNAL OOM NANOSECONDS LOST\n"; CODE is Docker's (128 + signal when killed),
 * LOST the bytes of output that the log does not have because the disk stayed full after the end. */
#define SHIM_EXIT_FILE "exit"
#define SHIM_EXIT_NEW_FILE \
    "exit.new" /* its room is taken by the engine, so that a full disk does not hide the end */
#define SHIM_EXIT_TEXT_MAX 128
#define SHIM_LOCK_FILE "lock"
#define SHIM_SOCKET_FILE "attach.sock"
/* log/log, log/log.1 …: JSON lines as Docker's json-file writes them, chained (base/logchain.h); log/head: where they end. */
#define SHIM_LOG_DIR "log"
#define SHIM_LOG_FILE "log"

/*
 * What the container was refused: lines of exactly SHIM_DENIAL_LINE bytes, blanks and a newline at the end, so that each can be
 * written again in place. The first is SHIM_DENIALS_HEAD; the others say
 *
 *     call NUMBER COUNT NAME    NUMBER of the system call; NAME: hexadecimal, that of the process which was first refused, or -
 *     others 0 COUNT -          calls for which there was no line left
 *     pids 0 COUNT -            processes that the limit did not allow; COUNT is 0 where it is only known that there were as many
 *                               as the limit allows
 *
 * There is no file when nothing was refused.
 */
#define SHIM_DENIALS_FILE "denials"
#define SHIM_DENIALS_HEAD "casemate-denials 1"
#define SHIM_DENIAL_LINE 80
#define SHIM_DENIAL_NAME_MAX 16 /* bytes of a process's name */
#define SHIM_DENIALS_MAX 64     /* lines, the first included */

enum shim_packet_type {
    SHIM_HELLO = 1,     /* client: struct shim_hello */
    SHIM_WELCOME = 2,   /* shim: struct shim_hello (its own version, flags of the container) */
    SHIM_STDIN = 3,     /* client: bytes */
    SHIM_STDIN_END = 4, /* client: no more input */
    SHIM_RESIZE = 5,    /* client: struct shim_resize */
    SHIM_STDOUT = 6,    /* shim: bytes */
    SHIM_STDERR = 7,    /* shim: bytes */
    SHIM_EXIT = 8,      /* shim: struct shim_exit; then it closes */
};

#define SHIM_DATA_MAX 32768

struct shim_packet {
    uint16_t type;
    uint16_t reserved; /* 0 */
    uint32_t length;   /* of the payload */
};

enum shim_hello_flags {
    SHIM_WANT_STDIN = 1,
    SHIM_WANT_STDOUT = 2,
    SHIM_WANT_STDERR = 4,
};

struct shim_hello {
    uint32_t version;
    uint32_t flags; /* client: what it wants; shim: enum shim_flags */
};

struct shim_resize {
    uint16_t rows;
    uint16_t columns;
};

struct shim_exit {
    int32_t code;   /* Docker's: 0..255, 128 + signal */
    int32_t signal; /* 0 when it exited by itself */
    int32_t oom;    /* 1 when the kernel killed something in the container for memory */
    int32_t reserved;
    int64_t time; /* ns since the epoch */
};
