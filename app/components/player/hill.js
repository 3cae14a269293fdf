// The toy problem's stage: bells on a reward, draws that rise to what they earn, an arrow to climb along.

const BELL = Array.from({ length: 61 }, (_, i) => -3.6 + 0.12 * i);
const BELL_PATH = "M" + BELL.map((z) => `${z},${-Math.exp((-z * z) / 2)}`).join("L");

const STAR = Array.from({ length: 10 }, (_, i) => [(i % 2 ? 5 : 12) * Math.sin((Math.PI * i) / 5), (i % 2 ? -5 : -12) * Math.cos((Math.PI * i) / 5)]);
const STAR_PATH = `M${STAR.map((point) => point.join()).join("L")}Z`;

class HillStage extends Chart {
  build(layer) {
    const { data, runs } = this.player;
    this.grid = floats(data.grid);
    this.values = {};
    for (const [k, values] of Object.entries(data.curves)) this.values[k] = floats(values);
    this.curve = mark(layer, "path", { fill: "none", "stroke-width": 4.5, "stroke-opacity": 0.9, class: "pk-max-at-k" });
    this.star = mark(layer, "path", { d: STAR_PATH, class: "pk-ring pk-star" });
    this.bells = runs.map((run) =>
      mark(layer, "path", {
        d: BELL_PATH,
        fill: run.colour,
        stroke: run.colour,
        "stroke-width": 2,
        "vector-effect": "non-scaling-stroke",
      }),
    );
    this.samples = mark(layer, "g", { class: "pk-samples" });
    this.turn();
    this.drops = runs.map((run) =>
      mark(layer, "line", { stroke: run.colour, "stroke-width": 1.5, "stroke-dasharray": "3 3" }),
    );
    this.stands = runs.map((run) =>
      mark(layer, "circle", { r: 8, fill: run.colour, class: "pk-ring pk-stand" }),
    );
    this.exactArrow = mark(layer, "path", { class: "pk-exact", fill: "none", "stroke-width": 3 });
    this.arrow = mark(layer, "path", { fill: "none", "stroke-width": 4 });
    this.number = mark(layer, "text", { class: "pk-number" });
  }

  place() {
    super.place();
    this.paths = {};
    for (const [k, values] of Object.entries(this.values)) {
      this.paths[k] = this.pathOf(this.grid, values);
    }
    this.drawnK = null;
  }

  pathOf(grid, values) {
    return "M" + Array.from(grid, (x, i) => `${this.x(x).toFixed(1)},${this.y(values[i]).toFixed(1)}`).join("L");
  }

  // One circle for each sample of the run in focus.
  turn() {
    this.samples.replaceChildren();
    const { size } = this.player.runs[this.player.focus];
    this.dots = Array.from({ length: size }, () => mark(this.samples, "circle", { class: "pk-sample" }));
    this.drawnK = null;
  }

  words(run, t) {
    return {
      theta: run.theta[t].toFixed(3),
      next: run.theta[Math.min(t + 1, run.length - 1)].toFixed(3),
      sigma: run.sigma[t].toPrecision(2),
      gradient: run.gradient[t].toFixed(3),
      exact: run.exact[t].toFixed(3),
    };
  }

  draw({ t, phase, done }) {
    const floor = this.y(0);
    const tall = this.box.height * 0.24;
    this.player.runs.forEach((run, index) => {
      const i = Math.min(t, run.length - 1);
      const focused = index === this.player.focus;
      const moving = phase === 3 && focused && i + 1 < run.length;
      const at = (values) => (moving ? mix(values[i], values[i + 1], done) : values[i]);
      const theta = at(run.theta);
      const sigma = at(run.sigma);
      const wide = this.x(theta + sigma) - this.x(theta);
      set(this.bells[index], {
        transform: `translate(${this.x(theta)} ${floor}) scale(${wide} ${Math.min((tall * run.sigma[0]) / sigma, this.box.height * 0.9)})`,
        "fill-opacity": focused ? 0.22 : 0.05,
        "stroke-opacity": focused ? 1 : 0.55,
      });
      const worth = this.player.liveK !== null && focused ? this.player.exact?.value(this.player.liveK, theta) : null;
      const [x, y] = [this.x(theta), this.y(worth ?? at(run.value))];
      const { left, width } = this.box;
      set(this.stands[index], {
        cx: clamp(x, left + 9, left + width - 9), // a policy far away waits at the edge
        cy: y,
        "fill-opacity": x < left || x > left + width ? 0.35 : 1,
        "data-theta": theta,
        "data-k": this.player.kAt(index, t),
      });
      set(this.drops[index], { x1: x, x2: x, y1: floor, y2: y });
      if (focused) {
        this.drawCurve(this.player.kAt(index, t));
        this.drawSamples(run, i, phase, done);
        this.drawArrows(run, i, phase, done);
      }
    });
  }

  // max@k of a k and its best θ: those of the recording, or of the table that has every k.
  drawCurve(k) {
    const { exact } = this.player;
    const known = `${k} ${exact ? "exact" : ""}`;
    if (this.drawnK === known) return;
    const table = exact?.curve(k);
    const d = this.paths[k] ?? (table && this.pathOf(exact.grid, table));
    if (!d) return;
    this.drawnK = known;
    const stroke = this.player.data.colours[k] ?? exact.colours[k];
    set(this.curve, { d, stroke, "data-k": k });
    const star = exact?.stars[k];
    set(this.star, { visibility: star ? "visible" : "hidden" });
    if (!star) return;
    const [theta, value] = star;
    set(this.star, {
      transform: `translate(${this.x(theta)} ${this.y(value)})`,
      fill: stroke,
      "data-k": k,
      "data-theta": theta,
      "data-value": value,
    });
  }

  // What the policy in focus is worth, and could be, in words.
  worth(t) {
    const { exact, focus, runs } = this.player;
    const run = runs[focus];
    const i = Math.min(t, run.length - 1);
    const k = this.player.kAt(focus, t);
    const value = (this.player.liveK !== null ? exact?.value(k, run.theta[i]) : null) ?? run.value[i];
    const best = exact?.stars[k];
    return `max@${k} = ${value.toFixed(3)}${best ? ` \u00b7 best ${best[1].toFixed(3)}` : ""}`;
  }

  drawSamples(run, i, phase, done) {
    const floor = this.y(0);
    let [heaviest, place] = [0, null];
    for (let j = 0; j < run.size; j++) {
      const index = i * run.size + j;
      const weight = run.weights[index];
      const rise = phase === 0 ? 0 : phase === 1 ? done : 1;
      const weighed = phase === null || phase === 3 ? 1 : phase === 2 ? done : 0;
      const [x, y] = [this.x(run.samples[index]), mix(floor, this.y(run.rewards[index]), rise)];
      const size = run.heaviest > 0 ? 3 + 12 * Math.sqrt(Math.abs(weight) / run.heaviest) : 3;
      set(this.dots[j], {
        cx: x,
        cy: y,
        r: mix(4.5, size, weighed),
        fill: this.player.weightColour(weighed === 0 ? 0 : weight),
        "fill-opacity": (phase === 0 ? done : 1) * (phase === 3 ? 0.45 : 0.85),
      });
      if (Math.abs(weight) > heaviest) [heaviest, place] = [Math.abs(weight), [x, y, weight]];
    }
    this.drawNumber(phase === 2 ? place : null);
  }

  // In the update phase: the estimate as an arrow from the policy's peak, the exact gradient beside it.
  drawArrows(run, i, phase, done) {
    if (phase !== 3) {
      this.arrow.removeAttribute("d");
      this.exactArrow.removeAttribute("d");
      return;
    }
    const x = this.x(run.theta[i]);
    const y = this.y(0) - this.box.height * 0.24;
    const arrow = (gradient, lift) => {
      const reach = clamp(gradient * 45, -160, 160) * done;
      const tip = x + reach;
      const barb = Math.sign(reach) * Math.min(9, Math.abs(reach));
      return `M${x},${y - lift}H${tip}m${-barb},-6L${tip},${y - lift}l${-barb},6`;
    };
    set(this.arrow, { d: arrow(run.gradient[i], 10), stroke: run.colour });
    set(this.exactArrow, { d: arrow(run.exact[i], 26) });
  }
}
