# SPDX-License-Identifier: Apache-2.0
"""What a machine boots from: the kernel's package, a minimal root file system, an initramfs. Made once and cached."""
import contextlib
import glob
import hashlib
import os
import shutil
import subprocess
import tempfile

import machines

REPOSITORY = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
CACHE = os.path.join(os.environ.get("CASEMATE_TEST_CACHE", os.path.join(REPOSITORY, ".cache")), "vm")
FORMAT = "4"  # part of the cache key: raise when the way the root is made changes


def say(text):
    print("vm: " + text, flush=True)


def command(*words, **more):
    return subprocess.run(words, check=True, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                          stderr=subprocess.PIPE, text=True, **more).stdout


def bootstrap(machine, variant, packages, tree):
    """Unpacks (variant "extract": without configuring, which needs no program of that architecture to run) or installs."""
    try:
        command("unshare", "-m", "--propagation", "private", "mmdebstrap", "--quiet", "--variant=" + variant,
                "--architectures=" + machine.architecture, "--include=" + ",".join(packages), machine.suite, tree)
    except subprocess.CalledProcessError as error:
        raise machines.CannotRun("mmdebstrap: " + (error.stderr.strip().splitlines() or ["failed"])[-1])


@contextlib.contextmanager
def working_directory():
    """mmdebstrap's own user must be able to pass through."""
    with tempfile.TemporaryDirectory(dir=CACHE) as work:
        os.chmod(work, 0o755)
        yield work


def key_of(*parts):
    return hashlib.sha256("\n".join([FORMAT, *parts]).encode()).hexdigest()[:16]


def kernel_tree(machine):
    """A directory with boot/ and lib/modules/ of the kernel's package, which is not installed."""
    tree = os.path.join(CACHE, "kernel-%s-%s-%s" % (machine.suite, machine.architecture, key_of(machine.kernel)))
    if os.path.isdir(tree):
        return tree
    say("fetching %s of %s" % (machine.kernel, machine.suite))
    with working_directory() as work:
        bootstrap(machine, "extract", [machine.kernel], work + "/all")
        os.makedirs(work + "/tree")
        modules = work + "/all/usr/lib/modules"
        if not os.path.isdir(modules):
            modules = work + "/all/lib/modules"
        command("cp", "-a", work + "/all/boot", work + "/tree/boot")
        command("cp", "-a", modules, work + "/tree/modules")
        command("depmod", "-b", prepare_depmod(work), release_of(work + "/tree"))
        os.rename(work + "/tree", tree)
    return tree


def prepare_depmod(work):
    """depmod looks for lib/modules below the directory that it is given."""
    os.makedirs(work + "/base/lib")
    os.symlink(work + "/tree/modules", work + "/base/lib/modules")
    return work + "/base"


def release_of(kernel):
    return os.listdir(kernel + "/modules")[0]


def complete_extracted(root):
    """What the packages' scripts would have done and the guest needs."""
    with open(root + "/etc/passwd", "w", encoding="ascii") as f:
        f.write("root:x:0:0:root:/root:/bin/bash\nnobody:x:65534:65534:nobody:/nonexistent:/usr/sbin/nologin\n")
    with open(root + "/etc/group", "w", encoding="ascii") as f:
        f.write("root:x:0:\nnogroup:x:65534:\n")
    for name in ("dev", "opt", "proc", "root", "run", "sys", "tmp", "var/tmp"):
        os.makedirs(os.path.join(root, name), exist_ok=True)
    for name in ("tmp", "var/tmp"):
        os.chmod(os.path.join(root, name), 0o1777)
    for name in ("run", "lock"):
        os.rmdir(os.path.join(root, "var", name))
    os.symlink("/run", root + "/var/run")
    os.symlink("/run/lock", root + "/var/lock")
    if not os.path.exists(root + "/usr/bin/awk"):
        os.symlink("gawk", root + "/usr/bin/awk")


def root_image(machine, kernel):
    """The cached ext4 image of a minimal Debian with the libraries that Casemate links and the kernel's modules; and its busybox."""
    machine = machines.MACHINES[machine.image or machine.name]
    packages = machines.packages(machine)
    base = os.path.join(CACHE, "root-%s-" % machine.name)
    image = base + key_of(os.path.basename(kernel), release_of(kernel), machine.size, *packages) + ".ext4"
    busybox = image[:-len("ext4")] + "busybox"
    if os.path.exists(image):
        return image, busybox
    say("making the root file system of %s (once, about a minute)" % machine.name)
    for old in glob.glob(base + "[0-9a-f]" * 16 + ".*"):
        os.unlink(old)
    native = command("dpkg", "--print-architecture").strip() == machine.architecture
    with working_directory() as work:
        root = work + "/root"
        bootstrap(machine, "minbase" if native else "extract", packages, root)
        if not native:
            complete_extracted(root)
        shutil.rmtree(root + "/usr/share/doc", ignore_errors=True)
        shutil.copyfile(root + ("/usr/bin/busybox" if os.path.exists(root + "/usr/bin/busybox") else "/bin/busybox"), busybox)
        command("cp", "-a", kernel + "/modules", root + "/lib/modules")
        command("mke2fs", "-q", "-t", "ext4", "-O", "^has_journal", "-d", root, image + ".part", machine.size)
        os.rename(image + ".part", image)
    return image, busybox


def cpio_entry(number, name, mode, data):
    """One record of the newc format (Documentation/driver-api/early-userspace/buffer-format of the kernel)."""
    fields = [number, mode, 0, 0, 1, 0, len(data), 0, 0, 0, 0, len(name) + 1, 0]
    record = b"070701" + b"".join(b"%08x" % f for f in fields) + name.encode() + b"\0"
    record += b"\0" * (-len(record) % 4) + data
    return record + b"\0" * (-len(record) % 4)


INITRAMFS_INIT = """#!/bin/busybox sh
/bin/busybox mount -t proc proc /proc
/bin/busybox mount -t devtmpfs dev /dev
for module in %s; do
    [ ! -f /modules/$module.ko ] || /bin/busybox insmod /modules/$module.ko
done
tries=0
while [ ! -b /dev/vdc ] && [ $tries -lt 100 ]; do /bin/busybox usleep 50000; tries=$((tries + 1)); done
/bin/busybox mount -t ext4 -o rw /dev/vda /new
/bin/busybox mkdir -p /new/opt/vm
/bin/busybox tar -xf /dev/vdb -C /new/opt/vm
/bin/busybox umount /dev /proc
exec /bin/busybox switch_root /new /opt/vm/guest/init
"""


def read_module(path):
    """A module as the kernel's insmod takes it: Debian 13 ships them compressed."""
    if path.endswith(".xz"):
        return subprocess.run(["xz", "-dc", path], check=True, stdout=subprocess.PIPE).stdout
    with open(path, "rb") as f:
        return f.read()


def make_initramfs(path, kernel, busybox):
    entries = [(d, 0o040755, b"") for d in ("bin", "dev", "modules", "new", "proc")]
    with open(busybox, "rb") as f:
        entries.append(("bin/busybox", 0o100755, f.read()))
    wanted = machines.INITRAMFS_MODULES
    entries.append(("init", 0o100755, (INITRAMFS_INIT % " ".join(wanted)).encode()))
    found = {os.path.basename(p).split(".")[0].replace("-", "_"): p
             for p in glob.glob(kernel + "/modules/*/kernel/**/*.ko*", recursive=True)}
    entries += [("modules/%s.ko" % name, 0o100644, read_module(found[name])) for name in wanted if name in found]
    with open(path, "wb") as f:
        for number, (name, mode, data) in enumerate(entries + [("TRAILER!!!", 0, b"")]):
            f.write(cpio_entry(number, name, mode, data))
