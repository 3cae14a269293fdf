// Upright sliders, one per reward. The server hears of a value when it is let go.

function slider(index, { rewards, low, high }, send) {
  const label = document.createElement("label");
  const name = document.createElement("span");
  const input = document.createElement("input");
  const value = document.createElement("strong");
  name.textContent = `r${index + 1}`;
  Object.assign(input, { type: "range", min: low, max: high, step: "any", value: rewards[index] });
  input.setAttribute("aria-label", `Reward r${index + 1}`);
  const step = (high - low) / 100;
  const rounded = () => Math.round(Number(input.value) / step) * step;
  const show = () => {
    value.textContent = Number(rounded().toFixed(3));
  };
  value.textContent = Number(rewards[index].toFixed(3));
  input.addEventListener("input", show);
  input.addEventListener("change", () => {
    const moved = [...rewards];
    moved[index] = rounded();
    send(moved);
  });
  label.append(name, input, value);
  return label;
}

export default function ({ data, parentElement, setTriggerValue }) {
  const root = parentElement.querySelector(".pk-drag");
  const shown = JSON.stringify(data);
  if (root.dataset.shown === shown) return;
  const focused = [...root.children].findIndex((label) => label.contains(document.activeElement));
  root.dataset.shown = shown;
  const send = (rewards) => setTriggerValue("rewards", rewards);
  root.replaceChildren(...data.rewards.map((_, index) => slider(index, data, send)));
  root.children[focused]?.querySelector("input").focus();
}
