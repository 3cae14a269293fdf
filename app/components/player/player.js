// The player: plays a recorded run in the browser.
//
// The play head, its bar, the runs' readouts and the phases of an update are here; what each chart draws
// at the play head is in the files before this one. No frame crosses the network, none redraws a chart.

const UPDATES_PER_SECOND = 40; // at speed 1x
const SECONDS_PER_PHASE = 1.6; // of "Explain a step"
const PHASES = 4; // sample, score, transform, update
const CHARTS = { hill: HillStage, bandit: BanditStage, curve: CurveChart, rates: RateChart, lines: LineChart };

class Player {
  constructor(root) {
    this.root = root;
    this.charts = [];
    // Plotly's "responsive" follows the window only; a sidebar changes a chart's box without it.
    this.resizing = new ResizeObserver((entries) => {
      for (const { target } of entries) {
        const full = target._fullLayout;
        const { clientWidth: width, clientHeight: height } = target;
        if (full && width && (Math.abs(full.width - width) > 1 || Math.abs(full.height - height) > 1))
          globalThis.Plotly.relayout(target, { width, height });
      }
    });
    this.slider = root.querySelector("input");
    this.position = 0; // in updates; in "explain" mode the fraction is the progress through the phases
    this.playing = false;
    this.explaining = false;
    this.speed = 1;
    root.querySelector(".pk-bar").addEventListener("click", (event) => {
      const action = event.target.closest("button")?.dataset.do;
      if (action) this[action]();
    });
    this.slider.addEventListener("input", () => this.seek(Number(this.slider.value)));
    root.querySelector("select").addEventListener("change", (event) => {
      this.speed = Number(event.target.value);
    });
    this.onKey = (event) => {
      if (event.target === document.body || root.contains(event.target)) this.key(event);
    };
    document.addEventListener("keydown", this.onKey);
    this.onMoved = () => {}; // called when the play head, the run or the step has changed
    this.liveK = null; // the k under the finger, where it is ahead of the recording
    this.controls = new Controls(this, root.querySelector(".pk-controls"));
    this.paid = new Paid(this, root);
    this.onPresent = () => this.data && this.drawCharts();
    document.addEventListener("pk-present", this.onPresent);
  }

  // --- A new recording -------------------------------------------------------------------------

  // `live`: in place of the one that is shown, whose play head, motion and chosen run stay. `view`: what to
  // begin with, as `view()` says it.
  async load(data, live = false, view = null) {
    if (this.id === data.id) return;
    this.id = data.id;
    if (!live) this.pause();
    try {
      await loadPlotly(data.plotly);
    } catch (error) {
      const message = this.root.querySelector(".pk-error");
      message.hidden = false;
      message.textContent = error.message;
      return;
    }
    if (this.id !== data.id) return; // a newer recording came meanwhile
    this.data = data;
    this.runs = data.runs.map((run) => ({
      ...run,
      ...Object.fromEntries(Object.entries(run.columns).map(([name, b]) => [name, floats(b)])),
    }));
    for (const run of this.runs) {
      run.length = run.k.length;
      run.size = run.weights.length / run.length; // samples of an update, at all prompts
      run.heaviest = run.weights.reduce((m, w) => Math.max(m, Math.abs(w)), 0);
    }
    const atEnd = this.last === undefined || (this.position >= this.last && !this.playing);
    this.last = Math.max(...this.runs.map((run) => run.length)) - 1;
    this.position = live && !atEnd ? Math.min(this.position, this.last) : this.last;
    this.focus = live ? Math.min(this.focus, this.runs.length - 1) : data.focus;
    if (view) this.begin(view);
    this.shownPhase = null;
    set(this.slider, { max: this.last });
    this.buildCharts();
    this.buildSettings();
    this.buildPhases();
    await this.drawCharts();
    if (this.id !== data.id) return;
    this.draw();
    this.root.dataset.ready = data.id;
    performance.mark("pk-ready");
  }

  // The charts of a page stay when its recording changes.
  buildCharts() {
    const names = Object.keys(this.data.figures);
    for (const chart of this.charts) chart.built = chart.box = null; // not to be drawn on
    if (names.join() === this.charts.map((chart) => chart.name).join()) return;
    this.closeCharts();
    this.charts = names.map((name) => new CHARTS[this.data.figures[name].kind](this, name));
    const bar = this.root.querySelector(".pk-bar");
    for (const { figure, plot, name } of this.charts) {
      figure.style.setProperty("--span", this.data.figures[name].span);
      this.data.figures[name].kind === "lines" ? bar.parentElement.append(figure) : bar.before(figure);
      this.resizing.observe(plot);
    }
  }

  buildSettings() {
    const box = this.root.querySelector(".pk-settings");
    box.style.setProperty("--count", this.runs.length);
    box.replaceChildren(
      ...this.runs.map((run, index) => {
        const button = document.createElement("button");
        button.type = "button";
        button.style.setProperty("--c", run.colour);
        button.title = "Show this run's samples and gradients";
        const label = document.createElement("strong");
        label.textContent = run.label;
        run.readout = document.createElement("span");
        button.append(label, run.readout);
        button.addEventListener("click", () => this.focusOn(index));
        run.button = button;
        return button;
      }),
    );
  }

  buildPhases() {
    this.root.querySelector(".pk-steps").replaceChildren(
      ...this.data.phases.map((phase, index) => {
        const item = document.createElement("li");
        const button = document.createElement("button");
        button.type = "button";
        button.textContent = `${index + 1} ${phase.title}`;
        button.addEventListener("click", () => {
          this.pause();
          this.move(Math.min(Math.floor(this.position), this.last - 1) + index / PHASES);
        });
        item.append(button);
        return item;
      }),
    );
  }

  async drawCharts() {
    const touch = matchMedia("(pointer: coarse)").matches;
    const options = {
      displaylogo: false,
      displayModeBar: touch ? false : "hover",
      modeBarButtons: [["toImage", "resetScale2d"]],
      showTips: false,
    };
    const { data } = this;
    this.root.querySelector(".pk-note").textContent = data.note;
    for (const chart of this.charts) {
      await chart.show(data.figures[chart.name], options, touch);
      if (this.data !== data) return; // a newer recording came meanwhile
      if (chart !== this.charts[0]) continue;
      this.focusOn(this.focus);
      this.draw(); // a finished picture before the other charts are drawn
      performance.mark("pk-picture");
      await new Promise(requestAnimationFrame);
      if (this.data !== data) return;
    }
    this.focusOn(this.focus);
  }

  // --- Actions ---------------------------------------------------------------------------------

  play() {
    if (this.playing) return this.pause();
    if (this.position >= this.last) this.position = 0;
    this.playing = true;
    this.root.classList.add("pk-playing");
    this.root.querySelector(".pk-play").setAttribute("aria-label", "Pause");
    let before = performance.now();
    const tick = (now) => {
      if (!this.playing) return;
      const rate = this.explaining ? 1 / (PHASES * SECONDS_PER_PHASE) : UPDATES_PER_SECOND;
      this.move(this.position + ((now - before) / 1000) * rate * this.speed);
      before = now;
      if (this.position >= this.last) return this.pause();
      this.request = requestAnimationFrame(tick);
    };
    this.request = requestAnimationFrame(tick);
  }

  pause() {
    this.playing = false;
    cancelAnimationFrame(this.request);
    this.root.classList.remove("pk-playing");
    this.root.querySelector(".pk-play").setAttribute("aria-label", "Play");
    this.onMoved();
  }

  step() {
    this.pause();
    this.move(this.explaining ? (Math.floor(this.position * PHASES + 1e-6) + 1) / PHASES : Math.floor(this.position + 1e-9) + 1);
  }

  back() {
    this.pause();
    this.move(this.explaining ? (Math.ceil(this.position * PHASES - 1e-6) - 1) / PHASES : Math.ceil(this.position - 1e-9) - 1);
  }

  rewind() {
    this.seek(0);
  }

  seek(update) {
    this.pause();
    this.move(update);
  }

  explain() {
    this.pause();
    this.turnExplain(!this.explaining);
    const start = Math.min(Math.floor(this.position), this.last - 1);
    this.move(this.explaining && this.position >= this.last ? 0 : start < 0 ? 0 : start);
  }

  turnExplain(on) {
    this.explaining = on;
    this.root.querySelector(".pk-explain").setAttribute("aria-pressed", on);
    this.root.querySelector(".pk-phase").hidden = !on;
    this.root.classList.toggle("pk-explaining", on);
  }

  focusOn(index) {
    this.focus = index;
    this.runs.forEach((run, i) => run.button.setAttribute("aria-pressed", i === index));
    for (const chart of this.ready()) chart.turn();
    this.controls.turn();
    this.draw();
  }

  key(event) {
    if (event.target.closest("input, select")) return;
    if (event.key === " " && event.target.closest("button, summary")) return;
    const action = { " ": "play", ArrowRight: "step", ArrowLeft: "back", Home: "rewind" }[event.key];
    if (!action) return;
    event.preventDefault();
    this[action]();
  }

  // --- What is shown ---------------------------------------------------------------------------

  // Play head, run and step, counted as in the page's address, where they are not as on opening.
  view() {
    const t = Math.floor(this.position + 1e-9);
    const phase = Math.floor((this.position - t) * PHASES + 1e-6);
    return {
      ...(t < this.last ? { update: t } : {}),
      ...(this.focus !== this.data.focus ? { run: this.focus + 1 } : {}),
      ...(this.explaining && t < this.last ? { explain: Math.min(phase, PHASES - 1) + 1 } : {}),
    };
  }

  begin({ update, run, explain }) {
    this.position = (update ?? (explain ? 0 : this.last)) + (explain ? (explain - 1) / PHASES : 0);
    this.focus = run ? run - 1 : this.data.focus;
    this.turnExplain(Boolean(explain));
  }

  // --- Drawing ---------------------------------------------------------------------------------

  move(position) {
    this.position = clamp(position, 0, this.last);
    this.draw();
  }

  // The charts that hold this recording.
  ready() {
    return this.charts.filter((chart) => chart.built === this.id && chart.box);
  }

  // The k in force for a run, or under the finger that moves it.
  kAt(index, t) {
    const { k, length } = this.runs[index];
    return index === this.focus && this.liveK !== null ? this.liveK : k[Math.min(t, length - 1)];
  }

  weightColour(weight) {
    const { towards, away, none } = this.data.weightColours;
    return weight === 0 ? none : weight > 0 ? towards : away;
  }

  draw() {
    const charts = this.runs ? this.ready() : [];
    if (!charts.length) return;
    const t = Math.floor(this.position + 1e-9);
    const phase = this.explaining && t < this.last ? Math.min(PHASES - 1, Math.floor((this.position - t) * PHASES + 1e-6)) : null;
    const share = phase === null ? 1 : ease(clamp((this.position - t) * PHASES - phase, 0, 1));
    // A step lands on the start of a phase; show it there as done, and the motion while playing.
    const done = this.playing ? share : 1;
    this.slider.value = t;
    this.root.dataset.frame = t;
    this.root.dataset.phase = phase ?? "";
    this.root.querySelector(".pk-clock").textContent = `update ${t} of ${this.last}`;
    for (const run of this.runs) this.drawReadout(run, t);
    for (const chart of charts) chart.draw({ t, phase, done });
    this.controls.draw(t);
    this.paid.draw();
    if (!this.playing) this.onMoved();
    if (this.explaining) this.drawPhase(t, phase);
  }

  drawReadout(run, t) {
    const i = Math.min(t, run.length - 1);
    const parts = this.data.readouts.map(([name, column]) => `${name}\u00a0${run[column][i].toFixed(3)}`);
    if (run.anneals) parts.unshift(`k ${run.k[i]}`);
    run.readout.textContent = parts.join("\u2002");
  }

  drawPhase(t, phase) {
    const run = this.runs[this.focus];
    const now = phase ?? PHASES - 1;
    const items = this.root.querySelectorAll(".pk-steps li");
    items.forEach((item, index) => item.classList.toggle("pk-now", index === now));
    const [from, to] = [t * run.size, (t + 1) * run.size];
    const weights = run.weights.subarray(from, to);
    const heavy = weights.reduce((best, w, j) => (Math.abs(w) > Math.abs(weights[best]) ? j : best), 0);
    const words = {
      n: run.n,
      k: run.k[t],
      size: run.size,
      best: Math.max(...run.rewards.subarray(from, to)).toFixed(3),
      weighty: weights.filter((w) => w !== 0).length,
      reward: run.rewards[from + heavy].toFixed(3),
      weight: weights[heavy].toPrecision(3),
      ...this.charts[0].words(run, t),
    };
    const shown = `${this.focus} ${t} ${now}`;
    if (this.shownPhase === shown) return;
    this.shownPhase = shown;
    const said = now === 2 ? run.transforms[run.k[t] === 1 ? 0 : 1] : this.data.phases[now];
    this.root.querySelector(".pk-say").textContent = said.text.replace(/\{(\w+)\}/g, (_, name) => words[name]);
    // MathML that the server made from the registry's own LaTeX; nothing of the user's is in it.
    const formula = this.root.querySelector(".pk-formula");
    formula.innerHTML = said.formula;
    formula.tabIndex = formula.scrollWidth > formula.clientWidth ? 0 : -1;
  }

  // The picture at the play head, as a file; see picture.js.
  savePicture(format) {
    return saveAs(playerPicture(this), format, `${this.data.task}-update-${this.root.dataset.frame}`);
  }

  close() {
    this.pause();
    this.resizing.disconnect();
    document.removeEventListener("keydown", this.onKey);
    this.controls.close();
    this.paid.close();
    document.removeEventListener("pk-present", this.onPresent);
    this.closeCharts();
  }

  closeCharts() {
    for (const { figure, plot } of this.charts) {
      this.resizing.unobserve(plot);
      if (plot.data) globalThis.Plotly.purge(plot);
      figure.remove();
    }
    this.charts = [];
  }
}
