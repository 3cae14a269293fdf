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
    const shown = JSON.stringify([view.question, view.round, view.page, view.open]);
    if (shown !== this.shown) {
      this.shown = shown;
      this.close();
      this.place.replaceChildren(...(view.ask ? this.question(view) : this.between(view)));
      this.show?.();
    }
    if (view.ask) this.mark(view);
    else this.say("");
  }

  close() {
    this.chart?.resizing.disconnect();
    this.chart = this.show = null;
  }

  between({ page }) {
    if (!page) return [build("h2", "", "Look at the screen"), build("p", "", "The next question comes up here by itself. Until then you may explore the pages above.")];
    const link = build("a", "cr-open", "Open the page that is shown");
    link.href = `./${page}`;
    return [build("h2", "", "Look at this"), link, build("p", "", "“Back to the class”, at the foot of that page, brings you here again.")];
  }

  question({ ask, mine, open }) {
    const { kind, text } = ask.question;
    const choice = kind === "choice";
    const prediction = new Prediction(ask, mine ?? undefined, (value) => (choice ? this.send(value) : this.show?.()));
    const parts = [build("h2", "", text)];
    if (ask.lead) parts.push(words(ask.lead));
    if (ask.scene) {
      const place = build("div", "le-scene");
      this.chart = new LessonScene(place, (x, y) => prediction.grab(x, y));
      this.show = () => this.chart.show(ask.scene, { revealed: false, kind, at: ask.at, mine: prediction.value, open: open && !choice });
      parts.push(place);
    }
    parts.push(prediction.node);
    if (!choice) {
      const send = buildButton("Send", () => this.send(prediction.value), "cr-main");
      send.disabled = !open;
      parts.push(send);
    }
    if (!open) prediction.freeze();
    return parts;
  }

  // What this browser has answered, and whether it can still be changed.
  mark({ ask, mine, open, round }) {
    const answered = mine !== null;
    const name = answerText(ask, mine);
    if (open) this.say(answered ? `Your answer: ${name}. You may change it until all are shown.` : round > 1 ? "Asked again: answer once more, the same or another." : "");
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
