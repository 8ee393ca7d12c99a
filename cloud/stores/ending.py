"""How a program ends that has used obstore."""

import atexit
import os
import sys
import threading
from typing import NoReturn


def end_with(code: int) -> NoReturn:
    """Do all that is done at a program's end, and end it without taking Python apart.

    A thread of obstore may still be on its way back from handing its last answer to asyncio. Python
    ends such a thread in the middle of Rust code while it is taken apart, and that aborts the whole
    program (SIGABRT): 8 of 30 short commands on a busy machine, their work done.
    """
    for thread in threading.enumerate():
        if thread is not threading.current_thread() and not thread.daemon:
            thread.join()
    atexit._run_exitfuncs()  # noqa: SLF001  # what Python itself calls here
    for stream in (sys.stdout, sys.stderr):
        stream.flush()
    os._exit(code)


def code_of(ended: SystemExit) -> int:
    """The exit code that Python would give; a sentence is printed, as it would."""
    if isinstance(ended.code, str):
        sys.stderr.write(f"{ended.code}\n")
        return 1
    return ended.code or 0
