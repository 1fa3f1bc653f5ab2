# SPDX-License-Identifier: Apache-2.0
"""--security-opt seccomp=FILE and the filters of granted capabilities, in real containers."""
import glob
import hashlib
import json
import os
import shutil
import signal

import pytest

from lib import host, wait

ALLOW, ERRNO = "SCMP_ACT_ALLOW", "SCMP_ACT_ERRNO"
DATA = os.path.join(os.path.dirname(__file__), "..", "..", "data", "seccomp")
SHELL = ("sh", "-c")


def without(*names, errno=13):
    """Everything but these calls."""
    return {"defaultAction": ALLOW, "syscalls": [{"names": list(names), "action": ERRNO, "errnoRet": errno}]}


NO_MKDIR = without("mkdir", "mkdirat")


@pytest.fixture
def profile(tmp_path):
    """Writes a profile and gives the option that names it."""
    def write(content, name="profile.json"):
        path = tmp_path / name
        path.write_text(content if isinstance(content, str) else json.dumps(content))
        return "seccomp=%s" % path
    return write


def kept(casemate):
    return glob.glob(casemate.root + "/cache/filter-*")


def helpers_with(casemate, tmp_path, program):
    """Environment in which `program` stands in the place of casemate-seccomp."""
    if not casemate.installation.libexec:
        pytest.skip("the place of the helper programs is not known")
    path = tmp_path / "libexec"
    shutil.copytree(casemate.installation.libexec, path)
    shutil.copy(program, path / "casemate-seccomp")
    return {"CASEMATE_LIBEXEC": str(path)}


@pytest.mark.row(64)
@pytest.mark.parametrize("errno, says", [(1, "not permitted"), (13, "Permission denied"), (38, "not implemented")])
def test_a_call_is_taken_away(casemate, busybox, profile, errno, says):
    option = profile(without("mkdir", "mkdirat", errno=errno))
    result = casemate.run("run", "--rm", "--security-opt", option, busybox, *SHELL, "echo works; mkdir /tmp/x")
    assert (result.status, result.out) == (1, "works\n") and says in result.err, result
    casemate.ok("run", "--rm", busybox, "mkdir", "/tmp/x")


@pytest.mark.row(64)
def test_a_list_of_what_is_needed(casemate, busybox, profile):
    """The other way to write a profile: deny by default."""
    with open(os.path.join(DATA, "default.json"), encoding="utf-8") as f:
        written = json.load(f)
    for entry in written["syscalls"]:
        entry["names"] = [name for name in entry["names"] if not name.startswith("mkdir")] or ["read"]
    result = casemate.run("run", "--rm", "--security-opt", profile(written), busybox, *SHELL, "ls / && mkdir /tmp/x")
    assert result.status == 1 and "bin" in result.out and "not permitted" in result.err, result


@pytest.mark.row(54)
@pytest.mark.row(64)
def test_exec_and_a_later_start_have_it(casemate, busybox, profile, tmp_path):
    """And what becomes of the file does not matter."""
    casemate.ok("create", "--name", "web", "--security-opt", profile(NO_MKDIR), busybox, "sleep", "1000")
    profile({"defaultAction": ALLOW})
    for again in range(2):
        casemate.ok("start", "web")
        assert "Permission denied" in casemate.run("exec", "web", "mkdir", "/tmp/x").err
        first, second = (host.read("/proc/%d/status" % casemate.pid("web")),
                         casemate.ok("exec", "web", "cat", "/proc/self/status"))
        filters = [line for line in first.splitlines() if line.startswith("Seccomp")]
        assert filters == [line for line in second.splitlines() if line.startswith("Seccomp")] and len(filters) == 2
        casemate.ok("stop", "-t", "0", "web")
        os.unlink(tmp_path / "profile.json") if not again else None


def test_explain_shows_the_digest_of_the_file(casemate, busybox, profile):
    option = profile(NO_MKDIR)
    casemate.ok("run", "-d", "--name", "web", "--security-opt", option, busybox, "sleep", "1000")
    with open(option[len("seccomp="):], "rb") as f:
        digest = hashlib.sha256(f.read()).hexdigest()
    lines = [json.loads(line) for line in casemate.ok("explain", "--format", "json", "web").splitlines()]
    line = [l for l in lines if l["What"] == "own profile"]
    assert len(line) == 1 and line[0]["State"] == "holds" and digest in line[0]["Value"], lines
    assert casemate.ok("inspect", "--format", "{{.Casemate.SeccompProfile}}", "web").strip() == "sha256:" + digest


@pytest.mark.parametrize("content, says", [
    ("", "it is empty"), ("{", "is not valid JSON at byte 1"), ("[]", "must be an object"), ("{}", "defaultAction: is missing"),
    ({"defaultAction": "SCMP_ACT_MAYBE"}, "defaultAction: unknown action SCMP_ACT_MAYBE"),
    ({"defaultAction": ALLOW, "syscalls": [{"names": ["read"], "action": ALLOW},
                                           {"names": ["read"], "action": ERRNO,
                                            "args": [{"index": 0, "value": 1, "op": "=="}]}]},
     r"syscalls\[1\]: args\[0\]: op: unknown operator =="),
    (without("mkdri"), "there is no system call mkdri to refuse"),
    ({"defaultAction": ALLOW, "listenerPath": "/x"}, "listenerPath: unknown field"),
    ({"defaultAction": ALLOW, "architectures": ["SCMP_ARCH_S390X"]}, "not for this architecture"),
    ("{\"defaultAction\": \"SCMP_ACT_ALLOW\"}\0", "NUL"), ("[" * 5000, "is not valid JSON"), ("\xff{}", "is not valid JSON"),
    (" " * (1 << 20) + "{}", "seccomp|File too large"),
])
def test_malformed(casemate, busybox, profile, content, says):
    casemate.fails("run", "--rm", "--security-opt", profile(content), busybox, "true", status=125, says=says)
    assert casemate.ok("ps", "-aq") == "" and not kept(casemate)


@pytest.mark.parametrize("path", ["/nonexistent", "/", "/dev/zero"])
def test_no_file(casemate, busybox, path):
    casemate.fails("run", "--rm", "--security-opt", "seccomp=" + path, busybox, "true", status=125, says="system-call profile " + path)


@pytest.mark.row(64)
def test_more_than_the_filter_is_refused(casemate, busybox, profile):
    option = profile({"defaultAction": ERRNO, "syscalls": [{"names": ["execve", "exit_group", "read", "chroot", "mount", "bpf", "reboot", "kexec_load"],
                                                            "action": ALLOW}]})
    said = casemate.fails("create", "--security-opt", option, busybox, "true", status=1, says=r"\(practice 7\)")
    assert "mount (--cap-add SYS_ADMIN opens it)" in said and "chroot (--cap-add SYS_CHROOT opens it)" in said, said
    assert "and 1 more" in said and casemate.ok("ps", "-aq") == ""
    option = profile({"defaultAction": ALLOW, "syscalls": [{"names": ["chroot"], "action": ALLOW}]})
    casemate.fails("run", "--rm", "--security-opt", option, busybox, "true", status=125, says=r"allows chroot.*\(practice 7\)")
    casemate.ok("run", "--rm", "--cap-add", "SYS_CHROOT", "--security-opt", option, busybox, "chroot", "/", "true")


@pytest.mark.row(64)
def test_a_profile_for_all_kinds_of_programs(casemate, busybox, profile):
    """In the form of engines' own defaults: much more than the filter allows, which stays closed."""
    names = []
    for name in ("default.json", "common.json"):
        with open(os.path.join(DATA, name), encoding="utf-8") as f:
            names += [n for e in json.load(f)["syscalls"] if "caps" not in e.get("includes", {}) for n in e["names"]]
    general = {
        "defaultAction": ERRNO, "defaultErrnoRet": 1,
        "archMap": [{"architecture": "SCMP_ARCH_X86_64", "subArchitectures": ["SCMP_ARCH_X86", "SCMP_ARCH_X32"]},
                    {"architecture": "SCMP_ARCH_AARCH64", "subArchitectures": None}],
        "syscalls": [
            {"names": sorted(set(names) - {"clone", "clone3"}) + ["chown32", "_llseek", "no_such_call"], "action": ALLOW},
            {"names": ["ptrace"], "action": ALLOW, "includes": {"minKernel": "4.8"}},
            {"names": ["mount", "clone"], "action": ALLOW, "includes": {"caps": ["CAP_SYS_ADMIN"]}},
            {"names": ["clone"], "action": ALLOW, "args": [{"index": 0, "value": 2114060288, "op": "SCMP_CMP_MASKED_EQ"}],
             "excludes": {"caps": ["CAP_SYS_ADMIN"], "arches": ["s390"]}},
            {"names": ["clone3"], "action": ERRNO, "errnoRet": 38, "excludes": {"caps": ["CAP_SYS_ADMIN"]}}]}
    script = "ls / | wc -l && mkdir /tmp/x && cp /bin/busybox /tmp/x && (sleep 0 & wait) && grep Seccomp_filters /proc/self/status"
    out = casemate.ok("run", "--rm", "--security-opt", profile(general), busybox, *SHELL, script)
    assert out.splitlines()[-1].split() == ["Seccomp_filters:", "2"], out
    plain = json.loads(casemate.ok("run", "--rm", "casemate/hello", "probe", "--json"))
    under = json.loads(casemate.ok("run", "--rm", "--security-opt", profile(general), "casemate/hello", "probe", "--json"))
    assert under["syscalls_reachable"] <= plain["syscalls_reachable"] and under["powers"] == plain["powers"]


@pytest.mark.row(64)
def test_a_profile_that_kills(casemate, busybox, profile):
    option = profile({"defaultAction": ALLOW, "syscalls": [{"names": ["mkdir", "mkdirat"], "action": "SCMP_ACT_KILL_PROCESS"}]})
    result = casemate.run("run", "--rm", "--security-opt", option, busybox, *SHELL, "mkdir /tmp/x; echo $?")
    assert result.out == "%d\n" % (128 + signal.SIGSYS), result


@pytest.mark.skipif("ASAN_OPTIONS" in os.environ, reason="a sanitizer handles the fault that ends a process which may not exit")
def test_nothing_is_allowed(casemate, busybox, profile):
    """Nothing but the program's start."""
    casemate.fails("run", "--rm", "--security-opt", profile({"defaultAction": ERRNO}), busybox, "true", status=125,
                   says="refuses execve, without which no program can be started")
    start = {"defaultAction": ERRNO, "syscalls": [{"names": ["execve", "exit_group"], "action": ALLOW}]}
    result = casemate.run("run", "--rm", "--security-opt", profile(start), busybox, "true")
    assert result.status not in (0, 125), result


def test_the_second_run_needs_no_worker(casemate, busybox, profile, tmp_path):
    env = helpers_with(casemate, tmp_path, "/bin/false")
    words = ("run", "--rm", "--security-opt", profile(NO_MKDIR), busybox, *SHELL, "mkdir /tmp/x || echo refused")
    casemate.fails(*words, env=env, status=125, says="casemate-seccomp ended without a result")
    assert casemate.ok(*words) == "refused\n"
    assert [os.stat(path).st_mode & 0o7777 for path in kept(casemate)] == [0o600]
    assert casemate.ok(*words, env=env) == "refused\n"
    path, = kept(casemate)
    with open(path, "r+b") as f:
        f.seek(200)
        f.write(b"\xff\xff")
    casemate.fails(*words, env=env, status=125, says="casemate-seccomp ended without a result")
    assert casemate.ok(*words) == "refused\n"
    os.truncate(path, 100)
    casemate.fails(*words, env=env, status=125, says="casemate-seccomp ended without a result")
    shutil.rmtree(casemate.root + "/cache")
    assert casemate.ok(*words) == "refused\n"


def worker_of(casemate, program):
    """The process that runs in the place of the worker."""
    found = [pid for pid in host.pids() if host.exe(pid) == program]
    return found[0] if found else None


@pytest.mark.parametrize("whom", ["worker", "command"])
def test_killed(casemate, busybox, profile, tmp_path, whom):
    """The worker never answers; then it, or the command that waits for it, is killed."""
    env = helpers_with(casemate, tmp_path, "/usr/bin/yes")
    program = os.path.join(env["CASEMATE_LIBEXEC"], "casemate-seccomp")
    words = ("run", "--rm", "--security-opt", profile(NO_MKDIR), busybox, *SHELL, "mkdir /tmp/x || echo refused")
    command = casemate.popen(*words, env=env)
    pid = wait.until(lambda: worker_of(casemate, program))
    os.kill(pid if whom == "worker" else command.pid, signal.SIGKILL)
    out, err = command.communicate()
    if whom == "worker":
        assert command.returncode == 125 and b"ended by signal 9" in err, err
    wait.until(lambda: worker_of(casemate, program) is None)
    assert os.listdir(casemate.root + "/cache") == [] and casemate.ok("ps", "-aq") == ""
    assert casemate.ok(*words) == "refused\n"


def test_many_at_once(casemate, busybox, profile):
    option = profile(NO_MKDIR)
    commands = [casemate.popen("run", "--rm", "--security-opt", option, busybox, *SHELL, "mkdir /tmp/x || echo refused")
                for _ in range(6)]
    for command in commands:
        out, err = command.communicate()
        assert (command.returncode, out) == (0, b"refused\n"), err
    assert len(os.listdir(casemate.root + "/cache")) == 1


RAW = ("traceroute", "-I", "-m", "1", "-q", "1", "-w", "1", "127.0.0.1")


@pytest.mark.row(50)
@pytest.mark.parametrize("cap, command", [("SYS_CHROOT", ("chroot", "/", "true")), ("NET_RAW", RAW)])
def test_a_capability_opens_its_calls(casemate, busybox, cap, command):
    result = casemate.run("run", "--rm", busybox, *command)
    assert result.status != 0 and "not permitted" in result.err, result
    for again in range(2):
        casemate.ok("run", "--rm", "--cap-add", cap, busybox, *command)
    result = casemate.run("run", "--rm", "--cap-add", cap, "-u", "1000", busybox, *command)
    assert result.status != 0 and "not permitted" in result.err, "an ordinary user has none of it: %r" % (result,)
    assert len(kept(casemate)) == 1
    casemate.ok("run", "-d", "--name", "web", "--cap-add", cap, busybox, "sleep", "1000")
    casemate.ok("exec", "web", *command)


@pytest.mark.row(50)
def test_a_capability_opens_nothing_else(casemate, busybox):
    result = casemate.run("run", "--rm", "--cap-add", "NET_RAW", busybox, "chroot", "/", "true")
    assert result.status != 0 and "not permitted" in result.err, result
    casemate.ok("run", "--rm", "--cap-add", "DAC_OVERRIDE", "--cap-add", "KILL", "--cap-add", "@switch-user", busybox, "true")
    assert len(kept(casemate)) == 1, "only NET_RAW changes the filter"


def test_every_capability_makes_a_filter(casemate, busybox):
    casemate.policy('[practice "capabilities"]\nallow-capability = ALL\n')
    out = casemate.ok("run", "--rm", "--cap-add", "ALL", busybox, "grep", "-E", "CapEff|Seccomp:", "/proc/self/status")
    assert "Seccomp:\t2" in out and "CapEff:\t0000000000000000" not in out, out


@pytest.mark.row(54)
def test_set_id_bits_on_roots_own_files(casemate, busybox, tmp_path):
    """Neither the first process nor exec makes them on a writable bind, whatever is granted."""
    casemate.policy('[practice "isolation"]\nallow-host-path = /\n')
    (tmp_path / "f").write_text("x")
    flags = ("-v", "%s:/x" % tmp_path, "--cap-add", "SETFCAP")
    try_it = (*SHELL, "chmod 4755 /x/f; chmod 755 /x/f && echo done")
    casemate.ok("run", "-d", "--name", "web", *flags, busybox, "sleep", "1000")
    for words in (("run", "--rm", *flags, busybox, *try_it), ("exec", "web", *try_it)):
        result = casemate.run(*words)
        assert result.out == "done\n" and "not permitted" in result.err, result
    assert os.stat(tmp_path / "f").st_mode & 0o7777 == 0o755
