# SPDX-License-Identifier: Apache-2.0
"""Attacks of the group `secret`: canaries are given to containers in every way there is, and looked for wherever they could be seen."""
import glob
import io
import json
import os
import re
import stat
import tarfile

import pytest

from lib import host, wait

CANARY = "cnry-7Qd2xW9k"


def canary(kind):
    return "%s-%s" % (CANARY, kind)


def holders(directory):
    """Files below a directory that hold a canary, by name or by content."""
    found = set()
    for where, dirs, files in os.walk(directory):
        for name in files:
            path = os.path.join(where, name)
            if CANARY in path:
                found.add(path)
            if stat.S_ISREG(os.lstat(path).st_mode):
                with open(path, "rb") as f:
                    if CANARY.encode() in f.read():
                        found.add(path)
    return found


def memory_holds(pid):
    """The canary stands in memory of a process that can be written."""
    with open("/proc/%d/mem" % pid, "rb", 0) as memory:
        for line in host.read("/proc/%d/maps" % pid).splitlines():
            begin, end = (int(n, 16) for n in line.split()[0].split("-"))
            if not line.split()[1].startswith("rw") or end - begin > 64 << 20:  # a sanitizer's shadow is no memory of ours
                continue
            memory.seek(begin)
            if CANARY.encode() in memory.read(end - begin):
                return True
    return False


def engine_processes(casemate):
    """Ours that stay: shims, their notice processes, the tender."""
    return [pid for pid in host.pids()
            if any(host.exe(pid).replace(" (deleted)", "").startswith(p) for p in casemate.installation.programs)]


def as_another(casemate, *args):
    """The same command of somebody who logged in as another user, and became root."""
    def log_in():
        with open("/proc/self/loginuid", "w", encoding="ascii") as f:
            f.write("4242")
    try:
        process = casemate.popen(*args, preexec_fn=log_in)
    except Exception:  # subprocess hides which
        pytest.skip("the kernel has no login uids that can be set")
    out, _ = process.communicate()
    assert process.returncode == 0
    return out.decode()


@pytest.fixture
def given(casemate, busybox, tmp_path):
    """A container that runs, with canaries in its environment and in its command line, and what the command said."""
    variables = tmp_path / "env"
    variables.write_text("API_TOKEN=%s\n" % canary("file"))
    inherited = {"SESSION_SECRET": canary("inherited")}
    made = casemate.run("run", "-d", "--name", "web", "--restart", "unless-stopped", "--health-cmd", "true",
                        "-e", "DB_PASSWORD=" + canary("env"), "-e", "SESSION_SECRET", "--env-file", variables, "-e", "PLAIN=visible",
                        busybox, "sh", "-c", "echo ready; exec sleep 1000", "--password=" + canary("word"), "--token", canary("next"),
                        env=inherited)
    assert made.status == 0, made.err
    return casemate, made


def test_gen_secrets_leak_told(given):
    """Each is named, with a way that is better; the value is not."""
    _, made = given
    for name in ("DB_PASSWORD", "API_TOKEN", "SESSION_SECRET"):
        assert re.search("-e %s looks like a secret.* -v /run/%s:/run/secrets/%s:ro .*practice 12"
                         % (name, name.lower(), name.lower()), made.err), made.err
    assert "PLAIN" not in made.err and CANARY not in made.err


def test_gen_secrets_leak_disk(given):
    """Only the plan holds them: it is the engine's alone, below a directory that is the engine's alone."""
    casemate, _ = given
    casemate.ok("exec", "-e", "EXEC_TOKEN=" + canary("exec"), "web", "true")
    casemate.ok("exec", "web", "echo", "--password", canary("execword"), "KEY_TOKEN=" + canary("entry"))
    casemate.ok("logs", "web")
    plans = glob.glob(casemate.root + "/containers/*/plan.json")
    assert holders(casemate.root) == set(plans) and len(plans) == 1
    assert stat.S_IMODE(os.stat(plans[0]).st_mode) == 0o600 and os.stat(plans[0]).st_uid == os.stat(casemate.root).st_uid
    assert stat.S_IMODE(os.stat(casemate.root).st_mode) == 0o700
    assert not holders(casemate.rundir)
    casemate.ok("rm", "-f", "web")
    assert not holders(casemate.root), "something stays when the container is gone"


def test_gen_secrets_leak_processes(given):
    """Neither command line, environment nor memory of what stays beside the container."""
    casemate, _ = given
    ours = engine_processes(casemate)
    assert len(ours) >= 2, "no shim and no tender was seen"
    for pid in ours:  # before it executes, the tender is still a copy of the command that starts it
        wait.until(lambda: not any(CANARY in host.read("/proc/%d/%s" % (pid, name)) for name in ("cmdline", "environ")),
                   limit=3, what="%s to show nothing" % host.command(pid))
    shims = [pid for pid in ours if "casemate-shim" in host.exe(pid) or "casemate-notice" in host.exe(pid)]
    assert shims and not any(memory_holds(pid) for pid in shims)


def test_gen_secrets_leak_shown(given):
    """Events, audit log, explain, top, ps and log; inspect shows them to who has given them, and to nobody else."""
    casemate, _ = given
    casemate.ok("exec", "web", "sh", "-c", "echo --password=%s" % canary("shell"))
    assert CANARY in casemate.ok("inspect", "web")
    other = as_another(casemate, "inspect", "web")
    assert CANARY not in other and "PLAIN=visible" in other and "DB_PASSWORD=(hidden)" in other
    for words in (("events", "--since", "1h", "--until", "0s", "--format", "json"), ("log", "show", "--format", "json"), ("explain", "web"),
                  ("images", "--no-trunc"), ("debug", "web"), ("debug", "--format", "json", "web")):
        shown = casemate.ok(*words)
        assert shown and CANARY not in shown, words


def test_gen_secrets_leak_images(given, tmp_path):
    """An image of the container, its history and its archive; the files of the container."""
    casemate, _ = given
    made = casemate.run("commit", "web", "made:1")
    assert made.status == 0 and made.err.count("practice 12") == 3 and CANARY not in made.err
    image = json.loads(casemate.ok("image", "inspect", "made:1"))[0]
    assert "PLAIN=visible" in image["Config"]["Env"] and not any("PASSWORD" in entry for entry in image["Config"]["Env"])
    # The command is what the image is to run: it is the user's own, as it is Docker's; its history hides what looks like a secret.
    assert CANARY not in casemate.ok("history", "--no-trunc", "made:1")
    assert CANARY.encode() not in casemate.run("export", "web", text=False).out
    asked = casemate.run("commit", "-c", "ENV DB_PASSWORD=" + canary("asked"), "-c", 'CMD ["true"]', "web", "made:2")
    assert asked.status == 0
    assert "DB_PASSWORD=" + canary("asked") in json.loads(casemate.ok("image", "inspect", "made:2"))[0]["Config"]["Env"]
    casemate.ok("commit", "-c", 'CMD ["true"]', "web", "made:3")
    archive = casemate.run("save", "made:3", text=False).out
    with tarfile.open(fileobj=io.BytesIO(archive)) as members:
        for member in members:
            content = members.extractfile(member)
            assert content is None or CANARY.encode() not in content.read(), member.name


def test_gen_secrets_leak_file(casemate, busybox, tmp_path):
    """The way that run recommends leaves nothing anywhere."""
    secret = tmp_path / "password"
    secret.write_text(canary("bound"))
    made = casemate.run("run", "-d", "--name", "web", "-v", "%s:/run/secrets/password:ro" % secret, "-e",
                        "DB_PASSWORD_FILE=/run/secrets/password", busybox, "sleep", "1000")
    assert made.status == 0 and "looks like" not in made.err
    assert casemate.ok("exec", "web", "cat", "/run/secrets/password") == canary("bound")
    casemate.ok("commit", "web", "made:1")
    assert CANARY.encode() not in casemate.run("export", "web", text=False).out
    assert not holders(casemate.root) and not holders(casemate.rundir)


def test_gen_secrets_leak_tmpfs(casemate, busybox):
    """What a container keeps on a tmpfs is on no disk."""
    casemate.ok("run", "-d", "--name", "web", "--tmpfs", "/run", busybox, "sleep", "1000")
    assert casemate.run("exec", "-i", "web", "sh", "-c", "cat > /run/secret", input=canary("typed")).status == 0
    assert casemate.ok("exec", "web", "cat", "/run/secret") == canary("typed")
    assert not holders(casemate.base)


@pytest.mark.row(90)
def test_row_90_strict_refuses(casemate, busybox):
    casemate.fails("run", "--profile", "strict", "--user", "1000", "-e", "DB_PASSWORD=" + canary("strict"), busybox, "true",
                   status=125, says="DB_PASSWORD looks like a secret.*/run/secrets/db_password:ro.*--profile standard.*practice 12")
    assert not holders(casemate.root)


@pytest.mark.row(90)
@pytest.mark.parametrize("entry", ["MYSQL_ALLOW_EMPTY_PASSWORD=yes", "POSTGRES_PASSWORD_FILE=/run/secrets/x", "TOKEN_TTL=3600", "PASSWORD=",
                                   "PASSWORD_MIN_LENGTH=12", "KEYBOARD=de", "COMPASS=north", "TOKENIZER=fast", "SECRET_NAME=prod",
                                   "URL=https://example.org/?user=x"])
def test_row_90_what_is_no_secret(casemate, entry):
    assert "looks like" not in casemate.run("create", "-e", entry, "casemate/hello").err


@pytest.mark.row(90)
@pytest.mark.parametrize("entry", ["PASSWORD=hunter22", "db.password=hunter22", "mysqlRootPassword_passwd=hunter22", "X=AKIAIOSFODNN7EXAMPLE",
                                   "X=postgres://app:hunter22@db/app", "X=ghp_0123456789abcdefghijABCDEFGHIJ012345",
                                   "X=-----BEGIN PRIVATE KEY-----"])
def test_row_90_what_is_one(casemate, entry):
    assert "looks like a secret" in casemate.run("create", "-e", entry, "casemate/hello").err
