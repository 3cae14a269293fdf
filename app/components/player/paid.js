// Who gets paid? The draws at the play head under two values of k: every draw's weight, the subsets in which
// the chosen draw is the best, and how many groups taught nothing so far. Weights and counts are the
// server's.

const PAID_HEIGHT = 178;
const PAID_ROWS = { high: 12, floor: 68, zero: 124, reach: 44 }; // rewards above, weights below
const SUBSET_ROW = 7; // pixels of a draw in the picture of the subsets
const SUBSET_COLUMN = 11; // at most, of a subset
const LESSONS = [
  "taught something",
  "taught nothing: all were wrong",
  "taught nothing: all were right",
  "taught nothing: all rewards were equal",
  "taught nothing: rewards differed, but no draw was missed in any subset",
];

class Paid {
  constructor(player, box) {
    this.player = player;
    this.chosen = null; // a place among the draws, by reward; null for the best
    this.ks = [null, null]; // null: 1, and the k in force when it was asked
    this.live = new Live(
      (said) => this.answered(said),
      (problem) => this.refused(problem),
    );
    this.box = document.createElement("details");
    this.box.className = "pk-paid";
    this.box.hidden = true;
    this.box.innerHTML = `<summary>Who gets paid? The same draws under two values of k</summary>
      <p class="pk-paid-said" role="status"></p>
      <div class="pk-paid-tools"><label class="pk-paid-prompt">Prompt <select aria-label="Prompt"></select></label>
        <label>Draw <input type="range" min="0" step="1" aria-label="Choose a draw"></label></div>
      <div class="pk-paid-pair"></div>
      <table><caption></caption><thead></thead><tbody></tbody></table>`;
    this.prompt = this.box.querySelector(".pk-paid-prompt select");
    this.slider = this.box.querySelector("input");
    this.said = this.box.querySelector(".pk-paid-said");
    this.table = this.box.querySelector("table");
    this.sides = [0, 1].map((side) => this.buildSide(side));
    this.prompt.addEventListener("change", () => this.draw());
    this.slider.addEventListener("input", () => this.choose(Number(this.slider.value)));
    this.box.addEventListener("toggle", () => {
      noteFor(this.box, this.box.open && "Who gets paid?");
      this.draw();
    });
    this.watch = new ResizeObserver(() => this.draw());
    this.watch.observe(this.box);
    box.append(this.box);
    this.button = document.createElement("button");
    Object.assign(this.button, { type: "button", className: "pk-paid-link", textContent: "Who gets paid?", hidden: true });
    this.button.addEventListener("click", () => this.open());
    box.querySelector(".pk-walk").append(this.button);
  }

  buildSide(side) {
    const figure = document.createElement("figure");
    figure.innerHTML = '<figcaption><label>k = <select></select></label></figcaption><p class="pk-paid-won"></p>';
    const select = figure.querySelector("select");
    select.setAttribute("aria-label", side ? "Second k" : "First k");
    select.addEventListener("change", () => {
      this.ks[side] = Number(select.value);
      this.draw();
    });
    const svg = document.createElementNS(SVG, "svg");
    set(svg, { class: "pk-paid-draws", height: PAID_HEIGHT, role: "img" });
    svg.addEventListener("click", (event) => {
      const { left, width } = svg.getBoundingClientRect();
      this.choose(clamp(Math.floor(((event.clientX - left) / width) * this.size), 0, this.size - 1));
    });
    const subsets = document.createElementNS(SVG, "svg");
    set(subsets, { class: "pk-paid-subsets", role: "img" });
    figure.querySelector("figcaption").after(svg);
    figure.append(subsets);
    this.box.querySelector(".pk-paid-pair").append(figure);
    return { figure, select, svg, subsets, won: figure.querySelector(".pk-paid-won") };
  }

  open() {
    this.box.open = true;
    this.box.scrollIntoView({ behavior: "smooth", block: "nearest" });
  }

  choose(place) {
    this.chosen = place;
    this.draw();
  }

  // --- Asking -----------------------------------------------------------------------------------------

  answered(said) {
    if (!this.live.newest) return;
    this.answer = said.map((one) => ({ ...one, weights: floats(one.weights), silences: floats(one.silences) }));
    this.draw();
  }

  refused(problem) {
    this.answer = null;
    this.said.textContent = problem;
  }

  ask(controls) {
    const { player } = this;
    const { address, task, runs } = controls.accepted;
    const offered = runs[Math.min(player.focus, runs.length - 1)].ks;
    const force = player.kAt(player.focus, Math.floor(player.position + 1e-9));
    const second = force > 1 ? force : (offered.findLast((k) => k <= 8) ?? 1);
    const standard = [offered[0], offered.includes(second) ? second : offered.at(-1)];
    const ks = this.ks.map((k, side) => (offered.includes(k) ? k : standard[side]));
    const asked = { task, ...address, run: Math.min(player.focus, runs.length - 1) };
    // An annealed k does not change the second while it plays.
    const settings = `${new URLSearchParams(asked)} ${this.ks}`;
    if (settings === this.settings) return;
    this.settings = settings;
    this.sides.forEach(({ select }, side) => {
      select.replaceChildren(...offered.map((k) => new Option(k, k)));
      select.value = ks[side];
    });
    this.live.ask(controls.routes.paid, `${new URLSearchParams({ ...asked, ks: ks.join() })}`);
  }

  // --- Drawing ----------------------------------------------------------------------------------------

  draw() {
    const { player } = this;
    const { controls } = player;
    this.box.hidden = this.button.hidden = !controls?.routes || !controls.accepted;
    if (this.box.hidden || !this.box.open || !player.runs) return;
    this.ask(controls);
    const run = player.runs[player.focus];
    if (!run || !this.answer || this.answer[0].weights.length !== run.weights.length) return;
    const prompts = player.data.prompts ?? 1;
    const t = Math.min(Math.floor(player.position + 1e-9), run.length - 1);
    if (this.prompt.options.length !== prompts)
      this.prompt.replaceChildren(...Array.from({ length: prompts }, (_, p) => new Option(p + 1, p)));
    this.prompt.parentElement.hidden = prompts < 2;
    this.size = run.size / prompts;
    const from = t * run.size + Number(this.prompt.value) * this.size;
    const rewards = run.rewards.subarray(from, from + this.size);
    const order = Array.from(rewards.keys()).sort((a, b) => rewards[a] - rewards[b] || a - b);
    const place = clamp(this.chosen ?? this.size - 1, 0, this.size - 1);
    const group = { rewards: order.map((i) => rewards[i]), place, at: t };
    group.others = group.rewards.filter((r) => r <= group.rewards[place]).length - 1;
    group.weights = this.answer.map(({ weights }) => order.map((i) => weights[from + i]));
    group.largest = Math.max(...group.weights.flat().map(Math.abs));
    set(this.slider, { max: this.size - 1, "aria-valuetext": `reward ${group.rewards[place].toFixed(3)}` });
    this.slider.value = place;
    this.sides.forEach((side, i) => {
      this.drawDraws(side, i, group);
      this.drawSubsets(side, i, group);
    });
    this.tell(group);
    this.count(t, prompts);
  }

  colour(k) {
    return this.player.data.kColours[k] ?? this.player.exact?.colours[k] ?? "currentColor";
  }

  drawDraws({ svg, won, figure }, i, { rewards, weights, largest, place, others }) {
    const { high, floor, zero, reach } = PAID_ROWS;
    const width = svg.clientWidth;
    const wide = width / this.size;
    const top = Math.max(...rewards, 1e-12);
    const low = Math.min(...rewards, 0);
    const { k, wins, subsets } = this.answer[i];
    figure.style.setProperty("--c", this.colour(k));
    if (svg.childElementCount !== 4 + 2 * this.size) {
      svg.replaceChildren();
      for (const name of ["rect", "line", "line"]) mark(svg, name);
      for (let j = 0; j < this.size; j++) mark(svg, "circle", { class: "pk-paid-draw" });
      for (let j = 0; j < this.size; j++) mark(svg, "rect", { class: "pk-paid-weight" });
      mark(svg, "text", { class: "pk-number" });
    }
    const nodes = svg.children;
    set(nodes[0], { class: "pk-paid-chosen", x: place * wide, y: 0, width: wide, height: PAID_HEIGHT });
    set(nodes[1], { class: "pk-floor", x1: 0, x2: width, y1: floor, y2: floor });
    set(nodes[2], { class: "pk-floor", x1: 0, x2: width, y1: zero, y2: zero });
    rewards.forEach((reward, j) => {
      const lit = reward <= rewards[place];
      const x = (j + 0.5) * wide;
      const weight = weights[i][j];
      set(nodes[3 + j], {
        cx: x,
        cy: mix(floor, high, (reward - low) / (top - low)),
        r: Math.min(5, wide / 2.2),
        fill: "var(--c)",
        "fill-opacity": lit ? 1 : 0.2,
        "data-lit": lit,
        "data-reward": reward,
      });
      const tall = largest > 0 ? (Math.abs(weight) / largest) * reach : 0;
      set(nodes[3 + this.size + j], {
        x: x - 0.36 * wide,
        width: 0.72 * wide,
        y: weight > 0 ? zero - tall : zero,
        height: Math.max(tall, weight === 0 ? 1.5 : 1),
        fill: this.player.weightColour(weight),
        "data-weight": weight,
      });
    });
    const weight = weights[i][place];
    const right = place * wide > width / 2;
    const number = nodes[3 + 2 * this.size];
    set(number, { x: (place + (right ? 0 : 1)) * wide + (right ? -4 : 4), y: PAID_HEIGHT - 3, "text-anchor": right ? "end" : "start" });
    number.textContent = `w = ${signed(weight)}`;
    const least = wins[others] === "0";
    const mates = k === 1 ? "itself alone" : least ? "too few draws are no better" : `itself and any ${k - 1} of the ${others} other lit draws`;
    won.textContent = `Best in ${wins[others]} of the ${subsets} subsets of ${k}: ${mates}.`;
    set(svg, { "aria-label": `Weights for k = ${k}, draws by reward: ${weights[i].map((w) => w.toPrecision(2)).join(", ")}` });
  }

  // Every subset as a column, where they are few; lit, where the chosen draw is the best.
  drawSubsets({ subsets: svg }, i, { rewards, place }) {
    const { listed, k } = this.answer[i];
    svg.classList.toggle("pk-paid-none", !listed.length);
    const wide = Math.min(SUBSET_COLUMN, svg.parentElement.clientWidth / Math.max(1, listed.length));
    set(svg, { height: listed.length ? this.size * SUBSET_ROW + 4 : 0 });
    svg.replaceChildren();
    listed.forEach((members, column) => {
      const best = members.includes(place) && members.every((j) => rewards[j] <= rewards[place]);
      const one = mark(svg, "g", { class: "pk-paid-subset", "data-best": best });
      for (const j of members)
        mark(one, "circle", {
          cx: (column + 0.5) * wide,
          cy: (this.size - j - 0.5) * SUBSET_ROW + 2,
          r: Math.min(wide, SUBSET_ROW) / 2 - 0.6,
          class: j === place ? "pk-paid-it" : "",
        });
    });
    set(svg, { "aria-label": `The ${listed.length} subsets of ${k}` });
  }

  // How much of what makes draws more likely goes to the best of them.
  tell({ rewards, weights, at }) {
    const best = rewards.findIndex((reward) => reward === rewards.at(-1));
    const up = (some) => some.reduce((sum, w) => sum + Math.max(w, 0), 0);
    const shares = this.answer.map(({ k }, i) => {
      const [all, its] = [up(weights[i]), up(weights[i].slice(best))];
      return all > 0 ? `${Math.round((100 * its) / all)}% for k = ${k}` : `nothing for k = ${k}, which pays nobody`;
    });
    const who = best === this.size - 1 ? "best one gets" : `${this.size - best} best get`;
    const text = `The same ${rewards.length} draws at update ${at}: of all push up, the ${who} ${shares.join(", and ")}.`;
    if (this.said.textContent !== text) this.said.textContent = text;
  }

  // Up to the play head: what the groups taught, under each k.
  count(t, prompts) {
    const counts = this.answer.map(({ silences }) => {
      const found = LESSONS.map(() => 0);
      for (const code of silences.subarray(0, (t + 1) * prompts)) found[code]++;
      return found;
    });
    const groups = (t + 1) * prompts;
    const shown = LESSONS.map((text, code) => [text, ...counts.map((found) => found[code])]).filter(
      ([, ...numbers], code) => code === 0 || numbers.some((number) => number > 0),
    );
    const key = JSON.stringify([shown, this.answer.map(({ k }) => k), groups]);
    if (this.counted === key) return;
    this.counted = key;
    this.table.caption.textContent = `Groups of ${this.size} drawn up to here: ${groups.toLocaleString("en")}`;
    const row = (part, cells, kind) => {
      const line = part.insertRow();
      for (const cell of cells) {
        const node = document.createElement(kind);
        node.textContent = typeof cell === "number" ? cell.toLocaleString("en") : cell;
        if (kind === "th") node.scope = "col";
        line.append(node);
      }
    };
    this.table.tHead.replaceChildren();
    this.table.tBodies[0].replaceChildren();
    row(this.table.tHead, ["A group that", ...this.answer.map(({ k }) => `k = ${k}`)], "th");
    for (const cells of shown) row(this.table.tBodies[0], cells, "td");
  }

  close() {
    this.live.close();
    this.watch.disconnect();
  }
}

const signed = (weight) => (weight === 0 ? "0" : `${weight > 0 ? "+" : "\u2212"}${Math.abs(weight).toPrecision(3)}`);
