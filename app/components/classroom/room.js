// What the server says of the class, for all parts of a page that show it: asked for once, told to all.

const HOST_PERIOD = 400; // milliseconds between the host's questions: answers are counted as they come
const ANSWERED_WITHIN = 8000; // milliseconds, else a question counts as unanswered

class ClassRoom {
  constructor() {
    this.listeners = new Map(); // by part of the page
    this.view = null;
  }

  // Let a part hear of every change; at once of what is known.
  join(part, { address, id, host }, take, fail) {
    this.listeners.set(part, { take, fail });
    if (id !== this.id || host !== this.host || !this.follower) {
      Object.assign(this, { address, id, host, tag: "", view: null });
      this.follower?.close();
      const tell = (error) => this.each(({ fail }) => fail(error.problem ?? "The server does not answer. Trying again."));
      this.follower = new Follower(() => this.look(), tell, host ? HOST_PERIOD : PERIOD);
      this.follower.now();
    } else if (this.view) take(this.view);
  }

  leave(part) {
    this.listeners.delete(part);
    if (this.listeners.size) return;
    this.follower?.close();
    this.follower = null;
  }

  each(tell) {
    for (const listener of this.listeners.values()) tell(listener);
  }

  async request(where, options) {
    const { id, host } = this;
    const headers = { "PKPO-Visitor": id, ...options.headers };
    const response = await fetch(this.address + where, {
      cache: "no-store", signal: AbortSignal.timeout(ANSWERED_WITHIN), ...options, headers,
    });
    if (response.status === 304) return;
    const told = await response.json();
    if (!response.ok) throw Object.assign(new Error(), told);
    if (id !== this.id || host !== this.host) return; // meant for whom this browser was before
    this.tag = response.headers.get("ETag");
    this.view = told;
    this.each(({ take }) => take(told));
  }

  async look() {
    await this.request("", { headers: this.tag ? { "If-None-Match": this.tag } : {} });
    return true;
  }

  // Answer, or act as host; rejects with what the server said against it.
  send(where, told) {
    const body = JSON.stringify(told);
    return this.request(where, { method: "POST", body, headers: { "Content-Type": "application/json" } });
  }
}

const classRoom = (globalThis.__pkClass ??= new ClassRoom());

const SENT_IN_VAIN = "This did not reach the server. Try again.";

function build(name, className, text = "") {
  const node = document.createElement(name);
  if (className) node.className = className;
  if (text) node.textContent = text;
  return node;
}

function buildButton(text, act, className = "") {
  const button = build("button", className, text);
  button.type = "button";
  button.addEventListener("click", act);
  return button;
}

// A part of a page that shows the class, as long as it stands there.
function showClass(parentElement, selector, data, Part) {
  const root = parentElement.querySelector(selector);
  root.shown ??= new Part(root);
  root.shown.data = data;
  classRoom.join(root, data, (view) => root.shown.take(view), (problem) => root.shown.say(problem));
  return () => {
    if (root.isConnected) return;
    classRoom.leave(root);
    root.shown.close?.();
  };
}
