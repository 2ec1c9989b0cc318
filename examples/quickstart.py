"""
Handwritten digits: from data to a model that another process uses
==================================================================

An image of a digit, read from top to bottom, is a sequence of 8 timesteps of 8 features. A
pipeline scales the pixels and passes the rows to a recurrent network. A grid search chooses the
cell and its size. joblib saves the best pipeline. A new Python process loads the pipeline and
makes the same predictions.

The data are 1797 images of 8 x 8 pixels, which come with scikit-learn. They are a copy of the test
set of the UCI "Optical Recognition of Handwritten Digits" by E. Alpaydin and C. Kaynak, CC BY 4.0,
https://doi.org/10.24432/C50P49

How to run::

    pip install .
    python examples/quickstart.py                    # add --plot digits.png for a picture
"""

import argparse
import subprocess
import sys
import tempfile
from operator import methodcaller
from pathlib import Path

import joblib
import numpy as np
from sklearn.datasets import load_digits
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import ConfusionMatrixDisplay, classification_report
from sklearn.model_selection import GridSearchCV, train_test_split
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import FunctionTransformer, MinMaxScaler

from sklearn_rnn import RNNClassifier

PREDICT = """
import sys
import joblib
import numpy as np

model, images, predictions = sys.argv[1:]
np.save(predictions, joblib.load(model).predict(np.load(images)))
"""


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument(
        "--plot", metavar="PATH", help="draw the confusion matrix (needs matplotlib)"
    )
    arguments = parser.parse_args()

    pixels, digits = load_digits(return_X_y=True)
    pixels = pixels.astype(np.float32)  # float32 in, float32 network: faster than float64
    X_train, X_test, y_train, y_test = train_test_split(
        pixels, digits, stratify=digits, random_state=0
    )

    # Another process must be able to import the function of a FunctionTransformer. It can import
    # methodcaller, but not a lambda.
    pipeline = make_pipeline(
        MinMaxScaler(),
        FunctionTransformer(methodcaller("reshape", -1, 8, 8)),  # (n, 64) to (n, 8 rows, 8 pixels)
        RNNClassifier(
            batch_size=64,
            learning_rate="adaptive",  # halved when two epochs in a row gain less than tol
            learning_rate_init=0.01,
            tol=0.01,
            n_iter_no_change=1,
            random_state=0,
        ),
    )
    search = GridSearchCV(
        pipeline,
        {
            "rnnclassifier__cell": ["elman", "gru", "lstm"],
            "rnnclassifier__hidden_size": [32, 64],
        },
        cv=3,
        n_jobs=2,
    )
    search.fit(X_train, y_train)

    print(f"Grid search, mean accuracy in {search.cv}-fold cross-validation:")
    results = search.cv_results_
    for params, score in zip(results["params"], results["mean_test_score"], strict=True):
        cell, hidden_size = params.values()
        print(f"  cell={cell:<6} hidden_size={hidden_size}  {score:.3f}")

    y_pred = search.predict(X_test)
    network = search.best_estimator_[-1]
    baseline = make_pipeline(MinMaxScaler(), LogisticRegression(max_iter=1000))
    baseline.fit(X_train, y_train)
    print(f"\nThe best, fitted to all training images in {network.n_iter_} epochs, on test images:")
    print(classification_report(y_test, y_pred, digits=3))
    print(f"Test accuracy, recurrent network:    {np.mean(y_pred == y_test):.3f}")
    print(f"Test accuracy, logistic regression:  {baseline.score(X_test, y_test):.3f}")

    with tempfile.TemporaryDirectory() as folder:
        model, images, predictions = (
            Path(folder) / name for name in ("model.joblib", "images.npy", "predictions.npy")
        )
        joblib.dump(search.best_estimator_, model)
        np.save(images, X_test)
        subprocess.run([sys.executable, "-c", PREDICT, model, images, predictions], check=True)
        same = np.array_equal(np.load(predictions), y_pred)
        print(f"\nSaved in {model.stat().st_size / 1024:.0f} KiB, loaded in a new process.")
    if not same:
        sys.exit("The new process makes other predictions.")
    print("The new process makes the same predictions.")

    if arguments.plot:
        display = ConfusionMatrixDisplay.from_predictions(
            y_test, y_pred, cmap="Blues", colorbar=False
        )
        display.figure_.savefig(arguments.plot, dpi=120)
        print(f"\nThe plot is in {arguments.plot}.")


if __name__ == "__main__":
    main()
