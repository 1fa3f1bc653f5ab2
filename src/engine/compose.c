/* SPDX-License-Identifier: Apache-2.0 */
/* From plan to spec (compose.h). Trusted; sources of binds are opened here, judged on the very descriptor that is mounted. */
#include "engine/compose.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/dirs.h"
#include "base/identity.h"
#include "base/io.h"
#include "base/path.h"
#include "engine/compose_filters.h"
#include "engine/compose_resources.h"
#include "engine/compose_volumes.h"
#include "image/image.h"
#include "image/layers.h"
#include "image/record.h"
#include "practices/bind_source.h"

#define HOST_FILE_MAX (64U << 10) /* /etc/hosts and /etc/resolv.conf of the host */
#define PING_GROUP_LAST 65533     /* the kernel wants groups that exist */
#define TMPFS_SIZE_DEFAULT (64ULL << 20)

static int add_layers(const struct store *s, const struct container *c, struct spec *spec, struct err *e)
{
    _cleanup_image_ struct image *image = NULL;
    size_t index[IMAGE_LAYERS_MAX];
    /* Its record alone: opening the index takes longer than all the rest of this. */
    int r = image_record_read(s, c->plan.image_id, &image, e);
    if (r == -ENOENT)
        err_set(e, ENOENT, "No such image: %s", c->plan.image_id);
    if (r < 0)
        return err_wrap(e, "image of the container");
    size_t count = image_distinct_layers(image, index);
    for (size_t i = count; i > 0; i--) {
        int fd = layer_open(s, &image->layers[index[i - 1]].blob, e);
        if (fd < 0)
            return fd;
        spec->layers[spec->layer_count++] = fd;
    }
    return 0;
}

/* A missing source of -v is made as a directory, as Docker does. The path is the caller's own. */
static int open_bind_source(const struct plan_mount *m, struct err *e)
{
    int fd = open(m->source, O_PATH | O_CLOEXEC);
    if (fd >= 0)
        return fd;
    if (errno != ENOENT || !m->make_source)
        return err_errno(e, "bind source %s%s", m->source, errno == ENOENT ? " does not exist" : "");
    _cleanup_close_ int slash = open("/", O_PATH | O_DIRECTORY | O_CLOEXEC);
    if (slash < 0)
        return err_errno(e, "open /");
    return path_make_dirs_in_root(slash, m->source, 0755, (uid_t)-1, (gid_t)-1, e);
}

/* An ordinary user's own file in a container with a user by number: that user is the owner, as it is by the mount for root. */
static void own_bind(const struct plan *p, const struct stat *st, struct spec *spec)
{
    uint32_t uid = 0, gid = 0;
    if (identity_maps_mounts() || st->st_uid != geteuid() || !plan_user_numbers(p, &uid, &gid))
        return;
    spec->owner_uid = uid;
    spec->owner_gid = uid && gid != (uint32_t)-1 && st->st_gid == getegid() ? gid : 0;
}

static int add_bind(const struct plan *p, const struct plan_mount *m, struct spec *spec, struct err *e)
{
    struct stat st;
    _cleanup_close_ int fd = open_bind_source(m, e);
    int r = fd < 0 ? fd : bind_source_check(fd, m->source, m->read_only, e);
    if (r < 0)
        return r;
    if (fstat(fd, &st) < 0)
        return err_errno(e, "bind source %s", m->source);
    struct spec_mount *sm = spec_add_mount(spec, SPEC_MOUNT_BIND, m->target, e);
    if (!sm)
        return -e->code;
    sm->is_dir = S_ISDIR(st.st_mode);
    sm->recursive = true;
    sm->attr = compose_mount_attr(m);
    /* Root's own files stay nobody's, unless a writable bind was asked for; then no set-id bit can be made on them. */
    bool unmapped = (st.st_uid == 0 && m->read_only) || !identity_maps_mounts();
    sm->ids = unmapped ? SPEC_IDS_NONE : SPEC_IDS_OWNER;
    own_bind(p, &st, spec);
    sm->source = steal_fd(&fd);
    return st.st_uid == 0 && !m->read_only ? compose_deny_setid(&spec->process, e) : 0;
}

static int add_tmpfs(const struct plan_mount *m, struct spec *spec, struct err *e)
{
    struct spec_mount *sm = spec_add_mount(spec, SPEC_MOUNT_TMPFS, m->target, e);
    if (!sm)
        return -e->code;
    sm->attr = (m->read_only ? MOUNT_ATTR_RDONLY : 0) | (m->exec ? 0 : MOUNT_ATTR_NOEXEC);
    sm->size = m->size == PLAN_UNSET ? TMPFS_SIZE_DEFAULT : m->size;
    sm->mode = m->mode ? m->mode : 01777;
    sm->uid = m->uid;
    sm->gid = m->gid;
    return 0;
}

/* Depth of a target: a mount must come before those below it. */
static size_t depth(const char *target)
{
    size_t n = 0;
    for (const char *p = target; *p; p++)
        n += p[0] == '/' && p[1] && p[1] != '/';
    return n;
}

static int add_mounts(const struct store *s, const struct container *c, struct spec *spec, struct err *e)
{
    const struct plan *p = &c->plan;
    _cleanup_compose_volumes_ struct compose_volumes volumes = {0};
    size_t deepest = 0;
    int opened = compose_volumes_open(s, c, &volumes, e);
    if (opened < 0)
        return opened;
    for (size_t i = 0; i < p->mount_count; i++)
        deepest = depth(p->mounts[i].target) > deepest ? depth(p->mounts[i].target) : deepest;
    for (size_t level = 0; level <= deepest; level++) {
        for (size_t i = 0; i < p->mount_count; i++) {
            const struct plan_mount *m = &p->mounts[i];
            if (depth(m->target) != level)
                continue;
            int r = m->type == PLAN_MOUNT_BIND     ? add_bind(p, m, spec, e)
                    : m->type == PLAN_MOUNT_VOLUME ? compose_add_volume(&volumes, m, spec, e)
                                                   : add_tmpfs(m, spec, e);
            if (r < 0)
                return r;
        }
    }
    return 0;
}

/* A file of the host's that a container with the host's network needs. One that is not there is an empty one. */
static int add_host_file(struct spec *spec, const char *path, const char *more, struct err *e)
{
    _cleanup_free_ char *whole = NULL;
    _cleanup_buf_ struct buf text = {0};
    int r = io_read_path(path, HOST_FILE_MAX, &text, e);
    if (r < 0 && r != -ENOENT)
        return r;
    r = str_format(&whole, e, "%s%s", r == 0 && text.data ? text.data : "", more);
    return r < 0 ? r : spec_add_text(spec, path, whole, e);
}

static int add_own_hosts(struct spec *spec, const char *more, struct err *e)
{
    _cleanup_free_ char *hosts = NULL;
    int r = str_format(&hosts, e, "127.0.0.1\tlocalhost %s\n::1\tlocalhost ip6-localhost ip6-loopback\n%s",
                       spec->hostname, more);
    return r < 0 ? r : spec_add_text(spec, "/etc/hosts", hosts, e);
}

/* --add-host: NAME=ADDRESS. */
static int format_hosts(const struct plan *p, struct buf *b, struct err *e)
{
    int r = buf_add(b, "", 0, HOST_FILE_MAX, e);
    for (size_t i = 0; i < p->hosts.count && r == 0; i++) {
        const char *entry = p->hosts.items[i];
        const char *equals = strchrnul(entry, '=');
        r = buf_printf(b, HOST_FILE_MAX, e, "%s\t%.*s\n", *equals ? equals + 1 : "", (int)(equals - entry),
                       entry);
    }
    return r;
}

static int add_words(struct buf *b, const char *key, const struct str_list *words, struct err *e)
{
    int r = words->count ? buf_printf(b, HOST_FILE_MAX, e, "%s", key) : 0;
    for (size_t i = 0; i < words->count && r == 0; i++)
        r = buf_printf(b, HOST_FILE_MAX, e, " %s", words->items[i]);
    return r == 0 && words->count ? buf_printf(b, HOST_FILE_MAX, e, "\n") : r;
}

/* --dns, --dns-search (where "." means none) and --dns-option, as resolv.conf(5) has them. */
static int add_resolver(const struct plan *p, struct spec *spec, struct err *e)
{
    static const char path[] = "/etc/resolv.conf";
    _cleanup_buf_ struct buf b = {0};
    bool no_search = p->dns_search.count == 1 && str_equal(p->dns_search.items[0], ".");
    int r = 0;
    for (size_t i = 0; i < p->dns.count && r == 0; i++)
        r = buf_printf(&b, HOST_FILE_MAX, e, "nameserver %s\n", p->dns.items[i]);
    if (r == 0 && !no_search)
        r = add_words(&b, "search", &p->dns_search, e);
    if (r == 0)
        r = add_words(&b, "options", &p->dns_options, e);
    if (r < 0)
        return r;
    if (spec->share_network && p->dns.count == 0)
        return add_host_file(spec, path, b.data ? b.data : "", e);
    return spec_add_text(spec, path, b.data ? b.data : "# no network\n", e);
}

/* Written anew at each start; what a container writes to them touches nothing of the host. */
static int add_etc(const struct plan *p, struct spec *spec, struct err *e)
{
    _cleanup_buf_ struct buf more = {0};
    _cleanup_free_ char *hostname = NULL;
    int r = str_format(&hostname, e, "%s\n", spec->hostname);
    if (r == 0)
        r = spec_add_text(spec, "/etc/hostname", hostname, e);
    if (r == 0)
        r = format_hosts(p, &more, e);
    if (r == 0)
        r = spec->share_network ? add_host_file(spec, "/etc/hosts", more.data, e)
                                : add_own_hosts(spec, more.data, e);
    return r < 0 ? r : add_resolver(p, spec, e);
}

/* Where the network namespace is the container's own, these need no capability and touch nobody else. */
static int add_sysctls(const struct plan *p, struct spec *spec, struct err *e)
{
    int r =
        spec->share_network ? 0 : str_list_add(&spec->sysctls, "net.ipv4.ip_unprivileged_port_start=0", e);
    uint32_t last = identity_block_ids() > PING_GROUP_LAST ? PING_GROUP_LAST : identity_block_ids() - 1;
    if (r == 0 && !spec->share_network)
        r = str_list_addf(&spec->sysctls, e, "net.ipv4.ping_group_range=0 %u", last);
    for (size_t i = 0; i < p->sysctls.count && r == 0; i++)
        r = str_list_add(&spec->sysctls, p->sysctls.items[i], e);
    return r;
}

int compose_writable(const struct plan *p, struct str_list *ret, struct err *e)
{
    static const char *const always[] = {"/etc/hosts", "/etc/hostname", "/etc/resolv.conf"};
    int r = 0;
    for (size_t i = 0; i < ARRAY_SIZE(always) && r == 0; i++)
        r = str_list_add(ret, always[i], e);
    for (size_t i = 0; i < p->mount_count && r == 0; i++)
        if (!p->mounts[i].read_only)
            r = str_list_add(ret, p->mounts[i].target, e);
    return r;
}

/* Docker's rule: with the host's network the host's name, else the beginning of the id. */
static int set_hostname(const struct container *c, struct spec *spec, struct err *e)
{
    char name[HOST_NAME_MAX + 1] = "";
    if (c->plan.hostname)
        return str_copy(c->plan.hostname, &spec->hostname, e);
    if (!spec->share_network)
        return str_copy_n(c->id, ID_SHORT_LENGTH, &spec->hostname, e);
    if (gethostname(name, sizeof(name) - 1) < 0)
        return err_errno(e, "name of the host");
    return str_copy(name, &spec->hostname, e);
}

int compose_spec(const struct store *s, const struct container *c, unsigned block, struct spec *ret_spec,
                 struct err *e)
{
    const struct plan *p = &c->plan;
    _cleanup_spec_ struct spec spec;
    spec_init(&spec);
    spec.block_first = identity_block_first(block);
    spec.shim_uid = identity_shim(block);
    spec.root_read_only = p->read_only;
    bool no_shm = p->ipc_mode && str_equal(p->ipc_mode, "none");
    spec.shm_size = no_shm ? 0 : p->shm_size == PLAN_UNSET ? 64ULL << 20 : p->shm_size;
    spec.oom_score_adj = compose_oom_score_adj(p);
    spec.share_network = plan_shares_network(p);
    int r = compose_limits(p, &spec.resources, e);
    if (r == 0)
        r = compose_io(s, p, &spec.resources, e);
    if (r == 0)
        r = compose_devices(p, &spec.resources, e);
    if (r == 0)
        r = set_hostname(c, &spec, e);
    if (r == 0)
        r = str_copy(p->domainname, &spec.domainname, e);
    if (r == 0)
        r = compose_process(s, c, &spec.process, e);
    if (r == 0)
        r = add_layers(s, c, &spec, e);
    if (r == 0) {
        spec.writable = path_open_dir_at(c->dir, "rw", e);
        r = spec.writable < 0 ? spec.writable : 0;
    }
    if (r == 0)
        r = add_sysctls(p, &spec, e);
    if (r == 0)
        r = add_etc(p, &spec, e);
    if (r == 0)
        r = add_mounts(s, c, &spec, e);
    if (r == 0 && p->init) {
        _cleanup_free_ char *path = NULL;
        r = str_format(&path, e, "%s/casemate-init", dirs_libexec());
        spec.process.init = r < 0 ? -1 : open(path, O_PATH | O_CLOEXEC);
        if (r == 0 && spec.process.init < 0)
            r = err_errno(e, "helper program %s", path);
    }
    if (r < 0)
        return r;
    *ret_spec = spec;
    spec_init(&spec);
    return 0;
}
