/* SPDX-License-Identifier: Apache-2.0 */
/* --help (help.h): 80 columns; bold headings only on a terminal and without NO_COLOR. */
#include "cli/help.h"

#include <errno.h>
#include <string.h>
#include <unistd.h>

#include "base/json.h"
#include "base/str.h"
#include "config.h"

#define LEFT_MAX 30 /* columns for the names of options; longer ones get a line of their own */
#define FORMAT_VERSION 1

static const char *const group_titles[] = {
    [VERB_CONTAINERS] = "Containers", [VERB_IMAGES] = "Images",   [VERB_VOLUMES] = "Volumes",
    [VERB_EVIDENCE] = "Security",     [VERB_SYSTEM] = "Casemate",
};
static const char *const group_names[] = {
    [VERB_CONTAINERS] = "containers", [VERB_IMAGES] = "images",   [VERB_VOLUMES] = "volumes",
    [VERB_EVIDENCE] = "security",     [VERB_SYSTEM] = "casemate", [VERB_HIDDEN] = "internal",
};

static void print_title(const char *title, FILE *out)
{
    bool bold = isatty(fileno(out)) && !str_set(getenv("NO_COLOR"));
    fprintf(out, "\n%s%s:%s\n", bold ? "\x1b[1m" : "", title, bold ? "\x1b[0m" : "");
}

/* Breaks text at blanks so that it fits between column `left` and HELP_WIDTH; the first line goes on where the cursor is. */
static void print_wrapped(const char *text, size_t left, FILE *out)
{
    size_t room = HELP_WIDTH - left;
    while (strlen(text) > room) {
        size_t cut = room;
        while (cut > 0 && text[cut] != ' ')
            cut--;
        if (cut == 0)
            cut = strcspn(text, " ");
        fprintf(out, "%.*s\n%*s", (int)cut, text, (int)left, "");
        text += cut + strspn(text + cut, " ");
    }
    fprintf(out, "%s\n", text);
}

static size_t format_left(const struct verb *verb, const struct option_entry *o, char *ret_text, size_t size)
{
    char letter[5] = "    ";
    if (o->letter && options_find_letter(verb, o->letter) == o)
        snprintf(letter, sizeof(letter), "-%c, ", o->letter);
    int n = snprintf(ret_text, size, "  %s--%s%s%s", letter, o->name, o->value ? " " : "",
                     o->value ? o->value : "");
    return (size_t)n;
}

static void print_option(const struct verb *verb, const struct option_entry *o, size_t column, FILE *out)
{
    char left[128];
    size_t n = format_left(verb, o, left, sizeof(left));
    if (n + 2 <= column)
        fprintf(out, "%-*s", (int)column, left);
    else
        fprintf(out, "%s\n%*s", left, (int)column, "");
    print_wrapped(o->help, column, out);
}

static void print_options(const struct verb *verb, FILE *out)
{
    const struct option_entry *o;
    const struct option_entry *help = options_find(verb, "help", 4);
    char left[128];
    size_t column = 0;
    for (size_t at = 0; (o = options_next(verb, &at));) {
        size_t n = o->kind == OPTION_UNSUPPORTED ? 0 : format_left(verb, o, left, sizeof(left)) + 2;
        if (n > column && n <= LEFT_MAX)
            column = n;
    }
    if (column == 0)
        column = format_left(verb, help, left, sizeof(left)) + 2;
    for (size_t at = 0; (o = options_next(verb, &at));)
        if (o->kind != OPTION_UNSUPPORTED)
            print_option(verb, o, column, out);
    print_option(verb, help, column, out);
}

void help_print_verb(const struct verb *verb, FILE *out)
{
    fprintf(out, "Usage:  casemate %s [OPTIONS]%s%s\n\n", verb->name, *verb->usage ? " " : "", verb->usage);
    print_wrapped(verb->summary, 0, out);
    if (verb->aliases) {
        print_title("Aliases", out);
        fputs("  ", out);
        print_wrapped(verb->aliases, 2, out);
    }
    print_title("Options", out);
    print_options(verb, out);
    fputs("\nMore: man casemate-", out);
    for (const char *at = str_after(verb->name, "oci ") ? "runtime" : verb->name; *at; at++)
        fputc(*at == ' ' ? '-' : *at, out);
    fputc('\n', out);
}

static void print_group(enum verb_group g, FILE *out)
{
    bool titled = false;
    for (size_t i = 0; verbs[i]; i++) {
        if (verbs[i]->group != g)
            continue;
        if (!titled)
            print_title(group_titles[g], out);
        titled = true;
        fprintf(out, "  %-15s ", verbs[i]->name);
        print_wrapped(verbs[i]->summary, 18, out);
    }
}

void help_print_group(const char *group, FILE *out)
{
    fprintf(out, "Usage:  casemate %s COMMAND [OPTIONS] [ARG...]\n", group);
    print_title("Commands", out);
    for (size_t i = 0; verbs[i]; i++) {
        size_t length = 0;
        const char *word = verbs_in_group(verbs[i], group, &length);
        if (!word)
            continue;
        fprintf(out, "  %-12.*s", (int)length, word);
        print_wrapped(verbs[i]->summary, 14, out);
    }
    fprintf(out, "\nEach command: casemate %s COMMAND --help\n", group);
}

void help_print_all(FILE *out)
{
    fputs("Usage:  casemate [OPTIONS] COMMAND [ARG...]\n\n", out);
    print_wrapped("Runs containers with the least they need: fourteen security practices are the default.", 0,
                  out);
    for (enum verb_group g = VERB_CONTAINERS; g < VERB_HIDDEN; g++) {
        print_group(g, out);
    }
    print_title("Options", out);
    print_options(&verb_globals, out);
    fprintf(out, "\nFirst steps: casemate run casemate/hello.  Each command: casemate COMMAND --help\n");
}

static int option_to_json(const struct option_entry *o, struct json_object **ret_json, struct err *e)
{
    _cleanup_json_ struct json_object *json = json_object_new_object();
    char letter[2] = {o->letter, '\0'};
    if (!json)
        return err_oom(e);
    int r = json_add_string(json, "name", o->name, e);
    if (r == 0 && o->letter)
        r = json_add_string(json, "letter", letter, e);
    if (r == 0)
        r = json_add_string(json, "value", o->value, e);
    if (r == 0)
        r = json_add_string(json, "help", o->help, e);
    if (r == 0)
        r = json_add_bool(json, "supported", o->kind != OPTION_UNSUPPORTED, e);
    if (r < 0)
        return r;
    *ret_json = steal_ptr(json);
    return 0;
}

static int options_to_json(const struct verb *verb, struct json_object **ret_json, struct err *e)
{
    _cleanup_json_ struct json_object *array = json_object_new_array();
    const struct option_entry *o;
    if (!array)
        return err_oom(e);
    for (size_t at = 0; (o = options_next(verb, &at));) {
        struct json_object *json = NULL;
        int r = option_to_json(o, &json, e);
        if (r < 0)
            return r;
        if (json_object_array_add(array, json) < 0)
            return err_oom(e);
    }
    *ret_json = steal_ptr(array);
    return 0;
}

static int verb_to_json(const struct verb *verb, struct json_object **ret_json, struct err *e)
{
    _cleanup_json_ struct json_object *json = json_object_new_object();
    struct json_object *options = NULL;
    if (!json)
        return err_oom(e);
    int r = json_add_string(json, "name", verb->name, e);
    if (r == 0)
        r = json_add_string(json, "aliases", verb->aliases, e);
    if (r == 0)
        r = json_add_string(json, "usage", verb->usage, e);
    if (r == 0)
        r = json_add_string(json, "summary", verb->summary, e);
    if (r == 0)
        r = json_add_string(json, "group", group_names[verb->group], e);
    if (r == 0)
        r = options_to_json(verb, &options, e);
    if (r == 0)
        r = json_add_object(json, "options", options, e);
    if (r < 0)
        return r;
    *ret_json = steal_ptr(json);
    return 0;
}

int help_print_json(FILE *out, struct err *e)
{
    _cleanup_json_ struct json_object *all = json_object_new_object();
    struct json_object *array = json_object_new_array();
    if (!all || !array)
        return err_oom(e);
    int r = json_add_u64(all, "version", FORMAT_VERSION, e);
    if (r == 0)
        r = json_add_object(all, "verbs", array, e);
    for (size_t i = 0; r == 0 && verbs[i]; i++) {
        struct json_object *json = NULL;
        r = verb_to_json(verbs[i], &json, e);
        if (r == 0 && json_object_array_add(array, json) < 0)
            r = err_oom(e);
    }
    if (r == 0)
        fprintf(out, "%s\n", json_object_to_json_string_ext(all, JSON_C_TO_STRING_NOSLASHESCAPE));
    return r;
}
