"""packaging/fos/build: the same packages and sources give the same bytes, whoever builds them where and
when; and what an administrator adds is in."""

import hashlib
import os
import shutil
import subprocess
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
FOS = ROOT / "packaging/fos"


def digests(folder):
    return {name: hashlib.sha256((folder / name).read_bytes()).hexdigest() for name in ("bzImage", "init.xz")}


def copied(folder):
    """The sources as another person would have them: elsewhere, of today, and readable by nobody else."""
    shutil.copytree(FOS, folder, copy_function=shutil.copyfile)
    for path in folder.rglob("*"):
        is_program = path.is_dir() or os.access(FOS / path.relative_to(folder), os.X_OK)
        path.chmod(0o700 if is_program else 0o600)
    return folder


@pytest.mark.patience(240)
def test_equal_packages_give_equal_bytes(fos, tmp_path):
    """The packages are downloaded once; unpacked, compiled and packed they are once more."""
    cache = Path(os.environ.get("XDG_CACHE_HOME", Path.home() / ".cache")) / "rouse-fos"
    (tmp_path / "cache").mkdir()
    (tmp_path / "cache/deb").symlink_to(cache / "deb")
    sources = copied(tmp_path / "a longer name")
    done = subprocess.run([sources / "build", "--out", tmp_path / "second", "--cache", tmp_path / "cache"], check=False, text=True,
                          stdout=subprocess.PIPE, stderr=subprocess.STDOUT, preexec_fn=lambda: os.umask(0o077),
                          env={**os.environ, "TZ": "Pacific/Auckland", "LC_ALL": "C.UTF-8", "LANG": "de_DE.UTF-8",
                               "XZ_DEFAULTS": "-9e -T2", "TAR_OPTIONS": "--sort=name"})
    assert done.returncode == 0, done.stdout
    assert digests(tmp_path / "second") == digests(fos)


# -- what an administrator adds ---------------------------------------------------------------------

def shell(code, *arguments):
    """Runs `code` with the build's functions; what it said."""
    parts = "".join(f". {FOS}/build.d/{name}.sh\n" for name in ("packages", "tree", "pack", "firmware"))
    ending = 'fail() { echo "$1 / $2"; exit 0; }\nsay() { echo "$*"; }\narch=amd64 compiler=cc compile_words=()\n'
    done = subprocess.run(["bash", "-euo", "pipefail", "-c", parts + ending + code, "bash", *map(str, arguments)],
                          capture_output=True, text=True, check=False, env={**os.environ, "PATH": os.environ["PATH"] + ":/usr/sbin:/sbin"})
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def put(path, text, mode=0o644):
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text)
    path.chmod(mode)


def test_an_overlay_keeps_its_modes_and_the_links(tmp_path):
    """A folder /lib of an overlay goes where the link leads, or no program would start any more."""
    tree, overlay = tmp_path / "tree", tmp_path / "overlay"
    (tree / "usr/lib").mkdir(parents=True)
    (tree / "lib").symlink_to("usr/lib")
    put(tree / "usr/lib/libc.so.6", "libc")
    put(overlay / "lib/firmware/own.bin", "firmware")
    put(overlay / "rouse/hooks/start.d/10-hello", "#!/bin/sh\n", 0o755)
    put(overlay / "etc/key", "secret", 0o600)
    shell('tree_add_overlay "$1" "$2"', tree, overlay)
    assert (tree / "lib").is_symlink() and (tree / "lib/libc.so.6").read_text() == "libc"
    assert (tree / "usr/lib/firmware/own.bin").read_text() == "firmware"
    assert (tree / "etc/key").stat().st_mode & 0o777 == 0o600
    assert os.access(tree / "rouse/hooks/start.d/10-hello", os.X_OK)


def module(path, *firmware):
    """A kernel module, as far as modinfo looks at it."""
    path.parent.mkdir(parents=True, exist_ok=True)
    words = "".join(f'"firmware={name}\\0"' for name in firmware)
    subprocess.run(["cc", "-c", "-x", "c", "-", "-o", path], check=True, text=True,
                   input=f'__attribute__((section(".modinfo"), used)) static const char info[] = {words} "license=GPL";\n')


def test_only_the_firmware_that_drivers_name_comes_in(tmp_path):
    tree, root = tmp_path / "tree", tmp_path / "root"
    module(tree / "usr/lib/modules/6.1/kernel/a.ko", "bnx2/a.fw", "old/here.fw", "none/at-all.fw")
    module(tree / "usr/lib/modules/6.1/kernel/b.ko", "bnx2/a.fw", "new/b.bin")
    put(root / "lib/firmware/bnx2/a.fw", "a", 0o600)
    put(root / "usr/lib/firmware/new/b.bin", "b")
    put(root / "lib/firmware/bnx2/unasked.fw", "x")
    put(tree / "usr/lib/firmware/old/here.fw", "from an overlay")
    assert shell('firmware_add "$1" "$2"', tree, root) == "none/at-all.fw\n"
    found = {str(path.relative_to(tree / "usr/lib/firmware")) for path in (tree / "usr/lib/firmware").rglob("*") if path.is_file()}
    assert found == {"bnx2/a.fw", "new/b.bin", "old/here.fw"}
    assert (tree / "usr/lib/firmware/bnx2/a.fw").stat().st_mode & 0o777 == 0o644
    assert (tree / "usr/lib/firmware/old/here.fw").read_text() == "from an overlay"


def test_a_firmware_package_that_apt_does_not_know_is_told(tmp_path):
    put(tmp_path / "list", "# comment\nkmod\nno-such-package-of-firmware\n")
    said = shell('firmware_packages "$1" 2>&1', tmp_path / "list").splitlines()
    assert sorted(said) == ["apt does not know no-such-package-of-firmware: add the component non-free-firmware to its sources "
                            "for what these have", "kmod"]


def test_a_program_that_wants_more_of_libcrypto_stops_the_build(tmp_path):
    (tmp_path / "usr/lib").mkdir(parents=True)
    (tmp_path / "usr/bin").mkdir()
    check = 'tree_add_crypto "$1" "$2"; tree_check_crypto "$1"'
    assert shell(check, tmp_path, FOS / "crypto") == ""
    put(tmp_path / "versions", "OPENSSL_3.0.0 { global: *; };\n")
    put(tmp_path / "more.c", "int EVP_sha1(void) { return 0; }\nint EVP_md5(void) { return 0; }\n")
    put(tmp_path / "program.c", "int EVP_sha1(void), EVP_md5(void);\nint both(void) { return EVP_sha1() + EVP_md5(); }\n")
    library = ["cc", "-shared", "-fPIC", "-o"]
    subprocess.run([*library, "libcrypto.so", "more.c", "-Wl,--version-script=versions"], cwd=tmp_path, check=True)
    subprocess.run([*library, "usr/bin/program", "program.c", "./libcrypto.so"], cwd=tmp_path, check=True)
    assert shell(check, tmp_path, FOS / "crypto").startswith("programs call what our libcrypto lacks: EVP_md5 /")
