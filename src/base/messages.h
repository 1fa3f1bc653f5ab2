/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The messages between the engine and its workers: the whole trust boundary in one place.
 *
 * The engine is trusted. A worker may be subverted by the bytes it parses, from its first byte on. So:
 *  - the engine starts a worker with one socket (descriptor 3), tells it what to do with one request message that also
 *    brings every descriptor it may use, and then only listens;
 *  - payloads are the fixed structs below; type and exact length are checked before a field is read;
 *  - text in a payload is NUL-terminated inside its array (message_text_ok) and is content, never a path or a format;
 *  - what does not fit a payload goes through a sealed memory file or a pipe whose size is limited by the receiver;
 *  - a message that breaks a rule ends the worker and fails the operation, nothing else.
 *
 * Numbers: type = 0xWWNN, WW the worker (01 any, 02 fetch, 03 parse, 04 unpack, 05 seccomp, 06 files).
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>
#include <string.h>

#include "base/err.h"

enum message_type {
    MESSAGE_FAILED = 0x0101,   /* worker -> engine: struct message_failed; the worker exits */
    MESSAGE_PROGRESS = 0x0102, /* worker -> engine: struct message_progress; any number of times */
    MESSAGE_DONE = 0x0103,     /* worker -> engine: empty; for requests without a richer result */

    /* casemate-fetch: one session, then any number of requests one after the other; the engine's end of the socket closed: exit. */
    MESSAGE_FETCH_SESSION =
        0x0201, /* engine -> worker: struct message_fetch_session (+ memory file with trusted certificates) */
    MESSAGE_FETCH_PING = 0x0202, /* engine -> worker: empty: log in. Answer: MESSAGE_DONE */
    MESSAGE_FETCH_MANIFEST =
        0x0203, /* engine -> worker: struct message_fetch_manifest + pipe. Answer: MESSAGE_FETCH_FOUND */
    MESSAGE_FETCH_FOUND = 0x0204, /* worker -> engine: struct message_fetch_found */
    MESSAGE_FETCH_BLOB =
        0x0205, /* engine -> worker: struct message_fetch_blob + pipe. Answer: MESSAGE_DONE */

    /* casemate-parse: any number of requests one after the other. */
    MESSAGE_PARSE_REQUEST =
        0x0301, /* engine -> worker: struct message_parse_request + document + empty memory file for the answer */
    MESSAGE_PARSE_CHOSEN =
        0x0302, /* worker -> engine: struct message_parse_chosen: the document was an index */
    MESSAGE_PARSE_MANIFEST = 0x0303, /* worker -> engine: struct message_parse_manifest */
    MESSAGE_PARSE_TEXT =
        0x0304, /* worker -> engine: struct message_parse_text: the answer stands in the memory file, as JSON of ours */

    /* casemate-unpack: one request, one result. */
    MESSAGE_UNPACK_LAYER =
        0x0401, /* engine -> worker: struct message_unpack_layer + stream + empty directory + empty file for the skeleton */
    MESSAGE_UNPACK_LAYER_DONE = 0x0402, /* worker -> engine: struct message_unpack_layer_done */
    MESSAGE_UNPACK_INDEX =
        0x0403, /* engine -> worker: struct message_unpack_index + archive + empty file + empty memory file */
    MESSAGE_UNPACK_INDEX_DONE =
        0x0404, /* worker -> engine: struct message_unpack_index_done; the members stand in the memory file */

    /* casemate-seccomp: one request, one result. */
    MESSAGE_SECCOMP_DEFAULT =
        0x0501, /* engine -> worker: struct message_seccomp_request + empty memory file for the program */
    MESSAGE_SECCOMP_PROFILE =
        0x0502, /* engine -> worker: struct message_seccomp_request + empty memory file + profile */
    MESSAGE_SECCOMP_PROGRAM =
        0x0503, /* worker -> engine: struct message_seccomp_program; the program stands in the memory file */
    MESSAGE_SECCOMP_EXCESS =
        0x0504, /* worker -> engine: struct message_seccomp_excess: the profile allows more than the default */

    /* casemate-files: one session, then any number of requests one after the other; the engine's end of the socket closed: exit. */
    MESSAGE_FILES_SESSION =
        0x0601, /* engine -> worker: struct message_files_session + mount namespace or directory (+ what may be read). Answer: MESSAGE_DONE */
    MESSAGE_FILES_LOWER =
        0x0602, /* engine -> worker: empty, before the session: directories of layers, topmost first. No answer */
    MESSAGE_FILES_STAT = 0x0603,  /* engine -> worker: struct message_files_path */
    MESSAGE_FILES_FOUND = 0x0604, /* worker -> engine: struct message_files_found */
    MESSAGE_FILES_PACK =
        0x0605, /* engine -> worker: struct message_files_pack + stream. Answer: MESSAGE_FILES_COUNTS */
    MESSAGE_FILES_PLACE =
        0x0606, /* engine -> worker: struct message_files_place + stream. Answer: MESSAGE_FILES_COUNTS */
    MESSAGE_FILES_COUNTS = 0x0607, /* worker -> engine: struct message_files_counts */
    MESSAGE_FILES_CHANGES =
        0x0608, /* engine -> worker: struct message_files_changes + stream for lines. Answer: MESSAGE_FILES_COUNTS */
    MESSAGE_FILES_ASSEMBLE =
        0x0609, /* engine -> worker: empty + skeleton of a layer + stream. Answer: MESSAGE_FILES_COUNTS */
    MESSAGE_FILES_LIST =
        0x060a, /* engine -> worker: struct message_files_show + stream for records. Answer: MESSAGE_FILES_COUNTS */
    MESSAGE_FILES_READ =
        0x060b, /* engine -> worker: struct message_files_show + stream for bytes. Answer: MESSAGE_FILES_COUNTS */
};

struct message_failed {
    int32_t code;            /* positive errno */
    char text[ERR_TEXT_MAX]; /* what failed; the engine neutralises it and puts context in front */
};

struct message_progress {
    uint64_t done;  /* bytes */
    uint64_t total; /* bytes; 0 when not known */
};

#define MESSAGE_HOST_MAX 256 /* HOST[:PORT] and the NUL */
#define MESSAGE_REPOSITORY_MAX 256
#define MESSAGE_MEDIA_TYPE_MAX 128
#define MESSAGE_DIGEST_MAX 72 /* "sha256:" and 64 digits and the NUL */
#define MESSAGE_LAYERS_MAX 127

struct message_fetch_session {
    char host[MESSAGE_HOST_MAX];             /* of the registry's API */
    char repository[MESSAGE_REPOSITORY_MAX]; /* "" : only MESSAGE_FETCH_PING follows */
    char user[256];                          /* "" : anonymous */
    char password[8192];
    char token_host[MESSAGE_HOST_MAX]; /* besides `host`, the only one that may see the password; "" : none */
    char proxy[512];                   /* URL of a proxy; "" : none */
    char no_proxy[4096];               /* as in the variable NO_PROXY */
    uint8_t plain_http;                /* 1: HTTP without TLS, to loopback addresses only */
    uint8_t own_ca; /* 1: the message brings the trusted certificates (PEM) as a memory file */
    uint8_t reserved[6];
};

struct message_fetch_manifest {
    char name[136];    /* a tag or a digest */
    uint64_t size_max; /* more is an error */
};

struct message_fetch_found {
    uint64_t size; /* bytes written to the pipe */
    char media_type
        [MESSAGE_MEDIA_TYPE_MAX];    /* as the registry says, parameters cut off; "" when it does not */
    char digest[MESSAGE_DIGEST_MAX]; /* as the registry says, or "" */
};

struct message_fetch_blob {
    char digest[MESSAGE_DIGEST_MAX];
    uint64_t size; /* exactly so many bytes go to the pipe */
};

enum message_parse_kind {
    PARSE_IMAGE_MANIFEST = 1, /* manifest or index */
    PARSE_IMAGE_CONFIG = 2,
    PARSE_DOCKER_ARCHIVE = 3, /* manifest.json of `docker save` */
    PARSE_OCI_LAYOUT = 4,     /* index.json */
    PARSE_IMAGE_HISTORY = 5,  /* the history of an image configuration */
};

struct message_parse_request {
    uint32_t kind;
    uint32_t reserved;
    char media_type[MESSAGE_MEDIA_TYPE_MAX]; /* what the document is said to be */
    char os[32];                             /* wanted platform */
    char architecture[32];
    char variant[32]; /* or "" */
};

struct message_parse_chosen {
    uint8_t digest[32];
    uint64_t size;
    char media_type[MESSAGE_MEDIA_TYPE_MAX];
};

struct message_parse_layer {
    uint8_t digest[32];
    uint64_t size;
    uint32_t compression; /* enum layer_compression */
    uint32_t reserved;
};

struct message_parse_manifest {
    uint8_t config[32];
    uint64_t config_size;
    uint32_t layer_count;
    uint32_t reserved;
    struct message_parse_layer layers[MESSAGE_LAYERS_MAX];
};

struct message_parse_text {
    uint64_t length;
};

struct message_unpack_layer {
    uint32_t compression; /* enum layer_compression */
    uint32_t ids;         /* owners from this number on are stored as IDS_OVERFLOW; at most IDS_BLOCK_SIZE */
};

struct message_unpack_layer_done {
    uint8_t diff_id[32];   /* SHA-256 of the stream, decompressed */
    uint64_t uncompressed; /* its bytes */
    uint64_t entries;
    uint64_t files_bytes;
    uint64_t devices_dropped;
    uint64_t setid_files;
    uint64_t ids_above_block;
    uint64_t capabilities_dropped;
    uint64_t xattrs_dropped;
    uint64_t
        replaced; /* entries that another one of the same layer has taken the place of: the skeleton is of no use then */
};

struct message_unpack_index {
    uint32_t seekable; /* 1: the archive is a regular file and stands at its first byte */
    uint32_t reserved;
};

struct message_unpack_index_done {
    uint32_t
        in_place; /* 1: offsets are those of the archive; 0: of the other file, into which it was decompressed */
    uint32_t reserved;
    uint64_t members; /* how many struct message_unpack_member the memory file has */
};

#define MESSAGE_MEMBER_MAX 240

struct message_unpack_member {
    uint64_t offset;
    uint64_t size;
    char name[MESSAGE_MEMBER_MAX]; /* clean and relative */
};

enum message_seccomp_reading {
    SECCOMP_READ_PLAIN = 0,
    SECCOMP_READ_JUDGED = 1,  /* MESSAGE_SECCOMP_EXCESS is an answer */
    SECCOMP_READ_RUNTIME = 2, /* as the OCI runtime's (seccomp/profile.h) */
};

struct message_seccomp_request {
    uint64_t capabilities;   /* bit n: capability n */
    uint32_t kernel_version; /* major * 1000 + minor */
    uint32_t reading;        /* enum message_seccomp_reading, of a profile */
};

struct message_seccomp_program {
    uint32_t instructions; /* struct sock_filter, 1..BPF_MAXINSNS */
    uint32_t reserved;
};

#define MESSAGE_SECCOMP_SHOWN 4

struct message_seccomp_excess {
    uint32_t count; /* calls, at least 1; the first MESSAGE_SECCOMP_SHOWN of them follow */
    uint32_t reserved;
    struct {
        char name[32];
        int32_t capability; /* that opens it, or -1: none does */
    } shown[MESSAGE_SECCOMP_SHOWN];
};

#define MESSAGE_PATH_MAX 4096 /* with the NUL */

enum message_files_root {
    FILES_ROOT_NAMESPACE = 1, /* the root of a mount namespace of the worker's user namespace */
    FILES_ROOT_OVERLAY = 2,   /* the same without what is mounted in it */
    FILES_ROOT_DIRECTORY = 3, /* the directory that the message brings */
    FILES_ROOT_STORE = 4,     /* likewise, of the store: the worker has a user namespace of its own */
};

struct message_files_session {
    uint32_t root;     /* enum message_files_root */
    uint32_t writable; /* 1: files may be made below it */
    uint64_t
        host_device; /* of the host's root directory, which no root of a container is: st_dev and st_ino */
    uint64_t host_inode;
};

struct message_files_path {
    uint32_t follow; /* 1: a symbolic link at the end is followed */
    uint32_t reserved;
    char path[MESSAGE_PATH_MAX];
};

struct message_files_found {
    uint32_t mode; /* st_mode */
    uint32_t reserved;
    uint64_t size;
    int64_t mtime;
    char target[MESSAGE_PATH_MAX]; /* of a symbolic link, else "" */
};

enum message_files_pack_flags {
    FILES_PACK_FOLLOW = 1,  /* a symbolic link at the end of the path is followed */
    FILES_PACK_CONTENT = 2, /* no entry for the directory itself */
    FILES_PACK_LAYER = 4, /* it is an upper directory of overlay: whiteouts as archives of layers have them */
};

struct message_files_pack {
    uint32_t flags;
    uint32_t reserved;
    char path[MESSAGE_PATH_MAX];
    char name[MESSAGE_PATH_MAX]; /* what `path` is called in the archive */
};

enum message_files_owners {
    FILES_OWNER_ROOT = 1,    /* everything belongs to 0:0 */
    FILES_OWNER_ARCHIVE = 2, /* as the archive says */
    FILES_OWNER_SELF = 3,    /* nothing is changed */
};

struct message_files_place {
    uint32_t owners;             /* enum message_files_owners */
    uint32_t drop_set_id;        /* 1: no set-user-id and set-group-id bits */
    uint32_t plain;              /* 1: the archive is not compressed; else that is found out */
    uint32_t tell;               /* 1: says how far it has got */
    char path[MESSAGE_PATH_MAX]; /* an existing directory */
};

struct message_files_changes {
    uint32_t executables; /* 1: only new or changed ELF programs */
    uint32_t reserved;
};

struct message_files_show {
    uint64_t max; /* LIST: entries; READ: bytes. What is beyond is left out */
    char path[MESSAGE_PATH_MAX];
};

/* In the stream of LIST, one for each entry, in byte order of the names; `length` bytes of the name follow, then `target_length` of where a
 * symbolic link leads. Neither has a NUL. */
struct message_files_entry {
    uint32_t mode; /* st_mode */
    uint32_t uid, gid;
    uint16_t length;        /* 1..255 */
    uint16_t target_length; /* below MESSAGE_PATH_MAX */
    uint64_t size;
    int64_t mtime; /* seconds since the epoch */
};

struct message_files_counts {
    uint64_t entries;
    uint64_t bytes;   /* of files */
    uint64_t devices; /* left out: device nodes and sockets */
    uint64_t set_ids; /* bits that were dropped */
};

/* True when the array holds a NUL. */
static inline bool message_text_ok(const char *text, size_t size)
{
    return memchr(text, '\0', size) != NULL;
}
