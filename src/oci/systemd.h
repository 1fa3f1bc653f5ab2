/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The systemd cgroup driver: a container's group is that of a transient scope, asked of the service manager over the D-Bus, so that its
 * tools show it, its slices hold it, and nothing that systemd does later with its own tree changes the container's limits.
 *
 * Sources: org.freedesktop.systemd1(5), systemd.resource-control(5); the form of linux.cgroupsPath is runc's (docs/systemd.md there).
 */
#pragma once

#include <stdbool.h>
#include <sys/types.h>

#include "oci/cgroup.h"
#include "oci/config.h"
#include "oci/dbus.h"

#define OCI_UNIT_MAX 255 /* UNIT_NAME_MAX of systemd, less its NUL */

struct oci_unit {
    char slice[OCI_UNIT_MAX + 1];
    char scope[OCI_UNIT_MAX + 1];
};

/* From linux.cgroupsPath, "SLICE:PREFIX:NAME"; NULL or "" is this project's prefix and ID in system.slice, in user.slice for an ordinary
 * user. What a unit's name cannot have is escaped as systemd-escape(1) does. */
int oci_unit_name(const char *cgroups_path, const char *id, bool user, struct oci_unit *ret, struct err *e);

/* A scope that was started. A scope lives as long as it has a process, so there is one of ours that holds it until it is closed. */
struct oci_scope {
    struct dbus bus;
    pid_t holder;
};

#define OCI_SCOPE_INIT   \
    {                    \
        .bus = DBUS_INIT \
    }

void oci_scope_close(struct oci_scope *s);

/* Starts it and waits until systemd has. Annotations org.systemd.property.* are properties of it. */
int oci_scope_start(const struct oci_unit *u, bool user, const struct oci_config *c, struct oci_scope *ret,
                    struct err *e);

/* The path of the scope's group in every hierarchy; the caller's to free. */
int oci_scope_path(const struct oci_scope *s, char **ret, struct err *e);

/* Moves a process into it, or into the group `below` of it (may be NULL), with systemd's rights: an ordinary user may not move one out of its
 * session. */
int oci_scope_attach(const char *scope, const char *below, bool user, pid_t pid, struct err *e);

/* Tells systemd the limits that the group has now (systemd_limits.c): it would undo them when it next looks. */
int oci_scope_tell_limits(const char *scope, bool user, const struct oci_cgroup *g, struct err *e);

/* Ends it, and forgets it when it had failed. Absent: success. */
int oci_scope_stop(const char *scope, bool user, struct err *e);

/* ---- for the files of the driver ---- */

/* A call to the service manager. */
struct dbus_call oci_manager_call(const char *member, const char *signature, const struct dbus_writer *body);

void oci_property_string(struct dbus_writer *w, const char *name, const char *value);
void oci_property_bool(struct dbus_writer *w, const char *name, bool value);
void oci_property_u64(struct dbus_writer *w, const char *name, uint64_t value);

/* A property from the text of an annotation, in the form of GVariant: true, 5, uint64 5, 'text', ['a', 'b']. */
int oci_property_parse(struct dbus_writer *w, const char *name, const char *text, struct err *e);
