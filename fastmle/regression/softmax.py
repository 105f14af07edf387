"""The fit of a multinomial logit model: the steps of coordinates.py over coefficients by class."""

from __future__ import annotations

import math
from dataclasses import replace
from typing import Any

import numpy as np

from ..errors import DataError, FamilyError
from ..family import Sums, Vector
from ..newton import Step
from ..passes import Passes
from ..request import check_reopenable
from ..sources import Held
from ..states.multinomial import MultinomialState, MultinomialTerms, Spot
from .ascent import climb_to, pilot_rows
from .classes import as_codes, classes_in
from .design import Merged, Roles, matrices, open_design, passes_of, pilot, usable
from .multinomial import MultinomialRegression, plain
from .result import Measures, RegressionFit
from .robust import Groups, check_cov, corrections
from .scoring import At, Climb
from .separation import SLACK, moving
from .solve import inverse

MOST = 512  # coefficients


class Softmax:
    """The coordinates of a fit, (1, u..) with u = (x − center) · per, and passes at any coefficients, class by class."""

    by_sample = False

    def __init__(
        self, model: MultinomialRegression, sample: Held, values: tuple[float, ...], fixed: dict[str, float]
    ) -> None:
        self.model, self.k, self.others = model, 1 + len(model.features), len(model.others)
        where = f"the classes {', '.join(map(str, model.classes))}"
        self.terms = MultinomialTerms(self.k, tuple(values[j] for j in model.order), where)
        every = [f"{c}:{name}" for c in model.others for name in ("intercept", *model.features)]
        free = np.array([n not in fixed for n in every]).reshape(self.others, self.k)
        free[:, 0] &= model.intercept
        self.free = free.ravel()
        chunk = next(iter(sample.chunks()))
        columns, rows = chunk[: self.k - 1], chunk[0].size
        self.center = np.array([float(c.mean()) if rows and free[:, 0].all() else 0.0 for c in columns])
        spread = np.array([float(np.std(c)) if rows else 1.0 for c in columns])
        spread[~((spread > 0.0) & np.isfinite(spread))] = 1.0
        self.per = np.exp2(-np.rint(np.log2(spread)))
        own = np.diag([1.0, *self.per])
        own[0, 1:] = -self.center * self.per
        self.jacobian = np.kron(np.eye(self.others), own)
        apart = np.eye(self.others) - 1.0 / (self.others + 1.0)
        self.penalty = model.alpha * np.kron(apart, np.diag([0.0, *self.per**2]))
        scale = np.tile([1.0, *self.per], self.others)
        self.start = np.array([fixed.get(n, 0.0) for n in every]) / scale
        self.states: dict[int, Any] = {}
        self.dropped = 0  # rows with nulls, of all rows: a sample has none
        self.lost: list[int] = []

    def evaluator(self, passes: Passes, prior: bool = False) -> Any:
        def evaluate(beta: Vector, shape: float) -> At:
            state = self.run(passes, beta, 0)
            s = state.sums()
            self.states = {id(s): state}
            self.dropped = max(self.dropped, state.dropped)
            objective = -s.loss - 0.5 * float(beta @ self.penalty @ beta)
            gradient = np.where(self.free, s.score - self.penalty @ beta, 0.0)
            return At(beta, shape, s, objective, gradient, s.matrix + self.penalty, self.free, False)

        return evaluate

    def run(self, passes: Passes, beta: Vector, matrix: int) -> MultinomialState:
        spot = Spot(np.ascontiguousarray(beta.reshape(self.others, self.k)), self.center, self.per)
        state = MultinomialState(replace(self.terms, matrix=matrix), passes.options, spot)
        passes.run_all([state])
        return state

    def dispersion(self, at: At) -> float:
        return at.sums.weight / at.sums.n  # see coordinates.py

    def first(self, passes: Passes, shape: float) -> Vector:
        """The shares of the classes, where the intercepts are free."""
        beta: Vector = self.start.copy()
        if self.model.intercept and self.free[:: self.k].all():
            hits = self.run(passes, self.start, 0).sums().hits + 0.5
            beta[:: self.k] = np.log(hits[:-1] / hits[-1])
        return beta

    def in_x(self, beta: Vector) -> Vector:
        return np.asarray(self.jacobian @ beta)

    def columns_of(self, at: At) -> tuple[Vector, np.ndarray]:
        """A matrix that is singular where columns repeat others, and which columns count."""
        blocks = at.matrix.reshape(self.others, self.k, self.others, self.k)
        free = self.free.reshape(self.others, self.k).any(axis=0)
        return np.asarray(np.einsum("ajak->jk", blocks)), np.asarray(free)

    def leave_out(self, columns: list[int]) -> None:
        self.free.reshape(self.others, self.k)[:, columns] = False

    def separated_by(self, passes: Passes, at: At, step: Vector) -> list[int]:
        """The coefficients of the last step, if along it no row's class ever loses to another; else none."""
        passes.count += 1
        delta, largest, worst = step.reshape(self.others, self.k), 0.0, 0.0
        values = np.array(self.terms.values)
        for chunk in passes.source.host_chunks():
            keep = usable(chunk, passes.options)
            for rows, z in matrices(chunk, self.center, self.per, True):
                change = np.column_stack([z @ delta.T, np.zeros(len(z))])[keep[rows]]
                y = np.asarray(chunk[self.k - 1][rows], float)[keep[rows]]
                own = change[np.arange(len(y)), np.argmax(y[:, None] == values, axis=1)]
                largest = max(largest, float(np.abs(change).max(initial=0.0)))
                worst = max(worst, float((change.max(axis=1, initial=-np.inf) - own).max(initial=0.0)))
        if not largest or worst > SLACK * largest:
            return []
        return moving(self, step, np.arange(step.size) % self.k == 0)

    def steps(self, path: list[At], shown: np.ndarray) -> list[Step]:
        return [Step(self.in_x(at.beta)[shown], at.objective, at.norm(self.dispersion(at))) for at in path]


def fit_multinomial(model: MultinomialRegression, data: Any, roles: Roles, fixed: dict[str, Any]) -> RegressionFit:
    check_cov(roles, ("HC0", "HC1", "cluster"))
    for name in ("offset", "exposure", "trials"):
        if getattr(roles, name) is not None:
            raise FamilyError(f"{name}= is not for multinomial models")
    data, roles, values = as_codes(model, data, replace(roles, of_classes=True))
    inner = open_design(data, roles)
    check_reopenable(model.name, inner)
    source = Merged(inner, roles)
    passes = passes_of(source, roles)
    if passes.options.device == "cuda":
        raise FamilyError("multinomial models are fitted on the processor: use device='cpu'")
    model = _with_classes(model.for_source(source), roles, inner, passes)
    values = values or tuple(map(float, range(len(model.classes)) if roles.formula is not None else model.classes))
    unknown = [n for n in fixed if n not in model.names]
    if unknown:
        raise FamilyError(f"multinomial has the parameters {', '.join(model.names[:12])}; got {unknown[0]}")
    held = {name: float(value) for name, value in fixed.items()}
    if not all(math.isfinite(v) for v in held.values()):
        raise FamilyError(f"multinomial: a coefficient cannot be held at {held}")
    sample, whole = pilot(passes, pilot_rows(source), lambda y, m: np.isin(y, values))
    fitting = Softmax(model, sample, values, held)
    found, aliased = climb_to(fitting, passes, Passes(sample, passes.options), whole, 1.0)
    fit = _finish(fitting, passes, found, aliased, held)
    if fit.status == "ok" and (roles.cov != "model" or fit.weight_kind == "sampling"):
        _covariance(fit, fitting, found.at, roles, inner, passes)
    fit.n_passes, fit.kept = passes.count, passes.kept
    return fit


def _with_classes(model: MultinomialRegression, roles: Roles, inner: Any, passes: Passes) -> MultinomialRegression:
    classes = model.classes or roles.classes or getattr(inner, "classes", ())
    if not classes:
        passes.count += 1
        classes = classes_in(passes.source, passes.options)
    label = passes.options.labels[len(passes.source.names)]
    if len(classes) < 2:
        raise DataError(f"column {label!r} has one class only: {', '.join(map(str, classes)) or 'none'}", column=label)
    if not model.features and not model.intercept:
        raise DataError("a regression needs an intercept or at least one feature")
    model = replace(model, classes=tuple(plain(c) for c in classes))
    if len(model.others) * (1 + len(model.features)) > MOST:
        raise DataError(
            f"{len(model.classes)} classes and {1 + len(model.features)} columns make more than {MOST} coefficients: "
            "all pairs of them are summed"
        )
    return model


def _finish(fitting: Softmax, passes: Passes, found: Climb, aliased: dict[int, Vector], fixed: dict[str, float]) -> RegressionFit:
    at, options = found.at, passes.options
    columns = ["intercept", *fitting.model.features]
    model = replace(fitting.model, dropped=tuple(columns[j] for j in aliased))
    kind, s = options.weight_kind if options.weighted else None, at.sums
    n = float(s.rows) if kind == "sampling" else s.n
    status, message, lost = ("ok", "", []) if found.converged else ("not_converged", found.message, [])
    if not (s.hits > 0.0).all():
        at_none = np.flatnonzero(s.hits <= 0.0)
        empty = ", ".join(str(model.classes[model.order[j]]) for j in at_none)
        status, message = "separated", f"no row is of class {empty}, whose coefficients are infinite"
        lost = [j for j in range(fitting.free.size) if j // fitting.k in at_none or at_none[-1] == fitting.others]
    elif found.message == "separated":
        status, lost = "separated", fitting.lost
        every = [f"{c}:{name}" for c in model.others for name in columns]
        message = f"a combination of {', '.join(every[j] for j in lost)} separates the classes: their coefficients are infinite"
    shown = np.tile(model.shown, fitting.others)
    beta = fitting.in_x(at.beta)
    beta[list(lost)] = np.nan
    f, size = np.flatnonzero(fitting.free), fitting.free.size
    cov_z = np.full((size, size), np.nan)
    if status == "ok":
        cov_z = np.zeros((size, size))
        bread = inverse(at.matrix[np.ix_(f, f)])
        cov_z[np.ix_(f, f)] = bread @ s.matrix[np.ix_(f, f)] @ bread if model.alpha else bread
    cov = (fitting.jacobian @ cov_z @ fitting.jacobian.T)[np.ix_(shown, shown)]
    return RegressionFit(
        family=model, theta=beta[shown], cov=cov, units=np.ones(int(shown.sum())), llf=-s.loss, nobs=n, nobs_dropped=fitting.dropped,
        status=status, message=message, fitted_by="Newton's method",
        score_norm=at.norm(fitting.dispersion(at)) if status == "ok" else math.nan,
        weight_kind=kind, fixed=tuple(fixed), columns=options.labels, measures=_measures(model, s, n, int(fitting.free.sum())),
        trace=fitting.steps(found.path, shown),
    )  # fmt: skip


def _measures(model: MultinomialRegression, s: Sums, n: float, p: int) -> Measures:
    """The saturated model has the likelihood 1; the null model has the shares of the classes."""
    share = s.hits / s.hits.sum()
    null = float(-(s.hits[share > 0.0] @ np.log(share[share > 0.0]))) if model.intercept else s.hits.sum() * math.log(len(share))
    return Measures(df_resid=n - p, deviance=2.0 * s.loss, null_deviance=2.0 * null, llf_null=-null)


def _covariance(fit: RegressionFit, fitting: Softmax, at: At, roles: Roles, inner: Any, passes: Passes) -> None:
    """Put the sandwich in place of the model's covariance."""
    clusters = 0
    if roles.cov == "cluster":
        meat, clusters = _clustered(fitting, at, inner, passes)
    else:
        meat = fitting.run(passes, at.beta, 1 if fit.weight_kind in (None, "frequency") else 2).sums().matrix
    f = np.flatnonzero(fitting.free)
    bread = np.zeros_like(at.matrix)
    bread[np.ix_(f, f)] = inverse(at.matrix[np.ix_(f, f)])
    cov = fitting.jacobian @ bread @ meat @ bread @ fitting.jacobian.T
    model = fit.model
    shown = np.tile(model.shown, fitting.others)
    fit.cov = cov[np.ix_(shown, shown)] * corrections(roles.cov, fit.nobs, int(f.size), clusters)
    fit.cov_type = "sandwich" if roles.cov == "model" else roles.cov


def _clustered(fitting: Softmax, at: At, inner: Any, passes: Passes) -> tuple[Vector, int]:
    source: Any = passes.source
    where, groups, row = inner.roles.index("cluster") + len(inner.names), Groups(), 0
    passes.count += 1
    values, beta = np.array(fitting.terms.values), at.beta.reshape(fitting.others, fitting.k)
    for chunk in inner.host_chunks():
        own = source.merged(chunk, row)
        keep = usable(own, passes.options)
        for rows, z in matrices(own, fitting.center, fitting.per, True):
            ok = keep[rows]
            z, y = z[ok], np.asarray(own[fitting.k - 1][rows], float)[ok]
            weight = np.asarray(own[-1][rows], float)[ok] if passes.options.weighted else np.ones(len(y))
            eta = np.column_stack([z @ beta.T, np.zeros(len(y))])
            p = np.exp(eta - eta.max(axis=1, keepdims=True))
            s = ((y[:, None] == values) - p / p.sum(axis=1, keepdims=True))[:, :-1] * weight[:, None]
            groups.add(np.asarray(chunk[where][rows])[ok], (s[:, :, None] * z[:, None, :]).reshape(len(y), -1))
        row += chunk[0].size
    return groups.meat(), len(groups.sums)
