/* SPDX-License-Identifier: Apache-2.0 */
/* spec: a configuration to begin with. */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/io.h"
#include "base/str.h"
#include "cli/oci/oci.h"

struct spec_options {
    const char *bundle;
    bool rootless;
};

static const struct option_entry table[] = {
    {"bundle", 'b', OPTION_STRING, "DIR", "Directory to write config.json into (the current one)",
     offsetof(struct spec_options, bundle), .complete = "files"},
    {"rootless", 0, OPTION_BOOL, NULL, "For an ordinary user: with a user namespace",
     offsetof(struct spec_options, rootless)},
    {0},
};

/* Everything that Casemate's practices ask of a container: no capability, no_new_privs, a read-only root, masked paths, limits. */
static const char before_namespaces[] =
    "{\n"
    "\t\"ociVersion\": \"" OCI_SPEC_VERSION "\",\n"
    "\t\"process\": {\n"
    "\t\t\"terminal\": true,\n"
    "\t\t\"user\": {\"uid\": 0, \"gid\": 0},\n"
    "\t\t\"args\": [\"sh\"],\n"
    "\t\t\"env\": [\"PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin\", \"TERM=xterm\"],\n"
    "\t\t\"cwd\": \"/\",\n"
    "\t\t\"capabilities\": {\"bounding\": [], \"effective\": [], \"permitted\": []},\n"
    "\t\t\"rlimits\": [{\"type\": \"RLIMIT_NOFILE\", \"hard\": 1024, \"soft\": 1024}, {\"type\": "
    "\"RLIMIT_CORE\", \"hard\": 0, \"soft\": 0}],\n"
    "\t\t\"noNewPrivileges\": true\n"
    "\t},\n"
    "\t\"root\": {\"path\": \"rootfs\", \"readonly\": true},\n"
    "\t\"hostname\": \"casemate\",\n"
    "\t\"mounts\": [\n"
    "\t\t{\"destination\": \"/proc\", \"type\": \"proc\", \"source\": \"proc\", \"options\": [\"nosuid\", "
    "\"noexec\", \"nodev\"]},\n"
    "\t\t{\"destination\": \"/dev\", \"type\": \"tmpfs\", \"source\": \"tmpfs\", \"options\": [\"nosuid\", "
    "\"strictatime\", \"mode=755\", \"size=65536k\"]},\n"
    "\t\t{\"destination\": \"/dev/pts\", \"type\": \"devpts\", \"source\": \"devpts\", \"options\": "
    "[\"nosuid\", \"noexec\", \"newinstance\", \"ptmxmode=0666\", \"mode=0620\"]},\n"
    "\t\t{\"destination\": \"/dev/shm\", \"type\": \"tmpfs\", \"source\": \"shm\", \"options\": [\"nosuid\", "
    "\"noexec\", \"nodev\", \"mode=1777\", \"size=65536k\"]},\n"
    "\t\t{\"destination\": \"/dev/mqueue\", \"type\": \"mqueue\", \"source\": \"mqueue\", \"options\": "
    "[\"nosuid\", \"noexec\", \"nodev\"]},\n";

static const char sys_own[] =
    "\t\t{\"destination\": \"/sys\", \"type\": \"sysfs\", \"source\": \"sysfs\", \"options\": [\"nosuid\", "
    "\"noexec\", \"nodev\", \"ro\"]},\n"
    "\t\t{\"destination\": \"/sys/fs/cgroup\", \"type\": \"cgroup\", \"source\": \"cgroup\", \"options\": "
    "[\"nosuid\", \"noexec\", \"nodev\", \"relatime\", \"ro\"]}\n";
static const char sys_rootless[] =
    "\t\t{\"destination\": \"/sys\", \"type\": \"none\", \"source\": \"/sys\", \"options\": [\"rbind\", "
    "\"nosuid\", \"noexec\", \"nodev\", \"ro\"]}\n";

static const char rules_root[] = "\t\t\"resources\": {\"devices\": [{\"allow\": false, \"access\": "
                                 "\"rwm\"}], \"pids\": {\"limit\": 512}},\n";

static const char namespaces[] =
    "\t\t\"namespaces\": [{\"type\": \"pid\"}, {\"type\": \"network\"}, {\"type\": \"ipc\"}, {\"type\": "
    "\"uts\"}, {\"type\": \"mount\"}, {\"type\": \"cgroup\"}%s],\n"
    "\t\t\"maskedPaths\": [\"/proc/acpi\", \"/proc/asound\", \"/proc/kcore\", \"/proc/keys\", "
    "\"/proc/latency_stats\", \"/proc/timer_list\", "
    "\"/proc/timer_stats\", \"/proc/sched_debug\", \"/sys/firmware\", \"/sys/devices/virtual/powercap\", "
    "\"/proc/scsi\"],\n"
    "\t\t\"readonlyPaths\": [\"/proc/bus\", \"/proc/fs\", \"/proc/irq\", \"/proc/sys\", "
    "\"/proc/sysrq-trigger\"]\n"
    "\t}\n}\n";

static int compose(bool rootless, struct buf *text, struct err *e)
{
    const size_t max = OCI_CONFIG_MAX;
    int r = buf_printf(text, max, e, "%s%s\t],\n\t\"linux\": {\n", before_namespaces,
                       rootless ? sys_rootless : sys_own);
    if (r == 0 && rootless)
        r = buf_printf(text, max, e,
                       "\t\t\"uidMappings\": [{\"containerID\": 0, \"hostID\": %u, \"size\": 1}],\n"
                       "\t\t\"gidMappings\": [{\"containerID\": 0, \"hostID\": %u, \"size\": 1}],\n",
                       geteuid(), getegid());
    else if (r == 0)
        r = buf_printf(text, max, e, "%s", rules_root);
    return r == 0 ? buf_printf(text, max, e, namespaces, rootless ? ", {\"type\": \"user\"}" : "") : r;
}

static int run(const struct invocation *in, struct err *e)
{
    struct spec_options o = {.bundle = "."};
    _cleanup_buf_ struct buf text = {0};
    int r = options_apply(in, &o, e);
    if (r == 0)
        r = compose(o.rootless, &text, e);
    _cleanup_close_ int dir = r < 0 ? -1 : open(o.bundle, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (r < 0 || dir < 0)
        return r < 0 ? r : err_errno(e, "--bundle %s", o.bundle);
    _cleanup_close_ int file = openat(dir, "config.json", O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0666);
    if (file < 0)
        return errno == EEXIST ? err_set(e, EEXIST, "config.json is there already: remove it first")
                               : err_errno(e, "make config.json");
    return io_write_all(file, text.data, text.length, e);
}

const struct verb oci_verb_spec = {
    .name = "oci spec",
    .group = VERB_HIDDEN,
    .usage = "",
    .summary = "Write a config.json to begin with",
    .arguments_max = 0,
    .options = {table},
    .run = run,
};
