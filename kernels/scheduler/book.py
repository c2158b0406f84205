"""The loop over instants, its arguments in a book."""

from .._jit import kernel
from ..book import floats_at, ints_at
from .loop import run_instants

PAGES = {
    "timeline": ("int64", 2),
    "columns": ("int64", 2),
    "prices": ("float64", 3),
    "funding": ("float64", 2),
    "width": None,
    "wishes": ("float64", 3),
    "confidence": ("float64", 3),
    "means": ("float64", 3),
    "confidence_measure": None,
    "desk": ("float64", 1),
    "control": ("float64", 2),
    "governor": ("float64", 1),
    "order": ("int64", 1),
    "rules": ("float64", 2),
    "watched": ("int64", 1),
    "warm_from": ("int64", 2),
    "others": ("int64", 1),
    "sources": ("int64", 2),
    "stated": ("float64", 1),
    "raw": None,
    "program": ("int64", 2),
    "constants": ("float64", 1),
    "groups": ("int64", 2),
    "registers": ("float64", 2),
    "smoothing": ("float64", 2),
    "scratch": ("float64", 2),
    "account": ("float64", 1),
    "instruments": ("float64", 2),
    "seen": ("int64", 1),
    "profiles": ("float64", 2),
    "tallies": ("float64", 3),
    "schedules": ("float64", 2),
    "cells": ("float64", 4),
    "said": ("float64", 3),
    "upcoming": ("int64", 2),
    "unit_lots": ("float64", 3),
    "runs": ("float64", 3),
    "rests": ("float64", 3),
    "since": ("float64", 2),
    "stretch": ("float64", 1),
    "rows": ("int64", 2),
    "outcome": ("int64", 1),
    "hand": ("float64", 1),
    "unit_hand": ("float64", 1),
    "decisions": ("float64", 2),
    "refreshes": ("float64", 2),
    "events": ("float64", 2),
    "fills": ("float64", 2),
    "unit_fills": ("float64", 2),
    "curve": ("float64", 1),
}
"""What each row names, in the order of the arguments of `run_instants`: kind and dimensions; None for a number."""


@kernel
def run_book(book, start, stop):
    """`run_instants` over the arrays that a book names. book: int64[page, PAGE], a row for each of `PAGES`."""
    return run_instants(
        ints_at(book, 0, 2), ints_at(book, 1, 2), floats_at(book, 2, 3), floats_at(book, 3, 2), book[4, 0],
        floats_at(book, 5, 3), floats_at(book, 6, 3), floats_at(book, 7, 3), book[8, 0], floats_at(book, 9, 1),
        floats_at(book, 10, 2), floats_at(book, 11, 1), ints_at(book, 12, 1), floats_at(book, 13, 2),
        ints_at(book, 14, 1), ints_at(book, 15, 2), ints_at(book, 16, 1), ints_at(book, 17, 2),
        floats_at(book, 18, 1), book[19, 0], ints_at(book, 20, 2), floats_at(book, 21, 1), ints_at(book, 22, 2),
        floats_at(book, 23, 2), floats_at(book, 24, 2), floats_at(book, 25, 2), floats_at(book, 26, 1),
        floats_at(book, 27, 2), ints_at(book, 28, 1), floats_at(book, 29, 2), floats_at(book, 30, 3),
        floats_at(book, 31, 2), floats_at(book, 32, 4), floats_at(book, 33, 3), ints_at(book, 34, 2),
        floats_at(book, 35, 3), floats_at(book, 36, 3), floats_at(book, 37, 3), floats_at(book, 38, 2),
        floats_at(book, 39, 1), ints_at(book, 40, 2), ints_at(book, 41, 1), floats_at(book, 42, 1),
        floats_at(book, 43, 1), floats_at(book, 44, 2), floats_at(book, 45, 2), floats_at(book, 46, 2),
        floats_at(book, 47, 2), floats_at(book, 48, 2), floats_at(book, 49, 1), start, stop,
    )  # fmt: skip
