"""How a network is trained: objective, descent, data, and what watches it. Imports no estimator."""
