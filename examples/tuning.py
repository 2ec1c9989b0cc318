"""
Tuning: successive halving, from 18 networks to one
===================================================

A grid search trains bad networks as long as good ones. Successive halving trains all of them for a
few epochs, keeps the best third, trains these three times as long, and so on. With this package the
resource is ``max_iter``, the number of epochs. The example chooses the cell, its size and the
learning rate of a network for the utterances of speaker_recognition.py. It tests the winner on
another recording, beside the network with the default parameters.

A search says which network is best, and not why. The picture shows it: the losses by epoch, for
each learning rate of the search.

The data are described in speaker_recognition.py.

How to run::

    pip install .
    python examples/tuning.py                        # add --plot tuning.png for a picture
"""

import argparse
import warnings

from sklearn.base import clone
from sklearn.exceptions import ConvergenceWarning
from sklearn.experimental import enable_halving_search_cv  # noqa: F401 -- HalvingGridSearchCV
from sklearn.model_selection import HalvingGridSearchCV, StratifiedKFold
from speaker_recognition import load

from sklearn_rnn import RNNClassifier
from sklearn_rnn.inspection import TrainingDisplay

RATES = [0.001, 0.005, 0.025]
GRID = {
    "cell": ["elman", "gru", "lstm"],
    "hidden_size": [32, 64],
    "learning_rate_init": RATES,
}


def report_rounds(search):
    print(f"{'Round':<7}{'Networks':>8}{'Epochs':>8}{'Best accuracy':>15}  of")
    results = search.cv_results_
    for k, (n, n_epochs) in enumerate(zip(search.n_candidates_, search.n_resources_, strict=True)):
        rows = [row for row, round_ in enumerate(results["iter"]) if round_ == k]
        best = max(rows, key=lambda row: results["mean_test_score"][row])
        cell, hidden_size, rate = (results[f"param_{name}"][best] for name in GRID)
        print(
            f"{k + 1:<7}{n:>8}{n_epochs:>8}{results['mean_test_score'][best]:>15.3f}"
            f"  {cell}, hidden_size={hidden_size}, learning_rate_init={rate}"
        )


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--plot", metavar="PATH", help="draw the losses (needs matplotlib)")
    arguments = parser.parse_args()

    # The first rounds stop after a few epochs, as they should: no warnings that they have not
    # converged.
    warnings.simplefilter("ignore", ConvergenceWarning)
    X, X_test, y, y_test = load()
    folds = StratifiedKFold(n_splits=3, shuffle=True, random_state=0)
    search = HalvingGridSearchCV(
        RNNClassifier(batch_size=32, early_stopping=False, random_state=0),
        GRID,
        cv=folds,
        factor=3,
        resource="max_iter",
        min_resources=5,
        max_resources=45,
        random_state=0,
    )
    search.fit(X, y)
    report_rounds(search)

    rounds = zip(search.n_candidates_, search.n_resources_, strict=True)
    n_epochs = sum(n * epochs for n, epochs in rounds)
    n_epochs_of_grid = search.n_candidates_[0] * search.n_resources_[-1]
    print(f"\nThese are {n_epochs} epochs for each fold. A grid search makes {n_epochs_of_grid}.")

    default = RNNClassifier(random_state=0).fit(X, y)
    print(f"\nAccuracy on {len(X_test)} utterances of another recording:")
    print(f"  the default parameters  {default.score(X_test, y_test):.3f}")
    print(f"  the winner              {search.score(X_test, y_test):.3f}")

    if arguments.plot:
        network = clone(search.best_estimator_).set_params(early_stopping=True)
        fits = {
            f"learning rate {rate}": clone(network).set_params(learning_rate_init=rate).fit(X, y)
            for rate in RATES
        }
        display = TrainingDisplay.from_estimators(fits, panels=["loss", "score"])
        display.figure_.savefig(arguments.plot, dpi=120)
        print(f"\nThe plot is in {arguments.plot}.")


if __name__ == "__main__":
    main()
