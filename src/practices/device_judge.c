/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Devices of the host (device_judge.h). What is judged is the number, which is what the kernel opens; paths are whatever somebody has named them.
 * The list of what the flag alone grants is short: a device that nobody has thought of needs the policy.
 */
#include "practices/device_judge.h"

#include <errno.h>
#include <stdio.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>

#include "practices/common.h"
#include "practices/refuse.h"

/* Character devices that --device grants by itself; numbers from Linux' devices.txt. */
static const struct {
    unsigned major_number, first, last;
} harmless[] = {
    {1, 3, 3},            /* null */
    {1, 5, 5},            /* zero */
    {1, 7, 9},            /* full, random, urandom */
    {5, 0, 0},            /* tty: the process's own */
    {10, 200, 200},       /* net/tun: makes interfaces in the own network */
    {10, 229, 229},       /* fuse: file systems in the own mounts */
    {81, 0, UINT32_MAX},  /* video4linux: cameras */
    {116, 0, UINT32_MAX}, /* ALSA: sound */
    {166, 0, UINT32_MAX}, /* ttyACM: modems and boards on USB */
    {188, 0, UINT32_MAX}, /* ttyUSB: serial ports on USB */
    {226, 128, 191},      /* dri/renderD*: computing on a graphics card, not its screen */
};

/* Why a device is refused, where its number says more than "it is none of the known harmless ones". */
static const struct {
    unsigned major_number, first, last;
    const char *why;
} dangers[] = {
    {1, 1, 4, "it is the memory of the machine"},
    {1, 11, 11, "it is the log of the kernel"},
    {4, 0, 63, "it is a console of the machine"},
    {5, 1, 1, "it is the console of the machine"},
    {7, 0, UINT32_MAX, "it shows what is on the consoles of the machine"},
    {10, 223, 223, "it types and clicks as a keyboard and a mouse of the machine"},
    {10, 231, 231, "it writes the memory of the machine to a disk"},
    {10, 232, 232, "it opens the kernel's code for virtual machines"},
    {10, 234, 234, "it controls the file systems of the machine"},
    {10, 236, 236, "it makes disks of the machine"},
    {10, 237, 237, "it makes disks of the machine"},
    {10, 238, 238, "it opens the kernel's code for virtual machines"},
    {10, 239, 239, "it makes input devices of the machine"},
    {13, 0, UINT32_MAX, "it is an input device: it hears every key"},
    {21, 0, UINT32_MAX, "it is a disk of the machine"},
    {90, 0, UINT32_MAX, "it is a flash memory of the machine"},
    {108, 0, UINT32_MAX, "it controls a network interface of the machine"},
    {202, 0, UINT32_MAX, "it controls a processor of the machine"},
    {226, 0, 127, "it is a screen of the machine"},
};

bool practice_device_is_harmless(char type, uint32_t major_number, uint32_t minor_number)
{
    for (size_t i = 0; i < ARRAY_SIZE(harmless) && type == 'c'; i++)
        if (major_number == harmless[i].major_number && minor_number >= harmless[i].first &&
            minor_number <= harmless[i].last)
            return true;
    return false;
}

static const char *danger_of(const struct plan_device *d)
{
    if (d->type == 'b')
        return "it is a disk of the machine, with all that is on it";
    for (size_t i = 0; i < ARRAY_SIZE(dangers); i++)
        if (d->major_number == dangers[i].major_number && d->minor_number >= dangers[i].first &&
            d->minor_number <= dangers[i].last)
            return dangers[i].why;
    return "it reaches beyond the container";
}

static int look(struct plan_device *d, struct err *e)
{
    struct stat st;
    if (stat(d->source, &st) < 0)
        return err_errno(e, "--device %s", d->source);
    if (S_ISDIR(st.st_mode))
        return err_set(e, EINVAL, "--device %s: it has become a directory; make the container anew",
                       d->source);
    if (!S_ISCHR(st.st_mode) && !S_ISBLK(st.st_mode))
        return err_set(e, EINVAL, "--device %s: it is not a device", d->source);
    d->type = S_ISCHR(st.st_mode) ? 'c' : 'b';
    d->major_number = major(st.st_rdev);
    d->minor_number = minor(st.st_rdev);
    return 0;
}

int device_judge(struct plan_device *d, const struct policy_rights *rights,
                 const struct policy_right **ret_right, struct err *e)
{
    _cleanup_free_ char *line = NULL;
    int r = look(d, e);
    if (r < 0)
        return r;
    *ret_right = policy_rights_find(rights, POLICY_ALLOW_DEVICE, d->source);
    if (*ret_right || practice_device_is_harmless(d->type, d->major_number, d->minor_number))
        return 0;
    r = str_format(&line, e, "allow-device = %s", d->source);
    return r < 0 ? r : refuse_by_policy(e, 5, line, "--device %s is refused: %s", d->source, danger_of(d));
}

int device_check(const struct plan_device *d, struct err *e)
{
    struct plan_device now = {.source = d->source};
    int r = look(&now, e);
    if (r == 0 &&
        (now.type != d->type || now.major_number != d->major_number || now.minor_number != d->minor_number))
        r = err_set(e, ESTALE, "--device %s: another device than when the container was made; make it anew",
                    d->source);
    return r;
}
