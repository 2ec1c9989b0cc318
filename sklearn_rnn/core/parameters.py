"""The parameters of a network: one flat vector, and a named view for each array."""

import math
from collections.abc import Iterator, Mapping

import numpy as np


class Parameters(Mapping):
    """Named arrays that are views of one vector.

    One vector makes work on all parameters one operation: clipping is a dot product, an update is a
    few in-place ufuncs, and to keep the best weights is one copy. Pickle and copy store the vector
    and the shapes, and make new views.
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

    # Compare by identity. A mapping would compare item by item, but == of arrays is an array.
    __eq__ = object.__eq__
    __hash__ = object.__hash__

    def __reduce__(self):
        return type(self), (self.shapes, self.vector)


def within(parameters: Mapping[str, np.ndarray], prefix: str) -> dict[str, np.ndarray]:
    """Select the parameters whose names begin with a prefix, and remove the prefix."""
    return {
        name.removeprefix(prefix): array
        for name, array in parameters.items()
        if name.startswith(prefix)
    }
