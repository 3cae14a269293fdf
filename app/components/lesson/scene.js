// A chart of a lesson: axes, layers, and what the learner draws on it. SVG, redrawn as often as wanted.

const SVG = "http://www.w3.org/2000/svg";
const MARGIN = { left: 68, right: 16, top: 14, bottom: 50 };
const CHARACTER = 8.5; // px, about, of an axis' names
// Of the type; height over width, and its limits in px. On a lecture hall's screen all is larger.
const SIZES = {
  screen: { type: 1, ratio: 0.56, least: 250, most: 430 },
  stage: { type: 1.45, ratio: 0.9, least: 250, most: 540 },
  paper: { type: 0.73, ratio: 0.6, least: 0, most: 188 },
  key: { type: 0.73, ratio: 0.4, least: 0, most: 125 },
};
const STAR = [0, -9, 2.6, -3, 9, -2.8, 4, 1.6, 5.6, 8, 0, 4.2, -5.6, 8, -4, 1.6, -9, -2.8, -2.6, -3];

function drawn(parent, name, attributes, text = "") {
  const node = document.createElementNS(SVG, name);
  for (const [key, value] of Object.entries(attributes)) node.setAttribute(key, value);
  node.textContent = text;
  parent.append(node);
  return node;
}

class LessonScene {
  // `grab` is told of a place in the chart's units while a pointer is down on it.
  constructor(host, grab) {
    this.host = host;
    this.svg = drawn(host, "svg", { role: "img", class: "le-svg" });
    this.legend = document.createElement("div");
    this.legend.className = "le-legend";
    host.append(this.legend);
    this.redraw = () => this.draw();
    this.resizing = new ResizeObserver(this.redraw);
    this.resizing.observe(host);
    document.addEventListener("pk-present", this.redraw);
    const move = (event) => {
      if (!this.view?.open || !(event.buttons & 1)) return;
      event.preventDefault();
      const box = this.svg.getBoundingClientRect();
      grab(this.unitX(event.clientX - box.left), this.unitY(event.clientY - box.top));
    };
    this.svg.addEventListener("pointerdown", (event) => {
      if (!this.view?.open) return;
      this.svg.setPointerCapture(event.pointerId);
      move(event);
    });
    this.svg.addEventListener("pointermove", move);
  }

  close() {
    this.resizing.disconnect();
    document.removeEventListener("pk-present", this.redraw);
  }

  // view: revealed, place (of the sliders), kind, at, mine (the learner's answer), open (to be moved),
  // size (of SIZES; that of the screen for none).
  show(spec, view) {
    this.spec = spec;
    this.view = view;
    this.svg.classList.toggle("le-open", view.open);
    this.draw();
  }

  x(value) {
    const { low, high } = this.spec.x;
    return this.margin.left + ((value - low) / (high - low)) * (this.width - this.margin.left - this.margin.right);
  }

  y(value) {
    const { low, high } = this.spec.y;
    return this.height - this.margin.bottom - ((value - low) / (high - low)) * (this.height - this.margin.top - this.margin.bottom);
  }

  unitX(px) {
    const { low, high } = this.spec.x;
    return low + ((px - this.margin.left) / (this.width - this.margin.left - this.margin.right)) * (high - low);
  }

  unitY(px) {
    const { low, high } = this.spec.y;
    return low + ((this.height - this.margin.bottom - px) / (this.height - this.margin.top - this.margin.bottom)) * (high - low);
  }

  draw() {
    const width = this.host.clientWidth;
    if (!this.spec || !width) return;
    const { type, ratio, least, most } = SIZES[this.view.size ?? (presenting() ? "stage" : "screen")];
    this.type = type;
    this.margin = Object.fromEntries(Object.entries(MARGIN).map(([side, room]) => [side, room * type]));
    this.width = width;
    this.height = Math.round(Math.min(Math.max(width * ratio, least), most));
    this.svg.replaceChildren();
    this.svg.setAttribute("viewBox", `0 0 ${this.width} ${this.height}`);
    this.svg.style.height = `${this.height}px`;
    this.drawAxes();
    const layers = this.spec.layers.filter((layer) => !layer.after || this.view.revealed);
    for (const layer of layers) this[`draw_${layer.kind}`](layer);
    this.drawMine();
    this.svg.setAttribute("aria-label", `${this.spec.title}. ${this.describe(layers)}`);
    this.drawLegend(layers);
  }

  describe(layers) {
    const named = layers.filter((layer) => layer.name);
    return named
      .map((layer) => {
        const y = this.values(layer, "y");
        if (layer.kind === "points") return `${layer.name}: from ${Math.min(...y)} to ${Math.max(...y)}.`;
        return y.length ? `${layer.name}: from ${y[0]} to ${y[y.length - 1]}.` : `${layer.name}.`;
      })
      .join(" ");
  }

  drawAxes() {
    const { x, y } = this.spec;
    const { type } = this;
    const bottom = this.height - this.margin.bottom;
    for (const [index, tick] of y.ticks.entries()) {
      const at = this.y(tick);
      drawn(this.svg, "line", { x1: this.margin.left, x2: this.width - this.margin.right, y1: at, y2: at, class: "le-grid" });
      drawn(this.svg, "text", { x: this.margin.left - 8, y: at + 5 * type, "text-anchor": "end" }, y.names[index] ?? Number(tick.toFixed(3)));
    }
    drawn(this.svg, "line", { x1: this.margin.left, x2: this.width - this.margin.right, y1: bottom, y2: bottom, class: "le-axis" });
    // Names that would run into each other are left out, every other one.
    const longest = Math.max(...x.names.map((name) => name.length), 2) * CHARACTER * type;
    const room = (this.width - this.margin.left - this.margin.right) / Math.max(x.ticks.length, 1);
    const every = x.names.length && longest > room ? 2 : 1;
    x.ticks.forEach((tick, index) => {
      const name = x.names.length ? x.names[index] : Number(tick.toFixed(3));
      const low = type * (every > 1 && index % 2 ? 34 : 19); // in two rows
      drawn(this.svg, "text", { x: this.x(tick), y: bottom + low, "text-anchor": "middle" }, name);
    });
    if (x.title)
      drawn(this.svg, "text", { x: (this.margin.left + this.width - this.margin.right) / 2, y: this.height - 8 * type, "text-anchor": "middle", class: "le-title" }, x.title);
    const middle = (this.margin.top + bottom) / 2;
    drawn(this.svg, "text", { x: 14 * type, y: middle, transform: `rotate(-90 ${14 * type} ${middle})`, "text-anchor": "middle", class: "le-title le-upright" }, y.title);
  }

  // What a layer shows now: its own values, or those of the sliders' place.
  values(layer, name) {
    const all = layer[name];
    return Array.isArray(all[0]) ? all[this.view.place ?? 0] : all;
  }

  draw_line(layer) {
    const y = this.values(layer, "y");
    const points = this.values(layer, "x").map((x, i) => `${this.x(x).toFixed(1)},${this.y(y[i]).toFixed(1)}`);
    drawn(this.svg, "polyline", {
      points: points.join(" "), stroke: layer.colour, opacity: layer.opacity ?? 1, class: "le-line", "data-layer": layer.name,
      ...(layer.dashed ? { "stroke-dasharray": "5 5" } : {}),
    });
  }

  draw_band(layer) {
    const [x, low, high] = ["x", "y", "top"].map((name) => this.values(layer, name));
    const edge = (y, i) => `${this.x(x[i]).toFixed(1)},${this.y(y).toFixed(1)}`;
    const points = [...low.map(edge), ...high.map(edge).reverse()];
    drawn(this.svg, "polygon", { points: points.join(" "), fill: layer.colour, opacity: 0.22 });
  }

  draw_bars(layer) {
    const y = this.values(layer, "y");
    const zero = this.y(Math.max(this.spec.y.low, 0));
    this.values(layer, "x").forEach((x, i) => {
      const left = this.x(x + layer.shift - layer.width / 2);
      const right = this.x(x + layer.shift + layer.width / 2);
      const top = this.y(y[i]);
      drawn(this.svg, "rect", {
        x: left, width: right - left, y: Math.min(top, zero), height: Math.abs(zero - top), fill: layer.colour,
        "data-layer": layer.name, "data-value": y[i],
      });
      if (layer.printed !== null)
        drawn(this.svg, "text", { x: (left + right) / 2, y: Math.min(top, zero) - 6, "text-anchor": "middle", class: "le-value" }, y[i].toFixed(layer.printed));
    });
  }

  draw_star(layer) {
    const y = this.values(layer, "y");
    this.values(layer, "x").forEach((x, i) => {
      const at = [this.x(x), this.y(y[i])];
      const points = STAR.map((value, place) => value + at[place % 2]);
      drawn(this.svg, "polygon", { points: points.join(" "), fill: layer.colour, class: "le-star", "data-layer": layer.name, "data-x": x, "data-y": y[i] });
      if (layer.printed !== null)
        drawn(this.svg, "text", { x: at[0], y: at[1] - 13, "text-anchor": "middle", class: "le-value" }, y[i].toFixed(layer.printed));
    });
  }

  draw_points(layer) {
    const y = this.values(layer, "y");
    this.values(layer, "x").forEach((x, i) => {
      drawn(this.svg, "circle", { cx: this.x(x), cy: this.y(y[i]), r: layer.radius ?? 3, fill: layer.colour, opacity: 0.55, "data-layer": layer.name });
    });
  }

  draw_rule(layer) {
    for (const x of this.values(layer, "x"))
      drawn(this.svg, "line", {
        x1: this.x(x), x2: this.x(x), y1: this.margin.top, y2: this.height - this.margin.bottom, stroke: layer.colour, class: "le-rule",
        ...(layer.dashed ? { "stroke-dasharray": "4 4" } : {}),
      });
  }

  // The learner's answer: solid while it can be moved, a dashed ghost afterwards.
  drawMine() {
    const { kind, mine, at, open } = this.view;
    if (mine === undefined || mine === null) return;
    const state = { class: open ? "le-mine" : "le-mine le-ghost" };
    if (kind === "marker") {
      drawn(this.svg, "line", { x1: this.x(mine), x2: this.x(mine), y1: this.margin.top, y2: this.height - this.margin.bottom, ...state });
      drawn(this.svg, "text", { x: this.x(mine), y: this.margin.top + 10 * this.type, "text-anchor": mine > (this.spec.x.low + this.spec.x.high) / 2 ? "end" : "start", dx: mine > (this.spec.x.low + this.spec.x.high) / 2 ? -6 : 6, class: "le-value" }, "you");
    } else if (kind === "number") {
      const y = this.y(mine);
      drawn(this.svg, "line", { x1: this.margin.left, x2: this.width - this.margin.right, y1: y, y2: y, ...state });
      drawn(this.svg, "text", { x: this.width - this.margin.right, y: y - 6, "text-anchor": "end", class: "le-value" }, "you");
    } else if (kind === "curve") {
      const points = mine.map((y, i) => `${this.x(at[i])},${this.y(y)}`);
      drawn(this.svg, "polyline", { points: points.join(" "), ...state });
      mine.forEach((y, i) => drawn(this.svg, "circle", { cx: this.x(at[i]), cy: this.y(y), r: open ? 7 : 4, ...state }));
    } else if (kind === "bars") {
      const zero = this.y(Math.max(this.spec.y.low, 0));
      mine.forEach((y, i) => {
        const [left, right] = [this.x(at[i] - 0.32), this.x(at[i] + 0.32)];
        drawn(this.svg, "rect", { x: left, width: right - left, y: this.y(y), height: Math.max(zero - this.y(y), 0), ...state });
        if (open) drawn(this.svg, "line", { x1: left, x2: right, y1: this.y(y), y2: this.y(y), class: "le-handle" });
      });
    }
  }

  drawLegend(layers) {
    this.legend.replaceChildren(
      ...layers
        .filter((layer) => layer.name && layer.kind !== "points") // dots are named on their axis
        .map((layer) => {
          const item = document.createElement("span");
          item.style.setProperty("--c", layer.colour);
          item.className = `le-key le-${layer.kind}${layer.dashed ? " le-dashed" : ""}`;
          item.textContent = layer.name;
          return item;
        }),
    );
  }
}
