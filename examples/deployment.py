"""
Deployment: a pipeline as an ONNX file
======================================

A pipeline that tells speakers apart is trained here: an imputer, a scaler and a network over
utterances of different lengths, whose labels are names. Then it becomes an ONNX file. Another
process loads the file, with nothing but NumPy and ONNX Runtime, and gives the same names. In a
browser, on a phone or in a C++ program it would go the same way.

A second file has the same pipeline for a live feed: it reads one frame at a time, and the states
of the network go in and out.

The data are described in speaker_recognition.py. Here some of their values are missing.

How to run::

    pip install '.[onnx]'
    python examples/deployment.py
"""

import subprocess
import sys
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np
from sklearn.impute import SimpleImputer
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from speaker_recognition import load

from sklearn_rnn import RNNClassifier
from sklearn_rnn.export import to_onnx
from sklearn_rnn.preprocessing import PerTimestep, pad_sequences

NAMES = np.array(["Aki", "Ben", "Dai", "Eiji", "Go", "Hiro", "Jun", "Ken", "Ryo"])

# What runs elsewhere. The step model has all its states as inputs; they are zero at first, but for
# the maximum over time, which is minus infinity.
ELSEWHERE = """
import sys
import numpy as np
import onnxruntime

folder = sys.argv[1]
data = np.load(f"{folder}/utterances.npz")
X, lengths = data["X"], data["lengths"]

session = onnxruntime.InferenceSession(f"{folder}/speakers.onnx")
label, probabilities = session.run(["label", "probabilities"], {"X": X, "lengths": lengths})
np.savez(f"{folder}/results.npz", label=label.astype(str), probabilities=probabilities)

session = onnxruntime.InferenceSession(f"{folder}/speakers_live.onnx")
states = {
    state.name: np.full(
        [1, *state.shape[1:]],
        -np.inf if state.name == "max.highest" else 0,
        {"tensor(float)": "f4", "tensor(double)": "f8", "tensor(int64)": "i8"}[state.type],
    )
    for state in session.get_inputs()[1:]
}
names = [output.name for output in session.get_outputs()]
for n_frames, frame in enumerate(X[0, : lengths[0]], start=1):
    results = dict(zip(names, session.run(names, {"X": frame[np.newaxis], **states})))
    states = {name: results[f"next.{name}"] for name in states}
    if n_frames % 5 == 0 or n_frames == lengths[0]:
        name, p = results["label"][0], results["probabilities"].max()
        print(f"  {n_frames:2d} frames: {name}, p = {p:.2f}")

assert not {"sklearn", "sklearn_rnn"} & {*sys.modules}
"""


def with_gaps(utterances, rng):
    """Return copies in float32 in which one value in ten is missing."""
    copies = [utterance.astype(np.float32) for utterance in utterances]
    for utterance in copies:
        utterance[rng.random(utterance.shape) < 0.1] = np.nan
    return copies


def main():
    rng = np.random.default_rng(0)
    X_train, X_test, y_train, y_test = load()
    X_train, X_test = with_gaps(X_train, rng), with_gaps(X_test, rng)
    speakers = np.unique(y_train)
    names_train, names_test = (NAMES[np.searchsorted(speakers, y)] for y in (y_train, y_test))
    model = make_pipeline(
        PerTimestep(make_pipeline(SimpleImputer(), StandardScaler())),
        RNNClassifier(batch_size=32, tol=0.003, random_state=0),
    )
    model.fit(X_train, names_train)
    print(f"Accuracy of the pipeline: {model.score(X_test, names_test):.3f}")

    with TemporaryDirectory() as name:
        folder = Path(name)
        for file, step in (("speakers.onnx", False), ("speakers_live.onnx", True)):
            size = (folder / file).write_bytes(to_onnx(model, step=step).SerializeToString())
            print(f"{file}: {size / 1000:.0f} kB")
        lengths = np.array([len(utterance) for utterance in X_test])
        np.savez(folder / "utterances.npz", X=pad_sequences(X_test), lengths=lengths)

        print("\nIn another process, the first test utterance frame by frame:")
        subprocess.run([sys.executable, "-c", ELSEWHERE, folder], check=True)
        results = np.load(folder / "results.npz")

    print(f"It is {names_test[0]}.\n")
    difference = np.abs(results["probabilities"] - model.predict_proba(X_test)).max()
    same = np.mean(results["label"] == model.predict(X_test))
    print(f"Accuracy in the other process: {np.mean(results['label'] == names_test):.3f}")
    print(f"Same names as here: {same:.1%}; probabilities differ by at most {difference:.0e}")


if __name__ == "__main__":
    main()
