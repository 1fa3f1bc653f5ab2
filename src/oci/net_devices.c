/* SPDX-License-Identifier: Apache-2.0 */
/* Moving interfaces between two network namespaces (net_devices.h). */
#include "oci/net_devices.h"

#include <ctype.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/rtnetlink.h>
#include <sched.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/str.h"
#include "oci/netlink.h"

#define TEMPLATE "%d" /* at the end of a name: the first number that is free */
#define TEMPLATE_TRIES 4096

/* What of an address's flags is its owner's wish; the others tell its state. */
#define FLAGS_KEPT \
    (IFA_F_NODAD | IFA_F_OPTIMISTIC | IFA_F_HOMEADDRESS | IFA_F_MANAGETEMPADDR | IFA_F_NOPREFIXROUTE)

/* A network namespace and a netlink socket in it. */
struct side {
    int netns, socket;
};

#define SIDE_INIT                 \
    {                             \
        .netns = -1, .socket = -1 \
    }

static void side_close(struct side *s)
{
    close_fd(&s->netns);
    close_fd(&s->socket);
}

static const char *new_name(const struct oci_net_device *d)
{
    return str_set(d->name) ? d->name : d->key;
}

static bool is_template(const char *name)
{
    size_t n = strlen(name);
    return n > strlen(TEMPLATE) && str_equal(name + n - strlen(TEMPLATE), TEMPLATE);
}

/* The kernel's dev_valid_name. */
static bool is_name(const char *name, bool may_be_template)
{
    size_t n = strlen(name);
    if (n == 0 || n >= IFNAMSIZ || str_equal(name, ".") || str_equal(name, ".."))
        return false;
    if (may_be_template && is_template(name))
        n -= strlen(TEMPLATE);
    for (size_t i = 0; i < n; i++)
        if (name[i] == '/' || name[i] == ':' || name[i] == '%' || isspace((unsigned char)name[i]))
            return false;
    return true;
}

int oci_net_devices_check(const struct schema_list *devices, struct err *e)
{
    for (size_t i = 0; i < devices->count; i++) {
        const struct oci_net_device *d = OCI_ITEM(devices, struct oci_net_device, i);
        if (!is_name(d->key, false))
            return err_set(e, EINVAL, "linux.netDevices: \"%s\" is no name of an interface", d->key);
        if (!is_name(new_name(d), true))
            return err_set(e, EINVAL, "linux.netDevices.%s.name: \"%s\" is no name of an interface", d->key,
                           d->name);
        for (size_t j = 0; j < i && !is_template(new_name(d)); j++)
            if (str_equal(new_name(OCI_ITEM(devices, struct oci_net_device, j)), new_name(d)))
                return err_set(e, EINVAL, "linux.netDevices.%s.name: \"%s\" occurs twice", d->key,
                               new_name(d));
    }
    return 0;
}

/* The command has one thread, and leaves its own namespace for one call. */
static int side_open(const char *path, int own, struct side *s, struct err *e)
{
    s->netns = open(path, O_RDONLY | O_CLOEXEC);
    if (s->netns < 0)
        return err_errno(e, "open %s", path);
    if (setns(s->netns, CLONE_NEWNET) < 0)
        return err_errno(e, "enter the container's network namespace");
    s->socket = netlink_open(e);
    if (setns(own, CLONE_NEWNET) < 0)
        return err_errno(e, "return to the own network namespace");
    return s->socket < 0 ? s->socket : 0;
}

static int sides_open(pid_t pid, struct side *host, struct side *container, struct err *e)
{
    char path[32];
    (void)snprintf(path, sizeof(path), "/proc/%d/ns/net", (int)pid);
    host->netns = open("/proc/self/ns/net", O_RDONLY | O_CLOEXEC);
    if (host->netns < 0)
        return err_errno(e, "open the own network namespace");
    host->socket = netlink_open(e);
    return host->socket < 0 ? host->socket : side_open(path, host->netns, container, e);
}

/* The name that an interface gets: free there. */
static int find_name(const struct side *to, const char *wanted, char ret[IFNAMSIZ], struct err *e)
{
    int tries = is_template(wanted) ? TEMPLATE_TRIES : 1;
    int stem = (int)(strlen(wanted) - (is_template(wanted) ? strlen(TEMPLATE) : 0));
    for (int i = 0; i < tries; i++) {
        struct err absent = {0};
        int index;
        unsigned flags;
        char number[12] = "";
        if (is_template(wanted))
            (void)snprintf(number, sizeof(number), "%d", i);
        int n = snprintf(ret, IFNAMSIZ, "%.*s%s", stem, wanted, number);
        if (n < 0 || n >= IFNAMSIZ)
            break;
        int r = netlink_find(to->socket, ret, &index, &flags, &absent);
        if (r == -ENODEV)
            return 0;
        if (r < 0) {
            *e = absent;
            return r;
        }
    }
    return err_set(e, EEXIST, "the container has an interface %s already", wanted);
}

/* Those that an administrator has given, and that are good outside of the link: the others the kernel makes anew. */
static bool is_kept(const struct netlink_address *a)
{
    return (a->flags & IFA_F_PERMANENT) && a->scope == RT_SCOPE_UNIVERSE;
}

/* "eth0" and "eth0:1" follow the interface's name, another label stays; one that becomes too long is left out. */
static void rename_label(struct netlink_address *a, const char *old_name, const char *name)
{
    char label[2 * IFNAMSIZ];
    const char *rest = str_after(a->label, old_name);
    if (!rest || (*rest && *rest != ':'))
        return;
    (void)snprintf(label, sizeof(label), "%s%s", name, rest);
    memset(a->label, 0, sizeof(a->label));
    if (strlen(label) < sizeof(a->label))
        memcpy(a->label, label, strlen(label));
}

static int give_addresses(const struct side *to, const struct netlink_addresses *all, const char *old_name,
                          const struct oci_net_given *g, bool up, struct err *e)
{
    int index = 0;
    unsigned flags;
    int r = netlink_find(to->socket, g->name, &index, &flags, e);
    for (unsigned i = 0; i < all->n && r == 0; i++) {
        struct netlink_address a = all->list[i];
        if (!is_kept(&a))
            continue;
        a.flags &= FLAGS_KEPT;
        rename_label(&a, old_name, g->name);
        r = netlink_add_address(to->socket, index, &a, e);
    }
    return r == 0 && up ? netlink_set_up(to->socket, index, true, e) : r;
}

/* *ret tells how it was and how it is called now, as soon as it is there. */
static int move(const struct side *from, const struct side *to, const char *name, const char *wanted, bool up,
                struct oci_net_given *ret, struct err *e)
{
    struct oci_net_given g = {.moved = true};
    int index;
    unsigned flags;
    _cleanup_free_ struct netlink_addresses *addresses = calloc(1, sizeof(*addresses));
    if (!addresses)
        return err_oom(e);
    int r = netlink_find(from->socket, name, &index, &flags, e);
    if (r == 0)
        r = find_name(to, wanted, g.name, e);
    if (r == 0)
        r = netlink_read_addresses(from->socket, index, addresses, e);
    if (r == 0) /* one that is up cannot be renamed */
        r = netlink_set_up(from->socket, index, false, e);
    if (r < 0)
        return r;
    g.was_up = flags & IFF_UP;
    r = netlink_move(from->socket, index, to->netns, g.name, e);
    if (r < 0) {
        struct err ignored = {0};
        if (g.was_up)
            (void)netlink_set_up(from->socket, index, true, &ignored);
        return r;
    }
    *ret = g;
    return give_addresses(to, addresses, name, &g, up, e);
}

static void take_back(const struct schema_list *devices, const struct oci_net_given *given,
                      const struct side *host, const struct side *container)
{
    for (size_t i = devices->count; i-- > 0;) {
        struct err ignored = {0};
        struct oci_net_given back;
        const struct oci_net_device *d = OCI_ITEM(devices, struct oci_net_device, i);
        if (given[i].moved)
            (void)move(container, host, given[i].name, d->key, given[i].was_up, &back, &ignored);
    }
}

int oci_net_devices_give(const struct schema_list *devices, pid_t pid, struct oci_net_given **ret_given,
                         struct err *e)
{
    _cleanup_(side_close) struct side host = SIDE_INIT;
    _cleanup_(side_close) struct side container = SIDE_INIT;
    *ret_given = NULL;
    if (devices->count == 0)
        return 0;
    _cleanup_free_ struct oci_net_given *given = calloc(devices->count, sizeof(*given));
    if (!given)
        return err_oom(e);
    int r = sides_open(pid, &host, &container, e);
    if (r < 0)
        return err_wrap(e, "linux.netDevices");
    for (size_t i = 0; i < devices->count; i++) {
        const struct oci_net_device *d = OCI_ITEM(devices, struct oci_net_device, i);
        r = move(&host, &container, d->key, new_name(d), true, &given[i], e);
        if (r < 0) {
            take_back(devices, given, &host, &container);
            return err_wrap(e, "linux.netDevices.%s", d->key);
        }
    }
    *ret_given = steal_ptr(given);
    return 0;
}

void oci_net_devices_take_back(const struct schema_list *devices, const struct oci_net_given *given,
                               pid_t pid)
{
    _cleanup_(side_close) struct side host = SIDE_INIT;
    _cleanup_(side_close) struct side container = SIDE_INIT;
    struct err ignored = {0};
    if (given && sides_open(pid, &host, &container, &ignored) == 0)
        take_back(devices, given, &host, &container);
}
