# SPDX-License-Identifier: Apache-2.0
"""Pulling from Debian's docker-registry: by tag and digest, by platform, every compression, many layers, certificates,
passwords, killed at any time, and over connections that break."""
import os
import re
import signal
import threading
import time

import pytest

from lib import images, registry as registries, wait

PLAIN = "--tls-verify=false"


def made(text, layers=2, **more):
    """A busybox image that prints `text`; every layer of it is its own."""
    parts = [images.busybox_layer()]
    parts += [images.Layer().file("layer%d" % i, "%s%d" % (text, i)) for i in range(1, layers)]
    return images.make_image(parts, {"Cmd": ["sh", "-c", "cat /layer*"], "Env": [images.PATH]}, **more)


def stored(casemate, directory):
    path = os.path.join(casemate.root, directory)
    return sorted(os.listdir(path)) if os.path.isdir(path) else []


def layer_names(*pulled):
    return sorted({blob.digest.partition(":")[2] for image in pulled for blob in image.layers})


def test_by_tag_prints_what_docker_prints(casemate, registry):
    image = made("tag", 3)
    name = registry.push(image, "pull/tag:1")
    done = casemate.run("pull", PLAIN, name)
    assert done.status == 0 and done.out == name + "\n"
    assert done.err.splitlines() == ["1: Pulling from pull/tag", "Digest: " + image.digest,
                                     "Status: Downloaded newer image for " + name]
    assert stored(casemate, "layers") == layer_names(image)
    assert casemate.ok("images", "-q", "--no-trunc", name) == image.id + "\n"


def test_by_digest(casemate, registry):
    image = made("digest")
    registry.push(image, "pull/digest:1")
    name = "%s/pull/digest@%s" % (registry.host, image.digest)
    casemate.ok("pull", "-q", PLAIN, name)
    assert casemate.ok("run", "--rm", name) == "digest1"
    assert image.digest in casemate.ok("images", "--digests")
    casemate.fails("run", "--rm", "--pull", "never", "%s/pull/digest:1" % registry.host, status=125)
    missing = "%s/pull/digest@sha256:%s" % (registry.host, "0" * 64)
    casemate.fails("pull", "-q", PLAIN, missing, status=1, says="not found|unknown")


def test_a_tag_that_has_moved(casemate, registry):
    old, new = made("old"), made("new")
    name = registry.push(old, "pull/moved:1")
    casemate.ok("pull", "-q", PLAIN, name)
    registry.push(new, "pull/moved:1")
    assert casemate.ok("run", "--rm", name) == "old1"
    assert "Downloaded newer image" in casemate.run("pull", PLAIN, name).err
    assert casemate.ok("run", "--rm", name) == "new1"
    assert casemate.ok("run", "--rm", old.id) == "old1"
    asked = len(registry.requests())
    casemate.ok("pull", "-q", PLAIN, name)
    assert not any("/blobs/" + blob.digest in path for _, path in registry.requests()[asked:] for blob in new.layers)


def test_platform_is_chosen_from_an_index(casemate, registry):
    variants = [("amd64", None), ("arm64", "v8"), ("arm", "v7"), ("s390x", None)]
    parts = []
    for arch, variant in variants:
        platform = {"os": "linux", "architecture": arch}
        if variant:
            platform["variant"] = variant
        parts.append((made(arch, arch=arch, variant=variant), platform))
    index = images.make_index(parts)
    name = registry.push(index, "pull/index:1")
    casemate.ok("pull", "-q", PLAIN, "--platform", "linux/arm64", name)
    assert casemate.ok("images", "-q", "--no-trunc") == parts[1][0].id + "\n"
    casemate.ok("pull", "-q", PLAIN, "--platform", "linux/arm/v7", name)
    assert casemate.ok("images", "-q", "--no-trunc", name) == parts[2][0].id + "\n"
    casemate.fails("pull", "-q", PLAIN, "--platform", "linux/riscv64", name, status=1, says="riscv64")
    casemate.fails("pull", "-q", PLAIN, "--platform", "nonsense/", name, says="platform")
    assert "Digest: " + index.digest in casemate.run("pull", PLAIN, "--platform", "linux/amd64", name).err


def test_docker_manifest_list(casemate, registry):
    image = made("list", media=images.DOCKER)
    index = images.make_index([(image, {"os": "linux", "architecture": "amd64"}),
                               (made("other", arch="arm64", media=images.DOCKER), {"os": "linux", "architecture": "arm64"})],
                              media=images.DOCKER)
    name = registry.push(index, "pull/list:1")
    casemate.ok("pull", "-q", PLAIN, "--platform", "linux/amd64", name)
    assert casemate.ok("images", "-q", "--no-trunc") == image.id + "\n"


@pytest.mark.parametrize("media, compression", [(images.OCI, ["gzip", "zstd", "none"]), (images.OCI, "zstd"), (images.DOCKER, "gzip")])
def test_compressions(casemate, registry, media, compression):
    name = registry.push(made("compressed", 3, media=media, compression=compression), "pull/compressed:1")
    casemate.ok("pull", "-q", PLAIN, name)
    assert casemate.ok("run", "--rm", name) == "compressed1compressed2"


def test_sixty_layers(casemate, registry):
    image = made("many", 60)
    name = registry.push(image, "pull/sixty:1")
    casemate.ok("pull", "-q", PLAIN, name)
    assert stored(casemate, "layers") == layer_names(image)
    assert casemate.ok("run", "--rm", name) == "".join("many%d" % i for i in sorted(range(1, 60), key=lambda i: "layer%d" % i))


def test_layers_that_repeat_and_that_are_here_already(casemate, registry):
    same = images.Layer().file("same", "same")
    one = images.make_image([images.busybox_layer(), same, images.Layer().whiteout("same"), same],
                            {"Cmd": ["cat", "/same"], "Env": [images.PATH]})
    name = registry.push(one, "pull/repeat:1")
    casemate.ok("pull", "-q", PLAIN, name)
    assert casemate.ok("run", "--rm", name) == "same"
    two = images.make_image([images.busybox_layer(), images.Layer().file("own", "own")], {"Cmd": ["cat", "/own"], "Env": [images.PATH]})
    other = registry.push(two, "pull/repeat:2")
    asked = len(registry.requests())
    casemate.ok("pull", "-q", PLAIN, other)
    assert not any(path.endswith(two.layers[0].digest) for _, path in registry.requests()[asked:])
    assert casemate.ok("rmi", name).count("Deleted") >= 1
    assert stored(casemate, "layers") == layer_names(two)
    assert casemate.ok("run", "--rm", other) == "own"


def test_progress_on_a_terminal(casemate, registry):
    name = registry.push(made("bars"), "pull/bars:1")
    with casemate.pty("pull", PLAIN, name) as terminal:
        terminal.expect("Pull complete")
        terminal.expect("Downloaded newer image")
        assert terminal.wait() == 0


def test_certificates_of_a_registry(casemate, registry_tls, registry):
    name = registry_tls.push(made("tls"), "pull/tls:1")
    casemate.fails("pull", "-q", name, status=1, says="certificate")
    casemate.fails("pull", "-q", "--ca-file", "/etc/hostname", name, status=1)
    casemate.fails("pull", "-q", "--ca-file", registry_tls.ca, "%s/pull/none:1" % registry.host, status=1)
    casemate.ok("pull", "-q", "--ca-file", registry_tls.ca, name)
    assert casemate.ok("run", "--rm", name) == "tls1"


def test_name_in_the_certificate_must_be_the_registrys(casemate, registry_tls):
    name = registry_tls.push(made("name"), "pull/name:1").replace("127.0.0.1", "127.0.0.2")
    casemate.fails("pull", "-q", "--ca-file", registry_tls.ca, name, status=1)


def test_password(casemate, registry_auth):
    name = registry_auth.push(made("auth"), "pull/auth:1")
    ca = ("--ca-file", registry_auth.ca)
    casemate.fails("pull", "-q", *ca, name, status=1, says="login")
    casemate.ok("login", *ca, "-u", registries.USER, "--password-stdin", registry_auth.host, input=registries.PASSWORD)
    casemate.ok("pull", "-q", *ca, name)
    casemate.ok("logout", registry_auth.host)
    casemate.fails("pull", "-q", *ca, name, status=1, says="login")
    words = open(registry_auth.log_path, "rb").read()
    assert registries.PASSWORD.encode() not in words


def test_a_connection_that_breaks_behind_the_password(casemate, lying_registry):
    """Asked again as after any break: the answer before it, which wanted the password, is not taken for a refusal of it."""
    image = images.make_image([images.Layer().file("f", "x")], {"Cmd": ["/x"]})
    name = lying_registry.put(image, "x/y:1")
    path, breaks = "/v2/x/y/blobs/" + image.layers[0].digest, [True, True]

    def guarded(handler):
        if not handler.headers.get("Authorization"):
            return lying_registry.reply(handler, 401, WWW_Authenticate='Basic realm="here"')
        if handler.path == path and breaks.pop():
            handler.close_connection = True
            return None
        if handler.path == path:
            return lying_registry.reply(handler, 200, lying_registry.blobs[image.layers[0].digest])
        return lying_registry.reply(handler, 200, b"{}", Content_Type="application/json")

    lying_registry.hooks["/v2/"] = lying_registry.hooks[path] = guarded
    casemate.ok("login", PLAIN, "-u", registries.USER, "--password-stdin", lying_registry.host, input=registries.PASSWORD)
    breaks.insert(0, False)
    casemate.ok("pull", "-q", PLAIN, name)
    assert breaks == []


def test_what_is_not_there(casemate, registry):
    registry.push(made("there"), "pull/there:1")
    for name in ("pull/there:2", "pull/nowhere:1"):
        casemate.fails("pull", "-q", PLAIN, "%s/%s" % (registry.host, name), status=1, says="not found|unknown")
    casemate.fails("pull", "-q", PLAIN, "127.0.0.1:1/x/y", status=1, says="connect|refused")
    casemate.fails("pull", "-q", PLAIN, "UPPER/case", says="lower|reference|name")
    assert stored(casemate, "layers") == stored(casemate, "images") == []


def test_two_pulls_at_once(casemate, registry):
    image = made("both", 12)
    name = registry.push(image, "pull/both:1")
    running = [casemate.popen("pull", "-q", PLAIN, name) for _ in range(3)]
    for process in running:
        out, err = process.communicate(timeout=wait.seconds(60))
        assert process.returncode == 0 and out.decode() == name + "\n", err
    assert stored(casemate, "layers") == layer_names(image) and stored(casemate, "staging") == []
    assert casemate.ok("run", "--rm", name).count("both") == 11


# --- faults -----------------------------------------------------------------------------------------------------------------------

def test_killed_at_any_time(casemate, registry):
    """Nothing is seen of a killed pull, its workers end, and the next command of the kind takes away what it left."""
    image, other = made("killed", 20), made("other", 2)
    name, second = registry.push(image, "pull/killed:1"), registry.push(other, "pull/second:1")
    seen = set()
    for step in range(12):
        process = casemate.popen("pull", "-q", PLAIN, name)
        time.sleep(0.02 + 0.03 * step)
        process.send_signal(signal.SIGKILL)
        process.communicate()
        casemate.assert_clean()
        listed = casemate.ok("images", "-q", "--no-trunc", name)
        assert listed in ("", image.id + "\n")
        seen.add(listed)
        casemate.ok("pull", "-q", PLAIN, second)
        assert stored(casemate, "staging") == []
        assert stored(casemate, "layers") == layer_names(other, *([image] if listed else []))
        if listed:
            assert casemate.ok("run", "--rm", name).count("killed") == 19
            casemate.ok("rmi", name)
    assert "" in seen
    casemate.ok("pull", "-q", PLAIN, name)
    assert casemate.ok("run", "--rm", name).count("killed") == 19


@pytest.mark.parametrize("goes_on", [True, False], ids=["with ranges", "without ranges"])
def test_a_connection_that_breaks_is_resumed(casemate, lying_registry, goes_on):
    image = images.make_image([images.RawLayer(images.Layer().file("f", os.urandom(3 << 20)).tar())], {"Cmd": ["/x"]},
                              compression="none")
    name = lying_registry.put(image, "x/y:1")
    digest = image.layers[0].digest
    body, ranges = lying_registry.blobs[digest], []

    def broken(handler):
        wanted = handler.headers.get("Range")
        ranges.append(wanted)
        start = int(re.fullmatch(r"bytes=(\d+)-", wanted).group(1)) if wanted and goes_on else 0
        end = len(body) if len(ranges) > 2 else min(len(body), start + (1 << 20))
        handler.send_response(206 if start else 200)
        if start:
            handler.send_header("Content-Range", "bytes %d-%d/%d" % (start, len(body) - 1, len(body)))
        handler.send_header("Content-Length", str(len(body) - start))
        handler.end_headers()
        handler.wfile.write(body[start:end])
        handler.close_connection = True

    lying_registry.hooks["/v2/x/y/blobs/" + digest] = broken
    casemate.ok("pull", "-q", PLAIN, name)
    assert len(ranges) == 3 and ranges[0] is None and all(r and int(r[6:-1]) > 0 for r in ranges[1:])
    assert stored(casemate, "layers") == layer_names(image)


def test_a_registry_that_is_busy_is_asked_again(casemate, lying_registry):
    name = lying_registry.put(images.make_image([images.Layer().file("f", "x")], {"Cmd": ["/x"]}), "x/y:1")
    refusals = [503, 429]
    manifest = lying_registry.manifests["/v2/x/y/manifests/1"]

    def busy(handler):
        if refusals:
            return lying_registry.reply(handler, refusals.pop(), Retry_After="1")
        return lying_registry.reply(handler, 200, manifest[2], Content_Type=manifest[0])

    lying_registry.hooks["/v2/x/y/manifests/1"] = busy
    casemate.ok("pull", "-q", PLAIN, name)
    assert refusals == []


def test_a_registry_that_stays_broken_is_given_up(casemate, lying_registry):
    name = lying_registry.put(images.make_image([images.Layer().file("f", "x")], {"Cmd": ["/x"]}), "x/y:1")
    lying_registry.hooks["/v2/x/y/manifests/1"] = lambda h: lying_registry.reply(h, 503)
    casemate.fails("pull", "-q", PLAIN, name, status=1, says="503")
    assert len(lying_registry.asked) < 10


def test_layers_come_at_the_same_time(casemate, lying_registry):
    """The first layer's bytes wait until another layer has been asked for."""
    image = images.make_image([images.Layer().file("f%d" % i, "x") for i in range(3)], {"Cmd": ["/x"]})
    name = lying_registry.put(image, "x/y:1")
    both = threading.Barrier(2)

    def together(handler):
        digest = handler.path.rpartition("/")[2]
        if digest in (image.layers[0].digest, image.layers[1].digest):
            both.wait(wait.seconds(20))
        lying_registry.reply(handler, 200, lying_registry.blobs[digest])

    lying_registry.hooks["/v2/x/y/blobs/*"] = together
    casemate.ok("pull", "-q", PLAIN, name)
    assert not both.broken


def test_bearer_tokens(casemate, lying_registry):
    """A token service on the registry's host gives a token for exactly this repository; an expired one is renewed."""
    name = lying_registry.put(images.make_image([images.Layer().file("f", "x")], {"Cmd": ["/x"]}), "x/y:1")
    realm = 'Bearer realm="http://%s/token?a=b",service="the service",scope="repository:x/y:pull,push"' % lying_registry.host
    asked, uses = [], {}
    hooks = lying_registry.hooks

    def token(handler):
        asked.append(handler.path)
        lying_registry.reply(handler, 200, b'{"token":"T%d","expires_in":60}' % len(asked))

    def guarded(handler):
        given = handler.headers.get("Authorization", "")
        uses[given] = uses.get(given, 0) + 1
        if not given.startswith("Bearer T") or uses[given] > 1:
            return lying_registry.reply(handler, 401, WWW_Authenticate=realm)
        digest = handler.path.rpartition("/")[2]
        if digest in lying_registry.blobs:
            return lying_registry.reply(handler, 200, lying_registry.blobs[digest])
        media_type, _, body = lying_registry.manifests[handler.path]
        return lying_registry.reply(handler, 200, body, Content_Type=media_type)

    hooks["/token"], hooks["/v2/*"] = token, guarded
    casemate.ok("pull", "-q", PLAIN, name)
    assert len(asked) == 3  # manifest, configuration, layer: each token is good for one use
    assert all(path == "/token?a=b&service=the%20service&scope=repository:x/y:pull" for path in asked), asked
