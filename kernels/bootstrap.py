"""Paths resampled from the returns of bars or of trades, reduced as they go: nothing is as long as a path.

Blocks of returns in a row keep what binds neighbours. All are one kernel: a block begins at one of the first `starts`
returns and is as long as `length` says, or, where there are `survivals`, as long as a geometric draw.

- moving blocks (Künsch 1989, Annals of Statistics 17(3)): `starts` = n - length + 1;
- circular blocks (Politis and Romano 1992, in Exploring the Limits of Bootstrap): `starts` = n, the first return
  follows the last, so that each is drawn as often as any other;
- the stationary bootstrap (Politis and Romano 1994, JASA 89(428)): circular, of geometric lengths;
- blocks of one return: drawn with replacement (Efron 1979, Annals of Statistics 7(1)).

`shuffled_paths` draws without replacement. What a path draws depends on seed and path number alone. Additions,
multiplications and divisions only: a geometric length is found without a logarithm, so that every machine draws it.
"""

from ._jit import kernel
from .philox import fill_uniforms

DRAWN, AT, PLACE, LEFT, GROWTH, PEAK, LEAST, DEEPEST, AGE, LONGEST, OFFSETS, SQUARES, IS_OVER = range(13)
"""Draws made; which of the drawn blocks comes next; the next return of the block and how many more it has; equity over
that at the start, its peak so far, the least from which on it is the deepest drawdown, that drawdown as a share of its
peak; steps since the peak; the longest drawdown that is over; sum of returns less the centre, and of its squares;
whether all was lost."""
PATH_CARRY = 13

FINAL_GROWTH, MEAN, SQUARES_ABOUT_MEAN, DEEPEST_SHARE, LONGEST_DRAWDOWN = range(5)
PATH_RESULTS = 5

BLOCKS_AT_ONCE = 128
"""Blocks that are drawn in one go; what they need stays in the first-level cache."""
DRAWN_ROWS = 4

_ROUNDING = 2.0**-50


@kernel(shared=True)
def start_path(carry):
    """Set the carry (float64[PATH_CARRY]) to what it is before a path's first step."""
    carry[:] = 0.0
    carry[GROWTH] = carry[PEAK] = carry[LEAST] = carry[DEEPEST] = 1.0


@kernel
def _rest_lost(steps, centre, carry):
    """Steps after all was lost: equity stays where it is, and there is no return where nothing can be lost."""
    carry[AGE] += steps
    carry[OFFSETS] -= steps * centre
    carry[SQUARES] += steps * (centre * centre)


@kernel(shared=True)
def take_steps(returns, centre, carry):
    """Take in a path's next returns; drawdowns are counted as in `kernels.metrics`.

    A path whose equity is no longer above 0 ends there. One branch of a loop says so: as a part of each product it
    would treble what a step waits for.
    """
    if carry[IS_OVER] != 0.0:
        _rest_lost(returns.shape[0], centre, carry)
        return
    growth, peak, least, deepest = carry[GROWTH], carry[PEAK], carry[LEAST], carry[DEEPEST]
    age, longest, offsets, squares = carry[AGE], carry[LONGEST], carry[OFFSETS], carry[SQUARES]
    taken = 0
    for value in returns:
        offset = value - centre
        offsets += offset
        squares += offset * offset
        growth *= 1.0 + value
        taken += 1
        if growth >= peak:
            longest = age if age > longest else longest
            peak, age, least = growth, 0.0, growth * deepest
            continue
        age += 1.0
        if not growth > least:
            if not growth > 0.0:  # an infinite one times 0 is no number
                growth = growth if growth < 0.0 else 0.0
                carry[IS_OVER] = 1.0
            least, deepest = growth, growth / peak
            if carry[IS_OVER] != 0.0:
                break
    carry[GROWTH], carry[PEAK], carry[LEAST], carry[DEEPEST] = growth, peak, least, deepest
    carry[AGE], carry[LONGEST], carry[OFFSETS], carry[SQUARES] = age, longest, offsets, squares
    if carry[IS_OVER] != 0.0:
        _rest_lost(returns.shape[0] - taken, centre, carry)


@kernel(shared=True)
def finish_path(steps, centre, carry, out):
    """What a path of `steps` >= 1 steps came to: out, float64[PATH_RESULTS].

    A sum of squares within the rounding of its parts is 0: returns that are all the same have no spread.
    """
    mean = carry[OFFSETS] / steps
    about = carry[SQUARES] - mean * carry[OFFSETS]
    out[FINAL_GROWTH] = carry[GROWTH]
    out[MEAN] = centre + mean
    out[SQUARES_ABOUT_MEAN] = about if about > steps * _ROUNDING * carry[SQUARES] else 0.0
    out[DEEPEST_SHARE] = carry[DEEPEST]
    out[LONGEST_DRAWDOWN] = max(carry[LONGEST], carry[AGE])


@kernel
def fill_lengths(uniforms, survivals, lengths, chances):
    """1 + the number of times in a row that a block goes on, for each uniform in [0, 1).

    survivals: float64[k], the chance to go on 2^(k-1), …, 4, 2, 1 times. Length - 1 is the greatest number whose chance
    is above the uniform (inversion), found bit by bit. lengths: float64[n]; chances: float64[n], scratch.
    """
    lengths[:], chances[:] = 1.0, 1.0
    more = float(1 << survivals.shape[0])
    for share in survivals:
        more *= 0.5
        for k in range(uniforms.shape[0]):  # side by side, where the bits of one length would wait for each other
            after = chances[k] * share
            goes_on = uniforms[k] < after
            chances[k] = after if goes_on else chances[k]
            lengths[k] += more if goes_on else 0.0


@kernel
def _draw_blocks(starts, length, survivals, seed, path, first, places, lengths, scratch):
    """Where blocks first, first + 1, … of a path begin and how long they are."""
    uniforms, chances = scratch[0, : places.shape[0]], scratch[1, : places.shape[0]]
    fill_uniforms(seed, path, first, places, uniforms)
    for k in range(places.shape[0]):
        places[k] = int(places[k] * starts)
    if survivals.shape[0]:
        fill_lengths(uniforms, survivals, lengths, chances)
    else:
        lengths[:] = length


@kernel
def fill_blocks(returns, starts, length, survivals, seed, path, carry, drawn, out):
    """The next returns of a path that is made of blocks, as many as out has room for.

    returns: float64[n], n >= 1; 1 <= starts <= n; length: of a block, the mean one where there are survivals; carry:
    float64[PATH_CARRY], begun by `start_path`; drawn: float64[DRAWN_ROWS, BLOCKS_AT_ONCE], a part of the carry.

    Blocks are drawn some at a time: short ones would otherwise wait for their draws one by one.
    """
    n, count, at = returns.shape[0], int(carry[DRAWN]), int(carry[AT])
    place, left = int(carry[PLACE]), int(carry[LEFT])
    at_once = min(int(n / length) + 1, BLOCKS_AT_ONCE)
    places, lengths = drawn[0, :at_once], drawn[1, :at_once]
    filled, size = 0, out.shape[0]
    while filled < size:
        if left == 0:
            if at == 0:
                _draw_blocks(starts, length, survivals, seed, path, count, places, lengths, drawn[2:])
                count += at_once
            place, left = int(places[at]), int(lengths[at])
            at = at + 1 if at + 1 < at_once else 0
        taken = min(left, size - filled, n - place)
        for k in range(taken):
            out[filled + k] = returns[place + k]
        filled += taken
        place = place + taken if place + taken < n else 0
        left -= taken
    carry[DRAWN], carry[AT], carry[PLACE], carry[LEFT] = count, at, place, left


@kernel
def fill_shuffled(returns, seed, path, carry, drawn, order, out):
    """The next returns of a path that takes each once (Fisher and Yates, Durstenfeld 1964), up to the room in out.

    carry and drawn: as for `fill_blocks`; order: int64[n], a part of the carry: what is drawn stands before what is
    left.
    """
    n, done = returns.shape[0], int(carry[DRAWN])
    if done == 0:
        for k in range(n):
            order[k] = k
    for start in range(0, out.shape[0], BLOCKS_AT_ONCE):
        count = min(BLOCKS_AT_ONCE, out.shape[0] - start)
        fill_uniforms(seed, path, done + start, drawn[0, :count], drawn[1, :count])
        for k in range(count):
            here = done + start + k
            other = here + int(drawn[0, k] * (n - here))
            order[here], order[other] = order[other], order[here]
            out[start + k] = returns[order[here]]
    carry[DRAWN] = done + out.shape[0]


@kernel
def _take_row(row, done, marks, noted, centre, carry, curve):
    """Take in returns after `done` steps, noting growth at the marks among them; returns how many there were so far."""
    at = 0
    while noted < marks.shape[0] and marks[noted] <= done + row.shape[0]:
        stop = marks[noted] - done
        take_steps(row[at:stop], centre, carry)
        curve[noted] = carry[GROWTH]
        at = stop
        noted += 1
    take_steps(row[at:], centre, carry)
    return noted


@kernel
def block_paths(returns, starts, length, survivals, seed, first, centre, marks, carry, drawn, row, curves, out):
    """Paths first, first + 1, … of blocks: a row of out and of curves each.

    marks: int64[mark], rising, numbers of steps after which growth is noted; row: float64[>= 1], scratch, as carry and
    drawn are; curves: float64[path, mark]; out: float64[path, PATH_RESULTS]. The rest as for `fill_blocks`.
    """
    n = returns.shape[0]
    for p in range(out.shape[0]):
        start_path(carry)
        noted = 0
        for done in range(0, n, row.shape[0]):
            part = row[: min(row.shape[0], n - done)]
            fill_blocks(returns, starts, length, survivals, seed, first + p, carry, drawn, part)
            noted = _take_row(part, done, marks, noted, centre, carry, curves[p])
        finish_path(n, centre, carry, out[p])


@kernel
def shuffled_paths(returns, seed, first, centre, marks, carry, drawn, row, order, curves, out):
    """Paths first, first + 1, … that take each return once. As `block_paths`; order is scratch too."""
    n = returns.shape[0]
    for p in range(out.shape[0]):
        start_path(carry)
        noted = 0
        for done in range(0, n, row.shape[0]):
            part = row[: min(row.shape[0], n - done)]
            fill_shuffled(returns, seed, first + p, carry, drawn, order, part)
            noted = _take_row(part, done, marks, noted, centre, carry, curves[p])
        finish_path(n, centre, carry, out[p])
