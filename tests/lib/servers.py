# SPDX-License-Identifier: Apache-2.0
"""Images of servers and run-times as people run them, made from Debian's packages: what starts them behaves as in the official images of
the same name. They begin as root, give the data directory to a user, become that user or let the server do so, and declare command,
volumes, ports, stop signal and environment.

All share one layer, a Debian tree into which the packages were unpacked (no maintainer script runs, so it is there within a minute); each
has a small one of its own on top. IMAGES is the list; `archive` writes one archive with all of them.
"""
import collections
import concurrent.futures
import hashlib
import io
import os
import shutil
import subprocess
import tarfile

from . import images

PACKAGES = ("apache2", "gosu", "libhsqldb-java", "mariadb-server", "nginx-light", "nodejs", "openjdk-17-jre-headless", "php-fpm",
            "postgresql", "python3", "rabbitmq-server", "redis-server")
LEFT_OUT = ("./usr/share/doc", "./usr/share/man", "./usr/share/locale", "./usr/share/icons", "./usr/lib/postgresql/15/lib/bitcode")

PASSWD = "".join("%s:x:%d:%d::%s:/bin/sh\n" % row for row in (
    ("nginx", 101, 101, "/nonexistent"), ("postgres", 999, 999, "/var/lib/postgresql"), ("mysql", 998, 998, "/var/lib/mysql"),
    ("redis", 997, 997, "/data"), ("rabbitmq", 996, 996, "/var/lib/rabbitmq")))
GROUP = "".join("%s:x:%d:\n" % row for row in (("nginx", 101), ("postgres", 999), ("mysql", 998), ("redis", 997), ("rabbitmq", 996)))

# name: the repository; layer: adds files; config: of the image; wants: a client, run inside, whose output says "NAME serves" when it is served;
# alone: its layer is all that the image has
Server = collections.namedtuple("Server", "name layer config wants alone", defaults=(False,))


def unpack(minbase, work):
    """Unpacks a Debian root and the packages into `work`/tree. Returns why it cannot, or None."""
    tree = os.path.join(work, "tree")
    os.mkdir(tree)
    subprocess.run(["tar", "-xf", minbase, "-C", tree], check=True)
    if os.path.exists("/etc/resolv.conf"):
        shutil.copy("/etc/resolv.conf", os.path.join(tree, "etc/resolv.conf"))
    inside = ["unshare", "-m", "--propagation", "private", "chroot", tree, "apt-get", "-qq", "-o", "APT::Sandbox::User=root", "-o",
              "APT::Update::Error-Mode=any"]
    for words in (["update"], ["install", "-y", "--no-install-recommends", "--download-only", *PACKAGES]):
        done = subprocess.run([*inside, *words], stdin=subprocess.DEVNULL, capture_output=True, text=True)
        if done.returncode != 0:
            return "apt-get %s: %s" % (words[0], (done.stderr.strip().splitlines() or ["failed"])[-1])
    archives = os.path.join(tree, "var/cache/apt/archives")
    packages = [os.path.join(archives, name) for name in sorted(os.listdir(archives)) if name.endswith(".deb")]
    with concurrent.futures.ThreadPoolExecutor(os.cpu_count()) as pool:
        list(pool.map(lambda package: unpack_one(package, tree), packages))
    shutil.rmtree(archives)
    shutil.rmtree(os.path.join(tree, "var/lib/apt/lists"))
    return None


def unpack_one(package, tree):
    """Directories that are symbolic links in a merged /usr stay what they are."""
    with subprocess.Popen(["dpkg-deb", "--fsys-tarfile", package], stdout=subprocess.PIPE) as tar:
        subprocess.run(["tar", "-x", "--keep-directory-symlink", "-C", tree, *["--exclude=" + path for path in LEFT_OUT]],
                       stdin=tar.stdout, check=True)
    assert tar.returncode == 0, package


def make_base(minbase, path, work):
    """Writes `path` (.tar.zst) and `path`.diff-id. Returns why it cannot, or None."""
    why = unpack(minbase, work)
    if why:
        return why
    sha = hashlib.sha256()
    part = path + ".part"
    with open(part, "wb") as out, \
            subprocess.Popen(["tar", "-C", os.path.join(work, "tree"), "-c", "."], stdout=subprocess.PIPE) as tar, \
            subprocess.Popen(["zstd", "-q", "-1", "-T0"], stdin=subprocess.PIPE, stdout=out) as zstd:
        while chunk := tar.stdout.read(1 << 20):
            sha.update(chunk)
            zstd.stdin.write(chunk)
        zstd.stdin.close()
        assert tar.wait() == 0 and zstd.wait() == 0
    with open(path + ".diff-id", "w", encoding="ascii") as f:
        f.write("sha256:" + sha.hexdigest())
    os.rename(part, path)
    return None


def base_layer(path):
    with open(path + ".diff-id", encoding="ascii") as f:
        return images.FileLayer(path, "zstd", f.read())


# Gives a directory to a user and goes on as that user, unless it is not root any more.
SWITCH = """#!/bin/bash
set -e
if [ "$(id -u)" = 0 ] && [ "$1" = %(command)s ]; then
    mkdir -p %(data)s
    find %(data)s \\! -user %(user)s -exec chown %(user)s '{}' +
    exec gosu %(user)s "$BASH_SOURCE" "$@"
fi
%(rest)s
exec "$@"
"""


def entrypoint(layer, name="docker-entrypoint.sh", **words):
    return layer.file("usr/local/bin/" + name, SWITCH % words if words else '#!/bin/sh\nset -e\nexec "$@"\n', mode=0o755)


NGINX_CONF = """user nginx;
worker_processes auto;
error_log /var/log/nginx/error.log notice;
pid /run/nginx.pid;
events { worker_connections 512; }
http {
    include /etc/nginx/mime.types;
    access_log /var/log/nginx/access.log;
    server { listen 80; root /usr/share/nginx/html; }
}
"""

HTTPD_CONF = """ServerRoot /usr/lib/apache2
Listen 80
LoadModule mpm_event_module modules/mod_mpm_event.so
LoadModule authz_core_module modules/mod_authz_core.so
User www-data
Group www-data
PidFile /var/run/apache2.pid
DocumentRoot /srv
ServerName localhost
ErrorLog /proc/self/fd/2
"""

PHP_CONF = """[global]
error_log = /proc/self/fd/2
daemonize = no
[www]
user = www-data
group = www-data
listen = 9000
pm = dynamic
pm.max_children = 5
pm.start_servers = 2
pm.min_spare_servers = 1
pm.max_spare_servers = 3
clear_env = no
"""

FETCH = "import urllib.request as r; print(r.urlopen('http://127.0.0.1:%d/index.html', timeout=5).read().decode())"

# A FastCGI request for /srv/index.php, and what comes back.
FASTCGI = r"""
import socket, struct
def record(kind, data): return struct.pack('>BBHHBB', 1, kind, 1, len(data), 0, 0) + data
def pair(name, value): return bytes([len(name), len(value)]) + name.encode() + value.encode()
values = {'SCRIPT_FILENAME': '/srv/index.php', 'REQUEST_METHOD': 'GET', 'SCRIPT_NAME': '/index.php', 'CONTENT_LENGTH': '0'}
s = socket.create_connection(('127.0.0.1', 9000), 5)
s.sendall(record(1, struct.pack('>HB5x', 1, 0)) + record(4, b''.join(pair(*v) for v in values.items())) + record(4, b'') + record(5, b''))
answer = b''
while data := s.recv(65536): answer += data
print(answer)
"""

# The server's half of the AMQP handshake: Connection.Start.
AMQP = r"""
import socket
s = socket.create_connection(('127.0.0.1', 5672), 5)
s.sendall(b'AMQP\0\0\x09\x01')
print('rabbitmq serves' if s.recv(4096)[:1] == b'\1' else 'no')
"""


def python(code):
    return ["python3", "-c", code]


def nginx():
    layer = entrypoint(images.Layer(), "docker-entrypoint.sh").file("etc/nginx/nginx.conf", NGINX_CONF)
    layer.file("usr/share/nginx/html/index.html", "nginx serves\n")
    layer.symlink("var/log/nginx/access.log", "/dev/stdout").symlink("var/log/nginx/error.log", "/dev/stderr")
    return Server("nginx", layer, {"Entrypoint": ["docker-entrypoint.sh"], "Cmd": ["nginx", "-g", "daemon off;"],
                                   "ExposedPorts": {"80/tcp": {}}, "StopSignal": "SIGQUIT"}, python(FETCH % 80))


def postgres():
    rest = """if [ "$1" = postgres ] && [ ! -s "$PGDATA/PG_VERSION" ]; then
    initdb --username=postgres --auth=trust --no-sync >/dev/null
fi"""
    layer = entrypoint(images.Layer(), command="postgres", data='"$PGDATA" /var/run/postgresql', user="postgres", rest=rest)
    layer.dir("var/lib/postgresql", uid=999, gid=999).dir("var/lib/postgresql/data", mode=0o1777, uid=999, gid=999)
    return Server("postgres", layer, {
        "Entrypoint": ["docker-entrypoint.sh"], "Cmd": ["postgres"], "ExposedPorts": {"5432/tcp": {}}, "StopSignal": "SIGINT",
        "Env": ["PATH=/usr/lib/postgresql/15/bin:" + images.PATH.partition("=")[2], "PGDATA=/var/lib/postgresql/data", "LANG=C.UTF-8"],
        "Volumes": {"/var/lib/postgresql/data": {}}}, ["psql", "-h", "127.0.0.1", "-U", "postgres", "-Atc", "select 'postgres ' || 'serves'"])


def mariadb():
    rest = """if [ "$1" = mariadbd ] && [ ! -d /var/lib/mysql/mysql ]; then
    mariadb-install-db --auth-root-authentication-method=normal --skip-test-db >/dev/null
fi"""
    layer = entrypoint(images.Layer(), command="mariadbd", data="/var/lib/mysql /run/mysqld", user="mysql", rest=rest)
    layer.dir("var/lib/mysql").file("etc/mysql/my.cnf", "[mariadbd]\nbind-address=0.0.0.0\nskip-name-resolve\n")
    return Server("mariadb", layer, {"Entrypoint": ["docker-entrypoint.sh"], "Cmd": ["mariadbd"], "ExposedPorts": {"3306/tcp": {}},
                                     "Volumes": {"/var/lib/mysql": {}}},
                  ["mariadb", "-h", "127.0.0.1", "-u", "root", "-Ne", "select concat('mariadb ', 'serves')"])


def redis():
    layer = entrypoint(images.Layer(), command="redis-server", data=".", user="redis", rest="")
    layer.dir("data")
    return Server("redis", layer, {"Entrypoint": ["docker-entrypoint.sh"], "Cmd": ["redis-server"], "ExposedPorts": {"6379/tcp": {}},
                                   "Volumes": {"/data": {}}, "WorkingDir": "/data"}, ["redis-cli", "echo", "redis serves"])


def rabbitmq():
    layer = entrypoint(images.Layer(), command="rabbitmq-server", data="/var/lib/rabbitmq /var/log/rabbitmq", user="rabbitmq", rest="")
    layer.dir("var/lib/rabbitmq")
    path = "PATH=/usr/lib/rabbitmq/bin:" + images.PATH.partition("=")[2]
    return Server("rabbitmq", layer, {"Entrypoint": ["docker-entrypoint.sh"], "Cmd": ["rabbitmq-server"],
                                      "ExposedPorts": {"5672/tcp": {}}, "Env": [path, "HOME=/var/lib/rabbitmq", "RABBITMQ_LOGS=-"],
                                      "Volumes": {"/var/lib/rabbitmq": {}}}, python(AMQP))


def httpd():
    layer = images.Layer().file("usr/local/apache2/conf/httpd.conf", HTTPD_CONF).file("srv/index.html", "httpd serves\n")
    layer.file("usr/local/bin/httpd-foreground", "#!/bin/sh\nset -e\nrm -f /var/run/apache2.pid\n"
               "exec apache2 -DFOREGROUND -f /usr/local/apache2/conf/httpd.conf \"$@\"\n", mode=0o755)
    return Server("httpd", layer, {"Cmd": ["httpd-foreground"], "ExposedPorts": {"80/tcp": {}}, "StopSignal": "SIGWINCH"},
                  python(FETCH % 80))


def php():
    layer = entrypoint(images.Layer(), "docker-php-entrypoint").file("usr/local/etc/php-fpm.conf", PHP_CONF)
    layer.file("srv/index.php", "<?php echo 'php serves as ' . trim(shell_exec('id -u'));\n").symlink("usr/local/sbin/php-fpm", "/usr/sbin/php-fpm8.2")
    return Server("php", layer, {"Entrypoint": ["docker-php-entrypoint"], "Cmd": ["php-fpm", "-y", "/usr/local/etc/php-fpm.conf"],
                                 "ExposedPorts": {"9000/tcp": {}}, "StopSignal": "SIGQUIT", "WorkingDir": "/var/www/html"},
                  python(FASTCGI))


def openjdk():
    home = "/usr/lib/jvm/java-17-openjdk-amd64"
    layer = images.Layer().file("srv/index.html", "openjdk serves\n")
    return Server("openjdk", layer, {
        "Env": ["PATH=%s/bin:%s" % (home, images.PATH.partition("=")[2]), "JAVA_HOME=" + home, "LANG=C.UTF-8"], "WorkingDir": "/srv",
        "Cmd": ["java", "-cp", "/usr/share/java/hsqldb.jar", "org.hsqldb.server.WebServer", "--port", "8080",
                "--database.0", "mem:x", "--dbname.0", "x"]}, python(FETCH % 8080))


def node():
    layer = entrypoint(images.Layer()).file("srv/server.js", "require('http').createServer((q, a) => a.end('node serves')).listen(3000)\n")
    return Server("node", layer, {"Entrypoint": ["docker-entrypoint.sh"], "Cmd": ["node", "/srv/server.js"]}, python(FETCH % 3000))


def python_image():
    layer = images.Layer().file("srv/index.html", "python serves\n")
    return Server("python", layer, {"Cmd": ["python3", "-m", "http.server", "-d", "/srv", "8000"]}, python(FETCH % 8000))


def goserver():
    """As a Dockerfile with FROM scratch makes it; `add_go` gives it its program."""
    return Server("goserver", images.Layer(), {"Entrypoint": ["/server"], "User": "65532:65532", "ExposedPorts": {"8080/tcp": {}}},
                  ["/server", "http://127.0.0.1:8080/"], alone=True)


def add_go(server, path):
    with open(path, "rb") as f:
        server.layer.file("server", f.read(), mode=0o755)


IMAGES = [make() for make in (nginx, postgres, mariadb, redis, rabbitmq, httpd, php, openjdk, node, python_image, goserver)]


def users_layer(minbase):
    """The image's users with those that the packages' scripts would have made."""
    layer = images.Layer()
    with tarfile.open(minbase) as tar:
        for name, more in (("etc/passwd", PASSWD), ("etc/group", GROUP)):
            layer.file(name, tar.extractfile("./" + name).read() + more.encode())
    return layer


def make(server, base, users):
    config = {"Env": [images.PATH], **server.config}
    return images.make_image([server.layer] if server.alone else [base, users, server.layer], config, media=images.DOCKER)


def archive(path, made):
    """What `docker save` of several images writes: `made` is a list of (image, reference)."""
    entries, written = [], set()
    with tarfile.open(path, "w") as tar:
        def add(name, blob):
            if name not in written:
                written.add(name)
                info = tarfile.TarInfo(name)
                info.size, info.mode, info.mtime = blob.size, 0o644, 1700000000
                with blob.open() as f:
                    tar.addfile(info, f)
            return name
        for image, reference in made:
            layers = [add(blob.digest.partition(":")[2] + "/layer.tar", blob) for blob in image.layers]
            entries.append({"Config": add(image.id.partition(":")[2] + ".json", image.config), "RepoTags": [reference], "Layers": layers})
        manifest = images.dump(entries)
        info = tarfile.TarInfo("manifest.json")
        info.size, info.mode = len(manifest), 0o644
        tar.addfile(info, io.BytesIO(manifest))
    return path
