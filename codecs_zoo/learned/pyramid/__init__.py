"""`pyramid`: latents coded from coarse to fine, and searched for in every photograph, by networks that all share.

shape.py        sizes of the networks, the rate levels
layers.py       the layers that the networks are built of
transforms.py   photograph to latents (encoder only), latents to photograph
entropy.py      what is known before each latent: mean, scale and shape of its density
model.py        the three together, as training and search use them
exact.py        the layers in whole numbers
density.py      the integer tables that symbols are coded by
decoder.py      the decoder in whole numbers
networks.py     a file of weights, ready to code
bitstream.py    the frozen format
search.py       the search for one photograph's latents
encoder.py      rate, search and file
codec.py        the codec as the zoo knows it
training.py     `python -m codecs_zoo.learned.pyramid.training`: the networks that all photographs share
training_settings.py    what shapes the weights
trainer.py      schedule, state and log of a training; stepping.py is one step of it
photographs.py, muon.py, storing.py, freeze.py   what training needs, and what makes weights ready to code
"""

from codecs_zoo.learned.pyramid.codec import PyramidCodec as PyramidCodec
