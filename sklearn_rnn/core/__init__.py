"""The networks themselves: NumPy only, no scikit-learn, input trusted."""
