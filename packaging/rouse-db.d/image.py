"""Taking in images: a raw disk becomes a published version, whole or not at all.

The stream is compressed into a file named .part, which is flushed and renamed when it is complete;
only then is it published, in one transaction. Whatever fails before leaves no version behind.
"""

import fcntl
import hashlib
import itertools
import os
import re
import shutil
import subprocess
import sys
import threading
import time
from pathlib import Path

from database import Trouble, program, quote

BLOCK = 1 << 20


class Counted:
    """Bytes and SHA-256 of what passes by."""

    def __init__(self):
        self.size = 0
        self.sha256 = hashlib.sha256()

    def add(self, block):
        self.size += len(block)
        self.sha256.update(block)


def _filter(arguments, source, write, total):
    """Sends source (open, binary) through zstd, and what comes out to write(); returns both sides' counts."""
    before, after = Counted(), Counted()
    failure = []
    with subprocess.Popen([program("zstd"), "-q", *arguments, "-c"], stdin=subprocess.PIPE,
                          stdout=subprocess.PIPE) as zstd:
        def collect():
            try:
                while block := zstd.stdout.read(BLOCK):
                    after.add(block)
                    write(block)
            except OSError as error:
                failure.append(error)
                zstd.kill()

        collector = threading.Thread(target=collect)
        collector.start()
        try:
            shown = time.monotonic()
            while block := source.read(BLOCK):
                before.add(block)
                zstd.stdin.write(block)
                if time.monotonic() - shown > 4:
                    shown = time.monotonic()
                    print(f"{100 * before.size // max(total, 1)} %", file=sys.stderr)
            zstd.stdin.close()
        except BrokenPipeError:
            pass
        finally:
            if sys.exc_info()[0]:
                zstd.kill()
            collector.join()
        code = zstd.wait()
    if failure:
        raise failure[0]
    if code != 0:
        raise Trouble(f"zstd ended with code {code}", remedy="See its message above.")
    return before, after


def _flush(path):
    handle = os.open(path, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def _check(name, file):
    if not re.fullmatch(r"[a-z0-9][a-z0-9._-]{0,63}", name) or ".." in name:
        raise Trouble(f'"{name}" cannot be the name of an image',
                      remedy="Use a-z, 0-9, dot, _ and -, beginning with a letter or digit.")
    try:
        with open(file, "rb") as source:
            head = source.read(8)
    except OSError as error:
        raise Trouble(f"{file} cannot be read: {error.strerror}",
                      remedy="Name a raw disk image, such as disk.raw.") from error
    if not head:
        raise Trouble(f"{file} is empty", remedy="Name a raw disk image.")
    kinds = {b"QFI\xfb": "a qcow2 image", b"\x28\xb5\x2f\xfd": "zstd-compressed",
             b"\x1f\x8b": "gzip-compressed", b"\xfd7zXZ": "xz-compressed"}
    for magic, kind in kinds.items():
        if head.startswith(magic):
            raise Trouble(f"{file} is {kind}, not a raw disk",
                          remedy="Unpack it first (qemu-img convert -O raw, zstd -d, ...).")


def add(database, name, file, store, title):
    _check(name, file)
    images = store / "images" / name
    try:
        images.mkdir(parents=True, exist_ok=True)
        with open(images / ".lock", "w", encoding="utf-8") as lock:
            try:
                fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                raise Trouble(f"image {name} is being added by somebody else", remedy="Wait for it.") from None
            _add_locked(database, name, file, store, title)
    except OSError as error:
        raise Trouble(f"image {name}: {error.filename or store}: {error.strerror}",
                      remedy="Nothing was published. Make room, or set the rights, and add it again.") from error


def _add_locked(database, name, file, store, title):
    number = int(database.value("select coalesce(max(number), 0) + 1 from rouse.image_versions"
                                f" where image = {quote(name)}"))
    relative = Path("images") / name / str(number) / "disk.raw.zst"
    final = store / relative
    # What an earlier run left here was never published: the next number is still free.
    shutil.rmtree(final.parent, ignore_errors=True)
    final.parent.mkdir()
    try:
        raw, stream = _store(file, final)
    except BaseException:
        shutil.rmtree(final.parent, ignore_errors=True)
        raise
    try:
        _publish(database, name, number, title, relative, raw, stream)
    except BaseException:
        if not _may_be_published(database, name, number, final):
            shutil.rmtree(final.parent, ignore_errors=True)
        raise
    print(f"{name} version {number}: disk of {raw.size} bytes, stream of {stream.size} bytes, {final}")


def _store(file, final):
    """Writes the compressed stream of file durably as final; returns both sides' counts."""
    part = final.with_name(final.name + ".part")
    with open(file, "rb") as source, open(part, "wb") as target:
        before = os.fstat(source.fileno())
        raw, stream = _filter(["-3", "-T0"], source, target.write, before.st_size)
        target.flush()
        os.fsync(target.fileno())
        after = os.fstat(source.fileno())
    if (before.st_mtime_ns, before.st_size) != (after.st_mtime_ns, after.st_size):
        raise Trouble(f"{file} changed while it was read", remedy="Stop what writes to it and add it again.")
    os.rename(part, final)
    for directory in (final.parent, final.parent.parent, final.parent.parent.parent):
        _flush(directory)
    return raw, stream


def _publish(database, name, number, title, relative, raw, stream):
    values = [quote(name), str(number), quote(relative), str(stream.size), quote(stream.sha256.hexdigest()),
              str(raw.size), quote(raw.sha256.hexdigest()), "title => " + quote(title)]
    database.script(f"begin;\nselect rouse.publish_image({', '.join(values)});\ncommit;\n")


def _may_be_published(database, name, number, final):
    """After a failed publication: whether the version is there all the same, or nobody can say.

    A connection may break after the commit; then the file belongs to a version and must stay.
    """
    try:
        return database.value("select count(*) from rouse.image_versions"
                              f" where image = {quote(name)} and number = {number}") != "0"
    except Trouble:
        print(f"rouse-db: it is not known whether version {number} of {name} was published; {final} is kept."
              " If it was not, the next image add replaces it.", file=sys.stderr)
        return True


def listing(database):
    for name, version, disk_size, size, title in database.rows(
            "select name, version, disk_size, size, title from rouse.images"):
        print(f"{name}\tversion {version}\tdisk {disk_size}\tstream {size}\t{title}")


def verify(database, words, store):
    """Reads published versions whole, against what was recorded; prints each, returns the exit code."""
    problems = 0
    for (image, number), parts in itertools.groupby(_wanted(database, words), lambda row: (row[0], row[1])):
        found = [f"{store / path} {fault}" for _, _, path, *recorded in parts for fault in _faults(store / path, *recorded)]
        for fault in found:
            print(f"problem: {image} version {number}: {fault};"
                  " remedy: restore it from a copy, or add the image again as a new version")
        if not found:
            print(f"{image} version {number}: whole")
        problems += len(found)
    print(f"{problems} problem(s) found" if problems else "all is well")
    return 1 if problems else 0


def _wanted(database, words):
    """The parts of the published versions that NAME or NAME:NUMBER mean; without any, of all."""
    rows = database.rows("select image, version, path, size, sha256, content_size, content_sha256 from rouse.image_parts p"
                         " where exists (select from rouse.image_versions v where v.image = p.image and v.number = p.version"
                         " and v.state = 'published') order by image, version, part")
    chosen = []
    for word in words:
        name, _, number = word.partition(":")
        matching = [row for row in rows if row[0] == name and number in ("", row[1])]
        if not matching:
            known = ", ".join(dict.fromkeys(f"{row[0]}:{row[1]}" for row in rows)) or "none yet"
            raise Trouble(f'there is no published image "{word}"', remedy=f"Published are: {known}.")
        chosen += [row for row in matching if row not in chosen]
    return chosen if words else rows


def _faults(file, size, sha256, content_size, content_sha256):
    """What is wrong with a file: each side of it that is not as it was recorded."""
    try:
        with open(file, "rb") as source:
            stream, content = _filter(["-d"], source, lambda block: None, int(size))
    except OSError as error:
        yield f"cannot be read: {error.strerror}"
        return
    except Trouble:
        # zstd stops reading at what it does not understand: the file's own hash is still to be judged.
        yield from _stream_faults(file, size, sha256)
        yield "does not unpack"
        return
    for what, counted, bytes_then, hash_then in (("", stream, size, sha256), ("unpacked ", content, content_size, content_sha256)):
        yield from _differences(what, counted, bytes_then, hash_then)


def _stream_faults(file, size, sha256):
    counted = Counted()
    with open(file, "rb") as source:
        while block := source.read(BLOCK):
            counted.add(block)
    yield from _differences("", counted, size, sha256)


def _differences(what, counted, size, sha256):
    if counted.size != int(size):
        yield f"has {what}{counted.size} bytes, recorded are {size}"
    if counted.sha256.hexdigest() != sha256:
        yield f"has {what}SHA-256 {counted.sha256.hexdigest()}, recorded is {sha256}"
