// The page: what is where, and what happens when something moves.

const page = JSON.parse(document.getElementById("numbers").textContent);
const model = MODELS[page.kind](page);
const $ = (id) => document.getElementById(id);
const best = page.params.map((p) => p.best);
const two = page.params.length > 1;
const besideName = model.besideName ?? "KL(data ‖ model)";
const STEPS = 1000;
const lowest = model.nll(best);
let theta, path = [], zoom = "wide", timer = null, length = 1, stepsDone = 0, started = 0;

// Everything that follows from θ and the range, for the charts
const view = {
  best,
  get theta() { return theta; },
  get path() { return path; },
  range: (j) => page.params[j][zoom],
};

// -- words that stay -------------------------------------------------------------------------------------------------

function words() {
  $("title").textContent = page.title;
  const others = page.others && page.others.length ? `; the other coefficients (${page.others.join(", ")}) stay at their estimates` : "";
  $("subtitle").textContent = `${page.what[0].toUpperCase()}${page.what.slice(1)} · n = ${showCount(page.n)}${others}`;
  $("nll-label").textContent = `Mean negative log-likelihood${page.approximate ? " (approximate: from the bins)" : ""}`;
  $("beside-label").textContent = model.beside ? `${besideName}${page.kind === "linear" ? "" : page.beside.exact ? "" : " (estimate)"}` : "";
  $("beside-box").hidden = !model.beside;
  const seen = page.picture ?? page.heat ?? page.shares;
  const outside = seen && seen.outside > 5e-6 ? ` ${show(100 * seen.outside, 2)} % of the rows lie outside of the picture.` : "";
  const points = page.n_points ? ` Circles: ${page.n_points} rows drawn at random.` : "";
  const what = {
    linear: `The line is the model's mean, the bands one and two sigma.${page.heat ? " Darker cells hold more rows, on a scale of logarithms." : ""}`,
    logistic: "Dots: the share of ones in each group of rows, the larger the more rows; bars: how many. The line is the model.",
  }[page.kind] ?? (page.picture && page.picture.counted ? "Bars: the data. Dots: the model." : "Bars: the data. Line: the model.");
  const absent = seen ? "" : " No picture of the data was kept: fit with keep=\"bins\" to see it.";
  $("data-note").textContent = what + points + outside + absent;
  $("foot").textContent = page.kind === "logistic" ? `The likelihood is computed from ${page.sums.x.length} bins, wherever the sliders stand.`
    : `The likelihood is computed from ${page.kind === "poisson" || page.kind === "bernoulli" || page.kind === "exponential" ? "a sum" : "a few sums"} `
      + `over ${showCount(page.n)} rows, wherever the sliders stand; ${page.n_points ? "apart from the circles, " : ""}this page holds no row.`;
  const [p, q] = page.params;
  $("contour-card").hidden = !two;
  document.querySelector("main").classList.toggle("one", !two);
  $("contour-head").textContent = two ? `Mean NLL over ${said(p)} and ${said(q)}` : "";
  $("curves-head").textContent = "NLL along each parameter";
  $("curves-note").textContent = `Solid: mean NLL (left axis)${model.beside ? `; dashed: ${besideName} (right axis)` : ""}. The other parameters stay where they are; `
    + `the dotted line is the MLE.${page.kind === "linear" ? " Along the line's parameters both have their minimum in one place: least squares is maximum likelihood." : ""}`
    + `${model.beside && page.kind !== "linear" ? " The two differ by a constant, the entropy of the data, so they fall together." : ""}`;
  if (two) legend();
}

function legend() {
  const marks = [
    ["circle", { cx: 11, cy: 6, r: 5, fill: "var(--model)" }, "here"],
    ["path", { d: "M6 1L16 11M6 11L16 1", stroke: "var(--mle)", "stroke-width": 2 }, page.kind === "linear" ? "minimum: least squares, the MLE" : "minimum: the MLE"],
    ["path", { d: "M0 6H22", stroke: "var(--side)", "stroke-width": 2 }, "95 % confidence ellipse"],
    ["path", { d: "M0 6H22", stroke: "var(--side)", "stroke-width": 2, "stroke-dasharray": "3 3" }, "50 %"],
    ["path", { d: "M0 6H22", stroke: "var(--path)", "stroke-width": 2 }, "path of the descent"],
  ];
  for (const [name, attributes, text] of marks) {
    const item = html("li"), svg = el("svg", { "aria-hidden": "true", viewBox: "0 0 22 12" });
    svg.append(el(name, attributes));
    item.append(svg, text);
    $("contour-legend").append(item);
  }
}

// -- sliders ---------------------------------------------------------------------------------------------------------

function sliders() {
  page.params.forEach((p, j) => {
    const box = html("div", { class: "slider" }), top = html("div", { class: "top" });
    const label = html("label", { for: `slide-${j}`, id: `label-${j}` }, said(p));
    const number = html("input", { type: "number", step: "any", id: `number-${j}`, inputmode: "decimal", "aria-label": `${said(p)}, value` });
    const slide = html("input", { type: "range", min: 0, max: STEPS, step: 1, id: `slide-${j}`, "aria-describedby": `best-${j}` });
    top.append(label, number);
    box.append(top, slide, html("span", { class: "small", id: `best-${j}` }, `MLE ${showError(p.best, p.error)} (standard error)`));
    $("sliders").append(box);
    slide.addEventListener("input", () => {
      const [low, high] = p[zoom];
      set(theta.map((v, k) => k === j ? low + (high - low) * slide.value / STEPS : v));
    });
    number.addEventListener("input", () => {
      const v = number.valueAsNumber;
      const good = Number.isFinite(v) && (p.domain === "real" || v > 0) && (p.domain !== "unit" || v < 1);
      number.setAttribute("aria-invalid", String(!good));
      if (good) set(theta.map((old, k) => k === j ? v : old), number);
    });
    number.addEventListener("change", () => render());
  });
}

function sync(typed) { // the controls say what θ is
  page.params.forEach((p, j) => {
    const [low, high] = p[zoom], slide = $(`slide-${j}`), number = $(`number-${j}`);
    slide.value = Math.round(Math.max(0, Math.min(1, (theta[j] - low) / (high - low))) * STEPS);
    slide.setAttribute("aria-valuetext", show(theta[j], 6));
    if (number !== typed) {
      number.value = Number(theta[j].toPrecision(8));
      number.setAttribute("aria-invalid", "false");
    }
  });
}

// -- drawing ---------------------------------------------------------------------------------------------------------

function gapText(gap) {
  if (!(Math.abs(gap) > 5e-13)) return "at the minimum";
  return gap > 0 ? `${show(gap, 3)} above the minimum` : `${show(-gap, 3)} below the estimate`;
}

function render(typed) {
  const nll = model.nll(theta);
  sync(typed);
  $("nll").textContent = show(nll, 8);
  $("nll").dataset.value = String(nll);
  $("nll-gap").textContent = gapText(nll - lowest);
  if (model.beside) {
    const beside = model.beside(theta), low = model.beside(best), gap = beside - low;
    $("beside").textContent = show(beside, 6);
    $("beside").dataset.value = String(beside);
    $("beside-gap").textContent = Math.abs(gap) <= 1e-12 * Math.abs(low) + 5e-13 ? "at the minimum" : `${show(gap, 3)} above the minimum`;
  }
  document.body.dataset.theta = JSON.stringify(theta);
  ({ linear: drawCloud, logistic: drawShares }[page.kind] ?? drawHistogram)($("data"), page, model, theta);
  if (two) {
    contourFrame = drawContour($("contour"), page, model, view);
    const [p, q] = page.params;
    $("contour").setAttribute("aria-label", `Contours of the mean NLL over ${said(p)} and ${said(q)}. Now at ${said(p)} ${show(theta[0])}, `
      + `${said(q)} ${show(theta[1])}. Arrow keys move the point; it can be dragged.`);
    const small = Math.sqrt(5.99 * page.cov[0][0]) < 0.006 * (view.range(0)[1] - view.range(0)[0]);
    $("contour-note").textContent = `${small ? "The confidence ellipses are smaller than the cross here: see “± 5 standard errors”. " : ""}`
      + `Drag the point, or move it with the arrow keys.${page.params.length > 2 ? ` ${page.params[2].name} stays at ${show(theta[2])}.` : ""}`;
  }
  page.params.forEach((p, j) => drawCurve($(`curve-${j}`), page, model, view, j));
  $("data").setAttribute("aria-label", `${page.title}: data and ${page.what} with ${page.params.map((p, j) => `${said(p)} ${show(theta[j])}`).join(", ")}`);
}
let contourFrame = null;

let waiting = 0;
function speak() { // not at each pixel of a slider
  clearTimeout(waiting);
  waiting = setTimeout(() => { $("live").textContent = `Mean NLL ${show(model.nll(theta), 6)}, ${gapText(model.nll(theta) - lowest)}`; }, 500);
}

function set(next, typed) { // by hand: the walk ends, and its path goes
  stop();
  theta = next;
  [path, length, stepsDone] = [[], 1, 0];
  $("walk-note").textContent = "";
  render(typed);
  speak();
}

// -- the walk --------------------------------------------------------------------------------------------------------

function stop() {
  if (timer !== null) clearTimeout(timer);
  timer = null;
  $("walk").textContent = "Go to the MLE";
}

function step() { // true at the end
  if (!path.length) path = [theta.slice(0, 2)];
  const next = descend(model, theta, length), steep = Math.sqrt(next.steep);
  const still = next.theta.every((v, j) => v === theta[j]);
  if (!still && steep > 1e-11) {
    theta = next.theta;
    length = next.length;
    path.push(theta.slice(0, 2));
    stepsDone++;
  }
  const end = still || steep <= 1e-11;
  const where = page.kind === "linear" ? "the least-squares solution" : "the maximum-likelihood estimate";
  $("walk-note").textContent = end ? `Arrived at ${where} after ${stepsDone} steps of gradient descent.`
    : `Step ${stepsDone} of gradient descent; slope ${show(steep, 2)}.`;
  return end;
}

function walk() {
  const calm = matchMedia("(prefers-reduced-motion: reduce)").matches;
  const next = () => {
    let end = false;
    do end = step(); while (!end && (calm || stepsDone - started > 45) && stepsDone - started < 5000);
    render();
    if (end) {
      stop();
      speak();
    } else timer = setTimeout(next, stepsDone - started < 25 ? 70 : 25);
  };
  started = stepsDone;
  $("walk").textContent = "Stop";
  next();
}

$("walk").addEventListener("click", () => timer === null ? walk() : stop());
$("step").addEventListener("click", () => {
  stop();
  step();
  render();
  speak();
});
$("reset").addEventListener("click", () => set(model.from(model.start)));
for (const input of document.querySelectorAll("input[name=range]")) {
  input.addEventListener("change", () => {
    zoom = input.value;
    render();
  });
}

// -- the contour by hand ---------------------------------------------------------------------------------------------

function inside(j, v) {
  const [low, high] = page.params[j][zoom];
  return Math.max(low, Math.min(high, v));
}

function pointed(event) {
  const box = $("contour").getBoundingClientRect(), f = contourFrame;
  const a = inside(0, f.vx((event.clientX - box.left) * f.width / box.width)), b = inside(1, f.vy((event.clientY - box.top) * f.height / box.height));
  set([a, b, ...theta.slice(2)]);
}

if (two) {
  const host = $("contour");
  host.addEventListener("pointerdown", (event) => {
    host.setPointerCapture(event.pointerId);
    pointed(event);
  });
  host.addEventListener("pointermove", (event) => host.hasPointerCapture(event.pointerId) && pointed(event));
  host.addEventListener("keydown", (event) => {
    const move = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowDown: [0, -1], ArrowUp: [0, 1] }[event.key];
    if (!move) return;
    event.preventDefault();
    const share = event.shiftKey ? 0.1 : 0.01;
    set(theta.map((v, j) => j > 1 ? v : inside(j, v + move[j] * share * (page.params[j][zoom][1] - page.params[j][zoom][0]))));
  });
}

// -- start -----------------------------------------------------------------------------------------------------------

words();
sliders();
page.params.forEach((p, j) => $("curves").append(html("div", { class: "chart curve", id: `curve-${j}`, role: "img", "aria-label": `Mean NLL along ${said(p)}` })));
$("data").setAttribute("role", "img");
theta = model.from(model.start);
render();
let lastWidth = window.innerWidth;
addEventListener("resize", () => {
  if (window.innerWidth !== lastWidth) { // a phone's bars that come and go change the height only
    lastWidth = window.innerWidth;
    render();
  }
});
matchMedia("(prefers-color-scheme: dark)").addEventListener("change", () => render());
