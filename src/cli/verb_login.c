/* SPDX-License-Identifier: Apache-2.0 */
/* casemate login: a registry is asked whether it takes a password, which is then kept for exactly this registry. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <termios.h>
#include <unistd.h>

#include "base/io.h"
#include "cli/pull_image.h"
#include "cli/recording.h"
#include "cli/verbs.h"
#include "image/platform.h"
#include "plan/policy.h"

struct login_options {
    const char *user, *password, *token_host;
    bool password_stdin;
    struct registry_access access;
};

static const struct option_entry options[] = {
    {"ca-file", 0, OPTION_STRING, "FILE", "Trust the certificates in this file instead of the system's",
     offsetof(struct login_options, access.ca_file), .complete = "files"},
    {"password", 'p', OPTION_STRING, "PASSWORD", "Password; other users of this machine may see it",
     offsetof(struct login_options, password)},
    {"password-stdin", 0, OPTION_BOOL, NULL, "Read the password from standard input",
     offsetof(struct login_options, password_stdin)},
    {"tls-verify", 0, OPTION_BOOL, NULL,
     "Default true; false: plain HTTP, which is for registries on this machine only",
     offsetof(struct login_options, access.tls_verify)},
    {"token-host", 0, OPTION_STRING, "HOST", "Another host that may get the password, to issue tokens",
     offsetof(struct login_options, token_host)},
    {"username", 'u', OPTION_STRING, "NAME", "User name", offsetof(struct login_options, user)},
    {0},
};

/* A line from the terminal without its newline; `hidden`: what is typed is not shown. */
static int ask(const char *prompt, bool hidden, char *ret, size_t size, struct err *e)
{
    struct termios saved;
    if (!isatty(STDIN_FILENO) || tcgetattr(STDIN_FILENO, &saved) < 0)
        return err_set(e, ENOTTY, "no terminal to ask for the %s: use --username and --password-stdin",
                       hidden ? "password" : "user name");
    struct termios quiet = saved;
    quiet.c_lflag &= ~(tcflag_t)ECHO;
    fputs(prompt, stderr);
    if (hidden)
        (void)tcsetattr(STDIN_FILENO, TCSAFLUSH, &quiet);
    char *line = fgets(ret, (int)size, stdin);
    if (hidden) {
        (void)tcsetattr(STDIN_FILENO, TCSAFLUSH, &saved);
        fputc('\n', stderr);
    }
    if (!line || !*ret || *ret == '\n')
        return err_set(e, EINVAL, "%s is required", hidden ? "password" : "username");
    ret[strcspn(ret, "\n")] = '\0';
    return 0;
}

static int read_password(char *ret, size_t size, struct err *e)
{
    ssize_t n = io_read_full(STDIN_FILENO, ret, size, e);
    if (n < 0)
        return (int)n;
    if ((size_t)n == size)
        return err_set(e, E2BIG, "the password is longer than %d bytes", CREDENTIALS_PASSWORD_MAX);
    ret[n] = '\0';
    ret[strcspn(ret, "\r\n")] = '\0';
    return *ret ? 0 : err_set(e, EINVAL, "password is required");
}

static int gather(const struct login_options *o, struct credentials *c, struct err *e)
{
    if (o->password && o->password_stdin)
        return err_set(e, EINVAL, "--password and --password-stdin exclude each other");
    if (o->password_stdin && !o->user)
        return err_set(e, EINVAL, "--password-stdin needs --username");
    int r = o->user ? str_put(c->user, sizeof(c->user), o->user, e)
                    : ask("Username: ", false, c->user, sizeof(c->user), e);
    if (r == 0 && o->token_host)
        r = str_put(c->token_host, sizeof(c->token_host), o->token_host, e);
    if (r < 0)
        return r;
    if (o->password)
        return str_put(c->password, sizeof(c->password), o->password, e);
    return o->password_stdin ? read_password(c->password, sizeof(c->password), e)
                             : ask("Password: ", true, c->password, sizeof(c->password), e);
}

static int run(const struct invocation *in, struct err *e)
{
    char host[REFERENCE_NAME_MAX + 1];
    struct login_options o = {.access = {.tls_verify = true}};
    _cleanup_credentials_ struct credentials c = {0};
    _cleanup_policy_ struct policy policy = {0};
    struct pull_options how = {.credentials = &c};
    int r = options_apply(in, &o, e);
    if (r == 0)
        r = reference_parse_host(in->arguments[0], host, e);
    if (r == 0)
        r = registry_prepare(host, &o.access, &policy, &how, e);
    if (r == 0)
        r = gather(&o, &c, e);
    if (r < 0)
        return r;
    platform_host(&how.platform);
    how.token_host = o.token_host;
    r = image_check_login(host, &how, e);
    if (r == 0)
        r = credentials_store(host, &c, e);
    if (r < 0)
        return r;
    record_registry(AUDIT_LOGIN, host, c.user);
    printf("Login Succeeded\n");
    return EXIT_SUCCESS;
}

const struct verb verb_login = {
    .name = "login",
    .group = VERB_IMAGES,
    .usage = "[REGISTRY]",
    .summary = "Keep a password for a registry",
    .arguments_max = 1,
    .options = {options},
    .run = run,
};
