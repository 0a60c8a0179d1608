"""Single threads of a process, held still while the others run: with ptrace(2), as a debugger does it."""
import contextlib
import ctypes
import os
import pathlib

_SEIZE, _INTERRUPT, _DETACH = 0x4206, 0x4207, 17
_ANY_THREAD = 0x40000000

_libc = ctypes.CDLL(None, use_errno=True)
_libc.ptrace.argtypes = [ctypes.c_long, ctypes.c_int, ctypes.c_void_p, ctypes.c_void_p]
_libc.ptrace.restype = ctypes.c_long


def _ptrace(request, thread):
    if _libc.ptrace(request, thread, None, None) != 0:
        number = ctypes.get_errno()
        raise OSError(number, os.strerror(number), f"ptrace of {thread}")


def named(process, name):
    """The thread of a process that has this name."""
    for task in pathlib.Path(f"/proc/{process}/task").iterdir():
        if (task / "comm").read_text().strip() == name:
            return int(task.name)
    raise LookupError(f"process {process} has no thread '{name}'")


@contextlib.contextmanager
def held(process, name):
    """Holds one thread of a child of ours."""
    thread = named(process, name)
    _ptrace(_SEIZE, thread)
    _ptrace(_INTERRUPT, thread)
    os.waitpid(thread, _ANY_THREAD)
    try:
        yield
    finally:
        _ptrace(_DETACH, thread)
