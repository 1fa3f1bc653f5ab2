/* SPDX-License-Identifier: Apache-2.0 */
/* Telling denials (denials_tell.h). Texts come from engine/denial_advice.c, which lets only printable ones through. */
#include "cli/denials_tell.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/dirs.h"
#include "base/io.h"
#include "engine/denial_advice.h"

#define TOLD_MAX 3 /* lines after an end */
#define ANSWER_MAX 64

static bool ended_badly(const struct container *c)
{
    return c->status == CONTAINER_EXITED && c->exit_code != 0;
}

void denials_tell(const struct container *c)
{
    struct denial_advice advice[DENIAL_ADVICE_MAX];
    size_t n = ended_badly(c) ? denial_advise(c, advice) : 0;
    for (size_t i = 0; i < n && i < TOLD_MAX; i++)
        fprintf(stderr, "casemate: practice %d: %s; %s\n", advice[i].practice, advice[i].what,
                advice[i].remedy);
}

/* A file of its own beside the policy, so that no file of the administrator's is edited. It is new: one that is there says what it says. */
static int write_grant(const struct container *c, const char *capability, char *ret_path, size_t size,
                       struct err *e)
{
    const char *conf = dirs_conf();
    const char *slash = strrchr(conf, '/');
    if (!slash)
        return err_set(e, EINVAL, "the policy %s is in no directory", conf);
    int n =
        snprintf(ret_path, size, "%.*s/conf.d/image-%.12s.conf", (int)(slash - conf), conf, c->plan.image_id);
    if (n < 0 || (size_t)n >= size)
        return err_set(e, ENAMETOOLONG, "the name of the policy's directory is too long");
    *strrchr(ret_path, '/') = '\0';
    bool made = mkdir(ret_path, 0755) == 0 || errno == EEXIST;
    if (!made)
        return err_errno(e, "make %s", ret_path);
    ret_path[strlen(ret_path)] = '/';
    _cleanup_close_ int fd = open(ret_path, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0644);
    if (fd < 0)
        return err_errno(e, "write %s", ret_path);
    char text[512];
    n = snprintf(text, sizeof(text),
                 "# Kept after a run of this image had ended for want of it.\n[grant "
                 "\"sha256:%s\"]\ncapability = %s\n",
                 c->plan.image_id, capability);
    int r = io_write_all(fd, text, (size_t)n, e);
    if (r == 0 && fsync(fd) < 0)
        r = err_errno(e, "write %s", ret_path);
    if (r < 0)
        (void)unlink(ret_path);
    return r;
}

static bool said_yes(void)
{
    char answer[ANSWER_MAX];
    ssize_t n = read(STDIN_FILENO, answer, sizeof(answer) - 1);
    answer[n < 0 ? 0 : n] = '\0';
    answer[strcspn(answer, "\r\n")] = '\0';
    return strcmp(answer, "y") == 0 || strcmp(answer, "Y") == 0 || strcmp(answer, "yes") == 0;
}

int denials_offer(const struct container *c, struct err *e)
{
    struct denial_advice advice[DENIAL_ADVICE_MAX];
    char path[4096];
    if (!ended_badly(c) || !isatty(STDIN_FILENO) || !isatty(STDERR_FILENO) || geteuid() != 0)
        return 0;
    if (denial_advise(c, advice) == 0 || !*advice[0].capability)
        return 0;
    fprintf(stderr, "casemate: give %s to this image (sha256:%.12s) from now on? [y/N] ",
            advice[0].capability, c->plan.image_id);
    if (!said_yes())
        return 0;
    int r = write_grant(c, advice[0].capability, path, sizeof(path), e);
    if (r == 0)
        fprintf(stderr, "casemate: written to %s\n", path);
    return r;
}

void denials_inspect(struct members *state, const struct container *c)
{
    struct members array = members_array(state, "Denials");
    for (size_t i = 0; i < c->denials.count; i++) {
        const struct denial *d = &c->denials.items[i];
        struct denial_advice advice;
        char name[DENIAL_TEXT];
        struct members m = members_item(&array);
        denial_advise_one(c, d, &advice);
        members_text(&m, "Call", denial_text(d, name));
        members_number(&m, "Count", d->count > INT64_MAX ? INT64_MAX : (int64_t)d->count);
        members_text(&m, "Process", d->process);
        members_number(&m, "Practice", advice.practice);
        members_text(&m, "Remedy", advice.remedy);
        members_join(&array, &m);
    }
    members_join(state, &array);
}

int denials_explain(const struct container *c, struct evidence *ev, struct err *e)
{
    struct denial_advice advice[DENIAL_ADVICE_MAX];
    size_t n = denial_advise(c, advice);
    int r = 0;
    for (size_t i = 0; i < n && r == 0; i++)
        r = evidence_add(ev, advice[i].practice, EVIDENCE_REFUSED, advice[i].what, "last run", e, "%s",
                         advice[i].remedy);
    return r;
}
