/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What casemate-files may still do (sandbox.h). Everything it needs is loaded by now: from here on nothing of a container is ever
 * executed or loaded.
 *
 * Three kinds of session. In the mount namespace of a container, as the root of its user namespace, with four or five capabilities over files
 * there. In an empty root, in the user namespace of the neutral range, for layers. On one directory of the caller's, with the
 * caller's ids: Landlock confines it to that directory.
 */
#include "workers/files/sandbox.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/capability.h>
#include <sched.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/sandbox.h"
#include "workers/files/limits.h"

#define CAP_BIT(cap) (1ULL << (cap))
#define READ_CAPS CAP_BIT(CAP_DAC_READ_SEARCH)
#define WRITE_CAPS \
    (READ_CAPS | CAP_BIT(CAP_CHOWN) | CAP_BIT(CAP_DAC_OVERRIDE) | CAP_BIT(CAP_FOWNER) | CAP_BIT(CAP_FSETID))

static int join_namespace(const struct message_files_session *session, int fd, struct err *e)
{
    struct stat st;
    bool overlay = session->root == FILES_ROOT_OVERLAY;
    if (setns(fd, CLONE_NEWNS) < 0)
        return err_errno(e, "join the container's mount namespace");
    int root = overlay ? open_tree(AT_FDCWD, "/", OPEN_TREE_CLONE | OPEN_TREE_CLOEXEC)
                       : open("/", O_PATH | O_DIRECTORY | O_CLOEXEC);
    if (root < 0 || fstat(root, &st) < 0)
        return err_errno(e, "open the container's root");
    if (st.st_dev != session->host_device || st.st_ino != session->host_inode)
        return root;
    (void)close(root);
    return err_set(e, EPERM, "the container has no root of its own");
}

static int restrict_session(const struct message_files_session *session, int root, int readable,
                            const int *lower, size_t lower_count, struct err *e)
{
    const int writable[] = {root, -1};
    int readables[FILES_LAYERS_MAX + 3];
    size_t n = 0;
    if (!session->writable)
        readables[n++] = readable >= 0 ? readable : root;
    for (size_t i = 0; i < lower_count; i++)
        readables[n++] = lower[i];
    readables[n] = -1;
    const struct sandbox_profile profile = {
        .readable_fds = readables,
        .writable_dirs = session->writable ? writable : NULL,
        .keep_caps = geteuid() != 0      ? 0
                     : session->writable ? WRITE_CAPS
                                         : READ_CAPS,
    };
    int r = sandbox_enter(&profile, e);
    return r < 0 ? r : sandbox_filter("files", e);
}

int sandbox_enter_session(const struct message_files_session *session, int fd, int readable, const int *lower,
                          size_t lower_count, struct err *e)
{
    int r = 0;
    _cleanup_close_ int root = session->root == FILES_ROOT_NAMESPACE || session->root == FILES_ROOT_OVERLAY
                                   ? join_namespace(session, fd, e)
                                   : fcntl(fd, F_DUPFD_CLOEXEC, 0);
    if (root < 0)
        return session->root == FILES_ROOT_DIRECTORY ? err_errno(e, "take the directory") : root;
    if (session->root == FILES_ROOT_STORE)
        r = sandbox_enter_empty_root(e);
    if (r == 0)
        r = restrict_session(session, root, readable, lower, lower_count, e);
    return r < 0 ? err_wrap(e, "enter the sandbox") : steal_fd(&root);
}
