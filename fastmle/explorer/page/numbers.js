// Numbers: as they are read, and functions that JavaScript lacks.

const MINUS = "\u2212", NARROW = "\u202f", TIMES = "\u00d7";
const RAISED = "⁰¹²³⁴⁵⁶⁷⁸⁹";

function power(e) {
  return (e < 0 ? "⁻" : "") + [...String(Math.abs(e))].map((d) => RAISED[+d]).join("");
}

function spaced(text) { // thin spaces between thousands, from five digits on
  const [whole, part] = text.split(".");
  const grouped = whole.length > 4 ? whole.replace(/\B(?=(\d{3})+$)/g, NARROW) : whole;
  return part === undefined ? grouped : `${grouped}.${part}`;
}

function show(v, digits = 5) { // a number to so many significant digits
  if (v === null || v === undefined || Number.isNaN(v)) return "–";
  if (!Number.isFinite(v)) return v > 0 ? "∞" : `${MINUS}∞`;
  if (v === 0) return "0";
  const sign = v < 0 ? MINUS : "", size = Math.abs(v);
  const e = Math.floor(Math.log10(Number(size.toPrecision(digits))));
  if (e >= 7 || e < -4) {
    const m = (size / 10 ** e).toPrecision(Math.min(digits, 4));
    return `${sign}${m}${NARROW}${TIMES}${NARROW}10${power(e)}`;
  }
  return sign + spaced(size.toFixed(Math.max(0, digits - 1 - e)));
}

function showCount(n) { return Number.isInteger(n) ? spaced(String(n)) : show(n, 8); }

function showError(best, error) { // 12.64 ± 0.07
  if (!(error > 0)) return show(best);
  const e = Math.floor(Math.log10(error)), size = Math.abs(best);
  if (size >= 1e7 || size < 1e-4) return `${show(best, 4)} ± ${show(error, 2)}`;
  const d = Math.min(Math.max(0, 1 - e), 12);
  return `${best < 0 ? MINUS : ""}${spaced(size.toFixed(d))} ± ${spaced(error.toFixed(d))}`;
}

function ticks(low, high, most) { // round numbers between, and the digits they need
  const raw = (high - low) / Math.max(1, most), e = 10 ** Math.floor(Math.log10(raw));
  const step = [1, 2, 2.5, 5, 10].map((m) => m * e).find((s) => s >= raw * 0.999) ?? 10 * e;
  const found = [];
  for (let k = Math.ceil(low / step - 1e-9); k * step <= high + step * 1e-9; k++) found.push(k * step);
  const decimals = Math.max(0, -Math.floor(Math.log10(step) + 1e-9) + (step / e === 2.5 ? 1 : 0));
  const big = Math.max(Math.abs(low), Math.abs(high));
  const text = (v) => {
    if (Math.abs(v) < step * 1e-9) return "0";
    if (big >= 1e7 || big < 1e-4) return show(v, Math.max(2, Math.min(7, Math.ceil(Math.log10(big / step)) + 1)));
    return (v < 0 ? MINUS : "") + spaced(Math.abs(v).toFixed(Math.min(decimals, 12)));
  };
  return { at: found, text };
}

const HALF_LOG_2PI = 0.9189385332046727;

function series(t, coefficients) {
  return coefficients.reduceRight((total, c) => total * t + c, 0);
}

function stirlingError(x) { // ln Γ(x) − ((x − ½) ln x − x + ½ ln 2π); DLMF 5.11.1, moved up by Γ(x + 1) = x Γ(x)
  let up = 0;
  while (x < 16) { // err(x) − err(x + 1) = (x + ½) log(1 + 1/x) − 1
    up += x > 4 ? logRatioRest(x) : (x + 0.5) * Math.log1p(1 / x) - 1;
    x += 1;
  }
  return up + series(1 / (x * x), [1 / 12, -1 / 360, 1 / 1260, -1 / 1680, 1 / 1188, -691 / 360360, 1 / 156]) / x;
}

function logRatioRest(x) { // (x + ½) log((x + 1)/x) − 1 = Σ z^{2j}/(2j + 1), z = 1/(2x + 1)
  const z = 1 / (2 * x + 1), t = z * z;
  let total = 0;
  for (let j = 12; j >= 1; j--) total = total * t + 1 / (2 * j + 1);
  return total * t;
}

function logGamma(x) { return stirlingError(x) + (x - 0.5) * Math.log(x) - x + HALF_LOG_2PI; }

function logMinusDigamma(x) { // log x − ψ(x); DLMF 5.11.2
  let up = 0;
  while (x < 16) {
    up += 1 / x - Math.log1p(1 / x);
    x += 1;
  }
  const t = 1 / (x * x);
  return up + 0.5 / x + series(t, [1 / 12, -1 / 120, 1 / 252, -1 / 240, 1 / 132, -691 / 32760, 1 / 12]) * t;
}

function shortfall(rho) { // log ρ − (ρ − 1), to full precision near 1
  const x = rho - 1;
  if (Math.abs(x) >= 0.25) return Math.log(rho) - x;
  const z = x / (2 + x), t = z * z;
  let odd = 0;
  for (let j = 9; j >= 0; j--) odd = odd * t + 2 / (2 * j + 3);
  return z * t * odd - x * z;
}

function softplus(v) { return v > 0 ? v + Math.log1p(Math.exp(-v)) : Math.log1p(Math.exp(v)); }
function logistic(v) { return v >= 0 ? 1 / (1 + Math.exp(-v)) : Math.exp(v) / (1 + Math.exp(v)); }
