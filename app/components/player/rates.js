// Prompts by pass rate at the play head: bars of the run in focus, and what its estimator makes of a rate
// as a curve with a dot for each prompt; the other runs' curves are faint.

const RATE_BINS = 20;

class RateChart extends Chart {
  brim = 6;

  build(layer) {
    const { data, runs } = this.player;
    this.rates = data.passRates.map(floats);
    this.weights = data.rateWeights.map((byK) => Object.fromEntries(Object.entries(byK).map(([k, packed]) => [k, floats(packed)])));
    this.prompts = data.prompts;
    this.bars = Array.from({ length: RATE_BINS }, () => mark(layer, "rect", { class: "pk-rate-bar" }));
    this.curves = runs.map((run) => mark(layer, "path", { fill: "none", stroke: run.colour, "stroke-width": 2.5, class: "pk-rate-curve" }));
    this.dots = Array.from({ length: this.prompts }, () => mark(layer, "circle", { r: 5, class: "pk-ring pk-rate" }));
  }

  // w at a rate, between the points of the table in a straight line.
  weight(table, rate) {
    const place = clamp(rate, 0, 1) * (table.length - 1);
    const i = Math.min(Math.floor(place), table.length - 2);
    return mix(table[i], table[i + 1], place - i);
  }

  draw({ t }) {
    const { runs, focus } = this.player;
    runs.forEach((run, index) => {
      const table = this.weights[index][run.k[Math.min(t, run.length - 1)]];
      const points = Array.from(table, (w, i) => `${this.x(i / (table.length - 1)).toFixed(1)},${this.y(w).toFixed(1)}`);
      set(this.curves[index], { d: `M${points.join("L")}`, "stroke-opacity": index === focus ? 1 : 0.3 });
    });
    const run = runs[focus];
    const i = Math.min(t, run.length - 1);
    const rates = this.rates[focus].subarray(i * this.prompts, (i + 1) * this.prompts);
    const table = this.weights[focus][run.k[i]];
    const counts = new Array(RATE_BINS).fill(0);
    rates.forEach((rate, prompt) => {
      counts[Math.min(RATE_BINS - 1, Math.floor(rate * RATE_BINS))] += 1;
      const weight = this.weight(table, rate);
      set(this.dots[prompt], { cx: this.x(rate), cy: this.y(weight), fill: run.colour, "data-rate": rate, "data-weight": weight });
    });
    const { top, height } = this.box;
    this.bars.forEach((bar, bin) => {
      const tall = (counts[bin] / this.prompts) * height;
      const x = this.x(bin / RATE_BINS);
      set(bar, { x: x + 1, y: top + height - tall, width: this.x((bin + 1) / RATE_BINS) - x - 2, height: tall, fill: run.colour, "data-count": counts[bin] });
    });
  }
}
