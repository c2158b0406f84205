"""Datasets: vendor formats, import, check, repair, generation, resampling, and the one reader of normalised files."""
