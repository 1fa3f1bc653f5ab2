/* SPDX-License-Identifier: Apache-2.0 */
/* The command `casemate`: options in front of the verb, the verb, its exit status. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/identity.h"
#include "base/str.h"
#include "cli/help.h"
#include "cli/oci/oci.h"
#include "cli/verbs.h"
#include "config.h"
#include "engine/audit_log.h"
#include "store/rootless.h"

static char **program_words; /* as we were started, for the user namespace of an ordinary user */

struct globals {
    bool debug, version;
};

static const struct option_entry global_options[] = {
    {"debug", 'D', OPTION_BOOL, NULL, "Say more about errors", offsetof(struct globals, debug)},
    {"version", 'v', OPTION_BOOL, NULL, "Print the version", offsetof(struct globals, version)},
    {"host", 'H', OPTION_UNSUPPORTED, "ADDRESS", " yet: there is no API to connect to"},
    {"context", 'c', OPTION_UNSUPPORTED, "NAME", " yet: there is no API to connect to"},
    {"config", 0, OPTION_UNSUPPORTED, "DIR", ": set DOCKER_CONFIG or XDG_CONFIG_HOME for credentials"},
    {"log-level", 'l', OPTION_UNSUPPORTED, "LEVEL", ": use -D"},
    {"tls", 0, OPTION_UNSUPPORTED, NULL, " yet: there is no API to connect to"},
    {"tlsverify", 0, OPTION_UNSUPPORTED, NULL, " yet: there is no API to connect to"},
    {0},
};

const struct verb verb_globals = {.name = "",
                                  .flags = VERB_STOPS,
                                  .usage = "",
                                  .summary = "",
                                  .arguments_max = VERB_MANY,
                                  .options = {global_options}};

/* A command line that is wrong: one line, which ends with where to read on unless it says that already. */
static int usage_error(const struct verb *verb, struct err *e)
{
    const char *end = str_ends_with(e->text, "?") ? "" : ";";
    if (e->code == ENOTSUP)
        verbs_complain(e);
    else
        fprintf(stderr, "casemate: %s%s see 'casemate %s%s--help'\n", e->text, end, verb->name,
                *verb->name ? " " : "");
    return e->code == ERANGE ? EXIT_FAILURE : CLI_ENGINE_ERROR;
}

static int run_verb(const struct verb *verb, char **words)
{
    struct err e = {0};
    _cleanup_invocation_ struct invocation in = {0};
    int r = options_scan(verb, words, &in, &e);
    if (r < 0)
        return usage_error(verb, &e);
    if (in.help) {
        help_print_verb(verb, stdout);
        return EXIT_SUCCESS;
    }
    r = verb->flags & VERB_ANYWHERE || identity_ready() ? 0 : rootless_enter(program_words, &e);
    if (r == 0)
        r = verb->run(&in, &e);
    if (r >= 0)
        return r;
    verbs_complain(&e);
    return verb->flags & VERB_RUNS ? CLI_ENGINE_ERROR : EXIT_FAILURE;
}

static int run_words(char **words)
{
    struct err e = {0};
    struct globals globals = {0};
    _cleanup_invocation_ struct invocation in = {0};
    if (options_scan(&verb_globals, words, &in, &e) < 0 || options_apply(&in, &globals, &e) < 0)
        return usage_error(&verb_globals, &e);
    verbs_debug = globals.debug;
    if (globals.version) {
        printf("Casemate version " CASEMATE_VERSION "\n");
        return EXIT_SUCCESS;
    }
    if (in.help || in.argument_count == 0) {
        help_print_all(in.help ? stdout : stderr);
        return in.help ? EXIT_SUCCESS : EXIT_FAILURE;
    }
    if (str_equal(in.arguments[0], "oci"))
        return oci_main(in.arguments + 1);
    size_t used;
    const struct verb *verb = verbs_find(in.arguments, &used);
    bool asks = !in.arguments[1] || str_equal(in.arguments[1], "--help") || str_equal(in.arguments[1], "-h");
    if (!verb && asks && verbs_is_group(in.arguments[0])) {
        help_print_group(in.arguments[0], stdout);
        return EXIT_SUCCESS;
    }
    if (!verb) {
        verbs_unknown(in.arguments, &e);
        usage_error(&verb_globals, &e);
        return EXIT_FAILURE;
    }
    return run_verb(verb, in.arguments + used);
}

/* Output that could not be written (a full disk) must not look like success. */
static int finish(int status)
{
    if (audit_log_warning())
        fprintf(stderr, "casemate: %s\n", audit_log_warning());
    if (fflush(stdout) == 0 && !ferror(stdout))
        return status;
    fprintf(stderr, "casemate: write to standard output: %m\n");
    return status ? status : EXIT_FAILURE;
}

int main(int argc, char **argv)
{
    (void)argc;
    program_words = argv;
    if (argv[0] && oci_is_program(argv[0]))
        return finish(oci_main(argv + 1));
    return finish(run_words(argv[0] ? argv + 1 : argv));
}
