// The class on the host's screen: what is asked, how many answered and, once revealed, how.

const SVG = "http://www.w3.org/2000/svg";
const [WIDTH, HEIGHT] = [420, 230];

function svgPart(name, attributes, parent, text = "") {
  const node = document.createElementNS(SVG, name);
  for (const [key, value] of Object.entries(attributes)) node.setAttribute(key, value);
  if (text) node.textContent = text;
  parent.append(node);
  return node;
}

// The largest share that a choice had in any round: bars of two rounds can be compared.
function largestShare(rounds) {
  return Math.max(0, ...rounds.flatMap(({ counts = [], answered }) => counts.map((count) => count / Math.max(1, answered))));
}

// Bars, one for each choice.
function drawCounts({ choices }, { counts, answered }, svg, most) {
  const slot = WIDTH / choices.length;
  const floor = HEIGHT - 34;
  counts.forEach((count, i) => {
    const height = count ? (count / answered / most) * (floor - 30) : 0;
    const middle = (i + 0.5) * slot;
    svgPart("rect", { x: middle - slot * 0.34, y: floor - height, width: slot * 0.68, height, rx: 3, class: "cr-mark" }, svg);
    const share = count ? ` · ${Math.round((100 * count) / answered)} %` : "";
    svgPart("text", { x: middle, y: floor - height - 8, "text-anchor": "middle", class: "cr-count" }, svg, count + share);
    const name = choices[i].length > 22 ? String.fromCharCode(65 + i) : choices[i];
    svgPart("text", { x: middle, y: HEIGHT - 10, "text-anchor": "middle" }, svg, name);
  });
  svgPart("line", { x1: 0, x2: WIDTH, y1: floor, y2: floor }, svg);
}

// A scale from left to right; returns where a value stands.
function drawScale({ low, high }, floor, svg) {
  const at = (value) => 18 + ((value - low) / (high - low)) * (WIDTH - 36);
  svgPart("line", { x1: at(low), x2: at(high), y1: floor, y2: floor }, svg);
  for (const share of [0, 0.25, 0.5, 0.75, 1]) {
    const value = low + share * (high - low);
    svgPart("text", { x: at(value), y: HEIGHT - 10, "text-anchor": "middle" }, svg, String(Number(value.toPrecision(3))));
  }
  return at;
}

// A dot for each number, stacked where they are alike.
function drawDots(question, { dots, median }, svg) {
  const floor = HEIGHT - 34;
  const at = drawScale(question, floor, svg);
  const highest = Math.max(0, ...dots.map(([, place]) => place));
  const rise = Math.min(11, (floor - 24) / (highest + 1));
  for (const [value, place] of dots) svgPart("circle", { cx: at(value), cy: floor - 6 - place * rise, r: 5, class: "cr-mark" }, svg);
  if (median !== undefined) {
    svgPart("line", { x1: at(median), x2: at(median), y1: 18, y2: floor, class: "cr-median" }, svg);
    const side = at(median) > WIDTH / 2 ? "end" : "start";
    svgPart("text", { x: at(median), y: 14, "text-anchor": side, class: "cr-count" }, svg, `median ${Number(median.toPrecision(3))}`);
  }
}

// Every drawing as a thin line: where the class agrees, they make a dark one.
function drawCurves({ low, high, count }, { curves }, svg) {
  const x = (i) => 34 + (i / Math.max(1, count - 1)) * (WIDTH - 52);
  const y = (value) => HEIGHT - 24 - ((value - low) / (high - low)) * (HEIGHT - 44);
  for (const value of [low, high]) {
    svgPart("line", { x1: 34, x2: WIDTH - 18, y1: y(value), y2: y(value) }, svg);
    svgPart("text", { x: 28, y: y(value) + 5, "text-anchor": "end" }, svg, String(Number(value.toPrecision(3))));
  }
  const opacity = Math.max(0.12, Math.min(0.7, 4 / Math.max(1, curves.length)));
  for (const curve of curves) {
    svgPart("polyline", { points: curve.map((value, i) => `${x(i)},${y(value)}`).join(" "), class: "cr-ghost", opacity }, svg);
  }
}

class Host {
  constructor(root) {
    this.root = root;
    this.part = (name) => root.querySelector(`.cr-${name}`);
    this.act = (told) => () => this.send(told());
    this.reveal = buildButton("Reveal", this.act(() => ({ do: "reveal" })), "cr-main");
    this.again = buildButton("Ask again", this.act(() => ({ do: "again" })));
    this.rest = buildButton("Put it away", this.act(() => ({ do: "rest" })));
    this.ask = buildButton("Ask the class", this.act(() => ({ do: "ask", question: this.chosen() })), "cr-main");
    this.part("acts").append(this.reveal, this.again, this.rest);
    this.part("choose").append(this.ask);
  }

  say(problem) {
    this.part("said").textContent = problem;
  }

  chosen() {
    return this.part("choose").querySelector("select")?.value ?? this.data.questions[0].key;
  }

  offer() {
    const keys = this.data.questions.map(({ key }) => key).join(" ");
    if (keys === this.offered) return;
    this.offered = keys;
    this.part("choose").querySelector("label")?.remove();
    if (this.data.questions.length < 2) return;
    const label = build("label", "", "Question ");
    const select = label.appendChild(build("select"));
    let group;
    for (const { key, text, lesson } of this.data.questions) {
      if (group?.label !== lesson) {
        group = select.appendChild(build("optgroup"));
        group.label = lesson;
      }
      const option = group.appendChild(build("option", "", text));
      option.value = key;
    }
    this.part("choose").prepend(label);
  }

  take(view) {
    this.say("");
    this.offer();
    const question = this.data.questions.find(({ key }) => key === view.question);
    this.root.dataset.asked = Boolean(question);
    this.part("asked").textContent = question ? question.text : view.page ? `On their screens: ${view.page}` : "";
    this.reveal.hidden = !question || !view.open;
    this.again.hidden = !question || view.open;
    this.rest.hidden = !question && !view.page;
    const answered = view.rounds?.at(-1).answered;
    this.part("count").textContent = question ? `${answered} answered · ${view.here} here` : `${view.here} here`;
    const drawn = JSON.stringify([view.question, view.rounds]);
    if (drawn === this.drawn) return;
    this.drawn = drawn;
    this.part("rounds").replaceChildren(...(question ? view.rounds.map((one, i) => this.round(question, one, view.round - view.rounds.length + i + 1, largestShare(view.rounds))) : []));
  }

  round(question, one, number, most) {
    const figure = build("figure");
    const caption = build("figcaption", "", `Round ${number}: ${one.answered} answered`);
    figure.append(caption);
    const draw = one.counts ? drawCounts : one.dots ? drawDots : one.curves ? drawCurves : null;
    if (!draw) {
      figure.append(build("p", "cr-hidden", String(one.answered)));
      return figure;
    }
    const svg = svgPart("svg", { viewBox: `0 0 ${WIDTH} ${HEIGHT}`, role: "img" }, figure);
    svg.setAttribute("aria-label", one.counts ? one.counts.map((count, i) => `${question.choices[i]}: ${count}`).join(", ") : `${one.answered} answers`);
    draw(question, one, svg, most);
    return figure;
  }

  async send(told) {
    try {
      await classRoom.send("/host", told);
    } catch (error) {
      this.say(error.problem ?? SENT_IN_VAIN);
    }
  }
}

export default function ({ data, parentElement }) {
  return showClass(parentElement, ".cr-host", data, Host);
}
