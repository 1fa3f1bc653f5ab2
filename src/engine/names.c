/* SPDX-License-Identifier: Apache-2.0 */
/* Names of containers (names.h). */
#include "engine/names.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <sys/file.h>
#include <sys/random.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/id.h"
#include "base/path.h"
#include "base/str.h"
#include "engine/container.h"

#define RANDOM_TRIES 64

/* Parts and virtues of a fortress. */
static const char *const first_words[] = {
    "able",   "bold",     "brave",  "brick",   "bright", "calm",    "clever", "cool",   "eager",    "fair",
    "firm",   "fleet",    "gentle", "glad",    "grand",  "granite", "hardy",  "hidden", "high",     "honest",
    "iron",   "jolly",    "keen",   "kind",    "lofty",  "loyal",   "lucid",  "mellow", "mighty",   "modest",
    "nimble", "noble",    "oaken",  "patient", "plain",  "proud",   "quiet",  "rapid",  "ready",    "robust",
    "royal",  "sane",     "secret", "sharp",   "silent", "sober",   "solid",  "stable", "steady",   "steel",
    "stone",  "stout",    "strong", "sturdy",  "swift",  "tidy",    "tough",  "true",   "vigilant", "warm",
    "wary",   "watchful", "wise",   "zesty"};
static const char *const second_words[] = {
    "abutment", "anchor",    "arch",       "archer",     "armory",    "arrowslit", "bailey",  "balcony",
    "barbican", "bastion",   "battlement", "beacon",     "belfry",    "bolt",      "bridge",  "buttress",
    "caponier", "castle",    "chamber",    "citadel",    "cloister",  "counter",   "court",   "crenel",
    "curtain",  "donjon",    "drawbridge", "dungeon",    "embrasure", "fort",      "fosse",   "gallery",
    "gate",     "gatehouse", "glacis",     "granary",    "guard",     "hall",      "hinge",   "keep",
    "keystone", "lantern",   "latch",      "lintel",     "loophole",  "magazine",  "merlon",  "moat",
    "palisade", "parapet",   "pillar",     "portcullis", "postern",   "rampart",   "ravelin", "redoubt",
    "sentry",   "tower",     "turret",     "vault",      "wall",      "ward",      "watch",   "well"};

int names_lock(const struct store *s, struct err *e)
{
    _cleanup_close_ int fd = openat(s->names, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (fd < 0 || flock(fd, LOCK_EX) < 0)
        return err_errno(e, "lock the names of containers");
    return steal_fd(&fd);
}

int names_find(const struct store *s, const char *name, char *ret_id, struct err *e)
{
    char id[ID_LENGTH + 2];
    if (!path_is_component(name))
        return 0;
    ssize_t n = readlinkat(s->names, name, id, sizeof(id));
    if (n < 0 && (errno == ENOENT || errno == EINVAL))
        return 0;
    if (n < 0)
        return err_errno(e, "read name %s", name);
    id[n < ID_LENGTH + 1 ? n : ID_LENGTH + 1] = '\0';
    if (!id_valid(id))
        return err_set(
            e, EINVAL,
            "name %s does not lead to a container (names/%s in the data root is damaged: remove it)", name,
            name);
    memcpy(ret_id, id, ID_LENGTH + 1);
    return 1;
}

bool names_stale(const struct store *s, const char *name, const char *id)
{
    struct err unreadable = {0};
    _cleanup_container_ struct container c = CONTAINER_INIT;
    plan_init(&c.plan);
    struct stat st;
    if (fstatat(s->containers, id, &st, AT_SYMLINK_NOFOLLOW) < 0)
        return true;
    return container_open(s, id, &c, &unreadable) == 0 &&
           !str_equal(c.plan.name, name); /* damaged: it has it */
}

int names_claim(const struct store *s, const char *name, const char *id, struct err *e)
{
    char holder[ID_LENGTH + 1];
    if (symlinkat(id, s->names, name) == 0)
        return 0;
    if (errno != EEXIST)
        return err_errno(e, "claim name %s", name);
    int r = names_find(s, name, holder, e);
    if (r < 0)
        return r;
    if (r == 1 && !names_stale(s, name, holder))
        return err_set(e, EEXIST,
                       "Conflict. The container name \"/%s\" is already in use by container \"%s\". You have "
                       "to remove (or rename) that "
                       "container to be able to reuse that name.",
                       name, holder);
    (void)unlinkat(s->names, name, 0);
    return symlinkat(id, s->names, name) < 0 ? err_errno(e, "claim name %s", name) : 0;
}

int names_claim_random(const struct store *s, const char *id, char **ret_name, struct err *e)
{
    for (int i = 0; i < RANDOM_TRIES; i++) {
        unsigned char random[2];
        _cleanup_free_ char *name = NULL;
        if (getrandom(random, sizeof(random), 0) != (ssize_t)sizeof(random))
            return err_errno(e, "getrandom");
        const char *first = first_words[random[0] % ARRAY_SIZE(first_words)];
        const char *second = second_words[random[1] % ARRAY_SIZE(second_words)];
        int r = i < RANDOM_TRIES / 2 ? str_format(&name, e, "%s_%s", first, second)
                                     : str_format(&name, e, "%s_%s_%.6s", first, second, id);
        if (r < 0)
            return r;
        r = names_claim(s, name, id, e);
        if (r == 0)
            *ret_name = steal_ptr(name);
        if (r != -EEXIST)
            return r;
    }
    return err_set(e, EEXIST, "no free name found");
}

void names_release(const struct store *s, const char *name, const char *id)
{
    char holder[ID_LENGTH + 1];
    struct err ignored = {0};
    if (names_find(s, name, holder, &ignored) == 1 && str_equal(holder, id))
        (void)unlinkat(s->names, name, 0);
}

void names_sweep(const struct store *s)
{
    struct err ignored = {0};
    char id[ID_LENGTH + 1];
    struct stat st;
    _cleanup_close_ int lock = names_lock(s, &ignored);
    _cleanup_close_ int fd = lock < 0 ? -1 : openat(s->names, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    _cleanup_closedir_ DIR *d = fd < 0 ? NULL : fdopendir(fd);
    if (!d)
        return;
    (void)steal_fd(&fd);
    for (struct dirent *entry; (entry = readdir(d));)
        if (entry->d_name[0] != '.' && names_find(s, entry->d_name, id, &ignored) == 1 &&
            fstatat(s->containers, id, &st, AT_SYMLINK_NOFOLLOW) < 0 && errno == ENOENT)
            (void)unlinkat(s->names, entry->d_name, 0);
}
