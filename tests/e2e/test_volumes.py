# SPDX-License-Identifier: Apache-2.0
"""Volumes: their verbs, what they take from the image, who keeps them, and what is left when a start is killed in between."""
import json
import os
import re
import signal
import stat
import subprocess

import pytest

from lib import images, wait

NEUTRAL = 1879048192


def data_of(casemate, volume):
    return os.path.join(casemate.root, "volumes", volume, "data")


def sh(casemate, *words, image="seeded:latest"):
    """Runs `sh -c LAST` in a container that goes at once."""
    return casemate.ok("run", "--rm", *words[:-1], image, "sh", "-c", words[-1])


@pytest.fixture(scope="module")
def seeded_made():
    """/seed has everything that a directory can have; /app belongs to uid 1000; VOLUME /seed."""
    layer = (images.Layer().dir("seed", mode=0o1777, uid=1000, gid=2000)
             .file("seed/plain", "content\n", mode=0o646, uid=1000, gid=50, mtime=1600000000)
             .file("seed/program", "#!/bin/sh\necho ran\n", mode=0o4755, uid=0, gid=0)
             .hardlink("seed/twin", "seed/plain", mode=0o646, uid=1000, gid=50)
             .symlink("seed/absolute", "/etc/passwd").symlink("seed/broken", "../../../../../../etc/shadow")
             .fifo("seed/pipe", uid=1000).dir("seed/deep", uid=7, gid=8).dir("seed/deep/er", mode=0o711, uid=9, gid=9)
             .file("seed/deep/er/file", "deep\n", uid=9).file("seed/empty", b"")
             .dir("app", mode=0o750, uid=1000, gid=1000).dir("void"))
    return images.busybox_image([layer], {"Volumes": {"/seed": {}}}, media=images.DOCKER)


@pytest.fixture
def seeded(casemate, seeded_made):
    casemate.load(seeded_made, "seeded:latest")
    return "seeded:latest"


def seed_of(root):
    """What must be in a volume that was filled from /seed; names -> (type, mode, owner)."""
    found = {}
    for where, dirs, files in os.walk(root):
        for name in dirs + files:
            path = os.path.join(where, name)
            st = os.lstat(path)
            found[os.path.relpath(path, root)] = (stat.S_IFMT(st.st_mode), stat.S_IMODE(st.st_mode), st.st_uid - NEUTRAL,
                                                  st.st_gid - NEUTRAL)
    return found


SEED = {
    "plain": (stat.S_IFREG, 0o646, 1000, 50), "twin": (stat.S_IFREG, 0o646, 1000, 50),
    "program": (stat.S_IFREG, 0o4755, 0, 0), "absolute": (stat.S_IFLNK, 0o777, 0, 0),
    "broken": (stat.S_IFLNK, 0o777, 0, 0), "pipe": (stat.S_IFIFO, 0o644, 1000, 0), "deep": (stat.S_IFDIR, 0o755, 7, 8),
    "deep/er": (stat.S_IFDIR, 0o711, 9, 9), "deep/er/file": (stat.S_IFREG, 0o644, 9, 0),
    "empty": (stat.S_IFREG, 0o644, 0, 0),
}


def assert_seeded(casemate, volume):
    data = data_of(casemate, volume)
    assert seed_of(data) == SEED
    top = os.stat(data)
    assert (stat.S_IMODE(top.st_mode), top.st_uid - NEUTRAL, top.st_gid - NEUTRAL) == (0o1777, 1000, 2000)
    plain = os.stat(data + "/plain")
    assert plain.st_nlink == 2 and plain.st_ino == os.stat(data + "/twin").st_ino and plain.st_mtime == 1600000000
    assert os.readlink(data + "/broken") == "../../../../../../etc/shadow"


def test_a_named_volume_takes_content_and_owners(casemate, seeded):
    out = sh(casemate, "-v", "data:/seed", "cat /seed/plain; echo more > /seed/more; stat -c %u:%g:%a /seed")
    assert out == "content\n1000:2000:1777\n"
    os.unlink(data_of(casemate, "data") + "/more")
    assert_seeded(casemate, "data")


def test_a_read_only_volume_is_filled_too(casemate, seeded):
    assert sh(casemate, "-v", "data:/seed:ro", "cat /seed/deep/er/file; touch /seed/x 2>&1 || true").startswith("deep\n")
    assert_seeded(casemate, "data")


def test_an_empty_directory_gives_its_owner(casemate, seeded):
    assert sh(casemate, "-v", "data:/app", "stat -c %u:%g:%a /app") == "1000:1000:750\n"


def test_anonymous_volumes_and_volume_of_the_image(casemate, seeded):
    casemate.ok("run", "--name", "box", "-v", "/app", seeded, "true")
    mounts = {m["Destination"]: m["Name"] for m in json.loads(casemate.ok("inspect", "box"))[0]["Mounts"]}
    assert sorted(mounts) == ["/app", "/seed"]
    assert_seeded(casemate, mounts["/seed"])
    for name in mounts.values():
        assert json.loads(casemate.ok("volume", "inspect", name))[0]["Labels"] == {"com.docker.volume.anonymous": ""}
        casemate.fails("volume", "rm", name, says="in use")
    casemate.ok("rm", "-v", "box")
    assert casemate.ok("volume", "ls", "-q") == ""


def test_nocopy_and_subpath(casemate, seeded):
    assert sh(casemate, "-v", "bare:/seed:nocopy", "ls -A /seed; stat -c %u:%a /seed") == "0:755\n"
    assert sh(casemate, "--mount", "source=bare2,target=/seed,volume-nocopy", "ls -A /seed") == ""
    sh(casemate, "-v", "data:/seed", "mkdir -p /seed/sub/dir; echo s > /seed/sub/f")
    assert sh(casemate, "--mount", "source=data,target=/x,volume-subpath=sub", "ls /x") == "dir\nf\n"
    assert sh(casemate, "--mount", "source=data,target=/x/f,volume-subpath=sub/f,readonly", "cat /x/f") == "s\n"
    casemate.fails("run", "--rm", "--mount", "source=data,target=/x,volume-subpath=nothing", seeded, "true", says="nothing")
    casemate.fails("run", "--rm", "--mount", "source=data,target=/x,volume-subpath=../../..", seeded, "true", says="within")


def test_a_subpath_that_is_a_link_stays_in_the_volume(casemate, seeded, canary):
    sh(casemate, "-v", "data:/seed", "ln -s /../../../../../../../..%s /seed/out" % canary.path)
    result = casemate.run("run", "--rm", "--mount", "source=data,target=/x,volume-subpath=out", seeded, "ls", "/x")
    assert result.status == 125 and canary.path not in result.out


def test_what_is_there_is_not_copied_over(casemate, seeded):
    sh(casemate, "-v", "data:/void", "echo mine > /void/plain")
    assert sh(casemate, "-v", "data:/seed", "ls /seed; cat /seed/plain") == "plain\nmine\n"


def test_an_emptied_volume(casemate, seeded):
    """Its own container finds it empty again; a new container fills it, as with Docker."""
    casemate.ok("run", "--name", "box", "-v", "data:/seed", "--cap-add", "FOWNER", "--cap-add", "DAC_OVERRIDE", seeded,
                "sh", "-c", "ls -A /seed | wc -l; rm -rf /seed/*")
    casemate.ok("start", "-a", "box")
    assert casemate.ok("logs", "box").split() == ["8", "0"]
    sh(casemate, "-v", "data:/seed", "true")
    assert len(os.listdir(data_of(casemate, "data"))) == 8


def test_the_image_counts_not_what_is_mounted(casemate, seeded, tmp_path):
    """A volume below a bind: what it takes is the image's, never the host's."""
    os.chmod(tmp_path, 0o755)
    (tmp_path / "deep").mkdir()
    (tmp_path / "deep" / "secret").write_text("of the host\n")
    assert sh(casemate, "-v", "%s:/seed" % tmp_path, "-v", "data:/seed/deep", "ls /seed/deep") == "er\n"


def test_two_starts_on_one_new_volume(casemate, seeded):
    words = ("run", "--rm", "-v", "a:/seed", "-v", "b:/app", seeded, "sh", "-c", "ls -A /seed | wc -l")
    other = ("run", "--rm", "-v", "b:/seed", "-v", "a:/app", seeded, "true")
    running = [casemate.popen(*(words if i % 2 else other)) for i in range(8)]
    for process in running:
        out, err = process.communicate(timeout=wait.seconds(60))
        assert process.returncode == 0, err
    assert sorted(casemate.ok("volume", "ls", "-q").split()) == ["a", "b"]


def test_the_same_volume_twice(casemate, seeded):
    assert sh(casemate, "-v", "data:/seed", "-v", "data:/app", "-u", "1000", "ls -A /app | wc -l") == "8\n"


def big_image():
    layer = images.Layer().dir("big")
    for number in range(1500):
        layer.file("big/%04d" % number, b"%d" % number * 500)
    layer.file("big/large", os.urandom(1 << 20) * 48)
    return images.busybox_image([layer], media=images.DOCKER)


def test_a_start_that_is_killed_leaves_no_half_volume(casemate):
    casemate.load(big_image(), "big:latest")
    whole = sh(casemate, "cd /big; cat * | sha1sum", image="big:latest")
    seen = 0
    for attempt in range(5):
        name = "v%d" % attempt
        process = casemate.popen("run", "--rm", "-v", name + ":/big", "big:latest", "true")
        mark = os.path.join(casemate.root, "volumes", name, "fill", "filling")
        try:
            wait.until(lambda: os.path.exists(mark) or process.poll() is not None, what="the copy to begin")
            for pid in casemate._processes():
                os.kill(pid, signal.SIGKILL)
        except ProcessLookupError:
            pass
        process.communicate()
        seen += os.path.exists(mark)
        assert sh(casemate, "-v", name + ":/big", "cd /big; cat * | sha1sum", image="big:latest") == whole
        assert not os.path.exists(mark)
    assert seen, "no start was killed in the middle"


# --volumes-from

def test_volumes_from(casemate, seeded, tmp_path):
    os.chmod(tmp_path, 0o755)
    casemate.ok("run", "--name", "one", "-v", "named:/app", "-v", "%s:/host:ro" % tmp_path, "-u", "1000", seeded, "sh", "-c", "echo 1 > /app/f")
    assert sh(casemate, "--volumes-from", "one", "-u", "1000", "cat /app/f; ls -A /seed | wc -l; ls -d /host") == "1\n8\n/host\n"
    out = sh(casemate, "--volumes-from", "one:ro", "-u", "1000", "touch /app/g /seed/g 2>&1; echo $?")
    assert out.count("Read-only file system") == 2 and out.endswith("1\n")
    assert sh(casemate, "--volumes-from", "one", "-v", "other:/app", "-u", "1000", "ls -A /app") == ""
    casemate.fails("run", "--rm", "--volumes-from", "nobody", seeded, "true", status=125, says="No such container: nobody")
    casemate.fails("run", "--rm", "--volumes-from", "one:x", seeded, "true", status=125, says="mode")


def test_an_anonymous_volume_goes_with_its_last_container(casemate, seeded):
    casemate.ok("run", "--name", "one", seeded, "true")
    casemate.ok("create", "--name", "two", "--volumes-from", "one", seeded, "ls", "/seed/plain")
    casemate.ok("rm", "-v", "one")
    assert casemate.ok("start", "-a", "two") == "/seed/plain\n"
    casemate.ok("rm", "-v", "two")
    assert casemate.ok("volume", "ls", "-q") == ""


# The verbs

def test_create_ls_inspect_rm(casemate):
    assert casemate.ok("volume", "create", "--label", "tier=db", "--label", "bare", "data") == "data\n"
    assert casemate.ok("volume", "create", "data") == "data\n"
    made = casemate.ok("volume", "create").strip()
    assert re.fullmatch("[0-9a-f]{64}", made)
    assert casemate.ok("volume", "ls").splitlines()[0].split("   ")[0].strip() == "DRIVER"
    assert sorted(casemate.ok("volume", "list", "-q").split()) == sorted([made, "data"])
    seen = json.loads(casemate.ok("volume", "inspect", "data"))[0]
    assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(Z|[+-]\d\d:\d\d)", seen.pop("CreatedAt"))
    assert seen == {"Driver": "local", "Labels": {"tier": "db", "bare": ""}, "Mountpoint": data_of(casemate, "data"),
                    "Name": "data", "Options": None, "Scope": "local", "Casemate": {"Disk": None, "Users": []}}
    assert os.path.isdir(seen["Mountpoint"])
    assert casemate.ok("volume", "inspect", "--format", "{{.Name}} {{.Driver}}", "data") == "data local\n"
    assert json.loads(casemate.ok("inspect", "--type", "volume", "data"))[0]["Name"] == "data"
    assert casemate.ok("volume", "rm", "data", made) == "data\n%s\n" % made
    casemate.fails("volume", "rm", "data", status=1, says="no such volume: data")
    assert casemate.ok("volume", "rm", "-f", "data") == "data\n"
    for name in ("../x", "a/b", "", ".x"):
        casemate.fails("volume", "create", "--name", name, says="invalid")
    casemate.fails("volume", "create", "-d", "nfs", "x", says="local is")
    casemate.fails("volume", "create", "-o", "type=nfs", "x", says="not supported")
    casemate.fails("volume", "create", "--name", "x", "y", says="conflicting")


def test_filters(casemate, seeded):
    casemate.ok("volume", "create", "--label", "a=1", "--label", "b=2", "one")
    casemate.ok("volume", "create", "--label", "a=2", "two")
    casemate.ok("create", "--name", "box", "-v", "used:/x", seeded, "true")

    def names(*filters):
        return casemate.ok("volume", "ls", "-q", *[w for f in filters for w in ("--filter", f)]).split()
    assert names("label=a") == ["one", "two"]
    assert names("label=a", "label=b=2") == ["one"]
    assert names("name=o") == ["one", "two"]
    assert names("name=one", "name=two") == ["one", "two"]
    assert names("dangling=true") == ["one", "two"] and names("dangling=false") == ["used"]
    assert names("driver=local") == ["one", "two", "used"] and names("driver=nfs") == []
    assert names("label!=a") == ["used"] and names("label!=b=2", "label=a") == ["two"]
    for wrong in ("colour=red", "dangling=maybe", "label"):
        casemate.fails("volume", "ls", "--filter", wrong, status=1, says="filter '%s" % wrong.partition("=")[0])
    assert casemate.ok("volume", "ls", "--format", "{{.Name}}:{{.Labels}}", "--filter", "name=two") == "two:a=2\n"


def test_a_volume_in_use_stays(casemate, seeded):
    casemate.ok("create", "--name", "box", "-v", "data:/x", seeded, "true")
    box = casemate.ok("ps", "-aq", "--no-trunc").strip()
    assert box[:12] in casemate.fails("volume", "rm", "data", status=1, says="volume is in use")
    assert casemate.ok("volume", "prune", "-af") == "Total reclaimed space: 0B\n"
    assert json.loads(casemate.ok("volume", "inspect", "data"))[0]["Casemate"]["Users"] == [box]
    casemate.ok("rm", "box")
    assert casemate.ok("volume", "rm", "data") == "data\n"


def test_prune(casemate, seeded):
    casemate.ok("run", "--name", "box", seeded, "sh", "-c", "dd if=/dev/zero of=/seed/mega bs=1M count=1")
    casemate.ok("rm", "box")
    casemate.ok("volume", "create", "--label", "keep", "named")
    casemate.ok("volume", "create", "other")
    casemate.fails("volume", "prune", status=1, says="cancelled")
    out = casemate.run("volume", "prune", input="y\n").out
    assert out.startswith("WARNING! This will remove anonymous local volumes") and "Deleted Volumes:\n" in out
    assert re.search(r"\n\nTotal reclaimed space: 1\.05MB\n$", out)
    assert casemate.ok("volume", "ls", "-q").split() == ["named", "other"]
    assert casemate.ok("volume", "prune", "--force", "-a", "--filter", "label!=keep").splitlines()[1] == "other"
    assert casemate.ok("volume", "prune", "-f", "--filter", "all=true").splitlines()[1] == "named"


def test_run_makes_volumes_with_labels(casemate, seeded):
    sh(casemate, "--mount", "source=data,target=/x,volume-label=tier=db,volume-label=x,volume-driver=local", "true")
    assert json.loads(casemate.ok("volume", "inspect", "data"))[0]["Labels"] == {"tier": "db", "x": ""}
    casemate.fails("run", "--rm", "--mount", "source=data,target=/x,volume-driver=nfs", seeded, "true", status=125, says="local")
    casemate.fails("run", "--rm", "--mount", "type=tmpfs,target=/x,volume-nocopy", seeded, "true", status=125, says="volume only")


def test_the_audit_log_has_volumes(casemate, seeded):
    casemate.ok("volume", "create", "data")
    sh(casemate, "-v", "made:/x", "true")
    casemate.ok("volume", "rm", "data")
    casemate.ok("volume", "prune", "-af")
    records = [json.loads(line) for line in casemate.ok("log", "show", "--format", "json").splitlines()]
    said = [(r["event"], r["name"]) for r in records if r["event"].startswith("volume.")]
    assert said == [("volume.create", "data"), ("volume.create", "made"), ("volume.remove", "data"), ("volume.remove", "made")]


def test_rm_against_start(casemate, seeded):
    """Whoever comes first: a container that was made has its volume."""
    for _ in range(10):
        casemate.ok("volume", "create", "data")
        starting = casemate.popen("run", "--rm", "-v", "data:/seed", seeded, "cat", "/seed/plain")
        casemate.run("volume", "rm", "data")
        out, err = starting.communicate(timeout=wait.seconds(60))
        assert (starting.returncode, out) == (0, b"content\n"), err
        casemate.ok("volume", "rm", "-f", "data")


def test_volumes_of_an_older_casemate(casemate, seeded):
    """No volume.json, no users/: found in use by the plans of the containers."""
    casemate.ok("create", "--name", "box", "-v", "data:/x", seeded, "true")
    subprocess.run("rm -r volume.json users fill && touch fresh", shell=True, check=True,
                   cwd=os.path.join(casemate.root, "volumes", "data"))
    casemate.fails("volume", "rm", "data", says="in use")
    assert casemate.ok("volume", "ls", "-q", "--filter", "dangling=true") == ""
    casemate.ok("start", "-a", "box")
    casemate.ok("rm", "box")
    assert casemate.ok("volume", "rm", "data") == "data\n"


def test_labels_of_selinux_are_accepted_and_explained(casemate, seeded, tmp_path):
    os.chmod(tmp_path, 0o755)
    casemate.ok("run", "-d", "--name", "box", "-v", "data:/x:z", "-v", "%s:/y:ro,Z" % tmp_path, seeded, "sleep", "1000")
    out = casemate.ok("explain", "--no-trunc", "box")
    assert len(re.findall("SELinux label", out)) == 2
    if not os.path.exists("/sys/fs/selinux/enforce"):
        assert re.search(r"SELinux label +/x: this host has no SELinux", out) and "/y: this host has no SELinux" in out


# How much it takes

def test_inspect_size(casemate, seeded):
    casemate.ok("run", "--name", "box", "-v", "data:/d", seeded, "sh", "-c",
                "dd if=/dev/zero of=/tmp/a bs=1000 count=1000; ln /tmp/a /tmp/b; truncate -s 1G /tmp/holes; dd if=/dev/zero of=/d/x bs=1M count=3")
    plain = json.loads(casemate.ok("inspect", "box"))[0]
    assert "SizeRw" not in plain and "SizeRootFs" not in plain
    sized = json.loads(casemate.ok("inspect", "-s", "box"))[0]
    assert sized["SizeRw"] == 1000000, "hard links once, holes not, the volume not"
    image = json.loads(casemate.ok("inspect", "--type", "image", seeded))[0]["Size"]
    assert sized["SizeRootFs"] == 1000000 + image


# A file system for the store

def test_store_image(casemate, tmp_path):
    path = str(tmp_path / "store.img")
    out = casemate.ok("system", "store-image", "--file", path, "300m")
    assert "%s %s ext4 loop,prjquota,nodev,nosuid 0 2\n" % (path, casemate.root) in out
    st = os.stat(path)
    assert st.st_size == 300 << 20 and st.st_blocks * 512 < 64 << 20 and stat.S_IMODE(st.st_mode) == 0o600
    shown = subprocess.run(["dumpe2fs", "-h", path], capture_output=True, text=True, check=True).stdout
    features = re.search("^Filesystem features: (.*)$", shown, re.M).group(1).split()
    assert {"quota", "project"} <= set(features) and "Project quota inode" in shown
    with open(path, "rb") as f:
        before = f.read(1 << 20)
    casemate.fails("system", "store-image", "--file", path, "300m", status=1, says="exists already")
    with open(path, "rb") as f:
        assert f.read(1 << 20) == before
    for size in ("1m", "17t", "lots", "-5"):
        casemate.fails("system", "store-image", "--file", path + "2", "--", size, says="size")
    casemate.fails("system", "store-image", "--file", casemate.root + "/x", "1g", status=1, says="below the data root")
    casemate.fails("system", "store-image", "--file", "relative", "1g", status=1, says="--file")
    assert not os.path.exists(path + "2")


def test_store_image_that_was_killed(casemate, tmp_path):
    """Under its own name it is complete or not there; what a killed command has left is taken by the next."""
    path = str(tmp_path / "store.img")
    for _ in range(5):
        killed = casemate.popen("system", "store-image", "--file", path, "2g")
        wait.until(lambda: os.path.exists(path + ".unfinished") or killed.poll() is not None, 20, "the file")
        killed.kill()
        killed.communicate()
        assert not os.path.exists(path) or killed.returncode == 0
        if killed.returncode == 0:
            break

    def again():
        done = casemate.run("system", "store-image", "--file", path, "300m")
        assert done.status == 0 or "another command is making" in done.err or "exists already" in done.err, done.err
        return done.status == 0 or os.path.exists(path)
    wait.until(again, 30, "the lock of what the killed command has started")
    assert subprocess.run(["e2fsck", "-fn", path], capture_output=True, text=True).returncode == 0
    assert os.listdir(tmp_path) == ["store.img"]


def test_info_says_whether_disks_are_limited(casemate):
    casemate.ok("ps")
    assert casemate.ok("info", "--format", "{{.DiskLimits}}").strip()
    assert "Disk Limits: " in casemate.ok("info")
