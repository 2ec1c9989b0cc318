"""
A live feed: who is speaking, while they speak?
===============================================

The network of speaker_recognition.py hears an utterance frame by frame. A stream keeps what it
needs of the frames so far, and gives the probabilities of the nine speakers after each of them, as
`predict_proba` would for the utterance so far. It never reads a frame twice. So a decision can come
as soon as it is sure enough, and a service can save the state of a stream, and go on elsewhere.

So that it has heard beginnings of utterances, too, the network learns from each utterance of the
training recording, and from its first half.

The data are described in speaker_recognition.py.

How to run::

    pip install .
    python examples/streaming.py                     # add --plot listening.png for a picture
"""

import argparse
import pickle
import time

import numpy as np
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from speaker_recognition import load

from sklearn_rnn import RNNClassifier
from sklearn_rnn.inspection import TimestepLabelsDisplay
from sklearn_rnn.preprocessing import PerTimestep
from sklearn_rnn.streaming import stream

SURE = 0.95


def until_sure(listener, utterance):
    """Return the probabilities of the speakers, and the number of frames that were heard."""
    listener.reset()
    for n_frames, frame in enumerate(utterance, start=1):
        probabilities = listener.step(frame)[0]
        if probabilities.max() > SURE or n_frames == len(utterance):
            return probabilities, n_frames
    raise ValueError("The utterance has no frames.")


def second_thoughts(model, utterances, speakers):
    """Return the longest utterance that is taken for another's at first, but not halfway on.

    With it come its speaker, and the probabilities of all speakers after each frame.
    """
    listener, found = stream(model, method="predict_proba"), []
    for utterance, speaker in zip(utterances, speakers, strict=True):
        listener.reset()
        probabilities = np.array([listener.step(frame)[0] for frame in utterance])
        wrong = model.classes_[probabilities.argmax(axis=1)] != speaker
        if wrong[0] and wrong.mean() > 0.2 and not wrong[len(wrong) // 2 :].any():
            found.append((utterance, speaker, probabilities))
    return max(found, key=lambda one: len(one[0]))


def plot(path, frames, speaker, probabilities, speakers):
    import matplotlib.pyplot as plt

    figure, (left, right) = plt.subplots(
        1, 2, figsize=(9.6, 3.6), width_ratios=[4, 5], layout="constrained"
    )
    left.imshow(frames.T, aspect="auto", cmap="cividis")
    left.set(title="What comes in: an utterance, frame by frame", xlabel="Frame")
    left.set(ylabel="Coefficient of the spectrum", yticks=range(0, frames.shape[1], 2))
    display = TimestepLabelsDisplay.from_predictions(
        np.full(len(frames), speaker),
        speakers[probabilities.argmax(axis=1)],
        probabilities=probabilities,
        classes=speakers,
        ax=right,
    )
    display.ax_.set_title("What goes out: who is speaking?")
    display.axes_[1, 0].set(xlabel="Frame", ylabel="Speaker")
    figure.savefig(path, dpi=160)
    print(f"The picture is in {path}.")


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--plot", metavar="PATH", help="draw an utterance (needs matplotlib)")
    arguments = parser.parse_args()

    X_train, X_test, y_train, y_test = load()
    halves = [utterance[: len(utterance) // 2] for utterance in X_train]
    model = make_pipeline(PerTimestep(StandardScaler()), RNNClassifier(tol=0.003, random_state=0))
    model.fit(X_train + halves, np.concatenate([y_train, y_train]))
    print(f"Accuracy after the last frame: {model.score(X_test, y_test):.3f}")

    print("\nFirst frames  Accuracy")
    for n_frames in (2, 4, 6, 8):
        beginnings = [utterance[:n_frames] for utterance in X_test]
        print(f"{n_frames:12d}  {model.score(beginnings, y_test):8.3f}")

    speakers, heard, right = model.classes_, [], []
    listener = stream(model, method="predict_proba")
    began = time.perf_counter()
    for utterance, speaker in zip(X_test, y_test, strict=True):
        probabilities, n_frames = until_sure(listener, utterance)
        heard.append(n_frames / len(utterance))
        right.append(speakers[probabilities.argmax()] == speaker)
    per_utterance = (time.perf_counter() - began) / len(X_test)
    print(
        f"\nDecided as soon as one speaker has a probability above {SURE}: accuracy "
        f"{np.mean(right):.3f} after {np.mean(heard):.0%} of the frames, "
        f"{1e3 * per_utterance:.1f} ms for an utterance"
    )

    utterance = X_test[0]
    listener.reset()
    listener.read(utterance[:5])
    elsewhere = pickle.loads(pickle.dumps(listener))  # in another process, say
    for frame in utterance[5:]:
        probabilities = elsewhere.step(frame)
    assert np.allclose(probabilities, model.predict_proba([utterance]), atol=1e-6)
    print("A stream that was saved in the middle gives what predict_proba gives for the whole.")

    if arguments.plot:
        utterance, speaker, probabilities = second_thoughts(model, X_test, y_test)
        frames = model[0].transform([utterance])[0]
        plot(arguments.plot, frames, speaker, probabilities, speakers)


if __name__ == "__main__":
    main()
