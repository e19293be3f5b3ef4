"""The torch side of the learned codecs: transforms, entropy models, range coding, training.

Nothing here is imported before a learned codec encodes, decodes or trains: importing torch takes seconds.
"""
