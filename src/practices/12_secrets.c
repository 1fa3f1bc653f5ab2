/* SPDX-License-Identifier: Apache-2.0 */
/* Practice 12, secrets: from Vault or an encrypted store to a tmpfs of the container, never in images or the environment. */
#include "practices/registry.h"

const struct practice practice_secrets = {
    .number = 12,
    .id = "secrets",
    .title = "secrets",
    .what = "delivers secrets on tmpfs only and refuses them in images and the environment",
    .missing = "there is no secret store, and the environment is not searched for secrets",
};
