// The learner's answer to a question: five kinds, each by mouse, touch and keyboard.
//
// Beside dragging on the chart every number is a native slider, so that arrow keys and screen readers work.

// A text with its markup: **bold**, and [terms](glossary#slug) of the glossary.
function words(text, name = "p", className = "") {
  const node = document.createElement(name);
  if (className) node.className = className;
  text.split("**").forEach((part, index) => {
    const place = index % 2 ? document.createElement("strong") : node;
    if (place !== node) node.append(place);
    const [before, ...terms] = part.split(/\[([^\]]*)\]\((glossary#[a-z0-9-]+)\)/);
    place.append(before);
    for (let i = 0; i < terms.length; i += 3) {
      const link = document.createElement("a");
      Object.assign(link, { textContent: terms[i], href: terms[i + 1], target: "_blank", rel: "noopener" });
      place.append(link, terms[i + 2]);
    }
  });
  return node;
}

// Whether the page is on a lecture hall's screen.
function presenting() {
  return document.documentElement.classList.contains("pk-present");
}

function button(text, press, className = "") {
  const node = document.createElement("button");
  node.type = "button";
  node.textContent = text;
  if (className) node.className = className;
  node.addEventListener("click", press);
  return node;
}

class Prediction {
  // changed(value) is called with an answer whenever the learner moves something.
  constructor(ask, value, changed) {
    this.ask = ask;
    this.question = ask.question;
    this.changed = changed;
    this.value = value ?? this.beginning();
    this.node = document.createElement("div");
    this.node.className = `le-predict le-of-${this.question.kind}`;
    this.question.kind === "choice" ? this.buildChoices() : this.buildSliders();
  }

  get parts() {
    return ["curve", "bars"].includes(this.question.kind);
  }

  beginning() {
    const { kind, low, high, count } = this.question;
    if (kind === "choice") return null;
    const middle = this.rounded((low + high) / 2);
    return this.parts ? Array(count).fill(middle) : middle;
  }

  rounded(value) {
    const { low, high, step } = this.question;
    const stepped = low + Math.round((value - low) / step) * step;
    return Number(Math.min(Math.max(stepped, low), high).toFixed(6));
  }

  buildChoices() {
    this.node.setAttribute("role", "radiogroup");
    this.node.setAttribute("aria-label", this.question.text);
    this.question.choices.forEach((choice, index) => {
      const label = document.createElement("label");
      const input = document.createElement("input");
      Object.assign(input, { type: "radio", name: this.question.key, checked: this.value === index });
      input.addEventListener("change", () => this.set(index));
      const number = document.createElement("kbd");
      number.textContent = index + 1;
      label.append(input, number, choice);
      this.node.append(label);
    });
  }

  buildSliders() {
    const names = this.parts
      ? (this.question.choices.length ? this.question.choices : this.ask.at.map((x) => `at ${x}`))
      : [this.question.kind === "marker" ? "your marker" : "your number"];
    names.forEach((name, index) => {
      const label = document.createElement("label");
      const input = document.createElement("input");
      const shown = document.createElement("output");
      const { low: min, high: max, step } = this.question;
      Object.assign(input, { type: "range", min, max, step, value: this.parts ? this.value[index] : this.value });
      input.setAttribute("aria-label", `${this.question.text} ${name}`);
      input.addEventListener("input", () => {
        const value = this.rounded(Number(input.value));
        this.set(this.parts ? this.value.map((old, i) => (i === index ? value : old)) : value);
      });
      const text = document.createElement("span");
      text.textContent = name;
      label.append(text, input, shown);
      this.node.append(label);
    });
    this.sync();
  }

  // A pointer on the chart.
  grab(x, y) {
    const { kind } = this.question;
    if (kind === "choice") return;
    if (kind === "marker") this.set(this.rounded(x));
    else if (kind === "number") this.set(this.rounded(y));
    else {
      const distance = this.ask.at.map((at) => Math.abs(at - x));
      const nearest = distance.indexOf(Math.min(...distance));
      this.set(this.value.map((old, i) => (i === nearest ? this.rounded(y) : old)));
    }
  }

  choose(index) {
    const input = this.node.querySelectorAll("input")[index];
    if (this.question.kind === "choice" && input && !input.disabled) input.click();
  }

  set(value) {
    this.value = value;
    this.sync();
    this.changed(value);
  }

  sync() {
    if (this.question.kind === "choice") return;
    this.node.querySelectorAll("label").forEach((label, index) => {
      const value = this.parts ? this.value[index] : this.value;
      label.querySelector("input").value = value;
      label.querySelector("output").textContent = value.toFixed(this.ask.decimals);
    });
  }

  // No more answers; of choices, the true one is marked.
  freeze() {
    for (const input of this.node.querySelectorAll("input")) input.disabled = true;
    // A class is told no truth: its questions have none.
    if (this.question.kind === "choice") this.node.children[this.ask.truth]?.classList.add("le-truth");
  }
}

// What is said of an answer beside the truth.
function judged(ask, mine) {
  const { truth, question, decimals, near, mistaken } = ask;
  const text = (value) => value.toFixed(decimals);
  if (question.kind === "choice") {
    const right = mine === truth;
    return { right, gap: `You: ${question.choices[mine]}. It is: ${question.choices[truth]}.`, hint: right ? "" : (mistaken[mine] ?? "") };
  }
  const pairs = Array.isArray(truth) ? truth.map((value, i) => [mine[i], value]) : [[mine, truth]];
  const off = pairs.reduce((sum, [a, b]) => sum + (a - b), 0) / pairs.length;
  const apart = pairs.reduce((sum, [a, b]) => sum + Math.abs(a - b), 0) / pairs.length;
  const right = apart <= near;
  const gap = Array.isArray(truth)
    ? `You are ${text(apart)} away on average.`
    : `You ${text(mine)}, truth ${text(truth)}.`;
  return { right, gap, hint: right ? "" : (mistaken[off < 0 ? "below" : "above"] ?? "") };
}

function answerText(ask, value) {
  if (value === null || value === undefined) return "–";
  if (ask.question.kind === "choice") return ask.question.choices[value];
  return [value].flat().map((number) => number.toFixed(ask.decimals)).join(", ");
}

// Whether what the browser kept is an answer to this question; its questions may have changed since.
function fits({ question }, value) {
  if (value === null) return true; // shown without an answer
  const number = (x) => typeof x === "number" && x >= question.low && x <= question.high;
  if (question.kind === "choice") return Number.isInteger(value) && value >= 0 && value < question.choices.length;
  if (["curve", "bars"].includes(question.kind)) return Array.isArray(value) && value.length === question.count && value.every(number);
  return number(value);
}
