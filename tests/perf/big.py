# SPDX-License-Identifier: Apache-2.0
"""A large image of three layers, made of this machine's own /usr: sizes and content as real images have them."""
import concurrent.futures
import gzip
import hashlib
import os
import stat
import tarfile

from lib import images

SOURCES = ("/usr/share", "/usr/lib", "/usr/bin")
LARGEST_FILE = 32 << 20


class _Hashed:
    """A file object that hashes what goes through it."""

    def __init__(self, file):
        self.file, self.sha = file, hashlib.sha256()

    def write(self, data):
        self.sha.update(data)
        return self.file.write(data)


def _entries(source, budget):
    """Paths below `source` in a fixed order, until `budget` bytes of files: a parent always before what is in it."""
    for where, dirs, files in os.walk(source):
        dirs.sort()
        yield where
        links = [d for d in dirs if os.path.islink(os.path.join(where, d))]
        for name in sorted(files + links):
            path = os.path.join(where, name)
            info = os.lstat(path)
            if stat.S_ISREG(info.st_mode):
                if info.st_size > LARGEST_FILE:
                    continue
                budget -= info.st_size
            elif not stat.S_ISLNK(info.st_mode):
                continue
            yield path
            if budget <= 0:
                return


def _layer(path, source, budget):
    """Writes one layer as a .tar.gz; returns (FileLayer, bytes of the tar, number of entries)."""
    count = 0
    with open(path, "wb") as raw, gzip.GzipFile("", "wb", 6, raw, 0) as packed:
        out = _Hashed(packed)
        with tarfile.open(fileobj=out, mode="w|", format=tarfile.PAX_FORMAT) as archive:
            for entry in ["/usr", *_entries(source, budget)]:
                info = archive.gettarinfo(entry, arcname=entry.lstrip("/"))
                if info.islnk():  # its first name may be outside
                    info.type, info.linkname, info.size = tarfile.REGTYPE, "", os.lstat(entry).st_size
                info.mode &= 0o777
                if info.isreg():
                    with open(entry, "rb") as file:
                        archive.addfile(info, file)
                else:
                    archive.addfile(info)
                count += 1
            size = archive.offset
    return images.FileLayer(path, "gzip", "sha256:" + out.sha.hexdigest()), size, count


def make(directory, megabytes):
    """(image, a sentence that says what is in it)."""
    with concurrent.futures.ThreadPoolExecutor() as pool:  # zlib and the hash run beside each other
        jobs = [pool.submit(_layer, os.path.join(directory, "layer%d.tar.gz" % number), source,
                            (megabytes << 20) // len(SOURCES)) for number, source in enumerate(SOURCES)]
        made = [job.result() for job in jobs]
    layers, size, count = [m[0] for m in made], sum(m[1] for m in made), sum(m[2] for m in made)
    image = images.make_image(layers, {"Cmd": ["true"]}, media=images.DOCKER)
    packed = sum(os.path.getsize(layer.path) for layer in layers)
    return image, "%d layers, %d MB as gzip, %d MB unpacked, %d entries" % (len(layers), packed / 1e6, size / 1e6,
                                                                            count)
