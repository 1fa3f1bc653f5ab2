/* SPDX-License-Identifier: Apache-2.0 */
/* casemate info: what is stored here, and what this machine can do. */
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/sysinfo.h>
#include <sys/utsname.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/dirs.h"
#include "base/identity.h"
#include "base/io.h"
#include "base/json.h"
#include "base/sandbox.h"
#include "cli/format.h"
#include "cli/human.h"
#include "cli/inspect_json.h"
#include "cli/verbs.h"
#include "config.h"
#include "engine/container.h"
#include "engine/mend.h"
#include "engine/state_alert.h"
#include "image/image.h"
#include "store/quota.h"

#define OS_RELEASE_MAX 65536

struct info_options {
    const char *format;
};

static const struct option_entry options[] = {
    {"format", 'f', OPTION_STRING, "FORMAT", "json, or a template such as {{.KernelVersion}}",
     offsetof(struct info_options, format), .complete = "json"},
    {0},
};

struct counts {
    int64_t all, running, paused;
};

static int count_one(struct container *c, void *context, struct err *e)
{
    struct counts *n = context;
    (void)e;
    n->all++;
    n->running += c->status == CONTAINER_RUNNING;
    n->paused += c->paused;
    return 0;
}

static int add_store(struct members *m, struct err *e)
{
    _cleanup_store_ struct store s = STORE_INIT;
    _cleanup_image_list_ struct image_list images = {0};
    struct counts n = {0};
    int r = store_open(&s, e);
    if (r < 0)
        return r;
    mend_all(&s);
    r = container_for_each(&s, count_one, &n, e);
    if (r == 0)
        r = image_list(&s, &images, e);
    if (r < 0)
        return r;
    members_number(m, "Containers", n.all);
    members_number(m, "ContainersRunning", n.running);
    members_number(m, "ContainersPaused", n.paused);
    members_number(m, "ContainersStopped", n.all - n.running);
    members_number(m, "Images", (int64_t)images.count);
    _cleanup_str_list_ struct str_list alerts = {0};
    r = state_alert_read(&s, &alerts, e);
    members_list(m, "Alerts", &alerts, false);
    return r;
}

/* PRETTY_NAME of os-release(5), which is a line of shell; its quotes are left out. */
static void add_system(struct members *m)
{
    struct err ignored = {0};
    _cleanup_buf_ struct buf text = {0};
    const char *name = NULL;
    if (io_read_path("/etc/os-release", OS_RELEASE_MAX, &text, &ignored) == 0 && text.data)
        name = strstr(text.data, "PRETTY_NAME=");
    char shown[128] = "unknown";
    if (name) {
        name += strlen("PRETTY_NAME=");
        name += *name == '"';
        (void)snprintf(shown, sizeof(shown), "%.*s", (int)strcspn(name, "\"\n"), name);
    }
    members_text(m, "OperatingSystem", shown);
}

static const char *cgroup_version(void)
{
    if (access("/sys/fs/cgroup/cgroup.controllers", F_OK) == 0)
        return "2";
    return access("/sys/fs/cgroup/memory", F_OK) == 0 ? "1" : "none";
}

/* Whether writable layers and volumes can be limited, or why not. */
static void add_disk_limits(struct members *m)
{
    struct err why = {0};
    _cleanup_close_ int fd = open(dirs_data_root(), O_PATH | O_DIRECTORY | O_CLOEXEC);
    bool limited = fd >= 0 && quota_probe(fd, &why) == 0;
    members_text(m, "DiskLimits", limited ? "project quotas" : fd < 0 ? "unknown" : why.text);
}

static int add_machine(struct members *m, struct err *e)
{
    struct utsname u;
    struct sysinfo si;
    if (uname(&u) < 0 || sysinfo(&si) < 0)
        return err_errno(e, "what this machine is");
    members_text(m, "ServerVersion", CASEMATE_VERSION);
    members_text(m, "Driver", "overlay");
    members_text(m, "LoggingDriver", "json-file");
    members_text(m, "CgroupVersion", cgroup_version());
    members_text(m, "CgroupDriver", "cgroupfs");
    members_text(m, "KernelVersion", u.release);
    add_system(m);
    members_text(m, "OSType", "linux");
    members_text(m, "Architecture", u.machine);
    members_number(m, "NCPU", sysconf(_SC_NPROCESSORS_ONLN));
    members_number(m, "MemTotal", (int64_t)((uint64_t)si.totalram * si.mem_unit));
    members_text(m, "Name", u.nodename);
    members_text(m, "DockerRootDir", dirs_data_root());
    add_disk_limits(m);
    struct members swarm = members_object(m, "Swarm");
    members_text(&swarm, "LocalNodeState", "inactive");
    members_join(m, &swarm);
    members_bool(m, "Rootless", identity_rootless());
    members_number(m, "Landlock", sandbox_landlock_abi());
    members_bool(m, "AppArmor", access("/sys/kernel/security/apparmor/profiles", F_OK) == 0);
    return 0;
}

static void print_text(struct json_object *json)
{
    static const struct {
        const char *key, *label;
    } lines[] = {
        {"Containers", "Containers"},
        {"ContainersRunning", " Running"},
        {"ContainersStopped", " Stopped"},
        {"Images", "Images"},
        {"ServerVersion", "Version"},
        {"Driver", "Storage Driver"},
        {"LoggingDriver", "Logging Driver"},
        {"CgroupVersion", "Cgroup Version"},
        {"Rootless", "Rootless"},
        {"Landlock", "Landlock ABI"},
        {"AppArmor", "AppArmor"},
        {"KernelVersion", "Kernel Version"},
        {"OperatingSystem", "Operating System"},
        {"OSType", "OSType"},
        {"Architecture", "Architecture"},
        {"NCPU", "CPUs"},
        {"MemTotal", "Total Memory"},
        {"Name", "Name"},
        {"DockerRootDir", "Data Root"},
        {"DiskLimits", "Disk Limits"},
    };
    for (size_t i = 0; i < ARRAY_SIZE(lines); i++) {
        struct json_object *value = json_object_object_get(json, lines[i].key);
        char memory[HUMAN_TEXT_MAX];
        human_memory((uint64_t)json_object_get_int64(value), memory);
        bool size = str_equal(lines[i].key, "MemTotal");
        printf("%s: %s\n", lines[i].label, size ? memory : json_object_get_string(value));
    }
    struct json_object *alerts = json_object_object_get(json, "Alerts");
    for (size_t i = 0; i < json_object_array_length(alerts); i++)
        printf("%s  %s\n", i ? "" : "Alerts (casemate tend --forget-alerts when looked at):\n",
               json_object_get_string(json_object_array_get_idx(alerts, i)));
}

static int run(const struct invocation *in, struct err *e)
{
    struct info_options o = {0};
    _cleanup_json_ struct json_object *json = json_object_new_object();
    struct members m = {.object = json, .failed = !json};
    int r = options_apply(in, &o, e);
    if (r == 0)
        r = add_store(&m, e);
    if (r == 0)
        r = add_machine(&m, e);
    if (r == 0 && m.failed)
        r = err_oom(e);
    if (r < 0)
        return r;
    if (!o.format) {
        print_text(json);
        return EXIT_SUCCESS;
    }
    return format_print(o.format, json, e);
}

const struct verb verb_info = {
    .name = "info",
    .aliases = "system info",
    .group = VERB_SYSTEM,
    .usage = "",
    .summary = "Show what is stored here and what this machine can do",
    .options = {options},
    .run = run,
};
