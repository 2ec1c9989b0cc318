"""
A label for every timestep: which syllables of a word are stressed?
===================================================================

Each word is the sequence of its phonemes, without stress marks. The network labels each phoneme:
"-" for a consonant, and for a vowel "0" (unstressed), "1" (primary) or "2" (secondary stress). X
and y are lists of arrays (n_phonemes,) of strings. `PerTimestep` applies scikit-learn's
OneHotEncoder to the phonemes, inside the pipeline.

A network that reads a word forwards must label a vowel before it reads the rest of the word. In
English the end of a word says most about its stress. So the example also trains a bidirectional
network.

The data are 7500 words of two and more syllables, drawn from the CMU Pronouncing Dictionary,
Copyright (C) 1993-2015 Carnegie Mellon University, under a licence of BSD type. data/SOURCES.md has
the licence in full. The draw is random, so the training words may include a relative of a test word
(such as "acted" for "acting").

How to run::

    pip install .
    python examples/word_stress.py                   # add --plot stress.png for a picture
"""

import argparse
from collections import Counter, defaultdict
from pathlib import Path

import numpy as np
from sklearn.base import clone
from sklearn.model_selection import train_test_split
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import OneHotEncoder

from sklearn_rnn import RNNClassifier
from sklearn_rnn.inspection import TimestepLabelsDisplay
from sklearn_rnn.metrics import flatten_sequences
from sklearn_rnn.preprocessing import PerTimestep

DATA = Path(__file__).parent / "data" / "cmudict_sample.txt"


def load():
    """Return the words, their phonemes, and the label of each phoneme."""
    words, phonemes, labels = [], [], []
    for line in DATA.read_text(encoding="ascii").splitlines():
        word, *symbols = line.split()  # "begin B IH0 G IH1 N"
        words.append(word)
        phonemes.append(np.array([symbol.rstrip("012") for symbol in symbols]))
        labels.append(np.array([s[-1] if s[-1].isdigit() else "-" for s in symbols]))
    return words, phonemes, labels


def most_frequent(phonemes, labels):
    """Return the most frequent label of each phoneme."""
    counts = defaultdict(Counter)
    for word, word_labels in zip(phonemes, labels, strict=True):
        for phoneme, label in zip(word, word_labels, strict=True):
            counts[phoneme][label] += 1
    return {phoneme: count.most_common(1)[0][0] for phoneme, count in counts.items()}


def report(name, y_true, y_pred):
    words = np.mean([np.array_equal(*pair) for pair in zip(y_true, y_pred, strict=True)])
    y_true, y_pred = flatten_sequences(y_true, y_pred)
    right, is_vowel = y_true == y_pred, y_true != "-"
    print(f"{name:<36}{right.mean():>10.3f}{right[is_vowel].mean():>10.3f}{words:>14.3f}")


def spell(phonemes, labels):
    return " ".join(p + label.strip("-") for p, label in zip(phonemes, labels, strict=True))


def plot(path, models, words, X, y):
    """Draw the longest word that reading forwards gets wrong and reading both ways gets right."""
    import matplotlib.pyplot as plt

    right = [
        [np.array_equal(*pair) for pair in zip(y, model.predict(X), strict=True)]
        for model in models.values()
    ]
    corrected = np.flatnonzero(~np.array(right[0]) & right[1])
    k = max(corrected, key=lambda sample: len(X[sample]))
    figure, axes = plt.subplots(1, 2, figsize=(9.6, 4), layout="constrained")
    for ax, (name, model) in zip(axes, models.items(), strict=True):
        display = TimestepLabelsDisplay.from_estimator(model, X, y, sample=k, ax=ax)
        display.ax_.set_title(f"“{words[k]}”, read {name}")
        bottom = display.axes_[1, 0]
        bottom.set_xticks(range(len(X[k])), X[k], fontsize=9)
        bottom.set(xlabel="Phoneme", ylabel="Stress")
    figure.savefig(path, dpi=160)
    print(f"\nThe picture is in {path}.")


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--plot", metavar="PATH", help="draw a word (needs matplotlib)")
    arguments = parser.parse_args()

    words, phonemes, labels = load()
    _, words, X_train, X_test, y_train, y_test = train_test_split(
        words, phonemes, labels, test_size=1500, random_state=0
    )
    print(f"Trained on {len(X_train)} words, tested on {len(X_test)}.\n")
    print(f"{'Share that is right of the':<36}{'phonemes':>10}{'vowels':>10}{'whole words':>14}")
    usual = most_frequent(X_train, y_train)
    baseline = [np.array([usual[phoneme] for phoneme in word]) for word in X_test]
    report("most frequent label of each phoneme", y_test, baseline)

    encoder = OneHotEncoder(dtype=np.float32, sparse_output=False)
    network = RNNClassifier(
        return_sequences=True,
        batch_size=64,
        learning_rate_init=0.005,
        early_stopping=True,
        tol=0.001,
        n_iter_no_change=5,
        random_state=0,
    )
    forwards = make_pipeline(PerTimestep(encoder), network).fit(X_train, y_train)
    report("RNNClassifier, reading forwards", y_test, forwards.predict(X_test))
    both_ways = clone(forwards).set_params(rnnclassifier__bidirectional=True)
    both_ways.fit(X_train, y_train)
    y_pred = both_ways.predict(X_test)
    report("RNNClassifier, reading both ways", y_test, y_pred)
    accuracy = both_ways.score(X_test, y_test)
    print(f"\nIts score, the accuracy over all timesteps, is {accuracy:.3f}. Some of its labels:\n")
    for word, x, true, pred in list(zip(words, X_test, y_test, y_pred, strict=True))[:16]:
        verdict = "right" if np.array_equal(true, pred) else f"wrong: {spell(x, true)}"
        print(f"  {word:<14}{spell(x, pred):<36}{verdict}")

    if arguments.plot:
        models = {"forwards": forwards, "both ways": both_ways}
        plot(arguments.plot, models, words, X_test, y_test)


if __name__ == "__main__":
    main()
