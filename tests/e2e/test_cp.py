# SPDX-License-Identifier: Apache-2.0
"""cp: what a path means by its end and by what stands there, in both directions, running and stopped; owners, links, streams, refusals."""
import io
import json
import os
import stat
import subprocess
import tarfile

import pytest


@pytest.fixture
def box(casemate, busybox):
    """A running container named box."""
    casemate.ok("run", "-d", "--name", "box", busybox, "sleep", "1000")
    return casemate


@pytest.fixture(params=["running", "stopped"])
def either(request, casemate, busybox):
    """A container named box that runs, or one that was only created."""
    if request.param == "running":
        casemate.ok("run", "-d", "--name", "box", busybox, "sleep", "1000")
    else:
        casemate.ok("create", "--name", "box", busybox, "sleep", "1000")
    return casemate


@pytest.fixture
def tree(tmp_path):
    """src/: a file, a program, an empty directory, a deep one, a link, two names of one file."""
    src = tmp_path / "src"
    (src / "deep" / "er").mkdir(parents=True)
    (src / "empty").mkdir()
    (src / "a").write_text("alpha\n")
    (src / "run").write_text("#!/bin/sh\n")
    (src / "run").chmod(0o755)
    (src / "deep" / "er" / "b").write_text("beta\n")
    (src / "link").symlink_to("a")
    os.link(src / "a", src / "hard")
    os.utime(src / "a", (1000000000, 1000000000))
    return src


def inside(casemate, *words):
    return casemate.ok("exec", "box", *words)


def shape(path):
    """Everything below a directory: name -> (kind and mode, content)."""
    found = {}
    for where, dirs, files in os.walk(path):
        for name in dirs + files:
            full = os.path.join(where, name)
            st = os.lstat(full)
            if stat.S_ISREG(st.st_mode):
                with open(full, "rb") as f:
                    content = f.read()
            else:
                content = os.readlink(full) if stat.S_ISLNK(st.st_mode) else None
            found[os.path.relpath(full, path)] = (st.st_mode, int(st.st_mtime) if stat.S_ISREG(st.st_mode) else 0, content)
    return found


def test_a_tree_there_and_back(either, tree, tmp_path):
    either.ok("cp", tree, "box:/srv")
    either.ok("cp", "box:/srv", tmp_path / "back")
    assert shape(tmp_path / "back") == shape(tree)
    assert (tmp_path / "back" / "a").stat().st_nlink == 2
    assert {os.lstat(os.path.join(where, n)).st_uid for where, d, f in os.walk(tmp_path / "back") for n in d + f} == {os.getuid()}


def test_what_was_copied_into_a_stopped_container_is_there_when_it_starts(casemate, busybox, tree):
    casemate.ok("create", "--name", "box", busybox, "cat", "/opt/new/a")
    casemate.ok("cp", tree, "box:/opt")
    casemate.ok("cp", str(tree) + "/.", "box:/opt/new")
    assert casemate.ok("start", "-a", "box") == "alpha\n"
    assert casemate.ok("ps", "-aq").strip() != ""


def test_meaning_of_the_end_into_the_container(box, tree):
    """docker-cp(1): the cases of a file and of a directory as source."""
    box.ok("cp", tree / "a", "box:/tmp/new")  # a file to what is not there
    assert inside(box, "cat", "/tmp/new") == "alpha\n"
    box.fails("cp", tree / "a", "box:/tmp/nodir/", says="no such directory")
    box.ok("cp", tree / "run", "box:/tmp/new")  # a file over a file
    assert inside(box, "cat", "/tmp/new") == "#!/bin/sh\n"
    box.ok("cp", tree / "a", "box:/tmp")  # a file into a directory
    assert inside(box, "cat", "/tmp/a") == "alpha\n"
    box.ok("cp", tree, "box:/tmp/made")  # a directory to what is not there: it is called so
    assert inside(box, "cat", "/tmp/made/a") == "alpha\n"
    box.fails("cp", tree, "box:/tmp/new", says="cannot copy directory")  # a directory over a file
    box.ok("cp", tree, "box:/tmp/made")  # a directory into a directory
    assert inside(box, "cat", "/tmp/made/src/a") == "alpha\n"
    box.ok("exec", "box", "mkdir", "/tmp/flat")
    box.ok("cp", str(tree) + "/.", "box:/tmp/flat")  # its content into a directory
    assert inside(box, "cat", "/tmp/flat/a") == "alpha\n"
    box.fails("cp", tree / "a", "box:/no/such/dir", says="Could not find the file /no/such in container box")
    box.fails("cp", tree / "missing", "box:/tmp", says="lstat .*missing: no such file or directory")


def test_meaning_of_the_end_out_of_the_container(box, tree, tmp_path):
    box.ok("cp", tree, "box:/srv")
    out = tmp_path / "out"
    out.mkdir()
    box.ok("cp", "box:/srv/a", out)
    box.ok("cp", "box:/srv/a", out / "named")
    assert (out / "a").read_text() == (out / "named").read_text() == "alpha\n"
    box.ok("cp", "box:/srv", out)
    assert (out / "srv" / "a").exists()
    box.ok("cp", "box:/srv/.", out / "fresh")
    assert (out / "fresh" / "a").exists()
    box.ok("cp", "box:srv/deep/.", out)  # relative to the root
    assert (out / "er" / "b").exists()
    box.fails("cp", "box:/srv", out / "named", says="cannot copy directory")
    box.fails("cp", "box:/srv/a", tmp_path / "no" / "such", says="invalid output path: directory .* does not exist")
    box.fails("cp", "box:/srv/nothing", out, says="Could not find the file /srv/nothing in container box")
    box.fails("cp", "nobody:/x", out, says="No such container: nobody")


def test_both_ends(box, tree):
    box.fails("cp", "box:/a", "box:/b", says="copying between containers is not supported")
    box.fails("cp", tree, "/tmp/x", says="must specify at least one container source")


def test_links(box, tree, tmp_path):
    box.ok("cp", tree, "box:/srv")
    box.ok("cp", "box:/srv/link", tmp_path / "as-link")
    assert os.readlink(tmp_path / "as-link") == "a"
    box.ok("cp", "-L", "box:/srv/link", tmp_path / "as-file")
    assert (tmp_path / "as-file").read_text() == "alpha\n"
    box.ok("cp", "-L", tree / "link", "box:/tmp/followed")
    assert inside(box, "cat", "/tmp/followed") == "alpha\n"
    # A destination that is a link: what it leads to is written.
    inside(box, "sh", "-c", "mkdir /tmp/real && ln -s /tmp/real /tmp/alias && ln -s real-file /tmp/file-alias")
    box.ok("cp", tree / "a", "box:/tmp/alias")
    assert inside(box, "cat", "/tmp/real/a") == "alpha\n"
    box.ok("cp", tree / "a", "box:/tmp/file-alias")
    assert inside(box, "cat", "/tmp/real-file") == "alpha\n"
    (tmp_path / "target").mkdir()
    (tmp_path / "way").symlink_to("target")
    box.ok("cp", "box:/srv/a", tmp_path / "way")
    assert (tmp_path / "target" / "a").exists()


def test_owners(box, tree, tmp_path):
    os.chown(tree / "a", 1000, 50)
    box.ok("cp", tree / "a", "box:/tmp/root")
    box.ok("cp", "-a", tree / "a", "box:/tmp/kept")
    assert inside(box, "stat", "-c", "%u:%g %a", "/tmp/root", "/tmp/kept") == "0:0 644\n1000:50 644\n"
    box.ok("cp", "box:/tmp/kept", tmp_path / "mine")
    box.ok("cp", "-a", "box:/tmp/kept", tmp_path / "theirs")
    assert (tmp_path / "mine").stat().st_uid == os.getuid()
    assert ((tmp_path / "theirs").stat().st_uid, (tmp_path / "theirs").stat().st_gid) == (1000, 50)


def test_streams(box, tree):
    archive = box.run("cp", "box:/etc/passwd", "-", text=False)
    assert archive.status == 0
    with tarfile.open(fileobj=io.BytesIO(archive.out)) as t:
        assert t.getnames() == ["passwd"] and t.extractfile("passwd").read().startswith(b"root:x:0:0")
    box.ok("exec", "box", "mkdir", "/tmp/in")
    made = io.BytesIO()
    with tarfile.open(fileobj=made, mode="w:gz") as t:
        t.add(tree, "tree")
    box.ok("cp", "-", "box:/tmp/in", input=made.getvalue())
    assert inside(box, "cat", "/tmp/in/tree/deep/er/b") == "beta\n"
    box.fails("cp", "-", "box:/tmp/in/tree/a", input=made.getvalue(), says="must be a directory")
    box.fails("cp", "-", "box:/tmp/in", input=b"this is no archive" * 100, says="archive")


def test_stream_of_a_directory_s_content(box, tree):
    box.ok("cp", tree, "box:/srv")
    archive = box.run("cp", "box:/srv/.", "-", text=False).out
    with tarfile.open(fileobj=io.BytesIO(archive)) as t:
        assert t.getnames()[0] == "." and "a" in t.getnames() and "deep/er/b" in t.getnames()


def test_directories_and_files_do_not_replace_each_other(box, tree):
    box.ok("exec", "box", "mkdir", "-p", "/tmp/d/a")
    box.fails("cp", str(tree) + "/.", "box:/tmp/d", says="cannot overwrite directory .* with non-directory")
    box.ok("exec", "box", "sh", "-c", "mkdir /tmp/e && echo x > /tmp/e/deep")
    box.fails("cp", str(tree) + "/.", "box:/tmp/e", says="cannot overwrite non-directory .* with directory")


def test_long_names_large_files_and_odd_bytes(either, tmp_path):
    src = tmp_path / "s"
    long_dir = src / ("d" * 120) / ("e" * 200)
    long_dir.mkdir(parents=True)
    (long_dir / ("f" * 250)).write_bytes(os.urandom(3 << 20))
    odd = os.fsencode(str(src)) + b"/\xff\xfe \n name"
    with open(odd, "w", encoding="utf-8") as f:
        f.write("odd\n")
    (src / ("l" * 101)).symlink_to("t" * 300)
    os.mkfifo(src / "fifo")
    either.ok("cp", src, "box:/s")
    either.ok("cp", "box:/s", tmp_path / "back")
    assert shape(tmp_path / "back") == shape(src)


def test_volumes_binds_and_tmpfs(casemate, busybox, tree, tmp_path):
    """They are part of the container's files, running or not; what is read-only stays so."""
    host_dir = tmp_path / "bound"
    host_dir.mkdir()
    casemate.ok("create", "--name", "box", "-v", "vol:/vol", "-v", "%s:/bind" % host_dir, "-v", "%s:/ro:ro" % host_dir,
                "-v", "%s:/one" % (tree / "run"), busybox, "sleep", "1000")
    for state in ("stopped", "running"):
        if state == "running":
            casemate.ok("start", "box")
        casemate.ok("cp", tree / "a", "box:/vol/%s" % state)
        casemate.ok("cp", tree / "a", "box:/bind/%s" % state)
        casemate.fails("cp", tree / "a", "box:/ro/%s" % state, says="read-only")
        assert (host_dir / state).read_text() == "alpha\n"
        assert casemate.run("cp", "box:/ro/%s" % state, "-").status == 0
    casemate.ok("cp", tree / "a", "box:/one")  # a bound file is written in place
    assert (tree / "run").read_text() == "alpha\n"
    assert inside(casemate, "cat", "/vol/stopped", "/vol/running") == "alpha\nalpha\n"
    casemate.ok("cp", "box:/vol", tmp_path / "vol")
    assert sorted(os.listdir(tmp_path / "vol")) == ["running", "stopped"]


def test_read_only_root(casemate, busybox, tree):
    casemate.ok("run", "-d", "--name", "box", "--read-only", "--tmpfs", "/scratch", busybox, "sleep", "1000")
    casemate.fails("cp", tree / "a", "box:/srv", says="read-only")
    casemate.ok("cp", tree / "a", "box:/scratch/a")
    assert inside(casemate, "cat", "/scratch/a") == "alpha\n"


def test_nothing_privileged_comes_out(box, tmp_path):
    """No set-id bit, no device node, no owner but the caller: root's copy of a container's file makes nobody root."""
    inside(box, "sh", "-c", "cp /bin/busybox /tmp/su && chmod 6755 /tmp/su && mkdir /tmp/d && mv /tmp/su /tmp/d/ && mkfifo /tmp/d/fifo")
    result = box.run("cp", "box:/tmp/d", tmp_path / "d")
    assert result.status == 0 and "1 files lost their set-user-id" in result.err
    assert stat.S_IMODE((tmp_path / "d" / "su").stat().st_mode) == 0o755
    result = box.run("cp", "box:/dev", tmp_path / "dev")
    assert result.status == 0 and "device nodes and sockets were not copied" in result.err
    assert not [n for n in os.listdir(tmp_path / "dev") if stat.S_ISCHR(os.lstat(tmp_path / "dev" / n).st_mode)]


@pytest.mark.row(99)
def test_row_99_every_copy_is_recorded(either, tree, tmp_path):
    """With user, container, both paths and the direction; a failed one too."""
    either.ok("cp", tree / "a", "box:/tmp/in")
    either.ok("cp", "box:/etc/passwd", tmp_path / "out")
    either.run("cp", "box:/etc/passwd", "-")
    either.fails("cp", "box:/no/such", tmp_path / "out2")
    records = [json.loads(line) for line in either.ok("log", "show", "--format", "json").splitlines()]
    copies = [r for r in records if r["event"] == "container.copy"]
    assert [c["what"] for c in copies] == ["to the container: %s -> /tmp/in" % (tree / "a"),
                                           "from the container: /etc/passwd -> %s" % (tmp_path / "out"),
                                           "from the container: /etc/passwd -> (standard output)",
                                           "from the container: /no/such -> %s" % (tmp_path / "out2")]
    assert all(c["name"] == "box" and c["uid"] == os.getuid() for c in copies)


@pytest.mark.row(99)
def test_row_99_copies_are_gated_by_the_policy(box, tree, tmp_path):
    box.policy('[practice "files"]\ncopy-out = no\n')
    for words in (("cp", "box:/etc/passwd", tmp_path / "x"), ("export", "-o", tmp_path / "x", "box"), ("commit", "box", "x")):
        box.fails(*words, says="the policy lets no files out of containers; copy-out = yes .*practice 13")
    box.ok("cp", tree / "a", "box:/tmp/a")
    box.policy('[practice "files"]\ncopy-in = no\n')
    box.fails("cp", tree / "a", "box:/tmp/b", says="the policy lets no files into containers; copy-in = yes .*practice 13")
    box.ok("cp", "box:/tmp/a", tmp_path / "x")
    records = [json.loads(line) for line in box.ok("log", "show", "--format", "json").splitlines()]
    assert len([r for r in records if r["event"] == "refusal" and r["practice"] == 13 and r["name"] == "box"]) == 4


def test_killed_at_any_time(casemate, busybox, tmp_path):
    """Nothing is left of a copy that was killed: no worker, no mount, no id; the container starts afterwards."""
    (tmp_path / "big").write_bytes(os.urandom(16 << 20))
    casemate.ok("create", "--name", "box", busybox, "true")
    for delay in (0.0, 0.005, 0.01, 0.02, 0.03, 0.05, 0.08, 0.12):
        process = casemate.popen("cp", tmp_path / "big", "box:/tmp/big")
        try:
            process.wait(delay)
        except subprocess.TimeoutExpired:
            process.kill()
        process.communicate()
    casemate.ok("start", "-a", "box")
    casemate.ok("rm", "box")


def test_progress_on_a_terminal(box, tree):
    with box.pty("cp", tree, "box:/srv") as t:
        t.expect("Successfully copied [0-9.]+k?B to box:/srv")
        assert t.wait() == 0
    with box.pty("cp", "-q", tree, "box:/srv2") as t:
        assert t.wait() == 0 and b"Successfully" not in t.shown
