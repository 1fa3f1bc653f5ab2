/* SPDX-License-Identifier: Apache-2.0 */
/* casemate volume create: a volume that no container has asked for yet. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/clock.h"
#include "cli/volumes.h"
#include "engine/audit_log.h"

struct create_options {
    const char *driver;
    const char *name;
    struct str_list labels, options;
};

static const struct option_entry options[] = {
    {"driver", 'd', OPTION_STRING, "DRIVER", "Volume driver: local is what there is",
     offsetof(struct create_options, driver), .complete = "local"},
    {"label", 0, OPTION_LIST, "KEY[=VALUE]", "Set a label", offsetof(struct create_options, labels)},
    {"name", 0, OPTION_STRING, "NAME", "The name, as the argument", offsetof(struct create_options, name)},
    {"opt", 'o', OPTION_LIST, "KEY=VALUE", "Limit it: size=10g, inodes=100000",
     offsetof(struct create_options, options)},
    {"availability", 0, OPTION_UNSUPPORTED, "WORD", ": there is no cluster"},
    {"group", 0, OPTION_UNSUPPORTED, "NAME", ": there is no cluster"},
    {"limit-bytes", 0, OPTION_UNSUPPORTED, "SIZE", ": use --opt size=SIZE"},
    {"required-bytes", 0, OPTION_UNSUPPORTED, "SIZE", ": there is no cluster"},
    {"scope", 0, OPTION_UNSUPPORTED, "WORD", ": there is no cluster"},
    {"secret", 0, OPTION_UNSUPPORTED, "NAME", ": there is no cluster"},
    {"sharing", 0, OPTION_UNSUPPORTED, "WORD", ": there is no cluster"},
    {"topology-preferred", 0, OPTION_UNSUPPORTED, "LIST", ": there is no cluster"},
    {"topology-required", 0, OPTION_UNSUPPORTED, "LIST", ": there is no cluster"},
    {"type", 0, OPTION_UNSUPPORTED, "WORD", ": there is no cluster"},
    {0},
};

static int set_name(const struct create_options *o, struct volume *v, struct err *e)
{
    char id[ID_LENGTH + 1];
    if (o->name)
        return str_copy(o->name, &v->name, e);
    v->anonymous = true;
    int r = id_random(id, e);
    return r < 0 ? r : str_copy(id, &v->name, e);
}

static int describe(const struct create_options *o, struct volume *v, struct err *e)
{
    v->created = clock_now();
    int r = set_name(o, v, e);
    for (size_t i = 0; i < o->labels.count && r == 0; i++) {
        _cleanup_free_ char *entry = NULL;
        const char *label = o->labels.items[i];
        if (!*label || *label == '=' || !str_is_utf8(label))
            return err_set(e, EINVAL, "--label '%.64s' is not KEY=VALUE", label);
        r = str_format(&entry, e, "%s%s", label, strchr(label, '=') ? "" : "=");
        if (r == 0)
            r = str_list_set_env(&v->labels, entry, e);
    }
    for (size_t i = 0; i < o->options.count && r == 0; i++)
        r = volume_add_option(v, o->options.items[i], e);
    return r;
}

static int create(const struct create_options *o, struct err *e)
{
    _cleanup_store_ struct store s = STORE_INIT;
    _cleanup_volume_ struct volume v;
    volume_init(&v);
    if (o->driver && !str_equal(o->driver, "local"))
        return err_set(e, ENOTSUP, "the volume driver '%.64s' is not supported; local is", o->driver);
    int r = describe(o, &v, e);
    if (r == 0)
        r = store_open(&s, e);
    if (r == 0)
        r = volume_make(&s, &v, e);
    if (r < 0)
        return r;
    if (r == 0)
        audit_note_name(&s, AUDIT_VOLUME_CREATE, v.name, NULL, NULL);
    printf("%s\n", v.name);
    return EXIT_SUCCESS;
}

static int run(const struct invocation *in, struct err *e)
{
    struct create_options o = {0};
    int r = options_apply(in, &o, e);
    if (r == 0 && in->argument_count > 0 && o.name)
        r = err_set(e, EINVAL,
                    "conflicting options: cannot specify a volume name through both --name and as a "
                    "positional argument");
    if (r == 0 && in->argument_count > 0)
        o.name = in->arguments[0];
    if (r == 0)
        r = create(&o, e);
    str_list_clear(&o.labels);
    str_list_clear(&o.options);
    return r;
}

const struct verb verb_volume_create = {
    .name = "volume create",
    .group = VERB_VOLUMES,
    .usage = "[VOLUME]",
    .summary = "Create a volume",
    .arguments_max = 1,
    .options = {options},
    .run = run,
};
