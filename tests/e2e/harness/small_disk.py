"""A disk that can be filled."""
import ctypes
import errno
import os
import pathlib
import subprocess

from .servers import Unavailable

CLONE_NEWNS = 0x20000
_own = []


def _own_mounts():
    """What is mounted from here on is seen by this process and those it starts, and goes with them."""
    if _own:
        return
    libc = ctypes.CDLL(None, use_errno=True)
    if libc.unshare(CLONE_NEWNS) != 0:
        raise Unavailable(f"file systems cannot be mounted here: {os.strerror(ctypes.get_errno())}")
    _own.append(True)
    _run("mount", "--make-rprivate", "/")


def _run(*words):
    done = subprocess.run(words, capture_output=True, text=True, stdin=subprocess.DEVNULL, timeout=30)
    if done.returncode:
        raise Unavailable(f"file systems cannot be mounted here: {done.stderr.strip()}")


class SmallDisk:
    """with SmallDisk(folder, "256k") as disk: a file system of that size."""

    def __init__(self, folder, size):
        self.folder, self.size = pathlib.Path(folder), size
        self._ballast = self.folder / "ballast"

    def __enter__(self):
        _own_mounts()
        self.folder.mkdir(parents=True, exist_ok=True)
        _run("mount", "-t", "tmpfs", "-o", f"size={self.size}", "tmpfs", str(self.folder))
        return self

    def __exit__(self, *_):
        _run("umount", "--lazy", str(self.folder))

    def fill(self):
        with open(self._ballast, "ab", buffering=0) as file:
            try:
                while file.write(bytes(512)):
                    pass
            except OSError as error:
                if error.errno != errno.ENOSPC:
                    raise

    def free(self):
        self._ballast.unlink()
