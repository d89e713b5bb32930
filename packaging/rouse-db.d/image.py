"""Taking in images: what image_source reads becomes a published version, whole or not at all.

Each stream is compressed into a file named .part, which is flushed and renamed when it is complete;
only when all are is the version published, in one transaction. Whatever fails before leaves no version behind.
"""

import fcntl
import hashlib
import itertools
import json
import os
import re
import shutil
import subprocess
import sys
import threading
import time
from pathlib import Path

import image_source
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
        _ = list(file.iterdir()) if file.is_dir() else image_source.head_of(file)
    except OSError as error:
        raise Trouble(f"{file} cannot be read: {error.strerror}",
                      remedy="Name a disk image, such as disk.raw, or a folder of FOG's.") from error


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
    relative = Path("images") / name / str(number)
    final = store / relative
    # What an earlier run left here was never published: the next number is still free.
    shutil.rmtree(final, ignore_errors=True)
    final.mkdir()
    try:
        source = image_source.of(file, final)
        parts = [_store(part, relative / _name_of(source, position), position, store)
                 for position, part in enumerate(source.parts, 1)]
        (final / ".disk.raw").unlink(missing_ok=True)
    except BaseException:
        shutil.rmtree(final, ignore_errors=True)
        raise
    try:
        _publish(database, name, number, title, relative, source, parts)
    except BaseException:
        if not _may_be_published(database, name, number, final):
            shutil.rmtree(final, ignore_errors=True)
        raise
    size = sum(part["size"] for part in parts)
    print(f"{name} version {number}: disk of {source.disks[0]['size']} bytes, stream of {size} bytes, {final}")


def _name_of(source, position):
    return "disk.raw.zst" if source.kind == "raw" else f"{position}.zst"


def _store(part, relative, position, store):
    """Writes a part's stream durably; what rouse.publish_image() is to know of it."""
    final = store / relative
    hidden = final.with_name(final.name + ".part")
    before = [file.stat() for file in part.files]
    with part.open() as source, open(hidden, "wb") as target:
        if part.is_packed:
            stream = _copy(source, target)
            content = None
        else:
            content, stream = _filter(["-3", "-T0"], source, target.write, part.size)
        target.flush()
        os.fsync(target.fileno())
    for file, was in zip(part.files, before):
        now = file.stat()
        if (now.st_mtime_ns, now.st_size) != (was.st_mtime_ns, was.st_size):
            raise Trouble(f"{file} changed while it was read", remedy="Stop what writes to it and add it again.")
    os.rename(hidden, final)
    for directory in (final.parent, final.parent.parent, final.parent.parent.parent):
        _flush(directory)
    facts = {**part.facts, "number": position, "path": str(relative), "size": stream.size, "sha256": stream.sha256.hexdigest()}
    # another partclone's head is not what ours would write: it cannot be compared with a disk
    if content is not None and part.facts["kind"] != "filesystem":
        facts |= {"content_size": content.size, "content_sha256": content.sha256.hexdigest()}
    return facts


def _copy(source, target):
    """A stream that zstd has packed already, unpacked once to see that it is whole."""
    stream = Counted()

    class Tee:
        @staticmethod
        def read(length):
            block = source.read(length)
            stream.add(block)
            target.write(block)
            return block

    _filter(["-d"], Tee, lambda block: None, 0)
    return stream


def _publish(database, name, number, title, relative, source, parts):
    path = parts[0]["path"] if source.kind == "raw" else relative
    values = [quote(name), str(number), quote(path), quote(json.dumps(source.disks)), quote(json.dumps(parts)), quote(source.kind),
              "title => " + quote(title)]
    database.script(f"begin;\nselect rouse.publish_image({', '.join(values)});\ncommit;\n")


def _may_be_published(database, name, number, final):
    """After a failed publication: whether the version is there all the same, or nobody can say.

    A connection may break after the commit; then the file belongs to a version and must stay.
    """
    try:
        return database.value("select count(*) from rouse.image_versions"
                              f" where image = {quote(name)} and number = {number} and captured_by is null") != "0"
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
    sides = [("", stream, size, sha256)]
    if content_sha256:
        sides.append(("unpacked ", content, content_size, content_sha256))
    for what, counted, bytes_then, hash_then in sides:
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
