// The problem itself, dragged on the stage: the points of the reward, or the arms' rewards and starting chances.
// While a handle moves, a route answers as for any other setting; the ghost shows what was before.

const WORLD_STEPS = 20; // at least so many steps of an arrow key over a scale
const FEW_HANDLES = 24; // each has room for its number

// A tidy step for a scale of that size.
const tidy = (size) => 10 ** Math.floor(Math.log10(size / WORLD_STEPS));
const rounded = (value, step) => Number((Math.round(value / step) * step).toPrecision(10));

// The points of a reward on a line.
class ShapeWorld {
  static kinds() {
    return { reward: "the reward" };
  }

  constructor(chart, { points, most }) {
    this.chart = chart;
    this.points = points;
    this.most = most; // so many points at most
    const { xaxis, yaxis } = chart.plot._fullLayout;
    [this.x, this.y] = [[...xaxis.range], [0, yaxis.range[1]]];
  }

  get numbers() {
    return { points: this.points, most: this.most };
  }

  get text() {
    return `points:${this.points.map((point) => point.join()).join(";")}`;
  }

  handles() {
    return this.points.map(([x, y], i) => ({
      px: this.chart.x(x),
      py: this.chart.y(y),
      label: `Point ${i + 1} of the reward`,
      range: [0, this.y[1]],
      value: y,
      said: `reward ${y} at x = ${x}`,
      shown: `${y}`,
    }));
  }

  steps() {
    return [tidy((this.x[1] - this.x[0]) / 5), tidy(this.y[1])];
  }

  // At a place of the chart, between its neighbours.
  moved(i, px, py) {
    const { xaxis, yaxis } = this.chart.plot._fullLayout;
    return this.put(i, xaxis.p2d(px - xaxis._offset), yaxis.p2d(py - yaxis._offset));
  }

  nudged(i, dx, dy) {
    const [x, y] = this.points[i];
    const [sx, sy] = this.steps();
    return this.put(i, x + dx * sx, y + dy * sy);
  }

  put(i, x, y) {
    const [sx, sy] = this.steps();
    const left = this.points[i - 1]?.[0] ?? this.x[0];
    const right = this.points[i + 1]?.[0] ?? this.x[1];
    this.points = this.points.with(i, [clamp(rounded(x, sx), left, right), clamp(rounded(y, sy), 0, this.y[1])]);
  }

  // A new point at a place of the chart; its index, or -1 where there is no room for one.
  add(px, py) {
    const { xaxis, yaxis } = this.chart.plot._fullLayout;
    return this.insert(xaxis.p2d(px - xaxis._offset), yaxis.p2d(py - yaxis._offset));
  }

  // Half way from a point to the next; from the last one, to the one before.
  addAfter(i) {
    const [from, to] = [this.points[i], this.points[i + 1] ?? this.points[i - 1]];
    return this.insert((from[0] + to[0]) / 2, (from[1] + to[1]) / 2);
  }

  // In the middle of the widest gap.
  addSomewhere() {
    const gaps = this.points.slice(1).map(([x], i) => x - this.points[i][0]);
    return this.addAfter(gaps.indexOf(Math.max(...gaps)));
  }

  insert(x, y) {
    if (this.points.length >= this.most) return -1;
    const [sx, sy] = this.steps();
    const point = [clamp(rounded(x, sx), ...this.x), clamp(rounded(y, sy), 0, this.y[1])];
    const after = this.points.findIndex(([other]) => other > point[0]);
    const i = after < 0 ? this.points.length : after;
    this.points = this.points.toSpliced(i, 0, point);
    return i;
  }

  // Whether a point can go: two are left, and they span a width.
  canLose(i) {
    if (i < 0 || i >= this.points.length) return false;
    const left = this.points.toSpliced(i, 1);
    return left.length >= 2 && left.at(-1)[0] > left[0][0];
  }

  remove(i) {
    if (this.canLose(i)) this.points = this.points.toSpliced(i, 1);
  }

  outline() {
    const points = this.points.map(([x, y]) => `${this.chart.x(x)},${this.chart.y(y)}`);
    const floor = this.chart.y(0);
    return `M${this.chart.x(this.points[0][0])},${floor}L${points.join("L")}V${floor}`;
  }
}

// The arms: what they pay, or how likely each is at the start.
class ArmsWorld {
  // Rewards that differ between prompts have no one bar where these share a lane.
  static kinds({ rewards }, { lanes }) {
    const clear = lanes.every(({ prompts }) => prompts.every((p) => `${rewards[p]}` === `${rewards[prompts[0]]}`));
    return { ...(clear && { rewards: "the rewards" }), start: "the starting chances" };
  }

  constructor(chart, { rewards, start }, kind) {
    Object.assign(this, { chart, rewards, start, kind });
    const all = rewards.flat();
    const high = Math.max(1, ...all);
    this.range = kind === "start" ? [0, 1] : [Math.min(0, ...all), high > 1 ? 1.2 * high : 1];
  }

  get numbers() {
    return { rewards: this.rewards, start: this.start };
  }

  get text() {
    const alike = this.start.every((chance) => Math.abs(chance - this.start[0]) < 1e-9);
    const rows = this.rewards.map((row) => row.join()).join(";");
    return `arms:${rows}${alike ? "" : `@${this.start.map((chance) => Number(chance.toPrecision(4))).join()}`}`;
  }

  // A handle for every arm; for rewards, in every lane.
  places() {
    const { lanes } = this.chart.player.data;
    const shown = this.kind === "start" ? lanes.slice(0, 1) : lanes;
    return shown.flatMap((lane) => lane.colours.map((_, arm) => ({ lane, arm })));
  }

  valueAt({ lane, arm }) {
    return this.kind === "start" ? this.start[arm] : this.rewards[lane.prompts[0]][arm];
  }

  height(lane, value) {
    const [low, high] = this.range;
    return this.chart.y(lane.base + (lane.scale * (value - low)) / (high - low));
  }

  middle(arm) {
    const [from, to] = this.chart.player.data.bar;
    return this.chart.x(arm + 1 + (from + to) / 2);
  }

  handles() {
    const { lanes } = this.chart.player.data;
    return this.places().map((place) => {
      const { lane, arm } = place;
      const value = this.valueAt(place);
      const at = this.kind === "rewards" && lanes.length > 1 ? ` at prompt ${lane.prompts[0] + 1}` : "";
      const name = this.kind === "start" ? "Starting chance" : "Reward";
      return {
        px: this.middle(arm),
        py: this.height(lane, value),
        label: `${name} of arm ${arm + 1}${at}`,
        range: this.range,
        value,
        said: `${name.toLowerCase()} ${Number(value.toPrecision(3))}`,
        shown: `${Number(value.toPrecision(this.kind === "start" ? 2 : 3))}`,
      };
    });
  }

  moved(i, px, py) {
    const { lane } = this.places()[i];
    const [low, high] = this.range;
    const [floor, top] = [this.height(lane, low), this.height(lane, high)];
    return this.put(i, mix(low, high, (floor - py) / (floor - top)));
  }

  nudged(i, dx, dy) {
    return this.put(i, this.valueAt(this.places()[i]) + dy * tidy(this.range[1] - this.range[0]));
  }

  put(i, value) {
    const { lane, arm } = this.places()[i];
    const step = tidy(this.range[1] - this.range[0]);
    if (this.kind === "rewards") {
      const reward = clamp(rounded(value, step), ...this.range);
      this.rewards = this.rewards.map((row, p) => (lane.prompts.includes(p) ? row.with(arm, reward) : row));
      return;
    }
    const chance = clamp(rounded(value, step), step, 1 - step); // the others share the rest as before
    const rest = (1 - chance) / (1 - this.start[arm]);
    this.start = this.start.map((other, j) => (j === arm ? chance : other * rest));
  }

  outline() {
    const { bar } = this.chart.player.data;
    const wide = (this.chart.x(2) - this.chart.x(1)) * (bar[1] - bar[0]);
    return this.places()
      .map((place) => {
        const x = this.middle(place.arm) - wide / 2;
        const floor = this.height(place.lane, Math.max(0, this.range[0]));
        const top = this.height(place.lane, this.valueAt(place));
        return `M${x},${floor}V${top}h${wide}V${floor}`;
      })
      .join("");
  }
}

const WORLDS = { hill: ShapeWorld, bandit: ArmsWorld };

class World {
  constructor(player, controls) {
    this.player = player;
    this.controls = controls;
    this.kind = null;
    this.chosen = -1; // a point, by its place
    this.taps = new DoubleTap();
    this.tools = document.createElement("div");
    this.tools.className = "pk-worlds";
    this.svg = document.createElementNS(SVG, "svg");
    set(this.svg, { class: "pk-world", role: "group", "aria-label": "The problem, to drag" });
    this.ghost = mark(this.svg, "path", { class: "pk-world-ghost", fill: "none", "aria-hidden": "true" });
    this.outline = mark(this.svg, "path", { class: "pk-world-now", fill: "none", "aria-hidden": "true" });
    this.edge = mark(this.svg, "path", { class: "pk-world-edge", fill: "none", "aria-hidden": "true" });
    this.edge.addEventListener("click", (event) => {
      const { x, y } = this.place(event);
      this.add((world) => world.add(x, y));
    });
    this.layer = mark(this.svg, "g");
    this.svg.addEventListener("pointerdown", (event) => this.grab(event));
    this.svg.addEventListener("pointermove", (event) => this.drag(event));
    for (const name of ["pointerup", "pointercancel"])
      this.svg.addEventListener(name, () => this.release());
    this.svg.addEventListener("keydown", (event) => this.key(event));
    this.svg.addEventListener("focusin", (event) => {
      this.chosen = [...this.layer.children].indexOf(event.target.closest(".pk-point"));
      this.remember();
      this.drawTools();
    });
    this.svg.addEventListener("focusout", ({ relatedTarget: to }) => {
      // A chart drawn anew loses the focus to nothing, and the buttons are for the chosen point.
      if (!to || this.svg.contains(to) || this.tools.contains(to)) return;
      this.chosen = -1;
      this.drawTools();
    });
  }

  // An assignment's link may keep the problem as it is.
  allow(may) {
    this.tools.hidden = !may;
    if (!may && this.kind) this.choose(null);
  }

  get stage() {
    return this.player.ready()[0];
  }

  // What the page or the route says of the problem.
  show(problem, numbers) {
    this.field = problem;
    this.numbers = numbers;
    if (this.held === undefined) this.world = null;
    this.draw();
  }

  buildTools(kinds) {
    const names = Object.keys(kinds);
    if (`${[...this.tools.querySelectorAll("[data-world]")].map(({ dataset }) => dataset.world)}` === `${names}`) return;
    const button = (textContent, act) => {
      const made = Object.assign(document.createElement("button"), { type: "button", textContent });
      made.addEventListener("click", act);
      return made;
    };
    this.more = button("Add a point", () => this.add((world) => world.addSomewhere()));
    this.less = button("Remove the point", () => this.remove(this.chosen));
    for (const made of [this.more, this.less])
      made.addEventListener("pointerdown", (event) => event.preventDefault()); // the chosen point stays so
    this.tools.replaceChildren(
      ...names.map((kind) => {
        const made = button(`Drag ${kinds[kind]}`, () => this.choose(this.kind === kind ? null : kind));
        made.dataset.world = kind;
        return made;
      }),
      this.more,
      this.less,
    );
  }

  drawTools() {
    const points = this.kind && this.world?.insert;
    this.more.hidden = this.less.hidden = !points;
    if (!points) return;
    this.more.disabled = this.world.points.length >= this.world.most;
    this.less.disabled = !this.world.canLose(this.chosen);
  }

  choose(kind) {
    this.kind = kind;
    this.chosen = -1;
    this.world = this.past = null;
    this.player.root.classList.toggle("pk-dragging-world", Boolean(kind));
    noteFor(this.tools, kind && "Drag the problem");
    this.player.draw();
  }

  // --- A hand -----------------------------------------------------------------------------------------

  remember() {
    if (this.held === undefined && this.world) this.past = this.world.numbers;
  }

  grab(event) {
    if (!event.target.closest(".pk-point")) return;
    this.remember();
    const { x, y } = this.place(event);
    const far = this.world.handles().map(({ px, py }) => Math.hypot(px - x, py - y)); // they may overlap
    const nearest = far.indexOf(Math.min(...far));
    if (this.taps.isSecond(nearest)) {
      event.preventDefault();
      return this.remove(nearest);
    }
    this.held = nearest;
    const { xaxis, yaxis } = this.stage.plot._fullLayout;
    this.stage.hold = { xaxis: [...xaxis.range], yaxis: [...yaxis.range] }; // what is under the hand stays there
    this.svg.setPointerCapture(event.pointerId);
    this.layer.children[this.held].focus();
    event.preventDefault();
  }

  // A point more, and one less; what the reward was stays as the ghost.
  add(insert) {
    if (!this.world?.insert) return;
    this.remember();
    let i = -1;
    this.take(() => (i = insert(this.world)), true);
    if (i >= 0) this.layer.children[i].focus();
  }

  remove(i) {
    if (!this.world?.insert || !this.world.canLose(i)) return;
    this.remember();
    this.take(() => this.world.remove(i), true);
    this.layer.children[Math.min(i, this.layer.childElementCount - 1)].focus();
  }

  place(event) {
    const { left, top } = this.svg.getBoundingClientRect();
    return { x: event.clientX - left, y: event.clientY - top };
  }

  drag(event) {
    if (this.held === undefined) return;
    if (event.movementX || event.movementY) this.taps.forget();
    const { x, y } = this.place(event);
    this.take(() => this.world.moved(this.held, x, y), false);
  }

  release() {
    if (this.held === undefined) return;
    this.held = undefined;
    for (const chart of this.player.charts) chart.hold = null;
    if (this.changed) this.write(true);
    this.changed = false;
    this.stage?.reach();
  }

  key(event) {
    const handle = event.target.closest(".pk-point");
    const far = event.shiftKey ? 10 : 1;
    const move = { ArrowUp: [0, far], ArrowDown: [0, -far], ArrowLeft: [-far, 0], ArrowRight: [far, 0] }[event.key];
    if (!handle || !this.world) return;
    const i = [...this.layer.children].indexOf(handle);
    const points = this.world.insert;
    if (points && (event.key === "Delete" || event.key === "Backspace")) this.remove(i);
    else if (points && event.key === "Insert") this.add((world) => world.addAfter(i));
    else if (move) {
      this.remember();
      this.take(() => this.world.nudged(i, ...move), true);
    } else return;
    event.preventDefault();
    event.stopPropagation();
  }

  take(move, done) {
    const before = this.world.text;
    move();
    this.draw();
    if (this.world.text === before) return;
    this.changed = !done;
    this.write(done);
  }

  write(done) {
    this.player.exact = null; // of the problem as it was
    this.controls.asked = "";
    this.controls.write(this.field, this.world.text, done);
  }

  // --- Drawing ----------------------------------------------------------------------------------------

  draw() {
    const chart = this.stage;
    const Kind = chart && WORLDS[chart.spec.kind];
    if (!this.numbers || !Kind) return;
    const kinds = Kind.kinds(this.numbers, chart.player.data);
    if (this.kind && !(this.kind in kinds)) return this.choose(null);
    this.buildTools(kinds);
    for (const button of this.tools.querySelectorAll("[data-world]")) button.setAttribute("aria-pressed", button.dataset.world === this.kind);
    this.svg.classList.toggle("pk-world-off", !this.kind);
    this.drawTools();
    if (!this.kind) return;
    if (this.svg.parentElement !== chart.figure.querySelector(".pk-box")) chart.figure.querySelector(".pk-box").append(this.svg);
    if (this.held === undefined && this.built !== chart.built) this.world = null; // other scales
    this.built = chart.built;
    this.world ??= new Kind(chart, this.numbers, this.kind);
    set(this.outline, { d: this.world.outline() });
    set(this.edge, { d: this.world.insert ? this.world.outline() : "" });
    set(this.ghost, { d: this.past ? new Kind(chart, this.past, this.kind).outline() : "" });
    const handles = this.world.handles();
    if (this.layer.childElementCount !== handles.length) this.layer.replaceChildren(...handles.map(() => this.handle()));
    handles.forEach(({ px, py, label, range, value, said, shown }, i) => {
      const node = this.layer.children[i];
      set(node, {
        transform: `translate(${px} ${py})`,
        "aria-label": label,
        "aria-valuemin": range[0],
        "aria-valuemax": range[1],
        "aria-valuenow": value,
        "aria-valuetext": said,
      });
      node.lastChild.textContent = handles.length <= FEW_HANDLES || i === this.held ? shown : "";
    });
    if (handles[this.chosen] && document.activeElement === document.body) this.layer.children[this.chosen].focus();
    this.drawTools();
  }

  handle() {
    const node = mark(this.layer, "g", { class: "pk-point", role: "slider", tabindex: 0, "aria-orientation": "vertical" });
    mark(node, "circle", { r: 16, fill: "transparent" });
    mark(node, "circle", { r: 6.5, class: "pk-ring pk-world-handle" });
    mark(node, "text", { class: "pk-number", y: -12, "text-anchor": "middle" });
    return node;
  }
}
