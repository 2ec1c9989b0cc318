"""All parameters of a network in one flat vector, each also a named view of it."""

import math
from collections.abc import Iterator, Mapping

import numpy as np


class Parameters(Mapping):
    """Named arrays that are views of one vector.

    The vector makes whole-network work one operation: clipping is a dot product, an update a few
    in-place ufuncs, keeping the best weights one copy. Pickling and copying store the vector and
    the shapes, and make the views anew.
    """

    def __init__(self, shapes: Mapping[str, tuple[int, ...]], vector: np.ndarray):
        self.shapes = dict(shapes)
        self.vector = vector
        ends = np.cumsum([math.prod(shape) for shape in self.shapes.values()])
        self._views = {
            name: part.reshape(shape)
            for (name, shape), part in zip(
                self.shapes.items(), np.split(vector, ends[:-1]), strict=True
            )
        }

    @classmethod
    def zeros(cls, shapes: Mapping[str, tuple[int, ...]], dtype) -> "Parameters":
        size = sum(math.prod(shape) for shape in shapes.values())
        return cls(shapes, np.zeros(size, dtype))

    def __getitem__(self, name: str) -> np.ndarray:
        return self._views[name]

    def __iter__(self) -> Iterator[str]:
        return iter(self._views)

    def __len__(self) -> int:
        return len(self._views)

    def __reduce__(self):
        return type(self), (self.shapes, self.vector)


def within(parameters: Mapping[str, np.ndarray], prefix: str) -> dict[str, np.ndarray]:
    """Those whose names begin with a prefix, under the rest of their names."""
    return {
        name.removeprefix(prefix): array
        for name, array in parameters.items()
        if name.startswith(prefix)
    }
