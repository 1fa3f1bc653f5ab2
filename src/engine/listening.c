/* SPDX-License-Identifier: Apache-2.0 */
/* Listening UNIX sockets (listening.h). What is read is the kernel's; an answer of another shape ends the reading. */
#include "engine/listening.h"

#include <linux/netlink.h>
#include <linux/rtnetlink.h>
#include <linux/sock_diag.h>
#include <linux/unix_diag.h>
#include <netinet/tcp.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/sysmacros.h>
#include <unistd.h>

#define ANSWER_SIZE 32768U   /* as much as the kernel puts into one message */
#define SOCKETS_MAX 65536U   /* beyond it the rest is left out */
#define KERNEL_MINOR_BITS 20 /* of a device number within the kernel */

void listening_clear(struct listening *l)
{
    free(l->items);
    *l = (struct listening){0};
}

static int in_order(const void *a, const void *b)
{
    const struct listening_socket *x = a, *y = b;
    if (x->device != y->device)
        return x->device < y->device ? -1 : 1;
    if (x->inode != y->inode)
        return x->inode < y->inode ? -1 : 1;
    return x->cookie < y->cookie ? -1 : x->cookie > y->cookie;
}

static bool add(struct listening *l, const struct listening_socket *socket)
{
    if ((l->count & (l->count - 1)) == 0) {
        struct listening_socket *grown = reallocarray(l->items, l->count ? l->count * 2 : 1, sizeof(*grown));
        if (!grown)
            return false;
        l->items = grown;
    }
    l->items[l->count++] = *socket;
    return l->count < SOCKETS_MAX;
}

/* A socket without a name in a file system has no such attribute. */
static bool add_message(struct listening *l, const struct nlmsghdr *header)
{
    const struct unix_diag_msg *m = NLMSG_DATA(header);
    struct listening_socket socket = {0};
    if (header->nlmsg_len < NLMSG_LENGTH(sizeof(*m)))
        return false;
    socket.cookie = (uint64_t)m->udiag_cookie[1] << 32 | m->udiag_cookie[0];
    size_t left = header->nlmsg_len - NLMSG_LENGTH(sizeof(*m));
    const struct rtattr *a = (const void *)((const char *)m + NLMSG_ALIGN(sizeof(*m)));
    for (; RTA_OK(a, left); a = RTA_NEXT(a, left)) {
        struct unix_diag_vfs file;
        if (a->rta_type != UNIX_DIAG_VFS || RTA_PAYLOAD(a) < sizeof(file))
            continue;
        memcpy(&file, RTA_DATA(a), sizeof(file));
        socket.inode = file.udiag_vfs_ino;
        socket.device = file.udiag_vfs_dev;
        return add(l, &socket);
    }
    return true;
}

static bool ask(int fd)
{
    const struct {
        struct nlmsghdr header;
        struct unix_diag_req request;
    } q = {{.nlmsg_len = sizeof(q),
            .nlmsg_type = SOCK_DIAG_BY_FAMILY,
            .nlmsg_flags = NLM_F_REQUEST | NLM_F_DUMP},
           {.sdiag_family = AF_UNIX, .udiag_states = 1U << TCP_LISTEN, .udiag_show = UDIAG_SHOW_VFS}};
    return send(fd, &q, sizeof(q), 0) == (ssize_t)sizeof(q);
}

/* False when there is nothing more to read. */
static bool take(int fd, void *answer, struct listening *l)
{
    ssize_t n = recv(fd, answer, ANSWER_SIZE, 0);
    if (n <= 0)
        return false;
    size_t left = (size_t)n;
    for (const struct nlmsghdr *h = answer; NLMSG_OK(h, left); h = NLMSG_NEXT(h, left))
        if (h->nlmsg_type != SOCK_DIAG_BY_FAMILY || !add_message(l, h))
            return false;
    return true;
}

void listening_read(struct listening *ret)
{
    struct listening l = {0};
    _cleanup_free_ void *answer = malloc(ANSWER_SIZE);
    _cleanup_close_ int fd = answer ? socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, NETLINK_SOCK_DIAG) : -1;
    if (fd >= 0 && ask(fd))
        while (take(fd, answer, &l))
            ;
    if (l.count > 1)
        qsort(l.items, l.count, sizeof(*l.items), in_order);
    *ret = l;
}

bool listening_has(const struct listening *l, const struct listening_socket *socket)
{
    return socket->cookie && l->count && bsearch(socket, l->items, l->count, sizeof(*socket), in_order);
}

bool listening_find(const struct listening *l, const struct stat *file, struct listening_socket *ret)
{
    const uint32_t device = (uint32_t)major(file->st_dev) << KERNEL_MINOR_BITS | minor(file->st_dev);
    if (file->st_ino > UINT32_MAX) /* the kernel tells 32 bits */
        return false;
    for (size_t i = 0; i < l->count; i++)
        if (l->items[i].inode == file->st_ino && l->items[i].device == device && l->items[i].cookie) {
            *ret = l->items[i];
            return true;
        }
    return false;
}
