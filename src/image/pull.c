/* SPDX-License-Identifier: Apache-2.0 */
/* Pulling (pull.h). */
#include "image/pull.h"

#include <errno.h>

int image_pull(const struct store *s, const struct reference *r, const struct pull_options *options,
               struct image **ret_image, struct pull_result *ret_result, struct err *e)
{
    char name[REFERENCE_TEXT_MAX + 1];
    (void)s;
    (void)options;
    (void)ret_image;
    (void)ret_result;
    reference_format_familiar(r, name);
    return err_set(e, ENOSYS, "%s is not here, and pulling is not built yet (casemate load takes archives)",
                   name);
}
