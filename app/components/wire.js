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

function floats(base64) {
  return new Float32Array(Uint8Array.from(atob(base64), (c) => c.charCodeAt(0)).buffer);
}
