// Drawing: a frame with axes on an SVG, over a canvas for what has many cells.

const NS = "http://www.w3.org/2000/svg";

function el(name, attributes = {}, text) {
  const node = document.createElementNS(NS, name);
  for (const [key, value] of Object.entries(attributes)) node.setAttribute(key, value);
  if (text !== undefined) node.textContent = text;
  return node;
}

function html(name, attributes = {}, text) {
  const node = document.createElement(name);
  for (const [key, value] of Object.entries(attributes)) node.setAttribute(key, value);
  if (text !== undefined) node.textContent = text;
  return node;
}

function color(name) { return getComputedStyle(document.documentElement).getPropertyValue(`--${name}`).trim(); }

function clipped(text, most) { return text.length > most ? `${text.slice(0, most - 1)}…` : text; }

// A frame of the host's width: scales x and y, axes, and a group for marks that is cut at the frame.
function frame(host, { height, x, y, xName = "", yName = "", left = 56, right = 12, top = 10, bottom = 40, every = 48, grid = true }) {
  const width = Math.max(240, host.clientWidth);
  host.style.height = `${height}px`;
  let svg = host.querySelector("svg");
  if (svg) svg.replaceChildren();
  else svg = host.appendChild(el("svg", { "aria-hidden": "true", focusable: "false" }));
  svg.setAttribute("viewBox", `0 0 ${width} ${height}`);
  const inner = { left, top, width: width - left - right, height: height - top - bottom };
  const f = {
    svg, width, height, inner, x, y,
    px: (v) => inner.left + (v - x[0]) / (x[1] - x[0]) * inner.width,
    py: (v) => inner.top + (y[1] - v) / (y[1] - y[0]) * inner.height,
    vx: (p) => x[0] + (p - inner.left) / inner.width * (x[1] - x[0]),
    vy: (p) => y[1] - (p - inner.top) / inner.height * (y[1] - y[0]),
  };
  const axes = svg.appendChild(el("g"));
  const tx = ticks(x[0], x[1], Math.max(3, Math.floor(inner.width / 72)));
  let edge = -Infinity;
  for (const v of tx.at) {
    const p = f.px(v), text = tx.text(v), half = text.length * 3.4;
    if (grid) axes.append(el("line", { x1: p, x2: p, y1: top, y2: top + inner.height, stroke: "var(--grid)" }));
    axes.append(el("line", { x1: p, x2: p, y1: top + inner.height, y2: top + inner.height + 4, stroke: "var(--line)" }));
    if (p - half < edge + 6) continue;
    edge = p + half;
    const anchor = p + half > width ? "end" : p - half < 0 ? "start" : "middle";
    axes.append(el("text", { x: Math.min(p, width - 1), y: top + inner.height + 17, "text-anchor": anchor }, text));
  }
  const ty = ticks(y[0], y[1], Math.max(2, Math.floor(inner.height / every)));
  for (const v of ty.at) {
    const p = f.py(v);
    if (grid) axes.append(el("line", { x1: left, x2: left + inner.width, y1: p, y2: p, stroke: "var(--grid)" }));
    axes.append(el("text", { x: left - 7, y: p + 4, "text-anchor": "end" }, ty.text(v)));
  }
  axes.append(el("line", { x1: left, x2: left + inner.width, y1: top + inner.height, y2: top + inner.height, stroke: "var(--line)" }));
  axes.append(el("line", { x1: left, x2: left, y1: top, y2: top + inner.height, stroke: "var(--line)" }));
  if (xName) {
    const most = Math.floor(inner.width / 6.6);
    axes.append(el("text", { x: left + inner.width / 2, y: height - 5, "text-anchor": "middle", class: "strong" }, clipped(xName, most)));
  }
  if (yName) {
    const most = Math.floor(inner.height / 6.6), cy = top + inner.height / 2;
    const turn = `translate(12 ${cy}) rotate(-90)`;
    axes.append(el("text", { transform: turn, "text-anchor": "middle", class: "strong" }, clipped(yName, most)));
  }
  const id = `cut-${host.id}`;
  const cut = svg.appendChild(el("clipPath", { id }));
  cut.append(el("rect", { x: left, y: top, width: inner.width, height: inner.height }));
  f.marks = svg.appendChild(el("g", { "clip-path": `url(#${id})` }));
  f.over = svg.appendChild(el("g"));
  return f;
}

function polyline(f, points) { // "M … L …" of points in data units; gaps where not finite
  let path = "", pen = false;
  for (const [a, b] of points) {
    if (!Number.isFinite(a) || !Number.isFinite(b)) { pen = false; continue; }
    const q = Math.max(-1e4, Math.min(1e4, f.py(b)));
    path += `${pen ? "L" : "M"}${f.px(a).toFixed(2)} ${q.toFixed(2)}`;
    pen = true;
  }
  return path;
}

function sampled(low, high, count, g) {
  return Array.from({ length: count + 1 }, (_, i) => low + (high - low) * i / count).map((v) => [v, g(v)]);
}

// The canvas under the frame: `paint(context)` in the frame's pixels.
function canvas(host, f, paint) {
  let c = host.querySelector("canvas");
  if (!c) {
    c = html("canvas", { "aria-hidden": "true" });
    host.prepend(c);
  }
  const ratio = window.devicePixelRatio || 1;
  c.width = Math.round(f.width * ratio);
  c.height = Math.round(f.height * ratio);
  const context = c.getContext("2d");
  context.scale(ratio, ratio);
  paint(context);
}

// Lines of equal height of values on a grid (marching squares): one path a level.
function contours(values, nx, ny, level, at) {
  const path = [];
  const cross = (i, j, k, l) => {
    const a = values[j * nx + i], b = values[l * nx + k], u = (level - a) / (b - a);
    return at(i + (k - i) * u, j + (l - j) * u);
  };
  for (let j = 0; j + 1 < ny; j++) {
    for (let i = 0; i + 1 < nx; i++) {
      const corners = [[i, j], [i + 1, j], [i + 1, j + 1], [i, j + 1]];
      const high = corners.map(([a, b]) => values[b * nx + a] > level);
      const cuts = [];
      for (let e = 0; e < 4; e++) {
        if (high[e] !== high[(e + 1) % 4]) cuts.push(cross(...corners[e], ...corners[(e + 1) % 4]));
      }
      for (let e = 0; e + 1 < cuts.length; e += 2) {
        const [a, b] = [cuts[e], cuts[e + 1]];
        path.push(`M${a[0].toFixed(1)} ${a[1].toFixed(1)}L${b[0].toFixed(1)} ${b[1].toFixed(1)}`);
      }
    }
  }
  return path.join("");
}
