"""What a fit has to show: plots (extra `plot`) and tests of fit, from what the pass has left; each imported when asked for."""

from __future__ import annotations

from typing import Any


class Views:
    """The methods of a fit that look at the data's histograms, never at rows."""

    def gof(self, bootstrap: int = 0, seed: Any = 0) -> Any:
        """Tests of fit: Kolmogorov-Smirnov and Anderson-Darling from the bins, with bounds; chi-square of counts.

        p-values account for estimated parameters, asymptotically or by a parametric bootstrap of so many samples. Where the
        support ends at a value, Anderson-Darling's statistic is infinite and has no p-value.
        Raises FamilyError where the fit holds no histogram: pass keep="bins". Source: J. Durbin, Ann. Statist. 1 (1973).
        """
        from .gof import goodness_of_fit

        return goodness_of_fit(self, bootstrap, seed)  # type: ignore[arg-type]

    def plot(self, ax: Any = None) -> Any:
        """The density (of a regression: the mean) over the histogram that keep="bins" gathered; returns the Axes."""
        from .plots.density import plot_density

        return plot_density(self, ax)

    def plot_qq(self, ax: Any = None) -> Any:
        """Quantiles of the data, at the edges of the bins, against those of the fit; returns the Axes."""
        from .plots.checks import plot_qq

        return plot_qq(self, ax)

    def plot_pp(self, ax: Any = None) -> Any:
        """The share of the data below each edge of the bins against the fit's; returns the Axes."""
        from .plots.checks import plot_pp

        return plot_pp(self, ax)

    def plot_profile(self, name: str, ax: Any = None, data: Any = None, **reading: Any) -> Any:
        """Twice the fall of the profile log-likelihood around the estimate, and the 95 % interval; returns the Axes.

        `data` where `conf_int(method="profile")` needs it.
        """
        from .plots.checks import plot_profile

        return plot_profile(self, name, ax, data, reading)

    def plot_trace(self, ax: Any = None) -> Any:
        """How far from the maximum each step of an iterative fit stood, in standard errors; returns the Axes."""
        from .plots.checks import plot_trace

        return plot_trace(self, ax)

    def plot_residuals(self, data: Any = None, ax: Any = None, kind: str = "response", **extra: Any) -> Any:
        """Residuals of a regression against its means, as a histogram of both; returns the Axes.

        From what keep="bins" gathered, for one feature; else from one more pass over `data` (and target=, offset=, ...).
        """
        from .plots.residuals import plot_residuals

        return plot_residuals(self, data, ax, kind, extra)
