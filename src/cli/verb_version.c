/* SPDX-License-Identifier: Apache-2.0 */
/* casemate version: what runs here. */
#include <stdio.h>
#include <stdlib.h>
#include <sys/utsname.h>

#include "base/json.h"
#include "base/sandbox.h"
#include "cli/format.h"
#include "cli/verbs.h"
#include "config.h"

struct version_options {
    const char *format;
};

static const struct option_entry options[] = {
    {"format", 'f', OPTION_STRING, "FORMAT", "json, or a template such as {{.Version}}",
     offsetof(struct version_options, format), .complete = "json"},
    {0},
};

static int facts_to_json(struct json_object *json, struct err *e)
{
    struct utsname u;
    if (uname(&u) < 0)
        return err_errno(e, "uname");
    int r = json_add_string(json, "Version", CASEMATE_VERSION, e);
    if (r == 0)
        r = json_add_string(json, "Os", "linux", e);
    if (r == 0)
        r = json_add_string(json, "Arch", u.machine, e);
    if (r == 0)
        r = json_add_string(json, "KernelVersion", u.release, e);
    if (r == 0)
        r = json_add_u64(json, "Landlock", (uint64_t)sandbox_landlock_abi(), e);
    return r;
}

/* Docker's form: there is no server, so both are this program. */
static int add_sides(struct json_object *json, struct err *e)
{
    static const char *const sides[] = {"Client", "Server"};
    for (size_t i = 0; i < ARRAY_SIZE(sides); i++) {
        _cleanup_json_ struct json_object *side = json_object_new_object();
        int r = side ? facts_to_json(side, e) : err_oom(e);
        if (r == 0 && json_object_object_add(json, sides[i], json_object_get(side)) < 0)
            r = err_oom(e);
        if (r < 0)
            return r;
    }
    return 0;
}

static void print_text(struct json_object *json)
{
    printf("Casemate\n");
    json_object_object_foreach(json, key, value)
    {
        printf(" %-15s %s\n", key, json_object_get_string(value));
    }
}

static int run(const struct invocation *in, struct err *e)
{
    struct version_options o = {0};
    int r = options_apply(in, &o, e);
    if (r < 0)
        return r;
    _cleanup_json_ struct json_object *json = json_object_new_object();
    if (!json)
        return err_oom(e);
    r = facts_to_json(json, e);
    if (r < 0)
        return r;
    if (!o.format) {
        print_text(json);
        return EXIT_SUCCESS;
    }
    r = add_sides(json, e);
    return r < 0 ? r : format_print(o.format, json, e);
}

const struct verb verb_version = {
    .name = "version",
    .group = VERB_SYSTEM,
    .flags = VERB_ANYWHERE,
    .usage = "",
    .summary = "Show the version of Casemate and of the kernel",
    .options = {options},
    .run = run,
};
