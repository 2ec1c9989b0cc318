"""The peers that ours is measured against, each written once, the way its users would."""

import torch
from torch.nn.utils.rnn import PackedSequence

TORCH_CELLS = {"elman": torch.nn.RNN, "gru": torch.nn.GRU, "lstm": torch.nn.LSTM}


class TorchRNN(torch.nn.Module):
    """Recurrent layers and a linear output, on the last valid timestep or on every one."""

    def __init__(self, cell, n_inputs, hidden_size, n_layers, n_outputs, per_step):
        super().__init__()
        self.recurrent = TORCH_CELLS[cell](n_inputs, hidden_size, n_layers, batch_first=True)
        self.output = torch.nn.Linear(hidden_size, n_outputs)
        self.per_step = per_step

    def forward(self, X, lengths=None):
        """Return raw outputs of a tensor (batch, timesteps, features) or a PackedSequence.

        Of a packed X those per step are packed too. In a tensor that is padded, `lengths` says
        where the last valid steps are; of the outputs per step those on padding are no use.
        """
        h, last = self.recurrent(X)
        if self.per_step:
            if isinstance(h, PackedSequence):
                return h._replace(data=self.output(h.data))
            return self.output(h)
        if lengths is not None:
            return self.output(h[torch.arange(len(h)), lengths - 1])
        h_last = last[0] if isinstance(last, tuple) else last  # LSTM: h and c
        return self.output(h_last[-1])
