/* SPDX-License-Identifier: Apache-2.0 */
/* Commands of Docker that are not here: people type them all the same. */
#pragma once

/* Why there is no such command, and what to do instead: what follows "casemate WORD "; NULL when Docker has no such command either. */
const char *absent_command(const char *word);
