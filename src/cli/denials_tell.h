/* SPDX-License-Identifier: Apache-2.0 */
/* What a container was refused, told where a user meets its end: run, start, logs, inspect, explain. */
#pragma once

#include "cli/inspect_json.h"
#include "engine/container.h"
#include "practices/evidence.h"

/* One line on stderr for each practice that has refused something, the flag that allows it in it. Does nothing for a container that runs, or
 * has ended well. */
void denials_tell(const struct container *c);

/* On a terminal, after an unsuccessful end: asks whether what would have helped is to be given to this image from now on, and writes that
 * into the policy. Anything but yes leaves everything as it is. */
int denials_offer(const struct container *c, struct err *e);

/* "Denials": [{"Call": "setgid", "Count": 3, "Process": "nginx", "Practice": 6, "Remedy": "…"}], for inspect. */
void denials_inspect(struct members *state, const struct container *c);

/* Lines of state "refused" at the end of the evidence. */
int denials_explain(const struct container *c, struct evidence *ev, struct err *e);
