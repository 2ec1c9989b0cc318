"""RNNClassifier: labels, and their probabilities."""

import numpy as np
from sklearn.base import ClassifierMixin
from sklearn.metrics import accuracy_score
from sklearn.utils.metaestimators import available_if

from sklearn_rnn._base import BaseRNN
from sklearn_rnn._input.hyperparameters import only_in_epochs
from sklearn_rnn._input.labels import (
    fill_of,
    number_labels,
    read_classes,
    read_labels,
    weigh_classes,
)
from sklearn_rnn._input.sequences import Sequences
from sklearn_rnn._input.targets import read_weights


class RNNClassifier(ClassifierMixin, BaseRNN):
    """Recurrent neural network for classification of sequences, or of their timesteps.

    Sequences come as an array (n_samples, n_timesteps, n_features), or as a list of arrays of
    different lengths; the targets are one label per sequence (two classes or more, or a
    multilabel indicator), or one label per timestep.

    Parameters
    ----------
    cell : {"elman", "lstm", "gru"}, default="gru"
        The recurrent cell: Elman's simple one, the long short-term memory, or the gated recurrent
        unit. The equations are under Notes.
    activation : {"tanh", "relu", "logistic", "identity"}, default="tanh"
        The function f of the Elman cell. With "relu" the recurrent matrix starts as the identity
        [1]_. The other cells have fixed activations and accept only the default.
    hidden_size : int, default=64
        Units per recurrent layer.
    n_layers : int, default=1
        Recurrent layers, each reading the sequence of hidden states of the one below.
    bidirectional : bool, default=False
        Whether every layer has a second part that reads each sequence from its end to its start
        [10]_, with parameters of its own. The hidden states of both stand side by side for the next
        layer and the output, which see 2 * hidden_size of them. Predictions then need memory for
        whole sequences.
    dropout : float, default=0.0
        The probability with which a hidden unit is left out, in training only, where the next
        layer or the output reads it: anew for each timestep and update [11]_. What remains is
        scaled up by 1 / (1 - dropout). ``loss_`` and ``loss_curve_`` are with dropout.
    recurrent_dropout : float, default=0.0
        The same for what a timestep reads of the one before, h_{t-1} wherever it is multiplied by
        W_hh: drawn for each sequence and update, for all of its timesteps the same units
        [13]_. Not with ``solver="lbfgs"``, nor is ``dropout``.
    return_sequences : bool, default=False
        False: one target per sequence, read off the last timestep, of the reverse direction the
        one that it reads last, which is the first. True: one per timestep.
    loss : {"log_loss"}, default="log_loss"
        Cross-entropy: of a softmax over the classes, or for multilabel targets the sum of that of
        independent sigmoids.
    class_weight : dict, "balanced" or None, default=None
        What the sample weights (of sequences, or of timesteps) are multiplied with. A dict holds
        weights by label, 1 for those that it hasn't; "balanced" gives each class the same sum,
        n / (n_classes * n_of_the_class), counted by sample weight. Not for multilabel targets.
    label_smoothing : float, default=0.0
        Share s in [0, 1) of the target probability that is spread evenly over the classes, by which
        the network doesn't become too sure [9]_: the target is 1 - s + s / n_classes for the label
        and s / n_classes for the others; of multilabel targets 1 - s / 2 and s / 2.
    solver : {"adam", "rmsprop", "sgd", "lbfgs"}, default="adam"
        Adam [2]_, RMSprop [6]_, gradient descent with momentum, or, for small data, scipy's
        L-BFGS-B on all the data at once. "lbfgs" goes by ``alpha``, ``max_iter`` (iterations),
        ``tol`` (the largest entry of the gradient at which to stop) and the parameters of early
        stopping, and has no use for those of batches, learning rates and clipping; `partial_fit`
        is not available with it. It works in float64 and, with float32 X, rounds the result.
    alpha : float, default=0.0001
        Strength of the L2 penalty alpha / 2 * sum(W ** 2) / n_samples on the weight matrices; the
        biases are free. n_samples is the sum of the sample weights where there are any.
    batch_size : int or "auto", default="auto"
        Sequences per update, at most as many as there are; "auto" is min(200, n_samples).
    bptt_steps : int or None, default=None
        Truncated backpropagation through time [12]_: sequences are trained on in segments of so
        many timesteps, with an update after each. The hidden states go on from segment to segment;
        gradients go back to the start of the segment, so that what lies further back is used only
        as far as the states happen to keep it. Training then takes memory for one segment at a
        time. With one target per sequence, only the segments in which sequences end are learned
        from. From the length of the longest sequence on it is the same as None, which truncates
        nothing. Not for ``bidirectional=True`` or ``solver="lbfgs"``.
    learning_rate : {"constant", "invscaling", "adaptive", "cosine", "one_cycle"}, \
            default="constant"
        "constant" is ``learning_rate_init`` throughout; "invscaling" is
        ``learning_rate_init / t ** power_t`` at update t = 1, 2, ...; "adaptive" halves the rate
        each time that training would stop for want of improvement, until it is below 1e-6;
        "cosine" falls to zero along half a cosine [7]_; "one_cycle" rises from
        ``learning_rate_init / 25`` to ``learning_rate_init`` in the first 30 % of the updates, and
        falls to its 250000th part in the others, both along half a cosine [8]_. These two span
        ``max_iter`` epochs: each `fit` is a cycle, and so are ``max_iter`` calls of `partial_fit`.
    learning_rate_init : float, default=0.001
        The learning rate at the start; of "one_cycle" the highest.
    power_t : float, default=0.5
        The exponent of ``learning_rate="invscaling"``.
    max_iter : int, default=200
        Epochs, at most; of "lbfgs", iterations.
    shuffle : bool, default=True
        Whether to shuffle the samples before each epoch, and before validation data are held out.
        False keeps the order: the validation data are then the last samples, as is right for
        samples in the order of time.
    max_grad_norm : float or None, default=5.0
        Gradients of greater norm, all parameters taken together, are scaled down to it [3]_. None
        never scales.
    max_grad_value : float or None, default=None
        Every entry of the gradient is limited to this magnitude, before its norm is. None doesn't
        limit.
    tol : float, default=1e-4
        What counts as an improvement of the loss, or with early stopping of the validation score;
        for "lbfgs" see there.
    n_iter_no_change : int, default=10
        Training stops after more than this many epochs in a row without improvement.
    early_stopping : bool, default=False
        Whether to hold out validation data (unless X_val is given to `fit`), stop when their score
        no longer improves, and keep the parameters that scored best. The score is accuracy; what is
        held out is stratified by class where there is one label per sequence and enough of each.
    validation_fraction : float, default=0.1
        The fraction of the samples held out with ``early_stopping=True``.
    momentum : float, default=0.9
        Momentum of ``solver="sgd"`` and of ``solver="rmsprop"``, in [0, 1); 0 is plain gradient
        descent, and RMSprop in its plain form.
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
    warm_start : bool, default=False
        Whether ``fit`` goes on from where the last ``fit`` ended, as if it had not ended: the
        optimizer, the schedule and the history go on too (but ``learning_rate="cosine"`` and
        "one_cycle" begin anew). The architecture must be the same.
    random_state : int, RandomState instance or None, default=None
        Determines starting weights, shuffling, dropout and validation data. An int makes fits
        repeatable to the last bit. None takes a seed from the operating system; NumPy's global
        generator is never used.
    verbose : int, default=0
        Whether to print a line per epoch, or per iteration of "lbfgs".

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
        2 * hidden_size columns, the reverse direction's behind the others.
    loss_ : float
        The mean loss over the last epoch, penalty included; of "lbfgs" that of the result.
    best_loss_ : float
        The lowest of all epochs.
    loss_curve_ : list of float
        The loss of every epoch, or that after every iteration of "lbfgs".
    learning_rates_ : list of float
        The learning rate of every epoch's last update; "lbfgs" has none.
    validation_scores_ : list of float or None
        With validation data, their accuracy after every epoch.
    best_validation_score_ : float or None
        With validation data, the highest of them.
    best_iteration_ : int or None
        With validation data, the epoch of that score, the first being 1. With early stopping, the
        parameters are those after this epoch.
    gradient_norms_ : list of float
        The norm of the gradient, before clipping and without the penalty, as a mean over the
        updates of each epoch.
    weight_norms_ : list of float
        The norm of all the parameters after each epoch.
    n_iter_ : int
        The number of epochs, or of iterations of "lbfgs".
    t_ : int
        The number of training samples seen, counting repetitions.
    n_features_in_ : int
        The features per timestep; of 2-D X, the columns.
    feature_names_in_ : ndarray of shape (n_features_in_,)
        The columns of a DataFrame, if X was one and they are all strings.
    n_outputs_ : int
        The number of outputs of the network: classes, or labels of multilabel targets.
    n_layers_ : int
        The number of recurrent layers.
    classes_ : ndarray of shape (n_classes,)
        The labels, sorted. Of multilabel targets the numbers of the labels.

    See Also
    --------
    RNNRegressor : The same for numbers.

    Notes
    -----
    What X can be, and how per-timestep results come back, is in the user guide. Work is done in
    float32 if X is float32, which is about twice as fast, and in float64 otherwise.

    With h_0 = c_0 = 0, * elementwise and s the logistic function, the cells are

    - elman: h_t = f(W_xh x_t + W_hh h_{t-1} + b_h);
    - lstm: o, i, f = s(.), g = tanh(.), c_t = f * c_{t-1} + i * g, h_t = o * tanh(c_t) [4]_; the
      bias of f starts at 1;
    - gru: r, z = s(.), n = tanh(W_xn x_t + b_xn + r * (W_hn h_{t-1} + b_hn)),
      h_t = (1 - z) * n + z * h_{t-1} [5]_;

    each . being W_xh x_t + W_hh h_{t-1} + b_h with that gate's rows, and the raw outputs are
    y_t = W_hy h_t + b_y. Recurrent matrices start orthogonal, input matrices Glorot uniform.

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
    Does a sequence of any length hold more ones than zeros?

    >>> import numpy as np
    >>> from sklearn_rnn import RNNClassifier
    >>> rng = np.random.default_rng(0)
    >>> X = [rng.integers(0, 2, size=2 * rng.integers(1, 8) + 1) for _ in range(400)]
    >>> y = ["ones" if x.mean() > 0.5 else "zeros" for x in X]
    >>> model = RNNClassifier(
    ...     hidden_size=8, learning_rate_init=0.02, max_iter=200, tol=0.01, random_state=0
    ... )
    >>> model.fit(X[:300], y[:300]).score(X[300:], y[300:]) > 0.95
    True
    >>> model.predict([np.array([1, 1, 0]), np.array([0, 0, 0, 1, 0])])
    array(['ones', 'zeros'], dtype='<U5')
    """

    _losses = ("log_loss",)

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
        loss="log_loss",
        class_weight=None,
        label_smoothing=0.0,
        solver="adam",
        alpha=0.0001,
        batch_size="auto",
        bptt_steps=None,
        learning_rate="constant",
        learning_rate_init=0.001,
        power_t=0.5,
        max_iter=200,
        shuffle=True,
        max_grad_norm=5.0,
        max_grad_value=None,
        tol=1e-4,
        n_iter_no_change=10,
        early_stopping=False,
        validation_fraction=0.1,
        momentum=0.9,
        nesterovs_momentum=True,
        beta_1=0.9,
        beta_2=0.999,
        rho=0.9,
        epsilon=1e-8,
        warm_start=False,
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
            loss=loss,
            solver=solver,
            alpha=alpha,
            batch_size=batch_size,
            bptt_steps=bptt_steps,
            learning_rate=learning_rate,
            learning_rate_init=learning_rate_init,
            power_t=power_t,
            max_iter=max_iter,
            shuffle=shuffle,
            max_grad_norm=max_grad_norm,
            max_grad_value=max_grad_value,
            tol=tol,
            n_iter_no_change=n_iter_no_change,
            early_stopping=early_stopping,
            validation_fraction=validation_fraction,
            momentum=momentum,
            nesterovs_momentum=nesterovs_momentum,
            beta_1=beta_1,
            beta_2=beta_2,
            rho=rho,
            epsilon=epsilon,
            warm_start=warm_start,
            random_state=random_state,
            verbose=verbose,
        )
        self.class_weight = class_weight
        self.label_smoothing = label_smoothing

    @available_if(only_in_epochs)
    def partial_fit(self, X, y, classes=None, sample_weight=None):
        """Train for one epoch, going on from the last call or from `fit`.

        Parameters
        ----------
        X, y, sample_weight
            As for `fit`.
        classes : array-like of shape (n_classes,), default=None
            All labels that any call will bring; for multilabel targets the numbers of the labels.
            Needed in the first call, and may be left out afterwards.

        Returns
        -------
        self : object
            The estimator.

        Raises
        ------
        ValueError, TypeError
            As `fit`; if classes is missing in the first call or differs from it later; if y has
            labels that are not among the classes; if X or y are not like those of calls before.
        """
        if isinstance(self.class_weight, str) and self.class_weight == "balanced":
            raise ValueError(
                "partial_fit does not support class_weight='balanced': one call doesn't show how "
                "often the classes are. Give a dict, for instance of "
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

    def predict(self, X):
        """Predict the labels.

        Parameters
        ----------
        X : array-like or list of arrays
            The sequences, as for `fit`; their lengths are free unless X is 2-D.

        Returns
        -------
        y : ndarray of shape (n_samples,) or (n_samples, n_labels)
            The labels. With ``return_sequences=True``: a list of arrays (n_timesteps_i,) for a
            list, an array (n_samples, n_timesteps) for an array. In place of padding it has -1 for
            integers (if that is a label, one less than the smallest; for unsigned ones the largest
            of their type that is no label), NaN for floats, "" for strings, False for booleans,
            None for objects.

        Raises
        ------
        ValueError, TypeError
            If X can't be used.
        """
        X = self._read_for_prediction(X)
        labels = self._predict(X)
        if self._architecture.return_sequences:
            return X.restore(labels, fill_of(self.classes_))
        return labels

    def predict_proba(self, X):
        """Predict the probabilities of the labels.

        Parameters
        ----------
        X : array-like or list of arrays
            The sequences, as for `predict`.

        Returns
        -------
        p : ndarray of shape (n_samples, n_classes)
            The probabilities, in the order of `classes_`; of multilabel targets that of each label
            by itself. With ``return_sequences=True``: a list of arrays (n_timesteps_i, n_classes)
            for a list, an array (n_samples, n_timesteps, n_classes) for an array, with NaN in place
            of padding.

        Raises
        ------
        ValueError, TypeError
            If X can't be used.
        """
        X = self._read_for_prediction(X)
        return self._in_container(X, self._probabilities(X))

    def predict_log_proba(self, X):
        """Predict the logarithms of the probabilities of the labels.

        Parameters
        ----------
        X : array-like or list of arrays
            The sequences, as for `predict`.

        Returns
        -------
        log_p : ndarray or list of ndarray
            As `predict_proba` returns, minus infinity where a probability is zero.

        Raises
        ------
        ValueError, TypeError
            If X can't be used.
        """
        X = self._read_for_prediction(X)
        with np.errstate(divide="ignore"):
            return self._in_container(X, np.log(self._probabilities(X)))

    def score(self, X, y, sample_weight=None):
        """Return the accuracy, over all valid timesteps with ``return_sequences=True``.

        Parameters
        ----------
        X, y, sample_weight
            As for `fit`.

        Returns
        -------
        score : float
            The fraction of right labels; of multilabel targets, of samples with no wrong label.

        Raises
        ------
        ValueError, TypeError
            If X, y or sample_weight can't be used.
        """
        X = self._read_for_prediction(X)
        per_step = self._architecture.return_sequences
        y = read_labels(y, X, per_step)
        if sample_weight is not None:
            sample_weight = read_weights(sample_weight, X, per_step)
        return accuracy_score(y, self._predict(X), sample_weight=sample_weight)

    def _probabilities(self, X: Sequences) -> np.ndarray:
        return self._linked(self._raw(X))

    def _predict(self, X: Sequences) -> np.ndarray:
        raw = self._raw(X)
        if self._multilabel:
            return (raw > 0).astype(np.int64)  # p > 0.5
        return self.classes_[raw.argmax(axis=1)]

    def _read_targets(self, y, X, classes=None):
        known = None if classes is None else getattr(self, "_multilabel", None)
        return number_labels(read_labels(y, X, self.return_sequences), classes, known)

    def _weigh(self, targets, weights):
        return weigh_classes(self.class_weight, targets, weights)

    def _loss_for(self, targets):
        return "sigmoid_cross_entropy" if targets.multilabel else "softmax_cross_entropy"

    def _score(self, targets, raw, weights):
        predicted = raw > 0 if self._multilabel else raw.argmax(axis=1)
        return accuracy_score(targets, predicted, sample_weight=weights)

    def _labels_of(self, data):
        if data.per_step or self._multilabel:
            return None
        return data.targets[data.target_starts]

    def __sklearn_tags__(self):
        tags = super().__sklearn_tags__()
        tags.classifier_tags.multi_label = self.class_weight is None
        return tags
