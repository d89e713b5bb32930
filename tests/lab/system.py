"""A small system on a disk, for tests that capture and deploy one: GPT, an EFI system partition with Debian's signed shim and
GRUB, an ext4 root with busybox and a login prompt, and swap. It is no Debian: its kernel, loaders, file systems and partitions are.

    make_system(workdir / "system.raw", fos, noise_megabytes=40)
    make_bios_system(workdir / "bios.raw", fos)     # a DOS table, GRUB before the first partition, which is the root; swap
    make_debian(workdir / "debian.raw", cache)      # a Debian by debootstrap (root, a mirror, minutes), on the same partitions

Made as a plain file by any user: sfdisk, mtools, mke2fs -d. Its kernel and modules are those of FOS.
"""

import os
import shutil
import subprocess
from pathlib import Path

SHIM = Path("/usr/lib/shim/shimx64.efi.signed")
GRUB = Path("/usr/lib/grub/x86_64-efi-signed/grubx64.efi.signed")
ROOT_UUID, SWAP_UUID = "5a5a0001-1111-4222-8333-444455556666", "5a5a0002-1111-4222-8333-444455556666"
MIB = 1 << 20
ESP, ROOT, SWAP = (1, 40), (41, 150), (191, 8)  # first MiB and size of each partition, in MiB
DEBIAN_ROOT_MIB = 1100

TABLE = f"""label: gpt
start={ESP[0]}MiB, size={ESP[1]}MiB, type=C12A7328-F81F-11D2-BA4B-00A0C93EC93B, name="EFI system"
start={ROOT[0]}MiB, size={{root_mib}}MiB, type=0FC63DAF-8483-4772-8E79-3D69D8477DE4, name="root"
start={{swap_start}}MiB, size={SWAP[1]}MiB, type=0657FD6D-A4AB-43C4-84E5-0933C84B4F4F, name="swap"
"""

GRUB_CONFIGURATION = f"""search --no-floppy --fs-uuid --set=root {ROOT_UUID}
linux /boot/vmlinuz root={ROOT_UUID} console=ttyS0 quiet
initrd /boot/initrd.xz
boot
"""

DEBIAN_CONFIGURATION = f"""search --no-floppy --fs-uuid --set=root {ROOT_UUID}
linux /vmlinuz root=UUID={ROOT_UUID} ro console=ttyS0 quiet
initrd /initrd.img
boot
"""

BIOS_ROOT, BIOS_SWAP = (1, 90), (91, 8)
BIOS_TABLE = f"""label: dos
start={BIOS_ROOT[0]}MiB, size={BIOS_ROOT[1]}MiB, type=83, bootable
start={BIOS_SWAP[0]}MiB, size={BIOS_SWAP[1]}MiB, type=82
"""
BIOS_GRUB = Path("/usr/lib/grub/i386-pc")

INIT = """#!/bin/sh
export PATH=/usr/bin:/usr/sbin
mount -t proc proc /proc; mount -t sysfs sys /sys; mount -t devtmpfs dev /dev
modprobe -a virtio_pci virtio_blk ahci sd_mod ext4
uuid=$(sed 's/.*root=\\([^ ]*\\).*/\\1/' /proc/cmdline)
for n in 1 2 3 4 5 6 7 8 9 10; do
	root=$(findfs "UUID=$uuid") && break
	usleep 300000
done
mount -t ext4 "$root" /root
exec switch_root /root /bin/busybox init
"""

INITTAB = """::sysinit:/bin/busybox mount -t proc proc /proc
::sysinit:/bin/busybox mount -t devtmpfs dev /dev
::sysinit:/bin/busybox sh /etc/report
ttyS0::respawn:/bin/busybox getty -L ttyS0 115200 vt100
"""

# what a test reads on the serial line before the prompt
REPORT = """/bin/busybox hostname -F /etc/hostname
/bin/busybox df -m / | /bin/busybox awk 'END { print "root has MiB:", $2 }' >/dev/ttyS0
/bin/busybox sha256sum /noise >/dev/ttyS0
"""


def _run(*command, **more):
    environment = {**os.environ, "PATH": os.environ.get("PATH", "") + ":/usr/sbin:/sbin"}
    subprocess.run([str(word) for word in command], check=True, env=environment, stdout=subprocess.DEVNULL,
                   stderr=subprocess.PIPE, **more)


def _initrd(workdir, fos, target):
    """FOS's own initial disk with another /init."""
    tree = workdir / "initrd"
    tree.mkdir()
    _run("sh", "-c", f"xz -dc '{fos}/init.xz' | cpio -i --quiet --no-preserve-owner", cwd=tree)
    (tree / "init").unlink()
    (tree / "init").write_text(INIT, encoding="ascii")
    (tree / "init").chmod(0o755)
    shutil.rmtree(tree / "rouse")
    _run("sh", "-c", f"find . -mindepth 1 | cpio --quiet -o -H newc | xz --check=crc32 -0 >'{target}'", cwd=tree)
    shutil.rmtree(tree)


def _root(tree, fos, noise_megabytes, workdir):
    for folder in ("bin", "boot", "dev", "etc", "proc", "root", "sys", "tmp"):
        (tree / folder).mkdir(parents=True)
    shutil.copy("/bin/busybox", tree / "bin" / "busybox")
    for applet in ("sh", "login"):
        (tree / "bin" / applet).symlink_to("busybox")
    shutil.copy(fos / "bzImage", tree / "boot" / "vmlinuz")
    _initrd(workdir, fos, tree / "boot" / "initrd.xz")
    (tree / "etc" / "inittab").write_text(INITTAB, encoding="ascii")
    (tree / "etc" / "report").write_text(REPORT, encoding="ascii")
    (tree / "etc" / "hostname").write_text("golden\n", encoding="ascii")
    (tree / "etc" / "passwd").write_text("root::0:0:root:/root:/bin/sh\n", encoding="ascii")
    (tree / "noise").write_bytes(os.urandom(noise_megabytes * MIB))


def _into(disk, file, place):
    """Copies a partition's file to its place, with holes where it has some."""
    _run("dd", f"if={file}", f"of={disk}", "bs=1M", f"seek={place[0]}", "conv=notrunc,sparse")


def make_system(disk, fos, noise_megabytes=40):
    """Makes the disk; returns its path."""
    workdir = disk.with_suffix(".make")
    tree = workdir / "root"
    tree.mkdir(parents=True)
    _root(tree, fos, noise_megabytes, workdir)
    _assemble(disk, workdir, tree, ROOT[1], GRUB_CONFIGURATION)
    shutil.rmtree(workdir)
    return disk


def _assemble(disk, workdir, tree, root_mib, configuration):
    """The partitions of an EFI system: its loaders, the root with what is in `tree`, swap."""
    root, esp = workdir / "root.img", workdir / "esp.img"
    root_place, swap_place = (ROOT[0], root_mib), (ROOT[0] + root_mib, SWAP[1])
    with open(disk, "wb") as file:
        file.truncate((swap_place[0] + swap_place[1] + 1) * MIB)
    _run("sfdisk", "-q", disk, input=TABLE.format(root_mib=root_mib, swap_start=swap_place[0]).encode())
    _run("mke2fs", "-q", "-t", "ext4", "-U", ROOT_UUID, "-d", tree, root, f"{root_mib}M")
    with open(esp, "wb") as file:
        file.truncate(ESP[1] * MIB)
    _run("mkfs.vfat", "-F", "32", esp)
    _run("mmd", "-i", esp, "::EFI", "::EFI/debian")
    (workdir / "grub.cfg").write_text(configuration, encoding="ascii")
    for source, name in ((SHIM, "shimx64.efi"), (GRUB, "grubx64.efi"), (workdir / "grub.cfg", "grub.cfg")):
        _run("mcopy", "-i", esp, source, f"::EFI/debian/{name}")
    # the firmware of the machine that is captured: its shell is what stands for a boot entry
    (workdir / "startup.nsh").write_text("FS0:\\EFI\\debian\\shimx64.efi\n", encoding="ascii")
    _run("mcopy", "-i", esp, workdir / "startup.nsh", "::startup.nsh")
    for file, place in ((root, root_place), (esp, ESP), (_swap(workdir, swap_place), swap_place)):
        _into(disk, file, place)


def make_debian(disk, cache):
    """Debian 12 from the mirror, with its kernel and systemd; root has no password. Downloaded packages stay in `cache`."""
    workdir = disk.with_suffix(".make")
    tree = workdir / "root"
    tree.mkdir(parents=True)
    cache.mkdir(parents=True, exist_ok=True)
    _run("debootstrap", "--variant=minbase", f"--cache-dir={cache.absolute()}", "--include=systemd-sysv,udev,linux-image-cloud-amd64,initramfs-tools",
         "bookworm", tree, os.environ.get("ROUSE_DEBIAN_MIRROR", "http://deb.debian.org/debian"))
    (tree / "etc" / "hostname").write_text("golden\n", encoding="ascii")
    (tree / "etc" / "fstab").write_text(f"UUID={ROOT_UUID} / ext4 errors=remount-ro 0 1\nUUID={SWAP_UUID} none swap sw 0 0\n", encoding="ascii")
    _run("chroot", tree, "passwd", "-d", "root")
    _assemble(disk, workdir, tree, DEBIAN_ROOT_MIB, DEBIAN_CONFIGURATION)
    shutil.rmtree(workdir)
    return disk


def _swap(workdir, place):
    swap = workdir / "swap.img"
    with open(swap, "wb") as file:
        file.truncate(place[1] * MIB)
    _run("mkswap", "-U", SWAP_UUID, swap)
    return swap


def make_bios_system(disk, fos):
    """The same for a BIOS; returns its path. GRUB's second stage lies behind the table, where boot.img looks for it."""
    workdir = disk.with_suffix(".make")
    tree = workdir / "root"
    tree.mkdir(parents=True)
    _root(tree, fos, 1, workdir)
    with open(disk, "wb") as file:
        file.truncate((BIOS_SWAP[0] + BIOS_SWAP[1] + 1) * MIB)
    _run("sfdisk", "-q", disk, input=BIOS_TABLE.encode())
    root, core, configuration = workdir / "root.img", workdir / "core.img", workdir / "grub.cfg"
    configuration.write_text(GRUB_CONFIGURATION, encoding="ascii")
    _run("grub-mkimage", "-O", "i386-pc", "-d", BIOS_GRUB, "-p", "/boot/grub", "-c", configuration, "-o", core,
         "biosdisk", "part_msdos", "ext2", "search", "search_fs_uuid", "linux", "boot")
    _run("mke2fs", "-q", "-t", "ext4", "-U", ROOT_UUID, "-d", tree, root, f"{BIOS_ROOT[1]}M")
    for file, place in ((root, BIOS_ROOT), (_swap(workdir, BIOS_SWAP), BIOS_SWAP)):
        _into(disk, file, place)
    with open(disk, "r+b") as file:
        file.write((BIOS_GRUB / "boot.img").read_bytes()[:440])
        file.seek(512)
        file.write(core.read_bytes())
    shutil.rmtree(workdir)
    return disk
