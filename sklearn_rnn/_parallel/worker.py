"""What a worker process does: it makes an object, and calls its methods as it is told.

A message comes through standard input, and the reply goes through standard output, both pickled.
The worker ends when its input does: when it is closed, or when the process at the other end ends,
however that happens.
"""

import os
import pickle
import signal
import sys
from contextlib import suppress
from traceback import format_exc
from typing import BinaryIO

import numpy as np

from sklearn_rnn.core.memory import with_small_ufunc_buffers

# What the worker writes before its first reply. Whatever was printed before is skipped.
READY = b"The worker is ready.\n"


def main() -> None:
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # the other end decides what an interrupt ends
    sys.stdout.flush()
    sink = os.fdopen(os.dup(sys.stdout.fileno()), "wb")
    os.dup2(sys.stderr.fileno(), sys.stdout.fileno())  # nothing may come between the replies
    # The other end has gone: there is nobody to tell.
    with suppress(BrokenPipeError), np.errstate(over="ignore", invalid="ignore"):
        sink.write(READY)
        sink.flush()
        with_small_ufunc_buffers(serve, sys.stdin.buffer, sink)


def serve(source: BinaryIO, sink: BinaryIO) -> None:
    """Make the object that the first message asks for, and call methods until the input ends."""
    subject = None
    while True:
        try:
            method, args = pickle.load(source)
        except EOFError:
            return
        try:
            if subject is None:
                subject, reply = method(*args), None
            else:
                reply = getattr(subject, method)(*args)
        except Exception as error:
            error.add_note("It was raised in a worker process of n_jobs, by:\n" + format_exc())
            reply = Failure(error)
        pickle.dump(reply, sink, protocol=pickle.HIGHEST_PROTOCOL)
        sink.flush()


class Failure:
    """What a method raised."""

    def __init__(self, error: Exception):
        self.error = error
