"""Asking memory for a value some time before it is read.

A backtest reads the open of one bar in a hundred, each time from another place: a processor does not see that coming,
and waits for longer than a fill takes to compute.
"""

from typing import Any

from llvmlite import ir
from numba.core import types
from numba.extending import intrinsic
from numba.np.arrayobj import make_array

from ._jit import numba_config

_READ, _KEEP, _DATA = 0, 3, 1


def _prefetch(_typing: Any, array: Any, _index: Any) -> Any:
    """Have array[index] brought into the cache. It reads nothing, so that an index beyond the array does no harm.

    array: a contiguous one. The instruction is LLVM's llvm.prefetch (LLVM Language Reference Manual).
    """

    def generate(context: Any, builder: Any, _signature: Any, arguments: Any) -> Any:
        place = builder.gep(make_array(array)(context, builder, arguments[0]).data, [arguments[1]])
        pointer, integer = ir.IntType(8).as_pointer(), ir.IntType(32)
        kind = ir.FunctionType(ir.VoidType(), [pointer, integer, integer, integer])
        instruction = builder.module.declare_intrinsic("llvm.prefetch", [pointer], kind)
        builder.call(instruction, [builder.bitcast(place, pointer), integer(_READ), integer(_KEEP), integer(_DATA)])
        return context.get_dummy_value()

    return types.void(array, types.intp), generate


def _nothing(_array: Any, _index: int) -> None:
    """What is left of it where kernels are plain Python."""


prefetch: Any = _nothing if numba_config.DISABLE_JIT else intrinsic(_prefetch)
