"""The checks for sequence estimators: each finds what it was made for, and ours pass them."""

import warnings
from pathlib import Path

import numpy as np
import pytest
from sklearn.compose import TransformedTargetRegressor
from sklearn.exceptions import EstimatorCheckFailedWarning, SkipTestWarning
from sklearn.impute import SimpleImputer
from sklearn.model_selection import GridSearchCV
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

import broken_fits  # noqa: F401 -- registers its estimators, as do the next two
import broken_input  # noqa: F401
import broken_predictions  # noqa: F401
from broken_estimators import BROKEN
from covering import cover, only_thorough
from sklearn_rnn import RNNClassifier, RNNRegressor
from sklearn_rnn.preprocessing import PerTimestep, PerTimestepTarget
from sklearn_rnn.utils import check_sequence_estimator, parametrize_with_sequence_checks
from sklearn_rnn.utils.estimator_checks import SEQUENCE_CHECKS, sequence_checks_generator
from sound_estimators import (
    KeepsAFunction,
    ListsOnly,
    NearlyIndependent,
    NeedsThree,
    NoLists,
    NoneLonger,
    NoPadding,
    OtherEachTime,
    SoundClassifier,
    SoundRegressor,
    SoundSummary,
    SoundTransformer,
    Univariate,
    WeighsByTargets,
)

pytest_plugins = ["pytester"]

CHECKS = {check.__name__: check for check in SEQUENCE_CHECKS}
SMALL = {"hidden_size": 3, "max_iter": 2}


def run(estimator, **options):
    return check_sequence_estimator(estimator, on_fail=None, on_skip=None, **options)


def names_of(results, status):
    return {result["check_name"] for result in results if result["status"] == status}


def failures(results):
    return {r["check_name"]: r["exception"] for r in results if r["status"] == "failed"}


each_broken = pytest.mark.parametrize(
    "broken", BROKEN, ids=lambda broken: broken.estimator_class.__name__
)


@each_broken
def test_a_broken_estimator_fails_the_check_made_for_it(broken):
    name = broken.estimator_class.__name__
    for check in (broken.check, *broken.seen_too):
        with pytest.raises(Exception) as failure:  # noqa: PT011 -- whatever the estimator raises
            CHECKS[check](name, broken.estimator_class(**broken.parameters), **broken.declared)
        assert check != broken.check or name in str(failure.value)

    twin = broken.twin(**broken.parameters)
    CHECKS[broken.check]("twin", twin, **broken.declared)  # raises if it is skipped, too


@pytest.mark.thorough
@each_broken
def test_a_broken_estimator_fails_no_other_check(broken):
    found = failures(run(broken.estimator_class(**broken.parameters), **broken.declared))
    assert found.keys() == {broken.check, *broken.seen_too}, found


def test_every_check_has_a_broken_estimator():
    assert {broken.check for broken in BROKEN} == set(CHECKS)


class NoListsNoPadding(NoLists, NoPadding):
    pass


SOUND = [
    (SoundRegressor(), {}),
    (SoundRegressor(alpha=5.0), {}),
    (SoundRegressor(return_sequences=True), {}),
    (SoundClassifier(), {}),
    (SoundClassifier(return_sequences=True), {}),
    (SoundTransformer(), {"per_timestep": True}),
    (SoundSummary(), {}),
    (WeighsByTargets(), {}),
    (OtherEachTime(), {}),
    (NearlyIndependent(), {}),
    (ListsOnly(), {}),
    (ListsOnly(return_sequences=True), {}),
    (NoLists(), {"ragged": False}),
    (NoLists(return_sequences=True), {"ragged": False}),
    (NoPadding(), {"padded": False}),
    (NoneLonger(), {"any_length": False}),
    (Univariate(), {"multivariate": False}),
    (Univariate(return_sequences=True), {"multivariate": False}),
    (NeedsThree(), {"shortest": 3}),
    (NeedsThree(return_sequences=True), {"shortest": 3}),
    (NoListsNoPadding(), {"ragged": False, "padded": False}),
    (NoListsNoPadding(return_sequences=True), {"ragged": False, "padded": False}),
]


@pytest.mark.parametrize(("estimator", "declared"), SOUND, ids=str)
def test_a_sound_estimator_passes(estimator, declared):
    results = run(estimator, **declared)
    assert not failures(results)
    assert [result["check_name"] for result in results] == list(CHECKS)


def test_what_cannot_be_pickled_fails_no_other_check():
    assert failures(run(KeepsAFunction())).keys() == {"check_pickle"}


def skipped_for(estimator):
    """All the checks that are about something that our estimators don't do."""
    skipped = {"check_decision_function", "check_fit_transform", "check_undeclared_input"}
    if isinstance(estimator, RNNClassifier):
        skipped |= {"check_nonfinite_targets"}
        if estimator.return_sequences or estimator.class_weight:
            skipped |= {"check_several_outputs"}
    else:
        skipped |= {"check_labels", "check_probabilities"}
    if not estimator.return_sequences:
        per_timestep = "timestep_weights", "targets_in_padding", "lengths_of_targets"
        skipped |= {f"check_{name}" for name in per_timestep}
    return skipped


NETWORKS = {
    "elman": {"cell": "elman"},
    "lstm": {"cell": "lstm"},
    "gru": {"cell": "gru", "bidirectional": True, "n_layers": 2},
}
FACTORS = {
    "estimator_class": [RNNRegressor, RNNClassifier],
    "return_sequences": [False, True],
    "network": NETWORKS,
}


def networks(*groups):
    return [
        case["estimator_class"](
            return_sequences=case["return_sequences"], **NETWORKS[case["network"]], **SMALL
        )
        for case in cover(FACTORS, *groups)
    ]


OURS = [
    *networks(),
    RNNRegressor(solver="lbfgs", **SMALL),
    RNNRegressor(loss="poisson", **SMALL),
    RNNRegressor(bptt_steps=2, return_sequences=True, **SMALL),
    RNNClassifier(class_weight="balanced", label_smoothing=0.1, **SMALL),
]


@pytest.mark.parametrize(
    "estimator",
    [*OURS, *only_thorough([network] for network in networks(tuple(FACTORS)))],
    ids=repr,
)
def test_ours_pass(estimator):
    results = run(estimator)
    assert not failures(results)
    assert names_of(results, "skipped") == skipped_for(estimator)


# A repeated sequence gets a mask of its own, is drawn into other batches, or into both parts.
@pytest.mark.parametrize(
    "parameters",
    [{"dropout": 0.3}, {"batch_size": 4}, {"early_stopping": True, "validation_fraction": 0.3}],
    ids=str,
)
def test_only_repetition_differs_where_there_is_chance(parameters):
    estimator = RNNRegressor(cell="elman", **parameters, **SMALL)
    results = run(estimator, expected_failed_checks={"check_integer_weights": "chance"})
    assert not failures(results)
    assert names_of(results, "xfail") == {"check_integer_weights"}


@pytest.mark.parametrize(
    ("estimator", "options"),
    [
        (TransformedTargetRegressor(SoundRegressor()), {"array": True}),
        (GridSearchCV(SoundRegressor(), {"alpha": [0.5]}, cv=2), {"array": True}),
        (PerTimestep(StandardScaler()), {"per_timestep": True}),
        (PerTimestep(SimpleImputer()), {"per_timestep": True}),
        (PerTimestepTarget(RNNRegressor(return_sequences=True, **SMALL)), {}),
        (make_pipeline(PerTimestep(StandardScaler()), RNNClassifier(**SMALL)), {"array": True}),
    ],
    ids=str,
)
def test_meta_estimators(estimator, options):
    assert not failures(run(estimator, **options))


def test_a_pipeline_that_imputes():
    """Its tags don't say allow_nan, as those of the imputer do."""
    imputing = make_pipeline(
        PerTimestep(SimpleImputer()),
        PerTimestep(StandardScaler()),
        PerTimestepTarget(RNNRegressor(return_sequences=True, **SMALL)),
    )
    results = run(imputing, array=True, expected_failed_checks={"check_nonfinite_values": "NaN"})
    assert not failures(results)
    assert names_of(results, "xfail") == {"check_nonfinite_values"}


class TestResults:
    broken = {"expected_failed_checks": {"check_pickle": "why not"}, "on_skip": None}

    def estimator(self):
        return next(b for b in BROKEN if b.check == "check_pickle").estimator_class()

    def test_dicts(self):
        estimator = SoundRegressor()
        results = run(estimator, expected_failed_checks={"check_list": "no reason"})
        keys = "estimator", "check_name", "exception", "status"
        keys += "expected_to_fail", "expected_to_fail_reason"
        for result in results:
            assert tuple(result) == keys
            assert result["estimator"] is estimator
            assert result["expected_to_fail"] == (result["check_name"] == "check_list")
            assert (result["exception"] is None) == (result["status"] == "passed")
        assert results[1]["status"] == "passed"
        assert results[1]["expected_to_fail_reason"] == "no reason"

    def test_a_failure_is_raised(self):
        with pytest.raises(AssertionError, match=r"fails after pickle.*model_"):
            check_sequence_estimator(self.estimator(), on_skip=None)

    def test_an_expected_failure_is_not(self):
        results = check_sequence_estimator(self.estimator(), **self.broken)
        (result,) = (r for r in results if r["status"] == "xfail")
        assert result["check_name"] == "check_pickle"
        assert result["expected_to_fail"]
        assert result["expected_to_fail_reason"] == "why not"

    def test_warnings(self):
        with warnings.catch_warnings(record=True) as caught:
            warnings.simplefilter("always")
            results = check_sequence_estimator(self.estimator(), on_fail="warn")
        failed = [w for w in caught if w.category is EstimatorCheckFailedWarning]
        assert [w.message.check_name for w in failed] == ["check_pickle"]
        skipped = [str(w.message) for w in caught if w.category is SkipTestWarning]
        assert len(skipped) == len(names_of(results, "skipped"))
        assert any("check_labels: " in text and "not a classifier" in text for text in skipped)

    def test_reasons_for_skipping(self):
        for result in run(NoListsNoPadding(), ragged=False, padded=False):
            if result["status"] == "skipped":
                assert len(str(result["exception"])) > len("NoListsNoPadding: .")
        (result,) = (r for r in run(NoLists(), ragged=False) if r["check_name"] == "check_list")
        assert "ragged=False was declared" in str(result["exception"])

    def test_what_was_declared_is_told_where_fit_fails(self):
        for result in run(SoundRegressor(return_sequences=True), per_timestep=False)[:2]:
            (note,) = result["exception"].__notes__
            assert note.startswith("Declared or deduced for SoundRegressor: Declared(")
            assert "per_timestep=False" in note

    def test_a_hint_at_results_per_timestep(self):
        for name in ("check_3d_array", "check_list", "check_padded_array"):
            with pytest.raises(AssertionError, match="; declare per_timestep=True if it is"):
                CHECKS[name]("transformer", SoundTransformer())

    def test_callback(self):
        seen = []
        results = run(SoundSummary(), callback=lambda **result: seen.append(result))
        assert seen == results

    def test_the_estimator_is_not_fitted(self):
        estimator = SoundRegressor()
        run(estimator)
        assert vars(estimator) == vars(SoundRegressor())


class TestRefused:
    def test_a_class(self):
        with pytest.raises(TypeError, match=r"instance, such as RNNRegressor\(\)"):
            check_sequence_estimator(RNNRegressor)
        with pytest.raises(TypeError, match="instance"):
            parametrize_with_sequence_checks([SoundRegressor(), SoundRegressor])

    def test_what_cannot_be_declared(self):
        with pytest.raises(TypeError, match=r"'raged' can't be declared, only array, ragged"):
            check_sequence_estimator(RNNRegressor(), raged=False)
        with pytest.raises(TypeError, match="padded must be True or False, not 'no'"):
            check_sequence_estimator(RNNRegressor(), padded="no")
        with pytest.raises(ValueError, match="shortest == 0, must be >= 1"):
            check_sequence_estimator(RNNRegressor(), shortest=0)

    def test_nothing_to_check(self):
        with pytest.raises(ValueError, match=r"neither arrays nor lists.*three_d_array"):
            check_sequence_estimator(ListsOnly(), ragged=False)

    @pytest.mark.parametrize(
        ("options", "words"),
        [
            ({"on_fail": "ignore"}, "on_fail must be"),
            ({"on_skip": "raise"}, "on_skip must be"),
            ({"callback": print}, "callback cannot be used with on_fail='raise'"),
        ],
    )
    def test_options(self, options, words):
        with pytest.raises(ValueError, match=words):
            check_sequence_estimator(SoundRegressor(), **options)


def test_per_timestep_is_deduced_from_nested_parameters():
    for return_sequences in (True, False):  # which refuse the targets of each other
        network = RNNRegressor(return_sequences=return_sequences, **SMALL)
        CHECKS["check_list"]("search", GridSearchCV(network, {"cell": ["elman"]}, cv=2))


class TestParametrization:
    def test_pairs_and_names(self):
        estimators = [SoundRegressor(), SoundTransformer()]
        mark = parametrize_with_sequence_checks(estimators).mark
        assert mark.name == "parametrize"
        names, pairs = mark.args
        assert tuple(names) == ("estimator", "check")
        assert [estimator for estimator, _ in pairs] == [e for e in estimators for _ in CHECKS]
        name_of = mark.kwargs["ids"]
        assert [name_of(check) for _, check in pairs] == [*CHECKS, *CHECKS]
        assert name_of(SoundRegressor(alpha=2.0)) == "SoundRegressor(alpha=2.0)"

    def test_in_pytest(self, pytester):
        pytester.makepyfile(
            """
            from broken_fits import LeavesItsModelBehind
            from broken_predictions import ReturnsNothing
            from sound_estimators import NoLists, SoundRegressor
            from sklearn_rnn.utils import parametrize_with_sequence_checks

            def expected(estimator):
                return {"check_pickle": "left", "check_list": "why?"}

            @parametrize_with_sequence_checks(
                [ReturnsNothing(), LeavesItsModelBehind()],
                expected_failed_checks=expected,
                xfail_strict=False,
            )
            def test_sequences(estimator, check):
                check(estimator)

            @parametrize_with_sequence_checks([NoLists()], ragged=False)
            def test_no_lists(estimator, check):
                check(estimator)
            """
        )
        result = pytester.runpytest_inprocess("-rsfxX", "-p", "no:cacheprovider")
        outcomes = result.parseoutcomes()
        assert (outcomes["failed"], outcomes["xfailed"], outcomes["xpassed"]) == (1, 1, 3)
        result.stdout.fnmatch_lines(["*FAILED*ReturnsNothing()-check_3d_array*"])
        result.stdout.fnmatch_lines(["*SKIPPED*NoLists: ragged=False was declared."])


def test_the_documentation_lists_all_checks():
    page = (Path(__file__).parents[2] / "docs" / "conformance.md").read_text(encoding="utf-8")
    rows = [f"| `{name}` | {check.__doc__.splitlines()[0]} |" for name, check in CHECKS.items()]
    assert [line for line in page.splitlines() if line.startswith("| `check_")] == rows


def test_the_checks_do_not_depend_on_the_global_generator():
    state = np.random.get_state()  # noqa: NPY002
    run(SoundRegressor())
    after = np.random.get_state()  # noqa: NPY002
    assert all(np.array_equal(a, b) for a, b in zip(state, after, strict=True))


def test_generator():
    pairs = list(sequence_checks_generator(SoundRegressor(), padded=False))
    assert [check.func for _, check in pairs] == list(SEQUENCE_CHECKS)
    assert all(check.keywords == {"padded": False} for _, check in pairs)
