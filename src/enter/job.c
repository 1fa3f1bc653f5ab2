/* SPDX-License-Identifier: Apache-2.0 */
/* The job (base/enterproto.h): mapped, measured, and read by offset. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "enter/enter.h"

const struct enter_job *job;

/* Nobody can be told: there is no job. */
static _Noreturn void no_job(void)
{
    static const char text[] = "casemate-enter: is started by casemate only\n";
    (void)!write(STDERR_FILENO, text, sizeof(text) - 1);
    _exit(1);
}

void job_open(const char *descriptor)
{
    struct stat st;
    char *end;
    long fd = strtol(descriptor, &end, 10);
    if (*end || fd < 3 || fstat((int)fd, &st) < 0 || st.st_size < (off_t)sizeof(*job) ||
        st.st_size > ENTER_JOB_MAX)
        no_job();
    /* Private and writable: argument arrays point into it. */
    void *at = mmap(NULL, (size_t)st.st_size, PROT_READ | PROT_WRITE, MAP_PRIVATE, (int)fd, 0);
    if (at == MAP_FAILED)
        no_job();
    close((int)fd);
    job = at;
    if (job->magic != ENTER_MAGIC || job->version != ENTER_VERSION || job->size != (uint64_t)st.st_size ||
        ((const char *)at)[st.st_size - 1] != '\0')
        no_job();
}

const void *job_items(uint32_t offset, uint32_t count, size_t size)
{
    if (offset > job->size || (uint64_t)count * size > job->size - offset) {
        errno = EBADMSG;
        fail(1, "job", NULL);
    }
    return (const char *)job + offset;
}

const char *job_text(uint32_t offset)
{
    return offset == 0 ? NULL : job_items(offset, 1, 1); /* the file ends with a NUL */
}

char **job_strings(const struct enter_strings *s)
{
    char **list = calloc((size_t)s->count + 1, sizeof(char *));
    if (!list)
        fail(1, "job", NULL);
    uint32_t at = s->offset;
    for (uint32_t i = 0; i < s->count; i++) {
        list[i] = (char *)(uintptr_t)job_items(at, 1, 1);
        at += (uint32_t)strlen(list[i]) + 1;
    }
    return list;
}
