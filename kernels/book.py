"""Arguments as a table of addresses: a call from Python takes as long as it has arrays to look at.

Handing fifty arrays over one by one costs two microseconds, which is more than a loop in event time has for everything.
Where they stay in their places, a *book* names them by address and shape, and a call hands over one array. What keeps
the arrays alive is the caller's business.
"""

from typing import Any

import numpy as np
from llvmlite import ir
from numba.core import types
from numba.extending import intrinsic
from numba.np.arrayobj import make_array, populate_array

from ._jit import numba_config

PAGE = 5
"""Words of a row: the address, then the shape; a number stands in place of an address."""
_BYTES = 8


def _array_at(dtype: Any) -> Any:
    """Of a book, int64[·, PAGE], the array that a row names, with as many dimensions as the call says."""

    def typed(_typing: Any, book: Any, row: Any, dimensions: Any) -> Any:
        if not isinstance(dimensions, types.IntegerLiteral):
            return None  # Numba asks again with the number itself
        kind = types.Array(dtype, dimensions.literal_value, "C")

        def generate(context: Any, builder: Any, _signature: Any, arguments: Any) -> Any:
            words = make_array(book)(context, builder, arguments[0]).data
            integer = ir.IntType(64)
            first = builder.mul(arguments[1], integer(PAGE))

            def word(k: int) -> Any:
                return builder.load(builder.gep(words, [builder.add(first, integer(k))]))

            array = make_array(kind)(context, builder)
            shape = [word(1 + k) for k in range(kind.ndim)]
            strides = [integer(_BYTES)]
            for size in reversed(shape[1:]):
                strides.insert(0, builder.mul(strides[0], size))
            data = builder.inttoptr(word(0), array.data.type)
            populate_array(array, data=data, shape=shape, strides=strides, itemsize=integer(_BYTES), meminfo=None)
            return array._getvalue()

        return kind(book, row, dimensions), generate

    return typed


def _plain_array_at(dtype: Any) -> Any:
    """The same where kernels are plain Python."""

    def read(book: Any, row: int, dimensions: int) -> Any:
        address, shape = int(book[row, 0]), tuple(book[row, 1 : 1 + dimensions].tolist())
        memory = {"data": (address, False), "shape": shape, "typestr": np.dtype(dtype).str, "version": 3}
        return np.asarray(type("Memory", (), {"__array_interface__": memory})())

    return read


floats_at: Any = _plain_array_at(np.float64) if numba_config.DISABLE_JIT else intrinsic(_array_at(types.float64))
ints_at: Any = _plain_array_at(np.int64) if numba_config.DISABLE_JIT else intrinsic(_array_at(types.int64))
