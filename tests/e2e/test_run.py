# SPDX-License-Identifier: Apache-2.0
"""run and what belongs to it, with real containers: statuses, signals, streams, options, limits, terminals, sudden deaths."""
import json
import os
import re
import signal
import time

import pytest

from lib import host, wait

MIB = 1 << 20


def run_out(casemate, *words, **more):
    return casemate.ok("run", "--rm", *words, **more)


# Exit statuses

def test_hello(casemate):
    """The embedded image runs on a machine that has nothing."""
    assert run_out(casemate, "casemate/hello", "echo", "it", "runs") == "it runs\n"
    assert "practice" in casemate.ok("run", "--rm", "casemate/hello").lower()


@pytest.mark.parametrize("status", [0, 1, 42, 255])
def test_status_is_the_command_s(casemate, busybox, status):
    assert casemate.run("run", "--rm", busybox, "sh", "-c", "exit %d" % status).status == status


def test_status_125_126_127(casemate, busybox):
    casemate.fails("run", "--rm", "--name", "-x", busybox, status=125)
    casemate.fails("run", "--rm", busybox, "/etc/passwd", status=126, says="/etc/passwd")
    casemate.fails("run", "--rm", busybox, "/no/such/program", status=127, says="/no/such/program")
    casemate.fails("run", "--rm", busybox, "nosuchprogram", status=127, says="nosuchprogram")
    assert casemate.ok("ps", "-aq") == ""


def test_status_of_a_signal(casemate, busybox):
    casemate.ok("run", "-d", "--name", "victim", busybox, "sleep", "300")
    casemate.ok("kill", "victim")
    assert casemate.ok("wait", "victim") == "137\n"


# Streams

def test_output_is_bit_exact(casemate, busybox):
    result = casemate.run("run", "--rm", busybox, "sh", "-c", "head -c 3000000 /dev/zero | tr '\\0' '\\377'; echo err >&2", text=False)
    assert result.out == b"\xff" * 3000000 and result.err == b"err\n"


def test_stdin_is_null_without_interactive(casemate, busybox):
    assert casemate.ok("run", "--rm", busybox, "sh", "-c", "cat; readlink /proc/self/fd/0", input="unread\n").endswith("/dev/null\n")
    assert casemate.ok("run", "--rm", "-i", busybox, "cat", input="read\n") == "read\n"


def test_stdin_large(casemate, busybox):
    data = os.urandom(2 * MIB)
    result = casemate.run("run", "--rm", "-i", busybox, "sh", "-c", "cat", input=data, text=False)
    assert result.out == data


def test_a_reader_that_goes_away_ends_the_command(casemate, busybox):
    """run IMAGE yes | head: the pipe breaks, nothing hangs."""
    process = casemate.popen("run", "--rm", busybox, "yes")
    assert process.stdout.read(4) == b"y\ny\n"
    process.stdout.close()
    process.send_signal(signal.SIGTERM)
    process.wait(wait.seconds(30))
    process.stderr.close()


def test_dev_stdout_can_be_reopened(casemate, busybox):
    for user in ("0", "1000"):
        assert run_out(casemate, "-u", user, busybox, "sh", "-c", "echo again > /dev/stdout") == "again\n"


# Detached containers and what follows them

def test_detached(casemate, busybox):
    identifier = casemate.ok("run", "-d", "--name", "bg", busybox, "sh", "-c", "echo one; echo two >&2; sleep 300").strip()
    assert re.fullmatch(r"[0-9a-f]{64}", identifier)
    wait.until(lambda: casemate.run("logs", "bg").err == "two\n", what="the log")
    assert casemate.run("logs", "bg").out == "one\n"
    casemate.ok("stop", "-t", "0", "bg")
    assert casemate.ok("wait", "bg") == "137\n"
    assert casemate.ok("rm", "bg") == "bg\n"
    casemate.fails("logs", "bg", says="No such container")


def test_rm_removes_when_it_ends(casemate, busybox):
    casemate.ok("run", "-d", "--rm", "-v", "/anonymous", busybox, "true")
    wait.until(lambda: casemate.ok("ps", "-aq") == "", what="the container to go")
    assert os.listdir(os.path.join(casemate.root, "volumes")) == []


def test_rm_of_a_running_container(casemate, busybox):
    casemate.ok("run", "-d", "--name", "bg", busybox, "sleep", "300")
    casemate.fails("rm", "bg", status=1, says="cannot remove a running container.*")
    casemate.ok("rm", "-f", "bg")


def test_restart_keeps_the_writable_layer(casemate, busybox):
    casemate.ok("run", "--name", "box", busybox, "sh", "-c", "echo x >> /kept; wc -l < /kept")
    assert casemate.ok("start", "-a", "box") == "2\n"
    assert casemate.ok("logs", "box").endswith("2\n")


def test_logs_options(casemate, busybox):
    casemate.ok("run", "--name", "box", busybox, "sh", "-c", "for i in 1 2 3 4 5; do echo line $i; done")
    assert casemate.ok("logs", "--tail", "2", "box") == "line 4\nline 5\n"
    assert casemate.ok("logs", "-n", "0", "box") == ""
    assert re.fullmatch(r"(\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d+Z line \d\n){5}", casemate.ok("logs", "-t", "box"))
    assert casemate.ok("logs", "--since", "2030-01-01T00:00:00Z", "box") == ""
    assert casemate.ok("logs", "--until", "1h", "box") == ""
    assert casemate.ok("logs", "--since", "1h", "box").count("\n") == 5


def test_logs_follow(casemate, busybox):
    casemate.ok("run", "-d", "--name", "box", busybox, "sh", "-c", "echo first; while [ ! -e /go ]; do sleep 0.1; done; echo last")
    follower = casemate.popen("logs", "-f", "box")
    assert follower.stdout.readline() == b"first\n"
    casemate.ok("exec", "box", "touch", "/go")
    out, _ = follower.communicate(timeout=wait.seconds(30))
    assert out == b"last\n" and follower.returncode == 0


# Signals and stopping

def test_signals_are_passed_on(casemate):
    process = casemate.popen("run", "--rm", "casemate/hello", "signals")
    ready = process.stdout.readline()
    assert ready
    process.send_signal(signal.SIGUSR1)
    assert b"USR1" in process.stdout.readline()
    process.send_signal(signal.SIGTERM)
    out, err = process.communicate(timeout=wait.seconds(30))
    assert b"TERM" in out, (out, err)


def test_stop_sends_the_stop_signal(casemate, busybox):
    casemate.ok("run", "-d", "--name", "box", "--stop-signal", "USR1", busybox, "sh", "-c",
                "trap 'echo usr1; exit 3' USR1; echo ready; while :; do sleep 0.1; done")
    wait.until(lambda: casemate.ok("logs", "box") == "ready\n")
    casemate.ok("stop", "box")
    assert casemate.ok("logs", "box") == "ready\nusr1\n"
    assert casemate.ok("wait", "box") == "3\n"


def test_stop_timeout(casemate):
    casemate.ok("run", "-d", "--name", "box", "--stop-timeout", "1", "casemate/hello", "signals", "--ignore")
    wait.until(lambda: casemate.ok("logs", "box"))
    start = time.monotonic()
    casemate.ok("stop", "box")
    assert 0.9 <= time.monotonic() - start, "it was killed before its time"
    assert casemate.ok("wait", "box") == "137\n"


def test_kill_signal(casemate):
    casemate.ok("run", "-d", "--name", "box", "casemate/hello", "signals")
    wait.until(lambda: casemate.ok("logs", "box"))
    casemate.ok("kill", "-s", "HUP", "box")
    wait.until(lambda: "HUP" in casemate.ok("logs", "box"))
    casemate.ok("kill", "box")
    casemate.fails("kill", "box", status=1, says="is not running")


def test_init_forwards_and_reaps(casemate, busybox):
    casemate.ok("run", "-d", "--init", "--name", "box", busybox, "sh", "-c",
                "(sleep 0.1 & exec sleep 0.2) & trap 'exit 5' TERM; echo ready; while :; do sleep 0.1; done")
    wait.until(lambda: casemate.ok("logs", "box") == "ready\n")
    wait.until(lambda: " Z " not in casemate.ok("exec", "box", "ps", "-o", "stat,args"))
    assert "casemate-init" in casemate.ok("exec", "box", "cat", "/proc/1/comm")
    casemate.ok("stop", "box")
    assert casemate.ok("wait", "box") == "5\n"


# Options

def test_env(casemate, busybox, tmp_path):
    path = tmp_path / "env"
    path.write_text("# c\nFROM_FILE=1\nBOTH=file\nPASSED\n")
    out = run_out(casemate, "--env-file", path, "-e", "BOTH=flag", "-e", "EMPTY=", busybox, "env", env={"PASSED": "caller's"})
    for line in ("FROM_FILE=1", "BOTH=flag", "EMPTY=", "PASSED=caller's", "HOME=/root"):
        assert line in out.splitlines(), line
    assert "CASEMATE_ROOT" not in out


def test_workdir_hostname_entrypoint(casemate, busybox):
    assert run_out(casemate, "-w", "/new/dir", busybox, "pwd") == "/new/dir\n"
    assert run_out(casemate, "-h", "box1", busybox, "hostname") == "box1\n"
    identifier = casemate.ok("run", "-d", "--name", "box", busybox, "hostname").strip()
    casemate.ok("wait", "box")
    assert casemate.ok("logs", "box") == identifier[:12] + "\n"
    assert run_out(casemate, "--entrypoint", "echo", busybox, "a", "b") == "a b\n"


@pytest.mark.parametrize("user, shows", [
    ("0", "uid=0(root) gid=0(root) groups=0(root)"),
    ("app", "uid=1000(app) gid=1000(app) groups=50(staff),1000(app),2000(extra)"),
    ("1000", "uid=1000(app) gid=1000(app) groups=50(staff),1000(app),2000(extra)"),
    ("app:staff", "uid=1000(app) gid=50(staff) groups=50(staff)"),
    ("1234:5678", "uid=1234 gid=5678 groups=5678"),
    ("1234", "uid=1234 gid=0(root) groups=0(root)"),
])
def test_row87_user_forms_and_exact_groups(casemate, busybox, user, shows):
    out = run_out(casemate, "-u", user, busybox, "id").strip()
    left, _, groups = out.partition(" groups=")
    wanted_left, _, wanted = shows.partition(" groups=")
    assert left == wanted_left and sorted(groups.split(",")) == sorted(wanted.split(",")), out


@pytest.mark.parametrize("user", ["4294967296", "-1", "0x0", " 0", "+0", "00", "1000:4294967296", "0:", ":0", "2147483648"])
def test_row83_uid_tricks_are_refused(casemate, busybox, user):
    """Nothing that merely looks like a number reaches uid 0."""
    casemate.fails("run", "--rm", "-u", user, busybox, "id", status=125)


def test_row83_row84_root_is_nobody_on_the_host(casemate, busybox):
    """Rows 83 and 84: uid 0 inside is an id of the container's own block, and two containers share none."""
    pids = []
    for name in ("one", "two"):
        casemate.ok("run", "-d", "--name", name, busybox, "sleep", "300")
        pids.append(casemate.pid(name))
    uids = [int(host.status_field(pid, "Uid").split()[0]) for pid in pids]
    assert all(1879048192 + 65536 <= uid < 2147418112 for uid in uids) and uids[0] // 65536 != uids[1] // 65536
    maps = [host.read("/proc/%d/uid_map" % pid).split() for pid in pids]
    assert all(m[0] == "0" and int(m[1]) == uid for m, uid in zip(maps, uids))


def test_unknown_user(casemate, busybox):
    casemate.fails("run", "--rm", "-u", "nobody2", busybox, "true", says="nobody2")


def test_row87_group_add(casemate, busybox):
    out = run_out(casemate, "-u", "1234:5678", "--group-add", "staff", "--group-add", "77", busybox, "id", "-G")
    assert sorted(out.split()) == ["50", "5678", "77"]


def test_volumes(casemate, busybox, tmp_path):
    os.chmod(tmp_path, 0o755)
    shared = tmp_path / "shared"
    shared.mkdir()
    os.chown(shared, 1234, 1234)
    (shared / "given").write_text("from the host\n")
    assert run_out(casemate, "-v", "%s:/x:ro" % shared, busybox, "cat", "/x/given") == "from the host\n"
    casemate.fails("run", "--rm", "-v", "%s:/x:ro" % shared, busybox, "touch", "/x/new", says="Read-only")
    run_out(casemate, "-v", "%s:/x" % shared, busybox, "touch", "/x/new")
    assert os.stat(shared / "new").st_uid == 1234
    casemate.ok("run", "--rm", "-v", "data:/d", busybox, "sh", "-c", "echo kept > /d/f")
    assert run_out(casemate, "--mount", "source=data,target=/e,readonly", busybox, "cat", "/e/f") == "kept\n"


def test_row44_flags_of_binds(casemate, busybox, tmp_path):
    """Row 44: nosuid, nodev and private always; noexec on request."""
    os.chmod(tmp_path, 0o755)
    out = run_out(casemate, "-v", "%s:/x" % tmp_path, "-v", "%s:/y:noexec" % tmp_path, busybox, "cat", "/proc/self/mountinfo")
    lines = {line.split()[4]: line for line in out.splitlines()}
    for target in ("/x", "/y"):
        assert {"nosuid", "nodev"} <= set(lines[target].split()[5].split(",")), lines[target]
        assert "shared:" not in lines[target] and "master:" not in lines[target]
    assert "noexec" in lines["/y"].split()[5] and "noexec" not in lines["/x"].split()[5]
    casemate.fails("run", "--rm", "-v", "%s:/x:shared" % tmp_path, busybox, "true", status=125, says="private")


@pytest.mark.parametrize("source", ["/", "/etc", "/proc", "/sys", "/dev", "/boot", "/proc/self/root", "/etc/../etc", "/var/lib/../../etc"])
def test_row43_sensitive_host_paths_are_refused(casemate, busybox, source):
    casemate.fails("run", "--rm", "-v", source + ":/x", busybox, "true", status=125, says="practice 5")


def test_row43_a_link_to_a_sensitive_path_is_refused(casemate, busybox, tmp_path):
    (tmp_path / "link").symlink_to("/etc")
    casemate.fails("run", "--rm", "-v", "%s/link:/x" % tmp_path, busybox, "true", status=125, says="practice 5")


def test_mount_of_a_missing_source(casemate, busybox, tmp_path):
    casemate.fails("run", "--rm", "--mount", "type=bind,source=%s/none,target=/x" % tmp_path, busybox, "true", says="none")


def test_tmpfs(casemate, busybox):
    out = run_out(casemate, "--tmpfs", "/t:size=1m,mode=700,uid=1000", busybox, "sh", "-c", "grep ' /t ' /proc/mounts; stat -c %a:%u /t")
    assert "nosuid" in out and "nodev" in out and "noexec" in out and "size=1024k" in out and "700:1000" in out
    assert casemate.run("run", "--rm", "--tmpfs", "/t:size=1m", busybox, "dd", "if=/dev/zero", "of=/t/f", "bs=1M", "count=2").status == 1


def test_row95_read_only(casemate, busybox):
    assert "Read-only" in casemate.run("run", "--rm", "--read-only", busybox, "touch", "/x").err
    assert run_out(casemate, "--read-only", "--tmpfs", "/tmp", busybox, "sh", "-c", "echo ok > /tmp/x; cat /tmp/x") == "ok\n"


def test_row37_limits_are_in_the_cgroup(casemate, busybox):
    """Row 37, with 27 to 29: what was asked for is what the kernel has, before and after a restart and in an exec."""
    casemate.ok("run", "-d", "--name", "box", "-m", "64m", "--cpus", "0.5", "--cpuset-cpus", "0", "--pids-limit", "40", busybox, "sleep", "300")

    def limits():
        pid = casemate.pid("box")
        quota = host.cgroup_file(pid, "cpu", "cpu.cfs_quota_us", "cpu.max").split()[0]
        period = (host.cgroup_file(pid, "cpu", "cpu.cfs_period_us", "cpu.max") or "").split()[-1]
        return (host.cgroup_file(pid, "memory", "memory.limit_in_bytes", "memory.max"),
                host.cgroup_file(pid, "pids", "pids.max", "pids.max"), int(quota) / int(period),
                host.cgroup_file(pid, "cpuset", "cpuset.cpus", "cpuset.cpus"))
    assert limits() == (str(64 * MIB), "40", 0.5, "0")
    inside = casemate.ok("exec", "box", "cat", "/proc/self/cgroup")
    assert inside == casemate.ok("exec", "box", "cat", "/proc/1/cgroup")
    casemate.ok("stop", "-t", "0", "box")
    casemate.ok("start", "box")
    assert limits() == (str(64 * MIB), "40", 0.5, "0")


def test_row27_row28_row29_row35_defaults(casemate, busybox):
    """Rows 27, 28, 29, 35: limits are there when nobody asked."""
    casemate.ok("run", "-d", "--name", "box", busybox, "sleep", "300")
    pid = casemate.pid("box")
    quota = host.cgroup_file(pid, "cpu", "cpu.cfs_quota_us", "cpu.max").split()[0]
    period = (host.cgroup_file(pid, "cpu", "cpu.cfs_period_us", "cpu.max") or "").split()[-1]
    assert int(quota) / int(period) <= os.cpu_count()
    ram = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
    assert int(host.cgroup_file(pid, "memory", "memory.limit_in_bytes", "memory.max")) <= max(ram / 2, 512 * MIB)
    assert int(host.cgroup_file(pid, "pids", "pids.max", "pids.max")) <= 512
    limits = {line[:25].strip(): line[25:].split() for line in host.read("/proc/%d/limits" % pid).splitlines()}
    assert limits["Max core file size"][0] == "0" and int(limits["Max open files"][0]) <= 1024
    assert int(limits["Max locked memory"][0]) <= 65536


def test_row33_shm_and_tmpfs_count_and_are_capped(casemate, busybox):
    """Row 33: /dev/shm and tmpfs have a size, and what is in them is the container's memory."""
    assert casemate.run("run", "--rm", busybox, "dd", "if=/dev/zero", "of=/dev/shm/f", "bs=1M", "count=70").status == 1
    result = casemate.run("run", "--rm", "-m", "32m", "--tmpfs", "/t:size=200m", busybox, "dd", "if=/dev/zero", "of=/t/f", "bs=1M", "count=100")
    assert result.status != 0


def test_row28_memory_limit_kills_and_names_the_flag(casemate):
    casemate.run("run", "--name", "hog", "-m", "32m", "casemate/hello", "hog-memory", "200")
    state = json.loads(casemate.ok("inspect", "hog"))[0]["State"]
    assert state["OOMKilled"] is True and state["ExitCode"] == 137


def test_row29_process_limit_holds(casemate):
    out = casemate.run("run", "--rm", "--pids-limit", "20", "casemate/hello", "forkbomb", "200").out
    started = int(re.search(r"\d+", out).group())
    assert 0 < started <= 20, out


def test_shm_ulimit_sysctl(casemate, busybox):
    assert "size=2048k" in run_out(casemate, "--shm-size", "2m", busybox, "grep", " /dev/shm ", "/proc/mounts")
    out = run_out(casemate, "--ulimit", "nofile=100:200", "--ulimit", "core=0", busybox, "sh", "-c", "ulimit -Sn; ulimit -Hn; ulimit -c")
    assert out.split() == ["100", "200", "0"]
    assert run_out(casemate, "--sysctl", "net.ipv4.ip_unprivileged_port_start=5", "--sysctl", "kernel.shmmni=55", busybox, "cat",
                   "/proc/sys/net/ipv4/ip_unprivileged_port_start", "/proc/sys/kernel/shmmni").split() == ["5", "55"]


def test_row50_capabilities_by_name(casemate, busybox):
    def effective(*words):
        return int(run_out(casemate, *words, busybox, "awk", "/CapEff/{print $2}", "/proc/self/status"), 16)
    assert effective() == 0
    assert effective("--cap-add", "CHOWN", "--cap-add", "cap_setuid") == (1 << 0) | (1 << 7)
    assert effective("--cap-add", "@switch-user") == (1 << 0) | (1 << 6) | (1 << 7)
    casemate.fails("run", "--rm", "--cap-add", "NOPE", busybox, "true", status=125, says="NOPE")


def test_row42_host_namespaces_are_refused(casemate, busybox):
    for option in ("--pid", "--ipc", "--uts", "--userns", "--network"):
        casemate.fails("run", "--rm", option, "host", busybox, "true", status=125, says="practice")


def test_row52_privileged_is_refused_with_what_to_grant(casemate, busybox):
    casemate.fails("run", "--rm", "--privileged", busybox, "true", status=125, says="--cap-add")


# exec

def test_exec(casemate, busybox):
    casemate.ok("run", "-d", "--name", "box", "-e", "A=1", busybox, "sleep", "300")
    assert casemate.ok("exec", "box", "sh", "-c", "echo $A $B; hostname; pwd").split()[0] == "1"
    assert casemate.ok("exec", "-e", "B=2", "-w", "/tmp", "-u", "app", "box", "sh", "-c", "echo $A$B $(pwd) $(id -u)") == "12 /tmp 1000\n"
    assert casemate.ok("exec", "-i", "box", "cat", input="through\n") == "through\n"
    assert casemate.run("exec", "box", "sh", "-c", "exit 9").status == 9
    assert casemate.run("exec", "box", "sh", "-c", "kill -9 $$").status == 137
    casemate.fails("exec", "box", "nosuchprogram", status=127, says="nosuchprogram")
    casemate.fails("exec", "box", "/etc/passwd", status=126, says="/etc/passwd")
    casemate.ok("exec", "-d", "box", "touch", "/made")
    wait.until(lambda: casemate.run("exec", "box", "test", "-e", "/made").status == 0)
    casemate.ok("kill", "box")
    casemate.fails("exec", "box", "true", status=1, says="is not running")


def test_row54_exec_gets_what_the_container_has(casemate):
    casemate.ok("run", "-d", "--name", "box", "casemate/hello", "sleep", "300")
    run = json.loads(run_out(casemate, "casemate/hello", "probe", "--json"))
    execed = json.loads(casemate.ok("exec", "box", "/hello", "probe", "--json"))
    for key in run:
        if isinstance(run[key], (int, bool)) and "pid" not in key and "uid" not in key:
            assert execed[key] <= run[key], key


# Terminals

def test_terminal_needs_a_terminal(casemate, busybox):
    casemate.fails("run", "--rm", "-it", busybox, "true", says="the input device is not a TTY")
    assert casemate.ok("ps", "-aq") == ""


def test_terminal(casemate, busybox):
    with casemate.pty("run", "--rm", "-it", "--name", "box", busybox, "sh", size=(30, 100)) as terminal:
        terminal.expect(r"/ # ")
        terminal.send("tty; stty size\n")
        terminal.expect(r"/dev/(pts/0|console)\r\n30 100\r\n")
        terminal.resize(40, 120)
        terminal.send("stty size\n")
        terminal.expect(r"40 120\r\n")
        terminal.send("sleep 300\n")
        wait.until(lambda: "sleep 300" in casemate.ok("exec", "box", "ps"))
        terminal.expect(r"sleep 300\r\n")
        terminal.send("\x03")
        terminal.expect(r"/ # ")
        terminal.send("exit 7\n")
        assert terminal.wait() == 7


def test_detach_keys(casemate, busybox):
    with casemate.pty("run", "--name", "box", "-it", busybox, "sh") as terminal:
        terminal.expect(r"/ # ")
        terminal.send("\x10\x11")
        assert terminal.wait() == 0
    assert casemate.ok("ps", "--format", "{{.Names}}") == "box\n"
    with casemate.pty("attach", "--detach-keys", "ctrl-a,d", "box") as terminal:
        terminal.send("echo still $((1+1))\n")
        terminal.expect(r"still 2\r\n")
        terminal.send("\x01d")
        assert terminal.wait() == 0
    casemate.ok("rm", "-f", "box")


def test_exec_terminal(casemate, busybox):
    casemate.ok("run", "-d", "--name", "box", busybox, "sleep", "300")
    with casemate.pty("exec", "-it", "box", "sh", size=(25, 90)) as terminal:
        terminal.expect(r"/ # ")
        terminal.send("stty size\n")
        terminal.expect(r"25 90\r\n")
        terminal.send("exit 3\n")
        assert terminal.wait() == 3


def test_attach(casemate, busybox):
    casemate.ok("run", "-d", "--name", "box", busybox, "sh", "-c", "while [ ! -e /go ]; do echo tick; sleep 0.1; done; echo after; exit 6")
    process = casemate.popen("attach", "--no-stdin", "box")
    assert process.stdout.readline() == b"tick\n"
    casemate.ok("exec", "box", "touch", "/go")
    out, _ = process.communicate(timeout=wait.seconds(30))
    assert process.returncode == 6 and out.endswith(b"after\n")
    casemate.fails("attach", "box", status=1, says="not running")


# Sudden deaths

def test_killed_command_leaves_a_running_container_alone(casemate, busybox):
    """kill -9 of the command: the container goes on, its supervisor holds it, and rm -f leaves nothing."""
    process = casemate.popen("run", "--name", "box", busybox, "sh", "-c", "echo up; sleep 300")
    assert process.stdout.readline() == b"up\n"
    process.kill()
    process.communicate()
    assert casemate.ok("ps", "--format", "{{.State}}") == "running\n"
    wait.until(lambda: casemate.ok("logs", "box") == "up\n", what="the line is in the log")  # a client may see it a moment earlier
    casemate.ok("rm", "-f", "box")


def test_killed_command_at_any_moment_leaves_nothing(casemate, busybox):
    """SIGKILL after 0, 2, 4 ... ms of `run --rm`: the next commands mend whatever stage it was in."""
    for delay in range(0, 60, 4):
        process = casemate.popen("run", "--rm", busybox, "true")
        time.sleep(delay / 1000)
        process.kill()
        process.communicate()
    wait.until(lambda: not casemate.ok("ps", "-q"), what="the containers to end")
    casemate.remove_containers()
    run_out(casemate, busybox, "true")


def test_killed_shim_is_a_lost_supervisor(casemate, busybox):
    casemate.ok("run", "-d", "--name", "box", busybox, "sleep", "300")
    pid = casemate.pid("box")
    parent = int(host.status_field(pid, "PPid"))
    assert "casemate-shim" in host.exe(parent)
    os.kill(parent, signal.SIGKILL)
    wait.until(lambda: casemate.ok("ps", "-a", "--format", "{{.State}}") == "dead\n")
    wait.until(lambda: not os.path.exists("/proc/%d" % pid) or host.status_field(pid, "State").startswith("Z"))
    casemate.ok("rm", "box")


def test_two_commands_race_for_one_name(casemate, busybox):
    processes = [casemate.popen("create", "--name", "box", busybox) for _ in range(6)]
    statuses = [p.wait(wait.seconds(60)) for p in processes]
    for p in processes:
        p.communicate()
    assert sorted(statuses) == [0, 1, 1, 1, 1, 1]
    assert casemate.ok("ps", "-aq").count("\n") == 1


def test_many_at_once(casemate, busybox):
    processes = [casemate.popen("run", "--rm", busybox, "echo", i) for i in range(12)]
    outs = [p.communicate(timeout=wait.seconds(120)) for p in processes]
    assert [o.decode().strip() for o, _ in outs] == [str(i) for i in range(12)], outs
