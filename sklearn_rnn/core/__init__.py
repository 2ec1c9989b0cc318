"""The networks themselves. This package needs NumPy only, and trusts its input.

From the top to the bottom, each module imports only modules further down:

network       layers, dropout and an output layer: forward and backward pass, and prediction
directions    a layer in both directions of time
recurrent     a layer in one direction: the loop over time
pooling       what the output layer reads of a sequence's hidden states
records       the memory of a layer in one direction
layer         the interface of a layer
architecture  a network's sizes, and the names and shapes of its parameters
cells         what happens at one timestep
packing       a batch of sequences, time-major, in spans and chunks
memory        memory that is allocated once
parameters    one vector with named views

losses, optimizers, schedules, dropout and initializers know nothing of the other modules.
"""
