# SPDX-License-Identifier: Apache-2.0
"""The machines that tests/vm/run can boot: one of Debian's kernels each, under software emulation."""
import dataclasses


class CannotRun(Exception):
    """Why a machine is skipped, in one line."""


@dataclasses.dataclass(frozen=True)
class Machine:
    name: str
    suite: str
    architecture: str  # Debian's name
    release: str       # how its kernel's release begins
    kernel: str        # meta package
    qemu: str
    model: tuple       # of qemu: the machine and its processor
    console: str
    scripts: tuple     # guest scripts; () is all of them
    image: str = ""        # the machine whose root image it boots, when that is not its own
    more: tuple = ()       # packages besides the common ones
    size: str = "900M"     # of the root image
    systemd: bool = False  # the first process is systemd, and a script may ask for a reboot; else guest/init


# In load order: what the kernel needs to find its root disk. A module that the kernel has built in is left out.
INITRAMFS_MODULES = ["virtio_ring", "virtio", "virtio_pci_modern_dev", "virtio_pci_legacy_dev", "virtio_pci",
                     "virtio_blk", "crc32c_generic", "libcrc32c", "crc16", "mbcache", "jbd2", "ext4"]

# What Casemate links and what the guest scripts use.
PACKAGES = ["apparmor", "bash", "busybox-static", "coreutils", "dash", "findutils", "gawk", "grep", "kmod", "libarchive13",
            "libcmocka0", "libcurl4", "libisal2", "libjson-c5", "libnettle8", "libseccomp2", "libsqlite3-0",
            "libzstd1", "mount", "procps", "sed", "tar", "uidmap", "util-linux"]
# Debian 13 named some anew, for 64-bit times on 32-bit machines.
RENAMED = {"trixie": {"libarchive13": "libarchive13t64", "libcurl4": "libcurl4t64", "libnettle8": "libnettle8t64"}}

# What makes it a Debian that boots: a service manager, its journal, sessions and users' managers. No udev: nothing waits for devices.
PACKAGES_SYSTEMD = ["dbus", "dbus-user-session", "e2fsprogs", "libpam-systemd", "login", "systemd", "systemd-sysv"]

# Who schedules containers through the OCI runtime.
PACKAGES_CLIENTS = ["ca-certificates", "docker.io", "podman", *PACKAGES_SYSTEMD]

PC = ("-M", "pc", "-cpu", "max")
VIRT = ("-M", "virt", "-cpu", "max,pauth-impdef=on")

MACHINES = {machine.name: machine for machine in (
    Machine("debian12", "bookworm", "amd64", "6.1.", "linux-image-cloud-amd64", "qemu-system-x86_64", PC, "ttyS0", ()),
    Machine("debian13", "trixie", "amd64", "6.12.", "linux-image-cloud-amd64", "qemu-system-x86_64", PC, "ttyS0",
            ("10-kernel", "20-run", "25-living")),
    Machine("debian12-arm64", "bookworm", "arm64", "6.1.", "linux-image-cloud-arm64", "qemu-system-aarch64", VIRT, "ttyAMA0",
            ("10-kernel", "20-run", "40-arm64", "45-unit")),
    Machine("debian12-systemd", "bookworm", "amd64", "6.1.", "linux-image-cloud-amd64", "qemu-system-x86_64", PC, "ttyS0",
            ("70-units", "71-user", "72-rebooted", "73-scopes"), more=tuple(PACKAGES_SYSTEMD), systemd=True),
    Machine("debian12-clients", "bookworm", "amd64", "6.1.", "linux-image-cloud-amd64", "qemu-system-x86_64", PC, "ttyS0",
            ("74-clients",), more=tuple(PACKAGES_CLIENTS), size="1500M"),
    Machine("debian12-clients-systemd", "bookworm", "amd64", "6.1.", "linux-image-cloud-amd64", "qemu-system-x86_64", PC, "ttyS0",
            ("74-clients",), image="debian12-clients", systemd=True),
)}


def packages(machine):
    renamed = RENAMED.get(machine.suite, {})
    return [renamed.get(package, package) for package in sorted([*PACKAGES, *machine.more])]
