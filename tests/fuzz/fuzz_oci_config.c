/* SPDX-License-Identifier: Apache-2.0 */
/* oci/config: no document crashes the reader; a refusal says something; what is accepted is complete and within bounds. */
#include "oci/config.h"

#include <linux/sched.h>

#include "base/json.h"
#include "fuzz.h"
#include "oci/mount_options.h"

static void check_mounts(const struct oci_config *c)
{
    for (size_t i = 0; i < c->mounts.count; i++) {
        struct err e = {0};
        _cleanup_oci_mount_options_ struct oci_mount_options o = {0};
        const struct oci_mount *m = OCI_ITEM(&c->mounts, struct oci_mount, i);
        MUST(m->destination && *m->destination);
        MUST((m->uid_mappings.count > 0) == (m->gid_mappings.count > 0));
        if (oci_mount_options_read(m, &o, &e) == 0)
            MUST(o.propagation_count <= 4 && !(o.set & o.clear & ~0x70ULL));
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct err e = {0};
    _cleanup_oci_config_ struct oci_config c = {0};
    if (oci_config_read((const char *)data, size, &c, &e) < 0) {
        MUST(e.code > 0 && *e.text && !c.document);
        return 0;
    }
    MUST(c.version && c.root.set && *c.root.path);
    MUST(!c.process.set || (c.process.args.count > 0 && c.process.cwd[0] == '/'));
    MUST(c.mounts.count == 0 || oci_config_namespace(&c, CLONE_NEWNS));
    for (size_t i = 0; i < c.linux_part.sysctl.count; i++)
        MUST(oci_config_namespace(&c, CLONE_NEWIPC) || oci_config_namespace(&c, CLONE_NEWNET) ||
             oci_config_namespace(&c, CLONE_NEWUTS) || oci_config_namespace(&c, CLONE_NEWUSER));
    check_mounts(&c);
    return 0;
}
