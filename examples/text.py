"""
Text, letter by letter: what Alice says next
============================================

The network reads "Alice's Adventures in Wonderland" and predicts the next character after each one.
So there is a target per timestep, and nobody has to label anything. A character is a timestep with
one feature for each of the 67 characters of the book: 1 for itself, 0 for the others. Since the
features are the classes, `sample` can draw a character, read it as the next timestep, draw another
one, and so continue any text. Its `temperature` makes it careful (below 1) or daring (above).

The book is cut into 32 long strips, which are read side by side. `bptt_steps=100` makes an update
after every 100 characters of them, and the network goes on from the states it has reached.
Karpathy's char-rnn is trained in this way. Keras's example of text generation cuts the text into
overlapping windows of 40 characters. Each window has only one target, so the network reads 40
characters to learn one.

Bits per character on the last tenth of the book say how well the network predicts. A guess among
all characters has 6.1 bits. The baseline counts what came after the last four characters, and where
these are rare, after fewer of them (Witten and Bell 1991).

Lewis Carroll's book is in the public domain. The notes in the folder data say where the file comes
from.

How to run::

    pip install .
    python examples/text.py                          # add --plot text.png for a picture
"""

import argparse
import re
from collections import Counter, defaultdict
from pathlib import Path
from textwrap import fill

import numpy as np

from sklearn_rnn import RNNClassifier

DATA = Path(__file__).parent / "data" / "alice.txt"
N_STRIPS = 32
SENTENCE = (
    "the King said, with a melancholy air, and, after folding his arms and frowning at the cook"
)
ORDER = 5  # of the baseline: a character and the four before it


class OneHot:
    """Turns text into arrays (n_characters, n_symbols)."""

    def __init__(self, text):
        self.symbols = sorted(set(text))
        self.codes = {symbol: code for code, symbol in enumerate(self.symbols)}

    def __call__(self, text):
        return np.eye(len(self.symbols), dtype=np.float32)[[self.codes[symbol] for symbol in text]]


def strips(text, one_hot):
    """Return X (n_strips, n_timesteps, n_symbols), and y, the next characters."""
    n_timesteps = (len(text) - 1) // N_STRIPS
    end = N_STRIPS * n_timesteps
    X, y = one_hot(text[:end]), np.array(list(text[1 : end + 1]))
    return X.reshape(N_STRIPS, n_timesteps, -1), y.reshape(N_STRIPS, n_timesteps)


def bits_by_counts(train, test, n_symbols):
    """Return the bits per character of the baseline."""
    counts = defaultdict(Counter)
    for end, symbol in enumerate(train):
        for n_before in range(min(ORDER, end + 1)):
            counts[train[end - n_before : end]][symbol] += 1
    bits = 0.0
    for end in range(1, len(test)):
        p = 1 / n_symbols
        for n_before in range(min(ORDER, end + 1)):
            after = counts[test[end - n_before : end]]
            # A context with many different successors says less: shorter contexts count more.
            if after:
                p = (after[test[end]] + len(after) * p) / (after.total() + len(after))
        bits -= np.log2(p)
    return bits / (len(test) - 1)


def bits_by_network(model, test, one_hot):
    """Return the bits of each character but the first."""
    log_p = model.predict_log_proba([one_hot(test[:-1])])[0]
    codes = [one_hot.codes[symbol] for symbol in test[1:]]
    return -log_p[np.arange(len(codes)), codes] / np.log(2)


def words_in(text):
    return re.findall(r"[a-z]+", text.lower())


def share_of_known_words(texts, known):
    """Return how many of the words are words of the book. The last one may be cut off."""
    return np.mean([word in known for text in texts for word in words_in(text)[:-1]])


def complete(model, one_hot, typed):
    """Return the word that is being typed, to its end, by the most likely letters."""
    typist = model.stream()
    letter = typist.read(one_hot(typed)[np.newaxis])[0, -1]
    word = typed.split()[-1]
    while letter.isalpha() and len(word) < 20:
        word += letter
        letter = typist.step(one_hot(letter)[0])[0]
    return word


def plot(path, text, bits):
    """Draw how much each character surprises the network."""
    import matplotlib.pyplot as plt

    figure, ax = plt.subplots(figsize=(11, 3), layout="constrained")
    places = np.arange(len(text))
    ax.bar(places, bits, color=["C1" if before == " " else "C0" for before in " " + text[:-1]])
    ax.set_xticks(places, text, family="monospace")
    ax.tick_params(length=0)
    ax.margins(x=0.01)
    ax.set_ylabel("-log2 p (bits)")
    ax.set_title("How surprising each character is (first letters of words in orange)", loc="left")
    figure.savefig(path, dpi=120)
    print(f"\nThe plot is in {path}.")


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--plot", metavar="PATH", help="draw surprises (needs matplotlib)")
    arguments = parser.parse_args()

    text = DATA.read_text(encoding="ascii")
    end = len(text) * 9 // 10
    train, test = text[:end], text[end:]
    one_hot = OneHot(train)
    X, y = strips(train, one_hot)
    model = RNNClassifier(
        return_sequences=True,
        hidden_size=192,
        dropout=0.3,
        bptt_steps=100,
        batch_size=N_STRIPS,
        learning_rate="one_cycle",
        learning_rate_init=0.01,
        max_iter=10,
        early_stopping=False,
        tol=0,  # all 10 epochs: learning_rate="one_cycle" plans with them
        random_state=0,
    )
    model.fit(X, y)
    n_symbols = len(one_hot.symbols)
    print(f"Read {len(train)} characters, tested on the {len(test)} after them.\n")
    print("Bits per character of the test text")
    print(f"  any of {n_symbols} characters     {np.log2(n_symbols):.2f}")
    print(f"  counts of {ORDER} characters  {bits_by_counts(train, test, n_symbols):.2f}")
    bits = bits_by_network(model, test, one_hot)
    print(f"  RNNClassifier          {bits.mean():.2f}")

    known = set(words_in(train))
    share = share_of_known_words([test], known)
    print(f"\nWords of the test text that occur in the training text: {share:.0%}.")
    print("The same for 16 samples, and the first of them:")
    begun = test[:200]
    for temperature in (0.5, 0.75, 1.0):
        drawn = model.sample([one_hot(begun)] * 16, 400, temperature, random_state=0)
        samples = ["".join(characters) for characters in drawn]
        share = share_of_known_words(samples, known)
        last_words = " ".join(begun.split()[-4:])
        print(f"\n  Temperature {temperature}: {share:.0%}. '... {last_words}'\n")
        print(fill(samples[0], 96, initial_indent="    ", subsequent_indent="    "))

    print("\nA stream keeps up with who is typing, and completes words:")
    for typed in ("'What is", "said the Mo", "the White Rab", "she had never tho", "very curi"):
        print(f"  {typed:<20}{complete(model, one_hot, typed)}")

    if arguments.plot:
        start = test.index(SENTENCE)
        end = start + len(SENTENCE)
        plot(arguments.plot, SENTENCE, bits[start - 1 : end - 1])


if __name__ == "__main__":
    main()
