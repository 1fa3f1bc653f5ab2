/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Build tool: compiles our own profiles and writes them as C arrays, for x86-64 and arm64.
 *
 *     gen_filters OUTPUT.c NAME=PROFILE.json[:CAP,CAP...] ... [=PROFILE.json ...]
 *
 * A profile without a name is judged and counted in filter_build, but makes no filter. Runs on the machine that builds. A profile that does not compile for both architectures fails the build, as does a
 * name in it that is a system call of neither.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/capname.h"
#include "base/cleanup.h"
#include "seccomp/compile.h"

#define JOBS_MAX 64 /* filters in the table */

#define FNV_BASIS UINT64_C(0xcbf29ce484222325) /* FNV-1a, 64 bits */
#define FNV_PRIME UINT64_C(0x100000001b3)

/* One NAME=PROFILE[:CAPS], cut into its parts. */
struct job {
    const char *name;
    const char *path;
    uint64_t caps;
};

/* Cuts at the first `at`, in place; returns what stands behind it or NULL. */
static char *cut(char *text, char at)
{
    char *p = strchr(text, at);
    if (!p)
        return NULL;
    *p = '\0';
    return p + 1;
}

static int job_parse(char *text, struct job *ret_job, struct err *e)
{
    struct job j = {.name = text};
    char *path = cut(text, '=');
    if (!path)
        return err_set(e, EINVAL, "%s: expected NAME=PROFILE", text);
    j.path = path;
    for (char *cap = cut(path, ':'), *next; cap; cap = next) {
        next = cut(cap, ',');
        int number = cap_number(cap, strlen(cap));
        if (number < 0)
            return err_set(e, EINVAL, "%s: unknown capability %s", j.name, cap);
        j.caps |= CAP_BIT(number);
    }
    *ret_job = j;
    return 0;
}

static int file_read(const char *path, char **ret_text, size_t *ret_len, struct err *e)
{
    _cleanup_fclose_ FILE *f = fopen(path, "re");
    if (!f)
        return err_errno(e, "open %s", path);
    _cleanup_free_ char *text = malloc(PROFILE_BYTES_MAX + 1);
    if (!text)
        return err_oom(e);
    *ret_len = fread(text, 1, PROFILE_BYTES_MAX + 1, f);
    if (ferror(f))
        return err_errno(e, "read %s", path);
    *ret_text = steal_ptr(text);
    return 0;
}

/* What all the jobs of one architecture make together. */
struct sum {
    uint64_t build; /* running hash of texts and programs */
    uint64_t caps;  /* that the profile named "default" speaks of */
};

static void sum_add(struct sum *s, const void *data, size_t length)
{
    for (size_t i = 0; i < length; i++)
        s->build = (s->build ^ ((const unsigned char *)data)[i]) * FNV_PRIME;
}

/* Writes one array; its name is the number of the job. */
static int job_write(const struct job *j, int number, enum seccomp_arch arch, struct sum *sum, FILE *out,
                     struct err *e)
{
    _cleanup_free_ char *text = NULL;
    _cleanup_(seccomp_program_clear) struct seccomp_program p = {0};
    struct profile_target t = {.arch = arch, .caps = j->caps};
    size_t len = 0;
    if (file_read(j->path, &text, &len, e) < 0 || seccomp_compile(text, len, &t, &p, e) < 0)
        return err_wrap(e, "%s", j->path);
    if (p.n_unknown > 0)
        return err_set(e, EINVAL, "%s: no such system call: %s", j->path, p.unknown);
    sum_add(sum, text, len);
    sum_add(sum, p.code, p.len * sizeof(*p.code));
    if (strcmp(j->name, "default") == 0)
        sum->caps = p.caps_named;
    if (!*j->name)
        return 0;
    (void)fprintf(out, "static const struct sock_filter code_%d[%zu] = { /* %s */\n", number, p.len, j->name);
    for (size_t i = 0; i < p.len; i++)
        (void)fprintf(out, "{0x%02x,%u,%u,0x%x},%s", p.code[i].code, p.code[i].jt, p.code[i].jf, p.code[i].k,
                      i % 6 == 5 || i + 1 == p.len ? "\n" : " ");
    (void)fprintf(out, "};\n");
    return 0;
}

/* All arrays of one architecture and the table that names them. */
static int table_write(const struct job *jobs, int n, enum seccomp_arch arch, FILE *out, struct err *e)
{
    struct sum sum = {.build = FNV_BASIS};
    int named = 0;
    for (int i = 0; i < n; i++)
        if (job_write(&jobs[i], i, arch, &sum, out, e) < 0)
            return -e->code;
    (void)fprintf(out, "const struct filter_entry filter_table[] = {\n");
    for (int i = 0; i < n; i++)
        if (*jobs[i].name && ++named)
            (void)fprintf(out, "    {\"%s\", {code_%d, sizeof(code_%d) / sizeof(code_%d[0])}},\n",
                          jobs[i].name, i, i, i);
    (void)fprintf(out, "};\nconst size_t filter_table_len = %d;\n", named);
    (void)fprintf(out, "const uint64_t filter_capabilities = UINT64_C(0x%llx);\n",
                  (unsigned long long)sum.caps);
    (void)fprintf(out, "const uint64_t filter_build = UINT64_C(0x%llx);\n", (unsigned long long)sum.build);
    return 0;
}

static int tables_write(const struct job *jobs, int n, const char *path, struct err *e)
{
    _cleanup_fclose_ FILE *out = fopen(path, "we");
    if (!out)
        return err_errno(e, "open %s", path);
    (void)fprintf(out, "/* Written by gen_filters from data/seccomp; not to be edited. */\n"
                       "#include \"seccomp/generated.h\"\n\n#if defined(__x86_64__)\n");
    if (table_write(jobs, n, SECCOMP_ARCH_X86_64, out, e) < 0)
        return -e->code;
    (void)fprintf(out, "#elif defined(__aarch64__)\n");
    if (table_write(jobs, n, SECCOMP_ARCH_AARCH64, out, e) < 0)
        return -e->code;
    (void)fprintf(out, "#else\n#error \"Casemate runs on x86-64 and arm64\"\n#endif\n");
    if (ferror(out) || fflush(out) != 0)
        return err_errno(e, "write %s", path);
    return 0;
}

int main(int argc, char **argv)
{
    struct job jobs[JOBS_MAX];
    struct err e = {0};
    int n = argc - 2;
    if (n < 1 || n > JOBS_MAX) {
        (void)fprintf(stderr,
                      "usage: gen_filters OUTPUT.c NAME=PROFILE.json[:CAP,CAP...] ... [=PROFILE.json ...]\n");
        return 2;
    }
    for (int i = 0; i < n; i++)
        if (job_parse(argv[i + 2], &jobs[i], &e) < 0) {
            (void)fprintf(stderr, "gen_filters: %s\n", e.text);
            return 2;
        }
    if (tables_write(jobs, n, argv[1], &e) < 0) {
        (void)fprintf(stderr, "gen_filters: %s\n", e.text);
        (void)remove(argv[1]);
        return 1;
    }
    return 0;
}
