// The charts: data and model, contour over two parameters, curves in each.

function said(param) { return param.role === "slope" ? `slope of ${param.name}` : param.name; }

function quiet(width, most) { return Math.round(Math.min(most, Math.max(230, width * 0.62))); }

// -- data ----------------------------------------------------------------------------------------------------------

function drawHistogram(host, page, model, theta) {
  const bars = page.picture, density = model.density(theta), best = model.density(page.params.map((p) => p.best));
  const counted = bars && bars.counted;
  let low, high, top = 0;
  if (bars) {
    [low, high] = [bars.start, bars.start + bars.width * bars.heights.length];
    top = Math.max(...bars.heights);
  } else { // from the sums alone
    const s = page.sums, sd = Math.sqrt(s.variance ?? s.mean * s.mean);
    [low, high] = [s.variance === undefined ? 0 : s.mean - 4 * sd, s.mean + 4 * sd];
  }
  const grid = counted ? Array.from({ length: Math.round(high - low) }, (_, i) => low + 0.5 + i) : sampled(low, high, 300, (v) => v).map((p) => p[0]);
  top = Math.max(top, ...grid.map(best).filter(Number.isFinite)) * 1.25;
  const f = frame(host, {
    height: quiet(host.clientWidth, 420), x: [low, high], y: [0, top], xName: page.x,
    yName: counted ? "probability" : "density", left: 64,
  });
  if (bars && bars.names) f.svg.querySelectorAll("text:not(.strong)").forEach((t) => t.getAttribute("text-anchor") !== "end" && t.remove());
  if (bars) {
    bars.heights.forEach((h, i) => {
      const a = f.px(bars.start + i * bars.width), b = f.px(bars.start + (i + 1) * bars.width), gap = b - a > 6 ? 1 : 0;
      const wide = bars.names ? (b - a) * 0.22 : gap / 2;
      f.marks.append(el("rect", { x: a + wide, y: f.py(h), width: Math.max(0.5, b - a - 2 * wide), height: f.py(0) - f.py(h), fill: "var(--bar)" }));
      if (bars.names) f.over.append(el("text", { x: (a + b) / 2, y: f.py(0) + 17, "text-anchor": "middle" }, bars.names[i]));
    });
  }
  if (counted) {
    const radius = grid.length > 60 ? 2 : grid.length > 2 ? 3.5 : 7;
    for (const v of grid) {
      f.marks.append(el("line", { x1: f.px(v), x2: f.px(v), y1: f.py(0), y2: f.py(density(v)), stroke: "var(--model)", "stroke-width": 1.2, opacity: 0.6 }));
      f.marks.append(el("circle", { cx: f.px(v), cy: f.py(density(v)), r: radius, fill: "var(--model)" }));
    }
  } else {
    const path = polyline(f, grid.map((v) => [v, density(v)]));
    f.marks.append(el("path", { d: path, fill: "none", stroke: "var(--model)", "stroke-width": 2.5, "stroke-linejoin": "round" }));
  }
}

function drawCloud(host, page, model, theta) {
  const s = page.sums, sd = Math.sqrt(s.variance), heat = page.heat;
  const sigma = page.params[page.params.length - 1].best, best = model.mean(page.params.map((p) => p.best));
  let x = [s.mean - 3 * sd, s.mean + 3 * sd], y;
  if (heat) {
    x = [heat.x[0], heat.x[0] + heat.x[1] * heat.x[2]];
    y = [heat.y[0], heat.y[0] + heat.y[1] * heat.y[2]];
  } else {
    const ends = x.map(best);
    y = [Math.min(...ends) - 3 * sigma, Math.max(...ends) + 3 * sigma];
  }
  const f = frame(host, { height: quiet(host.clientWidth, 470), x, y, xName: page.x, yName: page.y, left: 64, grid: !heat });
  canvas(host, f, (c) => {
    if (!heat) return;
    const rgb = color("heat"), nx = heat.x[2], most = Math.max(...heat.cells);
    heat.cells.forEach((n, k) => {
      if (!(n > 0)) return;
      const i = k % nx, j = Math.floor(k / nx);
      const a = Math.floor(f.px(heat.x[0] + i * heat.x[1])), b = Math.floor(f.px(heat.x[0] + (i + 1) * heat.x[1]));
      const u = Math.floor(f.py(heat.y[0] + (j + 1) * heat.y[1])), v = Math.floor(f.py(heat.y[0] + j * heat.y[1]));
      const shade = 0.09 + 0.91 * Math.log1p(n) / Math.log1p(most);
      c.fillStyle = `rgba(${rgb}, ${shade.toFixed(3)})`;
      c.fillRect(a, u, Math.max(1, b - a), Math.max(1, v - u));
    });
  });
  (page.points ?? []).forEach(([a, b]) => {
    f.marks.append(el("circle", { cx: f.px(a), cy: f.py(b), r: 2.2, fill: "none", stroke: "var(--ink)", "stroke-width": 0.8, opacity: 0.5 }));
  });
  const line = model.mean(theta), band = model.band(theta), at = [x[0], x[1]];
  const strip = (up) => `${polyline(f, at.map((v) => [v, line(v) + up]))}L${f.px(x[1])} ${Math.max(-1e4, Math.min(1e4, f.py(line(x[1]) - up)))}`
    + `L${f.px(x[0])} ${Math.max(-1e4, Math.min(1e4, f.py(line(x[0]) - up)))}Z`;
  f.marks.append(el("path", { d: strip(2 * band), fill: "var(--model)", opacity: 0.1 }));
  f.marks.append(el("path", { d: strip(band), fill: "var(--model)", opacity: 0.13 }));
  f.marks.append(el("path", { d: polyline(f, at.map((v) => [v, line(v)])), stroke: "var(--card)", "stroke-width": 5, opacity: 0.75 }));
  f.marks.append(el("path", { d: polyline(f, at.map((v) => [v, line(v)])), stroke: "var(--model)", "stroke-width": 2.5 }));
}

function drawShares(host, page, model, theta) {
  const bars = page.shares, x = [bars.start, bars.start + bars.width * bars.share.length];
  const f = frame(host, { height: quiet(host.clientWidth, 430), x, y: [-0.04, 1.04], xName: page.x, yName: `P(${page.y} = 1)`, left: 64 });
  const most = Math.max(...bars.weight);
  bars.share.forEach((p, i) => {
    if (!(bars.weight[i] > 0)) return;
    const a = f.px(bars.start + i * bars.width), b = f.px(bars.start + (i + 1) * bars.width);
    const tall = bars.weight[i] / most * f.inner.height * 0.25;
    f.marks.append(el("rect", { x: a + 0.5, y: f.inner.top + f.inner.height - tall, width: Math.max(0.5, b - a - 1), height: tall, fill: "var(--bar)" }));
    const radius = 2 + 5 * Math.sqrt(bars.weight[i] / most);
    f.marks.append(el("circle", { cx: (a + b) / 2, cy: f.py(p), r: radius, fill: `rgb(${color("heat")})`, opacity: 0.75 }));
  });
  (page.points ?? []).forEach(([a, b], i) => {
    const wobble = 0.03 * (i * 0.618 % 1) * (b > 0.5 ? -1 : 1);
    f.marks.append(el("circle", { cx: f.px(a), cy: f.py(b + wobble), r: 2, fill: "none", stroke: "var(--ink)", "stroke-width": 0.8, opacity: 0.7 }));
  });
  const line = sampled(x[0], x[1], 240, model.mean(theta));
  f.marks.append(el("path", { d: polyline(f, line), fill: "none", stroke: "var(--model)", "stroke-width": 2.5 }));
}

// -- contour over the first two parameters ---------------------------------------------------------------------------

let lastHill = { key: "", values: null }; // it changes with the ranges and the other parameters only

function hill(model, view, x, y, nx, ny) {
  const others = view.theta.slice(2), key = JSON.stringify([x, y, others]);
  if (lastHill.key === key) return lastHill.values;
  const values = new Float64Array(nx * ny), floor = model.nll([...view.best.slice(0, 2), ...others]);
  for (let j = 0; j < ny; j++) {
    const b = y[0] + (y[1] - y[0]) * j / (ny - 1);
    for (let i = 0; i < nx; i++) values[j * nx + i] = model.nll([x[0] + (x[1] - x[0]) * i / (nx - 1), b, ...others]) - floor;
  }
  lastHill = { key, values };
  return values;
}

function drawContour(host, page, model, view) {
  const [p, q] = page.params, x = view.range(0), y = view.range(1);
  const f = frame(host, { height: quiet(host.clientWidth, 430), x, y, xName: said(p), yName: said(q), left: 68, grid: false });
  const nx = 96, ny = 72, values = hill(model, view, x, y, nx, ny);
  const most = Math.sqrt([...values].filter(Number.isFinite).sort((a, b) => a - b)[Math.floor(0.9 * nx * ny)]);
  canvas(host, f, (c) => {
    const small = document.createElement("canvas");
    [small.width, small.height] = [nx, ny];
    const image = small.getContext("2d").createImageData(nx, ny), rgb = color("nll-fill").split(",").map(Number);
    for (let j = 0; j < ny; j++) {
      for (let i = 0; i < nx; i++) {
        const k = 4 * ((ny - 1 - j) * nx + i), v = Math.min(1, Math.sqrt(Math.max(0, values[j * nx + i])) / most);
        [image.data[k], image.data[k + 1], image.data[k + 2]] = rgb;
        image.data[k + 3] = 165 * (1 - v) ** 1.6;
      }
    }
    small.getContext("2d").putImageData(image, 0, 0);
    c.imageSmoothingEnabled = true;
    c.imageSmoothingQuality = "high";
    c.drawImage(small, f.inner.left, f.inner.top, f.inner.width, f.inner.height);
  });
  const place = (i, j) => [f.inner.left + i / (nx - 1) * f.inner.width, f.inner.top + (1 - j / (ny - 1)) * f.inner.height];
  for (let k = 1; k <= 9; k++) { // equal steps in the root: ellipses at equal distances
    const d = contours(values, nx, ny, (most * k / 8.5) ** 2, place);
    f.marks.append(el("path", { d, fill: "none", stroke: "var(--nll)", "stroke-width": 1, opacity: 0.55 }));
  }
  for (const [level, dash] of [[1.3862943611198906, "3 3"], [5.991464547107979, ""]]) { // χ² of 2 degrees: 50 %, 95 %
    f.marks.append(el("path", { d: ellipse(f, page, level), fill: "none", stroke: "var(--side)", "stroke-width": 1.8, "stroke-dasharray": dash }));
  }
  if (view.path.length > 1) {
    f.marks.append(el("path", { d: polyline(f, view.path), fill: "none", stroke: "var(--path)", "stroke-width": 2, "stroke-linejoin": "round" }));
    for (const [a, b] of view.path) f.marks.append(el("circle", { cx: f.px(a), cy: f.py(b), r: 2.4, fill: "var(--path)" }));
  }
  cross(f, f.px(p.best), f.py(q.best));
  const [a, b] = view.theta, cx = Math.max(f.inner.left, Math.min(f.inner.left + f.inner.width, f.px(a)));
  const cy = Math.max(f.inner.top, Math.min(f.inner.top + f.inner.height, f.py(b)));
  f.over.append(el("circle", { cx, cy, r: 7, fill: "var(--model)", stroke: "var(--card)", "stroke-width": 2.5 }));
  return f;
}

function cross(f, px, py) { // the minimum
  for (const [w, c] of [[5, "var(--card)"], [2.2, "var(--mle)"]]) {
    const d = `M${px - 6} ${py - 6}L${px + 6} ${py + 6}M${px - 6} ${py + 6}L${px + 6} ${py - 6}`;
    f.marks.append(el("path", { d, stroke: c, "stroke-width": w, "stroke-linecap": "round" }));
  }
}

function ellipse(f, page, level) { // (θ − θ̂)ᵀ C⁻¹ (θ − θ̂) = level, by Cholesky
  const [[a, b], [, d]] = page.cov, l11 = Math.sqrt(a), l21 = b / l11, l22 = Math.sqrt(Math.max(0, d - l21 * l21)), r = Math.sqrt(level);
  const [p, q] = page.params;
  return `${polyline(f, Array.from({ length: 91 }, (_, i) => {
    const u = r * Math.cos(i * Math.PI / 45), v = r * Math.sin(i * Math.PI / 45);
    return [p.best + l11 * u, q.best + l21 * u + l22 * v];
  }))}Z`;
}

// -- curves in one parameter, the others where they are ---------------------------------------------------------------

function drawCurve(host, page, model, view, j) {
  const param = page.params[j], x = view.range(j), at = (v) => view.theta.map((old, k) => k === j ? v : old);
  const nll = sampled(x[0], x[1], 160, (v) => model.nll(at(v)));
  const side = model.beside ? sampled(x[0], x[1], 160, (v) => model.beside(at(v))) : null;
  const high = (points) => points.map((p) => p[1]).filter(Number.isFinite).sort((a, b) => a - b);
  const heights = high(nll), low = heights[0], top = Math.max(heights[Math.floor(heights.length * 0.93)], model.nll(view.theta));
  const span = Math.max(top - low, Math.abs(low) * 1e-12, 1e-300);
  const f = frame(host, {
    height: 150, x, y: [low - 0.12 * span, top + 0.1 * span], xName: said(param), left: 64, right: side ? 60 : 12, bottom: 38, every: 34, grid: false,
  });
  const bestX = f.px(param.best);
  f.marks.append(el("line", { x1: bestX, x2: bestX, y1: f.inner.top, y2: f.inner.top + f.inner.height, stroke: "var(--mle)", "stroke-dasharray": "2 3" }));
  if (side) { // on its own axis, at the right
    const h = high(side), sLow = h[0], reach = Math.max(h[Math.floor(h.length * 0.93)], model.beside(view.theta)) - sLow;
    const sSpan = Math.max(reach, Math.abs(sLow) * 1e-9, 1e-300);
    const y = [sLow - 0.3 * sSpan, sLow + 1.3 * sSpan], g = { ...f, py: (v) => f.inner.top + (y[1] - v) / (y[1] - y[0]) * f.inner.height };
    f.marks.append(el("path", { d: polyline(g, side), fill: "none", stroke: "var(--side)", "stroke-width": 2, "stroke-dasharray": "6 4" }));
    const t = ticks(y[0], y[1], 3), right = f.inner.left + f.inner.width;
    if (reach > Math.abs(sLow) * 1e-9) {
      for (const v of t.at) f.over.append(el("text", { x: right + 7, y: g.py(v) + 4, style: "fill: var(--side)" }, t.text(v)));
    } else f.over.append(el("text", { x: right + 7, y: g.py(sLow) + 4, style: "fill: var(--side)" }, show(sLow, 4)));
  }
  f.marks.append(el("path", { d: polyline(f, nll), fill: "none", stroke: "var(--nll)", "stroke-width": 2.2 }));
  const cx = Math.max(f.inner.left, Math.min(f.inner.left + f.inner.width, f.px(view.theta[j])));
  f.over.append(el("circle", { cx, cy: f.py(model.nll(view.theta)), r: 5.5, fill: "var(--model)", stroke: "var(--card)", "stroke-width": 2 }));
}
