/* SPDX-License-Identifier: Apache-2.0 */
/* Requests to rtnetlink and their answers (netlink.h). The kernel is trusted; lengths are checked all the same. */
#include "oci/netlink.h"

#include <errno.h>
#include <linux/rtnetlink.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/cleanup.h"

#define REQUEST_MAX 512
#define ANSWER_MAX 32768 /* what the kernel puts into one packet of a list at most */

struct request {
    union {
        struct nlmsghdr header;
        char space[REQUEST_MAX];
    } u;
};

/* What is done with each message of an answer. Negative ends it. */
typedef int (*on_message)(const struct nlmsghdr *h, void *data, struct err *e);

int netlink_open(struct err *e)
{
    const struct sockaddr_nl kernel = {.nl_family = AF_NETLINK};
    _cleanup_close_ int s = socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, NETLINK_ROUTE);
    if (s < 0 || connect(s, (const struct sockaddr *)&kernel, sizeof(kernel)) < 0)
        return err_errno(e, "netlink socket");
    return steal_fd(&s);
}

static void request_start(struct request *r, uint16_t type, uint16_t flags, const void *body, size_t length)
{
    *r = (struct request){.u.space = {0}};
    r->u.header = (struct nlmsghdr){.nlmsg_len = NLMSG_LENGTH((uint32_t)length),
                                    .nlmsg_type = type,
                                    .nlmsg_flags = (uint16_t)(NLM_F_REQUEST | flags),
                                    .nlmsg_seq = 1};
    memcpy(NLMSG_DATA(&r->u.header), body, length);
}

/* All attributes of a request have a fixed largest size, which REQUEST_MAX holds. */
static void request_add(struct request *r, uint16_t type, const void *value, size_t length)
{
    size_t at = NLMSG_ALIGN(r->u.header.nlmsg_len);
    const struct rtattr a = {.rta_len = (uint16_t)RTA_LENGTH(length), .rta_type = type};
    if (at + RTA_SPACE(length) > sizeof(r->u.space))
        return;
    memcpy(r->u.space + at, &a, sizeof(a));
    memcpy(r->u.space + at + RTA_LENGTH(0), value, length);
    r->u.header.nlmsg_len = (uint32_t)(at + RTA_LENGTH(length));
}

static int message_judge(const struct nlmsghdr *h, bool *ret_end, struct err *e)
{
    struct nlmsgerr said;
    *ret_end = h->nlmsg_type == NLMSG_DONE || h->nlmsg_type == NLMSG_ERROR;
    if (h->nlmsg_type != NLMSG_ERROR)
        return 0;
    if (h->nlmsg_len < NLMSG_LENGTH(sizeof(said)))
        return err_set(e, EBADMSG, "netlink: malformed answer");
    memcpy(&said, NLMSG_DATA(h), sizeof(said));
    errno = -said.error;
    return said.error == 0 ? 0 : err_errno(e, "netlink");
}

/* One packet: 1 when the answer ends with it. */
static int packet_read(const char *packet, size_t length, on_message each, void *data, struct err *e)
{
    const struct nlmsghdr *h = (const struct nlmsghdr *)(const void *)packet;
    for (size_t left = length; left >= sizeof(*h) && h->nlmsg_len >= sizeof(*h) && h->nlmsg_len <= left;) {
        bool end = false;
        int r = message_judge(h, &end, e);
        if (r < 0 || end)
            return r < 0 ? r : 1;
        r = each ? each(h, data, e) : 0;
        if (r < 0)
            return r;
        size_t step = NLMSG_ALIGN(h->nlmsg_len);
        if (step >= left)
            break;
        left -= step;
        h = (const struct nlmsghdr *)(const void *)((const char *)h + step);
    }
    return 0;
}

/* Every request asks for an acknowledgement or a list, so that the answer has an end. */
static int ask(int s, const struct request *r, on_message each, void *data, struct err *e)
{
    _cleanup_free_ char *answer = malloc(ANSWER_MAX);
    if (!answer)
        return err_oom(e);
    if (send(s, r->u.space, r->u.header.nlmsg_len, 0) < 0)
        return err_errno(e, "netlink");
    for (;;) {
        ssize_t n = recv(s, answer, ANSWER_MAX, 0);
        if (n < 0 && errno == EINTR)
            continue;
        if (n < 0)
            return err_errno(e, "netlink");
        int result = packet_read(answer, (size_t)n, each, data, e);
        if (result != 0)
            return result < 0 ? result : 0;
    }
}

/* --- interfaces ----------------------------------------------------------------------------------------------- */

static int on_link(const struct nlmsghdr *h, void *data, struct err *e)
{
    (void)e;
    if (h->nlmsg_type == RTM_NEWLINK && h->nlmsg_len >= NLMSG_LENGTH(sizeof(struct ifinfomsg)))
        memcpy(data, NLMSG_DATA(h), sizeof(struct ifinfomsg));
    return 0;
}

int netlink_find(int s, const char *name, int *ret_index, unsigned *ret_flags, struct err *e)
{
    struct request r;
    struct ifinfomsg found = {0};
    const struct ifinfomsg body = {.ifi_family = AF_UNSPEC};
    request_start(&r, RTM_GETLINK, NLM_F_ACK, &body, sizeof(body));
    request_add(&r, IFLA_IFNAME, name, strlen(name) + 1);
    int result = ask(s, &r, on_link, &found, e);
    if (result < 0)
        return result;
    if (found.ifi_index <= 0)
        return err_set(e, ENODEV, "netlink: no answer about %s", name);
    *ret_index = found.ifi_index;
    *ret_flags = found.ifi_flags;
    return 0;
}

int netlink_set_up(int s, int index, bool up, struct err *e)
{
    struct request r;
    const struct ifinfomsg body = {
        .ifi_family = AF_UNSPEC, .ifi_index = index, .ifi_flags = up ? IFF_UP : 0, .ifi_change = IFF_UP};
    request_start(&r, RTM_NEWLINK, NLM_F_ACK, &body, sizeof(body));
    return ask(s, &r, NULL, NULL, e);
}

int netlink_move(int s, int index, int netns, const char *name, struct err *e)
{
    struct request r;
    const struct ifinfomsg body = {.ifi_family = AF_UNSPEC, .ifi_index = index};
    const uint32_t fd = (uint32_t)netns;
    request_start(&r, RTM_NEWLINK, NLM_F_ACK, &body, sizeof(body));
    request_add(&r, IFLA_NET_NS_FD, &fd, sizeof(fd));
    request_add(&r, IFLA_IFNAME, name, strlen(name) + 1);
    return ask(s, &r, NULL, NULL, e);
}

/* --- addresses ------------------------------------------------------------------------------------------------ */

struct address_search {
    int index;
    struct netlink_addresses *found;
};

static bool take(const struct rtattr *a, struct netlink_address *x, unsigned char *to)
{
    size_t length = RTA_PAYLOAD(a);
    if (length == 0 || length > NETLINK_ADDRESS_SIZE)
        return false;
    memcpy(to, RTA_DATA(a), length);
    x->length = (uint8_t)length;
    return true;
}

static void take_attribute(const struct rtattr *a, struct netlink_address *x)
{
    switch (a->rta_type) {
    case IFA_LOCAL:
        x->has_local = take(a, x, x->local);
        break;
    case IFA_ADDRESS:
        x->has_peer = take(a, x, x->peer);
        break;
    case IFA_BROADCAST:
        x->has_broadcast = take(a, x, x->broadcast);
        break;
    case IFA_LABEL:
        if (RTA_PAYLOAD(a) > 0 && RTA_PAYLOAD(a) <= sizeof(x->label))
            memcpy(x->label, RTA_DATA(a), RTA_PAYLOAD(a) - 1);
        break;
    case IFA_FLAGS:
        if (RTA_PAYLOAD(a) == sizeof(x->flags))
            memcpy(&x->flags, RTA_DATA(a), sizeof(x->flags));
        break;
    case IFA_RT_PRIORITY:
        if (RTA_PAYLOAD(a) == sizeof(x->priority))
            memcpy(&x->priority, RTA_DATA(a), sizeof(x->priority));
        break;
    default:
        break;
    }
}

static int on_address(const struct nlmsghdr *h, void *data, struct err *e)
{
    const struct address_search *search = data;
    struct ifaddrmsg body;
    if (h->nlmsg_type != RTM_NEWADDR || h->nlmsg_len < NLMSG_LENGTH(sizeof(body)))
        return 0;
    memcpy(&body, NLMSG_DATA(h), sizeof(body));
    if ((int)body.ifa_index != search->index)
        return 0;
    if (search->found->n == NETLINK_ADDRESSES_MAX)
        return err_set(e, E2BIG, "more than %d addresses", NETLINK_ADDRESSES_MAX);
    struct netlink_address x = {.family = body.ifa_family,
                                .prefix = body.ifa_prefixlen,
                                .scope = body.ifa_scope,
                                .flags = body.ifa_flags};
    const struct rtattr *a = IFA_RTA((const struct ifaddrmsg *)NLMSG_DATA(h));
    for (int left = (int)IFA_PAYLOAD(h); RTA_OK(a, left); a = RTA_NEXT(a, left))
        take_attribute(a, &x);
    search->found->list[search->found->n++] = x;
    return 0;
}

int netlink_read_addresses(int s, int index, struct netlink_addresses *ret, struct err *e)
{
    struct request r;
    struct address_search search = {.index = index, .found = ret};
    const struct ifaddrmsg body = {.ifa_family = AF_UNSPEC};
    ret->n = 0;
    request_start(&r, RTM_GETADDR, NLM_F_DUMP, &body, sizeof(body));
    return ask(s, &r, on_address, &search, e);
}

int netlink_add_address(int s, int index, const struct netlink_address *a, struct err *e)
{
    struct request r;
    const struct ifaddrmsg body = {.ifa_family = a->family,
                                   .ifa_prefixlen = a->prefix,
                                   .ifa_scope = a->scope,
                                   .ifa_index = (uint32_t)index};
    request_start(&r, RTM_NEWADDR, NLM_F_ACK | NLM_F_CREATE | NLM_F_REPLACE, &body, sizeof(body));
    if (a->has_local)
        request_add(&r, IFA_LOCAL, a->local, a->length);
    if (a->has_peer)
        request_add(&r, IFA_ADDRESS, a->peer, a->length);
    if (a->has_broadcast)
        request_add(&r, IFA_BROADCAST, a->broadcast, a->length);
    if (*a->label)
        request_add(&r, IFA_LABEL, a->label, strlen(a->label) + 1);
    if (a->flags)
        request_add(&r, IFA_FLAGS, &a->flags, sizeof(a->flags));
    if (a->priority)
        request_add(&r, IFA_RT_PRIORITY, &a->priority, sizeof(a->priority));
    return ask(s, &r, NULL, NULL, e);
}
