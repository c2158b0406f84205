"""One fused kernel per strategy engine.

All have one signature, `engine(bars, params, carry, out, start, stop, at)`: bars start..stop of `bars` are read (and
what came before them, as far as the longest window), their results go to columns at..at+(stop-start) of `out`, and
`carry` (float64, zeros before the first bar, slot 0 set to the number of bar `start`) goes on to the next call.
Layouts stand in `columns`. A wish is given for every bar: 0 until the windows are full.

An engine never sees fills, limits or suspensions: its own memory follows its own wishes, so that its output is a
function of bars and parameters alone.
"""
