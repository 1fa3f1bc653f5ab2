/* SPDX-License-Identifier: Apache-2.0 */
/* One table of words (mount_options.h). */
#include "oci/mount_options.h"

#include <errno.h>
#include <sys/mount.h>

#include "base/cleanup.h"

#define ATIME MOUNT_ATTR__ATIME

enum word_kind { WORD_ATTR, WORD_RECURSIVE, WORD_PROPAGATION, WORD_FLAG, WORD_DATA, WORD_NOTHING };

/* `set` and `clear` are MOUNT_ATTR_*; for WORD_PROPAGATION `set` is MS_*; for WORD_FLAG the offset of a bool, and of a second one. */
struct word {
    const char *name;
    enum word_kind kind;
    uint64_t set, clear;
};

#define FLAG(name, member)                                             \
    {                                                                  \
        name, WORD_FLAG, offsetof(struct oci_mount_options, member), 0 \
    }

static const struct word words[] = {
    {"rw", WORD_ATTR, 0, MOUNT_ATTR_RDONLY},
    {"ro", WORD_ATTR, MOUNT_ATTR_RDONLY, 0},
    {"suid", WORD_ATTR, 0, MOUNT_ATTR_NOSUID},
    {"nosuid", WORD_ATTR, MOUNT_ATTR_NOSUID, 0},
    {"dev", WORD_ATTR, 0, MOUNT_ATTR_NODEV},
    {"nodev", WORD_ATTR, MOUNT_ATTR_NODEV, 0},
    {"exec", WORD_ATTR, 0, MOUNT_ATTR_NOEXEC},
    {"noexec", WORD_ATTR, MOUNT_ATTR_NOEXEC, 0},
    {"diratime", WORD_ATTR, 0, MOUNT_ATTR_NODIRATIME},
    {"nodiratime", WORD_ATTR, MOUNT_ATTR_NODIRATIME, 0},
    {"relatime", WORD_ATTR, MOUNT_ATTR_RELATIME, ATIME},
    {"norelatime", WORD_ATTR, MOUNT_ATTR_STRICTATIME, ATIME},
    {"atime", WORD_ATTR, MOUNT_ATTR_RELATIME, ATIME},
    {"noatime", WORD_ATTR, MOUNT_ATTR_NOATIME, ATIME},
    {"strictatime", WORD_ATTR, MOUNT_ATTR_STRICTATIME, ATIME},
    {"nostrictatime", WORD_ATTR, MOUNT_ATTR_RELATIME, ATIME},
    {"symfollow", WORD_ATTR, 0, MOUNT_ATTR_NOSYMFOLLOW},
    {"nosymfollow", WORD_ATTR, MOUNT_ATTR_NOSYMFOLLOW, 0},
    {"rrw", WORD_RECURSIVE, 0, MOUNT_ATTR_RDONLY},
    {"rro", WORD_RECURSIVE, MOUNT_ATTR_RDONLY, 0},
    {"rsuid", WORD_RECURSIVE, 0, MOUNT_ATTR_NOSUID},
    {"rnosuid", WORD_RECURSIVE, MOUNT_ATTR_NOSUID, 0},
    {"rdev", WORD_RECURSIVE, 0, MOUNT_ATTR_NODEV},
    {"rnodev", WORD_RECURSIVE, MOUNT_ATTR_NODEV, 0},
    {"rexec", WORD_RECURSIVE, 0, MOUNT_ATTR_NOEXEC},
    {"rnoexec", WORD_RECURSIVE, MOUNT_ATTR_NOEXEC, 0},
    {"rdiratime", WORD_RECURSIVE, 0, MOUNT_ATTR_NODIRATIME},
    {"rnodiratime", WORD_RECURSIVE, MOUNT_ATTR_NODIRATIME, 0},
    {"rrelatime", WORD_RECURSIVE, MOUNT_ATTR_RELATIME, ATIME},
    {"rnorelatime", WORD_RECURSIVE, MOUNT_ATTR_STRICTATIME, ATIME},
    {"ratime", WORD_RECURSIVE, MOUNT_ATTR_RELATIME, ATIME},
    {"rnoatime", WORD_RECURSIVE, MOUNT_ATTR_NOATIME, ATIME},
    {"rstrictatime", WORD_RECURSIVE, MOUNT_ATTR_STRICTATIME, ATIME},
    {"rnostrictatime", WORD_RECURSIVE, MOUNT_ATTR_RELATIME, ATIME},
    {"rsymfollow", WORD_RECURSIVE, 0, MOUNT_ATTR_NOSYMFOLLOW},
    {"rnosymfollow", WORD_RECURSIVE, MOUNT_ATTR_NOSYMFOLLOW, 0},
    {"shared", WORD_PROPAGATION, MS_SHARED, 0},
    {"rshared", WORD_PROPAGATION, MS_SHARED | MS_REC, 0},
    {"slave", WORD_PROPAGATION, MS_SLAVE, 0},
    {"rslave", WORD_PROPAGATION, MS_SLAVE | MS_REC, 0},
    {"private", WORD_PROPAGATION, MS_PRIVATE, 0},
    {"rprivate", WORD_PROPAGATION, MS_PRIVATE | MS_REC, 0},
    {"unbindable", WORD_PROPAGATION, MS_UNBINDABLE, 0},
    {"runbindable", WORD_PROPAGATION, MS_UNBINDABLE | MS_REC, 0},
    FLAG("bind", bind),
    FLAG("remount", remount),
    FLAG("tmpcopyup", tmpcopyup),
    FLAG("idmap", idmap),
    FLAG("ridmap", ridmap),
    /* Of the file system as a whole: fsconfig(2) takes them under these names. */
    {"sync", WORD_DATA, 0, 0},
    {"dirsync", WORD_DATA, 0, 0},
    {"lazytime", WORD_DATA, 0, 0},
    {"mand", WORD_DATA, 0, 0},
    {"iversion", WORD_DATA, 0, 0},
    {"silent", WORD_DATA, 0, 0},
    /* What holds anyway. */
    {"defaults", WORD_NOTHING, 0, 0},
    {"async", WORD_NOTHING, 0, 0},
    {"nomand", WORD_NOTHING, 0, 0},
    {"nolazytime", WORD_NOTHING, 0, 0},
    {"noiversion", WORD_NOTHING, 0, 0},
    {"loud", WORD_NOTHING, 0, 0},
    {0},
};

static const struct word *find(const char *name)
{
    for (const struct word *w = words; w->name; w++)
        if (str_equal(w->name, name))
            return w;
    return NULL;
}

/* A later word wins over an earlier one. */
static void change(uint64_t *set, uint64_t *clear, const struct word *w)
{
    *set = (*set & ~w->clear) | w->set;
    *clear = (*clear & ~(w->set & ~(uint64_t)ATIME)) | w->clear;
}

static int apply(const char *option, struct oci_mount_options *o, struct err *e)
{
    const struct word *w = find(option);
    if (!w && str_equal(option, "rbind")) {
        o->bind = o->recursive = true;
        return 0;
    }
    if (!w)
        return str_list_add(&o->data, option, e);
    switch (w->kind) {
    case WORD_ATTR:
        change(&o->set, &o->clear, w);
        return 0;
    case WORD_RECURSIVE:
        change(&o->set_recursive, &o->clear_recursive, w);
        return 0;
    case WORD_PROPAGATION:
        if (o->propagation_count == ARRAY_SIZE(o->propagation))
            return err_set(e, EINVAL, "propagation is changed more than %zu times",
                           ARRAY_SIZE(o->propagation));
        o->propagation[o->propagation_count++] = (unsigned long)w->set;
        return 0;
    case WORD_FLAG:
        *(bool *)((char *)o + w->set) = true;
        return 0;
    case WORD_DATA:
        return str_list_add(&o->data, option, e);
    case WORD_NOTHING:
        return 0;
    }
    return 0;
}

int oci_mount_options_read(const struct oci_mount *m, struct oci_mount_options *ret, struct err *e)
{
    _cleanup_oci_mount_options_ struct oci_mount_options o = {0};
    for (size_t i = 0; i < m->options.count; i++) {
        int r = apply(*OCI_ITEM(&m->options, char *, i), &o, e);
        if (r < 0)
            return r;
    }
    if (m->type && str_equal(m->type, "bind"))
        o.bind = true;
    *ret = o;
    o = (struct oci_mount_options){0};
    return 0;
}

void oci_mount_options_clear(struct oci_mount_options *o)
{
    str_list_clear(&o->data);
}

const char *const *oci_mount_options_known(void)
{
    static const char *names[ARRAY_SIZE(words) + 1];
    size_t n = 0;
    for (const struct word *w = words; w->name; w++)
        names[n++] = w->name;
    names[n] = "rbind";
    return names;
}
