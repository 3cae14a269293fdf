// What the host does with a question: reveal, ask again, put away; and how the class answered.

class Leader {
  constructor(root) {
    this.root = root;
    this.part = (name) => root.querySelector(`.cr-${name}`);
    this.reveal = buildButton("Reveal", () => this.send({ do: "reveal" }), "cr-main");
    this.again = buildButton("Ask again", () => this.send({ do: "again" }));
    this.rest = buildButton("Put it away", () => this.send({ do: "rest" }));
    this.part("acts").append(this.reveal, this.again, this.rest);
    this.rounds = new Rounds(this.part("rounds"));
  }

  say(problem) {
    this.part("said").textContent = problem;
  }

  take(view) {
    this.view = view;
    this.say("");
    const { ask } = view;
    this.reveal.hidden = !ask || !view.open;
    this.again.hidden = !ask || view.open;
    this.rest.hidden = !ask && !view.page;
    const answered = view.rounds?.at(-1).answered;
    this.part("count").textContent = ask ? `${answered} answered · ${view.here} here` : `${view.here} here`;
    this.rounds.show(view);
  }

  async send(told) {
    try {
      await classRoom.send("/host", told);
    } catch (error) {
      this.say(error.problem ?? SENT_IN_VAIN);
    }
  }

  close() {
    this.rounds.close();
  }
}
