"""`pyramid`: latents in three grids, each coded given the coarser ones, and searched for in every photograph.

shape.py        sizes of the networks, the rate levels
layers.py       the layers that the networks are built of
transforms.py   photograph to latents (encoder only), latents to photograph
entropy.py      what the decoder knows before each latent: means, scales and shapes of their densities
model.py        the three together, as training and search use them
training.py     `python -m codecs_zoo.learned.pyramid.training`: the networks that all photographs share
"""
