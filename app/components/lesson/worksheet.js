// The worksheet: a question of each lesson with blank axes, and on a page of its own the key.

const PER_PAGE = 4;
const sheet = JSON.parse(document.getElementById("sheet").textContent);

function element(name, className, ...children) {
  const node = document.createElement(name);
  node.className = className;
  node.append(...children);
  return node;
}

function chart(item, revealed, size) {
  const host = element("div", "");
  return { host, draw: () => new LessonScene(host, () => {}).show(item.scene, { revealed, size, open: false }) };
}

function toAnswer({ question }) {
  if (question.kind === "choice") return [element("ul", "ws-choices", ...question.choices.map((choice) => element("li", "", choice)))];
  if (question.kind === "number") return [element("p", "", "Your number: ", element("span", "ws-blank"))];
  return []; // drawn into the chart
}

function title(item) {
  return element("h3", "", `${item.number}  ${item.title}`);
}

function asked(item) {
  const { host, draw } = chart(item, false, "paper");
  const text = [title(item), words(item.lead), words(item.question.text, "p", "ws-question"), ...toAnswer(item)];
  return { node: element("section", "ws-item", element("div", "", ...text), host), draw };
}

function told(item) {
  const { host, draw } = chart(item, true, "key");
  const text = words(`**${answerText(item, item.truth)}** · ${item.explanation}`);
  return { node: element("section", "ws-item", title(item), host, text), draw };
}

function page(heading, parts, className = "") {
  const node = element("article", "ws-page", element("h2", "", heading), element("div", className, ...parts.map((part) => part.node)));
  document.querySelector("main").append(node);
  for (const part of parts) part.draw(); // once it has a width
}

for (let first = 0; first < sheet.length; first += PER_PAGE)
  page("What do you expect?", sheet.slice(first, first + PER_PAGE).map(asked));
page("Key", sheet.map(told), "ws-key");
document.querySelector(".ws-print").addEventListener("click", () => print());
