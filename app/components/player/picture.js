// The picture at the play head as one SVG without styles from outside: the charts as they are drawn, each
// under its caption, the runs and, below, the settings as the command that prints the same numbers.

const PICTURE = { edge: 16, line: 20, letter: 7.4, scale: 2 };
const PICTURE_FONT = "'Source Sans', system-ui, sans-serif";
// What the page's styles give to the marks of a chart.
const PICTURE_STYLES = ["fill", "fill-opacity", "stroke", "stroke-width", "stroke-opacity", "stroke-dasharray", "stroke-linecap", "opacity", "visibility", "paint-order", "font-family", "font-size", "font-weight", "text-anchor"];

// What stands between the charts above the bar and those below it, in pixels.
function heightBetween(charts, bar) {
  const boxes = charts.map((chart) => chart.figure.getBoundingClientRect());
  const [above, below] = [boxes.filter(({ top }) => top < bar.top), boxes.filter(({ top }) => top >= bar.bottom)];
  if (!above.length || !below.length) return 0;
  return Math.min(...below.map(({ top }) => top)) - Math.max(...above.map(({ bottom }) => bottom));
}

function playerPicture(player) {
  const { root, data, runs, focus } = player;
  const area = root.querySelector(".pk-charts").getBoundingClientRect();
  const bar = root.querySelector(".pk-bar").getBoundingClientRect();
  const between = heightBetween(player.ready(), bar); // controls and words, which are not in the picture
  const { edge, line } = PICTURE;
  const width = Math.ceil(area.width) + 2 * edge;
  const svg = document.createElementNS(SVG, "svg");
  const back = mark(svg, "rect", { width: "100%", fill: themed(root, "--st-background-color") });
  const ink = themed(root, "--st-text-color");
  // Lines of text below each other; returns where the next one stands.
  const write = (text, x, y, room, more = {}) => {
    for (const part of broken(text, room / PICTURE.letter)) {
      mark(svg, "text", { x, y, fill: ink, "font-family": PICTURE_FONT, "font-size": 14, ...more }).textContent = part;
      y += line;
    }
    return y;
  };
  const item = (colour, text, y) => {
    mark(svg, "circle", { cx: edge + 6, cy: y - 5, r: 6, fill: colour });
    return write(text, edge + 20, y, area.width - 20);
  };
  let y = edge + 14;
  for (const [index, run] of runs.entries()) {
    const looked = runs.length > 1 && index === focus ? " (its draws are shown)" : "";
    y = item(run.colour, `${run.label}${looked}: ${run.readout.textContent.replaceAll("\u2002", ", ")}`, y);
  }
  const top = y - line - area.top;
  let bottom = y;
  for (const chart of player.ready()) {
    const at = ({ left, top: high }) => ({
      x: left - area.left + edge,
      y: high + top - (high >= bar.bottom ? between : 0),
    });
    const caption = chart.figure.querySelector("figcaption");
    const box = chart.plot.getBoundingClientRect();
    const title = at(caption.getBoundingClientRect());
    write(caption.textContent, title.x, title.y + 17, 0.9 * box.width, { "font-weight": 600 });
    for (const layer of chart.plot.querySelectorAll("svg.main-svg, svg.pk-over")) svg.append(placed(layer, at(box), box));
    bottom = Math.max(bottom, at(box).y + box.height);
  }
  y = write(`Update ${root.dataset.frame} of ${player.last}. ${data.note}`, edge, bottom + line, area.width);
  const { towards, away, none } = data.weightColours;
  y = item(towards, "draw made more likely", y);
  y = item(away, "draw made less likely", y);
  y = item(none, "no weight", y);
  y = write(`Settings: ${data.command}`, edge, y, area.width);
  const height = Math.ceil(y);
  back.setAttribute("height", height);
  set(svg, { width, height, viewBox: `0 0 ${width} ${height}` });
  // Where a page has a base address, Plotly writes it into its references.
  return new XMLSerializer().serializeToString(svg).replace(/url\((&quot;|['"])?[^#()]*#([^)'"&]+)(&quot;|['"])?\)/g, "url(#$2)");
}

// A colour of the theme as it is now, whatever its variable says.
function themed(root, name) {
  const probe = document.createElement("span");
  probe.style.color = `var(${name})`;
  root.append(probe);
  const { color } = getComputedStyle(probe);
  probe.remove();
  return color;
}

// A drawn layer of a chart at its place, with its styles in itself.
function placed(layer, { x, y }, { width, height }) {
  const copy = layer.cloneNode(true);
  const [from, to] = [layer, copy].map((node) => [...node.querySelectorAll("*")]);
  to.forEach((node, index) => {
    const style = getComputedStyle(from[index]);
    for (const name of PICTURE_STYLES) node.style.setProperty(name, style.getPropertyValue(name));
  });
  copy.removeAttribute("style");
  set(copy, { x, y, width, height });
  return copy;
}

// Lines of at most so many letters.
function broken(text, most) {
  const lines = [""];
  for (const word of text.split(/\s+/)) {
    const last = lines.length - 1;
    if (lines[last] && lines[last].length + word.length + 1 > most) lines.push(word);
    else lines[last] += (lines[last] && " ") + word;
  }
  return lines;
}

// An SVG as a file of its own, or as the PNG that it looks like.
async function saveAs(svg, format, name) {
  const link = document.createElement("a");
  link.download = `${name}.${format}`;
  const blob = format === "png" ? await drawn(svg) : new Blob([svg], { type: "image/svg+xml" });
  link.href = URL.createObjectURL(blob);
  link.click();
  setTimeout(() => URL.revokeObjectURL(link.href), 10000);
}

async function drawn(svg) {
  const image = new Image();
  image.src = `data:image/svg+xml;charset=utf-8,${encodeURIComponent(svg)}`;
  await image.decode();
  const canvas = document.createElement("canvas");
  [canvas.width, canvas.height] = [image.width * PICTURE.scale, image.height * PICTURE.scale];
  canvas.getContext("2d").drawImage(image, 0, 0, canvas.width, canvas.height);
  return new Promise((resolve) => canvas.toBlob(resolve, "image/png"));
}
