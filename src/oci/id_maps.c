/* SPDX-License-Identifier: Apache-2.0 */
/* Id maps (id_maps.h). */
#include "oci/id_maps.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/io.h"
#include "base/str.h"
#include "runtime/userns.h"

#define SAID_MAX 512
#define MISSING 127
#define FAILED 126

static bool is_own(const struct schema_list *maps, int64_t own)
{
    const struct oci_id_map *m = OCI_ITEM(maps, struct oci_id_map, 0);
    return maps->count == 1 && m->size.value == 1 && m->host_id.value == own;
}

static bool is_self_alone(const struct oci_linux *l)
{
    return is_own(&l->uid_mappings, geteuid()) && is_own(&l->gid_mappings, getegid());
}

/* Root of a user namespace whose maker had to give them up. */
static bool are_groups_denied(void)
{
    char word[4] = "";
    _cleanup_close_ int fd = open("/proc/self/setgroups", O_RDONLY | O_CLOEXEC);
    return fd >= 0 && read(fd, word, sizeof(word)) == sizeof(word) && memcmp(word, "deny", sizeof(word)) == 0;
}

bool oci_id_maps_allow_groups(const struct oci_linux *l)
{
    return geteuid() == 0 ? !are_groups_denied() : !is_self_alone(l);
}

static void read_maps(const struct schema_list *from, struct id_map *to)
{
    for (size_t i = 0; i < from->count; i++) {
        const struct oci_id_map *m = OCI_ITEM(from, struct oci_id_map, i);
        to[i] = (struct id_map){(uint32_t)m->container_id.value, (uint32_t)m->host_id.value,
                                (uint32_t)m->size.value};
    }
}

static int write_directly(const struct oci_linux *l, pid_t pid, struct err *e)
{
    _cleanup_free_ struct id_map *uids = calloc(l->uid_mappings.count + 1, sizeof(*uids));
    _cleanup_free_ struct id_map *gids = calloc(l->gid_mappings.count + 1, sizeof(*gids));
    if (!uids || !gids)
        return err_oom(e);
    read_maps(&l->uid_mappings, uids);
    read_maps(&l->gid_mappings, gids);
    return userns_write_maps(pid, uids, l->uid_mappings.count, gids, l->gid_mappings.count, e);
}

/* Without this the kernel takes no map of groups from an ordinary user (user_namespaces(7)). */
static int give_up_groups(pid_t pid, struct err *e)
{
    char name[32];
    (void)snprintf(name, sizeof(name), "/proc/%d", (int)pid);
    _cleanup_close_ int proc = open(name, O_PATH | O_DIRECTORY | O_CLOEXEC);
    return proc < 0 ? err_errno(e, "open %s", name) : io_write_existing_at(proc, "setgroups", "deny", e);
}

static int mapper_words(const char *program, pid_t pid, const struct schema_list *maps, struct str_list *ret,
                        struct err *e)
{
    int r = str_list_add(ret, program, e);
    if (r == 0)
        r = str_list_addf(ret, e, "%d", (int)pid);
    for (size_t i = 0; i < maps->count && r == 0; i++) {
        const struct oci_id_map *m = OCI_ITEM(maps, struct oci_id_map, i);
        const int64_t numbers[] = {m->container_id.value, m->host_id.value, m->size.value};
        for (size_t n = 0; n < ARRAY_SIZE(numbers) && r == 0; n++)
            r = str_list_addf(ret, e, "%lld", (long long)numbers[n]);
    }
    return r;
}

static int judge(int status, const char *program, const char *member, const char *said, struct err *e)
{
    if (WIFEXITED(status) && WEXITSTATUS(status) == 0)
        return 0;
    if (WIFEXITED(status) && WEXITSTATUS(status) == MISSING)
        return err_set(e, ENOENT,
                       "%s: %s is missing, which an ordinary user needs (as root, apt install uidmap)",
                       member, program);
    return err_set(e, EPERM, "%s: %s", member, *said ? said : program);
}

static int run_mapper(const char *program, const char *member, pid_t pid, const struct schema_list *maps,
                      struct err *e)
{
    _cleanup_str_list_ struct str_list words = {0};
    char said[SAID_MAX];
    struct err ignored = {0};
    int pair[2];
    int r = mapper_words(program, pid, maps, &words, e);
    if (r < 0 || pipe2(pair, O_CLOEXEC) < 0)
        return r < 0 ? r : err_errno(e, "pipe");
    _cleanup_close_ int ours = pair[0];
    _cleanup_close_ int theirs = pair[1];
    pid_t child = fork();
    if (child < 0)
        return err_errno(e, "fork");
    if (child == 0) {
        if (dup2(theirs, STDERR_FILENO) < 0)
            _exit(FAILED);
        (void)execvp(program, words.items);
        _exit(errno == ENOENT ? MISSING : FAILED);
    }
    close_fd(&theirs);
    ssize_t n = io_read_full(ours, said, sizeof(said) - 1, &ignored);
    said[n > 0 ? n : 0] = '\0';
    said[strcspn(said, "\n")] = '\0';
    int status = 0;
    while (waitpid(child, &status, 0) < 0)
        if (errno != EINTR)
            return err_errno(e, "wait for %s", program);
    return judge(status, program, member, said, e);
}

int oci_id_maps_write(const struct oci_linux *l, pid_t pid, struct err *e)
{
    if (geteuid() == 0)
        return write_directly(l, pid, e);
    if (is_self_alone(l)) {
        int r = give_up_groups(pid, e);
        return r == 0 ? write_directly(l, pid, e) : r;
    }
    int r = run_mapper("newuidmap", "linux.uidMappings", pid, &l->uid_mappings, e);
    return r == 0 ? run_mapper("newgidmap", "linux.gidMappings", pid, &l->gid_mappings, e) : r;
}
