/* SPDX-License-Identifier: Apache-2.0 */
/* Options in front of the verb, the verb, its errors in the log (oci.h). */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/clock.h"
#include "base/json.h"
#include "base/str.h"
#include "cli/help.h"
#include "cli/nearest.h"
#include "cli/oci/oci.h"
#include "config.h"

#define OCI_VERBS(X) \
    X(create)        \
    X(start)         \
    X(run)           \
    X(exec)          \
    X(state)         \
    X(kill)          \
    X(delete)        \
    X(list)          \
    X(ps)            \
    X(pause)         \
    X(resume)        \
    X(update)        \
    X(events)        \
    X(spec)          \
    X(features)      \
    X(explain)

#define DECLARE(name) extern const struct verb oci_verb_##name;
#define POINTER(name) &oci_verb_##name,

OCI_VERBS(DECLARE)
static const struct verb *const oci_verbs[] = {OCI_VERBS(POINTER) NULL};

struct oci_globals oci_globals = {.log_format = "text"};

static const struct option_entry global_options[] = {
    {"root", 0, OPTION_STRING, "DIR", "Where the state of containers is kept (" OCI_ROOT ")",
     offsetof(struct oci_globals, root), .complete = "files"},
    {"log", 0, OPTION_STRING, "FILE", "Write errors and warnings to FILE too",
     offsetof(struct oci_globals, log), .complete = "files"},
    {"log-format", 0, OPTION_STRING, "FORMAT", "text or json", offsetof(struct oci_globals, log_format),
     .complete = "text json"},
    {"debug", 0, OPTION_BOOL, NULL, "Say more about errors", offsetof(struct oci_globals, debug)},
    {"systemd-cgroup", 0, OPTION_BOOL, NULL,
     "Have systemd make control groups; linux.cgroupsPath is SLICE:PREFIX:NAME",
     offsetof(struct oci_globals, systemd_cgroup)},
    {"rootless", 0, OPTION_STRING, "MODE", "Ignored: who calls is seen",
     offsetof(struct oci_globals, rootless), .complete = "auto true false"},
    {"criu", 0, OPTION_UNSUPPORTED, "PATH", ": there is no checkpointing"},
    {"version", 'v', OPTION_BOOL, NULL, "Print the version", offsetof(struct oci_globals, version)},
    {0},
};

static const struct verb oci_verb_globals = {.name = "oci",
                                             .flags = VERB_STOPS,
                                             .usage = "COMMAND [ARG...]",
                                             .summary = "Run containers as an OCI runtime does",
                                             .arguments_max = VERB_MANY,
                                             .options = {global_options}};

bool oci_is_program(const char *name)
{
    const char *slash = strrchr(name, '/');
    return str_equal(slash ? slash + 1 : name, OCI_PROGRAM);
}

static void log_json(FILE *out, const char *level, const char *message, const char *when)
{
    struct err e = {0};
    _cleanup_json_ struct json_object *o = json_object_new_object();
    if (o && json_add_string(o, "level", level, &e) == 0 && json_add_string(o, "msg", message, &e) == 0 &&
        json_add_string(o, "time", when, &e) == 0)
        fprintf(out, "%s\n",
                json_object_to_json_string_ext(o, JSON_C_TO_STRING_PLAIN | JSON_C_TO_STRING_NOSLASHESCAPE));
}

void oci_log(const char *level, const char *message)
{
    fprintf(stderr, "%s: %s\n", OCI_PROGRAM, message);
    oci_log_quietly(level, message);
}

void oci_log_quietly(const char *level, const char *message)
{
    char when[CLOCK_TEXT_LENGTH + 1];
    if (!oci_globals.log)
        return;
    clock_format(clock_now(), when);
    int fd = open(oci_globals.log, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600);
    _cleanup_fclose_ FILE *out = fd < 0 ? NULL : fdopen(fd, "a");
    if (!out) {
        fprintf(stderr, "%s: --log %s: %m\n", OCI_PROGRAM, oci_globals.log);
        return;
    }
    if (str_equal(oci_globals.log_format, "json"))
        log_json(out, level, message, when);
    else
        fprintf(out, "time=\"%s\" level=%s msg=\"%s\"\n", when, level, message);
}

static int complain(const struct err *e)
{
    char text[ERR_TEXT_MAX + 32];
    const char *code = strerrorname_np(e->code);
    (void)snprintf(text, sizeof(text), "%s [%s]", e->text, code ? code : "no code");
    oci_log("error", oci_globals.debug ? text : e->text);
    return EXIT_FAILURE;
}

static void print_help(FILE *out)
{
    fputs("Usage:  casemate oci [OPTIONS] COMMAND [ARG...]\n        " OCI_PROGRAM
          " [OPTIONS] COMMAND [ARG...]\n\n"
          "An OCI runtime: makes containers from bundles, for whoever schedules them.\n\nCommands:\n",
          out);
    for (size_t i = 0; oci_verbs[i]; i++)
        fprintf(out, "  %-12s%s\n", str_after(oci_verbs[i]->name, "oci "), oci_verbs[i]->summary);
    fputs("\nOptions:\n", out);
    for (const struct option_entry *o = global_options; o->name; o++)
        if (o->kind != OPTION_UNSUPPORTED)
            fprintf(out, "  --%-18s%s\n", o->name, o->help);
    fputs("\nMore: man casemate-runtime\n", out);
}

static const struct verb *find(const char *word)
{
    for (size_t i = 0; oci_verbs[i]; i++)
        if (str_equal(str_after(oci_verbs[i]->name, "oci "), word))
            return oci_verbs[i];
    return NULL;
}

static int unknown(const char *word, struct err *e)
{
    struct nearest near;
    nearest_start(&near, word, strlen(word));
    for (size_t i = 0; oci_verbs[i]; i++)
        nearest_try(&near, str_after(oci_verbs[i]->name, "oci "));
    return near.best ? err_set(e, EINVAL, "unknown command: %s; did you mean %s?", word, near.best)
                     : err_set(e, EINVAL, "unknown command: %s", word);
}

int oci_open_argument(const struct invocation *in, bool lock, struct oci_container *ret, struct err *e)
{
    _cleanup_close_ int root = oci_root_open(oci_globals.root, e);
    return root < 0 ? root : oci_container_open(root, in->arguments[0], lock, ret, e);
}

static int run_verb(const struct verb *verb, char **words)
{
    struct err e = {0};
    _cleanup_invocation_ struct invocation in = {0};
    int r = options_scan(verb, words, &in, &e);
    if (r == 0 && in.help) {
        help_print_verb(verb, stdout);
        return EXIT_SUCCESS;
    }
    if (r == 0)
        r = verb->run(&in, &e);
    return r < 0 ? complain(&e) : r;
}

int oci_main(char **words)
{
    struct err e = {0};
    _cleanup_invocation_ struct invocation in = {0};
    if (options_scan(&oci_verb_globals, words, &in, &e) < 0 || options_apply(&in, &oci_globals, &e) < 0)
        return complain(&e);
    if (!str_equal(oci_globals.log_format, "text") && !str_equal(oci_globals.log_format, "json")) {
        err_set(&e, EINVAL, "--log-format %s: text or json", oci_globals.log_format);
        return complain(&e);
    }
    if (oci_globals.version) {
        printf(OCI_PROGRAM " version " CASEMATE_VERSION "\nspec: " OCI_SPEC_VERSION "\n");
        return EXIT_SUCCESS;
    }
    if (in.help || in.argument_count == 0) {
        print_help(in.help ? stdout : stderr);
        return in.help ? EXIT_SUCCESS : EXIT_FAILURE;
    }
    const struct verb *verb = find(in.arguments[0]);
    if (!verb) {
        unknown(in.arguments[0], &e);
        return complain(&e);
    }
    return run_verb(verb, in.arguments + 1);
}
