# SPDX-License-Identifier: Apache-2.0
"""Makes images, good and hostile, from nothing but the standard library (and the zstd command).

    image = make_image([Layer().dir("etc").file("etc/hello", "hi\\n")], {"Cmd": ["/bin/sh"]})
    write_docker_archive(path, image, ["test/hello:latest"])
    write_oci_archive(path, image, "latest")
    registry.push(image, "test/hello:latest")

Nothing here checks what it is told to write: names may be absolute, climb out or repeat, ids may be any number.
"""
import gzip
import hashlib
import io
import json
import os
import subprocess
import tarfile

OCI = "oci"
DOCKER = "docker"

TYPES = {
    OCI: {
        "manifest": "application/vnd.oci.image.manifest.v1+json",
        "index": "application/vnd.oci.image.index.v1+json",
        "config": "application/vnd.oci.image.config.v1+json",
        "layer": "application/vnd.oci.image.layer.v1.tar",
        "gzip": "application/vnd.oci.image.layer.v1.tar+gzip",
        "zstd": "application/vnd.oci.image.layer.v1.tar+zstd",
    },
    DOCKER: {
        "manifest": "application/vnd.docker.distribution.manifest.v2+json",
        "index": "application/vnd.docker.distribution.manifest.list.v2+json",
        "config": "application/vnd.docker.container.image.v1+json",
        "layer": "application/vnd.docker.image.rootfs.diff.tar",
        "gzip": "application/vnd.docker.image.rootfs.diff.tar.gzip",
        "zstd": "application/vnd.docker.image.rootfs.diff.tar.zstd",
    },
}


def as_bytes(data):
    return data.encode() if isinstance(data, str) else data


class Blob:
    """Content with a digest: bytes in memory, or a file too large for that."""

    def __init__(self, data=None, path=None):
        self.data, self.path = data, path
        sha = hashlib.sha256()
        self.size = 0
        with self.open() as f:
            while chunk := f.read(1 << 20):
                sha.update(chunk)
                self.size += len(chunk)
        self.digest = "sha256:" + sha.hexdigest()

    def open(self):
        return io.BytesIO(self.data) if self.path is None else open(self.path, "rb")

    def read(self):
        with self.open() as f:
            return f.read()


class Layer:
    """The entries of one layer, in the order in which they were added. Every method returns self."""

    def __init__(self, format=tarfile.PAX_FORMAT):
        self.format = format
        self.entries = []

    def add(self, name, type, data=b"", mode=0o644, uid=0, gid=0, link="", major=0, minor=0, mtime=1700000000,
            xattrs=None, pax=None, size=None):
        """Any entry. `size` may lie about the data; `pax` are raw extended headers."""
        info = tarfile.TarInfo(name)
        info.type, info.mode, info.uid, info.gid, info.mtime = type, mode, uid, gid, mtime
        info.linkname, info.devmajor, info.devminor = link, major, minor
        info.pax_headers = dict(pax or {})
        for key, value in (xattrs or {}).items():
            info.pax_headers["SCHILY.xattr." + key] = value if isinstance(value, str) else value.decode("latin-1")
        data = as_bytes(data)
        info.size = len(data) if size is None else size
        self.entries.append((info, data))
        return self

    def file(self, name, data=b"", mode=0o644, **more):
        return self.add(name, tarfile.REGTYPE, data, mode, **more)

    def dir(self, name, mode=0o755, **more):
        return self.add(name, tarfile.DIRTYPE, mode=mode, **more)

    def symlink(self, name, target, **more):
        return self.add(name, tarfile.SYMTYPE, mode=0o777, link=target, **more)

    def hardlink(self, name, target, **more):
        return self.add(name, tarfile.LNKTYPE, link=target, **more)

    def chardev(self, name, major, minor, mode=0o666, **more):
        return self.add(name, tarfile.CHRTYPE, mode=mode, major=major, minor=minor, **more)

    def blockdev(self, name, major, minor, mode=0o666, **more):
        return self.add(name, tarfile.BLKTYPE, mode=mode, major=major, minor=minor, **more)

    def fifo(self, name, **more):
        return self.add(name, tarfile.FIFOTYPE, **more)

    def whiteout(self, path):
        """Removes `path` of the layers below."""
        head, tail = os.path.split(path)
        return self.file(os.path.join(head, ".wh." + tail), mode=0)

    def opaque(self, directory):
        """Hides everything that the layers below have in `directory`."""
        return self.file(os.path.join(directory, ".wh..wh..opq"), mode=0)

    def tar(self):
        out = io.BytesIO()
        with tarfile.open(fileobj=out, mode="w", format=self.format) as archive:
            for info, data in self.entries:
                archive.fileobj.write(info.tobuf(self.format, "utf-8", "surrogateescape"))
                archive.fileobj.write(data + b"\0" * (-len(data) % 512))
        return out.getvalue() if self.entries else b"\0" * 10240


class RawLayer:
    """A layer that is given as tar bytes, whatever they are."""

    def __init__(self, data):
        self.data = data

    def tar(self):
        return self.data


class FileLayer:
    """A layer that is already a compressed file on disk; `diff_id` is the digest of the tar inside."""

    def __init__(self, path, compression, diff_id):
        self.path, self.compression, self.diff_id = path, compression, diff_id
        self._blob = None

    def blob(self):
        """Hashed once, however many images have it."""
        self._blob = self._blob or Blob(path=self.path)
        return self._blob


def compress(data, how):
    """`how`: "gzip", "zstd" or "none"."""
    if how == "gzip":
        return gzip.compress(data, compresslevel=6, mtime=0)
    if how == "zstd":
        return subprocess.run(["zstd", "-q", "-c"], input=data, stdout=subprocess.PIPE, check=True).stdout
    assert how == "none", how
    return data


class Image:
    """One manifest with what it refers to. `blobs` are the config and the layers by digest."""

    def __init__(self, media, manifest, config, layers, tars):
        self.media = media
        self.media_type = TYPES[media]["manifest"]
        self.manifest = Blob(manifest)
        self.config = config
        self.layers = layers
        self.tars = tars
        self.blobs = {b.digest: b for b in [config] + layers}
        self.manifests = []

    digest = property(lambda self: self.manifest.digest)
    id = property(lambda self: self.config.digest)


class Index:
    """Several images of several platforms under one digest."""

    def __init__(self, media, manifest, images):
        self.media = media
        self.media_type = TYPES[media]["index"]
        self.manifest = Blob(manifest)
        self.manifests = images
        self.blobs = {}

    digest = property(lambda self: self.manifest.digest)


def dump(document):
    return json.dumps(document, separators=(",", ":")).encode()


def make_image(layers, config=None, media=OCI, compression="gzip", arch="amd64", os_name="linux", variant=None,
               change_config=None, change_manifest=None, raw_config=None, created="2024-01-01T00:00:00Z"):
    """Layers are Layer, RawLayer or FileLayer. `config` is the inner "config" object (Cmd, Env, User ...).

    `compression` is one word, or a list with one for each layer. `change_config(document)` and
    `change_manifest(document)` may spoil the documents before they are written; `raw_config` replaces the bytes.
    """
    ways = [compression] * len(layers) if isinstance(compression, str) else compression
    blobs, tars, diff_ids, descriptors = [], [], [], []
    for layer, way in zip(layers, ways):
        if isinstance(layer, FileLayer):
            blob, way, diff_id = layer.blob(), layer.compression, layer.diff_id
            tars.append(None)
        else:
            tar = layer.tar()
            blob, diff_id = Blob(compress(tar, way)), Blob(tar).digest
            tars.append(tar)
        blobs.append(blob)
        diff_ids.append(diff_id)
        descriptors.append({"mediaType": TYPES[media]["layer" if way == "none" else way], "digest": blob.digest,
                            "size": blob.size})
    document = {"created": created, "architecture": arch, "os": os_name, "config": config or {},
                "rootfs": {"type": "layers", "diff_ids": diff_ids},
                "history": [{"created": created, "created_by": "test"} for _ in layers]}
    if variant:
        document["variant"] = variant
    if change_config:
        change_config(document)
    config_blob = Blob(dump(document) if raw_config is None else as_bytes(raw_config))
    manifest = {"schemaVersion": 2, "mediaType": TYPES[media]["manifest"],
                "config": {"mediaType": TYPES[media]["config"], "digest": config_blob.digest,
                           "size": config_blob.size},
                "layers": descriptors}
    if change_manifest:
        change_manifest(manifest)
    return Image(media, dump(manifest), config_blob, blobs, tars)


def make_index(images, media=OCI):
    """`images`: list of (image, {"os": ..., "architecture": ..., "variant": ...})."""
    entries = [{"mediaType": image.media_type, "digest": image.digest, "size": image.manifest.size,
                "platform": platform} for image, platform in images]
    document = {"schemaVersion": 2, "mediaType": TYPES[media]["index"], "manifests": entries}
    return Index(media, dump(document), [image for image, _ in images])


def _add(archive, name, blob):
    info = tarfile.TarInfo(name)
    info.size, info.mode, info.mtime = blob.size, 0o644, 1700000000
    with blob.open() as f:
        archive.addfile(info, f)


def write_docker_archive(path, image, tags, change=None):
    """What `docker save` writes: manifest.json, <id>.json and one uncompressed tar for each layer.

    `change(entries)` may spoil the list of (name, bytes) before it is written.
    """
    config_name = image.id.split(":")[1] + ".json"
    entries = [(config_name, image.config.read())]
    names = []
    for number, tar in enumerate(image.tars):
        name = "%064x/layer.tar" % number
        names.append(name)
        entries.append((name, tar if tar is not None else image.layers[number].read()))
    entries.append(("manifest.json", dump([{"Config": config_name, "RepoTags": list(tags), "Layers": names}])))
    if change:
        entries = change(entries) or entries
    with tarfile.open(path, "w") as archive:
        for name, data in entries:
            _add(archive, name, Blob(data))
    return path


def _all_blobs(thing):
    for digest, blob in thing.blobs.items():
        yield digest, blob
    for image in thing.manifests:
        yield image.digest, image.manifest
        yield from _all_blobs(image)


def write_oci_archive(path, thing, ref="latest", change=None):
    """An OCI image layout as a tar; `thing` is an Image or an Index. `change` as above."""
    top = {"schemaVersion": 2, "manifests": [{"mediaType": thing.media_type, "digest": thing.digest,
                                              "size": thing.manifest.size,
                                              "annotations": {"org.opencontainers.image.ref.name": ref}}]}
    entries = [("oci-layout", b'{"imageLayoutVersion":"1.0.0"}'), ("index.json", dump(top))]
    seen = set()
    for digest, blob in [(thing.digest, thing.manifest), *_all_blobs(thing)]:
        if digest not in seen:
            seen.add(digest)
            entries.append(("blobs/" + digest.replace(":", "/"), blob))
    if change:
        entries = change(entries) or entries
    with tarfile.open(path, "w") as archive:
        for name, data in entries:
            _add(archive, name, data if isinstance(data, Blob) else Blob(as_bytes(data)))
    return path


PASSWD = """root:x:0:0:root:/root:/bin/sh
daemon:x:1:1:daemon:/usr/sbin:/bin/false
app:x:1000:1000:app:/home/app:/bin/sh
nobody:x:65534:65534:nobody:/:/bin/false
"""
GROUP = "root:x:0:\ndaemon:x:1:\napp:x:1000:\nstaff:x:50:app\nextra:x:2000:app\nnogroup:x:65534:\n"
PATH = "PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"


BUSYBOX_CONFIG = {"Cmd": ["/bin/sh"], "Env": [PATH]}


def busybox_layer(binary="/bin/busybox", applets_of=None):
    """Debian's static busybox with a link for each applet, users root and app, the usual directories. `applets_of`: a busybox
    that can run here, where `binary` is for another machine."""
    with open(binary, "rb") as f:
        program = f.read()
    layer = Layer()
    for name in ("bin", "dev", "etc", "home", "proc", "root", "run", "sbin", "sys", "usr", "usr/bin", "var"):
        layer.dir(name, mode=0o700 if name == "root" else 0o755)
    layer.dir("tmp", mode=0o1777).dir("home/app", uid=1000, gid=1000)
    layer.file("bin/busybox", program, mode=0o755)
    applets = subprocess.run([applets_of or binary, "--list"], stdout=subprocess.PIPE, text=True, check=True).stdout.split()
    for applet in applets:
        if applet != "busybox":
            layer.hardlink("bin/" + applet, "bin/busybox", mode=0o755)
    layer.file("etc/passwd", PASSWD).file("etc/group", GROUP)
    return layer


def busybox_image(layers=(), config=None, **more):
    """A busybox image with `layers` on top; `config` is merged over Cmd=sh and a PATH."""
    return make_image([busybox_layer(), *layers], {**BUSYBOX_CONFIG, **(config or {})}, **more)
