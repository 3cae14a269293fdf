// The settings under Play: k, n, learning rate, seed, and the schedule of k. While a control moves, a route
// answers with the recording of the new settings; when it is let go, the page takes them.
//
// They move the run in focus. Where a setting is not what the runs differ in, it is that of all of them.

const ECHO_PATIENCE = 8000; // milliseconds in which the page is expected to show what was sent to it
const KNOBS = [
  { field: "k", slider: "k", label: "Attempts that count, k", short: "k" },
  { field: "n", slider: "n", label: "Samples per group, n", short: "n" },
  { field: "learning_rate", slider: "rate", label: "Learning rate", short: "learning rate" },
  { field: "seed", label: "Random seed", short: "seed" },
];

class Controls {
  // `send(settings)` hands settings to the page.
  constructor(player, box) {
    this.player = player;
    this.box = box;
    this.live = new Live(
      (said) => this.answered(said),
      (problem) => this.refused(problem),
    );
    this.tables = new Live(
      (said) => this.tabled(said),
      () => {},
    );
    this.build();
  }

  build() {
    this.knobs = Object.fromEntries(KNOBS.map((knob) => [knob.field, this.buildKnob(knob)]));
    const die = document.createElement("button");
    Object.assign(die, { type: "button", className: "pk-die", title: "Another seed", textContent: "\u2684" });
    die.setAttribute("aria-label", "Another seed");
    die.addEventListener("click", () => this.write("seed", `${(Number(this.run.seed) + 1) % 2 ** 31}`, true));
    this.knobs.seed.box.append(die);
    this.value = document.createElement("output");
    this.value.className = "pk-exactly";
    this.knobs.k.box.append(this.value);
    this.details = document.createElement("details");
    this.details.className = "pk-schedule";
    this.details.innerHTML = '<summary>Schedule of k <code></code></summary><div></div><label>As text <input type="text" spellcheck="false" autocomplete="off"></label>';
    this.text = this.details.querySelector("input");
    this.text.setAttribute("aria-label", "Schedule");
    this.listen(this.text, "schedule");
    this.chart = new ScheduleChart(this.details.querySelector("div"), (pieces, done) =>
      this.write("schedule", scheduleText(pieces), done, pieces),
    );
    this.world = new World(this.player, this);
    this.goal = document.createElement("p");
    Object.assign(this.goal, { className: "pk-goal", hidden: true });
    this.goal.setAttribute("role", "status");
    this.message = document.createElement("p");
    Object.assign(this.message, { className: "pk-said", role: "alert", hidden: true });
    this.box.append(...Object.values(this.knobs).map(({ box }) => box), this.goal, this.details, this.world.tools, this.message);
  }

  buildKnob({ field, slider, label, short }) {
    const box = document.createElement("div");
    box.className = `pk-knob pk-knob-${field}`;
    const name = document.createElement("span");
    name.className = "pk-name";
    const typed = document.createElement("input");
    Object.assign(typed, { type: "text", inputMode: "decimal", autocomplete: "off" });
    typed.setAttribute("aria-label", label);
    this.listen(typed, field);
    const knob = { box, name, typed, short };
    box.append(name);
    if (slider) {
      const range = document.createElement("input");
      Object.assign(range, { type: "range", min: 0, step: 1 });
      range.setAttribute("aria-label", `Slide ${slider}`);
      range.addEventListener("input", () => this.slide(field, knob.stops[range.value], false));
      range.addEventListener("change", () => this.slide(field, knob.stops[range.value], true));
      knob.range = range;
      box.append(range);
    }
    box.append(typed);
    return knob;
  }

  // Takes what is typed when it is entered; until then nothing that arrives writes over it.
  listen(input, field) {
    input.addEventListener("input", () => (this.editing = input));
    input.addEventListener("change", () => this.type(field, input));
    input.addEventListener("blur", () => {
      if (this.editing !== input) return;
      this.editing = null; // left as it had been
      this.turn();
    });
  }

  fill(input, text) {
    if (input !== this.editing) input.value = text;
  }

  // --- What the page or the route says ----------------------------------------------------------------

  // Whether what the page shows is older than what the hand has done since.
  isBehind(controls) {
    if (!controls || !this.accepted) return false;
    if (this.held || this.live.busy || this.releasing) return true;
    return this.sent !== undefined && controls.serial !== this.sent && performance.now() - this.sentAt < ECHO_PATIENCE;
  }

  show(controls, routes, send) {
    this.box.hidden = !controls;
    this.send = send;
    if (!controls) return;
    this.routes = routes;
    this.onPage = controls.address;
    // What was refused, and why, stands until something else is set: an echo of what was set before may be late.
    if (JSON.stringify(controls.address) !== this.refusal?.address) this.refusal = null;
    this.say(controls.said || this.refusal?.problem || "");
    this.keep(controls.shown, controls.problem);
    this.adopt(controls);
    if (this.refusal?.input) this.fill(this.refusal.input, this.refusal.text);
  }

  // An assignment's link keeps some controls in view only.
  keep(shown, problem) {
    const hide = (node, field) => (node.style.display = shown.includes(field) ? "" : "none");
    for (const [field, { box }] of Object.entries(this.knobs)) hide(box, field === "k" ? "schedule" : field);
    hide(this.details, "schedule");
    this.world.allow(shown.includes(problem));
  }

  adopt(controls) {
    this.accepted = controls;
    this.draft = structuredClone(controls);
    this.player.liveK = null;
    this.world.show(controls.problem, controls.world);
    this.render();
    const { address, task, problem } = controls;
    const question = new URLSearchParams({ task, compare: "off", steps: 1 }); // the problem is what counts
    for (const name of [problem, "sigma"]) if (name in address) question.set(name, address[name]);
    if (controls.impossible || this.held === problem || `${question}` === this.asked) return;
    this.asked = `${question}`;
    // After the picture, which is what a visitor waits for.
    setTimeout(() => this.asked && this.tables.ask(this.routes.exact, this.asked), 300);
  }

  tabled(said) {
    this.player.exact = new ExactTable(said);
    this.player.draw();
  }

  async answered({ study, controls }) {
    await this.player.load(study, true);
    this.accepted = controls;
    if (!this.live.newest) return;
    this.say("");
    this.adopt(controls);
    this.player.draw();
    if (this.releasing) this.hand();
  }

  refused(problem) {
    if (!this.live.newest) return;
    this.say(problem);
    this.failed = true;
    if (this.releasing) this.giveUp();
  }

  // Back to what could be drawn; a text that was typed stays to be corrected.
  giveUp() {
    this.releasing = this.failed = false;
    const [input, text] = [this.typing, this.typing?.value];
    this.adopt(this.accepted);
    const address = JSON.stringify(this.accepted.address);
    this.refusal = { input, text, address, problem: this.message.textContent };
    if (input) input.value = text;
    this.player.draw();
    if (JSON.stringify(this.accepted.address) !== JSON.stringify(this.onPage)) this.hand();
  }

  hand() {
    this.releasing = false;
    this.sent = Date.now();
    this.sentAt = performance.now();
    this.onPage = this.accepted.address;
    this.send({ settings: this.accepted.address, serial: this.sent });
  }

  say(text) {
    this.message.textContent = text;
    this.message.hidden = !text;
    this.failed = false;
  }

  // --- A hand -----------------------------------------------------------------------------------------

  get run() {
    return this.draft.runs[Math.min(this.player.focus ?? 0, this.draft.runs.length - 1)];
  }

  // The k that the slider stands for: of the piece under the play head or, while playing, from there on.
  slide(field, value, done, typed = null) {
    if (field !== "k") return this.write(field, `${value}`, done);
    const t = Math.floor(this.player.position + 1e-9);
    const { pieces } = this.run;
    let changed;
    if (done && this.held === "k") changed = pieces;
    else if (this.player.playing) changed = steered(pieces, t, value);
    else {
      const at = pieceAt(pieces, t);
      changed = pieces.with(at, { ...pieces[at], last: value, ...(pieces[at].shape ? {} : { first: value }) });
    }
    this.player.liveK = value;
    this.write("schedule", scheduleText(changed), done, changed, typed);
    this.held = done ? null : "k";
    this.player.draw();
  }

  type(field, input) {
    this.editing = null;
    const text = input.value.replace(/\s+/g, "");
    if (field === "k" && /^\d{1,6}$/.test(text)) return this.slide("k", Number(text), true, input);
    this.write(field === "k" ? "schedule" : field, text || "?", true, null, input);
  }

  // A setting of the run in focus or, where it is not what is compared, of all.
  write(field, text, done, pieces = null, typed = null) {
    const { draft } = this;
    this.refusal = null;
    this.typing = typed; // what was typed is shown as it is until there is an answer
    const focus = draft.runs.indexOf(this.run);
    if (draft.field === field) {
      draft.values[focus] = text;
      draft.address.compare = [field, ...draft.values].join(" ");
    } else draft.address[field] = text;
    const mine = draft.field && draft.field !== field ? draft.runs : [this.run];
    for (const run of mine) Object.assign(run, { [field]: text }, pieces && { pieces });
    this.held = done ? null : field;
    this.releasing = done;
    if (!typed) this.render();
    const query = `${new URLSearchParams({ task: draft.task, ...draft.address })}`;
    if (query !== this.query || this.failed) {
      this.query = query;
      this.live.ask(this.routes.study, query);
    } else if (done && !this.live.busy) this.hand();
  }

  // --- Drawing ----------------------------------------------------------------------------------------

  // Another run is in focus.
  turn() {
    if (this.draft) this.render();
  }

  render() {
    const { draft, player } = this;
    const several = draft.runs.length > 1;
    const recorded = player.runs?.[player.focus];
    for (const [field, knob] of Object.entries(this.knobs)) {
      const compared = draft.field === (field === "k" ? "schedule" : field);
      knob.name.textContent = knob.short;
      knob.name.title = draft.help[field] ?? "";
      if (several && !compared) knob.name.append(small(" all runs"));
      if (field === "k") continue;
      this.set(knob, Number(this.run[field]), draft.stops[field] ?? []);
    }
    this.details.querySelector("code").textContent = this.run.schedule;
    this.details.firstChild.title = draft.help.schedule;
    this.fill(this.text, this.run.schedule);
    if (recorded)
      this.chart.show({
        pieces: this.run.pieces,
        path: recorded.k,
        steps: draft.steps,
        top: Number(this.run.n),
        shapes: draft.shapes,
        colour: recorded.colour,
      });
    this.drawGoal(recorded);
    this.draw(Math.floor(player.position + 1e-9));
  }

  // A task: what to reach at the last update, and how far the run in focus is.
  drawGoal(run) {
    const { goal } = this.draft;
    this.goal.hidden = !goal;
    if (!goal || !run) return;
    const reached = run[goal.column][run.length - 1];
    const done = reached >= goal.atLeast;
    this.goal.classList.toggle("pk-reached", done);
    this.goal.textContent = `Goal: ${goal.text}. ${done ? "\u2713 Reached" : "Not yet"}: ${reached.toFixed(3)}.`;
  }

  set(knob, value, stops) {
    this.fill(knob.typed, value);
    if (!knob.range) return;
    knob.stops = stops.includes(value) ? stops : [...stops, value].sort((a, b) => a - b);
    knob.range.max = knob.stops.length - 1;
    knob.range.value = knob.stops.indexOf(value);
    knob.range.setAttribute("aria-valuetext", `${knob.short} = ${value}`);
  }

  // At an update: the k in force, and what it is worth there.
  draw(t) {
    const { player } = this;
    if (!this.draft || !player.runs) return;
    const k = player.kAt(player.focus, t);
    if (this.shownK !== k || this.shownRun !== this.run) this.set(this.knobs.k, k, this.run.ks);
    [this.shownK, this.shownRun] = [k, this.run];
    const worth = player.ready().map((chart) => chart.worth?.(t)).find((found) => found);
    this.value.textContent = worth ?? "";
    this.chart.drawHead(t);
    this.world.draw();
  }

  close() {
    this.live.close();
    this.tables.close();
    this.chart.close();
  }
}

function small(text) {
  const node = document.createElement("small");
  node.textContent = text;
  return node;
}
