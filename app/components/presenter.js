// Presenter mode, on any page: large type, nothing but the stage and its text, and keys. On by the key P
// or `present=1` in the address; it stays through pages and reloads of this tab. page.css has its looks.

const MOVED = "input:is([type='radio'], [type='range'], [type='checkbox'])"; // no letters are typed there
const FIELDS = "input, textarea, select, [contenteditable='true'], [role='textbox'], [role='combobox']";
const PRESENTER_KEYS = [
  ["← →", "one step back or on"],
  ["Space", "play, pause or reveal"],
  ["1 – 5", "an example or a choice"],
  ["E", "explain a step"],
  ["C", "the controls under Play, in place of the words"],
  ["N", "notes for the speaker, in a window of their own"],
  ["B", "a blank screen, and back"],
  ["?", "these keys"],
  ["P or Esc", "leave presenter mode"],
];
const STORED = "pk-present";
const LOOK_EVERY = 400; // milliseconds
const LEAST_STAGE = 200; // pixels of height
const STAGE_MARGIN = 14; // pixels below it

class Presenter {
  constructor() {
    this.on = false;
    this.cover = document.createElement("div");
    this.cover.className = "pk-cover";
    this.cover.setAttribute("role", "dialog");
    this.cover.popover = "manual"; // above everything
    document.body.append(this.cover);
    this.channel = new BroadcastChannel("pk-notes");
    this.channel.onmessage = () => this.note(true);
    this.onKey = (event) => this.key(event);
    addEventListener("keydown", this.onKey, true);
  }

  // What the server says at every run, and how to tell it.
  update(asked, tell) {
    this.tell = tell;
    if (!this.on && (asked || sessionStorage.getItem(STORED))) this.turn(true);
  }

  turn(on) {
    this.on = on;
    document.documentElement.classList.toggle("pk-present", on);
    document.documentElement.classList.remove("pk-turning");
    if (on) sessionStorage.setItem(STORED, "1");
    else sessionStorage.removeItem(STORED);
    clearInterval(this.timer);
    if (on)
      this.timer = setInterval(() => {
        this.fit();
        this.note(false);
      }, LOOK_EVERY);
    this.uncover();
    this.tell(on);
    document.dispatchEvent(new Event("pk-present")); // charts set their type anew
    dispatchEvent(new Event("resize"));
  }

  // --- Keys ------------------------------------------------------------------------------------

  key(event) {
    const field = event.target.closest?.(FIELDS);
    if (event.ctrlKey || event.metaKey || event.altKey || (field && !field.matches(MOVED))) return;
    const key = event.key.length === 1 ? event.key.toLowerCase() : event.key;
    if (!this.on) {
      if (key === "p") this.take(event, () => this.turn(true));
      return;
    }
    if (this.cover.matches(":popover-open")) return this.take(event, () => this.uncover());
    const action = {
      p: () => this.turn(false),
      Escape: () => this.turn(false),
      b: () => this.blank(),
      "?": () => this.listKeys(),
      c: () => document.documentElement.classList.toggle("pk-turning"),
      n: () => window.open("./speaker-notes", "pk-notes", "popup,width=720,height=520"),
      e: () => document.querySelector(".pk-explain")?.click(),
    }[key];
    if (action) return this.take(event, action);
    if (/^[1-5]$/.test(key)) return this.choose(event, Number(key));
    if (!field) this.step(event);
  }

  take(event, action) {
    event.preventDefault();
    event.stopPropagation();
    action();
  }

  // The examples or choices of a page are its first row of buttons.
  choose(event, place) {
    const rows = document.querySelectorAll("[data-testid='stMain'] :is([role='radiogroup'], [data-testid='stButtonGroup'])");
    const button = [...(rows[0]?.querySelectorAll("button, input[type='radio']") ?? [])][place - 1];
    if (button) this.take(event, () => button.click());
  }

  // A player takes the keys of the whole page, wherever the focus is but on a button's own space.
  step(event) {
    const player = document.querySelector(".pk-player");
    if (!player?.player || event.target === document.body || player.contains(event.target)) return;
    player.player.key(event);
  }

  // --- Covers ----------------------------------------------------------------------------------

  blank() {
    this.show("Blank screen", "", "pk-blank");
  }

  listKeys() {
    const rows = PRESENTER_KEYS.map(([key, what]) => `<dt><kbd>${key}</kbd></dt><dd>${what}</dd>`);
    this.show("Keys", `<strong>Keys</strong><dl>${rows.join("")}</dl>`, "pk-keys");
  }

  show(label, html, name) {
    this.cover.className = `pk-cover ${name}`;
    this.cover.setAttribute("aria-label", label);
    this.cover.innerHTML = html; // from this file alone
    this.cover.style.colorScheme = getComputedStyle(document.querySelector("[data-testid='stApp']")).colorScheme;
    this.cover.showPopover();
  }

  uncover() {
    if (this.cover.matches(":popover-open")) this.cover.hidePopover();
  }

  // The stage takes the height that the page's words leave.
  fit() {
    const box = document.querySelector(".pk-player [data-chart='stage'] .pk-box");
    if (!box || document.querySelector("[data-testid='stMain']").scrollTop) return;
    const room = innerHeight - box.closest(".pk-player").getBoundingClientRect().bottom - STAGE_MARGIN;
    if (Math.abs(room) < 4) return;
    const height = Math.max(LEAST_STAGE, box.offsetHeight + room);
    document.documentElement.style.setProperty("--pk-stage", `${height}px`);
  }

  // --- The speaker's window --------------------------------------------------------------------

  // Where this window is: the page's address, and the example or figure that is shown.
  note(again) {
    if (!this.on) return;
    const page = location.pathname.split("/").pop();
    const chosen = document.querySelector(
      ":is(.st-key-preset, .st-key-_lab_view) :is([aria-checked='true'], [data-testid='stBaseButton-pillsActive'])",
    );
    const told = document.querySelector("[data-speaker-step]")?.dataset;
    const step = told?.speakerStep ?? chosen?.textContent ?? "";
    const title = document.title;
    const seen = `${page} ${step} ${title}`;
    if (!again && seen === this.seen) return;
    this.seen = seen;
    this.channel.postMessage({ page, step, title, label: told?.speakerLabel ?? step });
  }

  disconnect() {
    removeEventListener("keydown", this.onKey, true);
    clearInterval(this.timer);
    this.channel.close();
    this.cover.remove();
  }
}
