/* SPDX-License-Identifier: Apache-2.0 */
/* Options of run and create for namespaces, names and descriptions (run_options.h). */
#include <arpa/inet.h>
#include <errno.h>
#include <stddef.h>
#include <stdlib.h>

#include "base/imagerules.h"
#include "base/num.h"
#include "cli/run_setters.h"

#define AT(member) offsetof(struct run_options, member)

#define LETTERS "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789"
#define NAME_MAX_DNS 253
#define OPTION_MAX 64
#define LINES_MAX 512
#define SEARCH_MAX 32
#define SERVERS_MAX 16
#define PORTS_MAX 1024
#define HOST_GATEWAY "host-gateway"

static bool is_address(const char *text)
{
    struct in6_addr address;
    return inet_pton(AF_INET, text, &address) == 1 || inet_pton(AF_INET6, text, &address) == 1;
}

static bool is_name(const char *text)
{
    size_t n = strlen(text);
    return n > 0 && n <= NAME_MAX_DNS && strspn(text, LETTERS "_.-") == n;
}

/* A value for a list of bounded length. */
static int add(struct str_list *list, const char *value, size_t max, struct err *e)
{
    return list->count < max ? str_list_add(list, value, e) : err_set(e, E2BIG, "more than %zu", max);
}

/* NAME:ADDRESS or NAME=ADDRESS, where ADDRESS may be host-gateway (run_settle_hosts), an IPv6 address in brackets or not. */
static int set_host(void *target, const char *value, struct err *e)
{
    _cleanup_free_ char *name = NULL;
    _cleanup_free_ char *address = NULL;
    _cleanup_free_ char *entry = NULL;
    size_t n = strcspn(value, ":=");
    if (n == 0 || !value[n])
        return err_set(e, EINVAL, "it is not NAME:ADDRESS");
    const char *rest = value + n + 1;
    size_t length = strlen(rest);
    bool brackets = length > 2 && rest[0] == '[' && rest[length - 1] == ']';
    int r = str_copy_n(value, n, &name, e);
    if (r == 0)
        r = str_copy_n(rest + brackets, length - 2 * brackets, &address, e);
    if (r < 0)
        return r;
    if (!is_name(name))
        return err_set(e, EINVAL, "'%s' is no host name", name);
    if (!is_address(address) && !str_equal(address, HOST_GATEWAY))
        return err_set(e, EINVAL, "'%s' is no address", address);
    r = str_format(&entry, e, "%s=%s", name, address);
    return r < 0 ? r : add(target, entry, LINES_MAX, e);
}

static int set_dns(void *target, const char *value, struct err *e)
{
    return is_address(value) ? add(target, value, SERVERS_MAX, e)
                             : err_set(e, EINVAL, "it is no address of a name server");
}

/* "." alone: no search list. */
static int set_dns_search(void *target, const char *value, struct err *e)
{
    return is_name(value) ? add(target, value, SEARCH_MAX, e) : err_set(e, EINVAL, "it is no domain");
}

static int set_dns_option(void *target, const char *value, struct err *e)
{
    size_t n = strlen(value);
    if (n == 0 || n > OPTION_MAX || strspn(value, LETTERS "-:") != n)
        return err_set(e, EINVAL, "it is no option of resolv.conf(5)");
    return add(target, value, SEARCH_MAX, e);
}

static int parse_port(const char *text, uint64_t *ret, struct err *e)
{
    int r = num_parse_u64(text, UINT16_MAX, ret, e);
    return r == 0 && *ret == 0 ? err_set(e, EINVAL, "a port is 1 to 65535") : r;
}

/* PORT[-PORT][/PROTOCOL] */
static int set_expose(void *target, const char *value, struct err *e)
{
    char ports[16];
    _cleanup_free_ char *entry = NULL;
    uint64_t first = 0, last = 0;
    size_t n = strcspn(value, "/");
    const char *protocol = value[n] ? value + n + 1 : "tcp";
    if (n >= sizeof(ports))
        return err_set(e, EINVAL, "it is not PORT[-PORT][/PROTOCOL]");
    if (!str_equal(protocol, "tcp") && !str_equal(protocol, "udp") && !str_equal(protocol, "sctp"))
        return err_set(e, EINVAL, "the protocol is one of tcp, udp, sctp");
    memcpy(ports, value, n);
    ports[n] = '\0';
    char *dash = strchr(ports, '-');
    if (dash)
        *dash++ = '\0';
    int r = parse_port(ports, &first, e);
    if (r == 0)
        r = parse_port(dash ? dash : ports, &last, e);
    if (r == 0 && last < first)
        r = err_set(e, EINVAL, "the range runs backwards");
    for (uint64_t port = first; port <= last && r == 0; port++) {
        free(entry);
        entry = NULL;
        r = str_format(&entry, e, "%llu/%s", (unsigned long long)port, protocol);
        if (r == 0 && !str_list_has(target, entry))
            r = add(target, entry, PORTS_MAX, e);
    }
    return r;
}

/* In the host's network the host is at loopback; from no network it is not reached at all. */
int run_settle_hosts(struct run_options *o, struct err *e)
{
    struct str_list *hosts = &o->plan.hosts;
    for (size_t i = 0; i < hosts->count; i++) {
        const char *equals = strchrnul(hosts->items[i], '=');
        _cleanup_free_ char *entry = NULL;
        if (!str_equal(equals, "=" HOST_GATEWAY))
            continue;
        int length = (int)(equals - hosts->items[i]);
        if (!plan_shares_network(&o->plan))
            return err_set(e, ENOTSUP,
                           "--add-host %.*s:" HOST_GATEWAY
                           ": with --network none nothing leads to the host; leave it "
                           "out, or name an address",
                           length, hosts->items[i]);
        int r = str_format(&entry, e, "%.*s=127.0.0.1", length, hosts->items[i]);
        if (r < 0)
            return r;
        free(hosts->items[i]);
        hosts->items[i] = steal_ptr(entry);
    }
    return 0;
}

int run_read_annotations(struct run_options *o, struct err *e)
{
    for (size_t i = 0; i < o->annotations.count; i++) {
        const char *entry = o->annotations.items[i];
        const char *equals = strchrnul(entry, '=');
        _cleanup_free_ char *key = NULL;
        _cleanup_free_ char *whole = NULL;
        int r = str_copy_n(entry, (size_t)(equals - entry), &key, e);
        if (r == 0)
            r = image_rule_label(key, *equals ? equals + 1 : "", e);
        if (r == 0)
            r = str_format(&whole, e, "%s=%s", key, *equals ? equals + 1 : "");
        if (r == 0)
            r = str_list_set_env(&o->plan.annotations, whole, e);
        if (r < 0)
            return err_wrap(e, "--annotation");
    }
    return 0;
}

static int refuse_host(const char *what, struct err *e)
{
    return err_refuse(e, 5,
                      "refused: each container has %s of its own, and this version "
                      "cannot share the host's even by policy",
                      what);
}

/* A namespace that is always the container's own. */
static int only_private(const char *what, const char *value, struct err *e)
{
    if (!*value || str_equal(value, "private"))
        return 0;
    if (str_equal(value, "host"))
        return refuse_host(what, e);
    return err_set(e, ENOTSUP, "not supported: each container has %s of its own (private)", what);
}

static int set_cgroupns(void *target, const char *value, struct err *e)
{
    (void)target;
    return only_private("a view of control groups", value, e);
}

static int set_uts(void *target, const char *value, struct err *e)
{
    (void)target;
    return only_private("a host name", value, e);
}

/* Podman's words say which ids of the host are seen inside; here they are never those of a user of the host. */
static int set_userns(void *target, const char *value, struct err *e)
{
    (void)target;
    if (str_equal(value, "auto"))
        return 0;
    if (str_equal(value, "nomap") || strncmp(value, "keep-id", strlen("keep-id")) == 0)
        return err_set(
            e, ENOTSUP,
            "not supported: the ids of a container are never those of a user of the host; a bind shows the "
            "owner's files as the container user's");
    return only_private("ids", value, e);
}

static int set_isolation(void *target, const char *value, struct err *e)
{
    (void)target;
    return !*value || str_equal(value, "default")
               ? 0
               : err_set(e, ENOTSUP, "not supported: it is for other systems than Linux (default)");
}

/* "", private, or container:NAME: NULL or the text in the plan. */
static int set_shared(char **target, const char *what, const char *value, struct err *e)
{
    const char *name = str_after(value, "container:");
    if (!*value || str_equal(value, "private")) {
        free(*target);
        *target = NULL;
        return 0;
    }
    if (str_equal(value, "host"))
        return refuse_host(what, e);
    if (!str_set(name))
        return err_set(e, EINVAL, "it is none of private, container:NAME");
    return str_replace(target, value, e);
}

static int set_pid(void *target, const char *value, struct err *e)
{
    return set_shared(target, "processes", value, e);
}

static int set_ipc(void *target, const char *value, struct err *e)
{
    if (str_equal(value, "none") || str_equal(value, "shareable"))
        return str_replace(target, value, e);
    return set_shared(target, "IPC", value, e);
}

const struct option_entry run_host_options[] = {
    {"add-host", 0, OPTION_CUSTOM, "NAME:IP", "Add a line to /etc/hosts", AT(plan.hosts), set_host},
    {"annotation", 0, OPTION_LIST, "KEY[=VALUE]", "Keep a description; it changes nothing", AT(annotations)},
    {"cgroupns", 0, OPTION_CUSTOM, "WORD", "View of control groups: private is what there is", 0,
     set_cgroupns, "private"},
    {"dns", 0, OPTION_CUSTOM, "IP", "Name server in /etc/resolv.conf", AT(plan.dns), set_dns},
    {"dns-opt", 0, OPTION_CUSTOM, "OPTION", "The same as --dns-option", AT(plan.dns_options), set_dns_option},
    {"dns-option", 0, OPTION_CUSTOM, "OPTION", "Option of /etc/resolv.conf", AT(plan.dns_options),
     set_dns_option},
    {"dns-search", 0, OPTION_CUSTOM, "DOMAIN", "Search domain of /etc/resolv.conf", AT(plan.dns_search),
     set_dns_search},
    {"expose", 0, OPTION_CUSTOM, "PORT[/PROTOCOL]", "Describe a port; it is not opened", AT(plan.expose),
     set_expose},
    {"ipc", 0, OPTION_CUSTOM, "WORD", "IPC: private, shareable, none, or container:NAME", AT(plan.ipc_mode),
     set_ipc, "private shareable none"},
    {"isolation", 0, OPTION_CUSTOM, "TECHNOLOGY", "Isolation: default is what there is", 0, set_isolation,
     "default"},
    {"pid", 0, OPTION_CUSTOM, "WORD", "Processes: private, or those of container:NAME", AT(plan.pid_mode),
     set_pid, "private"},
    {"unsetenv", 0, OPTION_LIST, "NAME", "Take a variable of the image's away", AT(unset_env)},
    {"userns", 0, OPTION_CUSTOM, "WORD", "Ids: private is what there is", 0, set_userns, "private"},
    {"uts", 0, OPTION_CUSTOM, "WORD", "Host name: private is what there is", 0, set_uts, "private"},
    {0},
};
