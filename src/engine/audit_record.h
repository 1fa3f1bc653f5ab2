/* SPDX-License-Identifier: Apache-2.0 */
/*
 * One record of the audit log: a line of JSON that names the line before it by its hash (docs/audit-log.md has every field).
 *
 *   {"v":1,"seq":7,"time":"…","event":"grant", … ,"prev":"<64 digits>","hash":"<64 digits>"}
 *
 * `prev` is the SHA-256 of the previous line as it stands, without its newline; `hash` that of this line up to the comma in front of
 * "hash". Texts come from users, image authors and other processes: they are cut to AUDIT_TEXT_MAX bytes with "…" behind, and control
 * characters, C1 controls too, are escaped, so that a line is one line and does nothing to a terminal.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include "base/buf.h"
#include "base/digest.h"
#include "base/err.h"
#include "base/json.h"

#define AUDIT_VERSION 1
#define AUDIT_TEXT_MAX 1024 /* bytes of one text before it is escaped; an error's text fits */
/* No line is longer, its newline included: six texts of which every byte takes the six of an escape, and what has a fixed size. */
#define AUDIT_LINE_MAX (6 * 6 * AUDIT_TEXT_MAX + 4096)
#define AUDIT_EVENT_MAX 31

enum audit_kind {
    AUDIT_CREATE,
    AUDIT_START,
    AUDIT_EXEC,
    AUDIT_STOP,
    AUDIT_KILL,
    AUDIT_PAUSE,
    AUDIT_UNPAUSE,
    AUDIT_UPDATE,
    AUDIT_RENAME, /* what: the name it had */
    AUDIT_REMOVE,
    AUDIT_RESTART, /* by its policy; the user's restart is a stop and a start */
    AUDIT_EXPIRE,  /* of a container that ended long ago; then it is removed */
    AUDIT_COPY,    /* what: the direction and both paths */
    AUDIT_EXPORT,
    AUDIT_DIFF,
    AUDIT_DEBUG, /* what: the sections, or the path that was listed or read */
    AUDIT_COMMIT,
    AUDIT_IMPORT,
    AUDIT_SAVE,
    AUDIT_CONTAINER_LOG, /* where its log ends (logs_anchor.h) */
    AUDIT_GRANT,
    AUDIT_REFUSAL,
    AUDIT_DENIAL, /* what a container was refused while it ran */
    AUDIT_PULL,
    AUDIT_LOAD,
    AUDIT_TAG,
    AUDIT_IMAGE_REMOVE,
    AUDIT_LOGIN,
    AUDIT_LOGOUT,
    AUDIT_VOLUME_CREATE,
    AUDIT_VOLUME_REMOVE,
    AUDIT_RUNTIME_WARN, /* of a container that the OCI runtime was given: what the practices would have done */
    AUDIT_RUNTIME_TIGHTEN, /* what they have tightened */
    AUDIT_STATE_ALERT,     /* name: the file or directory; what: what is wrong, or that it was changed */
    AUDIT_TORN,            /* closes off what a killed writer left of its lines; written by the log itself */
    AUDIT_HEAD_LOST,       /* audit/head was gone or unreadable; written by the log itself */
};

/* "container.create", "grant" …; the member `event` of a record. */
const char *audit_kind_name(enum audit_kind kind);

/* What is to be recorded. Texts are borrowed and may be NULL. */
struct audit_event {
    enum audit_kind kind;
    const char *container; /* id */
    const char *name;      /* of the container, image or registry: what the user calls it */
    const char *image;     /* id of the image */
    int practice;          /* 1..14: of a grant or a refusal; else 0 */
    const char *what;      /* what is granted or refused, or the command of exec */
    const char *source;    /* of a grant: the flag, the policy's line, the known image */
    uint64_t bytes;        /* AUDIT_TORN: how long the torn region is */
};

/* Who asks, as the kernel has it. */
struct audit_actor {
    uid_t uid;
    bool has_loginuid;
    uid_t loginuid; /* the user who logged in, through su and sudo */
    pid_t pid;
    pid_t ppid;
    char parent[32]; /* name of the parent process: chosen by that process, no proof of anything */
};
void audit_actor_self(struct audit_actor *ret);

/* The user whose acts these are: who logged in, else whose process it is. */
uid_t audit_user_self(void);

/* Where a chain has got to. */
struct audit_chain {
    uint64_t seq;       /* of the last record; 0: there is none */
    struct digest last; /* of the last line; zeros when there is none */
};

/* Appends the line, newline included, to b (which holds at most `max` bytes) and moves the chain on. On failure the chain is as it was. */
int audit_record_format(const struct audit_event *event, const struct audit_actor *who, int64_t time,
                        struct audit_chain *chain, size_t max, struct buf *b, struct err *e);

/* A line that has been read. */
struct audit_record {
    struct json_object *json;
    const char *text; /* the line itself, borrowed from who gave it */
    size_t length;
    uint64_t seq;
    int64_t time;
    const char *event; /* borrowed from json */
    uint64_t bytes;
    struct digest prev;
    struct digest line; /* of the whole line: the next one's `prev` */
};
void audit_record_clear(struct audit_record *r);
#define _cleanup_audit_record_ _cleanup_(audit_record_clear)

/* `line` is without its newline. -EBADMSG when it is no record of this version or its own hash does not fit. */
int audit_record_parse(const char *line, size_t length, struct audit_record *ret, struct err *e);
