/* SPDX-License-Identifier: Apache-2.0 */
/* Practice 12, secrets: from Vault or an encrypted store to a tmpfs of the container, never in images or the environment. What is given as a
 * variable and looks like a secret is told, and in strict refused; the image's own variables are its author's. */
#include <ctype.h>

#include "plan/secret_text.h"
#include "practices/refuse.h"
#include "practices/registry.h"

#define NAME_SHOWN 64

/* DB_PASSWORD -> db_password, for the file's name in the advice. */
static void lower(const char *name, size_t length, char ret[NAME_SHOWN + 1])
{
    size_t n = length < NAME_SHOWN ? length : NAME_SHOWN;
    for (size_t i = 0; i < n; i++)
        ret[i] = (char)tolower((unsigned char)name[i]);
    ret[n] = '\0';
}

static int tell(struct practice_run *run, const char *entry, struct err *e)
{
    char file[NAME_SHOWN + 1];
    size_t length = strcspn(entry, "=");
    int shown = (int)(length < NAME_SHOWN ? length : NAME_SHOWN);
    lower(entry, length, file);
    if (run->plan->profile == PLAN_STRICT)
        return err_refuse(e, 12,
                          "-e %.*s looks like a secret, and every process of the container could read it; "
                          "give it as a file: -v "
                          "/run/%s:/run/secrets/%s:ro, or use --profile standard",
                          shown, entry, file, file);
    return run_note(
        run, e,
        "-e %.*s looks like a secret: every process of the container can read it, and it is kept in "
        "the container's plan; a file is safer: -v /run/%s:/run/secrets/%s:ro (practice 12)",
        shown, entry, file, file);
}

static int apply(struct practice_run *run, struct err *e)
{
    const struct str_list *env = &run->plan->env;
    int r = 0;
    for (size_t i = 0; i < env->count && r == 0; i++)
        if (secret_entry(env->items[i]) && !(run->image && str_list_has(&run->image->env, env->items[i])))
            r = tell(run, env->items[i], e);
    return r;
}

static int explain(const struct subject *s, struct evidence *ret, struct err *e)
{
    size_t count = 0;
    for (size_t i = 0; i < s->plan->env.count; i++)
        count += secret_entry(s->plan->env.items[i]);
    if (count > 0)
        return evidence_add(ret, 12, EVIDENCE_NOT_ENFORCED, "environment", "plan", e,
                            "%zu variable(s) look like secrets", count);
    return evidence_add(ret, 12, EVIDENCE_HOLDS, "environment", "plan", e, "no variable looks like a secret");
}

const struct practice practice_secrets = {
    .number = 12,
    .id = "secrets",
    .title = "secrets",
    .what = "warns of secrets in the environment, refuses them in strict, hides them from others than who "
            "gave them "
            "and keeps them out of images that are committed",
    .missing = "there is no secret store",
    .apply = apply,
    .explain = explain,
};
