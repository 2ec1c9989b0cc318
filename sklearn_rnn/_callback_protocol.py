"""scikit-learn's callback protocol, or a stand-in where scikit-learn has none (before 1.9).

Nothing else in this package asks which of the two it is.
"""

try:
    from sklearn.callback import CallbackSupportMixin, FitCallback, with_callbacks
except ModuleNotFoundError:
    from sklearn_rnn._callback_stand_in import CallbackSupportMixin, FitCallback, with_callbacks

__all__ = ["CallbackSupportMixin", "FitCallback", "with_callbacks"]
