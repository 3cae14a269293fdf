// What the components share: the charts' library, loaded once a page, and arrays as the server packs them.

function loadPlotly(url) {
  if (globalThis.Plotly) return Promise.resolve();
  return (globalThis.__pkPlotly ??= new Promise((resolve, reject) => {
    const script = document.createElement("script");
    script.src = url;
    script.onload = resolve;
    script.onerror = () => reject(new Error("The charts' library could not be loaded. Reload the page."));
    document.head.append(script);
  }));
}

// A plain loop: Uint8Array.from with a function takes seventeen times as long.
function bytesOf(base64) {
  const text = atob(base64);
  const bytes = new Uint8Array(text.length);
  for (let i = 0; i < text.length; i++) bytes[i] = text.charCodeAt(i);
  return bytes;
}

function floats(base64) {
  if (base64 instanceof Float32Array) return base64; // from a saved file
  return new Float32Array(bytesOf(base64).buffer);
}

const LECTURE = { size: 18, factor: 1.3 }; // as in pkpo/figures/style.py

// A layout as it is drawn now: with the type of a lecture hall in presenter mode (presenter.js).
function withType(layout) {
  if (!document.documentElement.classList.contains("pk-present")) return layout;
  const enlarge = (part) => {
    if (!part || typeof part !== "object") return;
    for (const [name, value] of Object.entries(part)) {
      if (name.endsWith("font") && value?.size) value.size = Math.max(LECTURE.size, Math.round(LECTURE.factor * value.size));
      enlarge(value);
    }
  };
  layout.font = { size: 14, ...layout.font };
  enlarge(layout);
  for (const side of ["l", "r", "t", "b"]) if (layout.margin?.[side]) layout.margin[side] *= LECTURE.factor;
  return layout;
}
