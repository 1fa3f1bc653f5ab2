# SPDX-License-Identifier: Apache-2.0
"""Pulls through an HTTP proxy (HTTPS_PROXY, NO_PROXY): Debian's tinyproxy in front of a registry with TLS, in a network of its own."""
import base64

import pytest

from lib import images, network, proxies, registry as registries


@pytest.fixture(scope="module")
def own_network():
    with network.own() as address:
        yield address


@pytest.fixture(scope="module")
def served(own_network, tmp_path_factory):
    made = registries.LyingRegistry(own_network, tmp_path_factory.mktemp("registry"))
    made.name = made.put(images.busybox_image((), media=images.DOCKER), "team/web:1")
    yield made
    made.stop()


@pytest.fixture
def tinyproxy(own_network, tmp_path):
    if not proxies.TINYPROXY:
        pytest.skip("tinyproxy-bin is not installed")
    started = []

    def start(*lines):
        started.append(proxies.Tinyproxy(str(tmp_path), *lines))
        return started[-1]
    yield start
    for one in started:
        one.stop()


@pytest.fixture
def listener(own_network):
    made = proxies.Listener()
    yield made
    made.stop()


def pull(casemate, served, proxy, no_proxy="", **more):
    return casemate.run("pull", "-q", "--ca-file", served.ca, served.name, env={"HTTPS_PROXY": proxy, "NO_PROXY": no_proxy, **more})


def test_through_a_proxy(casemate, served, tinyproxy):
    proxy = tinyproxy()
    done = pull(casemate, served, proxy.url)
    assert done.status == 0 and done.out == served.name + "\n" and done.err == "", done
    assert set(proxy.connects()) == {served.host}
    casemate.ok("run", "--rm", served.name, "true")


@pytest.mark.parametrize("listed", ["{address}", "{host}", "192.0.2.0/24", "a.example, {address}", "*"])
def test_not_for_what_is_listed(casemate, served, tinyproxy, listed):
    proxy = tinyproxy()
    done = pull(casemate, served, proxy.url, listed.format(address=network.ADDRESS, host=served.host))
    assert done.status == 0 and proxy.connects() == [], (done, proxy.connects())


@pytest.mark.parametrize("listed", ["192.0.3.0/24", "{address}:1", "2.0.2.1", ".{address}"])
def test_for_what_is_not(casemate, served, tinyproxy, listed):
    proxy = tinyproxy()
    assert pull(casemate, served, proxy.url, listed.format(address=network.ADDRESS)).status == 0
    assert set(proxy.connects()) == {served.host}


def test_names_in_lower_case_go_first(casemate, served, tinyproxy):
    proxy = tinyproxy()
    assert pull(casemate, served, "http://127.0.0.1:1", https_proxy=proxy.url.removeprefix("http://")).status == 0
    assert proxy.connects()


def test_never_for_loopback(casemate, own_network, tmp_path):
    near = registries.LyingRegistry(tls=tmp_path)
    try:
        near.name = near.put(images.busybox_image((), media=images.DOCKER), "team/web:1")
        assert pull(casemate, near, "http://127.0.0.1:1").status == 0
    finally:
        near.stop()


def basic(user, password):
    return "Basic " + base64.b64encode(("%s:%s" % (user, password)).encode()).decode()


def test_passwords_stay_apart(casemate, served, listener):
    """Each side sees its own, and not the other's."""
    def guarded(handler):
        if handler.headers.get("Authorization") == basic("tester", "of-the-registry"):
            hook = served.hooks.pop("/v2/*")
            try:
                served._serve(handler)
            finally:
                served.hooks["/v2/*"] = hook
        else:
            served.reply(handler, 401, WWW_Authenticate='Basic realm="test"')
    served.hooks["/v2/*"] = guarded
    served.asked.clear()
    env = {"HTTPS_PROXY": "http://someone:of-the-proxy@127.0.0.1:%d" % listener.port}
    try:
        casemate.ok("login", "--ca-file", served.ca, "-u", "tester", "--password-stdin", served.host, input="of-the-registry", env=env)
        casemate.ok("pull", "-q", "--ca-file", served.ca, served.name, env=env)
    finally:
        del served.hooks["/v2/*"]
    assert listener.heads and all("Proxy-Authorization: " + basic("someone", "of-the-proxy") in head for head in listener.heads)
    assert not any(word in head for head in listener.heads for word in ("\nAuthorization", basic("tester", "of-the-registry")))
    seen = [{name.lower(): value for name, value in headers.items()} for _, _, headers in served.asked]
    assert any(headers.get("authorization") == basic("tester", "of-the-registry") for headers in seen)
    assert not any("proxy-authorization" in headers or basic("someone", "of-the-proxy") in headers.values() for headers in seen)


@pytest.mark.parametrize("lines, url, says", [
    ((), "http://me:s3cret@127.0.0.1:1", r"through the proxy 127\.0\.0\.1:1: "),
    (("BasicAuth right s3cret",), None, r"the proxy 127\.0\.0\.1:\d+ refuses \(407: it wants HTTPS_PROXY=http://USER:PASSWORD@HOST:PORT\)"),
    (("BasicAuth right secret",), "http://right:s3cret@{}", r"the proxy 127\.0\.0\.1:\d+ refuses \(40[17]"),
    (("ConnectPort 443",), None, r"the proxy 127\.0\.0\.1:\d+ refuses \(403\)"),
    ((), "ftp://me:s3cret@127.0.0.1:1", "begins with neither http://"),
    ((), "http://me:s3cret@", "is not of the form"),
    ((), "http://me:s3cret@no-such-proxy.invalid:1", "through the proxy no-such-proxy.invalid:1: "),
    ((), "http://me:" + "s3cret" * 100 + "@127.0.0.1:1", "HTTPS_PROXY is longer than 511"),
], ids=["nobody", "no-password", "wrong-password", "port", "scheme", "form", "name", "long"])
def test_what_fails_is_one_line(casemate, served, tinyproxy, lines, url, says):
    proxy = tinyproxy(*lines)
    url = (url or proxy.url).format("127.0.0.1:%d" % proxy.port)
    said = casemate.fails("pull", "-q", "--ca-file", served.ca, served.name, status=1, says=says, env={"HTTPS_PROXY": url})
    assert "s3cret" not in said and served.host in said, said


def test_containers_get_no_proxy_variables(casemate, busybox):
    env = {"HTTPS_PROXY": "http://me:s3cret@127.0.0.1:1", "http_proxy": "http://127.0.0.1:1"}
    assert "proxy" not in casemate.ok("run", "--rm", busybox, "env", env=env).lower()
    assert "HTTPS_PROXY=http://me:s3cret@127.0.0.1:1\n" in casemate.ok("run", "--rm", "-e", "HTTPS_PROXY", busybox, "env", env=env)
