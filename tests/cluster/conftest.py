"""Dask clusters of worker processes on this machine. No process may outlive its test."""

from contextlib import contextmanager
from multiprocessing import resource_tracker

import pytest


@pytest.fixture(scope="session")
def local_cluster(tmp_path_factory):
    """A context manager: a client of a cluster with `n_workers` processes of `n_threads` each."""
    import psutil  # comes with distributed
    from distributed import Client, LocalCluster

    resource_tracker.ensure_running()  # Python's own, which stays until the end
    process = psutil.Process()

    @contextmanager
    def start(n_workers=2, n_threads=1):
        before = set(process.children(recursive=True))
        with (
            LocalCluster(
                n_workers=n_workers,
                threads_per_worker=n_threads,
                processes=True,
                dashboard_address=":0",
                local_directory=tmp_path_factory.mktemp("dask"),
            ) as cluster,
            Client(cluster) as client,
        ):
            assert len(set(process.children(recursive=True)) - before) >= n_workers
            yield client
        left = set(process.children(recursive=True)) - before
        assert not left, f"processes that outlive the cluster: {left}"

    return start
