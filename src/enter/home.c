/* SPDX-License-Identifier: Apache-2.0 */
/*
 * HOME of a user whose configuration names none: that of /etc/passwd in the container, "/" when nobody there has the id. Read as the user, from a file
 * that the image wrote: a regular one, no more than the beginning of it.
 */
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "enter/enter.h"

#define PASSWD_MAX (1U << 20)
#define HOME_MAX 4096
#define FIELDS 7 /* passwd(5) */
#define FIELD_UID 2
#define FIELD_HOME 5

/* The line without its end, cut into its fields. False when it has not all of them. */
static bool split(char *line, char *field[FIELDS])
{
    for (int i = 0; i < FIELDS; i++) {
        field[i] = strsep(&line, ":");
        if (!field[i])
            return false;
    }
    return true;
}

static bool is_user(const char *text)
{
    char *end;
    unsigned long id = strtoul(text, &end, 10);
    return *text >= '0' && *text <= '9' && !*end && id == job->uid;
}

/* The directory of the user, in `text`, which is cut up. NULL: nobody has the id. */
static const char *find_home(char *text)
{
    char *field[FIELDS];
    for (char *line; (line = strsep(&text, "\n"));)
        if (split(line, field) && is_user(field[FIELD_UID]))
            return field[FIELD_HOME][0] == '/' && strlen(field[FIELD_HOME]) < HOME_MAX ? field[FIELD_HOME]
                                                                                       : NULL;
    return NULL;
}

static char *read_passwd(void)
{
    struct stat st;
    size_t length = 0;
    _cleanup_close_ int fd = open("/etc/passwd", O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
    char *text = fd >= 0 && fstat(fd, &st) == 0 && S_ISREG(st.st_mode) ? malloc(PASSWD_MAX + 1) : NULL;
    while (text && length < PASSWD_MAX) {
        ssize_t n = read(fd, text + length, PASSWD_MAX - length);
        if (n <= 0)
            break;
        length += (size_t)n;
    }
    if (text)
        text[length] = '\0';
    return text;
}

static bool has_home(char **env)
{
    for (; *env; env++)
        if (strncmp(*env, "HOME=", 5) == 0)
            return true;
    return false;
}

char **environment_with_home(char **env)
{
    static char home[HOME_MAX + 8];
    size_t count = 0;
    if (has_home(env))
        return env;
    while (env[count])
        count++;
    char **more = calloc(count + 2, sizeof(char *));
    if (!more)
        fail(1, "environment", NULL);
    char *text = read_passwd();
    const char *found = text ? find_home(text) : NULL;
    (void)snprintf(home, sizeof(home), "HOME=%s", found ? found : "/");
    free(text);
    memcpy(more, env, count * sizeof(char *));
    more[count] = home;
    return more;
}
