# SPDX-License-Identifier: Apache-2.0
"""HTTP proxies on loopback: Debian's tinyproxy, and one that remembers what it was told."""
import os
import re
import select
import shutil
import socket
import subprocess
import threading

from . import wait

TINYPROXY = shutil.which("tinyproxy")


class Tinyproxy:
    """`url` is where it listens; `lines` are more of its configuration."""

    def __init__(self, directory, *lines):
        with socket.socket() as s:
            s.bind(("127.0.0.1", 0))
            self.port = s.getsockname()[1]
        self.url = "http://127.0.0.1:%d" % self.port
        self.log_path = os.path.join(directory, "tinyproxy.log")
        path = os.path.join(directory, "tinyproxy.conf")
        with open(path, "w", encoding="ascii") as f:
            f.write("\n".join(["Port %d" % self.port, "Listen 127.0.0.1", "LogLevel Connect", 'LogFile "%s"' % self.log_path,
                               "MaxClients 20", *lines]) + "\n")
        self.process = subprocess.Popen([TINYPROXY, "-d", "-c", path], stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL,
                                        stderr=subprocess.DEVNULL)
        wait.until(self._listens, 20, "tinyproxy does not listen")

    def _listens(self):
        assert self.process.poll() is None, "tinyproxy ended"
        with socket.socket() as s:
            return s.connect_ex(("127.0.0.1", self.port)) == 0

    def connects(self):
        """What it was asked to connect to, in order."""
        with open(self.log_path, encoding="utf-8") as f:
            return re.findall(r"CONNECT (\S+) HTTP", f.read())

    def stop(self):
        self.process.terminate()
        self.process.wait(10)


class Listener:
    """A proxy that connects wherever it is asked to, and keeps the head of each request in `heads`."""

    def __init__(self):
        self.heads = []
        self.socket = socket.create_server(("127.0.0.1", 0))
        self.port = self.socket.getsockname()[1]
        threading.Thread(target=self._accept, daemon=True).start()

    def _accept(self):
        while True:
            try:
                client, _ = self.socket.accept()
            except OSError:
                return
            threading.Thread(target=self._serve, args=(client,), daemon=True).start()

    def _serve(self, client):
        head = b""
        while b"\r\n\r\n" not in head:
            data = client.recv(4096)
            if not data:
                return
            head += data
        self.heads.append(head.decode())
        host, _, port = head.split()[1].decode().rpartition(":")
        with client, socket.create_connection((host, int(port))) as server:
            client.sendall(b"HTTP/1.1 200 Connected\r\n\r\n")
            other = {client: server, server: client}
            while True:
                for s in select.select([client, server], [], [])[0]:
                    data = s.recv(65536)
                    if not data:
                        return
                    other[s].sendall(data)

    def stop(self):
        self.socket.shutdown(socket.SHUT_RDWR)
        self.socket.close()
