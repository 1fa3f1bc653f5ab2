/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Where things are. Each can be moved by the environment of the (trusted) caller, which is how the tests run apart from
 * an installed Casemate: CASEMATE_ROOT, CASEMATE_RUN, CASEMATE_CONF, CASEMATE_LIBEXEC, CASEMATE_DATADIR.
 */
#pragma once

const char *dirs_data_root(void); /* /var/lib/casemate; an ordinary user's ~/.local/share/casemate */
/* /run/casemate; an ordinary user's run/ in the data root: $XDG_RUNTIME_DIR goes with the last session, which containers outlive. */
const char *dirs_run(void);
const char *dirs_conf(void); /* SYSCONFDIR/casemate.conf: a file */
/* An ordinary user's own policy, read after that: ~/.config/casemate/casemate.conf; root: NULL. */
const char *dirs_user_conf(void);
/* The one of the two that the caller would write to. */
const char *dirs_own_conf(void);
const char *dirs_libexec(void); /* helper programs */
const char *dirs_data(void);    /* shipped data: hello.tar */
