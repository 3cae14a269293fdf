// A lesson in the browser: ask, predict, reveal, try. Answers and progress are kept here and nowhere else.

const KEPT = "pkpo-lessons"; // in localStorage: {answers: {question: value}, done: [lessons]}
const LED = "pk-led"; // in sessionStorage: the questions that this tab's host answered in sight of a class
const leadsClass = () => sessionStorage.getItem("pk-leading") === "1"; // as the line above a lesson keeps it
const OWN_KEYS = "input, select, textarea, [contenteditable]";

function readKept() {
  try {
    const kept = JSON.parse(localStorage.getItem(KEPT) ?? "{}");
    const answers = kept.answers && typeof kept.answers === "object" ? kept.answers : {};
    return { answers, done: Array.isArray(kept.done) ? kept.done : [] };
  } catch {
    return { answers: {}, done: [] };
  }
}

class LessonView {
  constructor(root, send) {
    this.root = root;
    this.send = send;
    this.kept = readKept();
    this.led = new Set((sessionStorage.getItem(LED) ?? "").split(" "));
    this.text = root.querySelector(".le-text");
    this.scene = new LessonScene(root.querySelector(".le-scene"), (x, y) => this.prediction?.grab(x, y));
    this.onKey = (event) => this.key(event);
    document.addEventListener("keydown", this.onKey);
    this.onLeading = () => this.lesson && this.go(this.step);
    addEventListener("pk-leading", this.onLeading);
  }

  close() {
    document.removeEventListener("keydown", this.onKey);
    removeEventListener("pk-leading", this.onLeading);
    this.scene.close();
  }

  keep() {
    try {
      localStorage.setItem(KEPT, JSON.stringify(this.kept));
    } catch {
      // A browser that keeps nothing still shows the lesson.
    }
  }

  load(data) {
    const shown = JSON.stringify([data.lesson?.key, data.step]);
    if (this.shown === shown) return;
    this.shown = shown;
    this.data = data;
    this.buildMenu();
    if (data.card) return this.showCard();
    this.root.classList.remove("le-on-card");
    this.lesson = data.lesson;
    this.steps = this.lesson.asks.length + 2; // the questions, the task, what to take home
    this.go(Math.min(data.step, this.steps) - 1, false);
  }

  // --- The row of lessons, and steps ---------------------------------------------------------

  buildMenu() {
    const chosen = this.data.card ? "card" : this.data.lesson.key;
    const menu = this.root.querySelector(".le-menu");
    menu.replaceChildren(
      ...this.data.lessons.map(({ key, title }, index) => {
        const done = this.kept.done.includes(key);
        const node = button(`${index + 1}  ${title}`, () => this.send("chosen", key), done ? "le-done" : "");
        node.setAttribute("aria-current", String(key === chosen));
        if (done) node.setAttribute("aria-label", `${index + 1} ${title}, done`);
        return node;
      }),
      Object.assign(
        button("My answers", () => this.send("chosen", "card")),
        { ariaCurrent: String(chosen === "card") },
      ),
      Object.assign(document.createElement("a"), {
        href: this.data.worksheet,
        target: "_blank",
        rel: "noopener",
        textContent: "Worksheet to print",
      }),
    );
    const current = menu.querySelector("[aria-current='true']"); // on a phone the row scrolls
    menu.scrollLeft = current.offsetLeft - menu.offsetLeft - (menu.clientWidth - current.offsetWidth) / 2;
  }

  go(step, moved = true) {
    this.step = Math.min(Math.max(step, 0), this.steps - 1);
    const url = new URL(location.href);
    url.searchParams.set("lesson", this.lesson.key);
    url.searchParams.set("step", this.step + 1);
    history.replaceState(history.state, "", url);
    const ask = this.lesson.asks[this.step];
    this.tellClass(ask?.question.key, ask && this.known(ask));
    this.tellSpeaker(
      ask ? ask.question.key : `${this.lesson.key} ${this.step === this.lesson.asks.length ? "task" : "end"}`,
      `${this.lesson.title} ${this.step + 1} of ${this.steps}`,
    );
    this.draw();
    if (moved) this.text.querySelector("h2")?.focus({ preventScroll: true });
    this.root.dataset.ready = `${this.lesson.key}-${this.step + 1}`;
  }

  // Which question is on the screen, and whether its truth is; a host's class follows.
  tellClass(asked = "", told = false) {
    Object.assign(this.root.dataset, { asked, told });
  }

  // Where the speaker's notes are to be.
  tellSpeaker(step, label) {
    Object.assign(this.root.dataset, { speakerStep: step, speakerLabel: label });
  }

  draw() {
    this.prediction = null;
    const { asks } = this.lesson;
    if (this.step < asks.length) this.drawAsk(asks[this.step]);
    else if (this.step === asks.length) this.drawTask(this.lesson.task);
    else this.drawEnd();
  }

  heading(text) {
    const node = document.createElement("h2");
    node.textContent = text;
    node.tabIndex = -1;
    return node;
  }

  foot(...more) {
    const foot = document.createElement("div");
    foot.className = "le-foot";
    const back = button("Back", () => this.go(this.step - 1));
    back.disabled = this.step === 0;
    const at = document.createElement("span");
    at.textContent = `${this.step + 1} of ${this.steps}`;
    foot.append(back, at, ...more);
    return foot;
  }

  next(text = "Next") {
    return button(text, () => this.go(this.step + 1), "le-main");
  }

  // --- Ask, predict, reveal ------------------------------------------------------------------

  known(ask) {
    const { key } = ask.question;
    if (!(key in this.kept.answers) || !fits(ask, this.kept.answers[key])) return false;
    return !leadsClass() || this.led.has(key); // what the host answered in a rehearsal is not told to the class
  }

  drawAsk(ask) {
    const { key } = ask.question;
    const known = this.known(ask);
    const mine = known ? this.kept.answers[key] : undefined;
    this.prediction = new Prediction(ask, mine ?? undefined, (value) => {
      commit.disabled = false;
      this.touched = true;
      this.showScene(ask, value, false);
    });
    const say = document.createElement("div");
    say.setAttribute("role", "status");
    const commit = button("That is my answer", () => this.reveal(ask, this.prediction.value), "le-main");
    commit.disabled = ask.question.kind === "choice";
    commit.dataset.do = "commit";
    const parts = [this.heading(this.lesson.title)];
    if (this.step === 0) parts.push(words(this.lesson.idea, "p", "le-idea"));
    parts.push(words(ask.lead, "p", "le-lead"), words(ask.question.text, "p", "le-question"), this.prediction.node, say);
    if (known) {
      this.prediction.freeze();
      say.append(...this.verdict(ask, mine));
      const again = button("Answer again", () => {
        delete this.kept.answers[key];
        this.keep();
        this.go(this.step);
      });
      parts.push(this.foot(again, this.next()));
    } else {
      const skip = button("Show me", () => this.reveal(ask, null));
      skip.dataset.do = "skip";
      parts.push(this.foot(skip, commit));
    }
    this.touched = false;
    this.text.className = known ? "le-text le-told" : "le-text";
    this.text.replaceChildren(...parts);
    this.showScene(ask, known ? mine : this.prediction.value, known);
  }

  showScene(ask, mine, revealed) {
    const { kind } = ask.question;
    this.scene.show(ask.scene, { revealed, kind, at: ask.at, mine, open: !revealed && kind !== "choice" });
  }

  verdict(ask, mine) {
    const said = [];
    if (mine !== null) {
      const { right, gap, hint } = judged(ask, mine);
      said.push(words(gap, "p", `le-gap ${right ? "le-right" : "le-off"}`));
      if (hint) said.push(words(hint));
    }
    said.push(words(ask.explanation));
    return said;
  }

  reveal(ask, value) {
    this.kept.answers[ask.question.key] = value;
    if (leadsClass()) sessionStorage.setItem(LED, [...this.led.add(ask.question.key)].join(" "));
    this.keep();
    this.go(this.step);
  }

  // --- Try -------------------------------------------------------------------------------------

  drawTask(task) {
    const places = task.sliders.map((slider) => slider.start);
    const controls = document.createElement("div");
    controls.className = "le-predict le-of-task";
    const read = document.createElement("dl");
    const say = document.createElement("div");
    say.setAttribute("role", "status");
    const next = this.next();
    const show = () => {
      const place = places.reduce((sum, at, i) => sum * task.sliders[i].values.length + at, 0);
      this.scene.show(task.scene, { revealed: true, place });
      read.replaceChildren(
        ...Object.entries(task.readouts).flatMap(([name, texts]) => [words(name, "dt"), words(texts[place], "dd")]),
      );
      if (task.achieved[place] && !this.achieved) {
        this.achieved = true;
        say.replaceChildren(words("**Done.** " + task.done, "p", "le-gap le-right"));
        if (!this.kept.done.includes(this.lesson.key)) this.kept.done.push(this.lesson.key);
        this.keep();
        this.buildMenu();
      }
    };
    this.achieved = false;
    task.sliders.forEach((slider, index) => {
      const label = document.createElement("label");
      const input = document.createElement("input");
      const shown = document.createElement("output");
      Object.assign(input, { type: "range", min: 0, max: slider.values.length - 1, step: 1, value: slider.start });
      input.setAttribute("aria-label", slider.name);
      const say = () => {
        shown.textContent = slider.values[places[index]];
        input.setAttribute("aria-valuetext", slider.values[places[index]]);
      };
      input.addEventListener("input", () => {
        places[index] = Number(input.value);
        say();
        show();
      });
      say();
      label.append(words(slider.name, "span"), input, shown);
      controls.append(label);
    });
    this.text.className = "le-text";
    this.text.replaceChildren(
      this.heading("Try it"),
      words(task.text, "p", "le-question"),
      controls,
      read,
      say,
      this.foot(next),
    );
    show();
  }

  // --- What to take home -------------------------------------------------------------------------

  drawEnd() {
    const { lesson, data } = this;
    const explore = document.createElement("a");
    Object.assign(explore, { href: lesson.explore, textContent: lesson.link, className: "le-explore" });
    const following = data.lessons[data.lessons.findIndex(({ key }) => key === lesson.key) + 1];
    this.text.className = "le-text le-home";
    this.text.replaceChildren(
      this.heading("To take home"),
      words(`**${lesson.idea}**`),
      ...lesson.asks.map((ask) => words(ask.explanation)),
      words(`Not claimed: ${lesson.not_claimed}`, "p", "le-small"),
      words(`Source: ${lesson.source}`, "p", "le-small"),
      explore,
      this.foot(
        following
          ? button(`Next lesson: ${following.title}`, () => this.send("chosen", following.key), "le-main")
          : button("My answers", () => this.send("chosen", "card"), "le-main"),
      ),
    );
    const last = lesson.asks[lesson.asks.length - 1];
    this.showScene(last, fits(last, this.kept.answers[last.question.key] ?? null) ? this.kept.answers[last.question.key] : null, true);
  }

  // --- The closing card ----------------------------------------------------------------------------

  showCard() {
    this.lesson = null;
    this.prediction = null;
    this.root.classList.add("le-on-card");
    this.tellClass();
    this.tellSpeaker("card", "My answers");
    const url = new URL(location.href);
    url.searchParams.set("lesson", "card");
    url.searchParams.delete("step");
    history.replaceState(history.state, "", url);
    const table = document.createElement("table");
    const row = (cells, name) => {
      const line = document.createElement("tr");
      line.append(...cells.map((cell) => words(cell, name)));
      return line;
    };
    table.append(row(["Question", "You", "Truth"], "th"));
    for (const { title, asks } of this.data.card) {
      table.append(row([`**${title}**`, "", ""], "td"));
      for (const ask of asks) {
        const kept = this.kept.answers[ask.question.key];
        const asked = kept !== undefined && fits(ask, kept); // the truth is not told before
        table.append(row([ask.question.text, asked ? answerText(ask, kept) : "–", asked ? answerText(ask, ask.truth) : "–"], "td"));
      }
    }
    const clear = button("Clear my answers", () => {
      this.kept = { answers: {}, done: [] };
      this.keep();
      this.buildMenu();
      this.showCard();
    });
    const foot = document.createElement("div");
    foot.className = "le-foot";
    foot.append(clear, button("Print", () => globalThis.print(), "le-main"));
    this.text.replaceChildren(
      this.heading("My answers"),
      words("They are kept in this browser, and nowhere else."),
      table,
      ...this.data.home.map((text) => words(text)),
      foot,
    );
    this.root.dataset.ready = "card";
  }

  // --- Keys ----------------------------------------------------------------------------------------

  key(event) {
    if (!this.lesson || event.ctrlKey || event.metaKey || event.altKey || !this.root.isConnected) return;
    const field = event.target.closest?.(OWN_KEYS);
    const lecture = presenting(); // then keys are the lesson's wherever the focus is
    const outside = event.target !== document.body && !this.root.contains(event.target);
    if (outside && !lecture) return;
    const radio = field?.type === "radio";
    if (/^[1-5]$/.test(event.key) && (!field || radio)) return this.prediction?.choose(Number(event.key) - 1);
    if (event.key === "Enter" && (!field || radio || field.type === "range")) {
      if (event.target.closest("button, a")) return;
      const commit = this.text.querySelector("[data-do='commit']:enabled");
      if (commit) commit.click();
      else if (!field) this.go(this.step + 1);
      return event.preventDefault();
    }
    const range = field?.type === "range";
    if (field && !(lecture && (radio || (range && event.key === " ")))) return;
    if (event.key === "ArrowRight") this.take(event, () => this.go(this.step + 1));
    if (event.key === "ArrowLeft") this.take(event, () => this.go(this.step - 1));
    if (event.key === " " && !event.target.closest("button, a")) this.take(event, () => this.goOn(lecture));
  }

  take(event, action) {
    event.preventDefault();
    action();
  }

  // Commit or, once that is done, the next step; who presents need not have answered.
  goOn(lecture) {
    const first = lecture && !this.touched ? "[data-do='skip']" : "[data-do='commit']:enabled";
    (this.text.querySelector(first) ?? this.text.querySelector(".le-main:enabled"))?.click();
  }
}

export default function ({ data, parentElement, setTriggerValue }) {
  const root = parentElement.querySelector(".le");
  root.view ??= new LessonView(root, (name, value) => root.view.tell(name, value));
  root.view.tell = setTriggerValue;
  root.view.load(data);
  return () => {
    root.view?.close();
    root.view = null;
  };
}
