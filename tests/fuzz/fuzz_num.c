/* SPDX-License-Identifier: Apache-2.0 */
/* base/num: numbers from the command line and from files. What is taken as a number means the same when printed. */
#include "base/num.h"

#include "base/cleanup.h"
#include "fuzz.h"

#include <inttypes.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct err e = {0};
    uint64_t value = 0;
    _cleanup_free_ char *text = fuzz_text(data, size);
    if (num_parse_u64(text, UINT32_MAX, &value, &e) >= 0) {
        char printed[32];
        (void)snprintf(printed, sizeof(printed), "%" PRIu64, value);
        MUST(value <= UINT32_MAX && strcmp(printed, text) == 0);
    }
    if (num_parse_octal(text, 07777, &value, &e) >= 0)
        MUST(value <= 07777 && text[strspn(text, "01234567")] == '\0');
    if (num_parse_size(text, &value, &e) >= 0)
        MUST(value <= INT64_MAX && (text[0] == '.' || (text[0] >= '0' && text[0] <= '9')));
    if (num_parse_nano(text, &value, &e) >= 0)
        MUST(text[strspn(text, "0123456789.")] == '\0');
    if (num_parse_duration(text, &value, &e) >= 0)
        MUST(text[0] == '.' || (text[0] >= '0' && text[0] <= '9'));
    return 0;
}
