/* SPDX-License-Identifier: Apache-2.0 */
/* state, list, ps: what there is. */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <pwd.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/json.h"
#include "base/path.h"
#include "base/str.h"
#include "cli/oci/oci.h"
#include "cli/table.h"

static const struct option_entry nothing[] = {{0}};

static int run_state(const struct invocation *in, struct err *e)
{
    _cleanup_oci_container_ struct oci_container c = OCI_CONTAINER_INIT;
    _cleanup_free_ char *text = NULL;
    int r = oci_open_argument(in, false, &c, e);
    if (r == 0)
        r = oci_container_state(&c, oci_container_status(&c), true, &text, e);
    if (r == 0)
        printf("%s\n", text);
    return r;
}

const struct verb oci_verb_state = {
    .name = "oci state",
    .group = VERB_HIDDEN,
    .usage = "CONTAINER",
    .summary = "Print a container's state as JSON",
    .arguments_min = 1,
    .arguments_max = 1,
    .options = {nothing},
    .run = run_state,
};

struct list_options {
    const char *format;
    bool quiet;
};

static const struct option_entry list_table[] = {
    {"format", 'f', OPTION_STRING, "FORMAT", "table or json", offsetof(struct list_options, format),
     .complete = "table json"},
    {"quiet", 'q', OPTION_BOOL, NULL, "Print the ids only", offsetof(struct list_options, quiet)},
    {0},
};

static const char *owner_name(uint64_t uid, char *text, size_t size)
{
    const struct passwd *p = getpwuid((uid_t)uid);
    (void)snprintf(text, size, "%s", p ? p->pw_name : "");
    if (!p)
        (void)snprintf(text, size, "#%llu", (unsigned long long)uid);
    return text;
}

static int add_row(struct table *t, const struct oci_container *c, enum oci_status status, struct err *e)
{
    char pid[24], owner[64];
    (void)snprintf(pid, sizeof(pid), "%d", status == OCI_STOPPED ? 0 : (int)c->pid);
    const char *const cells[] = {c->id,     pid,        oci_status_name(status),
                                 c->bundle, c->created, owner_name(c->owner, owner, sizeof(owner))};
    int r = 0;
    for (size_t i = 0; i < ARRAY_SIZE(cells) && r == 0; i++)
        r = table_add(t, cells[i], e);
    return r;
}

static int add_object(struct json_object *list, const struct oci_container *c, enum oci_status status,
                      struct err *e)
{
    _cleanup_free_ char *text = NULL;
    char owner[64];
    struct json_object *o = NULL;
    int r = oci_container_state(c, status, true, &text, e);
    if (r == 0)
        r = json_parse(text, strlen(text), &o, e);
    if (r == 0)
        r = json_add_string(o, "owner", owner_name(c->owner, owner, sizeof(owner)), e);
    if (r == 0 && json_object_array_add(list, o) < 0)
        r = err_oom(e);
    return r;
}

struct listing {
    struct list_options o;
    struct table table;
    struct json_object *list;
};

static int add_one(struct listing *l, int root, const char *id, struct err *e)
{
    _cleanup_oci_container_ struct oci_container c = OCI_CONTAINER_INIT;
    struct err gone = {0};
    if (l->o.quiet) {
        printf("%s\n", id);
        return 0;
    }
    if (oci_container_open(root, id, false, &c, &gone) < 0) {
        if (gone.code != ENOENT)
            oci_log("warning", gone.text);
        return 0;
    }
    enum oci_status status = oci_container_status(&c);
    return l->list ? add_object(l->list, &c, status, e) : add_row(&l->table, &c, status, e);
}

static int by_name(const struct dirent **a, const struct dirent **b)
{
    return strcmp((*a)->d_name, (*b)->d_name);
}

static int run_list(const struct invocation *in, struct err *e)
{
    static const char *const headers[] = {"ID", "PID", "STATUS", "BUNDLE", "CREATED", "OWNER"};
    struct listing l = {.o = {.format = "table"}, .table = {.columns = ARRAY_SIZE(headers)}};
    struct dirent **entries = NULL;
    int r = options_apply(in, &l.o, e);
    bool json = r == 0 && str_equal(l.o.format, "json");
    if (r == 0 && !json && !str_equal(l.o.format, "table"))
        r = err_set(e, EINVAL, "--format %s: table or json", l.o.format);
    _cleanup_close_ int root = r < 0 ? -1 : oci_root_open(oci_globals.root, e);
    if (r < 0 || root < 0)
        return r < 0 ? r : root;
    l.list = json && !l.o.quiet ? json_object_new_array() : NULL;
    for (size_t i = 0; i < ARRAY_SIZE(headers) && r == 0; i++)
        r = table_add(&l.table, headers[i], e);
    int n = scandirat(root, ".", &entries, NULL, by_name);
    for (int i = 0; i < n; i++) {
        if (r == 0 && path_is_component(entries[i]->d_name) && entries[i]->d_type == DT_DIR)
            r = add_one(&l, root, entries[i]->d_name, e);
        free(entries[i]);
    }
    free(entries);
    if (r == 0 && l.list)
        printf("%s\n", json_object_to_json_string_ext(l.list, JSON_C_TO_STRING_PLAIN |
                                                                  JSON_C_TO_STRING_NOSLASHESCAPE));
    else if (r == 0 && !l.o.quiet)
        table_print(&l.table, table_terminal_width(STDOUT_FILENO), stdout);
    json_object_put(l.list);
    table_clear(&l.table);
    return r;
}

const struct verb oci_verb_list = {
    .name = "oci list",
    .group = VERB_HIDDEN,
    .usage = "",
    .summary = "List containers",
    .arguments_max = 0,
    .options = {list_table},
    .run = run_list,
};

struct ps_options {
    const char *format;
};

static const struct option_entry ps_table[] = {
    {"format", 'f', OPTION_STRING, "FORMAT", "table or json", offsetof(struct ps_options, format),
     .complete = "table json"},
    {0},
};

static bool is_among(pid_t pid, const pid_t *pids, size_t count)
{
    for (size_t i = 0; i < count; i++)
        if (pids[i] == pid)
            return true;
    return false;
}

/* The lines of ps(1) that are of these processes; its options are the caller's, as with runc. */
static int print_table(char **options, const pid_t *pids, size_t count, struct err *e)
{
    _cleanup_str_list_ struct str_list words = {0};
    char line[4096];
    int column = -1;
    int r = str_list_add(&words, "ps", e);
    for (size_t i = 0; options[i] && r == 0; i++)
        r = str_list_add(&words, options[i], e);
    if (r == 0 && !options[0])
        r = str_list_add(&words, "-ef", e);
    int pair[2];
    if (r < 0 || pipe2(pair, O_CLOEXEC) < 0)
        return r < 0 ? r : err_errno(e, "pipe");
    pid_t child = fork();
    if (child == 0) {
        (void)dup2(pair[1], STDOUT_FILENO);
        execvp("ps", words.items);
        _exit(127);
    }
    close(pair[1]);
    _cleanup_fclose_ FILE *in = fdopen(pair[0], "r");
    while (in && fgets(line, sizeof(line), in)) {
        char copy[sizeof(line)];
        (void)snprintf(copy, sizeof(copy), "%s", line);
        char *rest = copy;
        int index = 0;
        for (char *word; (word = strsep(&rest, " \t\n"));) {
            if (!*word)
                continue;
            if (column < 0 && str_equal(word, "PID")) {
                column = index;
                fputs(line, stdout);
                break;
            }
            if (index++ == column) {
                if (is_among((pid_t)strtol(word, NULL, 10), pids, count))
                    fputs(line, stdout);
                break;
            }
        }
    }
    return column < 0 ? err_set(e, ENOENT, "ps prints no column PID (is procps installed?)") : 0;
}

static int run_ps(const struct invocation *in, struct err *e)
{
    struct ps_options o = {.format = "table"};
    _cleanup_oci_container_ struct oci_container c = OCI_CONTAINER_INIT;
    _cleanup_oci_cgroup_ struct oci_cgroup g = {0};
    _cleanup_free_ pid_t *pids = NULL;
    size_t count = 0;
    int r = options_apply(in, &o, e);
    if (r == 0)
        r = oci_open_argument(in, false, &c, e);
    if (r == 0)
        r = oci_cgroup_open(&c.cgroup, &g, e);
    if (r == 0)
        r = oci_cgroup_pids(&g, &pids, &count, e);
    if (r == 0 && count == 0 && oci_container_status(&c) != OCI_STOPPED)
        r = err_set(e, ENOSYS, "its processes are not known: this container has no control group of its own");
    if (r < 0 || !str_equal(o.format, "json"))
        return r < 0 ? r : print_table(in->arguments + 1, pids, count, e);
    fputs(count > 0 ? "[" : "[]\n", stdout);
    for (size_t i = 0; i < count; i++)
        printf("%d%s", (int)pids[i], i + 1 < count ? "," : "]\n");
    return 0;
}

const struct verb oci_verb_ps = {
    .name = "oci ps",
    .flags = VERB_STOPS,
    .group = VERB_HIDDEN,
    .usage = "CONTAINER [PS OPTION...]",
    .summary = "List the processes of a container",
    .arguments_min = 1,
    .arguments_max = VERB_MANY,
    .options = {ps_table},
    .run = run_ps,
};
