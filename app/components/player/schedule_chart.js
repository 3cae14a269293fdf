// The schedule of k as a chart whose points are dragged. It edits pieces, as the server parsed them:
// { first, last, start, end, shape }, with shape null for a k that holds. How k runs between the points is
// not computed here: the path is that of the recording.

const SCHEDULE_HEIGHT = 150;
const SCHEDULE_EDGE = { left: 34, right: 14, top: 14, bottom: 26 };

// The text form of pieces, as pkpo.schedules prints it.
function scheduleText(pieces) {
  if (pieces.length === 1 && !pieces[0].shape) return `${pieces[0].first}`;
  return pieces
    .map(({ first, last, start, end, shape }) =>
      shape ? `${shape}:${first}->${last}@${start ? `${start}..` : ""}${end}` : `${first}@${start}`,
    )
    .join();
}

const holding = (k, start) => ({ first: k, last: k, start, end: start, shape: null });

function pieceAt(pieces, update) {
  return pieces.findLastIndex((piece, i) => i === 0 || piece.start <= update);
}

// From an update on, k holds; what was before stays.
function steered(pieces, update, k) {
  const before = pieces.filter((piece) => piece.start < update);
  if (!before.length && update > 0) before.push(holding(pieces[0].first, 0)); // a ramp that starts later
  const held = before.at(-1);
  if (held && (held.shape ? held.end <= update : true) && held.last === k) return before;
  return [...before, holding(k, update)];
}

// Another shape for a piece: a step becomes a ramp to the next point, or down to 1 at the end of the run.
function reshaped(pieces, index, shape, steps) {
  const piece = pieces[index];
  const next = pieces[index + 1];
  const others = (...put) => [...pieces.slice(0, index), ...put];
  if (piece.shape && shape) return [...others({ ...piece, shape }), ...pieces.slice(index + 1)];
  if (piece.shape) {
    const rest = next && next.start <= piece.end ? [] : [holding(piece.last, piece.end)];
    return [...others(holding(piece.first, piece.start), ...rest), ...pieces.slice(index + 1)];
  }
  if (!shape) return pieces;
  const last = next ? next.first : piece.first > 1 ? 1 : 2;
  const end = next ? next.start : Math.max(steps, piece.start + 1);
  return [...others({ ...piece, last, end, shape }), ...pieces.slice(index + (next && !next.shape ? 2 : 1))];
}

function without(pieces, index) {
  const left = pieces.filter((_, i) => i !== index);
  if (index === 0) left[0] = left[0].shape ? { ...left[0], start: 0 } : holding(left[0].first, 0);
  return left;
}

class ScheduleChart {
  // `changed(pieces, done)` is called while a point moves, and at the end.
  constructor(box, changed) {
    this.changed = changed;
    this.selected = 0;
    this.taps = new DoubleTap();
    this.svg = mark(box, "svg", { class: "pk-plan", height: SCHEDULE_HEIGHT, role: "group", "aria-label": "Schedule of k" });
    this.axes = mark(this.svg, "g", { class: "pk-plan-axes", "aria-hidden": "true" });
    this.path = mark(this.svg, "path", { class: "pk-plan-path", fill: "none" });
    this.head = mark(this.svg, "line", { class: "pk-head" });
    this.layer = mark(this.svg, "g");
    this.tools = document.createElement("div");
    this.tools.className = "pk-plan-tools";
    box.append(this.tools);
    this.svg.addEventListener("click", (event) => this.click(event));
    this.svg.addEventListener("pointerdown", (event) => this.grab(event));
    this.svg.addEventListener("pointermove", (event) => this.drag(event));
    for (const name of ["pointerup", "pointercancel"])
      this.svg.addEventListener(name, () => this.release());
    this.svg.addEventListener("keydown", (event) => this.key(event));
    this.svg.addEventListener("focusin", (event) => {
      const index = Number(event.target.dataset.piece ?? this.selected);
      if (index === this.selected) return;
      this.selected = index;
      this.draw();
    });
    this.watch = new ResizeObserver(() => this.draw());
    this.watch.observe(this.svg);
  }

  // What to show: pieces, the recorded k, the run's length, the largest k, the shapes and the run's colour.
  show(shown) {
    this.shown = shown;
    this.pieces = shown.pieces;
    this.selected = Math.min(this.selected, this.pieces.length - 1);
    this.draw();
  }

  edit(pieces, done) {
    this.pieces = pieces;
    this.selected = clamp(this.selected, 0, pieces.length - 1);
    this.draw();
    this.changed(pieces, done);
  }

  // --- Places ------------------------------------------------------------------------------------

  x(update) {
    const { left, right } = SCHEDULE_EDGE;
    return left + (update / this.shown.steps) * (this.width - left - right);
  }

  y(k) {
    const { top, bottom } = SCHEDULE_EDGE;
    return top + (1 - Math.log(k) / Math.log(this.top)) * (SCHEDULE_HEIGHT - top - bottom);
  }

  place(event) {
    const { left, right, top, bottom } = SCHEDULE_EDGE;
    const box = this.svg.getBoundingClientRect();
    const along = (event.clientX - box.left - left) / (this.width - left - right);
    const up = 1 - (event.clientY - box.top - top) / (SCHEDULE_HEIGHT - top - bottom);
    return {
      update: clamp(Math.round(along * this.shown.steps), 0, this.shown.steps),
      k: clamp(Math.round(Math.exp(up * Math.log(this.top))), 1, this.top),
    };
  }

  // The points that can be moved: where a piece begins, and where a ramp that is not cut ends.
  points() {
    return this.pieces.flatMap((piece, index) => {
      const begin = { index, side: "start", update: piece.start, k: piece.first };
      const cut = this.pieces[index + 1]?.start < piece.end || piece.end > this.shown.steps;
      if (!piece.shape || cut) return [begin];
      return [begin, { index, side: "end", update: piece.end, k: piece.last }];
    });
  }

  // --- A hand ------------------------------------------------------------------------------------

  // The pieces with one point moved, as far as its neighbours allow.
  moved(index, side, update, k) {
    const pieces = this.pieces.map((piece) => ({ ...piece }));
    const piece = pieces[index];
    const before = pieces[index - 1];
    const next = pieces[index + 1];
    if (side === "end") {
      piece.last = k;
      piece.end = clamp(update, piece.start + 1, next ? next.start : this.shown.steps);
      return pieces;
    }
    const fixed = index === 0 && !piece.shape;
    const low = before ? before.start + 1 : 0;
    const high = piece.shape ? piece.end - 1 : next ? next.start - 1 : this.shown.steps;
    const start = fixed ? 0 : clamp(update, low, Math.max(low, high));
    Object.assign(piece, { start, first: k });
    if (!piece.shape) Object.assign(piece, { end: start, last: k });
    return pieces;
  }

  grab(event) {
    const handle = event.target.closest(".pk-point");
    if (!handle) return;
    const [index, side] = [Number(handle.dataset.piece), handle.dataset.side];
    this.selected = index;
    if (this.taps.isSecond(`${index} ${side}`)) {
      this.spent = true;
      event.preventDefault();
      return this.remove(index, side);
    }
    this.held = { index, side, moved: false };
    this.svg.setPointerCapture(event.pointerId);
    this.draw();
    this.focus();
    event.preventDefault();
  }

  drag(event) {
    if (!this.held) return;
    const { index, side } = this.held;
    const { update, k } = this.place(event);
    const pieces = this.moved(index, side, update, k);
    if (scheduleText(pieces) === scheduleText(this.pieces)) return;
    this.held.moved = true;
    this.taps.forget();
    this.edit(pieces, false);
  }

  release() {
    if (this.spent) this.over = performance.now(); // the finger that took a point away adds none as it rises
    this.spent = false;
    if (!this.held) return;
    const { moved } = this.held;
    this.held = null;
    this.over = performance.now();
    if (moved) this.changed(this.pieces, true);
  }

  // On an empty place: a new point. The click that ends a drag is none.
  click(event) {
    if (event.target.closest(".pk-point") || performance.now() - (this.over ?? -1000) < 50) return;
    const { update, k } = this.place(event);
    this.add(update, k);
  }

  add(update, k) {
    if (this.pieces.some((piece) => piece.start === update)) return;
    const early = update < this.pieces[0].start; // before a ramp that starts later
    const pieces = early && update > 0 ? [holding(this.pieces[0].first, 0), ...this.pieces] : this.pieces;
    const index = early && update === 0 ? 0 : pieceAt(pieces, update) + 1;
    this.selected = index;
    this.edit([...pieces.slice(0, index), holding(k, update), ...pieces.slice(index)], true);
    this.focus();
  }

  // In the middle of the longest stretch.
  addSomewhere() {
    const starts = [...this.pieces.map(({ start }) => start), this.shown.steps];
    const gaps = starts.slice(1).map((start, i) => [start - starts[i], i]);
    const [gap, at] = gaps.reduce((best, one) => (one[0] > best[0] ? one : best));
    if (gap < 2) return;
    const k = this.pieces[at].last;
    this.add(starts[at] + Math.round(gap / 2), k > 1 ? Math.ceil(k / 2) : Math.min(8, this.top));
  }

  remove(index, side = "start") {
    if (side === "end") {
      const { first, start } = this.pieces[index];
      return this.edit(this.pieces.with(index, holding(first, start)), true);
    }
    if (this.pieces.length > 1) this.edit(without(this.pieces, index), true);
    this.focus();
  }

  key(event) {
    const handle = event.target.closest(".pk-point");
    if (!handle) return;
    const [index, side] = [Number(handle.dataset.piece), handle.dataset.side];
    const { update, k } = this.points().find((point) => point.index === index && point.side === side);
    const far = event.shiftKey ? 10 : 1;
    const move = {
      ArrowUp: [update, k + 1],
      ArrowDown: [update, k - 1],
      ArrowLeft: [update - far, k],
      ArrowRight: [update + far, k],
    }[event.key];
    if (event.key === "Delete" || event.key === "Backspace") this.remove(index, side);
    else if (move) this.edit(this.moved(index, side, clamp(move[0], 0, this.shown.steps), clamp(move[1], 1, this.top)), true);
    else return;
    event.preventDefault();
    event.stopPropagation();
    this.focus(side);
  }

  focus(side = this.held?.side ?? "start") {
    const find = (which) => this.layer.querySelector(`[data-piece="${this.selected}"][data-side=${which}]`);
    (find(side) ?? find("start"))?.focus();
  }

  // --- Drawing -----------------------------------------------------------------------------------

  draw() {
    this.width = this.svg.clientWidth;
    if (!this.shown || !this.width) return;
    this.top = Math.max(2, this.shown.top, ...this.pieces.flatMap(({ first, last }) => [first, last]));
    this.drawAxes();
    const { path, colour } = this.shown;
    let d = "";
    for (let t = 0; t < path.length; t++)
      d += t ? (path[t] === path[t - 1] ? "" : `H${this.x(t)}V${this.y(path[t])}`) : `M${this.x(0)},${this.y(path[0])}`;
    set(this.path, { d: `${d}H${this.x(path.length - 1)}`, stroke: colour });
    this.drawPoints(colour);
    this.drawTools();
  }

  drawAxes() {
    const { steps } = this.shown;
    this.axes.replaceChildren();
    const floor = SCHEDULE_HEIGHT - SCHEDULE_EDGE.bottom;
    for (let k = 1; k <= this.top; k *= 2) {
      mark(this.axes, "line", { x1: this.x(0), x2: this.x(steps), y1: this.y(k), y2: this.y(k) });
      mark(this.axes, "text", { x: this.x(0) - 8, y: this.y(k) + 4, "text-anchor": "end" }).textContent = k;
    }
    for (const share of [0, 0.5, 1]) {
      const update = Math.round(share * steps);
      const anchor = share === 1 ? "end" : share ? "middle" : "start";
      mark(this.axes, "text", { x: this.x(update), y: floor + 19, "text-anchor": anchor }).textContent =
        share ? update : "update 0";
    }
  }

  drawPoints(colour) {
    const focused = this.layer.contains(document.activeElement) ? document.activeElement.dataset.side : null;
    const points = this.points();
    if (this.layer.children.length !== points.length)
      this.layer.replaceChildren(...points.map(() => this.point()));
    points.forEach(({ index, side, update, k }, i) => {
      const handle = this.layer.children[i];
      set(handle, {
        transform: `translate(${this.x(update)} ${this.y(k)})`,
        "data-piece": index,
        "data-side": side,
        "data-update": update,
        "data-k": k,
        "aria-label": `Point ${i + 1} of the schedule`,
        "aria-valuemin": 1,
        "aria-valuemax": this.top,
        "aria-valuenow": k,
        "aria-valuetext": `k = ${k} at update ${update}`,
      });
      handle.classList.toggle("pk-chosen", index === this.selected);
      handle.lastChild.setAttribute("fill", colour);
    });
    if (focused) this.focus(focused);
  }

  point() {
    const handle = mark(this.layer, "g", { class: "pk-point", role: "slider", tabindex: 0, "aria-orientation": "vertical" });
    mark(handle, "circle", { r: 22, fill: "transparent" });
    mark(handle, "circle", { r: 7, class: "pk-ring" });
    return handle;
  }

  drawTools() {
    const { shape } = this.pieces[this.selected];
    const names = ["step", ...this.shown.shapes];
    if (this.tools.childElementCount !== names.length + 2) {
      const button = (text, act, title) => {
        const made = document.createElement("button");
        Object.assign(made, { type: "button", textContent: text, title });
        made.addEventListener("click", act);
        return made;
      };
      this.tools.replaceChildren(
        ...names.map((name) => {
          const act = () => this.edit(reshaped(this.pieces, this.selected, name === "step" ? null : name, this.shown.steps), true);
          const made = button(name[0].toUpperCase() + name.slice(1), act, "How k goes on from the chosen point");
          made.dataset.shape = name;
          return made;
        }),
        button("Add a point", () => this.addSomewhere(), "Or click on an empty place of the chart"),
        button("Remove", () => this.remove(this.selected), "The chosen point; or press Delete"),
      );
    }
    for (const button of this.tools.children)
      if (button.dataset.shape) button.setAttribute("aria-pressed", button.dataset.shape === (shape ?? "step"));
    this.tools.lastChild.disabled = this.pieces.length < 2 && !shape;
  }

  drawHead(update) {
    if (!this.shown || !this.width) return;
    const x = this.x(Math.min(update, this.shown.steps));
    set(this.head, { x1: x, x2: x, y1: SCHEDULE_EDGE.top, y2: SCHEDULE_HEIGHT - SCHEDULE_EDGE.bottom });
  }

  close() {
    this.watch.disconnect();
  }
}
