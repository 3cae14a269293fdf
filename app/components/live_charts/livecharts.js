// Charts over updates that grow. Curves are held here, thinned for drawing, and shown by Plotly.react,
// which changes a chart in place; the visible stretch and the cursor are shared by all charts.

const INK = "#6b7280";
const PATIENCE = 10000; // milliseconds until a question counts as unanswered
const REMIND = 5000; // until the script is told again what it has not drawn

function joined(a, b) {
  if (!a) return b;
  const both = new Float32Array(a.length + b.length);
  both.set(a);
  both.set(b, a.length);
  return both;
}

function element(name, className, parent) {
  const node = document.createElement(name);
  if (className) node.className = className;
  parent?.append(node);
  return node;
}

// The first place in ascending values that is not below a bound.
function place(values, bound) {
  let [low, high] = [0, values.length];
  while (low < high) {
    const middle = (low + high) >> 1;
    if (values[middle] < bound) low = middle + 1;
    else high = middle;
  }
  return low;
}

// A number in a few digits.
function tidy(value, digits = 4) {
  return String(Number(value.toPrecision(digits)));
}

// A share in percent, another number as `plainly` writes it.
function written(value, percent, plainly) {
  return percent ? `${(100 * value).toFixed(1)}%` : plainly(value);
}

// The lowest and the highest point of each stretch, so that no spike is lost.
function thinned({ x, y }, from, to, atMost) {
  const count = to - from;
  if (count <= atMost) return Array.from({ length: count }, (_, i) => from + i);
  const stretches = Math.max(1, Math.floor(atMost / 2) - 1);
  const kept = [from];
  for (let s = 0; s < stretches; s++) {
    const start = from + Math.floor((s * count) / stretches);
    const end = from + Math.floor(((s + 1) * count) / stretches);
    let [low, high] = [start, start];
    for (let i = start; i < end; i++) {
      if (y[i] < y[low]) low = i;
      if (y[i] > y[high]) high = i;
    }
    kept.push(Math.min(low, high), Math.max(low, high));
  }
  kept.push(to - 1);
  return kept.filter((at, i) => i === 0 || at > kept[i - 1]);
}

class LiveCharts {
  constructor(root) {
    this.root = root;
    this.hidden = new Set();
    this.updates = 0;
    this.follower = new Follower(() => this.ask(), (error) => this.fail(error));
    this.resizing = new ResizeObserver((entries) => {
      for (const { target } of entries) if (target._fullLayout && target.clientWidth) Plotly.Plots.resize(target);
    });
  }

  async take(data, tell) {
    this.tell = tell;
    try {
      await loadPlotly(data.plotly);
    } catch (error) {
      this.say(error.message);
      return;
    }
    this.data = data;
    this.lost = false;
    if (data.scene !== this.scene) this.begin(data);
    for (const given of data.series) if (given.points) this.add(given, given);
    this.draw();
    this.follower.now();
  }

  followed() {
    return this.data.series.filter((one) => !one.points);
  }

  // What is new of the runs that are followed; true if there may be more.
  async ask() {
    const { address, panels, scene } = this.data;
    const followed = this.followed();
    if (!followed.length) return false;
    const question = new URLSearchParams(panels.map(({ column }) => ["column", column]));
    for (const { name, label } of followed) {
      const held = this.series.get(label);
      question.append("of", `${name}:${held?.name === name && !held.outdated ? held.last : -1}`);
    }
    const response = await fetch(`${address}?${question}`, { signal: AbortSignal.timeout(PATIENCE) });
    const answer = await response.json();
    if (response.status === 404) this.report(answer.problem);
    if (!response.ok) throw Object.assign(new Error(), answer);
    if (this.follower.closed || scene !== this.data.scene) return true;
    this.say("");
    const grown = answer.map((part, i) => this.add(followed[i], part)).some(Boolean);
    if (grown) this.draw();
    this.writeLines(answer, followed);
    // What was seen before the script drew the page says nothing against it.
    const newer = answer.filter(({ at }) => at >= this.data.at);
    const changed = newer.filter(({ name, state }) => Object.entries(this.data.drawn[name] ?? {}).some(([field, value]) => state[field] !== value));
    if (this.lost) this.report("server back");
    else if (changed.length) this.report(JSON.stringify(changed.map(({ name, state }) => [name, state])));
    const outdated = followed.some(({ label }) => this.series.get(label)?.outdated);
    return this.lost || outdated || newer.length < answer.length || answer.some(({ over }) => !over);
  }

  // A server that was started anew knows this page only once its script has run.
  fail(error) {
    this.lost = true;
    this.say(error.problem ?? "The server does not answer. Trying again.");
  }

  // Let the script run once more.
  report(change) {
    if (this.reported?.change === change && performance.now() - this.reported.when < REMIND) return;
    this.reported = { change, when: performance.now() };
    this.tell(change);
  }

  say(problem) {
    const line = this.root.querySelector(".lc-problem");
    line.hidden = !problem;
    if (line.textContent !== problem) line.textContent = problem;
  }

  begin(data) {
    this.scene = data.scene;
    this.root.dataset.series = data.series.length;
    this.range = null;
    this.series = new Map();
    this.resizing.disconnect();
    for (const { plot } of this.charts ?? []) Plotly.purge(plot);
    const box = this.root.querySelector(".lc-charts");
    box.replaceChildren();
    this.charts = data.panels.map((panel) => {
      const figure = element("figure", "", box);
      figure.dataset.column = panel.column;
      element("figcaption", "", figure).textContent = panel.title;
      const plot = element("div", "lc-plot", figure);
      plot.setAttribute("role", "figure");
      this.resizing.observe(plot);
      return { ...panel, plot };
    });
    this.buildKey(data.series);
  }

  buildKey(series) {
    this.root.querySelector(".lc-key").replaceChildren(
      ...series.map(({ label, colour }) => {
        const button = element("button");
        button.type = "button";
        button.textContent = label;
        button.title = "Show or hide";
        button.style.setProperty("--c", colour);
        const show = () => button.setAttribute("aria-pressed", !this.hidden.has(label));
        button.addEventListener("click", () => {
          if (!this.hidden.delete(label)) this.hidden.add(label);
          show();
          this.draw();
        });
        show();
        return button;
      }),
    );
  }

  // Take up what is new of one curve; whether that changes the picture.
  add({ name, label, colour }, { of, after, last, points }) {
    const known = this.series.get(label);
    const held = known?.name === name && known.of === of ? known : undefined;
    if (after >= 0 && !held) {
      if (known) known.outdated = true; // the mean is one of other runs now: ask for all of it
      return false;
    }
    if (held && last <= held.last && !held.outdated) return false;
    const base = after < 0 ? { last: -1, curves: {} } : held;
    const curves = { ...base.curves };
    for (const [column, sent] of Object.entries(points)) {
      const x = floats(sent.x);
      const from = place(x, base.last + 1);
      const old = curves[column] ?? {};
      curves[column] = { x: joined(old.x, x.subarray(from)), y: joined(old.y, floats(sent.y).subarray(from)) };
      if (sent.error) curves[column].error = joined(old.error, floats(sent.error).subarray(from));
    }
    this.series.set(label, { name, of, label, colour, last, curves });
    return true;
  }

  // How far the runs are: a line for each that goes on, or for the only one.
  writeLines(answer, followed) {
    const box = this.root.querySelector(".lc-lines");
    while (box.children.length > answer.length) box.lastChild.remove();
    answer.forEach(({ told, share, over, state }, i) => {
      const line = box.children[i] ?? this.buildLine(box);
      line.dataset.over = over;
      line.dataset.status = state.status;
      const [name, text, bar] = line.children;
      name.textContent = followed[i].label;
      text.textContent = told;
      bar.setAttribute("aria-valuenow", Math.floor(100 * share));
      bar.firstChild.style.width = `${100 * share}%`;
    });
  }

  buildLine(box) {
    const line = element("div", "lc-line", box);
    element("b", "", line);
    element("span", "", line);
    const bar = element("div", "lc-bar", line);
    bar.setAttribute("role", "progressbar");
    bar.setAttribute("aria-label", "Updates done, percent");
    element("i", "", bar);
    return line;
  }

  // The last values, and how far they are from the baseline's.
  writeNumbers() {
    const { numbers, baseline, series } = this.data;
    const table = this.root.querySelector(".lc-numbers");
    table.hidden = !numbers.length;
    const held = series.map(({ label }) => this.series.get(label));
    const ends = (column) => held.map((one) => one?.curves[column]?.y.at(-1));
    const rows = [["update", ...held.map((one) => (one && one.last >= 0 ? one.last.toLocaleString("en") : "–"))]];
    for (const { column, name, percent } of numbers) {
      const plainly = (value, digits) => written(value, percent, (y) => tidy(y, digits));
      const values = ends(column);
      const base = values[baseline];
      const texts = values.map((value, i) => (value === undefined ? "–" : i === baseline || base === undefined ? plainly(value) : `${plainly(value)} (${value < base ? "" : "+"}${plainly(value - base, 3)})`));
      rows.push([name, ...texts]);
    }
    const heads = series.map(({ label }, i) => label + (i === baseline ? " (baseline)" : ""));
    table.replaceChildren();
    for (const [i, cells] of [["", ...heads], ...rows].entries()) {
      const row = element("tr", "", table);
      cells.forEach((text, at) => (element(at ? (i ? "td" : "th") : i ? "th" : "td", "", row).textContent = text));
    }
  }

  draw() {
    const last = Math.max(1, ...[...this.series.values()].map((one) => one.last));
    const [from, to] = this.range ?? [0, last];
    this.drawing = true; // what Plotly reports meanwhile is not the user's doing
    for (const chart of this.charts) this.drawChart(chart, from, to);
    this.drawing = false;
    if (this.cursor) this.point(this.cursor);
    this.writeNumbers();
    this.updates += 1;
    this.root.dataset.updates = this.updates;
  }

  drawChart(chart, from, to) {
    const traces = [];
    for (const [label, one] of this.series) {
      const curve = one.curves[chart.column];
      if (!curve || this.hidden.has(label)) continue;
      const start = Math.max(0, place(curve.x, from) - 1);
      const end = Math.min(curve.x.length, place(curve.x, to) + 1);
      const kept = thinned(curve, start, end, Math.max(200, 2 * chart.plot.clientWidth));
      traces.push(...this.traces(chart, one, curve, kept));
    }
    const layout = withType(structuredClone(chart.layout));
    layout.xaxis.range = [from, to];
    layout.width = chart.plot.clientWidth;
    layout.height = chart.plot.clientHeight;
    if (matchMedia("(pointer: coarse)").matches) layout.dragmode = false; // a finger scrolls the page
    this.addMarks(layout, from, to);
    if (![...this.series.values()].some((one) => one.curves[chart.column])) {
      layout.xaxis.visible = layout.yaxis.visible = false;
      layout.annotations.push({ text: "nothing yet", showarrow: false, x: 0.5, y: 0.5, xref: "paper", yref: "paper", font: { color: INK } });
    }
    const options = { displaylogo: false, displayModeBar: "hover", modeBarButtons: [["toImage", "autoScale2d"]], doubleClick: "autosize", showTips: false };
    Plotly.react(chart.plot, traces, layout, options);
    chart.plot.setAttribute("aria-label", this.alt(chart));
    if (!chart.listens) this.listen(chart);
  }

  alt({ title, column, percent }) {
    const ends = [...this.series.values()]
      .filter((one) => one.curves[column]?.y.length)
      .map((one) => `${one.label}: ${written(one.curves[column].y.at(-1), percent, (y) => y.toFixed(3))} at update ${one.last}`);
    return `${title}. ${ends.slice(0, 8).join("; ") || "Nothing yet"}.`;
  }

  traces({ steps, measured, percent }, { label, colour }, curve, drawn) {
    const kept = measured ? drawn.filter((i) => !i || curve.y[i] !== curve.y[i - 1]) : drawn;
    const x = kept.map((i) => curve.x[i]);
    const y = kept.map((i) => curve.y[i]);
    const shape = steps ? "hv" : "linear";
    const mode = x.length < 2 ? "markers" : measured ? "lines+markers" : "lines";
    const line = { type: "scatter", mode, x, y, name: label, line: { color: colour, width: 2, shape }, marker: { color: colour }, hovertemplate: percent ? "%{y:.1%}" : "%{y:.4~g}" };
    if (!curve.error) return [line];
    const e = kept.map((i) => curve.error[i] || 0);
    const upper = y.map((v, i) => v + e[i]);
    const lower = y.map((v, i) => v - e[i]);
    const band = { type: "scatter", mode: "lines", x: [...x, ...x.toReversed()], y: [...upper, ...lower.toReversed()], fill: "toself", fillcolor: colour, opacity: 0.18, line: { width: 0 }, hoverinfo: "skip" };
    return [band, line];
  }

  addMarks(layout, from, to) {
    const seen = this.data.marks.filter(({ update }) => update >= from && update <= to);
    layout.shapes = seen.map(({ update }) => ({ type: "line", x0: update, x1: update, y0: 0, y1: 1, yref: "paper", line: { color: INK, width: 1, dash: "dot" } }));
    layout.annotations = seen.map(({ update, words }) => ({ x: update, y: 0, yref: "paper", yanchor: "top", yshift: 3, text: "▲", hovertext: `from update ${update}: ${words}`, showarrow: false, font: { size: 11 } }));
  }

  listen(chart) {
    chart.listens = true;
    chart.plot.on("plotly_relayout", (event) => {
      if (this.drawing) return;
      if (event["xaxis.range[0]"] !== undefined) this.range = [event["xaxis.range[0]"], event["xaxis.range[1]"]];
      else if (event["xaxis.range"]) this.range = event["xaxis.range"];
      else if (event["xaxis.autorange"]) this.range = null;
      else return;
      this.root.dataset.range = this.range?.map(Math.round) ?? "";
      this.draw();
    });
    chart.plot.on("plotly_hover", (event) => {
      if (this.pointing || !event.points?.length) return;
      this.cursor = { chart, x: event.points[0].x };
      this.point(this.cursor);
    });
    chart.plot.on("plotly_unhover", () => {
      if (this.pointing) return;
      this.cursor = null;
      this.pointing = true;
      for (const { plot } of this.charts) Plotly.Fx.unhover(plot);
      this.pointing = false;
    });
  }

  // The cursor of one chart, in all others.
  point({ chart, x }) {
    this.pointing = true;
    for (const other of this.charts) {
      const axis = other.plot._fullLayout?.xaxis;
      if (other !== chart && other.plot.data?.length && axis && x >= axis.range[0] && x <= axis.range[1])
        Plotly.Fx.hover(other.plot, { xval: x }, ["xy"]);
    }
    this.pointing = false;
  }

  close() {
    this.follower.close();
    this.resizing.disconnect();
    for (const { plot } of this.charts ?? []) Plotly.purge(plot);
  }
}

export default function ({ data, parentElement, setTriggerValue }) {
  const root = parentElement.querySelector(".lc");
  root.charts ??= new LiveCharts(root);
  root.charts.take(data, (change) => setTriggerValue("changed", change));
  return () => {
    if (!root.isConnected) root.charts.close();
  };
}
