"""Build japanese_vowels.npz from the two .ts files of the UCR/UEA archive.

The wheel of ``aeon`` carries them (so does the wheel of ``sktime``, byte for byte the same)::

    pip download --no-deps aeon
    unzip aeon-*.whl "aeon/datasets/data/JapaneseVowels/*"
    python examples/data/make_japanese_vowels.py aeon/datasets/data/JapaneseVowels
"""

import sys
from pathlib import Path

import numpy as np


def read_ts(path):
    """The utterances of a .ts file, each (n_frames, 12), and their labels.

    A line is ``channel_1:...:channel_12:label``, a channel is ``value,value,...``.
    """
    utterances, speakers = [], []
    lines = path.read_text().splitlines()
    for line in lines[lines.index("@data") + 1 :]:
        *channels, label = line.split(":")
        values = [[float(value) for value in channel.split(",")] for channel in channels]
        utterances.append(np.array(values, dtype=np.float32).T)
        speakers.append(int(label))
    return utterances, speakers


def main(folder):
    train, train_speakers = read_ts(folder / "JapaneseVowels_TRAIN.ts")
    test, test_speakers = read_ts(folder / "JapaneseVowels_TEST.ts")
    utterances = train + test
    np.savez_compressed(
        Path(__file__).with_name("japanese_vowels.npz"),
        values=np.concatenate(utterances),
        lengths=np.array([len(u) for u in utterances], dtype=np.uint8),
        speakers=np.array(train_speakers + test_speakers, dtype=np.uint8),
        is_train=np.arange(len(utterances)) < len(train),
    )


if __name__ == "__main__":
    main(Path(sys.argv[1]))
