"""Everything a user passes in is checked and converted here, once.

X becomes `Sequences`; targets and weights become flat arrays. Anything unusable raises an error
that names the argument. The rest of the package trusts what comes from here. This package knows
neither estimators nor training.
"""
