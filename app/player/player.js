// The player: plays a recorded run in the browser.
//
// Plotly draws what stands still, once. What moves (policies, samples, play heads) is a few SVG marks
// in an overlay, placed with Plotly's own axes: no frame crosses the network and none redraws a chart.

const SVG = "http://www.w3.org/2000/svg";
const UPDATES_PER_SECOND = 40; // at speed 1x
const SECONDS_PER_PHASE = 1.6; // of "Explain a step"
const PHASES = 4; // sample, score, transform, update
const BELL = Array.from({ length: 61 }, (_, i) => -3.6 + 0.12 * i);
const BELL_PATH = "M" + BELL.map((z) => `${z},${-Math.exp((-z * z) / 2)}`).join("L");

function loadPlotly(url) {
  if (globalThis.Plotly) return Promise.resolve();
  return (globalThis.__pkPlotly ??= new Promise((resolve, reject) => {
    const script = document.createElement("script");
    script.src = url;
    script.onload = resolve;
    script.onerror = () => reject(new Error("The charts' library could not be loaded. Reload the page."));
    document.head.append(script);
  }));
}

function floats(base64) {
  return new Float32Array(Uint8Array.from(atob(base64), (c) => c.charCodeAt(0)).buffer);
}

function mark(parent, name, attributes = {}) {
  const node = document.createElementNS(SVG, name);
  set(node, attributes);
  parent.append(node);
  return node;
}

function set(node, attributes) {
  for (const [name, value] of Object.entries(attributes)) node.setAttribute(name, value);
}

const mix = (a, b, share) => a + (b - a) * share;
const ease = (t) => t * t * (3 - 2 * t);
const clamp = (x, low, high) => Math.min(Math.max(x, low), high);

class Player {
  constructor(root) {
    this.root = root;
    this.charts = {};
    for (const figure of root.querySelectorAll("figure")) {
      this.charts[figure.dataset.chart] = {
        figure,
        plot: figure.querySelector(".pk-plot"),
        over: figure.querySelector(".pk-over"),
      };
    }
    // Plotly's "responsive" follows the window only; a sidebar changes a chart's box without it.
    this.resizing = new ResizeObserver((entries) => {
      for (const { target } of entries) {
        const full = target._fullLayout;
        const { clientWidth: width, clientHeight: height } = target;
        if (full && width && (Math.abs(full.width - width) > 1 || Math.abs(full.height - height) > 1))
          globalThis.Plotly.relayout(target, { width, height });
      }
    });
    for (const { plot } of Object.values(this.charts)) this.resizing.observe(plot);
    this.slider = root.querySelector("input");
    this.position = 0; // in updates; in "explain" mode the fraction is the progress through the phases
    this.playing = false;
    this.explaining = false;
    this.speed = 1;
    root.querySelector(".pk-bar").addEventListener("click", (event) => {
      const action = event.target.closest("button")?.dataset.do;
      if (action) this[action]();
    });
    this.slider.addEventListener("input", () => this.seek(Number(this.slider.value)));
    root.querySelector("select").addEventListener("change", (event) => {
      this.speed = Number(event.target.value);
    });
    this.onKey = (event) => {
      if (event.target === document.body || root.contains(event.target)) this.key(event);
    };
    document.addEventListener("keydown", this.onKey);
  }

  // --- A new recording -------------------------------------------------------------------------

  async load(data) {
    if (this.id === data.id) return;
    this.id = data.id;
    this.pause();
    try {
      await loadPlotly(data.plotly);
    } catch (error) {
      const message = this.root.querySelector(".pk-error");
      message.hidden = false;
      message.textContent = error.message;
      return;
    }
    if (this.id !== data.id) return; // a newer recording came meanwhile
    this.data = data;
    this.curves = {};
    for (const [k, values] of Object.entries(data.curves)) this.curves[k] = floats(values);
    this.grid = floats(data.grid);
    this.runs = data.runs.map((run) => ({
      ...run,
      ...Object.fromEntries(Object.entries(run.columns).map(([name, b]) => [name, floats(b)])),
    }));
    for (const run of this.runs) run.heaviest = run.weights.reduce((m, w) => Math.max(m, Math.abs(w)), 0);
    this.last = Math.max(...this.runs.map((run) => run.theta.length)) - 1;
    this.focus = data.focus;
    set(this.slider, { max: this.last });
    this.buildSettings();
    this.buildPhases();
    await this.drawCharts();
    if (this.id !== data.id) return;
    this.seek(this.last);
    this.root.dataset.ready = data.id;
    performance.mark("pk-ready");
  }

  buildSettings() {
    const box = this.root.querySelector(".pk-settings");
    box.style.setProperty("--count", this.runs.length);
    box.replaceChildren(
      ...this.runs.map((run, index) => {
        const button = document.createElement("button");
        button.type = "button";
        button.style.setProperty("--c", run.colour);
        button.title = "Show this run's samples and gradients";
        const label = document.createElement("strong");
        label.textContent = run.label;
        run.readout = document.createElement("span");
        button.append(label, run.readout);
        button.addEventListener("click", () => this.focusOn(index));
        run.button = button;
        return button;
      }),
    );
  }

  buildPhases() {
    this.root.querySelector(".pk-steps").replaceChildren(
      ...this.data.phases.map((phase, index) => {
        const item = document.createElement("li");
        const button = document.createElement("button");
        button.type = "button";
        button.textContent = `${index + 1} ${phase.title}`;
        button.addEventListener("click", () => {
          this.pause();
          this.move(Math.min(Math.floor(this.position), this.last - 1) + index / PHASES);
        });
        item.append(button);
        return item;
      }),
    );
  }

  async drawCharts() {
    const touch = matchMedia("(pointer: coarse)").matches;
    const options = {
      displaylogo: false,
      displayModeBar: touch ? false : "hover",
      modeBarButtons: [["toImage", "resetScale2d"]],
      showTips: false,
    };
    this.root.querySelector(".pk-note").textContent = this.data.note;
    for (const chart of Object.values(this.charts)) chart.x = chart.built = null; // not to be drawn on
    for (const [name, chart] of Object.entries(this.charts)) {
      const figure = this.data.figures[name];
      chart.figure.hidden = !figure;
      if (!figure) continue;
      const { data, layout } = JSON.parse(figure.json);
      if (touch) layout.dragmode = false; // a finger scrolls the page
      layout.width = chart.plot.clientWidth;
      layout.height = chart.plot.clientHeight;
      chart.figure.querySelector("figcaption").textContent = figure.title.replace(
        "{label}",
        this.runs[this.focus].label,
      );
      set(chart.plot, { role: "img", "aria-label": figure.alt });
      chart.over.replaceChildren();
      this.build(name, chart);
      chart.built = this.id;
      await globalThis.Plotly.react(chart.plot, data, layout, options);
      this.place(name);
      chart.plot.removeAllListeners?.("plotly_afterplot");
      chart.plot.on("plotly_afterplot", () => {
        if (chart.built !== this.id) return; // a resize, between two recordings
        this.place(name);
        this.draw();
      });
      if (name === "stage") {
        this.focusOn(this.focus);
        this.move(this.last); // a finished picture before the other charts are drawn
        performance.mark("pk-picture");
        await new Promise(requestAnimationFrame);
      } else {
        chart.plot.removeAllListeners?.("plotly_click");
        chart.plot.on("plotly_click", (event) => this.seek(Math.round(event.points[0].x)));
      }
    }
    this.focusOn(this.focus);
  }

  // The marks that move. Their places come later, from `draw`.
  build(name, chart) {
    const clip = `pk-clip-${name}`;
    const frame = mark(mark(mark(chart.over, "defs"), "clipPath", { id: clip }), "rect");
    const layer = mark(chart.over, "g", { "clip-path": `url(#${clip})` });
    chart.clip = frame;
    if (name === "stage") {
      chart.curve = mark(layer, "path", { fill: "none", "stroke-width": 4.5, "stroke-opacity": 0.9 });
      chart.bells = this.runs.map((run) =>
        mark(layer, "path", {
          d: BELL_PATH,
          fill: run.colour,
          stroke: run.colour,
          "stroke-width": 2,
          "vector-effect": "non-scaling-stroke",
        }),
      );
      chart.samples = mark(layer, "g", { class: "pk-samples" });
      this.fillSamples(chart);
      chart.drops = this.runs.map((run) =>
        mark(layer, "line", { stroke: run.colour, "stroke-width": 1.5, "stroke-dasharray": "3 3" }),
      );
      chart.stands = this.runs.map((run) =>
        mark(layer, "circle", { r: 8, fill: run.colour, class: "pk-ring pk-stand" }),
      );
      chart.exactArrow = mark(layer, "path", { class: "pk-exact", fill: "none", "stroke-width": 3 });
      chart.arrow = mark(layer, "path", { fill: "none", "stroke-width": 4 });
      chart.number = mark(layer, "text", { class: "pk-number" });
      return;
    }
    chart.veil = mark(layer, "rect", { class: "pk-veil", y: 0 });
    chart.head = mark(layer, "line", { class: "pk-head" });
    chart.dots = this.runs.map((run) => mark(layer, "circle", { r: 5, fill: run.colour, class: "pk-ring" }));
  }

  // Read where Plotly put its axes.
  place(name) {
    const chart = this.charts[name];
    const { xaxis, yaxis, width, height, _toppaper } = chart.plot._fullLayout;
    const top = _toppaper.node(); // legend and hover box: they stay above the moving marks
    if (top.previousSibling !== chart.over) top.before(chart.over);
    set(chart.over, { viewBox: `0 0 ${width} ${height}` });
    const brim = name === "stage" ? 0 : 6; // for a whole dot at either end
    set(chart.clip, {
      x: xaxis._offset - brim,
      y: yaxis._offset - brim,
      width: xaxis._length + 2 * brim,
      height: yaxis._length + 2 * brim,
    });
    chart.x = (value) => xaxis._offset + xaxis.l2p(value);
    chart.y = (value) => yaxis._offset + yaxis.l2p(value);
    chart.box = { left: xaxis._offset, top: yaxis._offset, width: xaxis._length, height: yaxis._length };
    if (name === "stage") {
      chart.paths = {};
      for (const [k, values] of Object.entries(this.curves)) {
        const points = Array.from(this.grid, (x, i) => `${chart.x(x).toFixed(1)},${chart.y(values[i]).toFixed(1)}`);
        chart.paths[k] = "M" + points.join("L");
      }
      chart.drawnK = null;
    }
  }

  // --- Actions ---------------------------------------------------------------------------------

  play() {
    if (this.playing) return this.pause();
    if (this.position >= this.last) this.position = 0;
    this.playing = true;
    this.root.classList.add("pk-playing");
    this.root.querySelector(".pk-play").setAttribute("aria-label", "Pause");
    let before = performance.now();
    const tick = (now) => {
      if (!this.playing) return;
      const rate = this.explaining ? 1 / (PHASES * SECONDS_PER_PHASE) : UPDATES_PER_SECOND;
      this.move(this.position + ((now - before) / 1000) * rate * this.speed);
      before = now;
      if (this.position >= this.last) return this.pause();
      this.request = requestAnimationFrame(tick);
    };
    this.request = requestAnimationFrame(tick);
  }

  pause() {
    this.playing = false;
    cancelAnimationFrame(this.request);
    this.root.classList.remove("pk-playing");
    this.root.querySelector(".pk-play").setAttribute("aria-label", "Play");
  }

  step() {
    this.pause();
    this.move(this.explaining ? (Math.floor(this.position * PHASES + 1e-6) + 1) / PHASES : Math.floor(this.position) + 1);
  }

  back() {
    this.pause();
    this.move(this.explaining ? (Math.ceil(this.position * PHASES - 1e-6) - 1) / PHASES : Math.ceil(this.position) - 1);
  }

  rewind() {
    this.seek(0);
  }

  seek(update) {
    this.pause();
    this.move(update);
  }

  explain() {
    this.pause();
    this.explaining = !this.explaining;
    this.root.querySelector(".pk-explain").setAttribute("aria-pressed", this.explaining);
    this.root.querySelector(".pk-phase").hidden = !this.explaining;
    const start = Math.min(Math.floor(this.position), this.last - 1);
    this.move(this.explaining && this.position >= this.last ? 0 : start < 0 ? 0 : start);
  }

  focusOn(index) {
    this.focus = index;
    this.runs.forEach((run, i) => run.button.setAttribute("aria-pressed", i === index));
    const { figure, plot } = this.charts.gradient;
    if (plot.data) {
      figure.querySelector("figcaption").textContent =
        this.data.figures.gradient.title.replace("{label}", this.runs[index].label);
      const visible = plot.data.map((trace) => trace.meta.setting === index);
      globalThis.Plotly.restyle(plot, { visible }).then(() => this.draw());
    }
    this.fillSamples(this.charts.stage);
    this.draw();
  }

  // One circle for each sample of the run in focus.
  fillSamples(chart) {
    chart.samples.replaceChildren();
    const { n } = this.runs[this.focus];
    chart.dots = Array.from({ length: n }, () => mark(chart.samples, "circle", { class: "pk-sample" }));
    chart.drawnK = null;
  }

  key(event) {
    if (event.target.closest("input, select")) return;
    if (event.key === " " && event.target.closest("button")) return;
    const action = { " ": "play", ArrowRight: "step", ArrowLeft: "back", Home: "rewind" }[event.key];
    if (!action) return;
    event.preventDefault();
    this[action]();
  }

  // --- Drawing ---------------------------------------------------------------------------------

  move(position) {
    this.position = clamp(position, 0, this.last);
    this.draw();
  }

  draw() {
    if (!this.runs || !this.charts.stage.x) return;
    const t = Math.floor(this.position + 1e-9);
    const phase = this.explaining && t < this.last ? Math.min(PHASES - 1, Math.floor((this.position - t) * PHASES + 1e-6)) : null;
    const share = phase === null ? 1 : ease(clamp((this.position - t) * PHASES - phase, 0, 1));
    // A step lands on the start of a phase; show it there as done, and the motion while playing.
    const done = this.playing ? share : 1;
    this.slider.value = t;
    this.root.dataset.frame = t;
    this.root.dataset.phase = phase ?? "";
    this.root.querySelector(".pk-clock").textContent = `update ${t} of ${this.last}`;
    for (const run of this.runs) this.drawReadout(run, t);
    this.drawStage(t, phase, done);
    for (const name of ["theta", "value", "gradient"]) if (this.charts[name].x) this.drawHead(name, t);
    if (this.explaining) this.drawPhase(t, phase);
  }

  drawReadout(run, t) {
    const i = Math.min(t, run.theta.length - 1);
    const parts = [
      `θ ${run.theta[i].toFixed(3)}`,
      `max@${this.data.yardstick} ${run.reached[i].toFixed(3)}`,
      `max@1 ${run.atOne[i].toFixed(3)}`,
    ];
    if (run.anneals) parts.unshift(`k ${run.k[i]}`);
    run.readout.textContent = parts.join("\u2002");
  }

  drawStage(t, phase, done) {
    const chart = this.charts.stage;
    const floor = chart.y(0);
    const tall = chart.box.height * 0.24;
    this.runs.forEach((run, index) => {
      const i = Math.min(t, run.theta.length - 1);
      const moving = phase === 3 && index === this.focus && i + 1 < run.theta.length;
      const at = (values) => (moving ? mix(values[i], values[i + 1], done) : values[i]);
      const theta = at(run.theta);
      const sigma = at(run.sigma);
      const focused = index === this.focus;
      const wide = chart.x(theta + sigma) - chart.x(theta);
      set(chart.bells[index], {
        transform: `translate(${chart.x(theta)} ${floor}) scale(${wide} ${Math.min((tall * run.sigma[0]) / sigma, chart.box.height * 0.9)})`,
        "fill-opacity": focused ? 0.22 : 0.05,
        "stroke-opacity": focused ? 1 : 0.55,
      });
      const [x, y] = [chart.x(theta), chart.y(at(run.value))];
      const { left, width } = chart.box;
      set(chart.stands[index], {
        cx: clamp(x, left + 9, left + width - 9), // a policy far away waits at the edge
        cy: y,
        "fill-opacity": x < left || x > left + width ? 0.35 : 1,
        "data-theta": theta,
        "data-k": run.k[i],
      });
      set(chart.drops[index], { x1: x, x2: x, y1: floor, y2: y });
      if (focused) {
        this.drawCurve(chart, run.k[i]);
        this.drawSamples(chart, run, i, phase, done);
        this.drawArrows(chart, run, i, phase, done);
      }
    });
  }

  drawCurve(chart, k) {
    if (chart.drawnK === k || !chart.paths[k]) return;
    chart.drawnK = k;
    set(chart.curve, { d: chart.paths[k], stroke: this.data.colours[k], "data-k": k });
  }

  drawSamples(chart, run, i, phase, done) {
    const floor = chart.y(0);
    const { towards, away, none } = this.data.weightColours;
    let [heaviest, place] = [0, null];
    for (let j = 0; j < run.n; j++) {
      const index = i * run.n + j;
      const weight = run.weights[index];
      const rise = phase === 0 ? 0 : phase === 1 ? done : 1;
      const weighed = phase === null || phase === 3 ? 1 : phase === 2 ? done : 0;
      const [x, y] = [chart.x(run.samples[index]), mix(floor, chart.y(run.rewards[index]), rise)];
      const size = run.heaviest > 0 ? 3 + 12 * Math.sqrt(Math.abs(weight) / run.heaviest) : 3;
      set(chart.dots[j], {
        cx: x,
        cy: y,
        r: mix(4.5, size, weighed),
        fill: weighed === 0 || weight === 0 ? none : weight > 0 ? towards : away,
        "fill-opacity": (phase === 0 ? done : 1) * (phase === 3 ? 0.45 : 0.85),
        stroke: "white",
        "stroke-opacity": 0.8,
      });
      if (Math.abs(weight) > heaviest) [heaviest, place] = [Math.abs(weight), [x, y, weight]];
    }
    const show = phase === 2 && place !== null;
    chart.number.textContent = show ? `w = ${place[2] > 0 ? "+" : "−"}${heaviest.toPrecision(3)}` : "";
    if (show) {
      const right = place[0] > chart.box.left + chart.box.width - 90;
      set(chart.number, { x: place[0] + (right ? -14 : 14), y: place[1] - 12, "text-anchor": right ? "end" : "start" });
    }
  }

  // In the update phase: the estimate as an arrow from the policy's peak, the exact gradient beside it.
  drawArrows(chart, run, i, phase, done) {
    if (phase !== 3) {
      chart.arrow.removeAttribute("d");
      chart.exactArrow.removeAttribute("d");
      return;
    }
    const x = chart.x(run.theta[i]);
    const y = chart.y(0) - chart.box.height * 0.24;
    const arrow = (gradient, lift) => {
      const reach = clamp(gradient * 45, -160, 160) * done;
      const tip = x + reach;
      const barb = Math.sign(reach) * Math.min(9, Math.abs(reach));
      return `M${x},${y - lift}H${tip}m${-barb},-6L${tip},${y - lift}l${-barb},6`;
    };
    set(chart.arrow, { d: arrow(run.gradient[i], 10), stroke: run.colour });
    set(chart.exactArrow, { d: arrow(run.exact[i], 26) });
  }

  drawHead(name, t) {
    const chart = this.charts[name];
    const { left, top, width, height } = chart.box;
    const x = chart.x(t);
    set(chart.veil, { x, y: top, width: Math.max(0, left + width - x), height });
    set(chart.head, { x1: x, x2: x, y1: top, y2: top + height });
    const column = { theta: "theta", value: "reached", gradient: "gradient" }[name];
    this.runs.forEach((run, index) => {
      const i = Math.min(t, run.theta.length - 1);
      const shown = name !== "gradient" || index === this.focus;
      set(chart.dots[index], {
        cx: x,
        cy: chart.y(run[column][i]),
        visibility: shown ? "visible" : "hidden",
        "data-value": run[column][i],
      });
    });
  }

  drawPhase(t, phase) {
    const run = this.runs[this.focus];
    const now = phase ?? PHASES - 1;
    const items = this.root.querySelectorAll(".pk-steps li");
    items.forEach((item, index) => item.classList.toggle("pk-now", index === now));
    const weights = run.weights.subarray(t * run.n, (t + 1) * run.n);
    const weighty = weights.filter((w) => w !== 0).length;
    const heavy = weights.reduce((best, w, j) => (Math.abs(w) > Math.abs(weights[best]) ? j : best), 0);
    const words = {
      n: run.n,
      k: run.k[t],
      theta: run.theta[t].toFixed(3),
      next: run.theta[Math.min(t + 1, run.theta.length - 1)].toFixed(3),
      sigma: run.sigma[t].toPrecision(2),
      best: Math.max(...run.rewards.subarray(t * run.n, (t + 1) * run.n)).toFixed(3),
      weighty,
      reward: run.rewards[t * run.n + heavy].toFixed(3),
      weight: weights[heavy].toPrecision(3),
      gradient: run.gradient[t].toFixed(3),
      exact: run.exact[t].toFixed(3),
      label: run.label,
    };
    const shown = `${this.focus} ${t} ${now}`;
    if (this.shownPhase === shown) return;
    this.shownPhase = shown;
    const text = now === 2 ? run.transformText : this.data.phases[now].text;
    this.root.querySelector(".pk-say").textContent = text.replace(/\{(\w+)\}/g, (_, name) => words[name]);
    // MathML that the server made from the registry's own LaTeX; nothing of the user's is in it.
    this.root.querySelector(".pk-formula").innerHTML = now === 2 ? run.formula : this.data.phases[now].formula;
  }

  close() {
    this.pause();
    this.resizing.disconnect();
    document.removeEventListener("keydown", this.onKey);
    for (const { plot } of Object.values(this.charts)) if (plot.data) globalThis.Plotly.purge(plot);
  }
}

export default function ({ data, parentElement }) {
  const root = parentElement.querySelector(".pk-player");
  root.player ??= new Player(root);
  root.player.load(data);
  return () => {
    if (!root.isConnected) root.player.close();
  };
}
