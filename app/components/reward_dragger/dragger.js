// Upright sliders, one per reward, over the weights that the server gives for them. The weights follow
// while a slider moves; the page takes the rewards when it is let go.

const DRAG_ECHO = 8000; // milliseconds in which the page is expected to show what was sent to it

class Dragger {
  constructor(root) {
    this.root = root;
    [this.row, this.caption, this.plot, this.message] = root.children;
    this.live = new Live(
      (said) => this.answered(said),
      (problem) => this.say(problem),
    );
    this.resizing = new ResizeObserver(() => {
      const width = this.plot.clientWidth;
      if (this.plot._fullLayout && width && Math.abs(this.plot._fullLayout.width - width) > 1)
        globalThis.Plotly.relayout(this.plot, { width });
    });
    this.resizing.observe(this.plot);
    this.onPresent = () => this.shown && this.draw(this.shown);
    document.addEventListener("pk-present", this.onPresent);
  }

  // What the page shows; nothing for a page that is older than what the hand has done since.
  async take(data, send) {
    this.send = send;
    const late = this.sent !== undefined && data.serial !== this.sent && performance.now() - this.sentAt < DRAG_ECHO;
    if (this.held || late) return;
    const { rewards, low, high } = data;
    const limits = JSON.stringify([rewards.length, low, high]);
    if (limits !== this.limits) this.build(data);
    this.limits = limits;
    this.data = data;
    this.rewards = [...rewards];
    this.sliders.forEach((slider, index) => slider.show(rewards[index]));
    this.say("");
    try {
      await loadPlotly(data.plotly);
    } catch (error) {
      return this.say(error.message);
    }
    if (this.data === data && !this.held) this.draw(data.weights);
  }

  build({ rewards, low, high }) {
    const focused = [...this.row.children].findIndex((label) => label.contains(document.activeElement));
    this.sliders = rewards.map((_, index) => this.slider(index, low, high));
    this.row.replaceChildren(...this.sliders.map(({ label }) => label));
    this.row.children[focused]?.querySelector("input").focus();
  }

  slider(index, low, high) {
    const label = document.createElement("label");
    const name = document.createElement("span");
    const input = document.createElement("input");
    const value = document.createElement("strong");
    name.textContent = `r${index + 1}`;
    Object.assign(input, { type: "range", min: low, max: high, step: "any" });
    input.setAttribute("aria-label", `Reward r${index + 1}`);
    const step = (high - low) / 100;
    const say = (reward) => {
      value.textContent = Number(reward.toFixed(3));
    };
    input.addEventListener("input", () => {
      const reward = Number((Math.round(Number(input.value) / step) * step).toFixed(4));
      say(reward);
      this.move(index, reward);
    });
    input.addEventListener("change", () => this.release());
    label.append(name, input, value);
    const show = (reward) => {
      input.value = reward;
      say(reward);
    };
    return { label, show };
  }

  move(index, reward) {
    this.held = true;
    if (this.rewards[index] === reward) return;
    this.rewards[index] = reward;
    const { route, k, show } = this.data;
    this.live.ask(route, `${new URLSearchParams({ rewards: this.rewards.join(" "), k, show })}`);
  }

  release() {
    this.held = false;
    this.sent = Date.now();
    this.sentAt = performance.now();
    this.send({ rewards: this.rewards, serial: this.sent });
  }

  answered(said) {
    if (!this.held && `${said.rewards}` !== `${this.rewards}`) return; // the page is ahead of it
    this.say("");
    return this.draw(said);
  }

  draw(weights) {
    this.shown = weights;
    const { data, layout } = JSON.parse(weights.figure);
    withType(layout);
    Object.assign(layout, { width: this.plot.clientWidth, height: this.plot.clientHeight, dragmode: false });
    this.plot.setAttribute("aria-label", weights.alt);
    this.caption.textContent = weights.caption;
    return globalThis.Plotly.react(this.plot, data, layout, { displayModeBar: false, showTips: false });
  }

  say(problem) {
    this.message.textContent = problem;
    this.message.hidden = !problem;
  }

  close() {
    this.live.close();
    this.resizing.disconnect();
    document.removeEventListener("pk-present", this.onPresent);
    if (this.plot.data) globalThis.Plotly.purge(this.plot);
  }
}

export default function ({ data, parentElement, setTriggerValue }) {
  const root = parentElement.querySelector(".pk-group");
  root.dragger ??= new Dragger(root);
  root.dragger.take(data, (moved) => setTriggerValue("moved", moved));
  return () => {
    if (!root.isConnected) root.dragger.close();
  };
}
