/* SPDX-License-Identifier: Apache-2.0 */
/* Filters of ps (filter_container.h). */
#include "cli/filter_container.h"

#include <errno.h>
#include <regex.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/num.h"
#include "engine/health.h"
#include "image/reference.h"

#define PORT_MAX 65535
#define NAME_TEXT_MAX (PLAN_NAME_MAX + 2)

static const char *const keys[] = {"id",       "name",    "label",  "status",  "exited",
                                   "ancestor", "before",  "since",  "volume",  "health",
                                   "is-task",  "publish", "expose", "network", NULL};

static bool is_id(const char *value, const void *context)
{
    return str_after(((const struct container *)context)->id, value);
}

/* A regular expression, as Docker's, for the name with or without its '/'. */
static bool is_name(const char *value, const void *context)
{
    const struct container *c = context;
    char with_slash[NAME_TEXT_MAX];
    regex_t expression;
    if (regcomp(&expression, value, REG_EXTENDED | REG_NOSUB) != 0)
        return false;
    (void)snprintf(with_slash, sizeof(with_slash), "/%s", c->plan.name);
    bool matches = regexec(&expression, c->plan.name, 0, NULL, 0) == 0 ||
                   regexec(&expression, with_slash, 0, NULL, 0) == 0;
    regfree(&expression);
    return matches;
}

static bool is_status(const char *value, const void *context)
{
    return str_equal(container_state_name(context), value);
}

static bool is_exit_code(const char *value, const void *context)
{
    const struct container *c = context;
    char code[16];
    (void)snprintf(code, sizeof(code), "%d", c->exit_code);
    return c->status == CONTAINER_EXITED && str_equal(code, value);
}

/* Short or long, with or without its tag: the same name. */
static bool is_name_of(const char *value, const char *reference)
{
    struct reference wanted, has;
    struct err ignored = {0};
    if (reference_parse(value, &wanted, &ignored) < 0 || reference_parse(reference, &has, &ignored) < 0 ||
        !str_equal(wanted.host, has.host) || !str_equal(wanted.path, has.path))
        return false;
    const char *last = strrchr(value, '/');
    bool tagged = strchr(last ? last : value, ':');
    return !tagged || (wanted.has_digest ? has.has_digest && digest_equal(&wanted.digest, &has.digest)
                                         : str_equal(wanted.tag, has.tag));
}

/* The image's name, or its id. */
static bool is_image(const char *value, const void *context)
{
    const struct plan *p = &((const struct container *)context)->plan;
    const char *id = str_after(value, "sha256:") ?: value;
    return (p->image_reference && is_name_of(value, p->image_reference)) ||
           (strlen(id) >= ID_SHORT_LENGTH && str_after(p->image_id, id));
}

static bool has_volume(const char *value, const void *context)
{
    const struct plan *p = &((const struct container *)context)->plan;
    for (size_t i = 0; i < p->mount_count; i++)
        if (str_equal(p->mounts[i].target, value) ||
            (p->mounts[i].source && str_equal(p->mounts[i].source, value)))
            return true;
    return false;
}

static bool is_health(const char *value, const void *context)
{
    return str_equal(health_status_name(health_status_of(context)), value);
}

static bool is_network(const char *value, const void *context)
{
    const struct plan *p = &((const struct container *)context)->plan;
    return str_equal(p->network ? p->network : "none", value);
}

/* "80", "80/tcp", "80-90/udp": a range and the protocol, tcp when none is given. */
static bool read_ports(const char *text, uint64_t ret[2], const char **ret_protocol)
{
    struct err ignored = {0};
    _cleanup_free_ char *range = NULL;
    const char *slash = strchrnul(text, '/');
    *ret_protocol = *slash ? slash + 1 : "tcp";
    if (str_copy_n(text, (size_t)(slash - text), &range, &ignored) < 0)
        return false;
    char *dash = strchr(range, '-');
    if (dash)
        *dash = '\0';
    return num_parse_u64(range, PORT_MAX, &ret[0], &ignored) == 0 &&
           num_parse_u64(dash ? dash + 1 : range, PORT_MAX, &ret[1], &ignored) == 0 && ret[0] <= ret[1];
}

static bool exposes(const char *value, const void *context)
{
    const struct plan *p = &((const struct container *)context)->plan;
    uint64_t wanted[2], has[2];
    const char *protocol, *other;
    if (!read_ports(value, wanted, &protocol))
        return false;
    for (size_t i = 0; i < p->expose.count; i++)
        if (read_ports(p->expose.items[i], has, &other) && str_equal(protocol, other) &&
            has[0] <= wanted[1] && wanted[0] <= has[1])
            return true;
    return false;
}

/* No container publishes a port yet, none is a task of a swarm. */
static bool is_nothing(const char *value, const void *context)
{
    (void)context;
    return str_equal(value, "false") || str_equal(value, "0");
}

static bool is_published(const char *value, const void *context)
{
    (void)value;
    (void)context;
    return false;
}

bool filter_container_matches(const struct filter_container *f, const struct container *c)
{
    static const struct {
        const char *key;
        bool (*matches)(const char *value, const void *context);
    } tests[] = {
        {"id", is_id},          {"name", is_name},       {"status", is_status},    {"exited", is_exit_code},
        {"ancestor", is_image}, {"volume", has_volume},  {"health", is_health},    {"network", is_network},
        {"expose", exposes},    {"is-task", is_nothing}, {"publish", is_published}};
    for (size_t i = 0; i < ARRAY_SIZE(tests); i++)
        if (!filters_any(f->filters, tests[i].key, tests[i].matches, c))
            return false;
    return filters_labels(f->filters, &c->plan.labels) && (!f->before || c->plan.created < f->before) &&
           (!f->since || c->plan.created > f->since);
}

bool filter_container_wants_all(const struct filter_container *f)
{
    return filters_given(f->filters, "status") || filters_given(f->filters, "exited");
}

static int find_time(const struct store *s, const char *word, int64_t *ret, struct err *e)
{
    _cleanup_container_ struct container c = CONTAINER_INIT;
    int r = container_find(s, word, &c, e);
    if (r == 0)
        *ret = c.plan.created;
    return r;
}

static int check_word(const char *key, const char *value, const char *const *words, struct err *e)
{
    for (size_t i = 0; words[i]; i++)
        if (str_equal(words[i], value))
            return 0;
    return err_set(e, EINVAL, "invalid filter '%s=%s'", key, value);
}

static int check_name(const char *value, struct err *e)
{
    regex_t expression;
    if (regcomp(&expression, value, REG_EXTENDED | REG_NOSUB) != 0)
        return err_set(e, EINVAL, "invalid filter 'name=%s': not a regular expression", value);
    regfree(&expression);
    return 0;
}

static int prepare_one(const struct store *s, const char *filter, struct filter_container *f, struct err *e)
{
    static const char *const states[] = {"created",  "running", "paused", "restarting",
                                         "removing", "exited",  "dead",   NULL};
    static const char *const healths[] = {"none", "starting", "healthy", "unhealthy", NULL};
    uint64_t ports[2], code;
    const char *value, *protocol;
    if ((value = filters_value(filter, "status")))
        return check_word("status", value, states, e);
    if ((value = filters_value(filter, "health")))
        return check_word("health", value, healths, e);
    if ((value = filters_value(filter, "exited")) && num_parse_u64(value, UINT8_MAX, &code, e) < 0)
        return err_wrap(e, "invalid filter 'exited=%s'", value);
    if ((value = filters_value(filter, "name")))
        return check_name(value, e);
    if ((value = filters_value(filter, "before")))
        return find_time(s, value, &f->before, e);
    if ((value = filters_value(filter, "since")))
        return find_time(s, value, &f->since, e);
    value = filters_value(filter, "expose") ?: filters_value(filter, "publish");
    if (value && !read_ports(value, ports, &protocol))
        return err_set(e, EINVAL, "invalid filter '%s': not a port", filter);
    return 0;
}

int filter_container_prepare(const struct store *s, const struct str_list *filters,
                             struct filter_container *ret, struct err *e)
{
    struct filter_container f = {.filters = filters};
    bool task;
    int r = filters_check(filters, keys, e);
    for (size_t i = 0; i < filters->count && r == 0; i++)
        r = prepare_one(s, filters->items[i], &f, e);
    if (r == 0)
        r = filters_bool(filters, "is-task", &task, e);
    if (r < 0)
        return r;
    *ret = f;
    return 0;
}
