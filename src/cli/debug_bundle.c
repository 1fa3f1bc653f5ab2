/* SPDX-License-Identifier: Apache-2.0 */
/* The support bundle of `debug` (debug.h): a tar of texts, each bounded, to be sent to somebody who has no access to this host. */
#include <stdio.h>
#include <stdlib.h>
#include <sys/utsname.h>

#include "base/json.h"
#include "cli/debug.h"
#include "cli/inspect.h"
#include "cli/output_file.h"
#include "config.h"
#include "engine/archive_write.h"
#include "plan/secret_text.h"

#define MEMBER_MAX (16U << 20) /* bytes; what is longer is cut */
#define STDOUT_WORD "-"

static const char readme[] =
    "What `casemate debug` of Casemate " CASEMATE_VERSION " saw of one container.\n"
    "\n"
    "  debug.txt     all sections, to be read\n"
    "  debug.json    the same, to be processed\n"
    "  inspect.json  casemate inspect\n"
    "  host.txt      the kernel it ran on\n"
    "\n"
    "Nothing was started in the container. Values of variables, and what looks like a secret in command "
    "lines and log lines, are\n"
    "replaced by " SECRET_HIDDEN
    " unless --show-values was given; a secret that nothing gives away can still be in a log line.\n";

static int add(struct archive_writer *w, const char *name, const char *text, struct err *e)
{
    size_t length = strlen(text);
    return archive_write_member(w, name, text, length < MEMBER_MAX ? length : MEMBER_MAX, e);
}

static int add_json(struct archive_writer *w, const char *name, struct json_object *json, struct err *e)
{
    const char *text = json_object_to_json_string_ext(
        json, JSON_C_TO_STRING_NOSLASHESCAPE | JSON_C_TO_STRING_PRETTY | JSON_C_TO_STRING_SPACED);
    return text ? add(w, name, text, e) : err_oom(e);
}

static int add_text(struct archive_writer *w, struct json_object *all, struct err *e)
{
    char *text = NULL;
    size_t size = 0;
    FILE *out = open_memstream(&text, &size);
    if (!out)
        return err_oom(e);
    int r = debug_print(all, out, 0, e);
    if (fclose(out) != 0 && r == 0)
        r = err_oom(e);
    if (r == 0)
        r = add(w, "debug.txt", text, e);
    free(text);
    return r;
}

/* The plan is not used for anything else afterwards. */
static int hide_plan(struct plan *p, struct err *e)
{
    struct str_list *const words[] = {&p->entrypoint, &p->command, &p->health_test};
    struct str_list env = {0};
    int r = secret_hide_entries(&p->env, true, &env, e);
    if (r == 0) {
        str_list_clear(&p->env);
        p->env = env;
    }
    for (size_t i = 0; i < ARRAY_SIZE(words) && r == 0; i++) {
        struct str_list hidden = {0};
        r = secret_hide_words(words[i], &hidden, e);
        str_list_clear(words[i]);
        *words[i] = hidden;
    }
    return r;
}

static int add_inspect(struct archive_writer *w, struct debug *d, struct err *e)
{
    _cleanup_json_ struct json_object *json = NULL;
    int r = d->o->show_values ? 0 : hide_plan(&d->c->plan, e);
    if (r == 0)
        r = inspect_container(d->c, &json, e);
    return r < 0 ? r : add_json(w, "inspect.json", json, e);
}

static int add_host(struct archive_writer *w, struct err *e)
{
    struct utsname host;
    _cleanup_free_ char *text = NULL;
    if (uname(&host) < 0)
        return err_errno(e, "uname");
    int r = str_format(&text, e, "%s %s %s %s\ncasemate " CASEMATE_VERSION "\n", host.sysname, host.release,
                       host.version, host.machine);
    return r < 0 ? r : add(w, "host.txt", text, e);
}

int debug_bundle(struct debug *d, struct err *e)
{
    _cleanup_output_file_ struct output_file file = OUTPUT_FILE_INIT;
    _cleanup_json_ struct json_object *all = NULL;
    int r = output_file_open(str_equal(d->o->bundle, STDOUT_WORD) ? NULL : d->o->bundle, &file, e);
    if (r == 0)
        r = debug_gather(d, &all, e);
    struct archive_writer w = {.fd = file.fd};
    if (r == 0)
        r = add(&w, "README.txt", readme, e);
    if (r == 0)
        r = add_text(&w, all, e);
    if (r == 0)
        r = add_json(&w, "debug.json", all, e);
    if (r == 0)
        r = add_host(&w, e);
    if (r == 0)
        r = add_inspect(&w, d, e);
    if (r == 0)
        r = archive_write_finish(&w, e);
    return r < 0 ? r : output_file_finish(&file, e);
}
