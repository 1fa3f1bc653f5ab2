# SPDX-License-Identifier: Apache-2.0
"""Registries that lie (ATTACKS.md, group registry): what they send is refused with one line, nothing of it stays in the
store, no password leaves the registry's host, and no answer costs more than the limits say."""
import base64
import json
import os
import resource

import pytest

from lib import images, registry as registries

PLAIN = "--tls-verify=false"
USER, PASSWORD = "tester", "hunter-2-canary"
MEMORY = 192 << 20  # of any process of ours while a registry sends without end


def made(layers=2, **more):
    return images.make_image([images.Layer().file("f%d" % i, "content %d\n" % i * 50) for i in range(layers)],
                             {"Cmd": ["/x"]}, **more)


def assert_nothing_left(casemate):
    for name in ("layers", "staging", "images"):
        directory = os.path.join(casemate.root, name)
        assert not os.path.isdir(directory) or os.listdir(directory) == [], name
    assert casemate.ok("images", "-q") == ""


def refused(casemate, name, says=None):
    said = casemate.fails("pull", "-q", PLAIN, name, status=1, says=says, timeout=60)
    assert_nothing_left(casemate)
    return said


def send_raw(handler, head, chunks=()):
    """Bytes as they are; the connection is closed behind them."""
    handler.close_connection = True
    handler.wfile.write(head)
    for chunk in chunks:
        handler.wfile.write(chunk)


def endless(limit=4 << 30):
    chunk = b"\0" * 65536
    return (chunk for _ in range(limit // len(chunk)))


def blob_path(image, number=0):
    return "/v2/x/y/blobs/" + image.layers[number].digest


@pytest.fixture
def log_in(casemate):
    """Puts a password for a registry where `casemate login` keeps it."""
    def put(host):
        path = os.path.join(casemate.base, ".config/casemate/auth.json")
        os.makedirs(os.path.dirname(path))
        with open(path, "w", encoding="utf-8") as f:
            json.dump({"auths": {host: {"auth": base64.b64encode(("%s:%s" % (USER, PASSWORD)).encode()).decode()}}}, f)
    return put


@pytest.fixture
def other_registry():
    second = registries.LyingRegistry()
    yield second
    second.stop()


# --- bytes that are not those of the digest (GEN-digest) -------------------------------------------------------------------

@pytest.mark.parametrize("spoil, says", [
    (lambda b: b[:-9] + bytes([b[-9] ^ 1]) + b[-8:], "digest|bytes|corrupt|damaged|gzip|checksum"),
    (lambda b: b[:-20], "bytes"),
    (lambda b: b + b"more", "more than"),
    (lambda b: b"", "bytes"),
], ids=["changed", "short", "long", "empty"])
@pytest.mark.parametrize("compression", ["gzip", "zstd", "none"])
def test_other_bytes_of_a_layer(casemate, lying_registry, spoil, says, compression):
    image = made(3, compression=compression)
    name = lying_registry.put(image, "x/y:1")
    digest = image.layers[1].digest
    lying_registry.blobs[digest] = spoil(lying_registry.blobs[digest])
    refused(casemate, name, None if compression != "gzip" else says)


def test_a_changed_byte_that_every_format_accepts(casemate, lying_registry):
    """The content of a file is changed inside an uncompressed layer: only the digest can tell."""
    image = made(1, compression="none")
    name = lying_registry.put(image, "x/y:1")
    digest = image.layers[0].digest
    lying_registry.blobs[digest] = lying_registry.blobs[digest].replace(b"content 0", b"content 1")
    refused(casemate, name, "digest")


def test_other_bytes_of_the_configuration(casemate, lying_registry):
    image = made()
    name = lying_registry.put(image, "x/y:1")
    lying_registry.blobs[image.id] = lying_registry.blobs[image.id].replace(b"amd64", b"amd46")
    refused(casemate, name, "digest")


def test_layer_that_is_not_the_configurations(casemate, lying_registry):
    """The blob has its digest, but unpacks to something else than the configuration's diff id."""
    def lie(document):
        document["rootfs"]["diff_ids"][0] = "sha256:" + "0" * 64
    refused(casemate, lying_registry.put(made(change_config=lie), "x/y:1"), "diff|digest|configuration")


def test_pull_by_digest_gets_exactly_that(casemate, lying_registry):
    image, another = made(2), made(1)
    lying_registry.put(image, "x/y:1")
    path = "/v2/x/y/manifests/" + image.digest
    lying_registry.hooks[path] = lambda h: lying_registry.reply(h, 200, another.manifest.read(),
                                                                Content_Type=another.media_type)
    refused(casemate, "%s/x/y@%s" % (lying_registry.host, image.digest), "digest")


def test_manifest_is_not_what_its_header_says(casemate, lying_registry):
    image = made()
    name = lying_registry.put(image, "x/y:1")
    lying_registry.hooks["/v2/x/y/manifests/1"] = lambda h: lying_registry.reply(
        h, 200, image.manifest.read(), Content_Type=image.media_type, Docker_Content_Digest="sha256:" + "a" * 64)
    refused(casemate, name, "digest")


def test_sizes_that_lie(casemate, lying_registry):
    for size in (0, 1, 10**6, 2**62, 2**63, 2**64, -1):
        def lie(manifest):
            manifest["layers"][0]["size"] = size
        refused(casemate, lying_registry.put(made(change_manifest=lie), "x/y:1"))


# --- answers without end ----------------------------------------------------------------------------------------------------

@pytest.mark.parametrize("path", ["/v2/x/y/manifests/1", "layer", "config"])
def test_endless_body(casemate, lying_registry, path):
    image = made()
    name = lying_registry.put(image, "x/y:1")
    path = {"layer": blob_path(image), "config": "/v2/x/y/blobs/" + image.id}.get(path, path)
    head = b"HTTP/1.1 200 OK\r\nContent-Type: %s\r\n\r\n" % image.media_type.encode()
    lying_registry.hooks[path] = lambda h: send_raw(h, head, endless())
    before = resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss
    refused(casemate, name)
    after = resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss
    assert after <= max(before, MEMORY // 1024), "memory grew to %d KiB" % after


@pytest.mark.parametrize("status", [401, 404, 500])
def test_endless_refusal(casemate, lying_registry, status):
    name = lying_registry.put(made(), "x/y:1")
    head = b"HTTP/1.1 %d No\r\nContent-Type: application/json\r\nRetry-After: 1\r\n\r\n" % status
    lying_registry.hooks["/v2/x/y/manifests/1"] = lambda h: send_raw(h, head, endless())
    refused(casemate, name)


@pytest.mark.parametrize("line", [b"X-Many: 1\r\n", b"X-Long: " + b"a" * 90000 + b"\r\n"], ids=["many", "long"])
def test_endless_headers(casemate, lying_registry, line):
    name = lying_registry.put(made(), "x/y:1")
    lying_registry.hooks["/v2/x/y/manifests/1"] = lambda h: send_raw(h, b"HTTP/1.1 200 OK\r\n",
                                                                     (line for _ in range(200000)))
    refused(casemate, name)


def test_endless_redirects(casemate, lying_registry):
    image = made()
    name = lying_registry.put(image, "x/y:1")
    lying_registry.hooks["/v2/x/y/blobs/*"] = lambda h: lying_registry.reply(h, 307, Location=h.path + "0")
    refused(casemate, name, "redirects")
    assert len(lying_registry.asked) < 40


def test_endless_challenges(casemate, lying_registry, log_in):
    name = lying_registry.put(made(), "x/y:1")
    log_in(lying_registry.host)
    realm = 'Bearer realm="http://%s/token",service="s"' % lying_registry.host
    lying_registry.hooks["/token"] = lambda h: lying_registry.reply(h, 200, b'{"token":"t"}')
    lying_registry.hooks["/v2/*"] = lambda h: lying_registry.reply(h, 401, WWW_Authenticate=realm)
    refused(casemate, name, "denie|unauthorized")
    assert len(lying_registry.asked) < 20


def test_bomb_in_a_layer_of_few_bytes(casemate, lying_registry):
    """The manifest's size is kept, what is inside is a thousand times more and does not match its digest."""
    image = images.make_image([images.RawLayer(b"\0" * (256 << 20))], {"Cmd": ["/x"]})
    name = lying_registry.put(image, "x/y:1")
    casemate.run("pull", "-q", PLAIN, name, timeout=60)
    used = sum(os.path.getsize(os.path.join(where, f)) for where, _, files in os.walk(casemate.root) for f in files)
    assert used < 16 << 20


# --- other places ---------------------------------------------------------------------------------------------------------------

@pytest.mark.parametrize("to", ["file://{canary}/secret", "http://192.0.2.1/x", "ftp://127.0.0.1/x", "gopher://127.0.0.1/x",
                                "http://user:word@{host}/x", "//", "http://", "", "http://127.0.0.1.evil.example/x",
                                "http://2130706433.example/x", "dict://127.0.0.1:1/", "\\\\host\\x"])
def test_redirects_to_elsewhere(casemate, lying_registry, canary, to):
    image = made()
    name = lying_registry.put(image, "x/y:1")
    where = to.format(canary=canary.path, host=lying_registry.host)
    lying_registry.hooks[blob_path(image)] = lambda h: lying_registry.reply(h, 307, Location=where)
    said = refused(casemate, name)
    assert canary.word not in said


def test_redirect_does_not_carry_the_password(casemate, lying_registry, other_registry, log_in):
    """A redirect to another host is followed (storage behind a registry), as a stranger (CVE-2020-15157's class)."""
    image = made()
    name = lying_registry.put(image, "x/y:1")
    other_registry.put(image, "x/y:1")
    log_in(lying_registry.host)
    served = lying_registry.hooks

    def guarded(handler):
        if "Authorization" not in handler.headers:
            return lying_registry.reply(handler, 401, WWW_Authenticate='Basic realm="r"')
        if "/blobs/" in handler.path:
            return lying_registry.reply(handler, 307, Location="http://%s%s" % (other_registry.host, handler.path))
        hook = served.pop("/v2/*")
        try:
            lying_registry._serve(handler)
        finally:
            served["/v2/*"] = hook
        return None

    served["/v2/*"] = guarded
    casemate.ok("pull", "-q", PLAIN, name)
    assert any("Authorization" in headers for _, _, headers in lying_registry.asked)
    assert other_registry.asked and all("Authorization" not in headers for _, _, headers in other_registry.asked)


def test_token_service_elsewhere_gets_no_password(casemate, lying_registry, other_registry, log_in):
    """CVE-2026-33540."""
    name = lying_registry.put(made(), "x/y:1")
    log_in(lying_registry.host)
    realm = 'Bearer realm="http://%s/token",service="s",scope="repository:x/y:pull"' % other_registry.host
    other_registry.hooks["/token"] = lambda h: other_registry.reply(h, 401, WWW_Authenticate='Basic realm="r"')
    lying_registry.hooks["/v2/*"] = lambda h: lying_registry.reply(h, 401, WWW_Authenticate=realm)
    refused(casemate, name, "--token-host")
    assert other_registry.asked and all("Authorization" not in headers for _, _, headers in other_registry.asked)


def test_password_of_one_registry_is_not_for_another(casemate, lying_registry, other_registry, log_in):
    """CVE-2021-41092: also not when the other asks for one."""
    name = other_registry.put(made(), "x/y:1")
    log_in(lying_registry.host)
    other_registry.hooks["/v2/*"] = lambda h: other_registry.reply(h, 401, WWW_Authenticate='Basic realm="r"')
    refused(casemate, name, "login")
    assert all("Authorization" not in headers for _, _, headers in other_registry.asked)


def test_foreign_layers_are_not_fetched(casemate, lying_registry, other_registry, log_in):
    """CVE-2020-15157: `urls` of a layer are places that only the manifest names; nobody is asked there."""
    log_in(lying_registry.host)

    def foreign(manifest):
        manifest["layers"][0]["urls"] = ["http://%s/steal" % other_registry.host]
        manifest["layers"][0]["mediaType"] = "application/vnd.docker.image.rootfs.foreign.diff.tar.gzip"
    image = made(change_manifest=foreign)
    name = lying_registry.put(image, "x/y:1")
    del lying_registry.blobs[image.layers[0].digest]
    refused(casemate, name)
    assert other_registry.asked == []


@pytest.mark.parametrize("token", ["a\r\nX-Evil: 1", "a b", "", "\u00e9", "t" * 70000, None, 5, {}])
def test_tokens_that_are_none(casemate, lying_registry, token):
    name = lying_registry.put(made(), "x/y:1")
    realm = 'Bearer realm="http://%s/token",service="s"' % lying_registry.host
    body = json.dumps({"token": token}).encode()
    lying_registry.hooks["/token"] = lambda h: lying_registry.reply(h, 200, body)
    lying_registry.hooks["/v2/*"] = lambda h: lying_registry.reply(h, 401, WWW_Authenticate=realm)
    refused(casemate, name)
    assert all("X-Evil" not in headers for _, _, headers in lying_registry.asked)


@pytest.mark.parametrize("challenge", ["Bearer", "Bearer realm", 'Bearer realm="', 'Bearer realm="file:///etc/passwd"',
                                       'Bearer realm="http://192.0.2.1/t"', "Negotiate x", 'Bearer realm="' + "x" * 9000 + '"',
                                       "Bearer " + "a=b," * 500, 'Bearer realm="a\\'])
def test_challenges_that_are_none(casemate, lying_registry, challenge):
    name = lying_registry.put(made(), "x/y:1")
    lying_registry.hooks["/v2/*"] = lambda h: lying_registry.reply(h, 401, WWW_Authenticate=challenge)
    refused(casemate, name)


# --- documents --------------------------------------------------------------------------------------------------------------------

def test_document_that_is_manifest_and_index(casemate, lying_registry):
    """CVE-2021-41190."""
    inner = made(1)

    def both(manifest):
        manifest["manifests"] = [{"mediaType": inner.media_type, "digest": inner.digest, "size": inner.manifest.size,
                                  "platform": {"os": "linux", "architecture": "amd64"}}]
    image = made(change_manifest=both)
    for media_type in (image.media_type, images.TYPES["oci"]["index"], "application/json"):
        lying_registry.put(inner, "x/y:in")
        name = lying_registry.put(image, "x/y:1")
        lying_registry.manifests["/v2/x/y/manifests/1"] = (media_type, image.digest, image.manifest.read())
        refused(casemate, name)


def test_media_type_that_disagrees(casemate, lying_registry):
    image = made()
    name = lying_registry.put(image, "x/y:1")
    for media_type in (images.TYPES["oci"]["index"], images.TYPES["docker"]["manifest"], "text/html"):
        lying_registry.manifests["/v2/x/y/manifests/1"] = (media_type, image.digest, image.manifest.read())
        refused(casemate, name)


def test_index_that_leads_to_itself_and_further(casemate, lying_registry):
    thing = made()
    for _ in range(8):
        thing = images.make_index([(thing, {"os": "linux", "architecture": "amd64"})])
        lying_registry.manifests["/v2/x/y/manifests/" + thing.digest] = (thing.media_type, thing.digest,
                                                                         thing.manifest.read())
    refused(casemate, "%s/x/y@%s" % (lying_registry.host, thing.digest), "index")


def spoiled(**fields):
    return lambda manifest: manifest.update(fields)


def spoiled_layer(**fields):
    return lambda manifest: manifest["layers"][0].update(fields)


MANIFESTS = {
    "no layers": spoiled(layers=None), "layers is text": spoiled(layers="x"), "layer is a number": spoiled(layers=[5]),
    "layer is null": spoiled(layers=[None]), "no config": spoiled(config=None), "config is a list": spoiled(config=[]),
    "version 1": spoiled(schemaVersion=1), "version text": spoiled(schemaVersion="2"), "no digest": spoiled_layer(digest=None),
    "digest empty": spoiled_layer(digest=""), "digest climbs": spoiled_layer(digest="sha256:../../../../etc/passwd"),
    "digest md5": spoiled_layer(digest="md5:" + "0" * 32), "digest upper": spoiled_layer(digest="sha256:" + "A" * 64),
    "digest long": spoiled_layer(digest="sha256:" + "0" * 100000), "size text": spoiled_layer(size="12"),
    "size fraction": spoiled_layer(size=1.5), "size null": spoiled_layer(size=None),
    "type unknown": spoiled_layer(mediaType="application/x-evil"), "type number": spoiled_layer(mediaType=7),
    "many layers": lambda m: m.update(layers=m["layers"] * 500), "fewer layers": lambda m: m["layers"].pop(),
}


@pytest.mark.parametrize("spoil", MANIFESTS.values(), ids=MANIFESTS.keys())
def test_malformed_manifests(casemate, lying_registry, spoil):
    """CVE-2021-21285."""
    refused(casemate, lying_registry.put(made(change_manifest=spoil), "x/y:1"))


TEXTS = {
    "empty": b"", "null": b"null", "text": b'"x"', "list": b"[]", "open": b'{"schemaVersion":2', "zero": b"\0" * 64,
    "deep": b'{"a":' + b"[" * 500000, "deep and closed": b"[" * 100000 + b"]" * 100000, "not utf-8": b'{"\xff":1}',
    "twice": b'{"schemaVersion":2,"schemaVersion":2,"layers":[],"layers":[]}', "huge number": b'{"schemaVersion":' + b"9" * 4000 + b"}",
    "huge": b'{"schemaVersion":2,"x":"' + b"x" * (5 << 20) + b'"}', "html": b"<html><body>login</body></html>",
}


@pytest.mark.parametrize("text", TEXTS.values(), ids=TEXTS.keys())
@pytest.mark.parametrize("kind", ["manifest", "index"])
def test_documents_that_are_none(casemate, lying_registry, text, kind):
    media_type = images.TYPES["oci"][kind]
    lying_registry.manifests["/v2/x/y/manifests/1"] = (media_type, images.Blob(text).digest, text)
    refused(casemate, "%s/x/y:1" % lying_registry.host)


@pytest.mark.parametrize("text", TEXTS.values(), ids=TEXTS.keys())
def test_configurations_that_are_none(casemate, lying_registry, text):
    refused(casemate, lying_registry.put(made(raw_config=text), "x/y:1"))


def test_control_characters_do_not_reach_the_terminal(casemate, lying_registry):
    """GEN-terminal: the registry's own words are shown, without what a terminal obeys."""
    body = json.dumps({"errors": [{"code": "X", "message": "before\x1b]0;evil\x07\r\nafter"}]}).encode()
    lying_registry.hooks["/v2/*"] = lambda h: lying_registry.reply(h, 404, body, Content_Type="application/json")
    said = refused(casemate, "%s/x/y:1" % lying_registry.host, "before.*after")
    assert not any(ord(c) < 32 for c in said.rstrip("\n"))


def test_a_good_image_still_comes_from_the_same_registry(casemate, lying_registry):
    """What the others rest on: the registry serves, and only the lie made the pull fail."""
    name = lying_registry.put(made(), "x/y:1")
    assert casemate.ok("pull", "-q", PLAIN, name) == name + "\n"
