/* SPDX-License-Identifier: Apache-2.0 */
/* One row of `ps` (row.h). What came from images is neutralised where it is printed. */
#include "cli/row.h"

#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#include "base/buf.h"
#include "base/clock.h"
#include "base/json.h"
#include "cli/human.h"
#include "cli/inspect_json.h"
#include "cli/template.h"
#include "cli/verbs.h"
#include "engine/denial_advice.h"
#include "engine/disk_usage.h"
#include "engine/health.h"
#include "image/image.h"

#define COMMAND_WIDTH 20 /* Docker's: bytes of the command that are shown, and of a mount's name */
#define MOUNT_WIDTH 15
#define DENIALS_WIDTH 160
#define TEXT_MAX (1U << 20)
#define ELLIPSIS "…"

static const char *health_text(const struct container *c)
{
    static const char *const texts[] = {[HEALTH_NONE] = "",
                                        [HEALTH_STARTING] = " (health: starting)",
                                        [HEALTH_HEALTHY] = " (healthy)",
                                        [HEALTH_UNHEALTHY] = " (unhealthy)"};
    return texts[health_status_of(c)];
}

int row_status(const struct container *c, int64_t now, char **ret_text, struct err *e)
{
    char age[HUMAN_TEXT_MAX];
    char denied[DENIALS_WIDTH] = "";
    switch (c->status) {
    case CONTAINER_RUNNING:
        human_span(now - c->start.time, age);
        return str_format(ret_text, e, "Up %s%s", age, c->paused ? " (Paused)" : health_text(c));
    case CONTAINER_EXITED:
        human_age(c->finished, now, age);
        if (c->exit_code != 0)
            denial_summary(c, denied, sizeof(denied));
        return str_format(ret_text, e, "Exited (%d) %s%s%s%s", c->exit_code, age, *denied ? " (" : "", denied,
                          *denied ? ")" : "");
    case CONTAINER_RESTARTING:
        if (c->finished == 0) /* its supervisor was lost */
            return str_format(ret_text, e, "Restarting (%d)", CLI_LOST_STATUS);
        human_age(c->finished, now, age);
        return str_format(ret_text, e, "Restarting (%d) %s", c->exit_code, age);
    case CONTAINER_DEAD:
        return str_copy("Dead", ret_text, e);
    case CONTAINER_CREATED:
        break;
    }
    return str_copy("Created", ret_text, e);
}

/* At most `width` characters, the last of them an ellipsis when something is cut. Does not cut inside a character. */
static int cut_text(const char *text, size_t width, char **ret, struct err *e)
{
    size_t characters = 0;
    const char *cut = text;
    for (const char *at = text; *at; at++) {
        if (((unsigned char)*at & 0xc0) == 0x80)
            continue;
        if (++characters == width)
            cut = at;
    }
    return characters <= width ? str_copy(text, ret, e)
                               : str_format(ret, e, "%.*s" ELLIPSIS, (int)(cut - text), text);
}

/* Words with blanks stand in quotes, as Docker shows them; nothing is escaped. */
static int add_words(struct buf *b, const struct str_list *words, struct err *e)
{
    int r = 0;
    for (size_t i = 0; i < words->count && r == 0; i++) {
        const char *quote = strchr(words->items[i], ' ') ? "'" : "";
        r = buf_printf(b, TEXT_MAX, e, "%s%s%s%s", b->length ? " " : "", quote, words->items[i], quote);
    }
    return r;
}

static int quote_command(const struct plan *p, bool no_trunc, char **ret, struct err *e)
{
    _cleanup_buf_ struct buf words = {0};
    _cleanup_free_ char *cut = NULL;
    int r = add_words(&words, &p->entrypoint, e);
    if (r == 0)
        r = add_words(&words, &p->command, e);
    if (r == 0)
        r = cut_text(words.data ? words.data : "", no_trunc ? SIZE_MAX : COMMAND_WIDTH, &cut, e);
    return r < 0 ? r : str_format(ret, e, "\"%s\"", cut);
}

/* What the table shows when nothing else is asked for. */
struct shown_texts {
    char id[ID_LENGTH + 1];
    const char *image; /* borrowed */
    char *command;
    char age[HUMAN_TEXT_MAX];
    char *status;
    const char *name; /* borrowed */
};

static void shown_texts_clear(struct shown_texts *t)
{
    free(t->command);
    free(t->status);
}

static int make_texts(const struct container *c, int64_t now, bool no_trunc, struct shown_texts *t,
                      struct err *e)
{
    const size_t id_length = no_trunc ? ID_LENGTH : ID_SHORT_LENGTH;
    memcpy(t->id, c->id, id_length);
    t->id[id_length] = '\0';
    t->image = c->plan.image_reference ? c->plan.image_reference : "";
    t->name = c->plan.name ? c->plan.name : "";
    human_age(c->plan.created, now, t->age);
    int r = row_status(c, now, &t->status, e);
    return r < 0 ? r : quote_command(&c->plan, no_trunc, &t->command, e);
}

int row_add_cells(const struct container *c, int64_t now, bool no_trunc, struct table *t, struct err *e)
{
    _cleanup_(shown_texts_clear) struct shown_texts texts = {0};
    int r = make_texts(c, now, no_trunc, &texts, e);
    const char *const cells[ROW_CELLS] = {texts.id,     texts.image, texts.command, texts.age,
                                          texts.status, "",          texts.name};
    for (size_t i = 0; i < ARRAY_SIZE(cells) && r == 0; i++)
        r = table_add(t, cells[i], e);
    return r;
}

static int add_date(const struct plan *p, struct json_object *row, struct err *e)
{
    char date[64] = "";
    struct tm tm;
    time_t seconds = (time_t)(p->created / CLOCK_SECOND);
    if (localtime_r(&seconds, &tm))
        (void)strftime(date, sizeof(date), "%Y-%m-%d %H:%M:%S %z %Z", &tm);
    return json_add_string(row, "CreatedAt", date, e);
}

static int add_joined(const struct str_list *list, const char *key, struct json_object *row, struct err *e)
{
    _cleanup_buf_ struct buf b = {0};
    int r = 0;
    for (size_t i = 0; i < list->count && r == 0; i++)
        r = buf_printf(&b, TEXT_MAX, e, "%s%s", i ? "," : "", list->items[i]);
    return r < 0 ? r : json_add_string(row, key, b.data ? b.data : "", e);
}

static int add_mounts(const struct plan *p, bool no_trunc, struct json_object *row, struct err *e)
{
    _cleanup_str_list_ struct str_list sources = {0};
    uint64_t volumes = 0;
    int r = 0;
    for (size_t i = 0; i < p->mount_count && r == 0; i++) {
        const char *source = p->mounts[i].source;
        volumes += p->mounts[i].type == PLAN_MOUNT_VOLUME;
        if (!source)
            continue;
        r = strlen(source) > MOUNT_WIDTH && !no_trunc
                ? str_list_addf(&sources, e, "%.*s" ELLIPSIS, MOUNT_WIDTH - 1, source)
                : str_list_add(&sources, source, e);
    }
    char count[24];
    (void)snprintf(count, sizeof(count), "%llu", (unsigned long long)volumes);
    if (r == 0)
        r = json_add_string(row, "LocalVolumes", count, e);
    return r < 0 ? r : add_joined(&sources, "Mounts", row, e);
}

/* {{.Label "key"}} of templates. */
static int add_label_map(const struct plan *p, struct json_object *row, struct err *e)
{
    struct json_object *labels = json_object_new_object();
    struct members m = {labels, !labels};
    members_entries(&m, &p->labels);
    if (!m.failed)
        return template_set_labels(row, labels, e);
    json_object_put(labels);
    return err_oom(e);
}

static int add_shown(const struct container *c, int64_t now, bool no_trunc, struct json_object *row,
                     struct err *e)
{
    _cleanup_(shown_texts_clear) struct shown_texts texts = {0};
    int r = make_texts(c, now, no_trunc, &texts, e);
    const struct {
        const char *field, *text;
    } fields[] = {{"ID", texts.id},          {"Image", texts.image},   {"Command", texts.command},
                  {"RunningFor", texts.age}, {"Status", texts.status}, {"Ports", ""},
                  {"Names", texts.name}};
    for (size_t i = 0; i < ARRAY_SIZE(fields) && r == 0; i++)
        r = json_add_string(row, fields[i].field, fields[i].text, e);
    return r;
}

static int add_others(const struct container *c, bool no_trunc, struct json_object *row, struct err *e)
{
    int r = add_date(&c->plan, row, e);
    if (r == 0)
        r = json_add_string(row, "State", container_state_name(c), e);
    if (r == 0)
        r = add_joined(&c->plan.labels, "Labels", row, e);
    if (r == 0)
        r = add_label_map(&c->plan, row, e);
    if (r == 0)
        r = add_mounts(&c->plan, no_trunc, row, e);
    if (r == 0)
        r = json_add_string(row, "Networks", c->plan.network ? c->plan.network : "none", e);
    if (r == 0)
        r = json_add_string(row, "Size", "0B", e);
    return r < 0 ? r : json_add_string(row, "Profile", plan_profile_name(c->plan.profile), e);
}

int row_make(const struct container *c, int64_t now, enum row_extent extent, bool no_trunc,
             struct json_object **ret_row, struct err *e)
{
    _cleanup_json_ struct json_object *row = json_object_new_object();
    if (!row)
        return err_oom(e);
    int r = add_shown(c, now, no_trunc, row, e);
    if (r == 0 && extent == ROW_WHOLE)
        r = add_others(c, no_trunc, row, e);
    if (r < 0)
        return r;
    *ret_row = steal_ptr(row);
    return 0;
}

/* "12B (virtual 1.2MB)" */
int row_add_size(const struct store *s, const struct container *c, struct json_object *row, struct err *e)
{
    char written[HUMAN_TEXT_MAX], all[HUMAN_TEXT_MAX];
    struct err gone = {0};
    struct disk_usage usage = {0};
    _cleanup_image_ struct image *image = NULL;
    _cleanup_free_ char *text = NULL;
    (void)disk_usage_container(c, &usage, &gone);
    (void)image_find(s, c->plan.image_id, &image, &gone);
    human_size(usage.bytes, written);
    human_size(usage.bytes + (image ? image->size : 0), all);
    int r = str_format(&text, e, "%s (virtual %s)", written, all);
    return r < 0 ? r : json_add_string(row, "Size", text, e);
}
