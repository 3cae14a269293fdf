// The line at the foot of every page: brings a visitor back to the class, and lets the host show a page.

class Strip {
  constructor(root) {
    this.root = root;
  }

  say() {} // the page's own business goes on without the class

  take(view) {
    this.view = view;
    this.root.hidden = this.data.away === false;
    if (this.data.host !== this.host) this.root.replaceChildren(); // a visitor became the host
    this.host = this.data.host;
    if (this.host) this.showHost(view);
    else this.showVisitor(view);
  }

  showVisitor(view) {
    const link = this.root.querySelector("a") ?? this.root.appendChild(build("a"));
    link.href = "./class";
    const asked = view.question && view.open && view.mine === null;
    link.textContent = asked ? "A question for you: back to the class" : "Back to the class";
    link.classList.toggle("cr-asked", Boolean(asked));
  }

  showHost(view) {
    if (!this.root.children.length) {
      const link = build("a", "", "Class");
      link.href = "./class";
      this.root.append(link, build("span"), buildButton("", () => this.show()));
    }
    const [, count, button] = this.root.children;
    count.textContent = `${view.here} here`;
    this.shown = view.page !== "" && new URL(`./${view.page}`, document.baseURI).href === this.here();
    button.textContent = this.shown ? "Take it off their screens" : "Show this page to the class";
  }

  here() {
    const { origin, pathname, search } = location;
    const settings = new URLSearchParams(search).toString(); // as the server writes it
    return origin + pathname + (settings ? `?${settings}` : "");
  }

  async show() {
    try {
      await classRoom.send("/host", this.shown ? { do: "rest" } : { do: "page", page: location.pathname + location.search });
    } catch (error) {
      this.root.children[1].textContent = error.problem ?? SENT_IN_VAIN;
    }
  }
}

export default function ({ data, parentElement }) {
  return showClass(parentElement, ".cr-strip", data, Strip);
}
