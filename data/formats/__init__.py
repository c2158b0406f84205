"""Vendor formats: from a file's bytes to a table, and from a table to bars.

containers  gzip and zip are opened, the kind of the content is told from its first bytes
table       what every kind becomes: columns, whether they were named, and the source line of each row
text        delimited text          → Table
structured  JSON, Parquet, feather  → Table
headed      tables with named columns     → Layout
headless    tables without column names   → Layout
refusals    tables that are no bars, by name
clocks      how times are written
bars        Table + Layout → the six columns
"""
