"""Many photographs through many codecs at many rates, and a page that shows what came of it.

`plan` says which rows there are, `work` makes one, `run` makes them all in several processes and can be killed
at any moment, `tables` writes them down, `summary` computes means and intervals, `chart`, `crops` and `page`
draw the report.
"""
