// The host's line above a lesson: while it is on, phones show the question that is on the screen.

const LEADING = "pk-leading"; // in sessionStorage

class Lead extends Leader {
  constructor(root) {
    super(root);
    this.follow = root.querySelector("input");
    this.follow.checked = sessionStorage.getItem(LEADING) === "1";
    this.follow.addEventListener("change", () => {
      sessionStorage.setItem(LEADING, this.follow.checked ? "1" : "0");
      dispatchEvent(new Event(LEADING)); // what was answered in a rehearsal is asked anew
      this.lead();
      this.draw();
    });
    this.folded = buildButton("", () => this.fold(!this.answers.hidden));
    this.part("acts").append(this.folded);
    this.answers = this.part("answers");
    this.answers.prepend(buildButton("Hide", () => this.fold(true)));
    this.watch = new MutationObserver(() => this.moved());
    this.watch.observe(document.body, { subtree: true, childList: true, attributeFilter: ["data-asked", "data-told"] });
  }

  // The question on the screen, "" for none, and whether its truth is there, too; undefined before the lesson is drawn.
  screen() {
    const { asked, told } = document.querySelector(".le[data-asked]")?.dataset ?? {};
    return { asked, told: told === "true" };
  }

  moved() {
    const { asked, told } = this.screen();
    const shown = this.shown ?? {};
    if (asked === shown.asked && told === shown.told) return;
    this.shown = { asked, told };
    if (asked !== shown.asked) this.lead();
    // No answer counts that is given in sight of the truth.
    else if (told && this.follow.checked && this.view?.question === asked && this.view.open) this.send({ do: "reveal" });
    this.draw();
  }

  lead() {
    if (!this.follow.checked || !this.view) return;
    const { asked } = this.screen();
    if (asked === undefined) return;
    if (asked && asked !== this.view.question) this.send({ do: "ask", question: asked });
    else if (!asked && this.view.question) this.send({ do: "rest" });
  }

  take(view) {
    const first = !this.view;
    super.take(view);
    if (first) this.lead();
    const round = JSON.stringify([view.question, view.round, view.open]);
    if (round !== this.round) this.folds = false;
    this.round = round;
    this.draw();
  }

  fold(folded) {
    this.folds = folded;
    this.draw();
  }

  draw() {
    const { view } = this;
    if (!view) return;
    const here = Boolean(view.ask) && view.question === this.screen().asked;
    const seen = here && view.rounds.some(({ counts, dots, curves }) => counts ?? dots ?? curves);
    this.reveal.hidden = !here || !view.open;
    this.again.hidden = !here || view.open;
    this.rest.hidden = true;
    this.answers.hidden = !seen || this.folds;
    this.folded.hidden = !seen;
    this.folded.textContent = this.answers.hidden ? "Show answers" : "Hide answers";
  }

  close() {
    super.close();
    this.watch.disconnect();
  }
}

export default function ({ data, parentElement }) {
  return showClass(parentElement, ".cr-lead", data, Lead);
}
