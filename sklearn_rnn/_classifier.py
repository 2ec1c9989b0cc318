"""RNNClassifier: labels, and their probabilities."""

import numpy as np
from sklearn.base import ClassifierMixin
from sklearn.metrics import accuracy_score
from sklearn.utils.metaestimators import available_if

from sklearn_rnn._base import BaseRNN
from sklearn_rnn._fitted import Response
from sklearn_rnn._going_on import sample
from sklearn_rnn._input.hyperparameters import only_in_epochs
from sklearn_rnn._input.labels import (
    fill_of,
    number_labels,
    read_classes,
    read_labels,
    weigh_classes,
)
from sklearn_rnn._input.targets import read_weights
from sklearn_rnn._ready_signature import with_ready_signature
from sklearn_rnn._scores import accuracy
from sklearn_rnn._settings import keeps_numpy_settings


class RNNClassifier(ClassifierMixin, BaseRNN):
    """Recurrent neural network for classification of sequences, or of their timesteps.

    X is an array (n_samples, n_timesteps, n_features), or a list of sequences of different lengths.
    The target is one label per sequence (binary, multiclass or a multilabel indicator), or one
    label per timestep (binary or multiclass).

    Does a sequence of any length hold more ones than zeros?

    >>> import numpy as np
    >>> from sklearn_rnn import RNNClassifier
    >>> rng = np.random.default_rng(0)
    >>> X = [rng.integers(0, 2, size=2 * rng.integers(1, 8) + 1) for _ in range(400)]
    >>> y = ["ones" if x.mean() > 0.5 else "zeros" for x in X]
    >>> model = RNNClassifier(random_state=0)
    >>> model.fit(X[:300], y[:300]).score(X[300:], y[300:]) > 0.95
    True
    >>> model.predict([np.array([1, 1, 0]), np.array([0, 0, 0, 1, 0])])
    array(['ones', 'zeros'], dtype='<U5')

    The parameters by topic, in the order of their descriptions:

    - network: ``cell``, ``activation``, ``hidden_size``, ``n_layers``, ``bidirectional``,
      ``dropout``, ``recurrent_dropout``, ``return_sequences``, ``pooling``
    - units and loss: ``standardize``, ``loss``, ``class_weight``, ``label_smoothing``, ``alpha``
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
        first [10]_. The reverse direction has parameters of its own. The next layer and the output
        read the hidden states of both directions, 2 * hidden_size values per timestep. Prediction
        then needs memory for whole sequences.
    dropout : float, default=0.0
        The probability of dropping a hidden unit during training where the next layer or the
        output reads it. Units are drawn anew for each timestep and update [11]_. The remaining
        units are scaled by 1 / (1 - dropout). ``loss_`` and ``loss_curve_`` include the effect of
        dropout. Not available with ``solver="lbfgs"``.
    recurrent_dropout : float, default=0.0
        The probability of dropping a hidden unit during training where W_hh multiplies h_{t-1}.
        Units are drawn for each sequence and update, and the same ones are dropped at all
        timesteps of the sequence [13]_. The remaining units are scaled as with ``dropout``. Not
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
    loss : {"log_loss"}, default="log_loss"
        Cross-entropy of a softmax over the classes. For multilabel targets, the sum of the
        cross-entropies of independent sigmoids.
    class_weight : dict, "balanced" or None, default=None
        Factors for the sample weights (of sequences, or of timesteps). A dict maps labels to
        factors; labels that are not in it have factor 1. "balanced" uses
        n / (n_classes * n_of_the_class), which gives each class the same total weight; n and
        n_of_the_class are sums of sample weights. Not available for multilabel targets.
    label_smoothing : float, default=0.0
        The share s, in [0, 1), of the target probability that is spread evenly over the classes,
        so that the network does not become overconfident [9]_. The target is
        1 - s + s / n_classes for the label and s / n_classes for the other classes; for multilabel
        targets it is 1 - s / 2 and s / 2.
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
        The segment length of truncated backpropagation through time [12]_, in timesteps.
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
        `fit` is given X_val. With one label per sequence, the held-out data are
        stratified by class if there are enough samples of each class.
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
        The accuracy on the validation data after every epoch, or the score of the callback
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
        The number of outputs of the network: the number of classes, or of labels if y is a
        multilabel indicator.
    n_layers_ : int
        The number of recurrent layers.
    classes_ : ndarray of shape (n_classes,)
        The labels, sorted; for multilabel targets, the column numbers of the indicator.

    See Also
    --------
    RNNRegressor : The regressor with the same networks.

    Notes
    -----
    The user guide lists the containers that X may have, and shows which container results per
    timestep have. The network computes in float32 if X is float32, which is about twice as fast,
    and in float64 otherwise.

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
    .. [9] C. Szegedy et al. (2016). Rethinking the Inception architecture for computer vision.
       CVPR.
    .. [10] M. Schuster, K. K. Paliwal (1997). Bidirectional recurrent neural networks. IEEE
       Transactions on Signal Processing 45.
    .. [11] N. Srivastava et al. (2014). Dropout: a simple way to prevent neural networks from
       overfitting. JMLR 15. Between layers only: W. Zaremba, I. Sutskever, O. Vinyals (2014).
       Recurrent neural network regularization. arXiv:1409.2329.
    .. [12] R. J. Williams, J. Peng (1990). An efficient gradient-based algorithm for on-line
       training of recurrent network trajectories. Neural Computation 2. I. Sutskever (2013).
       Training recurrent neural networks. PhD thesis, University of Toronto.
    .. [13] Y. Gal, Z. Ghahramani (2016). A theoretically grounded application of dropout in
       recurrent neural networks. NIPS.

    Examples
    --------
    A label for every timestep: is the number of ones so far odd or even?

    >>> import numpy as np
    >>> from sklearn_rnn import RNNClassifier
    >>> rng = np.random.default_rng(0)
    >>> X = [rng.integers(0, 2, size=rng.integers(1, 16)) for _ in range(400)]
    >>> y = [np.where(np.cumsum(x) % 2, "odd", "even") for x in X]
    >>> model = RNNClassifier(
    ...     return_sequences=True, hidden_size=8, learning_rate_init=0.02, tol=0.01, random_state=0
    ... )
    >>> model.fit(X[:300], y[:300]).score(X[300:], y[300:]) > 0.95
    True
    >>> model.predict([np.array([1, 1, 0]), np.array([0, 0, 1, 0, 1])])
    [array(['odd', 'even', 'even'], ...), array(['even', 'even', 'odd', 'odd', 'even'], ...)]
    """

    _losses = ("log_loss",)
    _auto_pooling = ("last", "mean", "max")

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
        loss="log_loss",
        class_weight=None,
        label_smoothing=0.0,
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
        self.class_weight = class_weight
        self.label_smoothing = label_smoothing

    @available_if(only_in_epochs)
    @keeps_numpy_settings
    def partial_fit(self, X, y, classes=None, sample_weight=None):
        """Train for one more epoch, after earlier calls or `fit`.

        Parameters
        ----------
        X, y, sample_weight
            As for `fit`.
        classes : array-like of shape (n_classes,), default=None
            All the labels that any call will have; for multilabel targets, the column numbers of
            the indicator. Required in the first call, optional afterwards.

        Returns
        -------
        self : object
            The estimator.

        Raises
        ------
        ValueError, TypeError
            As `fit`; also if classes is missing in the first call or differs in a later one, if y
            has labels that are not among the classes, or if X or y don't have the features or
            outputs of earlier calls.
        """
        if isinstance(self.class_weight, str) and self.class_weight == "balanced":
            raise ValueError(
                "partial_fit does not support class_weight='balanced': one call doesn't show how "
                "frequent the classes are. Give a dict, for instance from "
                "sklearn.utils.class_weight.compute_class_weight on a large enough sample."
            )
        known = getattr(self, "classes_", None)
        if classes is not None:
            classes = read_classes(classes)
        if known is None and classes is None:
            raise ValueError("classes must be given in the first call to partial_fit.")
        if known is not None and classes is not None and not np.array_equal(known, classes):
            raise ValueError(
                f"classes={classes!r} are not those of the first call to partial_fit: {known!r}."
            )
        return self._partial_fit(X, y, sample_weight, classes=classes)

    @keeps_numpy_settings
    def predict(self, X):
        """Predict the labels.

        Parameters
        ----------
        X : array-like or list of arrays
            The sequences, as for `fit`. Any length is allowed, unless the fit was on 2-D X.

        Returns
        -------
        y : ndarray of shape (n_samples,) or (n_samples, n_labels)
            The labels. With ``return_sequences=True``, a list X gives a list of arrays
            (n_timesteps_i,), and an array X gives an array (n_samples, n_timesteps). In padding
            the array has -1 for integers, NaN for floats, "" for strings, False for booleans and
            None for objects. If -1 is a label, padding has the smallest label minus one. Unsigned
            integers have the largest value of their type that is not a label.

        Raises
        ------
        ValueError, TypeError
            If X can't be used.
        """
        return self._respond("predict", X)

    @keeps_numpy_settings
    def predict_proba(self, X):
        """Predict the probabilities of the labels.

        Parameters
        ----------
        X : array-like or list of arrays
            The sequences, as for `predict`.

        Returns
        -------
        p : ndarray of shape (n_samples, n_classes)
            The probabilities, in the order of `classes_`. For multilabel targets, each column has
            the probability of its own label. With ``return_sequences=True``, a list X gives a list
            of arrays (n_timesteps_i, n_classes). An array X gives an array
            (n_samples, n_timesteps, n_classes), with NaN in padding.

        Raises
        ------
        ValueError, TypeError
            If X can't be used.
        """
        return self._respond("predict_proba", X)

    @keeps_numpy_settings
    def predict_log_proba(self, X):
        """Predict the logarithms of the probabilities of the labels.

        Parameters
        ----------
        X : array-like or list of arrays
            The sequences, as for `predict`.

        Returns
        -------
        log_p : ndarray or list of ndarray
            The logarithms, in the containers of `predict_proba`; minus infinity where a
            probability is zero.

        Raises
        ------
        ValueError, TypeError
            If X can't be used.
        """
        return self._respond("predict_log_proba", X)

    @keeps_numpy_settings
    def score(self, X, y, sample_weight=None):
        """Return the accuracy, over all valid timesteps with ``return_sequences=True``.

        Parameters
        ----------
        X, y, sample_weight
            As for `fit`.

        Returns
        -------
        score : float
            The fraction of correct labels; for multilabel targets, the fraction of samples whose
            labels are all correct.

        Raises
        ------
        ValueError, TypeError
            If X, y or sample_weight can't be used.
        """
        X = self._read_for_prediction(X)
        per_step = self._architecture.return_sequences
        if sample_weight is not None:
            sample_weight = read_weights(sample_weight, X, per_step)
        y = read_labels(y, X, per_step, sample_weight)
        return accuracy_score(y, self._labels(self._raw(X)), sample_weight=sample_weight)

    @keeps_numpy_settings
    def sample(self, X, n_steps, temperature=1.0, random_state=None):
        """Continue sequences of symbols with labels drawn from the predicted probabilities.

        The estimator must have been fitted on one-hot sequences, with one feature for each class in
        the order of ``classes_``, and on the label that comes next. Each label is drawn, and is the
        next timestep.

        Parameters
        ----------
        X : array-like or list of arrays
            The sequences so far, as for `predict`.
        n_steps : int
            How many labels to draw for each sequence, at least 1.
        temperature : float, default=1.0
            Divides the log-probabilities: below 1 likely labels are drawn more often, above 1 less.
        random_state : int, RandomState instance or None, default=None
            What draws.

        Returns
        -------
        labels : ndarray of shape (n_samples, n_steps)
            The labels.

        Raises
        ------
        ValueError, TypeError
            If an argument can't be used, if the features aren't as many as the classes, or if the
            network is bidirectional.

        See Also
        --------
        stream : Reads sequences as they come.

        Examples
        --------
        >>> import numpy as np
        >>> from sklearn_rnn import RNNClassifier
        >>> text = "to and fro " * 60
        >>> letters = sorted(set(text))
        >>> codes = np.eye(len(letters))[[letters.index(letter) for letter in text]]
        >>> X = np.stack([codes[i : i + 11] for i in range(600)])
        >>> y = np.array(list(text))[11:611]
        >>> model = RNNClassifier(hidden_size=16, learning_rate_init=0.02, random_state=0).fit(X, y)
        >>> "".join(model.sample(X[:1], 11, random_state=0)[0])
        'to and fro '
        """
        return sample(self, X, n_steps, temperature, random_state)

    @property
    def _responses(self):
        per_step = self._architecture.return_sequences
        return {
            "predict": Response(self._labels, fill_of(self.classes_) if per_step else None),
            "predict_proba": Response(self._linked),
            "predict_log_proba": Response(self._log_probabilities),
        }

    def _log_probabilities(self, raw: np.ndarray) -> np.ndarray:
        with np.errstate(divide="ignore"):
            return np.log(self._linked(raw))

    def _labels(self, raw: np.ndarray) -> np.ndarray:
        if self._multilabel:
            return (raw > 0).astype(np.int64)  # p > 0.5
        return self.classes_[raw.argmax(axis=1)]

    def _read_targets(self, y, X, weights, classes=None):
        known = None if classes is None else getattr(self, "_multilabel", None)
        return number_labels(read_labels(y, X, self.return_sequences, weights), classes, known)

    def _weigh(self, targets, weights):
        return weigh_classes(self.class_weight, targets, weights)

    def _loss_for(self, targets):
        return "sigmoid_cross_entropy" if targets.multilabel else "softmax_cross_entropy"

    def _score(self, targets, raw, weights):
        predicted = raw > 0 if self._multilabel else raw.argmax(axis=1)
        return accuracy(targets, predicted, weights)

    def _labels_of(self, data):
        if data.per_step or self._multilabel:
            return None
        return data.targets[data.target_starts]

    def __sklearn_tags__(self):
        tags = super().__sklearn_tags__()
        tags.classifier_tags.multi_label = self.class_weight is None
        return tags
