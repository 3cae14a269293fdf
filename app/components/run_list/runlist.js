// Rows are changed in place, so that a poll takes neither focus nor a half-made choice away.

const HEADS = ["", "Settings", "Status", "Updates", "Begun"];

function element(name, className, parent, text) {
  const node = document.createElement(name);
  if (className) node.className = className;
  if (text !== undefined) node.textContent = text;
  parent?.append(node);
  return node;
}

class List {
  constructor(root) {
    this.root = root;
    this.rows = new Map();
    const head = element("tr", "", root.querySelector("thead"));
    for (const [i, text] of HEADS.entries()) {
      if (text) element("th", i > 2 ? "rl-number" : "", head, text).scope = "col";
      else element("td", "", head);
    }
  }

  // What the server knows to be chosen only counts for rows that are new here: a box is ticked here first, and
  // an answer that is on its way may be older.
  take({ rows, chosen }, choose, open) {
    Object.assign(this, { choose, open });
    const body = this.root.querySelector("tbody");
    const kept = new Set(rows.map((row) => row.address));
    for (const [address, row] of this.rows) {
      if (kept.has(address)) continue;
      row.node.remove();
      this.rows.delete(address);
    }
    rows.forEach((row, index) => {
      if (!this.rows.has(row.address)) this.rows.set(row.address, this.build(row, chosen.includes(row.id)));
      const built = this.rows.get(row.address);
      if (body.children[index] !== built.node) body.insertBefore(built.node, body.children[index] ?? null);
      this.fill(built, row);
    });
  }

  build(row, chosen) {
    const node = element("tr");
    const choose = element("td", "rl-choose", node);
    const box = row.id ? element("input", "", element("label", "", choose)) : null; // the label is room to hit
    if (box) {
      box.type = "checkbox";
      box.value = row.id;
      box.checked = chosen;
      box.addEventListener("change", () => {
        this.choose([...this.root.querySelectorAll("input:checked")].map((input) => input.value));
      });
    }
    const title = element("td", "rl-title", node);
    const link = element("a", "", title);
    link.href = `?${row.address}`;
    link.addEventListener("click", (event) => {
      if (event.ctrlKey || event.metaKey || event.shiftKey) return;
      event.preventDefault();
      this.open(row.address);
    });
    const detail = element("small", "", title);
    const status = element("td", "rl-status", node);
    const icon = element("span", "rl-word rl-icon", status);
    icon.setAttribute("aria-hidden", "true");
    const word = element("span", "rl-word", status);
    const note = element("small", "", status);
    const progress = element("td", "rl-progress", node);
    const count = element("span", "", progress);
    const bar = element("i", "", element("div", "rl-bar", progress));
    const age = element("td", "rl-number rl-age", node);
    return { node, box, link, detail, status, icon, word, note, count, bar, age };
  }

  fill(built, row) {
    built.node.dataset.id = row.id;
    built.node.dataset.status = row.status;
    built.node.dataset.colour = row.colour;
    built.box?.setAttribute("aria-label", `Choose ${row.title}`);
    const texts = { link: row.title, detail: row.detail, icon: row.icon, word: row.status, note: row.note, count: row.count, age: row.age };
    for (const [name, text] of Object.entries(texts)) if (built[name].textContent !== text) built[name].textContent = text;
    built.bar.style.width = `${100 * row.progress}%`;
  }
}

export default function ({ data, parentElement, setStateValue, setTriggerValue }) {
  const root = parentElement.querySelector(".rl");
  root.list ??= new List(root);
  root.list.take(
    data,
    (ids) => setStateValue("chosen", ids),
    (address) => setTriggerValue("open", address),
  );
}
