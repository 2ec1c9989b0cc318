"""The door of the package: what users have becomes `Sequences`, targets and weights, or an error.

Whatever is behind the door trusts its input. This package knows neither estimators nor training.
"""
