/* SPDX-License-Identifier: Apache-2.0 */
/* Which filters a container gets (filter_cache.h). Trusted; a kept file is checked as if somebody else had written it. */
#include "runtime/filter_cache.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/capability.h>
#include <stdio.h>
#include <sys/stat.h>
#include <sys/utsname.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/digest.h"
#include "base/io.h"
#include "runtime/filter_compile.h"

#define BIT(cap) (1ULL << (cap))
#define SWITCH_USER (BIT(CAP_SETUID) | BIT(CAP_SETGID))

#define FILE_MAGIC "casemate filter\n"
#define FILE_FORMAT 2
#define FILE_MODE 0600
#define NAME_SIZE (sizeof("filter-") + DIGEST_HEX_LENGTH)

struct file_header {
    char magic[16]; /* FILE_MAGIC without its NUL */
    uint32_t format;
    uint32_t instructions; /* they follow */
    uint32_t judged;       /* 1: the profile was found to name nothing that the ceiling refuses */
    uint32_t reserved;
    struct digest key; /* of what it was made from */
    struct digest program;
};

static void key_of(const struct filter_source *source, struct digest *ret_key)
{
    const struct {
        uint32_t format, profile; /* 1: read as a user's, 2: as the OCI runtime's */
        uint64_t build, capabilities, kernel_version, length;
    } fixed = {.format = FILE_FORMAT,
               .profile = !source->profile  ? 0
                          : source->runtime ? 2
                                            : 1,
               .build = filter_build,
               .capabilities = source->capabilities,
               .kernel_version = source->kernel_version,
               .length = source->length};
    struct digest_state state;
    digest_start(&state);
    digest_update(&state, &fixed, sizeof(fixed));
    if (source->profile)
        digest_update(&state, source->profile, source->length);
    digest_finish(&state, ret_key);
}

static void name_of(const struct digest *key, char ret_name[NAME_SIZE])
{
    char hex[DIGEST_HEX_LENGTH + 1];
    digest_format_hex(key, hex);
    (void)snprintf(ret_name, NAME_SIZE, "filter-%s", hex);
}

static bool header_ok(const struct file_header *h, const struct digest *key, bool judged,
                      const struct stat *st)
{
    return memcmp(h->magic, FILE_MAGIC, sizeof(h->magic)) == 0 && h->format == FILE_FORMAT &&
           digest_equal(&h->key, key) && h->judged <= 1 && (h->judged || !judged) && h->reserved == 0 &&
           h->instructions > 0 && h->instructions <= BPF_MAXINSNS &&
           (uint64_t)st->st_size == sizeof(*h) + h->instructions * sizeof(struct sock_filter);
}

/* NULL when it is not there or not exactly what was kept. */
static struct filter *load(int cache_fd, const char *name, const struct digest *key, bool judged)
{
    struct err ignored = {0};
    struct file_header h;
    struct digest found;
    struct stat st;
    struct sock_filter *code = NULL;
    _cleanup_close_ int fd = openat(cache_fd, name, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);
    if (fd < 0 || fstat(fd, &st) < 0 || !S_ISREG(st.st_mode) || st.st_uid != geteuid() || st.st_nlink != 1 ||
        (st.st_mode & ALLPERMS) != FILE_MODE)
        return NULL;
    if (io_read_full(fd, &h, sizeof(h), &ignored) != (ssize_t)sizeof(h) || !header_ok(&h, key, judged, &st))
        return NULL;
    _cleanup_free_ struct filter *f = filter_new(h.instructions, &code);
    size_t size = h.instructions * sizeof(*code);
    if (!f || io_read_full(fd, code, size, &ignored) != (ssize_t)size)
        return NULL;
    digest_of(code, size, &found);
    if (!digest_equal(&found, &h.program) || filter_check(code, h.instructions, &ignored) < 0)
        return NULL;
    return steal_ptr(f);
}

/* A file without a name until it is complete: a command that is killed leaves nothing. */
static void keep(int cache_fd, const char *name, const struct digest *key, bool judged,
                 const struct filter *f)
{
    struct err ignored = {0};
    char self[sizeof("/proc/self/fd/") + 11];
    struct file_header h = {.format = FILE_FORMAT, .instructions = f->len, .judged = judged, .key = *key};
    size_t size = f->len * sizeof(*f->code);
    memcpy(h.magic, FILE_MAGIC, sizeof(h.magic));
    digest_of(f->code, size, &h.program);
    _cleanup_close_ int fd = openat(cache_fd, ".", O_TMPFILE | O_WRONLY | O_CLOEXEC, FILE_MODE);
    if (fd < 0 || fchmod(fd, FILE_MODE) < 0 || io_write_all(fd, &h, sizeof(h), &ignored) < 0 ||
        io_write_all(fd, f->code, size, &ignored) < 0)
        return;
    (void)snprintf(self, sizeof(self), "/proc/self/fd/%d", fd);
    int r = linkat(AT_FDCWD, self, cache_fd, name, AT_SYMLINK_FOLLOW);
    if (r < 0 && errno == EEXIST && unlinkat(cache_fd, name, 0) == 0) /* what was there could not be used */
        r = linkat(AT_FDCWD, self, cache_fd, name, AT_SYMLINK_FOLLOW);
    (void)r; /* not kept: compiled again next time */
}

static int get(int cache_fd, const struct filter_source *source, struct filter **ret_filter, struct err *e)
{
    char name[NAME_SIZE];
    struct digest key;
    key_of(source, &key);
    name_of(&key, name);
    _cleanup_free_ struct filter *f = load(cache_fd, name, &key, source->judge);
    if (!f) {
        int r = filter_compile(source, &f, e);
        if (r < 0)
            return r;
        keep(cache_fd, name, &key, source->judge, f);
    }
    *ret_filter = steal_ptr(f);
    return 0;
}

int filter_cache_ceiling(int cache_fd, uint64_t capabilities, const struct filter **ret_filter,
                         struct filter **ret_made, struct err *e)
{
    const struct filter_source source = {.capabilities = capabilities & filter_capabilities};
    const char *built_in = source.capabilities == 0             ? "default"
                           : source.capabilities == SWITCH_USER ? "default-switch-user"
                                                                : NULL;
    *ret_made = NULL;
    if (built_in) {
        *ret_filter = filter_find(built_in);
        return *ret_filter ? 0 : err_set(e, ENOENT, "system call filter '%s' is not built in", built_in);
    }
    int r = get(cache_fd, &source, ret_made, e);
    if (r == 0)
        *ret_filter = *ret_made;
    return r;
}

/* As profiles write it: 6.1 is 6001. */
static int kernel_version(uint32_t *ret, struct err *e)
{
    struct utsname u;
    unsigned major = 0;
    unsigned minor = 0;
    if (uname(&u) < 0)
        return err_errno(e, "uname");
    char *end = NULL;
    major = (unsigned)strtoul(u.release, &end, 10);
    if (*end != '.' || major == 0 || major > 1000)
        return err_set(e, EINVAL, "the kernel's version '%.32s' is not a number", u.release);
    minor = (unsigned)strtoul(end + 1, NULL, 10);
    *ret = major * 1000 + (minor > 999 ? 999 : minor);
    return 0;
}

int filter_cache_profile(int cache_fd, uint64_t capabilities, const char *text, size_t length, bool judge,
                         struct filter **ret_filter, struct err *e)
{
    struct filter_source source = {
        .profile = text, .length = length, .capabilities = capabilities, .judge = judge};
    int r = kernel_version(&source.kernel_version, e);
    return r < 0 ? r : get(cache_fd, &source, ret_filter, e);
}

int filter_cache_runtime(int cache_fd, const char *text, size_t length, struct filter **ret_filter,
                         struct err *e)
{
    const struct filter_source source = {.profile = text, .length = length, .runtime = true};
    return get(cache_fd, &source, ret_filter, e);
}
