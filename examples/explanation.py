"""
What a network listens to: permutation importance and gradients on the inputs
=============================================================================

The network of speaker_recognition.py knows nine men by twelve coefficients, c1 to c12, of the
spectrum of their voices. Which coefficients does it need, and which part of an utterance?
Permutation importance answers for all utterances: how much accuracy is lost when the utterances
exchange a coefficient, or four frames? It is measured on a third of the training recording that the
network has not heard.

That can be tested. Networks that hear only the most important coefficients should be nearly as good
on the other recording as one that hears all, and better than those that hear only the least
important ones.

Integrated gradients answer for one utterance: which of its values made the network name this
speaker? Their sum is the probability of the speaker, minus that for a voice without features, in
which each coefficient is at its mean.

The data are described in speaker_recognition.py.

How to run::

    pip install .
    python examples/explanation.py                   # add --plot explanation.png for a picture
"""

import argparse

import numpy as np
from sklearn.base import clone
from sklearn.model_selection import train_test_split
from speaker_recognition import load

from sklearn_rnn import RNNClassifier
from sklearn_rnn.inspection import (
    AttributionDisplay,
    PermutationImportanceDisplay,
    input_gradients,
    permutation_importance,
)

N_FRAMES = 4  # of a block


def print_losses(names, result):
    losses = zip(names, result.importances_mean, result.importances_std, strict=True)
    for name, mean, std in sorted(losses, key=lambda loss: -loss[1]):
        print(f"  {name:<14}{mean:6.3f} ± {std:.3f}")


def plot(path, model, result, utterance, names):
    import matplotlib.pyplot as plt

    figure, (left, right) = plt.subplots(
        1, 2, figsize=(11, 7), width_ratios=[1, 1.4], layout="constrained"
    )
    PermutationImportanceDisplay.from_importances(result, feature_names=names, ax=left)
    AttributionDisplay.from_estimator(
        model,
        [utterance],
        method="integrated",
        baseline=model.X_mean_,
        feature_names=names,
        ax=right,
    )
    figure.savefig(path, dpi=120)
    print(f"\nThe plot is in {path}.")


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--plot", metavar="PATH", help="draw importances (needs matplotlib)")
    arguments = parser.parse_args()

    X, X_test, y, y_test = load()
    X_train, X_held_out, y_train, y_held_out = train_test_split(
        X, y, test_size=1 / 3, stratify=y, random_state=0
    )
    model = RNNClassifier(
        batch_size=32, learning_rate_init=0.005, tol=0.003, n_iter_no_change=5, random_state=0
    )
    model.fit(X_train, y_train)
    print(f"Accuracy on {len(X_held_out)} held-out utterances of the training recording: ", end="")
    print(f"{model.score(X_held_out, y_held_out):.3f}")

    names = [f"c{k}" for k in range(1, X[0].shape[1] + 1)]
    measured = model, X_held_out, y_held_out
    by_coefficient = permutation_importance(*measured, n_repeats=20, random_state=0)
    print("\nAccuracy lost when the utterances exchange")
    print_losses(names, by_coefficient)
    by_block = permutation_importance(
        *measured, by="block", block_size=N_FRAMES, n_repeats=20, random_state=0
    )
    starts = range(0, N_FRAMES * len(by_block.importances_mean), N_FRAMES)
    print()
    print_losses([f"frames {start + 1}-{start + N_FRAMES}" for start in starts], by_block)

    order = np.argsort(-by_coefficient.importances_mean)
    heard = {"all": order, "the 8 most important": order[:8]}
    heard |= {"the 4 most important": order[:4], "the 4 least important": order[-4:]}
    print("\nAccuracy on the other recording, of networks that hear")
    for name, columns in heard.items():
        network = clone(model).fit([x[:, columns] for x in X], y)
        accuracy = network.score([x[:, columns] for x in X_test], y_test)
        print(f"  {name:<24}{accuracy:.3f}")

    utterance = X_test[0]
    (gradients,) = input_gradients(model, [utterance], method="integrated", baseline=model.X_mean_)
    featureless = np.tile(model.X_mean_, (len(utterance), 1))
    probability, without = model.predict_proba([utterance, featureless])[:, y_test[0] - 1]
    shares = gradients.sum(axis=0)
    print(
        f"\nThe first utterance is speaker {y_test[0]}'s with a probability of {probability:.3f}."
    )
    print(f"For a voice without features it is {without:.3f}. To the difference")
    for k in np.argsort(-np.abs(shares))[:4]:
        print(f"  {names[k]:<14}contributes {shares[k]:.3f}")
    print(f"  all together    contribute  {shares.sum():.3f}")

    if arguments.plot:
        plot(arguments.plot, model, by_coefficient, utterance, names)


if __name__ == "__main__":
    main()
