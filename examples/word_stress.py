"""
A label for every timestep: which syllables of a word are stressed?
===================================================================

Each word is the sequence of its phonemes, one-hot encoded, without stress marks. The network
labels each phoneme: "-" for a consonant, and for a vowel "0" (unstressed), "1" (primary) or "2"
(secondary stress). X is a list of arrays (n_phonemes, 39), y a list of arrays (n_phonemes,).

A network that reads a word forwards must label a vowel before it knows what follows, and in
English the end of a word says most about its stress; so the words are also given to it backwards.

The data are 7500 words of two and more syllables, drawn from the CMU Pronouncing Dictionary,
Copyright (C) 1993-2015 Carnegie Mellon University, a licence of BSD type; data/README.md has it in
full. The draw is random: a relative of a test word ("acted" of "acting") may be among those the
network learns from.

How to run::

    pip install .
    python examples/word_stress.py
"""

from collections import Counter, defaultdict
from pathlib import Path

import numpy as np
from sklearn.model_selection import train_test_split

from sklearn_rnn import RNNClassifier

DATA = Path(__file__).parent / "data" / "cmudict_sample.txt"


def load():
    """The words, their phonemes, and each phoneme's label."""
    words, phonemes, labels = [], [], []
    for line in DATA.read_text(encoding="ascii").splitlines():
        word, *symbols = line.split()  # "begin B IH0 G IH1 N"
        words.append(word)
        phonemes.append([symbol.rstrip("012") for symbol in symbols])
        labels.append(np.array([s[-1] if s[-1].isdigit() else "-" for s in symbols]))
    return words, phonemes, labels


def one_hot(phonemes):
    alphabet = {phoneme: i for i, phoneme in enumerate(sorted(set().union(*phonemes)))}
    rows = np.eye(len(alphabet), dtype=np.float32)
    return [rows[[alphabet[phoneme] for phoneme in word]] for word in phonemes]


def backwards(sequences):
    return [sequence[::-1] for sequence in sequences]


def most_frequent(phonemes, labels):
    """The label that each phoneme has most often."""
    counts = defaultdict(Counter)
    for word, word_labels in zip(phonemes, labels, strict=True):
        for phoneme, label in zip(word, word_labels, strict=True):
            counts[phoneme][label] += 1
    return {phoneme: count.most_common(1)[0][0] for phoneme, count in counts.items()}


def report(name, y_true, y_pred):
    right = [true == pred for true, pred in zip(y_true, y_pred, strict=True)]
    is_vowel = np.concatenate(y_true) != "-"
    vowels = np.concatenate(right)[is_vowel].mean()
    words = np.mean([word.all() for word in right])
    print(f"{name:<36}{np.concatenate(right).mean():>10.3f}{vowels:>10.3f}{words:>14.3f}")


def spell(phonemes, labels):
    return " ".join(p + label.strip("-") for p, label in zip(phonemes, labels, strict=True))


def main():
    words, phonemes, labels = load()
    train, test = train_test_split(np.arange(len(words)), test_size=1500, random_state=0)
    X, y = one_hot(phonemes), labels
    X_train, y_train = [X[i] for i in train], [y[i] for i in train]
    X_test, y_test = [X[i] for i in test], [y[i] for i in test]

    print(f"Trained on {len(train)} words, tested on {len(test)}.\n")
    print(f"{'Share that is right of the':<36}{'phonemes':>10}{'vowels':>10}{'whole words':>14}")
    usual = most_frequent([phonemes[i] for i in train], y_train)
    baseline = [np.array([usual[phoneme] for phoneme in phonemes[i]]) for i in test]
    report("most frequent label of each phoneme", y_test, baseline)

    network = RNNClassifier(
        return_sequences=True,
        batch_size=64,
        learning_rate_init=0.005,
        early_stopping=True,
        tol=0.001,
        n_iter_no_change=5,
        random_state=0,
    )
    network.fit(X_train, y_train)
    report("RNNClassifier, reading forwards", y_test, network.predict(X_test))
    network.fit(backwards(X_train), backwards(y_train))
    y_pred = backwards(network.predict(backwards(X_test)))
    report("RNNClassifier, reading backwards", y_test, y_pred)
    accuracy = network.score(backwards(X_test), backwards(y_test))
    print(f"\nIts score, the accuracy over all timesteps, is {accuracy:.3f}. Some of its labels:\n")
    for i, true, pred in list(zip(test, y_test, y_pred, strict=True))[:16]:
        verdict = "right" if np.array_equal(true, pred) else f"wrong: {spell(phonemes[i], true)}"
        print(f"  {words[i]:<14}{spell(phonemes[i], pred):<36}{verdict}")


if __name__ == "__main__":
    main()
