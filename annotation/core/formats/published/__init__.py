"""A snapshot as other programs read it: Parquet, JSON Lines, pwcmp, a Hugging Face folder, BAPPS.

Each is written from the snapshot's own files, old ones too, as (name, pieces) of a folder or a zip file. A picture is
there once, whatever the number of triplets that show it; only BAPPS, whose loader wants it so, has it for each.
"""
