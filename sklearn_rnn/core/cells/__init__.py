"""The recurrent cells: each file is one cell, one timestep, forward and backward side by side.

`base.Cell` says what a cell consists of. To add one, write its file and name it in `CELLS`.
"""

from sklearn_rnn.core.cells.elman import Elman
from sklearn_rnn.core.cells.gru import GRU
from sklearn_rnn.core.cells.lstm import LSTM

CELLS = {"elman": Elman, "lstm": LSTM, "gru": GRU}
