/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The layer store (layers.h). Trusted: hashes the blob as it passes to casemate-unpack, compares what came out with the
 * diff id, and puts the directory in place by one rename. The content of `fs` is hostile and never looked into here.
 */
#include "image/layers.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/socket.h>
#include <sys/stat.h>

#include "base/fitness.h"
#include "base/identity.h"
#include "base/ids.h"
#include "base/io.h"
#include "base/json.h"
#include "base/messages.h"
#include "base/path.h"
#include "base/worker.h"

#define COPY_SIZE (256U << 10)
#define RECORD_MAX 4096
#define WORKER_PATIENCE_SECONDS 600 /* a worker that takes or says nothing for so long is given up */
#define LOCKS_DIRECTORY "layers"
#define SKELETON_FILE "skeleton"

static const struct worker_profile profile = {
    .program = "casemate-unpack",
    .neutral_userns = true,
    .memory_max = 1ULL << 30,
    .cpu_seconds = 3600,
    .files_max = 64,
};

static const struct {
    const char *key;
    size_t offset;
} numbers[] = {
    {"size", offsetof(struct layer_info, size)},
    {"uncompressed", offsetof(struct layer_info, uncompressed)},
    {"entries", offsetof(struct layer_info, entries)},
    {"filesBytes", offsetof(struct layer_info, files_bytes)},
    {"devicesDropped", offsetof(struct layer_info, devices_dropped)},
    {"setidFiles", offsetof(struct layer_info, setid_files)},
    {"idsAboveBlock", offsetof(struct layer_info, ids_above_block)},
    {"capabilitiesDropped", offsetof(struct layer_info, capabilities_dropped)},
    {"xattrsDropped", offsetof(struct layer_info, xattrs_dropped)},
};

static uint64_t *number_of(struct layer_info *info, size_t i)
{
    return (uint64_t *)(void *)((char *)info + numbers[i].offset);
}

bool layer_exists(const struct store *s, const struct digest *blob)
{
    char path[DIGEST_HEX_LENGTH + 16];
    struct stat st;
    digest_format_hex(blob, path);
    (void)snprintf(path + DIGEST_HEX_LENGTH, sizeof(path) - DIGEST_HEX_LENGTH, "/layer.json");
    return fstatat(s->layers, path, &st, AT_SYMLINK_NOFOLLOW) == 0;
}

int layer_open(const struct store *s, const struct digest *blob, struct err *e)
{
    char path[DIGEST_HEX_LENGTH + 4];
    digest_format_hex(blob, path);
    (void)snprintf(path + DIGEST_HEX_LENGTH, sizeof(path) - DIGEST_HEX_LENGTH, "/fs");
    int fd = path_open_beneath(s->layers, path, O_PATH | O_DIRECTORY, 0, e);
    return fd < 0 ? err_wrap(e, "layer") : fd;
}

int layer_open_skeleton(const struct store *s, const struct digest *blob, struct err *e)
{
    char path[DIGEST_HEX_LENGTH + sizeof("/" SKELETON_FILE)];
    digest_format_hex(blob, path);
    memcpy(path + DIGEST_HEX_LENGTH, "/" SKELETON_FILE, sizeof("/" SKELETON_FILE));
    return path_open_beneath(s->layers, path, O_RDONLY, 0, e);
}

/* --- layer.json ------------------------------------------------------------------------------------------------- */

static int write_record(int dir, const struct layer_info *info, struct err *e)
{
    char digest[DIGEST_TEXT_LENGTH + 1];
    struct layer_info copy = *info;
    _cleanup_json_ struct json_object *o = json_object_new_object();
    if (!o)
        return err_oom(e);
    int r = json_add_u64(o, "version", LAYER_RECORD_VERSION, e);
    digest_format(&info->blob, digest);
    if (r == 0)
        r = json_add_string(o, "blob", digest, e);
    digest_format(&info->diff_id, digest);
    if (r == 0)
        r = json_add_string(o, "diffId", digest, e);
    for (size_t i = 0; r == 0 && i < ARRAY_SIZE(numbers); i++)
        r = json_add_u64(o, numbers[i].key, *number_of(&copy, i), e);
    if (r < 0)
        return r;
    const char *text = json_object_to_json_string_ext(o, JSON_C_TO_STRING_PLAIN);
    return text ? io_replace_file_at(dir, "layer.json", text, strlen(text), 0600, false, e) : err_oom(e);
}

static int read_digest(struct json_object *o, const char *key, struct digest *ret_digest, struct err *e)
{
    const char *text = "";
    int r = json_get_string(o, key, &text, e);
    return r < 0 ? r : digest_parse(text, ret_digest, e);
}

static int parse_record(const struct buf *text, struct layer_info *ret_info, struct err *e)
{
    struct layer_info info = {0};
    uint64_t version = 0;
    _cleanup_json_ struct json_object *o = NULL;
    int r = json_parse(text->data ? text->data : "", text->length, &o, e);
    if (r == 0 && !json_object_is_type(o, json_type_object))
        r = err_set(e, EINVAL, "not an object");
    if (r == 0)
        r = json_get_u64(o, "version", &version, e);
    if (r >= 0 && version != LAYER_RECORD_VERSION)
        r = err_set(e, EPROTO, "unknown version %llu", (unsigned long long)version);
    if (r >= 0)
        r = read_digest(o, "blob", &info.blob, e);
    if (r >= 0)
        r = read_digest(o, "diffId", &info.diff_id, e);
    for (size_t i = 0; r >= 0 && i < ARRAY_SIZE(numbers); i++)
        r = json_get_u64(o, numbers[i].key, number_of(&info, i), e);
    if (r < 0)
        return r;
    *ret_info = info;
    return 0;
}

int layer_read_info(const struct store *s, const struct digest *blob, struct layer_info *ret_info,
                    struct err *e)
{
    char hex[DIGEST_HEX_LENGTH + 1];
    _cleanup_buf_ struct buf text = {0};
    digest_format_hex(blob, hex);
    _cleanup_close_ int dir = path_open_dir_at(s->layers, hex, e);
    if (dir < 0)
        return err_wrap(e, "layer");
    int r = io_read_file_at(dir, "layer.json", RECORD_MAX, &text, e);
    if (r == 0)
        r = parse_record(&text, ret_info, e);
    return r < 0 ? err_wrap(e, "record of layer %.12s", hex) : 0;
}

/* --- one importer at a time ------------------------------------------------------------------------------------- */

/* The lock of one layer: a file in the run directory. Who unlocks removes it; who waited on a removed one starts again. */
static int lock_layer(const struct store *s, const char *hex, int *ret_dir, struct err *e)
{
    _cleanup_close_ int dir = path_make_dir_at(s->run, LOCKS_DIRECTORY, 0700, e);
    if (dir < 0)
        return dir;
    for (;;) {
        struct stat st;
        _cleanup_close_ int fd = openat(dir, hex, O_RDWR | O_CREAT | O_NOFOLLOW | O_CLOEXEC, 0600);
        if (fd < 0)
            return err_errno(e, "open the lock of a layer");
        if (flock(fd, LOCK_EX) < 0) {
            if (errno == EINTR)
                continue;
            return err_errno(e, "lock a layer");
        }
        if (fstat(fd, &st) == 0 && st.st_nlink > 0) {
            *ret_dir = steal_fd(&dir);
            return steal_fd(&fd);
        }
    }
}

/* --- the import ------------------------------------------------------------------------------------------------- */

struct import {
    int skeleton;  /* a new file in the staged directory */
    bool replaced; /* the skeleton is of no use */
    const struct layer_request *request;
    int source;
    void (*progress)(uint64_t done, uint64_t total, void *context);
    void *context;
    struct digest_state hash;
    uint64_t done;
    uint8_t data[COPY_SIZE];
};

static int patience(int socket, int option, struct err *e)
{
    const struct timeval limit = {.tv_sec = WORKER_PATIENCE_SECONDS};
    return setsockopt(socket, SOL_SOCKET, option, &limit, sizeof(limit)) < 0
               ? err_errno(e, "set a time limit")
               : 0;
}

/* 1: taken; 0: the worker does not listen any more and will say why. */
static int send_all(int to, const uint8_t *data, size_t length, struct err *e)
{
    while (length > 0) {
        ssize_t n = send(to, data, length, MSG_NOSIGNAL);
        if (n < 0 && errno == EINTR)
            continue;
        if (n < 0 && (errno == EPIPE || errno == ECONNRESET))
            return 0;
        if (n < 0)
            return errno == EAGAIN ? err_set(e, ETIMEDOUT, "casemate-unpack takes no data")
                                   : err_errno(e, "send to casemate-unpack");
        data += n;
        length -= (size_t)n;
    }
    return 1;
}

/* 1 when there is something to read; 0 when the worker has gone, which a source that stalls would not let us see. */
static int await_source(int source, int to, struct err *e)
{
    struct pollfd fds[2] = {{.fd = source, .events = POLLIN}, {.fd = to}};
    while (poll(fds, 2, -1) < 0)
        if (errno != EINTR)
            return err_errno(e, "poll");
    return fds[1].revents ? 0 : 1;
}

/* Hashes the blob and hands it to the worker. 1: all of it; 0: the worker has stopped before. */
static int feed(struct import *in, int to, struct err *e)
{
    const uint64_t size = in->request->size;
    digest_start(&in->hash);
    while (in->done < size) {
        uint64_t left = size - in->done;
        int r = await_source(in->source, to, e);
        if (r <= 0)
            return r;
        ssize_t n = read(in->source, in->data, left < COPY_SIZE ? (size_t)left : COPY_SIZE);
        if (n < 0 && errno == EINTR)
            continue;
        if (n < 0)
            return err_errno(e, "read the layer");
        if (n == 0)
            return err_set(e, EBADMSG, "it ends after %llu of %llu bytes", (unsigned long long)in->done,
                           (unsigned long long)size);
        digest_update(&in->hash, in->data, (size_t)n);
        in->done += (uint64_t)n;
        r = send_all(to, in->data, (size_t)n, e);
        if (r <= 0)
            return r;
        if (in->progress)
            in->progress(in->done, size, in->context);
    }
    return 1;
}

/* Starts the worker; *ret_stream is our end of what it reads. */
static int start_worker(const struct import *in, int fs, struct worker *w, int *ret_stream, struct err *e)
{
    const struct message_unpack_layer m = {.compression = in->request->compression,
                                           .ids = identity_block_ids()};
    int pair[2];
    int r = worker_start(&profile, w, e);
    if (r < 0)
        return r;
    if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair) < 0)
        return err_errno(e, "socketpair");
    _cleanup_close_ int ours = pair[0];
    _cleanup_close_ int theirs = pair[1];
    const int fds[3] = {theirs, fs, in->skeleton};
    r = patience(ours, SO_SNDTIMEO, e);
    if (r == 0)
        r = patience(w->socket, SO_RCVTIMEO, e);
    if (r == 0)
        r = ipc_send(w->socket, MESSAGE_UNPACK_LAYER, &m, sizeof(m), fds, 3, e);
    if (r == 0)
        *ret_stream = steal_fd(&ours);
    return r;
}

static int receive_result(struct worker *w, struct message_unpack_layer_done *ret_done, struct err *e)
{
    struct ipc_message *m = malloc(sizeof(*m));
    if (!m)
        return err_oom(e);
    m->fd_count = 0;
    int r = worker_receive(w, m, NULL, NULL, e);
    if (r == 0)
        r = ipc_expect(m, MESSAGE_UNPACK_LAYER_DONE, sizeof(*ret_done), 0, e);
    if (r == 0)
        memcpy(ret_done, m->payload, sizeof(*ret_done));
    ipc_message_clear(m);
    free(m);
    return r;
}

/* A wrong digest says more than the error of a worker that was fed with wrong bytes, so it is looked at first; an import that
 * stopped early has none. */
static int check_blob(struct import *in, struct err *e)
{
    struct digest d;
    char text[DIGEST_TEXT_LENGTH + 1];
    digest_finish(&in->hash, &d);
    if (digest_equal(&d, &in->request->blob))
        return 0;
    digest_format(&d, text);
    return err_set(e, EBADMSG, "the content has digest %s", text);
}

/* Reads what the worker did not want, so that a wrong digest is told from a malformed archive. */
static int read_rest(struct import *in, struct err *e)
{
    while (in->done < in->request->size) {
        uint64_t left = in->request->size - in->done;
        ssize_t n = read(in->source, in->data, left < COPY_SIZE ? (size_t)left : COPY_SIZE);
        if (n < 0 && errno == EINTR)
            continue;
        if (n <= 0)
            return err_set(e, EBADMSG, "it ends after %llu of %llu bytes", (unsigned long long)in->done,
                           (unsigned long long)in->request->size);
        digest_update(&in->hash, in->data, (size_t)n);
        in->done += (uint64_t)n;
    }
    return 0;
}

static int unpack(struct import *in, int fs, struct layer_info *ret_info, struct err *e)
{
    _cleanup_worker_ struct worker w = WORKER_INIT;
    struct message_unpack_layer_done done = {0};
    struct digest diff_id;
    char text[DIGEST_TEXT_LENGTH + 1];
    int stream = -1;
    int r = start_worker(in, fs, &w, &stream, e);
    if (r < 0)
        return r;
    r = feed(in, stream, e);
    close_fd(&stream);
    if (r == 1)
        r = check_blob(in, e);
    else if (r == 0 && (r = receive_result(&w, &done, e)) < 0) {
        struct err lie = {0};
        /* A worker that was killed (EIO) has not judged anything, and a source that stalls would keep us waiting. */
        if (r != -EIO && read_rest(in, &lie) == 0 && check_blob(in, &lie) < 0)
            *e = lie;
        return r;
    } else if (r == 0)
        r = err_set(e, EBADMSG, "casemate-unpack did not read all of it");
    if (r == 0)
        r = receive_result(&w, &done, e);
    if (r < 0)
        return r;
    memcpy(diff_id.bytes, done.diff_id, sizeof(diff_id.bytes));
    digest_format(&diff_id, text);
    if (!in->request->any_diff_id && !digest_equal(&diff_id, &in->request->diff_id))
        return err_set(e, EBADMSG,
                       "its content has digest %s, which is not what the image configuration says", text);
    in->replaced = done.replaced > 0;
    *ret_info = (struct layer_info){
        .blob = in->request->blob,
        .diff_id = diff_id,
        .size = in->request->size,
        .uncompressed = done.uncompressed,
        .entries = done.entries,
        .files_bytes = done.files_bytes,
        .devices_dropped = done.devices_dropped,
        .setid_files = done.setid_files,
        .ids_above_block = done.ids_above_block,
        .capabilities_dropped = done.capabilities_dropped,
        .xattrs_dropped = done.xattrs_dropped,
    };
    return 0;
}

/* staging/NAME/fs, which belongs to the neutral range. */
static int make_fs(int dir, struct err *e)
{
    _cleanup_close_ int fs = path_make_dir_at(dir, "fs", 0700, e);
    if (fs < 0)
        return fs;
    if (fchmod(fs, 0755) < 0 || fchown(fs, IDS_NEUTRAL, IDS_NEUTRAL) < 0)
        return fitness_explain(fs, err_errno(e, "give the layer's directory to the neutral range"), e);
    return steal_fd(&fs);
}

static int import_staged(const struct store *s, struct import *in, const char *hex, struct err *e)
{
    char name[STORE_STAGING_NAME_MAX];
    struct layer_info info = {0};
    _cleanup_close_ int dir = store_staging_make(s, name, e);
    if (dir < 0)
        return dir;
    _cleanup_close_ int fs = make_fs(dir, e);
    _cleanup_close_ int skeleton = openat(dir, SKELETON_FILE, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
    int r = fs < 0 ? fs : skeleton < 0 ? err_errno(e, "make a skeleton") : 0;
    in->skeleton = skeleton;
    if (r == 0)
        r = unpack(in, fs, &info, e);
    if (r == 0 && in->replaced)
        (void)unlinkat(dir, SKELETON_FILE, 0);
    if (r == 0)
        r = write_record(dir, &info, e);
    if (r == 0 && renameat(s->staging, name, s->layers, hex) < 0)
        r = err_errno(e, "put the layer in place");
    struct err ignored = {0};
    if (r < 0)
        (void)path_remove_tree_at(s->staging, name, &ignored);
    return r;
}

int layer_import(const struct store *s, const struct layer_request *request, int source_fd,
                 void (*progress)(uint64_t done, uint64_t total, void *context), void *context, struct err *e)
{
    char hex[DIGEST_HEX_LENGTH + 1];
    _cleanup_close_ int locks = -1;
    int r = 0;
    digest_format_hex(&request->blob, hex);
    _cleanup_close_ int lock = lock_layer(s, hex, &locks, e);
    if (lock < 0)
        return lock;
    if (layer_exists(s, &request->blob))
        r = 1;
    else {
        _cleanup_free_ struct import *in = malloc(sizeof(*in));
        if (!in)
            return err_oom(e);
        in->request = request;
        in->source = source_fd;
        in->progress = progress;
        in->context = context;
        in->done = 0;
        r = import_staged(s, in, hex, e);
    }
    (void)unlinkat(locks, hex, 0);
    return r < 0 ? err_wrap(e, "layer %.12s", hex) : r;
}

void layers_sweep_locks(const struct store *s)
{
    _cleanup_close_ int fd = openat(s->run, LOCKS_DIRECTORY, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
    _cleanup_closedir_ DIR *d = fd < 0 ? NULL : fdopendir(fd);
    if (!d)
        return;
    (void)steal_fd(&fd);
    for (struct dirent *entry; (entry = readdir(d));) {
        if (entry->d_name[0] == '.')
            continue;
        _cleanup_close_ int lock = openat(dirfd(d), entry->d_name, O_RDONLY | O_NOFOLLOW | O_CLOEXEC);
        if (lock >= 0 && flock(lock, LOCK_EX | LOCK_NB) == 0)
            (void)unlinkat(dirfd(d), entry->d_name, 0);
    }
}

int layer_remove(const struct store *s, const struct digest *blob, struct err *e)
{
    char hex[DIGEST_HEX_LENGTH + 1];
    char name[STORE_STAGING_NAME_MAX];
    digest_format_hex(blob, hex);
    _cleanup_close_ int dir = store_staging_make(s, name, e);
    if (dir < 0)
        return dir;
    /* Out of sight at once; what a kill leaves of it is swept from staging. */
    int r = renameat(s->layers, hex, dir, "layer") < 0 && errno != ENOENT
                ? err_errno(e, "remove layer %.12s", hex)
                : 0;
    struct err second = {0};
    int swept = path_remove_tree_at(s->staging, name, r < 0 ? &second : e);
    return r < 0 ? r : swept;
}
