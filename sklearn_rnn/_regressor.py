"""RNNRegressor: real targets."""

from operator import itemgetter

import numpy as np
from sklearn.base import RegressorMixin
from sklearn.utils.metaestimators import available_if

from sklearn_rnn._base import BaseRNN
from sklearn_rnn._fitted import Response
from sklearn_rnn._going_on import forecast
from sklearn_rnn._input.hyperparameters import check_flag, only_in_epochs, quantiles_of
from sklearn_rnn._input.targets import (
    RegressionTargets,
    check_counts,
    check_target_shape,
    read_regression_targets,
    read_weights,
)
from sklearn_rnn._ready_signature import with_ready_signature
from sklearn_rnn._scores import regression_score
from sklearn_rnn._settings import keeps_numpy_settings
from sklearn_rnn.core.heads import Head, MeanAndDeviation, NonCrossing
from sklearn_rnn.core.links import identity

first_output = itemgetter((slice(None), 0))


class RNNRegressor(RegressorMixin, BaseRNN):
    """Recurrent neural network for regression on sequences.

    X is an array (n_samples, n_timesteps, n_features), or a list of sequences of different lengths.
    The target is one or several numbers, per sequence or per timestep.

    Predict the next value of a wave from the ten values before it:

    >>> import numpy as np
    >>> from sklearn_rnn import RNNRegressor
    >>> wave = np.sin(np.arange(300) / 3)
    >>> windows = np.lib.stride_tricks.sliding_window_view(wave, 11)
    >>> X, y = windows[:, :10, np.newaxis], windows[:, 10]
    >>> X.shape, y.shape
    ((290, 10, 1), (290,))
    >>> model = RNNRegressor(random_state=0)
    >>> model.fit(X[:200], y[:200]).score(X[200:], y[200:]) > 0.99
    True

    The parameters by topic, in the order of their descriptions:

    - network: ``cell``, ``activation``, ``hidden_size``, ``n_layers``, ``bidirectional``,
      ``dropout``, ``recurrent_dropout``, ``return_sequences``, ``pooling``
    - units and loss: ``standardize``, ``loss``, ``delta``, ``quantile``, ``alpha``
    - training: ``solver``, ``batch_size``, ``shuffle``, ``bptt_steps``, ``learning_rate``,
      ``learning_rate_init``, ``power_t``, ``max_grad_norm``, ``max_grad_value``
    - details of the solvers: ``momentum``, ``nesterovs_momentum``, ``beta_1``, ``beta_2``, ``rho``,
      ``epsilon``
    - stopping: ``max_iter``, ``tol``, ``n_iter_no_change``, ``early_stopping``,
      ``validation_fraction``
    - general: ``warm_start``, ``n_jobs``, ``random_state``, ``verbose``

    Parameters
    ----------
    cell : {"elman", "lstm", "gru"}, default="gru"
        The recurrent cell: Elman's simple recurrent unit, long short-term memory (LSTM) or gated
        recurrent unit (GRU). The equations are under Notes.
    activation : {"tanh", "relu", "logistic", "identity"}, default="tanh"
        The function f of the Elman cell. With "relu" the recurrent matrix starts as the identity
        [1]_. The other cells have fixed activations and accept only the default.
    hidden_size : int, default=64
        Units per recurrent layer.
    n_layers : int, default=1
        The number of recurrent layers. Each layer reads the hidden states of the layer below.
    bidirectional : bool, default=False
        Whether every layer also reads each sequence in reverse, from its last timestep to its
        first [11]_. The reverse direction has parameters of its own. The next layer and the output
        read the hidden states of both directions, 2 * hidden_size values per timestep. Prediction
        then needs memory for whole sequences.
    dropout : float, default=0.0
        The probability of dropping a hidden unit during training where the next layer or the
        output reads it. Units are drawn anew for each timestep and update [12]_. The remaining
        units are scaled by 1 / (1 - dropout). ``loss_`` and ``loss_curve_`` include the effect of
        dropout. Not available with ``solver="lbfgs"``.
    recurrent_dropout : float, default=0.0
        The probability of dropping a hidden unit during training where W_hh multiplies h_{t-1}.
        Units are drawn for each sequence and update, and the same ones are dropped at all
        timesteps of the sequence [14]_. The remaining units are scaled as with ``dropout``. Not
        available with ``solver="lbfgs"``.
    return_sequences : bool, default=False
        False: one target per sequence, which the output computes from all the hidden states as
        ``pooling`` says. True: one target per timestep, from the hidden state of that timestep.
    pooling : {"auto", "last", "mean", "max"} or tuple of the last three, default="auto"
        How the hidden states of the top layer over time become what the output reads, with one
        target per sequence:

        - "last": the hidden state of the last timestep. In a bidirectional network, the reverse
          direction's is the one of the first timestep, where this direction ends.
        - "mean": the mean over the timesteps.
        - "max": for each unit, the maximum over the timesteps. If several timesteps have it, the
          gradient goes to the first one, in the order in which the direction reads them.

        "auto" is ("last", "mean", "max") for a classifier and "last" for a regressor. A tuple, or a
        list, such as ("last", "mean", "max") gives the output all of these side by
        side, in this order. Padding never counts. With ``bptt_steps`` the mean and the maximum are
        over all the timesteps that were read, and gradients stay in the present segment. With
        ``return_sequences=True`` there is nothing to pool: only "auto" and "last" are allowed.
    standardize : bool, default=True
        Whether the network works without the units of the data: on features of mean 0 and standard
        deviation 1 and, for a regressor, on such targets (but not with ``loss="poisson"``). The
        statistics are those of the training samples, sample weights counted, over all valid
        timesteps, and of early stopping without the samples held out. `partial_fit` and
        ``warm_start`` keep the statistics of the first call. Predictions, losses and scores are in
        the units of y, and so is ``delta``. ``weights_`` are those of the network without units.
        False: the network reads X and learns y as they are.
    loss : {"squared_error", "absolute_error", "huber", "quantile", "poisson", "gaussian"}, \
            default="squared_error"
        The loss to minimize, averaged over the outputs. With r = prediction - target:

        - "squared_error": r ** 2 / 2. It predicts the mean.
        - "absolute_error": abs(r). It predicts the median.
        - "huber": r ** 2 / 2 where abs(r) <= ``delta``, and delta * (abs(r) - delta / 2) elsewhere.
          Outliers have less influence than with "squared_error" [9]_.
        - "quantile": max(-q * r, (1 - q) * r), the pinball loss. It predicts the quantile
          q = ``quantile`` [10]_, or several quantiles; then the loss is averaged over them, too.
        - "poisson": half the deviance of a Poisson distribution, without the term that does not
          depend on the prediction. It predicts the mean of counts, exp(raw output). y must not be
          negative, nor zero throughout.
        - "gaussian": (r / s) ** 2 / 2 + log(s), the negative log-likelihood of a normal
          distribution, without its constant. It predicts the mean and the standard deviation s
          [15]_, which `predict` returns with ``return_std=True``.
    delta : float, default=1.0
        The error, in the units of y, beyond which ``loss="huber"`` grows linearly.
    quantile : float or list of float, default=0.5
        The quantile that ``loss="quantile"`` predicts, in (0, 1). Of a list, in increasing order,
        one network predicts all quantiles. They are another axis of the predictions, the last one,
        and they never cross [16]_.
    alpha : float, default=0.0001
        Strength of the L2 penalty alpha / 2 * sum(W ** 2) / n_samples on the weight matrices.
        Biases are not penalized. With sample weights, n_samples is their sum.
    solver : {"adam", "rmsprop", "sgd", "lbfgs"}, default="adam"
        Adam [2]_, RMSprop [6]_, gradient descent with momentum, or scipy's L-BFGS-B, which uses
        all the data at once and suits small data. "lbfgs" uses ``alpha``, ``max_iter`` (the number
        of iterations), ``tol`` (it stops when no entry of the gradient is larger) and the
        parameters of early stopping. It ignores the parameters of batches, learning rates and
        clipping, and has no `partial_fit`. It computes in float64; with float32 X, it rounds the
        result to float32.
    batch_size : int or "auto", default="auto"
        The number of sequences per update. A number greater than n_samples counts as n_samples.
        "auto" is about n_samples / 100, but at least 32 and at most 200, and the same for all
        updates of an epoch, as nearly as can be.
    shuffle : bool, default=True
        Whether to shuffle the samples before each epoch and before validation data are held out.
        With False, the validation data are the last samples, which suits samples in the order of
        time; with groups, they are the groups that end last.
    bptt_steps : int or None, default=None
        The segment length of truncated backpropagation through time [13]_, in timesteps.
        Sequences are cut into segments of this length, with one update per segment. Hidden states
        are carried from segment to segment, but gradients stop at the start of a segment: the
        network uses earlier timesteps only as far as the carried states happen to keep them.
        Training needs memory for one segment at a time. With one target per sequence, the network
        learns only from the segments in which sequences end. None truncates nothing, nor does the
        length of the longest sequence or more. Not available with ``bidirectional=True`` or
        ``solver="lbfgs"``.
    learning_rate : {"constant", "invscaling", "adaptive", "cosine", "one_cycle"}, \
            default="constant"
        The schedule of the learning rate:

        - "constant": ``learning_rate_init`` throughout.
        - "invscaling": ``learning_rate_init / t ** power_t`` at update t = 1, 2, ...
        - "adaptive": starts at ``learning_rate_init``. When training would stop for lack of
          improvement, the rate is halved instead, until it is below 1e-6.
        - "cosine": falls from ``learning_rate_init`` to zero along half a cosine [7]_.
        - "one_cycle": rises from ``learning_rate_init / 25`` to ``learning_rate_init`` in the
          first 30 % of the updates, then falls to ``learning_rate_init / 250000``, both along half
          a cosine [8]_.

        A cycle of "cosine" or "one_cycle" spans ``max_iter`` epochs: one `fit`, or ``max_iter``
        calls of `partial_fit`. At its end ``fit`` gives no warning of ``max_iter``.
    learning_rate_init : float, default=0.003
        The initial learning rate; for "one_cycle", the highest.
    power_t : float, default=0.5
        The exponent of ``learning_rate="invscaling"``.
    max_grad_norm : float or None, default=5.0
        A gradient with a greater norm, over all parameters together, is scaled down to this norm
        [3]_. None never scales.
    max_grad_value : float or None, default=None
        Every entry of the gradient is clipped to this magnitude, before ``max_grad_norm`` applies.
        None never clips.
    momentum : float, default=0.9
        Momentum of ``solver="sgd"`` and ``solver="rmsprop"``, in [0, 1). 0 gives plain gradient
        descent and plain RMSprop.
    nesterovs_momentum : bool, default=True
        Whether the momentum of ``solver="sgd"`` is Nesterov's.
    beta_1 : float, default=0.9
        Adam's decay rate of the first moment, in [0, 1).
    beta_2 : float, default=0.999
        Adam's decay rate of the second moment, in [0, 1).
    rho : float, default=0.9
        RMSprop's decay rate of the mean squared gradient, in [0, 1).
    epsilon : float, default=1e-8
        Adam's and RMSprop's constant against division by zero.
    max_iter : int, default=200
        The maximum number of epochs, or of iterations of "lbfgs".
    tol : float, default=1e-4
        The smallest change of the loss that counts as an improvement; with early stopping, of the
        validation loss. Smaller changes add up until they count. For "lbfgs" see ``solver``. With
        ``standardize=True``, a change is measured on targets without units.
    n_iter_no_change : int or "auto", default="auto"
        Training stops after more than this many consecutive epochs without improvement. "auto" is
        10, or as many epochs as have 100 updates if those are more; for "lbfgs" it is 10.
    early_stopping : bool or "auto", default="auto"
        Whether to stop when the loss on validation data no longer improves, and keep the
        parameters with the lowest one. Validation data are held out of the training data, unless
        `fit` is given X_val.
        "auto" stops early if `fit` is given X_val or at least 40 samples of positive weight, but
        not with ``solver="lbfgs"``, and not in `partial_fit`.
    validation_fraction : float, default=0.1
        The fraction of the samples to hold out with ``early_stopping=True``. If `fit` is given
        groups, whole groups are held out, as many as come nearest to this fraction.
    warm_start : bool, default=False
        Whether ``fit`` continues from the end of the last ``fit`` as if that had not ended. It
        keeps the parameters, the state of the optimizer, the schedule and the history, but
        ``learning_rate="cosine"`` and "one_cycle" start a new cycle. The architecture must be the
        same.
    n_jobs : int or None, default=None
        The number of cores that one fit may use, and one prediction of more than 256 sequences.
        Each core has a worker process. None is one core, unless joblib's ``parallel_config`` says
        otherwise, and -1 is all cores. Fewer are used, or one, where more don't pay. Within a
        search with ``n_jobs`` of its own, within any other worker process, and in threads other
        than the main one, it is one core. Results are the same to rounding for every ``n_jobs``.
        With the same ``n_jobs`` they are the same to the last bit in every run.
    random_state : int, RandomState instance or None, default=None
        Determines starting weights, shuffling, dropout and validation data. An int makes fits
        repeatable to the last bit. None takes one number from NumPy's global generator, so
        ``np.random.seed`` makes a sequence of fits repeatable.
    verbose : int, default=0
        Whether to print one line per epoch, or per iteration of "lbfgs".

    Attributes
    ----------
    weights_ : mapping of str to ndarray
        The parameters under the textbook's names, read-only: for every layer k
        ``"layer_k.W_xh"`` (n_gates * hidden_size, n_inputs), ``"layer_k.W_hh"``
        (n_gates * hidden_size, hidden_size) and ``"layer_k.b_h"`` (n_gates * hidden_size,), for
        the GRU also ``"layer_k.b_hn"`` (hidden_size,); ``"output.W_hy"`` (n_outputs, hidden_size)
        and ``"output.b_y"`` (n_outputs,). The gates' order in the rows is o, i, g, f for the LSTM
        and z, r, n for the GRU. With ``bidirectional=True`` the reverse direction's are
        ``"layer_k.reverse.W_xh"`` and so on; W_hy, and W_xh but for layer 0, have
        2 * hidden_size columns: first the forward direction's, then the reverse direction's. With
        several of ``pooling``, W_hy has so many columns for each of them, in their order.
    loss_ : float
        The mean loss over the last epoch, including the penalty; for "lbfgs", the loss of the
        fitted parameters.
    best_loss_ : float
        The lowest value in ``loss_curve_``.
    loss_curve_ : list of float
        The loss of every epoch, or after every iteration of "lbfgs".
    learning_rates_ : list of float
        The learning rate of the last update in every epoch; empty for "lbfgs".
    validation_loss_curve_ : list of float or None
        The loss on the validation data after every epoch, without the penalty and without dropout;
        None without validation data.
    validation_scores_ : list of float or None
        The `score` on the validation data after every epoch, or the score of the callback
        `~sklearn_rnn.callbacks.EarlyStopping`; None without validation data.
    best_iteration_ : int or None
        The epoch with the lowest validation loss, or with the callback's highest score, counted
        from 1; None without validation data. With early stopping, the fitted parameters are the
        ones after this epoch.
    best_validation_score_ : float or None
        The entry of ``validation_scores_`` for that epoch; None without validation data.
    gradient_norms_ : list of float
        The norm of the gradient before clipping and without the penalty, averaged over the updates
        of each epoch.
    weight_norms_ : list of float
        The norm of all the parameters after each epoch.
    n_iter_ : int
        The number of epochs, or of iterations of "lbfgs".
    t_ : int
        The number of training samples seen, counting repetitions.
    X_mean_, X_scale_ : ndarray of shape (n_features,) or None
        The mean and the standard deviation of each feature, with ``standardize=True``. The scale of
        a constant is 1.
    y_mean_, y_scale_ : ndarray of shape (n_outputs,) or None
        The same of each output, where targets are standardized.
    n_features_in_ : int
        The number of features per timestep; for 2-D X, the number of columns.
    feature_names_in_ : ndarray of shape (`n_features_in_`,)
        The column names of X. Defined only if X was a DataFrame or a list of DataFrames, and all
        column names are strings.
    n_outputs_ : int
        The number of outputs. For y of shape (n_samples, horizon, n_outputs), horizon * n_outputs,
        in the order of time and then of the outputs.
    n_layers_ : int
        The number of recurrent layers.

    See Also
    --------
    RNNClassifier : The classifier with the same networks.

    Notes
    -----
    The user guide lists the containers that X may have, and shows which container results per
    timestep have. The network computes in float32 if X is float32, which is about twice as fast,
    and in float64 otherwise.

    With a list of quantiles, the first n_outputs rows of W_hy and b_y are for the lowest quantile
    of all outputs, the next rows for the second one, and so on. Of the quantile nearest to 0.5, the
    raw output is the prediction. From there, every further quantile is softplus(raw output) above
    or below its neighbour. Where quantiles of the training data are equal, they start close to each
    other. With ``loss="gaussian"``, the first half of the rows is for the means, and
    s = softplus(raw output) + 0.001 of the second half.

    With h_0 = c_0 = 0, * for elementwise products and s for the logistic function, the cells are

    - elman: h_t = f(W_xh x_t + W_hh h_{t-1} + b_h);
    - lstm: o, i, f = s(.), g = tanh(.), c_t = f * c_{t-1} + i * g, h_t = o * tanh(c_t) [4]_; the
      bias of f starts at 1;
    - gru: r, z = s(.), n = tanh(W_xn x_t + b_xn + r * (W_hn h_{t-1} + b_hn)),
      h_t = (1 - z) * n + z * h_{t-1} [5]_;

    where . stands for W_xh x_t + W_hh h_{t-1} + b_h with the rows of the gate in question. The raw
    outputs are y_t = W_hy h_t + b_y; with one target per sequence, ``pooling`` takes the place of
    h_t. Recurrent matrices start orthogonal, input matrices Glorot uniform.

    References
    ----------
    .. [1] Q. V. Le, N. Jaitly, G. E. Hinton (2015). A simple way to initialize recurrent networks
       of rectified linear units. arXiv:1504.00941.
    .. [2] D. P. Kingma, J. Ba (2015). Adam: a method for stochastic optimization. ICLR.
    .. [3] R. Pascanu, T. Mikolov, Y. Bengio (2013). On the difficulty of training recurrent neural
       networks. ICML.
    .. [4] S. Hochreiter, J. Schmidhuber (1997). Long short-term memory. Neural Computation 9.
       F. A. Gers, J. Schmidhuber, F. Cummins (2000). Learning to forget. Neural Computation 12.
    .. [5] K. Cho et al. (2014). Learning phrase representations using RNN encoder-decoder for
       statistical machine translation. EMNLP. The reset gate after the product, as in cuDNN.
    .. [6] T. Tieleman, G. E. Hinton (2012). Lecture 6.5, RMSprop: divide the gradient by a running
       average of its recent magnitude. Coursera: Neural networks for machine learning.
    .. [7] I. Loshchilov, F. Hutter (2017). SGDR: stochastic gradient descent with warm restarts.
       ICLR.
    .. [8] L. N. Smith, N. Topin (2019). Super-convergence: very fast training of neural networks
       using large learning rates. SPIE 11006.
    .. [9] P. J. Huber (1964). Robust estimation of a location parameter. Annals of Mathematical
       Statistics 35.
    .. [10] R. Koenker, G. Bassett (1978). Regression quantiles. Econometrica 46.
    .. [11] M. Schuster, K. K. Paliwal (1997). Bidirectional recurrent neural networks. IEEE
       Transactions on Signal Processing 45.
    .. [12] N. Srivastava et al. (2014). Dropout: a simple way to prevent neural networks from
       overfitting. JMLR 15. Between layers only: W. Zaremba, I. Sutskever, O. Vinyals (2014).
       Recurrent neural network regularization. arXiv:1409.2329.
    .. [13] R. J. Williams, J. Peng (1990). An efficient gradient-based algorithm for on-line
       training of recurrent network trajectories. Neural Computation 2. I. Sutskever (2013).
       Training recurrent neural networks. PhD thesis, University of Toronto.
    .. [14] Y. Gal, Z. Ghahramani (2016). A theoretically grounded application of dropout in
       recurrent neural networks. NIPS.
    .. [15] D. A. Nix, A. S. Weigend (1994). Estimating the mean and variance of the target
       probability distribution. ICNN.
    .. [16] A. J. Cannon (2018). Non-crossing nonlinear regression quantiles by monotone composite
       quantile regression neural network. Stochastic Environmental Research and Risk Assessment
       32. Y. Park, D. Maddix, F.-X. Aubet, K. Kan, J. Gasthaus, Y. Wang (2022). Learning quantile
       functions without quantile crossing for distribution-free time series forecasting. AISTATS.

    Examples
    --------
    How sure is the prediction of a wave with noise? One network predicts several quantiles:

    >>> import numpy as np
    >>> from sklearn_rnn import RNNRegressor
    >>> wave = np.sin(np.arange(300) / 3) + np.random.default_rng(0).normal(0, 0.1, 300)
    >>> windows = np.lib.stride_tricks.sliding_window_view(wave, 11)
    >>> X, y = windows[:, :10, np.newaxis], windows[:, 10]
    >>> model = RNNRegressor(
    ...     loss="quantile", quantile=[0.1, 0.5, 0.9], cell="elman", hidden_size=8, random_state=0
    ... )
    >>> low, median, high = model.fit(X[:200], y[:200]).predict(X[200:]).T
    >>> bool((low < median).all() and (median < high).all())
    True
    """

    _losses = ("squared_error", "absolute_error", "huber", "quantile", "poisson", "gaussian")
    _auto_pooling = ("last",)

    @with_ready_signature
    def __init__(  # noqa: PLR0913 (scikit-learn finds parameters in the signature)
        self,
        *,
        cell="gru",
        activation="tanh",
        hidden_size=64,
        n_layers=1,
        bidirectional=False,
        dropout=0.0,
        recurrent_dropout=0.0,
        return_sequences=False,
        pooling="auto",
        standardize=True,
        loss="squared_error",
        delta=1.0,
        quantile=0.5,
        alpha=0.0001,
        solver="adam",
        batch_size="auto",
        shuffle=True,
        bptt_steps=None,
        learning_rate="constant",
        learning_rate_init=0.003,
        power_t=0.5,
        max_grad_norm=5.0,
        max_grad_value=None,
        momentum=0.9,
        nesterovs_momentum=True,
        beta_1=0.9,
        beta_2=0.999,
        rho=0.9,
        epsilon=1e-8,
        max_iter=200,
        tol=1e-4,
        n_iter_no_change="auto",
        early_stopping="auto",
        validation_fraction=0.1,
        warm_start=False,
        n_jobs=None,
        random_state=None,
        verbose=0,
    ):
        super().__init__(
            cell=cell,
            activation=activation,
            hidden_size=hidden_size,
            n_layers=n_layers,
            bidirectional=bidirectional,
            dropout=dropout,
            recurrent_dropout=recurrent_dropout,
            return_sequences=return_sequences,
            pooling=pooling,
            standardize=standardize,
            loss=loss,
            alpha=alpha,
            solver=solver,
            batch_size=batch_size,
            shuffle=shuffle,
            bptt_steps=bptt_steps,
            learning_rate=learning_rate,
            learning_rate_init=learning_rate_init,
            power_t=power_t,
            max_grad_norm=max_grad_norm,
            max_grad_value=max_grad_value,
            momentum=momentum,
            nesterovs_momentum=nesterovs_momentum,
            beta_1=beta_1,
            beta_2=beta_2,
            rho=rho,
            epsilon=epsilon,
            max_iter=max_iter,
            tol=tol,
            n_iter_no_change=n_iter_no_change,
            early_stopping=early_stopping,
            validation_fraction=validation_fraction,
            warm_start=warm_start,
            n_jobs=n_jobs,
            random_state=random_state,
            verbose=verbose,
        )
        self.delta = delta
        self.quantile = quantile

    @available_if(only_in_epochs)
    @keeps_numpy_settings
    def partial_fit(self, X, y, sample_weight=None):
        """Train for one more epoch, after earlier calls or `fit`.

        Parameters
        ----------
        X, y, sample_weight
            As for `fit`.

        Returns
        -------
        self : object
            The estimator.

        Raises
        ------
        ValueError, TypeError
            As `fit`; also if X or y don't have the features or outputs of earlier calls.
        """
        return self._partial_fit(X, y, sample_weight)

    @keeps_numpy_settings
    def predict(self, X, return_std=False):
        """Predict the targets.

        Parameters
        ----------
        X : array-like or list of arrays
            The sequences, as for `fit`. Any length is allowed, unless the fit was on 2-D X.
        return_std : bool, default=False
            Whether to return the standard deviations of the targets, too. Only for
            ``loss="gaussian"``.

        Returns
        -------
        y : ndarray of shape (n_samples,), (n_samples, n_outputs) or (n_samples, horizon, n_outputs)
            The predictions, with the axes that y had in `fit`: the mean, or the statistic that
            belongs to ``loss``. With ``return_sequences=True``, a list X gives a list of arrays
            (n_timesteps_i,) or (n_timesteps_i, n_outputs). An array X gives an array
            (n_samples, n_timesteps) or (n_samples, n_timesteps, n_outputs), with NaN in padding. If
            ``quantile`` is a list, there is another axis at the end, with the quantiles in their
            order.
        y_std : ndarray or list of ndarray
            The standard deviations, in the form of y. Returned only with ``return_std=True``.

        Raises
        ------
        ValueError, TypeError
            If X can't be used, or if ``return_std=True`` and the loss of the fit wasn't "gaussian".
        """
        check_flag("return_std", return_std)
        if not return_std:
            return self._respond("predict", X)
        X = self._read_for_prediction(X)
        head = self._architecture.head
        if not isinstance(head, MeanAndDeviation):
            raise ValueError(
                "return_std=True needs standard deviations, which a network fitted with "
                f"loss={self._loss!r} doesn't predict: fit it with loss='gaussian'."
            )
        raw = self._raw(X)
        parts = (self._by_output(part) for part in (head.by_target(raw), head.deviations(raw)))
        return tuple(self._in_container(X, part) for part in parts)

    @keeps_numpy_settings
    def score(self, X, y, sample_weight=None):
        """Return R² or D², over all valid timesteps with ``return_sequences=True``.

        Parameters
        ----------
        X, y, sample_weight
            As for `fit`.

        Returns
        -------
        score : float
            R², averaged over the outputs, and over the horizon if y has an axis for it; 1 is best.
            If ``quantile`` is a list, D² of the pinball loss (`sklearn.metrics.d2_pinball_score`),
            averaged over outputs and quantiles: 1 is best, and 0 is as good as the quantiles of y.

        Raises
        ------
        ValueError, TypeError
            If X, y or sample_weight can't be used.
        """
        X = self._read_for_prediction(X)
        per_step = self._architecture.return_sequences
        if sample_weight is not None:
            sample_weight = read_weights(sample_weight, X, per_step)
        targets = RegressionTargets.of(read_regression_targets(y, X, per_step, sample_weight))
        check_target_shape(targets.shape, self._target_shape)
        head = self._architecture.head
        predicted = head.by_target(self._linked(self._raw(X)))
        return regression_score(targets.values, predicted, head.quantiles, sample_weight)

    @keeps_numpy_settings
    def forecast(self, X, n_steps, X_future=None):
        """Forecast several timesteps by feeding predictions back.

        The estimator must have been fitted on targets that are the next values of the first
        features of X: of one feature, or of as many as there are outputs. Each prediction is the
        next timestep of these features.

        Parameters
        ----------
        X : array-like or list of arrays
            The sequences so far, as for `predict`.
        n_steps : int
            How many timesteps to forecast, at least 1.
        X_future : array-like of shape (n_samples, n_timesteps, n_known), or list of arrays
            The other features of X, which must be known ahead, at the timesteps after the end of X:
            at least ``n_steps - 1`` of them, since nothing follows the last prediction. None if
            there are no others.

        Returns
        -------
        y : ndarray of shape (n_samples, n_steps) or (n_samples, n_steps, n_outputs)
            The forecasts; they have outputs if the targets of `fit` had.

        Raises
        ------
        ValueError, TypeError
            If X, n_steps or X_future can't be used, if there are more outputs than features, if y
            had an axis for the horizon in `fit`, or if the network is bidirectional.

        See Also
        --------
        stream : Reads sequences as they come.

        Examples
        --------
        >>> import numpy as np
        >>> from sklearn_rnn import RNNRegressor
        >>> from sklearn_rnn.preprocessing import sliding_windows
        >>> series = np.sin(np.arange(200) / 3)
        >>> X, y = sliding_windows(series[:180], window=20)
        >>> model = RNNRegressor(hidden_size=16, learning_rate_init=0.01, random_state=0).fit(X, y)
        >>> ahead = model.forecast(X[-1:], n_steps=20)
        >>> ahead.shape
        (1, 20)
        >>> bool(np.abs(ahead[0] - series[179:199]).max() < 0.2)
        True
        """
        return forecast(self, X, n_steps, X_future)

    @property
    def _responses(self):
        is_raw = self._architecture.head.is_identity and self._link is identity
        if self._target_shape == () and is_raw:
            return {"predict": Response(first_output)}  # the quickest way, for streams
        return {"predict": Response(self._predictions)}

    def _predictions(self, raw: np.ndarray) -> np.ndarray:
        return self._by_output(self._architecture.head.by_target(self._linked(raw)))

    def _by_output(self, predicted: np.ndarray) -> np.ndarray:
        """Return predictions (n, n_outputs, ...) with the axes that y had."""
        return predicted.reshape(len(predicted), *self._target_shape, *predicted.shape[2:])

    def _read_targets(self, y, X, weights, classes=None):
        return RegressionTargets.of(read_regression_targets(y, X, self.return_sequences, weights))

    def _loss_for(self, targets):
        return self.loss

    def _head(self):
        if self.loss == "gaussian":
            return MeanAndDeviation()
        quantiles = quantiles_of(self)
        return Head() if quantiles is None else NonCrossing(quantiles)

    def _check_targets(self, examples, *, starts_training):
        if not starts_training:
            check_target_shape(examples.targets.shape, self._target_shape)
        if self.loss == "poisson":
            y = examples.targets.values
            check_counts(y, examples.X, may_all_be_zero=not starts_training)

    def _score(self, targets, raw, weights):
        head = self._head()
        predicted = head.by_target(self._link(raw))
        return regression_score(targets, predicted, head.quantiles, weights)

    def __sklearn_tags__(self):
        tags = super().__sklearn_tags__()
        tags.target_tags.positive_only = self.loss == "poisson"
        return tags
