// The class on the host's screen: what is asked, how many answered and, once revealed, how.

class Host extends Leader {
  constructor(root) {
    super(root);
    this.ask = buildButton("Ask the class", () => this.send({ do: "ask", question: this.chosen() }), "cr-main");
    this.part("choose").append(this.ask);
  }

  chosen() {
    return this.part("choose").querySelector("select").value;
  }

  offer() {
    if (this.part("choose").querySelector("label")) return;
    const label = build("label", "", "Asked by you, aloud or on a slide ");
    const select = label.appendChild(build("select"));
    for (const { key, text } of this.data.questions) select.appendChild(build("option", "", text)).value = key;
    this.part("choose").prepend(label);
  }

  take(view) {
    this.offer();
    super.take(view);
    this.root.dataset.asked = Boolean(view.ask);
    this.part("asked").textContent = view.ask ? view.ask.question.text : view.page ? `On their screens: ${view.page}` : "";
  }
}

export default function ({ data, parentElement }) {
  return showClass(parentElement, ".cr-host", data, Host);
}
