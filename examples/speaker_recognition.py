"""
Sequences of different lengths: who is speaking?
================================================

Nine men say two Japanese vowels, /ae/. An utterance is a sequence of 7 to 29 frames. Each frame has
12 coefficients of its spectrum. X is a list of arrays (n_frames, 12), one per utterance. A
pipeline, cross-validation and a voting classifier take this list without padding. The scaler in
the pipeline scales each coefficient by its mean and standard deviation over all frames. At the end
the example shows that padding with NaN after the last frame changes nothing.

The data are the "Japanese Vowels" of M. Kudo, J. Toyama and M. Shimbo, UCI Machine Learning
Repository, https://doi.org/10.24432/C5NS47, CC BY 4.0. data/SOURCES.md says how the data file was
made. The network learns from the 270 utterances of one recording, and is tested on 370 of another.

How to run::

    pip install .
    python examples/speaker_recognition.py           # add --plot training.png for a picture
"""

import argparse
from pathlib import Path

import numpy as np
from sklearn.base import clone
from sklearn.ensemble import VotingClassifier
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import StratifiedKFold, cross_val_score
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from sklearn_rnn import RNNClassifier
from sklearn_rnn.inspection import TrainingDisplay
from sklearn_rnn.preprocessing import PerTimestep, pad_sequences

DATA = Path(__file__).parent / "data" / "japanese_vowels.npz"


def load():
    """Return the utterances of the training and the test set, then their speakers."""
    data = np.load(DATA)
    ends = np.cumsum(data["lengths"], dtype=int)
    utterances = np.split(data["values"], ends[:-1])
    is_train, speakers = data["is_train"], data["speakers"]
    X_train = [utterance for utterance, train in zip(utterances, is_train, strict=True) if train]
    X_test = [utterance for utterance, train in zip(utterances, is_train, strict=True) if not train]
    return X_train, X_test, speakers[is_train], speakers[~is_train]


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--plot", metavar="PATH", help="draw the training (needs matplotlib)")
    arguments = parser.parse_args()

    X_train, X_test, y_train, y_test = load()
    print(
        f"{len(X_train)} utterances to learn from, {len(X_test)} to test on; "
        f"{min(map(len, X_train))} to {max(map(len, X_train))} frames of {X_train[0].shape[1]} "
        f"coefficients; {len(np.unique(y_train))} speakers"
    )

    network = make_pipeline(
        PerTimestep(StandardScaler()),
        RNNClassifier(
            hidden_size=100,
            batch_size=32,
            learning_rate_init=0.005,
            tol=0.003,
            n_iter_no_change=5,
            random_state=0,
        ),
    )
    folds = StratifiedKFold(n_splits=5, shuffle=True, random_state=0)
    scores = cross_val_score(network, X_train, y_train, cv=folds)
    print(f"\nAccuracy in 5-fold cross-validation: {scores.mean():.3f} ± {scores.std():.3f}")

    network.fit(X_train, y_train)
    seeds = range(5)
    voting = VotingClassifier(
        [(f"{i}", clone(network).set_params(rnnclassifier__random_state=i)) for i in seeds],
        voting="soft",
    ).fit(X_train, y_train)
    means_train, means_test = (np.array([u.mean(axis=0) for u in X]) for X in (X_train, X_test))
    baseline = make_pipeline(StandardScaler(), LogisticRegression()).fit(means_train, y_train)
    print("\nAccuracy on the test utterances:")
    print(
        f"  logistic regression on the mean of the frames  {baseline.score(means_test, y_test):.3f}"
    )
    print(f"  RNNClassifier                                  {network.score(X_test, y_test):.3f}")
    print(f"  five RNNClassifiers, voting                    {voting.score(X_test, y_test):.3f}")

    scaler, classifier = network[0], network[-1]
    ragged = scaler.transform(X_test)
    padded = pad_sequences(ragged)
    one_by_one = np.concatenate([classifier.predict_proba([sequence]) for sequence in ragged])
    difference = max(
        np.abs(classifier.predict_proba(padded) - classifier.predict_proba(ragged)).max(),
        np.abs(one_by_one - classifier.predict_proba(ragged)).max(),
    )
    print(
        f"\nAs a list, as a padded array {padded.shape} and one by one, the probabilities are the"
    )
    print(f"same; the largest difference is {difference:.1e}.")

    if arguments.plot:
        display = TrainingDisplay.from_estimator(network, panels=["loss", "gradient_norm"])
        display.figure_.savefig(arguments.plot, dpi=120)
        print(f"\nThe plot is in {arguments.plot}.")


if __name__ == "__main__":
    main()
