/* SPDX-License-Identifier: Apache-2.0 */
/*
 * `hello`: the only program of the embedded image casemate/hello and the probe of tests/attack. It runs inside a container,
 * perhaps as the only file there is, and trusts nothing of what it finds. Without arguments it shows a newcomer what the
 * container cannot do; `probe` gives the same figures for machines; the other verbs are the few tools that tests need in an
 * image without a shell. Static, libc only.
 */
#include "hello/hello.h"

#include <stdio.h>
#include <string.h>
#include <sys/auxv.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "hello/try_setuid.h"

struct verb {
    const char *name;
    int (*run)(int argc, char **argv);
    const char *arguments;
    const char *does;
};

static const struct verb verbs[] = {
    {"evidence", verb_evidence, "", "what this container cannot do, a line per practice (the default)"},
    {"probe", verb_probe, "[--json]", "every figure, as one JSON object (--json: on one line)"},
    {"true", verb_true, "", "nothing, with success"},
    {"exit", verb_exit, "N", "end with status N"},
    {"sleep", verb_sleep, "SECONDS", "wait"},
    {"echo", verb_echo, "WORD...", "print the words"},
    {"id", verb_id, "", "uid, gid and groups"},
    {"env", verb_env, "", "the environment, a variable per line"},
    {"cat", verb_cat, "[FILE...]", "print files, or standard input"},
    {"write", verb_write, "FILE TEXT", "create or replace a file"},
    {"stat", verb_stat, "FILE...", "type, mode, owner and size"},
    {"ls", verb_ls, "[DIR]", "the names in a directory, sorted"},
    {"hog-memory", verb_hog_memory, "MIB", "take and touch memory, a MiB at a time"},
    {"hog-files", verb_hog_files, "N [hold]", "open N files; say how many could be opened; keep them"},
    {"forkbomb", verb_forkbomb, "N [hold]", "start N children that wait; say how many started; keep them"},
    {"spin", verb_spin, "SECONDS", "use one processor; print the processor time that it got"},
    {"connect", verb_connect, "PATH|@NAME", "connect to a UNIX socket, by path or abstract name"},
    {"signals", verb_signals, "[--ignore]", "print each signal; TERM ends it unless --ignore"},
    {"tty", verb_tty, "[--watch]", "is standard input a terminal, and its size; --watch: each change"},
    {"help", verb_help, "", "this list"},
};

int verb_help(int argc, char **argv)
{
    (void)argc;
    (void)argv;
    puts("hello: the program of the image casemate/hello\n");
    for (size_t i = 0; i < ARRAY_SIZE(verbs); i++) {
        char usage[32];
        (void)snprintf(usage, sizeof(usage), "%s %s", verbs[i].name, verbs[i].arguments);
        printf("  %-18s %s\n", usage, verbs[i].does);
    }
    return 0;
}

int main(int argc, char **argv)
{
    /* A copy of this program with a setuid bit is made by the probe itself, to see whether the bit means anything. Such a
     * copy says who it became and never does anything else, whatever it is asked. */
    if (getauxval(AT_SECURE) || (argc == 2 && strcmp(argv[1], SETUID_REPORT_VERB) == 0))
        return setuid_report();
    if (argc < 2) {
        char *no_words[] = {(char *)"evidence", NULL};
        return verb_evidence(1, no_words);
    }
    for (size_t i = 0; i < ARRAY_SIZE(verbs); i++)
        if (strcmp(argv[1], verbs[i].name) == 0)
            return verbs[i].run(argc - 1, argv + 1);
    fprintf(stderr, "hello: no verb %s; `hello help` lists them\n", argv[1]);
    return 2;
}
