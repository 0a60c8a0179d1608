"""A small disk that can fill up and turn read-only: a tmpfs that only this test and what it starts can see."""
import contextlib
import os
import pathlib
import subprocess

BLOCK = 4096


class SmallDisk:
    """Mounted at `path` for programs that are started with `inside` in front; the test itself finds it at `view`.

    A process that only waits holds the mount, so the disk outlives the programs that use it.
    """

    def __init__(self, path, size):
        self.path = pathlib.Path(path)
        self.path.mkdir(parents=True)
        unshare = ["unshare", "--mount"] + ([] if os.geteuid() == 0 else ["--map-root-user"])
        script = f"mount -t tmpfs -o size={size} tmpfs '{self.path}' && echo ready && exec cat"
        self.keeper = subprocess.Popen(
            [*unshare, "sh", "-c", script], stdin=subprocess.PIPE, stdout=subprocess.PIPE)
        if self.keeper.stdout.readline() != b"ready\n":
            self.end()
            raise OSError("a disk can't be mounted here")
        self.view = pathlib.Path(f"/proc/{self.keeper.pid}/root{self.path}")
        self._ballast = self.view / "ballast"

    @property
    def inside(self):
        """What to put in front of a program's command line."""
        user = [] if os.geteuid() == 0 else ["--user", "--preserve-credentials"]
        return ["nsenter", "--target", str(self.keeper.pid), *user, "--mount"]

    def fill(self):
        """Leaves no block free."""
        with open(self._ballast, "wb", buffering=0) as file, contextlib.suppress(OSError):
            while True:
                file.write(bytes(BLOCK))

    def clear(self):
        self._ballast.unlink()

    def become_read_only(self):
        """From now on no file is opened for writing; one that is open already stays so, as the kernel wants it."""
        self._run("mount", "--bind", str(self.path), str(self.path))
        self._run("mount", "-o", "remount,bind,ro", str(self.path))

    def become_writable(self):
        self._run("mount", "-o", "remount,bind,rw", str(self.path))

    def remount(self, mode):
        """`ro` or `rw`, for the whole disk; it must not be in use for the first."""
        self._run("mount", "-o", f"remount,{mode}", str(self.path))

    def _run(self, *command):
        subprocess.run([*self.inside, *command], check=True)

    def end(self):
        self.keeper.stdin.close()
        self.keeper.wait()
        self.keeper.stdout.close()


def can_mount():
    """Whether the kernel lets us."""
    probe = ["unshare", "--mount"] + ([] if os.geteuid() == 0 else ["--map-root-user"])
    return subprocess.run([*probe, "mount", "-t", "tmpfs", "tmpfs", "/mnt"], capture_output=True).returncode == 0
