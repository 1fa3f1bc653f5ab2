/* SPDX-License-Identifier: Apache-2.0 */
/* Reading config.json and the documents of exec and update (config.h). The tables are in config_process.c, config_linux.c and
 * config_resources.c, what must fit together in config_check.c. */
#include "oci/config.h"

#include <errno.h>

#include "base/json.h"
#include "base/str.h"
#include "oci/config_tables.h"

/* The document as a tree; *ret is the caller's. */
static int parse(const char *text, size_t length, struct json_object **ret, struct err *e)
{
    if (length > OCI_CONFIG_MAX)
        return err_set(e, EFBIG, "larger than %u MiB", OCI_CONFIG_MAX >> 20);
    int r = json_parse(text, length, ret, e);
    if (r == 0 && !*ret)
        return err_set(e, EINVAL, "the document is null");
    return r;
}

void oci_config_clear(struct oci_config *c)
{
    schema_clear(oci_config_fields, c);
    json_object_put(c->document);
    *c = (struct oci_config){0};
}

int oci_config_read(const char *text, size_t length, struct oci_config *ret, struct err *e)
{
    _cleanup_oci_config_ struct oci_config c = {0};
    int r = parse(text, length, &c.document, e);
    if (r == 0)
        r = schema_read(oci_config_fields, c.document, "", &c, e);
    if (r == 0)
        r = oci_config_check(&c, e);
    if (r < 0)
        return r;
    *ret = c;
    c = (struct oci_config){0};
    return 0;
}

void oci_process_clear(struct oci_process *p)
{
    schema_clear(oci_process_fields, p);
    *p = (struct oci_process){0};
}

int oci_process_read(const char *text, size_t length, struct oci_process *ret,
                     struct json_object **ret_document, struct err *e)
{
    struct oci_process p = {.set = true};
    _cleanup_json_ struct json_object *document = NULL;
    int r = parse(text, length, &document, e);
    if (r == 0)
        r = schema_read(oci_process_fields, document, "", &p, e);
    if (r == 0)
        r = oci_process_check(&p, "", e);
    if (r < 0) {
        oci_process_clear(&p);
        return r;
    }
    *ret = p;
    *ret_document = steal_ptr(document);
    return 0;
}

void oci_resources_clear(struct oci_resources *resources)
{
    schema_clear(oci_resources_fields, resources);
    *resources = (struct oci_resources){0};
}

int oci_resources_read(const char *text, size_t length, struct oci_resources *ret,
                       struct json_object **ret_document, struct err *e)
{
    struct oci_resources resources = {.set = true};
    _cleanup_json_ struct json_object *document = NULL;
    int r = parse(text, length, &document, e);
    if (r == 0)
        r = schema_read(oci_resources_fields, document, "", &resources, e);
    if (r < 0) {
        oci_resources_clear(&resources);
        return r;
    }
    *ret = resources;
    *ret_document = steal_ptr(document);
    return 0;
}

const struct oci_namespace *oci_config_namespace(const struct oci_config *c, int type)
{
    const struct schema_list *all = &c->linux_part.namespaces;
    for (size_t i = 0; i < all->count; i++)
        if (OCI_ITEM(all, struct oci_namespace, i)->type == type)
            return OCI_ITEM(all, struct oci_namespace, i);
    return NULL;
}

const char *oci_config_annotation(const struct oci_config *c, const char *key)
{
    for (size_t i = 0; i < c->annotations.count; i++)
        if (str_equal(OCI_ITEM(&c->annotations, struct oci_pair, i)->key, key))
            return OCI_ITEM(&c->annotations, struct oci_pair, i)->value;
    return NULL;
}
