"""Worker processes, as the process sees them that they work for."""

import os
import pickle
import subprocess
import sys
from collections.abc import Callable

from sklearn_rnn._parallel.memory import SharedMemory, Sizes, new_file, remove
from sklearn_rnn._parallel.worker import Failure

PROGRAM = "from sklearn_rnn._parallel.worker import main; main()"

# One thread of BLAS for each worker: there are as many workers as cores to use.
ONE_THREAD = dict.fromkeys(
    (
        "OPENBLAS_NUM_THREADS",
        "MKL_NUM_THREADS",
        "BLIS_NUM_THREADS",
        "OMP_NUM_THREADS",
        "VECLIB_MAXIMUM_THREADS",
    ),
    "1",
)


class Team:
    """Workers, each with an object whose methods are called from here.

    They are new processes, not forks, because a fork of a process with threads may never wake up.
    They read no `__main__`, so a script needs no guard. (joblib's workers would have both
    properties, but they are one pool for the whole process: a callback that runs joblib during a
    fit would wait for the workers that the fit holds, for ever.)

    memory : what the process shares with its workers, once `assign` was called
    """

    def __init__(self, n_workers: int):
        path = os.pathsep.join(folder or os.getcwd() for folder in sys.path)
        environment = {**os.environ, **ONE_THREAD, "PYTHONPATH": path}
        self._path: str | None = None
        self._workers: list[subprocess.Popen] = []
        for _ in range(n_workers):
            self._workers.append(
                subprocess.Popen(
                    # -P: a module in the working directory must not hide one of Python's
                    [sys.executable, "-P", "-c", PROGRAM],
                    stdin=subprocess.PIPE,
                    stdout=subprocess.PIPE,
                    env=environment,
                    creationflags=getattr(subprocess, "CREATE_NO_WINDOW", 0),  # on Windows
                )
            )

    def __len__(self) -> int:
        return len(self._workers)

    def assign(self, sizes: Sizes, make: Callable, *args) -> None:
        """Let worker k make its object, make(path, sizes, k, *args), with the memory there."""
        self._path = path = new_file(sizes.size)
        self.memory = SharedMemory(path, sizes)
        for k in range(len(self)):
            self.send(k, make, path, sizes, k, *args)
        for k in range(len(self)):
            self.receive(k)
        if os.name == "posix":
            remove(path)  # so nothing stays behind, whatever ends this process

    def call_all(self, method: str) -> None:
        """Call a method of every worker, without arguments or results."""
        for k in range(len(self)):
            self.send(k, method)
        for k in range(len(self)):
            self.receive(k)

    def send(self, k: int, method, *args) -> None:
        """Begin a call of a method of worker k."""
        pipe = self._workers[k].stdin
        try:
            pickle.dump((method, args), pipe, protocol=pickle.HIGHEST_PROTOCOL)
            pipe.flush()
        except BrokenPipeError:
            raise self._is_gone(k) from None

    def receive(self, k: int):
        """Return what the method returned that worker k was told to call."""
        try:
            reply = pickle.load(self._workers[k].stdout)
        except (EOFError, pickle.UnpicklingError):
            raise self._is_gone(k) from None
        if isinstance(reply, Failure):
            raise reply.error
        return reply

    def _is_gone(self, k: int) -> RuntimeError:
        return RuntimeError(
            f"A worker process of n_jobs has ended, with exit code {self._workers[k].wait()}. "
            "Often the system ends processes because there is too little memory. Lower n_jobs, "
            "or set n_jobs=None."
        )

    def close(self) -> None:
        """End the workers, whatever they do, and give the memory back."""
        for worker in self._workers:
            worker.kill()
        for worker in self._workers:
            worker.stdin.close()
            worker.stdout.close()
            worker.wait()
        if self._path is not None:
            self.memory = None
            remove(self._path)

    def __enter__(self) -> "Team":
        return self

    def __exit__(self, *_) -> None:
        self.close()
