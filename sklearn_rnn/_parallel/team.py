"""Worker processes, as the process sees them that they work for."""

import os
import pickle
import subprocess
import sys
from collections.abc import Callable
from contextlib import suppress

from sklearn_rnn._parallel.memory import SharedMemory, Sizes, new_file, remove
from sklearn_rnn._parallel.worker import READY, Failure

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


def start(environment: dict[str, str]) -> subprocess.Popen:
    """Start a worker process."""
    return subprocess.Popen(
        # -P: a module in the working directory must not hide one of Python's
        [sys.executable, "-P", "-c", PROGRAM],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        env=environment,
        creationflags=getattr(subprocess, "CREATE_NO_WINDOW", 0),  # on Windows
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
        folders = [folder or os.getcwd() for folder in sys.path if isinstance(folder, str)]
        environment = {**os.environ, **ONE_THREAD, "PYTHONPATH": os.pathsep.join(folders)}
        self._path: str | None = None
        self._workers: list[subprocess.Popen] = []
        try:
            for _ in range(n_workers):
                self._workers.append(start(environment))
        except BaseException:
            self.close()
            raise

    def __len__(self) -> int:
        return len(self._workers)

    def assign(self, sizes: Sizes, make: Callable, *args) -> None:
        """Let worker k make its object, make(path, sizes, k, *args), with the memory there."""
        for k in range(len(self)):
            self._wait_for(k)
        self._path = path = new_file(sizes.size)
        self.memory = SharedMemory(path, sizes)
        for k in range(len(self)):
            self.send(k, make, path, sizes, k, *args)
        for k in range(len(self)):
            self.receive(k)
        if os.name == "posix":
            remove(path)  # so nothing stays behind, whatever ends this process from now on

    def _wait_for(self, k: int) -> None:
        """Wait until worker k is ready."""
        if not any(line.endswith(READY) for line in self._workers[k].stdout):
            raise self._is_gone(k)

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
        except OSError:
            raise self._is_gone(k) from None

    def receive(self, k: int):
        """Return what the method returned that worker k was told to call."""
        try:
            reply = pickle.load(self._workers[k].stdout)
        except Exception as error:
            raise self._is_gone(k) from error
        if isinstance(reply, Failure):
            raise reply.error
        return reply

    def _is_gone(self, k: int) -> RuntimeError:
        worker = self._workers[k]
        try:
            how = f"has ended, with exit code {worker.wait(timeout=5)}"
        except subprocess.TimeoutExpired:
            how = "doesn't answer as it should"
        return RuntimeError(
            f"A worker process of n_jobs {how}. Often the system ends processes because there is "
            "too little memory. Lower n_jobs, or set n_jobs=None."
        )

    def close(self) -> None:
        """End the workers, whatever they do, and give the memory back."""
        for worker in self._workers:
            worker.kill()
        for worker in self._workers:
            worker.wait()
            worker.stdout.close()
            with suppress(OSError):  # a message that nobody will read
                worker.stdin.close()
        if self._path is not None:
            self.memory = None
            remove(self._path)

    def __enter__(self) -> "Team":
        return self

    def __exit__(self, *_) -> None:
        self.close()
