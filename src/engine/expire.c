/* SPDX-License-Identifier: Apache-2.0 */
/* Expiry of containers (expire.h). */
#include "engine/expire.h"

#include <fcntl.h>
#include <stdio.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/clock.h"
#include "engine/lifecycle.h"
#include "engine/lock.h"
#include "engine/notice.h"
#include "engine/restarting.h"
#include "engine/volume.h"

#define DATA_DIR "/data"
#define DETAIL_MAX 80

static bool is_kept(const struct plan *p)
{
    const char *value = str_list_env(&p->labels, EXPIRE_KEEP_LABEL);
    return value && (!*value || str_equal(value, "true"));
}

static bool has_expired(const struct container *c, uint64_t age, int64_t now)
{
    int64_t ended = c->finished ? c->finished : c->start.time;
    if (age == 0 || is_kept(&c->plan) || restarting_wanted(c, true))
        return false;
    if (c->status != CONTAINER_EXITED && c->status != CONTAINER_DEAD)
        return false;
    return ended > 0 && now > ended && (uint64_t)(now - ended) > age;
}

/* False also when that cannot be said. */
static bool is_empty(const struct store *s, const char *name)
{
    char path[VOLUME_NAME_MAX + sizeof(DATA_DIR)];
    if (strlen(name) > VOLUME_NAME_MAX)
        return false;
    (void)snprintf(path, sizeof(path), "%s" DATA_DIR, name);
    _cleanup_close_ int fd = openat(s->volumes, path, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
    _cleanup_closedir_ DIR *d = fd < 0 ? NULL : fdopendir(fd);
    if (!d)
        return false;
    (void)steal_fd(&fd);
    for (struct dirent *entry; (entry = readdir(d));)
        if (!str_equal(entry->d_name, ".") && !str_equal(entry->d_name, ".."))
            return false;
    return true;
}

static void remove_empty_volumes(const struct store *s, const struct plan *p)
{
    for (size_t i = 0; i < p->mount_count; i++)
        if (p->mounts[i].anonymous && is_empty(s, p->mounts[i].source))
            volume_leave(s, p->mounts[i].source, p->id);
}

int expire_container(const struct store *s, struct container *c, uint64_t age, int64_t now, struct err *e)
{
    char detail[DETAIL_MAX];
    if (!has_expired(c, age, now))
        return 0;
    _cleanup_close_ int lock = lock_container(s, c, e);
    int r = lock < 0 ? lock : container_refresh(c, e);
    if (r < 0 || !has_expired(c, age, now) || !lock_no_waiter(c))
        return r;
    (void)snprintf(detail, sizeof(detail), "ended more than %llu seconds ago",
                   (unsigned long long)(age / (uint64_t)CLOCK_SECOND));
    notice_container(s, c, NOTICE_EXPIRED, detail);
    remove_empty_volumes(s, &c->plan);
    r = lifecycle_remove_locked(s, c, false, e);
    return r < 0 ? r : 1;
}
