# SPDX-License-Identifier: Apache-2.0
"""Common programs, from Debian's packages, do real work under the default filter without a flag of theirs."""
import pytest


def run(programs, script, *flags, program="bash", timeout=300):
    return programs.ok("run", "--rm", "-i", *flags, "programs:latest", program, "-", input=script, timeout=timeout)


pytestmark = [pytest.mark.slow, pytest.mark.row(56)]


def test_shell(programs):
    """Pipelines, background jobs, traps, process substitution, here-documents."""
    script = r"""
set -eu -o pipefail
seq 1000 | sort -rn | head -3 | tr '\n' ' '
sleep 0.1 & sleep 0.1 & wait
trap 'echo caught' USR1; kill -USR1 $$
diff <(echo a) <(echo a) && mapfile -t lines < <(printf 'x\ny\n') && echo ${#lines[@]}
exec 5<>/dev/tcp/127.0.0.1/1 2>/dev/null || echo no-server
mkfifo /tmp/f; echo through >/tmp/f & cat /tmp/f
timeout 0.1 sleep 5 || echo $?
nice -n 5 nproc >/dev/null; stat -c %F /tmp/f; find /etc -name passwd -newer /nonexistent 2>/dev/null || true; df / >/dev/null
ulimit -n 64; ulimit -n
"""
    assert run(programs, script).split() == ["1000", "999", "998", "caught", "2", "no-server", "through", "124", "fifo", "64"]


def test_archives(programs):
    script = r"""
set -eu
mkdir -p /tmp/a/d; cd /tmp/a; echo text >d/f; ln d/f d/hard; ln -s f d/soft; truncate -s 1M d/sparse; mkfifo d/p; chmod 6755 d/f
for how in gzip xz; do
    tar -C /tmp/a --$how -cpSf /tmp/x.tar d; mkdir /tmp/$how; tar -C /tmp/$how -xpSf /tmp/x.tar
    cat /tmp/$how/d/soft; stat -c '%a %h' /tmp/$how/d/f; stat -c %s /tmp/$how/d/sparse
done
cp -a d e; mv e /dev/shm/e; sha256sum </dev/shm/e/f | cut -c 1-8; touch -d 2001-01-01 d/f; install -m 600 d/f /tmp/g; dd if=/dev/zero of=/tmp/z bs=64k count=4 conv=fsync 2>/dev/null
"""
    one = ["text", "6755", "2", "1048576"]
    assert run(programs, script).split() == one + one + ["b9e68e1b"]


def test_python(programs):
    """Threads, processes, async, sockets, SQLite, mmap, subprocess, temporary files, signals, shared memory."""
    script = r"""
import asyncio, concurrent.futures, mmap, multiprocessing, multiprocessing.shared_memory, os, selectors, signal, socket, sqlite3, subprocess, tempfile, threading
print(sum(concurrent.futures.ThreadPoolExecutor(4).map(lambda n: n * n, range(100))))
if __name__ == "__main__":
    context = multiprocessing.get_context("fork")
    with context.Pool(3) as pool:
        print(sum(pool.map(abs, range(-10, 0))))
async def echo():
    async def serve(reader, writer):
        writer.write((await reader.readline()).upper())
        await writer.drain()
        writer.close()
    server = await asyncio.start_server(serve, "127.0.0.1", 0)
    reader, writer = await asyncio.open_connection(*server.sockets[0].getsockname())
    writer.write(b"hello\n")
    print((await reader.readline()).decode().strip())
    process = await asyncio.create_subprocess_exec("echo", "child", stdout=subprocess.PIPE)
    print((await process.communicate())[0].decode().strip())
asyncio.run(echo())
with tempfile.TemporaryDirectory() as d:
    database = sqlite3.connect(d + "/x.db")
    database.execute("pragma journal_mode=wal")
    database.execute("create table t (n)")
    database.executemany("insert into t values (?)", ((n,) for n in range(10)))
    database.commit()
    print(database.execute("select sum(n) from t").fetchone()[0])
    with open(d + "/m", "w+b") as f:
        f.truncate(4096)
        with mmap.mmap(f.fileno(), 0) as m:
            m[:2] = b"ok"; m.flush()
        print(f.read(2).decode())
shared = multiprocessing.shared_memory.SharedMemory(create=True, size=16); shared.buf[0] = 7; print(shared.buf[0]); shared.close(); shared.unlink()
signal.signal(signal.SIGALRM, lambda *_: print("alarm")); signal.setitimer(signal.ITIMER_REAL, 0.05); signal.pause()
a, b = socket.socketpair(); socket.send_fds(a, [b"x"], [0]); print(len(socket.recv_fds(b, 1, 1)[1]))
print(os.sched_getaffinity(0) != set(), os.cpu_count() > 0, os.getrandom(4) != b"", os.memfd_create("x") > 2)
"""
    out = run(programs, script, program="python3")
    assert out.split() == ["328350", "55", "HELLO", "child", "45", "ok", "7", "alarm", "1", "True", "True", "True", "True"], out


def test_perl(programs):
    script = r"""
use strict; use IO::Socket::INET; use POSIX; use Time::HiRes 'sleep'; use File::Temp 'tempfile'; use threads;
my $server = IO::Socket::INET->new(Listen => 1, LocalAddr => '127.0.0.1') or die $!;
if (!fork) { my $c = IO::Socket::INET->new(PeerAddr => '127.0.0.1', PeerPort => $server->sockport); print $c "from child\n"; exit 3 }
print scalar readline $server->accept; wait; print $? >> 8, "\n";
my ($h, $name) = tempfile(); flock($h, 2); print $h "x" x 10; close $h; print -s $name, "\n";
local $SIG{ALRM} = sub { die "late\n" }; eval { alarm 1; sleep 5 }; print $@;
print join(",", map { $_->join } map { my $n = $_; threads->create(sub { $n * 2 }) } 1 .. 3), "\n";
print `echo shell`;
"""
    assert run(programs, script, program="perl").splitlines() == ["from child", "3", "10", "late", "2,4,6", "shell"]


def test_node(programs):
    """Workers, an HTTP server and its client, child processes, watched files, streams through a thread pool."""
    script = r"""
const { Worker, isMainThread } = require('worker_threads'), http = require('http'), fs = require('fs'), zlib = require('zlib');
const crypto = require('crypto'), { execFileSync } = require('child_process'), { pipeline } = require('stream/promises');
(async () => {
  console.log(await new Promise(done => new Worker("require('worker_threads').parentPort.postMessage(6 * 7)", { eval: true }).on('message', done)));
  const server = http.createServer((q, r) => r.end(q.url)).listen(0, '127.0.0.1');
  await new Promise(done => server.on('listening', done));
  console.log(await new Promise(done => http.get({ host: '127.0.0.1', port: server.address().port, path: '/x' }, r => r.on('data', d => done(String(d))))));
  server.close();
  console.log(String(execFileSync('echo', ['child'])).trim());
  fs.writeFileSync('/tmp/a', 'x'.repeat(1e6));
  const watcher = fs.watch('/tmp/a'), seen = new Promise(done => watcher.on('change', done));
  fs.appendFileSync('/tmp/a', 'y'); await seen; watcher.close();
  await pipeline(fs.createReadStream('/tmp/a'), zlib.createGzip(), fs.createWriteStream('/tmp/b'));
  fs.copyFileSync('/tmp/a', '/tmp/c');
  console.log(zlib.gunzipSync(fs.readFileSync('/tmp/b')).length, fs.statSync('/tmp/c').size, crypto.pbkdf2Sync('p', 's', 1000, 4, 'sha256').length);
})();
"""
    assert run(programs, script, program="node").split() == ["42", "/x", "child", "1000001", "1000001", "4"]


def test_java(programs):
    """A tool that comes with the run-time: threads, compilation at run time, files and random numbers."""
    out = programs.ok("run", "--rm", "programs:latest", "sh", "-c", "keytool -genkeypair -alias a -dname CN=a -keyalg RSA -keystore /tmp/k "
                      "-storepass secret >/dev/null 2>&1 && keytool -list -keystore /tmp/k -storepass secret", timeout=300)
    assert "PrivateKeyEntry" in out, out


def test_git(programs):
    script = r"""
set -eu
export HOME=/tmp GIT_AUTHOR_NAME=a GIT_AUTHOR_EMAIL=a@b GIT_COMMITTER_NAME=a GIT_COMMITTER_EMAIL=a@b
cd /tmp; git init -q -b main r; cd r; for n in 1 2 3; do echo $n >f; git add f; git commit -qm "c$n"; done
git gc -q; git clone -q file:///tmp/r ../c; cd ../c; git log --format=%s; git fsck 2>&1 | grep -c error || true
"""
    assert run(programs, script).split() == ["c3", "c2", "c1", "0"]


def test_sqlite_tool(programs):
    script = "sqlite3 /tmp/x 'pragma journal_mode=wal; create table t(n); insert into t values(1),(2); select sum(n) from t; vacuum;'"
    assert run(programs, script).split() == ["wal", "3"]


def test_redis(programs):
    """With a snapshot by a forked child and an append-only file, as an ordinary user."""
    script = r"""
set -eu
cd /tmp; redis-server --port 7000 --daemonize yes --appendonly yes --dir /tmp --io-threads 2 >/dev/null
until [ "$(redis-cli -p 7000 ping)" = PONG ]; do sleep 0.05; done
redis-cli -p 7000 set k v; redis-cli -p 7000 bgsave >/dev/null
until redis-cli -p 7000 info persistence | grep -q 'rdb_bgsave_in_progress:0'; do sleep 0.05; done
redis-cli -p 7000 info persistence | grep -o 'rdb_last_bgsave_status:ok'; redis-cli -p 7000 get k; redis-cli -p 7000 shutdown
"""
    assert run(programs, script, "-u", "1000").split() == ["OK", "rdb_last_bgsave_status:ok", "v"]


NGINX = """worker_processes 2; pid /tmp/pid; error_log /tmp/error; events { } http { access_log /tmp/access; client_body_temp_path /tmp/b;
proxy_temp_path /tmp/p; fastcgi_temp_path /tmp/c; uwsgi_temp_path /tmp/u; scgi_temp_path /tmp/s;
server { listen 80; root /tmp/www; sendfile on; aio threads; location /up { proxy_pass http://127.0.0.1:80/f; } } }"""


def test_nginx(programs):
    """Static files by sendfile and thread pools, and as a proxy; reload and stop by signals. Port 80 as an ordinary user."""
    script = """
set -eu
mkdir /tmp/www; head -c 300000 /dev/zero >/tmp/www/f; cat >/tmp/conf <<'X'
%s
X
nginx -c /tmp/conf 2>/dev/null
get() { exec 3<>/dev/tcp/127.0.0.1/80; printf 'GET %%s HTTP/1.0\\r\\n\\r\\n' $1 >&3; cat <&3 | wc -c; }
[ $(get /f) -gt 300000 ] && [ $(get /up) -gt 300000 ] && echo served
nginx -c /tmp/conf -s reload 2>/dev/null; [ $(get /f) -gt 300000 ] && echo again
nginx -c /tmp/conf -s quit 2>/dev/null; grep -E 'crit|alert|emerg' /tmp/error || true
""" % NGINX
    assert run(programs, script, "-u", "1000") == "served\nagain\n"


def test_package_manager(programs):
    """apt and dpkg as a Dockerfile uses them, with the one grant that their change of user needs."""
    script = """
set -eu
apt-get --version | head -1 | cut -d ' ' -f 1; dpkg-query -W -f '${Status}' bash
mkdir -p /tmp/p/DEBIAN /tmp/p/opt; echo data >/tmp/p/opt/data
printf 'Package: own\\nVersion: 1\\nArchitecture: all\\nMaintainer: a <a@b>\\nDescription: x\\n' >/tmp/p/DEBIAN/control
dpkg-deb -b /tmp/p /tmp/own.deb >/dev/null; dpkg -i /tmp/own.deb >/dev/null 2>&1; cat /opt/data
"""
    out = run(programs, script, "--cap-add", "@switch-user")
    assert out.split() == ["apt", "install", "ok", "installeddata"], out
