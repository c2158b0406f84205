"""Compiled arithmetic: resumable kernels over contiguous arrays. Nothing here knows names, files or clocks."""
