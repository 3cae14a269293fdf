// The class on a visitor's screen: the question that is asked, its answer, or the page that is shown.

class Phone {
  constructor(root) {
    this.root = root;
    this.place = root.querySelector(".cr-place");
    this.status = root.querySelector(".cr-said");
  }

  say(problem) {
    this.status.textContent = problem;
  }

  take(view) {
    this.view = view;
    const question = this.data.questions.find(({ key }) => key === view.question);
    const scene = JSON.stringify([view.question, view.round, view.page, view.open]);
    if (scene !== this.scene) {
      this.scene = scene;
      this.place.replaceChildren(...(question ? this.question(question) : this.between(view)));
    }
    if (question) this.mark(question);
    else this.say("");
  }

  between({ page }) {
    if (!page) return [build("h2", "", "Look at the screen"), build("p", "", "The next question comes up here by itself. Until then you may explore the pages above.")];
    const link = build("a", "cr-open", "Open the page that is shown");
    link.href = `./${page}`;
    return [build("h2", "", "Look at this"), link, build("p", "", "“Back to the class”, at the foot of that page, brings you here again.")];
  }

  question(question) {
    const head = build("h2", "", question.text);
    const box = build("div", `cr-answers cr-${question.kind}`);
    box.setAttribute("role", "group");
    box.setAttribute("aria-label", question.text);
    if (question.kind === "choice") {
      box.append(...question.choices.map((name, place) => buildButton(name, () => this.send(place))));
    } else {
      this.sliders = Array.from({ length: question.count }, (_, i) => this.slider(question, i));
      box.append(...this.sliders.map(({ parentNode }) => parentNode));
      box.append(buildButton("Send", () => this.send(this.drawn(question)), "cr-main"));
    }
    for (const control of box.querySelectorAll("button, input")) control.disabled = !this.view.open;
    return [head, box];
  }

  slider({ low, high, step, choices, count, text }, i) {
    const label = build("label");
    const input = build("input");
    Object.assign(input, { type: "range", min: low, max: high, step });
    const mine = this.view.mine;
    input.value = mine === null ? (low + high) / 2 : Array.isArray(mine) ? mine[i] : mine;
    const shown = build("span", "", input.value);
    input.addEventListener("input", () => (shown.textContent = input.value));
    const name = choices[i] ?? (count > 1 ? `Point ${i + 1}` : "");
    input.setAttribute("aria-label", name || text);
    label.append(build("span", "", name), input, shown);
    return input;
  }

  drawn({ count, kind }) {
    const values = this.sliders.map(({ value }) => Number(value));
    return count > 1 || kind === "curve" || kind === "bars" ? values : values[0];
  }

  // What this browser has answered, and whether it can still be changed.
  mark(question) {
    const { mine, open } = this.view;
    const buttons = [...this.place.querySelectorAll(".cr-choice button")];
    buttons.forEach((button, place) => button.setAttribute("aria-pressed", place === mine));
    const answered = mine !== null;
    const name = question.kind === "choice" ? question.choices[mine] : [mine].flat().join(", ");
    if (open) this.say(answered ? `Your answer: ${name}. You may change it until all are shown.` : this.view.round > 1 ? "Asked again: answer once more, the same or another." : "");
    else this.say(answered ? `Your answer was ${name}. Look at the screen.` : "The answers are on the screen.");
  }

  async send(value) {
    const { question, round } = this.view;
    try {
      await classRoom.send("/answer", { question, round, value });
    } catch (error) {
      this.say(error.problem ? `Not taken: ${error.problem}.` : SENT_IN_VAIN);
    }
  }
}

export default function ({ data, parentElement }) {
  return showClass(parentElement, ".cr-phone", data, Phone);
}
