"""Compilation of the numeric kernels: numba behind one typed decorator."""

from __future__ import annotations

from collections.abc import Callable
from typing import ParamSpec, TypeVar

import numpy as np
from numpy.typing import NDArray

__all__ = ["compiled", "elementwise"]

P = ParamSpec("P")
R = TypeVar("R")
Array = NDArray[np.float64]


def compiled(*, parallel: bool = False, inline: bool = False) -> Callable[[Callable[P, R]], Callable[P, R]]:
    """Compile with numba: cached on disk, GIL released, division by zero gives infinities.

    Fused multiply-add is allowed and nothing else that changes results: a fused operation rounds once
    instead of twice, which the error bounds of the kernels cover.

    inline : paste the function into its callers, without which their inner loops do not vectorise.
    """

    def wrap(function: Callable[P, R]) -> Callable[P, R]:
        from numba import njit

        decorate: Callable[[Callable[P, R]], Callable[P, R]] = njit(
            cache=True,
            nogil=True,
            parallel=parallel,
            forceinline=inline,
            fastmath={"contract"},
            error_model="numpy",
        )
        return decorate(function)

    return wrap


def elementwise(*, inputs: int) -> Callable[[Callable[..., None]], Callable[..., tuple[Array, Array]]]:
    """Compile a loop over flat arrays, so many operands and two results; the function that is made takes
    arrays that broadcast and returns two new ones.

    An operand of one element is passed as it is: the loop must take it for each of the others. (Not one of
    numba's ufuncs: two processes that compile one at the same time leave a cache behind that crashes.)
    """

    def wrap(function: Callable[..., None]) -> Callable[..., tuple[Array, Array]]:
        from numba import njit, types

        operand = types.Array(types.float64, 1, "C", readonly=True)
        signature = types.void(*[operand] * inputs, *[types.float64[::1]] * 2)
        kernel: Callable[..., None] = njit(signature, cache=True, nogil=True, error_model="numpy")(function)

        def called(*operands: Array) -> tuple[Array, Array]:
            shape = operands[0].shape
            if any(x.shape != shape and x.ndim for x in operands):
                shape = np.broadcast_shapes(*(x.shape for x in operands))
                operands = tuple(
                    x if x.size == 1 or x.shape == shape else np.broadcast_to(x, shape) for x in operands
                )
            elif not shape:
                shape = max((x.shape for x in operands), key=len)
            first, second = np.empty(shape), np.empty(shape)
            kernel(*[x.ravel() for x in operands], first.reshape(-1), second.reshape(-1))
            return first, second

        return called

    return wrap
