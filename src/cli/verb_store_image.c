/* SPDX-License-Identifier: Apache-2.0 */
/*
 * casemate system store-image: a file that holds an ext4 with project quotas, for a machine whose own file system has none. It is made and
 * nothing else: mounting it over the data root is the administrator's, by a line of /etc/fstab that is printed. It is made under another
 * name, which a command that was killed leaves behind and the next one takes: under its own name it is complete.
 */
#include <errno.h>
#include <fcntl.h>
#include <spawn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/dirs.h"
#include "base/num.h"
#include "base/path.h"
#include "base/str.h"
#include "cli/human.h"
#include "cli/verbs.h"

#define SIZE_LEAST (UINT64_C(256) << 20) /* what the store needs to be of use */
#define SIZE_MOST (UINT64_C(16) << 40)   /* of one file on ext4 */

struct image_options {
    const char *file;
};

static const struct option_entry options[] = {
    {"file", 0, OPTION_STRING, "FILE", "Where the image is made (default: the data root's name with .img)",
     offsetof(struct image_options, file), .complete = "files"},
    {0},
};

static int parse_size(const char *text, uint64_t *ret, struct err *e)
{
    int r = num_parse_size(text, ret, e);
    if (r == 0 && (*ret < SIZE_LEAST || *ret > SIZE_MOST))
        r = err_set(e, ERANGE, "it is not between 256m and 16t");
    return r < 0 ? err_wrap(e, "size '%.32s'", text) : 0;
}

/* Not below the data root: it will be mounted there. */
static int check_file(const char *file, struct err *e)
{
    const char *below = str_after(file, dirs_data_root());
    int r = path_check_absolute(file, e);
    if (r < 0)
        return err_wrap(e, "--file");
    return below && *below == '/'
               ? err_set(e, EINVAL, "--file %s is below the data root, which will be mounted from it", file)
               : 0;
}

#define UNFINISHED ".unfinished"

/* Nobody else's, and still what the name says: another command may have finished it in the meantime. */
static int lock_file(int fd, const char *part, struct err *e)
{
    struct stat locked, named;
    if (flock(fd, LOCK_EX | LOCK_NB) < 0)
        return errno == EWOULDBLOCK ? err_set(e, EBUSY, "another command is making %s", part)
                                    : err_errno(e, "lock %s", part);
    if (fstat(fd, &locked) < 0 || stat(part, &named) < 0 || locked.st_ino != named.st_ino ||
        locked.st_dev != named.st_dev)
        return err_set(e, EBUSY, "another command has made %s", part);
    return 0;
}

/* Sparse: it takes room as the store fills. */
static int make_file(const char *part, uint64_t size, int *ret_fd, struct err *e)
{
    _cleanup_close_ int fd = open(part, O_RDWR | O_CREAT | O_NOFOLLOW | O_CLOEXEC, 0600);
    if (fd < 0)
        return err_errno(e, "make %s", part);
    int r = lock_file(fd, part, e);
    if (r < 0)
        return r;
    if (ftruncate(fd, 0) < 0 || ftruncate(fd, (off_t)size) < 0) {
        r = err_errno(e, "make %s", part);
        (void)unlink(part);
        return r;
    }
    *ret_fd = steal_fd(&fd);
    return 0;
}

/* It has the lock, too: should it outlive this command, the next one leaves the file to it. */
static int spawn_locked(const char *program, int lock, char *const words[], char *const environment[],
                        pid_t *ret)
{
    posix_spawn_file_actions_t actions;
    int failed = posix_spawn_file_actions_init(&actions);
    if (failed)
        return failed;
    failed = posix_spawn_file_actions_adddup2(&actions, lock, lock); /* the same number: not closed at exec */
    if (!failed)
        failed = posix_spawn(ret, program, &actions, NULL, words, environment);
    (void)posix_spawn_file_actions_destroy(&actions);
    return failed;
}

static int run_mke2fs(const char *file, int lock, struct err *e)
{
    static const char *const programs[] = {"/usr/sbin/mke2fs", "/sbin/mke2fs"};
    const char *words[] = {"mke2fs", "-q",       "-t", "ext4",          "-m", "0",
                           "-L",     "casemate", "-O", "quota,project", "-E", "quotatype=prjquota",
                           file,     NULL};
    char *environment[] = {(char *)(uintptr_t) "PATH=/usr/sbin:/usr/bin:/sbin:/bin", NULL};
    pid_t pid = 0;
    int status = 0;
    int failed = ENOENT;
    for (size_t i = 0; i < ARRAY_SIZE(programs) && failed == ENOENT; i++)
        failed = spawn_locked(programs[i], lock, (char *const *)(uintptr_t)words, environment, &pid);
    if (failed)
        return err_set(e, failed, "mke2fs cannot be run: %s (it is in the package e2fsprogs)",
                       strerrordesc_np(failed));
    while (waitpid(pid, &status, 0) < 0)
        if (errno != EINTR)
            return err_errno(e, "wait for mke2fs");
    return WIFEXITED(status) && WEXITSTATUS(status) == 0 ? 0 : err_set(e, EIO, "mke2fs has failed");
}

static int finish(int fd, const char *part, const char *file, struct err *e)
{
    if (fsync(fd) < 0)
        return err_errno(e, "write %s", part);
    if (renameat2(AT_FDCWD, part, AT_FDCWD, file, RENAME_NOREPLACE) < 0)
        return errno == EEXIST ? err_set(e, EEXIST, "%s exists already: it is left as it is", file)
                               : err_errno(e, "rename %s", part);
    return 0;
}

static int make_image(const char *file, uint64_t size, struct err *e)
{
    _cleanup_free_ char *part = NULL;
    _cleanup_close_ int fd = -1;
    if (access(file, F_OK) == 0)
        return err_set(e, EEXIST, "%s exists already: it is left as it is", file);
    int r = str_format(&part, e, "%s" UNFINISHED, file);
    if (r == 0)
        r = make_file(part, size, &fd, e);
    if (r < 0)
        return r;
    r = run_mke2fs(part, fd, e);
    if (r == 0)
        r = finish(fd, part, file, e);
    if (r < 0)
        (void)unlink(part);
    return r;
}

static void say_how(const char *file, uint64_t size)
{
    char text[HUMAN_TEXT_MAX];
    const char *root = dirs_data_root();
    human_memory(size, text);
    printf(
        "%s: %s with project quotas, takes room as it fills.\n"
        "To use it: end and remove all containers, add this line to /etc/fstab, and mount it. What is in %s "
        "now is hidden then.\n\n"
        "%s %s ext4 loop,prjquota,nodev,nosuid 0 2\n\n"
        "mount %s\n",
        file, text, root, file, root, root);
}

static int run(const struct invocation *in, struct err *e)
{
    struct image_options o = {0};
    _cleanup_free_ char *file = NULL;
    uint64_t size = 0;
    int r = options_apply(in, &o, e);
    if (r == 0)
        r = parse_size(in->arguments[0], &size, e);
    if (r == 0)
        r = o.file ? str_copy(o.file, &file, e) : str_format(&file, e, "%s.img", dirs_data_root());
    if (r == 0)
        r = check_file(file, e);
    if (r == 0)
        r = make_image(file, size, e);
    if (r < 0)
        return r;
    say_how(file, size);
    return EXIT_SUCCESS;
}

const struct verb verb_store_image = {
    .name = "system store-image",
    .group = VERB_SYSTEM,
    .usage = "SIZE",
    .summary = "Make a file system for the store that can limit disk space",
    .arguments_min = 1,
    .arguments_max = 1,
    .options = {options},
    .run = run,
};
