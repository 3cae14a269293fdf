// The bandit's stage: an arm is a bar as high as its probability, in the colour of its reward; the
// draws of the run in focus stack beside it, so that a stack is as high as its share of the group.

const DOTS = [0.07, 0.47]; // where a stack of draws stands, of its arm's width from the middle
const LARGEST_DOT = 10;

class BanditStage extends Chart {
  build(layer) {
    const { data, runs } = this.player;
    this.lanes = data.lanes;
    this.arms = this.lanes[0].colours.length;
    this.laneOf = [];
    this.lanes.forEach((lane, index) => lane.prompts.forEach((prompt) => (this.laneOf[prompt] = index)));
    const each = (parent, name, attributes) =>
      this.lanes.flatMap((lane) =>
        lane.colours.map((fill, arm) => mark(parent, name, attributes({ fill, arm, prompt: lane.prompts[0] }))),
      );
    this.floors = this.lanes.map(() => mark(layer, "line", { class: "pk-floor" }));
    this.bars = each(layer, "rect", ({ fill, arm, prompt }) => ({
      class: "pk-arm",
      fill,
      "stroke-width": this.arms > 24 ? 1 : 2,
      "data-arm": arm,
      "data-prompt": prompt,
    }));
    this.before = each(layer, "line", () => ({ class: "pk-before" }));
    this.ticks = runs.map((run) =>
      each(layer, "line", ({ arm, prompt }) => ({
        class: "pk-tick",
        stroke: run.colour,
        "stroke-width": this.lanes.length > 1 ? 2 : 3,
        "data-arm": arm,
        "data-prompt": prompt,
      })),
    );
    this.samples = mark(layer, "g", { class: "pk-samples" });
    this.number = mark(layer, "text", { class: "pk-number" });
    this.turn();
  }

  // One circle for each sample of the run in focus.
  turn() {
    const { runs, focus } = this.player;
    this.samples.replaceChildren();
    this.dots = Array.from({ length: runs[focus].size }, () =>
      mark(this.samples, "circle", { class: "pk-sample" }),
    );
    for (const bar of this.bars) set(bar, { stroke: runs[focus].colour });
  }

  words(run, t) {
    const next = Math.min(t + 1, run.length - 1);
    return {
      exact: run.exactGradient[t].toPrecision(2),
      gradient: run.gradient[t].toPrecision(2),
      alignment: run.alignment[t].toFixed(2),
      compared_k: this.player.data.compared_k,
      reached: run.reached[t].toFixed(3),
      nextReached: run.reached[next].toFixed(3),
      atOne: run.atOne[t].toFixed(3),
      nextAtOne: run.atOne[next].toFixed(3),
    };
  }

  draw({ t, phase, done }) {
    const { runs, focus } = this.player;
    const slot = this.x(2) - this.x(1);
    const [from, to] = this.player.data.bar;
    const wide = slot * (to - from);
    this.lanes.forEach((lane, index) => {
      const { left, width } = this.box;
      const floor = this.y(lane.base);
      set(this.floors[index], { x1: left, x2: left + width, y1: floor, y2: floor });
    });
    runs.forEach((run, index) => {
      const i = Math.min(t, run.length - 1);
      const focused = index === focus;
      const moving = phase === 3 && focused && i + 1 < run.length;
      this.lanes.forEach((lane, place) => {
        const floor = this.y(lane.base);
        for (let arm = 0; arm < this.arms; arm++) {
          const at = (update) => run.probabilities[(update * this.player.data.prompts + lane.prompts[0]) * this.arms + arm];
          const chance = moving ? mix(at(i), at(i + 1), done) : at(i);
          const height = (probability) => floor - this.y(lane.base + lane.scale * probability);
          const x = this.x(arm + 1 + from);
          const y = floor - height(chance);
          const which = place * this.arms + arm;
          const tick = this.ticks[index][which];
          set(tick, { visibility: focused ? "hidden" : "visible" });
          if (!focused) {
            set(tick, { x1: x - 2, x2: x + wide + 2, y1: y, y2: y, "data-probability": chance });
            continue;
          }
          set(this.bars[which], { x, y, width: wide, height: height(chance), "data-probability": chance });
          const was = floor - height(at(i));
          set(this.before[which], { x1: x - 2, x2: x + wide + 2, y1: was, y2: was, visibility: moving ? "visible" : "hidden" });
        }
      });
      if (focused) this.drawSamples(run, i, phase, done, slot);
    });
  }

  drawSamples(run, i, phase, done, slot) {
    const perPrompt = run.size / this.player.data.prompts;
    const counts = this.lanes.map(() => new Array(this.arms).fill(0));
    const { sampleColour } = this.player.data;
    const room = slot * (DOTS[1] - DOTS[0]);
    let [heaviest, place] = [0, null];
    for (let j = 0; j < run.size; j++) {
      const index = i * run.size + j;
      const laneIndex = this.laneOf[Math.floor(j / perPrompt)];
      const lane = this.lanes[laneIndex];
      const arm = run.samples[index];
      const weight = run.weights[index];
      // A draw takes the same area everywhere; many stand side by side.
      const rise = (this.y(0) - this.y(lane.scale)) / (perPrompt * lane.prompts.length);
      const across = Math.max(1, Math.round(Math.sqrt(room / rise)));
      const cell = Math.min(room / across, 2 * LARGEST_DOT + 2);
      const radius = clamp(Math.min(rise * across, cell) / 2 - 0.5, 1.2, LARGEST_DOT);
      const count = counts[laneIndex][arm]++;
      const drop = phase === 0 ? (1 - done) * 24 : 0;
      const x = this.x(arm + 1 + DOTS[0]) + cell * ((count % across) + 0.5);
      const y = this.y(lane.base) - rise * across * (Math.floor(count / across) + 0.5) - drop;
      const weighed = phase === null || phase === 3 ? 1 : phase === 2 ? done : 0;
      const size = run.heaviest > 0 ? 0.75 + 0.25 * Math.sqrt(Math.abs(weight) / run.heaviest) : 0.75;
      const fill =
        weighed > 0
          ? this.player.weightColour(weight)
          : phase === 1 && done > 0
            ? sampleColour[Math.floor(j / perPrompt)][arm]
            : this.player.weightColour(0);
      set(this.dots[j], {
        cx: x,
        cy: y,
        r: radius * mix(0.75, size, weighed),
        fill,
        "fill-opacity": (phase === 0 ? done : 1) * (phase === 3 ? 0.45 : 0.95),
        "data-arm": arm,
        "data-weight": weight,
      });
      if (Math.abs(weight) > heaviest) [heaviest, place] = [Math.abs(weight), [x, y, weight]];
    }
    this.drawNumber(phase === 2 ? place : null);
  }
}
