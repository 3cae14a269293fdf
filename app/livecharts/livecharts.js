// Charts over updates that grow. Curves are held here, thinned for drawing, and shown by Plotly.react,
// which changes a chart in place; the visible stretch and the cursor are shared by all charts.

const INK = "#6b7280";

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
    this.resizing = new ResizeObserver((entries) => {
      for (const { target } of entries) if (target._fullLayout && target.clientWidth) Plotly.Plots.resize(target);
    });
  }

  async take(data, ask) {
    try {
      await loadPlotly(data.plotly);
    } catch (error) {
      const message = this.root.querySelector(".lc-error");
      message.hidden = false;
      message.textContent = error.message;
      return;
    }
    if (data.scene !== this.scene) this.begin(data);
    for (const news of data.series) if (!this.add(news)) return ask(data.scene);
    this.marks = data.marks;
    data.alt.forEach((text, i) => this.charts[i].plot.setAttribute("aria-label", text));
    this.draw();
    this.updates += 1;
    this.root.dataset.updates = this.updates;
  }

  begin(data) {
    this.scene = data.scene;
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
      plot.setAttribute("role", "img");
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

  // Take up what is new of one curve; false if something before it was missed.
  add({ name, label, colour, after, last, points }) {
    const known = this.series.get(label);
    const held = known?.name === name ? known : undefined;
    if (held && last <= held.last) return true;
    if (after >= 0 && (held?.last ?? -1) < after) return false;
    const base = after < 0 ? { last: -1, curves: {} } : held;
    const curves = { ...base.curves };
    for (const [column, sent] of Object.entries(points)) {
      const x = floats(sent.x);
      const from = place(x, base.last + 1);
      const old = curves[column] ?? {};
      curves[column] = { x: joined(old.x, x.subarray(from)), y: joined(old.y, floats(sent.y).subarray(from)) };
      if (sent.error) curves[column].error = joined(old.error, floats(sent.error).subarray(from));
    }
    this.series.set(label, { name, label, colour, last, curves });
    return true;
  }

  draw() {
    const last = Math.max(1, ...[...this.series.values()].map((one) => one.last));
    const [from, to] = this.range ?? [0, last];
    this.drawing = true; // what Plotly reports meanwhile is not the user's doing
    for (const chart of this.charts) this.drawChart(chart, from, to);
    this.drawing = false;
    if (this.cursor) this.point(this.cursor);
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
    const layout = structuredClone(chart.layout);
    layout.xaxis.range = [from, to];
    layout.width = chart.plot.clientWidth;
    layout.height = chart.plot.clientHeight;
    if (matchMedia("(pointer: coarse)").matches) layout.dragmode = false; // a finger scrolls the page
    this.addMarks(layout, from, to);
    const options = { displaylogo: false, displayModeBar: "hover", modeBarButtons: [["toImage", "autoScale2d"]], doubleClick: "autosize", showTips: false };
    Plotly.react(chart.plot, traces, layout, options);
    if (!chart.listens) this.listen(chart);
  }

  traces({ steps }, { label, colour }, curve, kept) {
    const x = kept.map((i) => curve.x[i]);
    const y = kept.map((i) => curve.y[i]);
    const shape = steps ? "hv" : "linear";
    const line = { type: "scatter", mode: x.length > 1 ? "lines" : "markers", x, y, name: label, line: { color: colour, width: 2, shape }, marker: { color: colour }, hovertemplate: "%{y:.4~g}" };
    if (!curve.error) return [line];
    const e = kept.map((i) => curve.error[i] || 0);
    const upper = y.map((v, i) => v + e[i]);
    const lower = y.map((v, i) => v - e[i]);
    const band = { type: "scatter", mode: "lines", x: [...x, ...x.toReversed()], y: [...upper, ...lower.toReversed()], fill: "toself", fillcolor: colour, opacity: 0.18, line: { width: 0 }, hoverinfo: "skip" };
    return [band, line];
  }

  addMarks(layout, from, to) {
    const seen = this.marks.filter(({ update }) => update >= from && update <= to);
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
    this.resizing.disconnect();
    for (const { plot } of this.charts ?? []) Plotly.purge(plot);
  }
}

export default function ({ data, parentElement, setTriggerValue }) {
  const root = parentElement.querySelector(".lc");
  root.charts ??= new LiveCharts(root);
  root.charts.take(data, (scene) => setTriggerValue("missed", scene));
  return () => {
    if (!root.isConnected) root.charts.close();
  };
}
