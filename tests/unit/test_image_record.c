/* SPDX-License-Identifier: Apache-2.0 */
/* Units of src/workers/parse, src/base/imagerules.c and src/image/record.c: from a foreign document to the record and back. */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/imagerules.h"
#include "base/json.h"
#include "base/path.h"
#include "image/record.h"
#include "workers/parse/parse.h"

#define A64 "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"
#define B64 "bbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbb"
#define C64 "cccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccc"
#define OCI_MANIFEST "application/vnd.oci.image.manifest.v1+json"
#define OCI_INDEX "application/vnd.oci.image.index.v1+json"
#define OCI_CONFIG "application/vnd.oci.image.config.v1+json"
#define OCI_GZIP "application/vnd.oci.image.layer.v1.tar+gzip"
#define CONFIG_DESCRIPTOR \
    "\"config\":{\"mediaType\":\"" OCI_CONFIG "\",\"digest\":\"sha256:" A64 "\",\"size\":100}"
#define LAYER(d, size) "{\"mediaType\":\"" OCI_GZIP "\",\"digest\":\"sha256:" d "\",\"size\":" size "}"

static int manifest(const char *media_type, const char *variant, const char *text,
                    struct message_parse_chosen *chosen, struct message_parse_manifest *m, struct err *e)
{
    struct message_parse_request request = {
        .kind = PARSE_IMAGE_MANIFEST, .os = "linux", .architecture = "arm"};
    assert_int_equal(str_put(request.media_type, sizeof(request.media_type), media_type, e), 0);
    assert_int_equal(str_put(request.variant, sizeof(request.variant), variant, e), 0);
    return parse_manifest(text, strlen(text), &request, chosen, m, e);
}

static void test_manifest(void **state)
{
    (void)state;
    struct err e = {0};
    struct message_parse_chosen chosen;
    struct message_parse_manifest m;
    assert_int_equal(manifest(OCI_MANIFEST, "",
                              "{\"schemaVersion\":2," CONFIG_DESCRIPTOR
                              ",\"layers\":[" LAYER(B64, "5") "," LAYER(C64, "6") "," LAYER(B64, "5") "]}",
                              &chosen, &m, &e),
                     2);
    assert_int_equal(m.layer_count, 3);
    assert_int_equal(m.layers[1].size, 6);
    assert_int_equal(m.layers[1].digest[0], 0xcc);
    assert_int_equal(m.layers[1].compression, LAYER_GZIP);
    assert_int_equal(m.config_size, 100);
}

static void test_manifest_refused(void **state)
{
    (void)state;
    static const struct {
        const char *media_type, *text, *says;
    } cases[] = {
        {OCI_MANIFEST, "", "JSON"},
        {OCI_MANIFEST, "[]", "not a JSON object"},
        {OCI_MANIFEST, "null", "not a JSON object"},
        {OCI_MANIFEST, "{}", "schemaVersion"},
        {OCI_MANIFEST, "{\"schemaVersion\":1," CONFIG_DESCRIPTOR ",\"layers\":[" LAYER(B64, "5") "]}",
         "schemaVersion"},
        {OCI_MANIFEST, "{\"schemaVersion\":2}", "no config"},
        {OCI_MANIFEST, "{\"schemaVersion\":2," CONFIG_DESCRIPTOR "}", "no layers"},
        {OCI_MANIFEST, "{\"schemaVersion\":2," CONFIG_DESCRIPTOR ",\"layers\":[]}", "no layers"},
        {OCI_MANIFEST, "{\"schemaVersion\":2," CONFIG_DESCRIPTOR ",\"layers\":null}", "no layers"},
        {OCI_MANIFEST, "{\"schemaVersion\":2," CONFIG_DESCRIPTOR ",\"layers\":{}}", "not an array"},
        {OCI_MANIFEST, "{\"schemaVersion\":2," CONFIG_DESCRIPTOR ",\"layers\":[null]}", "not an object"},
        {OCI_MANIFEST, "{\"schemaVersion\":2," CONFIG_DESCRIPTOR ",\"layers\":[" LAYER(B64, "-1") "]}",
         "negative"},
        {OCI_MANIFEST, "{\"schemaVersion\":2," CONFIG_DESCRIPTOR ",\"layers\":[" LAYER(B64, "0") "]}",
         "no size"},
        {OCI_MANIFEST, "{\"schemaVersion\":2," CONFIG_DESCRIPTOR ",\"layers\":[" LAYER(B64, "1.5") "]}",
         "whole number"},
        {OCI_MANIFEST, "{\"schemaVersion\":2," CONFIG_DESCRIPTOR ",\"layers\":[" LAYER(B64, "\"5\"") "]}",
         "whole number"},
        {OCI_MANIFEST,
         "{\"schemaVersion\":2," CONFIG_DESCRIPTOR ",\"layers\":[" LAYER(B64, "9223372036854775807") "]}",
         "limit"},
        {OCI_MANIFEST,
         "{\"schemaVersion\":2," CONFIG_DESCRIPTOR ",\"layers\":[" LAYER(B64, "99999999999999999999999") "]}",
         "range"},
        {OCI_MANIFEST,
         "{\"schemaVersion\":2," CONFIG_DESCRIPTOR ",\"layers\":[" LAYER(B64, "5") "," LAYER(B64, "6") "]}",
         "two descriptions"},
        {OCI_MANIFEST, "{\"schemaVersion\":2," CONFIG_DESCRIPTOR ",\"layers\":[" LAYER("b", "5") "]}", ""},
        {OCI_MANIFEST,
         "{\"schemaVersion\":2," CONFIG_DESCRIPTOR ",\"layers\":[{\"mediaType\":\"" OCI_GZIP
         "\",\"digest\":\"sha256:" B64 "\",\"size\":5,\"urls\":[\"https://x/y\"]}]}",
         "urls"},
        {OCI_MANIFEST,
         "{\"schemaVersion\":2," CONFIG_DESCRIPTOR ",\"layers\":[{\"mediaType\":\"application/"
         "vnd.docker.image.rootfs.foreign.diff.tar.gzip\",\"digest\":\"sha256:" B64 "\",\"size\":5}]}",
         "not supported"},
        {OCI_MANIFEST,
         "{\"schemaVersion\":2,\"mediaType\":\"" OCI_INDEX "\"," CONFIG_DESCRIPTOR
         ",\"layers\":[" LAYER(B64, "5") "]}",
         "announced"},
        {OCI_MANIFEST,
         "{\"schemaVersion\":2," CONFIG_DESCRIPTOR ",\"layers\":[" LAYER(B64, "5") "],\"manifests\":[]}",
         "ambiguous"},
        {OCI_MANIFEST,
         "{\"schemaVersion\":2," CONFIG_DESCRIPTOR ",\"layers\":[" LAYER(B64, "5") "],\"fsLayers\":[]}",
         "ambiguous"},
        {OCI_MANIFEST,
         "{\"schemaVersion\":2,\"schemaVersion\":2," CONFIG_DESCRIPTOR ",\"layers\":[" LAYER(B64, "5") "]}",
         "twice"},
        {OCI_MANIFEST,
         "{\"schemaVersion\":2,\"config\":{\"mediaType\":\"application/"
         "vnd.cncf.helm.config.v1+json\",\"digest\":\"sha256:" A64
         "\",\"size\":5},\"layers\":[" LAYER(B64, "5") "]}",
         "not an image"},
        {OCI_INDEX, "{\"schemaVersion\":2," CONFIG_DESCRIPTOR ",\"layers\":[],\"manifests\":[]}",
         "ambiguous"},
        {OCI_INDEX, "{\"schemaVersion\":2,\"manifests\":[]}", "no manifests"},
        {OCI_INDEX, "{\"schemaVersion\":2}", "no manifests"},
        {"application/vnd.docker.distribution.manifest.v1+prettyjws", "{}", "schema 1"},
        {"text/html", "<html>", "not an image"},
        {"", "{}", "not an image"},
    };
    for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
        struct err e = {0};
        struct message_parse_chosen chosen;
        struct message_parse_manifest m;
        if (manifest(cases[i].media_type, "", cases[i].text, &chosen, &m, &e) >= 0)
            fail_msg("accepted: %s", cases[i].text);
        if (!strstr(e.text, cases[i].says))
            fail_msg("case %zu says '%s'", i, e.text);
    }
}

static void test_layer_limit(void **state)
{
    (void)state;
    for (unsigned count = 127; count <= 128; count++) {
        struct err e = {0};
        struct message_parse_chosen chosen;
        struct message_parse_manifest m;
        _cleanup_buf_ struct buf text = {0};
        assert_int_equal(
            buf_printf(&text, 1 << 20, &e, "{\"schemaVersion\":2,%s,\"layers\":[", CONFIG_DESCRIPTOR), 0);
        for (unsigned i = 0; i < count; i++)
            assert_int_equal(buf_printf(&text, 1 << 20, &e,
                                        "%s{\"mediaType\":\"%s\",\"digest\":\"sha256:%064x\",\"size\":1}",
                                        i ? "," : "", OCI_GZIP, i),
                             0);
        assert_int_equal(buf_printf(&text, 1 << 20, &e, "]}"), 0);
        assert_int_equal(manifest(OCI_MANIFEST, "", text.data, &chosen, &m, &e), count == 127 ? 2 : -E2BIG);
    }
}

#define ENTRY(d, platform) \
    "{\"mediaType\":\"" OCI_MANIFEST "\",\"digest\":\"sha256:" d "\",\"size\":7" platform "}"
#define PLATFORM(os, arch, variant) \
    ",\"platform\":{\"os\":\"" os "\",\"architecture\":\"" arch "\",\"variant\":\"" variant "\"}"

static void test_platform_choice(void **state)
{
    (void)state;
    static const char index[] =
        "{\"schemaVersion\":2,\"manifests\":[" ENTRY(A64, PLATFORM("unknown", "unknown", "")) "," ENTRY(
            A64, PLATFORM("linux", "amd64",
                          "")) "," ENTRY(B64, PLATFORM("linux", "arm",
                                                       "v6")) "," ENTRY(C64,
                                                                        PLATFORM("linux", "arm",
                                                                                 "v7")) "," ENTRY(A64,
                                                                                                  "") "]}";
    struct err e = {0};
    struct message_parse_chosen chosen;
    struct message_parse_manifest m;
    assert_int_equal(manifest(OCI_INDEX, "", index, &chosen, &m, &e), 1);
    assert_int_equal(chosen.digest[0], 0xcc);
    assert_int_equal(manifest(OCI_INDEX, "v6", index, &chosen, &m, &e), 1);
    assert_int_equal(chosen.digest[0], 0xbb);
    assert_string_equal(chosen.media_type, OCI_MANIFEST);
    assert_int_equal(manifest(OCI_INDEX, "v5", index, &chosen, &m, &e), -ENOENT);
    assert_non_null(strstr(e.text, "no matching manifest for linux/arm/v5"));
}

static int config(const char *text, struct image **ret_image, struct err *e)
{
    struct message_parse_request request = {
        .kind = PARSE_IMAGE_CONFIG, .os = "linux", .architecture = "amd64"};
    _cleanup_json_ struct json_object *answer = NULL;
    int r = parse_config(text, strlen(text), &request, &answer, e);
    if (r < 0)
        return r;
    const char *json = json_object_to_json_string(answer);
    return image_record_parse_config(json, strlen(json), ret_image, e);
}

#define ROOTFS                                                                                   \
    "\"os\":\"linux\",\"architecture\":\"amd64\",\"rootfs\":{\"type\":\"layers\",\"diff_ids\":[" \
    "\"sha256:" A64 "\"]}"

static void test_round_trip(void **state)
{
    (void)state;
    static const char text[] =
        "{" ROOTFS ",\"created\":\"2026-01-02T03:04:05.5Z\",\"author\":\"me\",\"history\":[{},{\"empty_"
        "layer\":true}],\"config\":{"
        "\"User\":\"app:1000\",\"Env\":[\"PATH=/bin\",\"TEXT=a\\nb=c\"],\"Entrypoint\":[\"/"
        "e\"],\"Cmd\":[\"a\",\"\"],\"WorkingDir\":\"/srv//./app/\","
        "\"Labels\":{\"k\":\"v=w\",\"e\":\"\"},\"ExposedPorts\":{\"80\":{},\"53/udp\":{}},\"Volumes\":{\"/"
        "data/\":{},\"/data\":{}},\"StopSignal\":\"quit\","
        "\"Shell\":[\"/bin/"
        "sh\",\"-c\"],\"Healthcheck\":{\"Test\":[\"CMD-SHELL\",\"true\"],\"Interval\":5000000000,\"Retries\":"
        "3},\"OnBuild\":null,\"Unknown\":[1]}}";
    struct err e = {0};
    _cleanup_image_ struct image *i = NULL;
    _cleanup_image_ struct image *again = NULL;
    _cleanup_buf_ struct buf first = {0};
    _cleanup_buf_ struct buf second = {0};
    if (config(text, &i, &e) < 0)
        fail_msg("%s", e.text);
    assert_string_equal(i->user, "app:1000");
    assert_string_equal(i->working_dir, "/srv/app");
    assert_string_equal(i->stop_signal, "SIGQUIT");
    assert_int_equal(i->volumes.count, 1);
    assert_string_equal(i->exposed_ports.items[0], "80/tcp");
    assert_string_equal(str_list_env(&i->labels, "k"), "v=w");
    assert_int_equal(i->history_count, 2);
    assert_int_equal(i->cmd.count, 2);
    assert_int_equal(i->healthcheck.retries, 3);
    assert_int_equal(i->layer_count, 1);
    memset(i->id, 'd', DIGEST_HEX_LENGTH);
    i->layers[0].size = 12;
    i->layers[0].compression = LAYER_ZSTD;
    i->manifest.bytes[0] = 1;
    assert_int_equal(image_record_format(i, &first, &e), 0);
    if (image_record_parse(first.data, first.length, &again, &e) < 0)
        fail_msg("%s: %s", e.text, first.data);
    assert_int_equal(again->size, 12);
    assert_int_equal(again->created, i->created);
    assert_int_equal(image_record_format(again, &second, &e), 0);
    assert_string_equal(first.data, second.data);
}

static void test_config_refused(void **state)
{
    (void)state;
    static const char *const bad[] = {
        "{}",
        "[]",
        "null",
        "\"x\"",
        "{\"os\":\"linux\",\"architecture\":\"amd64\"}",
        "{\"os\":\"windows\",\"architecture\":\"amd64\",\"rootfs\":{\"type\":\"layers\",\"diff_ids\":["
        "\"sha256:" A64 "\"]}}",
        "{\"os\":\"linux\",\"architecture\":\"arm64\",\"rootfs\":{\"type\":\"layers\",\"diff_ids\":["
        "\"sha256:" A64 "\"]}}",
        "{\"os\":\"linux\",\"architecture\":\"amd64\",\"rootfs\":{\"type\":\"x\",\"diff_ids\":[\"sha256:" A64
        "\"]}}",
        "{\"os\":\"linux\",\"architecture\":\"amd64\",\"rootfs\":{\"type\":\"layers\",\"diff_ids\":[]}}",
        "{\"os\":\"linux\",\"architecture\":\"amd64\",\"rootfs\":{\"type\":\"layers\",\"diff_ids\":[null]}}",
        "{\"os\":\"linux\",\"architecture\":\"amd64\",\"rootfs\":{\"type\":\"layers\",\"diff_ids\":[\"sha256:"
        "12\"]}}",
        "{" ROOTFS ",\"created\":\"soon\"}",
        "{" ROOTFS ",\"history\":[1]}",
        "{" ROOTFS ",\"config\":[]}",
    };
    static const char *const bad_members[] = {
        "\"User\":\"4294967296\"",
        "\"User\":\"2147483648\"",
        "\"User\":\"-1\"",
        "\"User\":\"0x0\"",
        "\"User\":\" 0\"",
        "\"User\":\"+0\"",
        "\"User\":\"00\"",
        "\"User\":\"root\\n\"",
        "\"User\":\"a:\"",
        "\"User\":\":a\"",
        "\"User\":\"a:b:c\"",
        "\"User\":\"a/b\"",
        "\"User\":0",
        "\"User\":\"a\\u0000\"",
        "\"WorkingDir\":\"app\"",
        "\"WorkingDir\":\"/a/../b\"",
        "\"WorkingDir\":\"/proc/self/fd/3\"",
        "\"WorkingDir\":\"/a\\nb\"",
        "\"Volumes\":{\"/\":{}}",
        "\"Volumes\":{\"/proc\":{}}",
        "\"Volumes\":{\"//proc/./x\":{}}",
        "\"Volumes\":{\"/sys/\":{}}",
        "\"Volumes\":{\"/dev/shm\":{}}",
        "\"Volumes\":{\"/../../../../etc\":{}}",
        "\"Volumes\":{\"/vol/../../../x\":{}}",
        "\"Volumes\":{\"rel\":{}}",
        "\"Volumes\":[\"/a\"]",
        "\"Volumes\":{\"/a\":1}",
        "\"Env\":[\"NOVALUE\"]",
        "\"Env\":[\"=x\"]",
        "\"Env\":[\"A\\nB=x\"]",
        "\"Env\":[\"HOME=x\\nroot2::0:0::/:\"]",
        "\"Env\":[\"A=\\u0000\"]",
        "\"Env\":[1]",
        "\"Env\":\"A=b\"",
        "\"Env\":[null]",
        "\"StopSignal\":\"99\"",
        "\"StopSignal\":\"SIGNOPE\"",
        "\"StopSignal\":\"0\"",
        "\"StopSignal\":\"-9\"",
        "\"StopSignal\":9",
        "\"ExposedPorts\":{\"0\":{}}",
        "\"ExposedPorts\":{\"65536/tcp\":{}}",
        "\"ExposedPorts\":{\"80/icmp\":{}}",
        "\"ExposedPorts\":{\"80/\":{}}",
        "\"ExposedPorts\":{\"\":{}}",
        "\"ExposedPorts\":{\" 80\":{}}",
        "\"Entrypoint\":\"/bin/sh\"",
        "\"Entrypoint\":[\"a\\u0000b\"]",
        "\"Cmd\":[1]",
        "\"Shell\":{}",
        "\"Labels\":[]",
        "\"Labels\":{\"a\":1}",
        "\"Labels\":{\"\":\"x\"}",
        "\"Labels\":{\"a=b\":\"x\"}",
        "\"Healthcheck\":{\"Test\":[\"EXEC\",\"a\"]}",
        "\"Healthcheck\":{\"Test\":[\"CMD-SHELL\",\"a\"],\"Interval\":-1}",
        "\"Healthcheck\":[]",
    };
    for (size_t i = 0; i < ARRAY_SIZE(bad) + ARRAY_SIZE(bad_members); i++) {
        struct err e = {0};
        _cleanup_image_ struct image *image = NULL;
        _cleanup_free_ char *text = NULL;
        if (i < ARRAY_SIZE(bad))
            assert_int_equal(str_copy(bad[i], &text, &e), 0);
        else
            assert_int_equal(
                str_format(&text, &e, "{" ROOTFS ",\"config\":{%s}}", bad_members[i - ARRAY_SIZE(bad)]), 0);
        if (config(text, &image, &e) == 0)
            fail_msg("accepted: %s", text);
        assert_true(e.text[0] != '\0');
    }
}

static void test_signals(void **state)
{
    (void)state;
    static const struct {
        const char *text, *clean;
    } cases[] = {{"SIGTERM", "SIGTERM"},       {"term", "SIGTERM"},       {"15", "SIGTERM"},
                 {"SIGRTMIN+3", "SIGRTMIN+3"}, {"37", "SIGRTMIN+3"},      {"RTMAX", "SIGRTMIN+30"},
                 {"RTMAX-1", "SIGRTMIN+29"},   {"sigrtmin", "SIGRTMIN+0"}};
    static const char *const bad[] = {"",         "SIG",     "0",      "65",        "33",
                                      "RTMIN+31", "RTMIN-1", "RTMIN+", "SIGSIGTERM"};
    char clean[IMAGE_RULE_SIGNAL_TEXT];
    struct err e = {0};
    for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
        assert_int_equal(image_rule_signal(cases[i].text, clean, &e), 0);
        assert_string_equal(clean, cases[i].clean);
        assert_int_equal(image_rule_signal(clean, clean, &e), 0);
        assert_string_equal(clean, cases[i].clean);
    }
    for (size_t i = 0; i < ARRAY_SIZE(bad); i++)
        assert_int_equal(image_rule_signal(bad[i], clean, &e), -EINVAL);
}

/* A record that somebody has changed on disk is not believed. */
static void test_record_refused(void **state)
{
    (void)state;
#define REST                                                                                          \
    "\"id\":\"" A64 "\",\"layers\":[{\"blob\":\"sha256:" A64 "\",\"size\":1,\"diffId\":\"sha256:" A64 \
    "\",\"compression\":\"gzip\"}],\"config\":{\"os\":\"linux\",\"architecture\":\"amd64\""
    static const char *const bad[] = {
        "{\"version\":2," REST "}}",
        "{" REST "}}",
        "{\"version\":1,\"more\":1," REST "}}",
        "{\"version\":1," REST ",\"more\":1}}",
        "{\"version\":1," REST ",\"user\":\"4294967296\"}}",
        "{\"version\":1," REST ",\"workingDir\":\"/a/\"}}",
        "{\"version\":1," REST ",\"volumes\":[\"/proc\"]}}",
        "{\"version\":1," REST ",\"stopSignal\":\"15\"}}",
        "{\"version\":1," REST ",\"diffIds\":[\"sha256:" A64 "\"]}}",
        "{\"version\":1," REST ",\"historyCount\":999999}}",
    };
    struct err e = {0};
    _cleanup_image_ struct image *image = NULL;
    static const char good[] = "{\"version\":1," REST "}}";
    assert_int_equal(image_record_parse(good, strlen(good), &image, &e), 0);
    for (size_t i = 0; i < ARRAY_SIZE(bad); i++) {
        struct image *never = NULL;
        if (image_record_parse(bad[i], strlen(bad[i]), &never, &e) == 0)
            fail_msg("accepted: %s", bad[i]);
    }
}

static void test_archives(void **state)
{
    (void)state;
    static const char *const good[] = {
        "[{\"Config\":\"a.json\",\"RepoTags\":[\"x:1\"],\"Layers\":[\"a/layer.tar\",\"blobs/sha256/" A64
        "\"]}]",
        "[{\"Config\":\"a.json\",\"RepoTags\":null,\"Layers\":[\"a/layer.tar\"]}]"};
    static const char *const bad[] = {"[]",
                                      "{}",
                                      "[1]",
                                      "[{}]",
                                      "[{\"Config\":\"../a\",\"Layers\":[\"l\"]}]",
                                      "[{\"Config\":\"/a\",\"Layers\":[\"l\"]}]",
                                      "[{\"Config\":\"a\",\"Layers\":[]}]",
                                      "[{\"Config\":\"a\",\"Layers\":[\"a/../../b\"]}]",
                                      "[{\"Config\":\"a\",\"Layers\":[\"\"]}]",
                                      "[{\"Config\":\"a\\nb\",\"Layers\":[\"l\"]}]",
                                      "[{\"Config\":\"a\",\"RepoTags\":\"x\",\"Layers\":[\"l\"]}]"};
    for (size_t i = 0; i < ARRAY_SIZE(good) + ARRAY_SIZE(bad); i++) {
        struct err e = {0};
        _cleanup_json_ struct json_object *answer = NULL;
        bool is_good = i < ARRAY_SIZE(good);
        const char *text = is_good ? good[i] : bad[i - ARRAY_SIZE(good)];
        if ((parse_docker_archive(text, strlen(text), &answer, &e) == 0) != is_good)
            fail_msg("%s: %s", text, e.text);
    }
    static const char layout[] =
        "{\"schemaVersion\":2,\"manifests\":[{\"mediaType\":\"" OCI_MANIFEST "\",\"digest\":\"sha256:" A64
        "\",\"size\":5,"
        "\"annotations\":{\"org.opencontainers.image.ref.name\":\"app:1\"}},"
        "{\"mediaType\":\"" OCI_INDEX "\",\"digest\":\"sha256:" B64
        "\",\"size\":5,\"annotations\":{\"org.opencontainers.image.ref.name\":\"latest\"}}]}";
    struct err e = {0};
    _cleanup_json_ struct json_object *answer = NULL;
    assert_int_equal(parse_oci_layout(layout, strlen(layout), &answer, &e), 0);
    assert_int_equal(json_object_array_length(answer), 2);
    struct json_object *tags = NULL;
    assert_int_equal(json_get_array(json_object_array_get_idx(answer, 0), "tags", &tags, &e), 1);
    tags = NULL;
    assert_int_equal(json_get_array(json_object_array_get_idx(answer, 1), "tags", &tags, &e), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_manifest),    cmocka_unit_test(test_manifest_refused),
        cmocka_unit_test(test_layer_limit), cmocka_unit_test(test_platform_choice),
        cmocka_unit_test(test_round_trip),  cmocka_unit_test(test_config_refused),
        cmocka_unit_test(test_signals),     cmocka_unit_test(test_record_refused),
        cmocka_unit_test(test_archives),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
