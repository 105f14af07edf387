// The likelihoods. MODELS[kind](page) gives, from the sums alone:
//   nll(θ)           the mean negative log-likelihood
//   from(t), to(θ)   coordinates t in which the hill is round at its top, the estimate at 0: the descent goes in them
//   slope(θ)         the gradient of nll in t
//   beside(θ)        the quantity that falls together with it
//   density(θ)       the density (or probability) at x; of regressions, mean(θ) at x

function positive(best, unit) { // t = log(v/best)/unit
  return { from: (t) => best * Math.exp(unit * t), to: (v) => Math.log(v / best) / unit };
}

function besideDivergence(page, nll) {
  const offset = page.beside ? page.beside.offset : null;
  return offset === null ? null : (theta) => nll(theta) + offset;
}

const MODELS = {
  linear(page) {
    const s = page.sums, best = page.params.map((p) => p.best), sigma = best[best.length - 1];
    const both = s.intercept, spread = Math.sqrt(s.intercept ? s.variance : s.variance + s.mean * s.mean);
    const scale = positive(sigma, 1 / Math.SQRT2);
    const parts = (theta) => both ? [theta[0] - best[0], theta[1] - best[1], theta[2]] : [0, theta[0] - best[0], theta[1]];
    const squares = (theta) => { // rss/n
      const [a, b] = parts(theta), level = a + s.mean * b;
      return s.rss + s.ratio * (level * level + s.variance * b * b);
    };
    const nll = (theta) => {
      const v = theta[theta.length - 1] ** 2;
      return 0.5 * (s.factor * (2 * HALF_LOG_2PI + Math.log(v)) + squares(theta) / v) + s.shift;
    };
    return {
      nll,
      beside: (theta) => squares(theta) / s.factor,
      besideName: "Mean squared error",
      from(t) {
        const b = t[t.length - 2] * sigma / spread, end = scale.from(t[t.length - 1]);
        return both ? [best[0] + t[0] * sigma - s.mean * b, best[1] + b, end] : [best[0] + b, end];
      },
      to(theta) {
        const [a, b, v] = parts(theta), end = [b * spread / sigma, scale.to(v)];
        return both ? [(a + s.mean * b) / sigma, ...end] : end;
      },
      slope(theta) {
        const [a, b, v] = parts(theta), level = a + s.mean * b, per = s.ratio * sigma / (v * v);
        const by = both ? [level * per, s.variance * b * per / spread] : [(s.mean * level + s.variance * b) * per / spread];
        return [...by, (s.factor - squares(theta) / (v * v)) / Math.SQRT2];
      },
      start: both ? [1.5, -1.4, 0.7] : [-1.4, 0.7],
      mean: (theta) => (x) => (both ? theta[0] : 0) + s.rest + theta[theta.length - 2] * x,
      band: (theta) => theta[theta.length - 1],
    };
  },

  logistic(page) {
    const s = page.sums, best = page.params.map((p) => p.best), both = s.intercept;
    const parts = (theta) => both ? theta : [0, theta[0]];
    const sum = (theta, f) => {
      const [a, b] = parts(theta);
      let total = 0;
      for (let i = 0; i < s.x.length; i++) total += s.w[i] * f(a + b * s.x[i], s.x[i]);
      return total;
    };
    const nll = (theta) => {
      const [a, b] = parts(theta);
      return s.factor * (sum(theta, softplus) - a * s.y - b * s.xy);
    };
    const weight = (eta) => logistic(eta) * logistic(-eta);
    const middle = sum(best, (eta, x) => weight(eta) * x) / sum(best, weight);
    const uA = 1 / Math.sqrt(sum(best, weight)), at = both ? middle : 0;
    const uB = 1 / Math.sqrt(sum(best, (eta, x) => weight(eta) * (x - at) ** 2));
    return {
      nll,
      beside: besideDivergence(page, nll),
      besideName: "KL(data ‖ model)",
      from(t) {
        const b = t[t.length - 1] * uB;
        return both ? [best[0] + t[0] * uA - at * b, best[1] + b] : [best[0] + b];
      },
      to(theta) {
        const b = theta[theta.length - 1] - best[best.length - 1];
        return both ? [(theta[0] - best[0] + at * b) / uA, b / uB] : [b / uB];
      },
      slope(theta) {
        const a = s.factor * (sum(theta, logistic) - s.y), b = s.factor * (sum(theta, (eta, x) => logistic(eta) * x) - s.xy);
        return both ? [a * uA, (b - at * a) * uB] : [b * uB];
      },
      start: both ? [0.45, -0.6] : [-0.6],
      mean: (theta) => {
        const [a, b] = parts(theta);
        return (x) => logistic(a + b * x);
      },
    };
  },

  gaussian(page) {
    const s = page.sums, sigma = page.params[1].best, scale = positive(sigma, 1 / Math.SQRT2);
    const squares = (theta) => s.variance + s.ratio * (theta[0] - s.mean) ** 2;
    const nll = (theta) => s.factor * (HALF_LOG_2PI + Math.log(theta[1]) + 0.5 * squares(theta) / theta[1] ** 2) + s.shift;
    return {
      nll,
      beside: besideDivergence(page, nll),
      from: (t) => [s.mean + sigma * t[0], scale.from(t[1])],
      to: (theta) => [(theta[0] - s.mean) / sigma, scale.to(theta[1])],
      slope: (theta) => [
        s.factor * s.ratio * (theta[0] - s.mean) * sigma / theta[1] ** 2,
        s.factor * (1 - squares(theta) / theta[1] ** 2) / Math.SQRT2,
      ],
      start: [-1.4, 0.7],
      density: (theta) => (x) => Math.exp(-0.5 * ((x - theta[0]) / theta[1]) ** 2 - HALF_LOG_2PI) / theta[1],
    };
  },

  exponential(page) {
    const s = page.sums, rate = page.params[0].best, scale = positive(rate, 1);
    const nll = (theta) => s.factor * (theta[0] * s.mean - Math.log(theta[0])) + s.shift;
    return {
      nll,
      beside: besideDivergence(page, nll),
      from: (t) => [scale.from(t[0])],
      to: (theta) => [scale.to(theta[0])],
      slope: (theta) => [s.factor * (theta[0] * s.mean - 1)],
      start: [0.85],
      density: (theta) => (x) => x < 0 ? 0 : theta[0] * Math.exp(-theta[0] * x),
    };
  },

  gamma(page) { // round in (log mean, log shape), in which the information has no cross term
    const s = page.sums, [shape, rate] = page.params.map((p) => p.best);
    const nll = ([k, r]) => {
      const rho = r / k * s.c;
      const each = 0.5 * Math.log(k) - HALF_LOG_2PI - stirlingError(k) + k * shortfall(rho) - Math.log(s.c);
      return -s.factor * (each + k * (s.log - rho * s.u) - s.log) + s.shift;
    };
    const step = 1e-4, bend = (f, at) => (f(at * Math.exp(step)) - f(at * Math.exp(-step))) / (2 * step);
    const byShape = (k, r) => -k * (logMinusDigamma(k) + Math.log(r / k * s.c) + s.log); // ∂nll/∂log k at a fixed rate
    const byRate = (k, r) => -k * (1 - r / k * s.c * (1 + s.u));
    const curve = bend((k) => byShape(k, k * rate / shape) + byRate(k, k * rate / shape), shape);
    const mean = positive(shape / rate, 1 / Math.sqrt(shape)), form = positive(shape, 1 / Math.sqrt(Math.max(curve, 1e-12)));
    return {
      nll,
      beside: besideDivergence(page, nll),
      from(t) {
        const k = form.from(t[1]);
        return [k, k / mean.from(t[0])];
      },
      to: ([k, r]) => [mean.to(k / r), form.to(k)],
      slope: ([k, r]) => [
        -s.factor * byRate(k, r) / Math.sqrt(shape),
        s.factor * (byShape(k, r) + byRate(k, r)) / Math.sqrt(Math.max(curve, 1e-12)),
      ],
      start: [0.9, 0.5],
      density: ([k, r]) => (x) => x <= 0 ? (x < 0 || k > 1 ? 0 : k === 1 ? r : Infinity)
        : Math.exp(k * Math.log(r) - logGamma(k) + (k - 1) * Math.log(x) - r * x),
    };
  },

  poisson(page) {
    const s = page.sums, mean = s.mean, scale = positive(mean, 1 / Math.sqrt(mean));
    const nll = (theta) => s.nll - s.factor * mean * shortfall(theta[0] / mean);
    return {
      nll,
      beside: besideDivergence(page, nll),
      from: (t) => [scale.from(t[0])],
      to: (theta) => [scale.to(theta[0])],
      slope: (theta) => [s.factor * (theta[0] - mean) / Math.sqrt(mean)],
      start: [1.2],
      density: (theta) => (x) => x < 0 ? 0 : Math.exp(x * Math.log(theta[0]) - theta[0] - logGamma(x + 1)),
    };
  },

  bernoulli(page) {
    const s = page.sums, p = s.mean, unit = 1 / Math.sqrt(p * (1 - p)), top = Math.log(p / (1 - p));
    const nll = (theta) => -s.factor * (p * Math.log(theta[0]) + (1 - p) * Math.log1p(-theta[0]));
    return {
      nll,
      beside: besideDivergence(page, nll),
      from: (t) => [logistic(top + unit * t[0])],
      to: (theta) => [(Math.log(theta[0]) - Math.log1p(-theta[0]) - top) / unit],
      slope: (theta) => [s.factor * (theta[0] - p) * unit],
      start: [p < 0.5 ? 0.7 : -0.7],
      density: (theta) => (x) => x > 0.5 ? theta[0] : 1 - theta[0],
    };
  },
};

const LONGEST = 0.25; // a step in t

// One step of gradient descent in t: as long as the last one or somewhat longer, halved until nll falls enough.
function descend(model, theta, last) {
  const t = model.to(theta), g = model.slope(theta), height = model.nll(theta);
  const steep = g.reduce((total, v) => total + v * v, 0);
  let length = Math.min(0.35, 1.5 * last, LONGEST / Math.sqrt(steep));
  for (let i = 0; i < 60; i++) {
    const next = model.from(t.map((v, j) => v - length * g[j]));
    if (model.nll(next) <= height - 0.3 * length * steep + 1e-15 * Math.abs(height)) return { theta: next, length, steep };
    length /= 2;
  }
  return { theta, length, steep };
}
