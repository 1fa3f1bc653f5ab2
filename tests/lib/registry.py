# SPDX-License-Identifier: Apache-2.0
"""Registries on loopback: Debian's docker-registry (plain, TLS, with password), and one that lies on request."""
import base64
import contextlib
import http.client
import http.server
import os
import re
import shutil
import ssl
import subprocess
import threading

from . import wait

USER, PASSWORD = "tester", "correct-horse-7"


def registry_binary():
    """Debian's docker-registry: installed, or where ./check unpacked it (so that no service was started)."""
    return os.environ.get("CASEMATE_TEST_REGISTRY") or shutil.which("docker-registry")


def make_ca(directory):
    """A CA and a server certificate for 127.0.0.1, localhost and lib.network: returns (ca.pem, server.pem, server.key)."""
    run = lambda *args: subprocess.run(["openssl", *args], cwd=directory, check=True, stdin=subprocess.DEVNULL,
                                       stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    run("req", "-x509", "-newkey", "rsa:2048", "-nodes", "-keyout", "ca.key", "-out", "ca.pem", "-days", "2",
        "-subj", "/CN=casemate test CA", "-addext", "keyUsage=critical,keyCertSign,cRLSign")
    run("req", "-newkey", "rsa:2048", "-nodes", "-keyout", "server.key", "-out", "server.csr", "-subj", "/CN=localhost")
    with open(os.path.join(directory, "ext"), "w") as f:
        f.write("subjectAltName=IP:127.0.0.1,IP:192.0.2.1,DNS:localhost\nextendedKeyUsage=serverAuth\n")
    run("x509", "-req", "-in", "server.csr", "-CA", "ca.pem", "-CAkey", "ca.key", "-CAcreateserial", "-days", "2",
        "-extfile", "ext", "-out", "server.pem")
    return tuple(os.path.join(directory, n) for n in ("ca.pem", "server.pem", "server.key"))


class Registry:
    """A running docker-registry. `host` is "127.0.0.1:PORT"; `ca` is the CA file or None."""

    def __init__(self, directory, tls=False, auth=False):
        self.directory, self.auth, self.ca = str(directory), auth, None
        os.makedirs(self.directory, exist_ok=True)
        self.log_path = os.path.join(self.directory, "log")
        with open(self.log_path, "ab") as log:
            self.process = subprocess.Popen([registry_binary(), "serve", self._configure(tls, auth)],
                                            stdin=subprocess.DEVNULL, stdout=log, stderr=log)
        self.port = wait.until(self._listening_port, 20, "docker-registry does not listen; see " + self.log_path)
        self.host = "127.0.0.1:%d" % self.port

    def _configure(self, tls, auth):
        lines = ["version: 0.1", "log:", "  level: info", "  accesslog:", "    disabled: false", "storage:",
                 "  filesystem:", "    rootdirectory: %s/store" % self.directory, "  delete:", "    enabled: true",
                 "http:", "  addr: 127.0.0.1:0"]
        if tls:
            self.ca, cert, key = make_ca(self.directory)
            lines += ["  tls:", "    certificate: " + cert, "    key: " + key]
        if auth:
            words = os.path.join(self.directory, "htpasswd")
            with open(words, "wb") as f:
                f.write(subprocess.run(["htpasswd", "-Bbn", USER, PASSWORD], stdout=subprocess.PIPE, check=True).stdout)
            lines += ["auth:", "  htpasswd:", "    realm: test", "    path: " + words]
        path = os.path.join(self.directory, "config.yml")
        with open(path, "w") as f:
            f.write("\n".join(lines) + "\n")
        return path

    def _listening_port(self):
        assert self.process.poll() is None, "docker-registry ended: " + self.log()[-2000:]
        found = re.search(r"listening on 127\.0\.0\.1:(\d+)", self.log())
        return int(found.group(1)) if found else None

    def log(self):
        with open(self.log_path, encoding="utf-8", errors="replace") as f:
            return f.read()

    def requests(self):
        """What was asked so far, as (method, path) in order."""
        return re.findall(r'"(GET|HEAD|PUT|POST|PATCH|DELETE) (\S+) HTTP/1\.[01]"', self.log())

    def _connect(self):
        if self.ca:
            return http.client.HTTPSConnection("127.0.0.1", self.port, timeout=60,
                                               context=ssl.create_default_context(cafile=self.ca))
        return http.client.HTTPConnection("127.0.0.1", self.port, timeout=60)

    def request(self, method, path, body=None, headers=None, size=None):
        """One request with the right credentials: returns (status, headers, body)."""
        headers = dict(headers or {})
        if self.auth:
            words = base64.b64encode(("%s:%s" % (USER, PASSWORD)).encode()).decode()
            headers["Authorization"] = "Basic " + words
        if size is not None:
            headers["Content-Length"] = str(size)
        with contextlib.closing(self._connect()) as connection:
            connection.request(method, path, body=body, headers=headers)
            reply = connection.getresponse()
            return reply.status, reply.headers, reply.read()

    def push_blob(self, name, blob):
        status, _, _ = self.request("HEAD", "/v2/%s/blobs/%s" % (name, blob.digest))
        if status == 200:
            return
        status, headers, body = self.request("POST", "/v2/%s/blobs/uploads/" % name, headers={"Content-Length": "0"})
        assert status == 202, (status, body)
        where = re.sub(r"^https?://[^/]+", "", headers["Location"])
        where += ("&" if "?" in where else "?") + "digest=" + blob.digest
        with blob.open() as f:
            status, _, body = self.request("PUT", where, body=f, size=blob.size,
                                           headers={"Content-Type": "application/octet-stream"})
        assert status == 201, (status, body)

    def push_manifest(self, name, thing, reference):
        status, _, body = self.request("PUT", "/v2/%s/manifests/%s" % (name, reference), body=thing.manifest.read(),
                                       headers={"Content-Type": thing.media_type})
        assert status == 201, (status, body)

    def push(self, thing, name_tag):
        """Pushes an Image or an Index with all that it refers to; returns the whole reference with this host."""
        name, _, tag = name_tag.partition(":")
        for child in thing.manifests:
            for blob in child.blobs.values():
                self.push_blob(name, blob)
            self.push_manifest(name, child, child.digest)
        for blob in thing.blobs.values():
            self.push_blob(name, blob)
        self.push_manifest(name, thing, tag or "latest")
        return "%s/%s:%s" % (self.host, name, tag or "latest")

    def stop(self):
        self.process.terminate()
        try:
            self.process.wait(10)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()


class LyingRegistry:
    """A registry that serves exactly what it is given, and lies where told to.

    put(image, "name:tag") stores it. `hooks` maps a path (or a prefix ending in "*") to a function of the request
    handler that writes the whole reply itself. `asked` lists (method, path, headers). With a directory for its
    certificates, `tls`, it speaks TLS, and `ca` is the CA file.
    """

    def __init__(self, address="127.0.0.1", tls=None):
        self.manifests, self.blobs, self.hooks, self.asked = {}, {}, {}, []
        outer = self

        class Handler(http.server.BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def log_message(self, *args):
                pass

            def do_GET(self):
                outer._serve(self)

            do_HEAD = do_GET

        self.server = http.server.ThreadingHTTPServer((address, 0), Handler)
        self.server.daemon_threads = True
        if tls:
            self.ca, cert, key = make_ca(str(tls))
            context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
            context.load_cert_chain(cert, key)
            self.server.socket = context.wrap_socket(self.server.socket, server_side=True)
        self.port = self.server.server_address[1]
        self.host = "%s:%d" % (address, self.port)
        self.thread = threading.Thread(target=self.server.serve_forever, args=(0.02,), daemon=True)
        self.thread.start()

    def put(self, thing, name_tag):
        name, _, tag = name_tag.partition(":")
        for child in thing.manifests:
            self.put(child, "%s:%s" % (name, child.digest.replace(":", "-")))
        self.blobs.update({d: b.read() for d, b in thing.blobs.items()})
        for reference in (tag or "latest", thing.digest):
            self.manifests["/v2/%s/manifests/%s" % (name, reference)] = (thing.media_type, thing.digest,
                                                                         thing.manifest.read())
        return "%s/%s:%s" % (self.host, name, tag or "latest")

    def reply(self, handler, status, body=b"", **headers):
        """Writes one whole reply; header names with _ for -."""
        handler.send_response(status)
        for name, value in headers.items():
            handler.send_header(name.replace("_", "-"), value)
        if "Content_Length" not in headers:
            handler.send_header("Content-Length", str(len(body)))
        handler.end_headers()
        if handler.command != "HEAD":
            with contextlib.suppress(BrokenPipeError, ConnectionResetError):
                handler.wfile.write(body)

    def _hook(self, path):
        for pattern, hook in self.hooks.items():
            if path == pattern or (pattern.endswith("*") and path.startswith(pattern[:-1])):
                return hook
        return None

    def _serve(self, handler):
        path = handler.path.partition("?")[0]
        self.asked.append((handler.command, path, dict(handler.headers)))
        hook = self._hook(path)
        digest = path.rpartition("/")[2]
        if hook:
            with contextlib.suppress(BrokenPipeError, ConnectionResetError):
                hook(handler)
        elif path == "/v2/":
            self.reply(handler, 200, b"{}", Content_Type="application/json")
        elif path in self.manifests:
            media_type, real, body = self.manifests[path]
            self.reply(handler, 200, body, Content_Type=media_type, Docker_Content_Digest=real)
        elif "/blobs/" in path and digest in self.blobs:
            self.reply(handler, 200, self.blobs[digest], Content_Type="application/octet-stream")
        else:
            self.reply(handler, 404, b'{"errors":[{"code":"NOT_FOUND","message":"not here"}]}',
                       Content_Type="application/json")

    def stop(self):
        self.server.shutdown()
        self.server.server_close()
        self.thread.join(10)
