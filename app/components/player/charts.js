// A chart: Plotly draws what stands still, once; an overlay holds the marks that move, placed with
// Plotly's own axes. `Chart` is what all share; subclasses build and draw the marks.

const NARROW = 480; // pixels of a chart whose legend would leave no room; cards name the colours
const RIBBON = 7; // pixels that the path of k is high

class Chart {
  brim = 0; // room around the axes for marks at their ends

  constructor(player, name) {
    this.player = player;
    this.name = name;
    this.figure = document.createElement("figure");
    this.figure.dataset.chart = name;
    this.figure.innerHTML =
      '<figcaption></figcaption><div class="pk-box"><div class="pk-plot"></div><svg class="pk-over" aria-hidden="true"></svg></div>';
    this.plot = this.figure.querySelector(".pk-plot");
    this.over = this.figure.querySelector(".pk-over");
  }

  // Marks of a new recording, and Plotly's part.
  async show(spec, options, touch) {
    const { data, layout } = JSON.parse(spec.json);
    withType(layout);
    for (const [axis, range] of Object.entries(this.hold ?? {})) layout[axis].range = range;
    this.spec = spec;
    if (touch) layout.dragmode = false; // a finger scrolls the page
    layout.width = this.plot.clientWidth;
    layout.height = this.plot.clientHeight;
    if (this.name === "stage" && layout.width < NARROW) layout.showlegend = false;
    this.title();
    set(this.plot, { role: "figure", "aria-label": spec.alt });
    this.over.replaceChildren();
    const clip = `pk-clip-${this.name}`;
    this.clip = mark(mark(mark(this.over, "defs"), "clipPath", { id: clip }), "rect");
    this.build(mark(this.over, "g", { "clip-path": `url(#${clip})` }));
    const { id } = this.player;
    this.built = id;
    const drawn = spec.json + JSON.stringify(layout);
    if (this.drawn !== drawn) await globalThis.Plotly.react(this.plot, data, layout, options);
    this.drawn = drawn; // what stands still often does, while a setting moves
    this.place();
    this.plot.removeAllListeners?.("plotly_afterplot");
    this.plot.on("plotly_afterplot", () => {
      if (this.built !== this.player.id) return; // a resize, between two recordings
      this.place();
      this.player.draw();
    });
    this.plot.removeAllListeners?.("plotly_click");
    if (this.seeks) this.plot.on("plotly_click", (event) => this.player.seek(Math.round(event.points[0].x)));
  }

  // The axes of the recording, where a hand held them as they were.
  reach() {
    const { xaxis, yaxis } = JSON.parse(this.spec.json).layout;
    return globalThis.Plotly.relayout(this.plot, { "xaxis.range": xaxis.range, "yaxis.range": yaxis.range });
  }

  title() {
    this.figure.querySelector("figcaption").textContent = this.spec.title.replace(
      "{label}",
      this.player.runs[this.player.focus].label,
    );
  }

  // Read where Plotly put its axes.
  place() {
    const { xaxis, yaxis, width, height, _toppaper } = this.plot._fullLayout;
    const top = _toppaper.node(); // legend and hover box: they stay above the moving marks
    if (top.previousSibling !== this.over) top.before(this.over);
    set(this.over, { viewBox: `0 0 ${width} ${height}` });
    set(this.clip, {
      x: xaxis._offset - this.brim,
      y: yaxis._offset - this.brim,
      width: xaxis._length + 2 * this.brim,
      height: yaxis._length + 2 * this.brim,
    });
    this.x = (value) => xaxis._offset + xaxis.d2p(value);
    this.y = (value) => yaxis._offset + yaxis.d2p(value);
    this.box = { left: xaxis._offset, top: yaxis._offset, width: xaxis._length, height: yaxis._length };
  }

  // Another run is in focus.
  turn() {}

  // The heaviest weight beside its sample, at [x, y, weight]; nothing for null.
  drawNumber(place) {
    this.number.textContent = place ? `w = ${place[2] > 0 ? "+" : "−"}${Math.abs(place[2]).toPrecision(3)}` : "";
    if (!place) return;
    const [x, y] = place;
    const right = x > this.box.left + this.box.width - 90;
    set(this.number, { x: x + (right ? -14 : 14), y: y - 12, "text-anchor": right ? "end" : "start" });
  }
}

// Lines over updates: a play head, a veil over what is still to come, and each run's value as a dot.
class LineChart extends Chart {
  brim = 6;
  seeks = true;

  build(layer) {
    this.ribbon = mark(layer, "g", { class: "pk-ribbon" });
    this.veil = mark(layer, "rect", { class: "pk-veil", y: 0 });
    this.head = mark(layer, "line", { class: "pk-head" });
    this.dots = this.player.runs.map((run) =>
      mark(layer, "circle", { r: 5, fill: run.colour, class: "pk-ring" }),
    );
  }

  place() {
    super.place();
    this.drawRibbon();
  }

  // The path of k of the run in focus, where it has one: a ribbon along the axis, in the colours of k.
  drawRibbon() {
    const { runs, focus, data } = this.player;
    const { k, length, anneals } = runs[focus];
    this.ribbon.replaceChildren();
    if (!anneals) return;
    const y = this.box.top + this.box.height - RIBBON;
    for (let from = 0, t = 1; t <= length; t++) {
      if (t < length && k[t] === k[from]) continue;
      const x = this.x(from);
      const fill = data.kColours[k[from]];
      mark(this.ribbon, "rect", { x, y, width: this.x(Math.min(t, length - 1)) - x, height: RIBBON, fill, "data-k": k[from], "data-from": from });
      from = t;
    }
  }

  // Of a chart with one run in view: that run's traces.
  turn() {
    this.drawRibbon();
    if (!this.spec.single) return;
    this.title();
    const visible = this.plot.data.map((trace) => trace.meta.setting === this.player.focus);
    globalThis.Plotly.restyle(this.plot, { visible }).then(() => this.player.draw());
  }

  draw({ t }) {
    const { left, top, width, height } = this.box;
    const x = this.x(t);
    set(this.veil, { x, y: top, width: Math.max(0, left + width - x), height });
    set(this.head, { x1: x, x2: x, y1: top, y2: top + height });
    this.player.runs.forEach((run, index) => {
      const value = run[this.spec.column][Math.min(t, run.length - 1)];
      set(this.dots[index], {
        cx: x,
        cy: this.y(value),
        visibility: !this.spec.single || index === this.player.focus ? "visible" : "hidden",
        "data-value": value,
      });
    });
  }
}

// A curve for each run at the play head, a point for the k in force.
class CurveChart extends Chart {
  brim = 6;

  build(layer) {
    const { runs } = this.player;
    this.at = floats(this.player.data.curveX);
    this.rows = runs.map((run) => run.curve.length / this.at.length);
    this.curves = runs.map((run) =>
      mark(layer, "path", { fill: "none", stroke: run.colour, "stroke-width": 2.5, class: "pk-curve" }),
    );
    this.dots = runs.map((run) => mark(layer, "circle", { r: 5, fill: run.colour, class: "pk-ring" }));
  }

  draw({ t }) {
    this.player.runs.forEach((run, index) => {
      const i = Math.min(t, run.length - 1);
      const last = this.rows[index] - 1;
      const row = run.length > 1 ? Math.round((i / (run.length - 1)) * last) : 0;
      const values = run.curve.subarray(row * this.at.length, (row + 1) * this.at.length);
      const points = Array.from(this.at, (x, j) => `${this.x(x).toFixed(1)},${this.y(values[j]).toFixed(1)}`);
      set(this.curves[index], { d: "M" + points.join("L"), "data-last": values[values.length - 1] });
      const place = this.at.indexOf(this.player.kAt(index, t));
      set(this.dots[index], {
        visibility: place < 0 ? "hidden" : "visible",
        cx: this.x(this.at[Math.max(place, 0)]),
        cy: this.y(values[Math.max(place, 0)]),
        "data-value": values[Math.max(place, 0)],
        "data-k": this.player.kAt(index, t),
      });
    });
  }

  // What the policy in focus is worth, in words.
  worth(t) {
    const { focus } = this.player;
    const k = this.player.kAt(focus, t);
    const dot = this.dots[focus];
    return dot && this.at.includes(k) ? `max@${k} = ${Number(dot.dataset.value).toFixed(3)}` : null;
  }
}
